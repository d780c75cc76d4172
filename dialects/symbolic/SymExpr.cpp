//===- SymExpr.cpp - reading and evaluating expressions -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/symbolic/SymExpr.h"

#include "dialects/symbolic/SymExprStorage.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace heddle;
using llvm::ArrayRef;
using llvm::raw_ostream;

//===----------------------------------------------------------------------===//
// Accessors
//===----------------------------------------------------------------------===//

ArrayRef<SymTerm> SymExpr::terms() const { return storage->terms; }

SymContext &SymExpr::context() const { return *storage->context; }

bool SymExpr::isComputable() const { return storage->computable; }

unsigned SymExpr::depth() const { return storage->depth; }

std::optional<int64_t> SymExpr::constant() const {
  if (storage->terms.empty())
    return 0;
  const SymTerm &first = storage->terms.front();
  if (!first.factors.empty())
    return std::nullopt;
  return first.coefficient;
}

const SymAtom *SymExpr::atom() const {
  if (storage->terms.size() != 1)
    return nullptr;
  const SymTerm &term = storage->terms.front();
  if (term.coefficient != 1 || term.factors.size() != 1)
    return nullptr;
  return term.factors.front();
}

static void collectSymbols(SymExpr expr,
                           llvm::DenseSet<const SymAtom *> &visited,
                           llvm::function_ref<void(const SymAtom &)> callback) {
  for (const SymTerm &term : expr.terms()) {
    for (const SymAtom *atom : term.factors) {
      if (!visited.insert(atom).second)
        continue;
      if (atom->isSymbol())
        callback(*atom);
      for (SymExpr operand : atom->operands())
        collectSymbols(operand, visited, callback);
    }
  }
}

void SymExpr::forEachSymbol(
    llvm::function_ref<void(const SymAtom &)> callback) const {
  llvm::DenseSet<const SymAtom *> visited;
  collectSymbols(*this, visited, callback);
}

void SymAtom::Profile(llvm::FoldingSetNodeID &id) const {
  id.AddInteger(static_cast<unsigned>(atomKind));
  for (SymExpr operand : atomOperands)
    id.AddPointer(operand.getAsOpaquePointer());
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

int heddle::compareMonomials(ArrayRef<const SymAtom *> a,
                             ArrayRef<const SymAtom *> b) {
  if (a.size() != b.size())
    return a.size() > b.size() ? -1 : 1;
  for (auto [x, y] : llvm::zip_equal(a, b))
    if (x->id() != y->id())
      return x->id() < y->id() ? -1 : 1;
  return 0;
}

int heddle::compareExprs(SymExpr a, SymExpr b) {
  for (auto [x, y] : llvm::zip(a.terms(), b.terms())) {
    if (int order = compareMonomials(x.factors, y.factors))
      return order;
    if (x.coefficient != y.coefficient)
      return x.coefficient < y.coefficient ? -1 : 1;
  }
  if (a.terms().size() != b.terms().size())
    return a.terms().size() < b.terms().size() ? -1 : 1;
  return 0;
}

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

static llvm::StringRef operationName(SymAtomKind kind) {
  switch (kind) {
  case SymAtomKind::FloorDiv:
    return "floordiv";
  case SymAtomKind::Mod:
    return "mod";
  case SymAtomKind::Min:
    return "min";
  case SymAtomKind::Max:
    return "max";
  case SymAtomKind::Select:
    return "select";
  case SymAtomKind::Equal:
    return "eq";
  case SymAtomKind::LessEqual:
    return "le";
  case SymAtomKind::Symbol:
  case SymAtomKind::Unknown:
    return "";
  }
  return "";
}

namespace {
/// Prints a bounded number of atoms: shared subexpressions could otherwise make
/// the text of a small expression exponentially long.
class Printer {
public:
  explicit Printer(raw_ostream &os) : os(os) {}

  void print(SymExpr expr) {
    if (expr.terms().empty())
      os << "0";
    bool first = true;
    for (const SymTerm &term : expr.terms()) {
      printTerm(term, first);
      first = false;
    }
  }

  void print(const SymAtom &atom) {
    if (budget == 0) {
      os << "...";
      return;
    }
    --budget;
    if (atom.isSymbol()) {
      os << atom.name();
      return;
    }
    os << operationName(atom.kind()) << "(";
    llvm::interleaveComma(atom.operands(), os,
                          [&](SymExpr operand) { print(operand); });
    os << ")";
  }

private:
  void printTerm(const SymTerm &term, bool first) {
    bool negative = term.coefficient < 0;
    // Negating in unsigned arithmetic is defined for the smallest value, too.
    uint64_t magnitude = negative ? 0 - static_cast<uint64_t>(term.coefficient)
                                  : static_cast<uint64_t>(term.coefficient);
    if (first)
      os << (negative ? "-" : "");
    else
      os << (negative ? " - " : " + ");
    if (magnitude != 1 || term.factors.empty())
      os << magnitude << (term.factors.empty() ? "" : "*");
    llvm::interleave(
        term.factors, os, [&](const SymAtom *factor) { print(*factor); }, "*");
  }

  raw_ostream &os;
  unsigned budget = 256;
};
} // namespace

void SymExpr::print(raw_ostream &os) const { Printer(os).print(*this); }

void SymAtom::print(raw_ostream &os) const { Printer(os).print(*this); }

std::string SymExpr::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os);
  return text;
}

raw_ostream &heddle::operator<<(raw_ostream &os, SymExpr expr) {
  expr.print(os);
  return os;
}

//===----------------------------------------------------------------------===//
// Evaluation
//===----------------------------------------------------------------------===//

namespace {
class Evaluator {
public:
  using ValueOf =
      llvm::function_ref<std::optional<int64_t>(const SymAtom &atom)>;
  explicit Evaluator(ValueOf valueOf) : valueOf(valueOf) {}

  std::optional<int64_t> evaluate(SymExpr expr) {
    int64_t sum = 0;
    for (const SymTerm &term : expr.terms()) {
      int64_t value = term.coefficient;
      for (const SymAtom *atom : term.factors) {
        std::optional<int64_t> factor = evaluate(*atom);
        if (!factor || llvm::MulOverflow(value, *factor, value))
          return std::nullopt;
      }
      if (llvm::AddOverflow(sum, value, sum))
        return std::nullopt;
    }
    return sum;
  }

private:
  std::optional<int64_t> evaluate(const SymAtom &atom) {
    auto found = values.find(&atom);
    if (found != values.end())
      return found->second;
    std::optional<int64_t> value =
        atom.isSymbol() ? valueOf(atom) : evaluateOperation(atom);
    values[&atom] = value;
    return value;
  }

  std::optional<int64_t> evaluateOperation(const SymAtom &atom) {
    // A select reads only the side it takes: the other may have no value.
    if (atom.kind() == SymAtomKind::Select) {
      std::optional<int64_t> condition = evaluate(atom.operands()[0]);
      if (!condition)
        return std::nullopt;
      return evaluate(atom.operands()[*condition ? 1 : 2]);
    }
    llvm::SmallVector<int64_t, 4> operands;
    for (SymExpr operand : atom.operands()) {
      std::optional<int64_t> value = evaluate(operand);
      if (!value)
        return std::nullopt;
      operands.push_back(*value);
    }
    return apply(atom.kind(), operands);
  }

  static std::optional<int64_t> apply(SymAtomKind kind,
                                      ArrayRef<int64_t> operands) {
    switch (kind) {
    case SymAtomKind::FloorDiv:
      return floorDivide(operands[0], std::max<int64_t>(operands[1], 1));
    case SymAtomKind::Mod:
      return floorRemainder(operands[0], std::max<int64_t>(operands[1], 1));
    case SymAtomKind::Min:
      return *llvm::min_element(operands);
    case SymAtomKind::Max:
      return *llvm::max_element(operands);
    case SymAtomKind::Equal:
      return operands[0] == operands[1];
    case SymAtomKind::LessEqual:
      return operands[0] <= operands[1];
    case SymAtomKind::Select:
    case SymAtomKind::Symbol:
    case SymAtomKind::Unknown:
      return std::nullopt;
    }
    return std::nullopt;
  }

  ValueOf valueOf;
  llvm::DenseMap<const SymAtom *, std::optional<int64_t>> values;
};
} // namespace

std::optional<int64_t> heddle::evaluate(SymExpr expr,
                                        Evaluator::ValueOf valueOf) {
  return Evaluator(valueOf).evaluate(expr);
}
