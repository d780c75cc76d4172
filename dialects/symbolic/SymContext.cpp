//===- SymContext.cpp - interning of expressions and atoms ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/symbolic/SymContext.h"

#include "dialects/symbolic/SymExprStorage.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace heddle;
using llvm::ArrayRef;
using llvm::StringRef;

/// The lower bound of a value that has none.
static constexpr int64_t unbounded = std::numeric_limits<int64_t>::min();

SymContext::SymContext(const SymLimits &limits) : symLimits(limits) {}

SymContext::~SymContext() {
  // The atoms live in the allocator, which runs no destructors.
  for (SymAtom *atom : atoms)
    atom->~SymAtom();
}

void SymExprStorage::profile(llvm::FoldingSetNodeID &id,
                             ArrayRef<SymTerm> terms) {
  for (const SymTerm &term : terms) {
    id.AddInteger(term.coefficient);
    id.AddInteger(static_cast<unsigned>(term.factors.size()));
    for (const SymAtom *factor : term.factors)
      id.AddInteger(factor->id());
  }
}

//===----------------------------------------------------------------------===//
// Leaves
//===----------------------------------------------------------------------===//

StringRef SymContext::copy(StringRef text) { return text.copy(allocator); }

SymAtom *SymContext::newAtom(SymAtomKind kind) {
  auto *atom = new (allocator.Allocate<SymAtom>()) SymAtom();
  atom->atomKind = kind;
  atom->atomId = atoms.size();
  atoms.push_back(atom);
  return atom;
}

SymExpr SymContext::constant(int64_t value) {
  SymTerm term{value, {}};
  return polynomial(term);
}

static SymRange defaultRange(StringRef name) {
  SymRange range;
  range.lower = name.contains("past") ? 0 : 1;
  return range;
}

SymExpr SymContext::symbol(StringRef name) {
  auto found = symbolByName.find(name);
  if (found != symbolByName.end())
    return simplify(found->second);

  auto given = ranges.find(name);
  SymRange range = given == ranges.end() ? defaultRange(name) : given->second;
  SymExpr expr;
  if (range.upper == range.lower) {
    expr = constant(range.lower);
  } else {
    SymAtom *atom = newAtom(SymAtomKind::Symbol);
    atom->atomName = copy(name);
    atom->atomRange = range;
    symbolList.push_back(atom);
    expr = atomExpr(atom);
  }
  symbolByName[name] = expr;
  return expr;
}

const SymAtom *SymContext::symbolIfMade(StringRef name) const {
  auto found = symbolByName.find(name);
  return found == symbolByName.end() ? nullptr : found->second.atom();
}

bool SymContext::setRange(StringRef name, const SymRange &range) {
  if (symbolByName.contains(name) || range.lower < 0 || range.divisor < 1)
    return false;
  SymRange rounded = range;
  int64_t remainder = rounded.lower % rounded.divisor;
  if (remainder && llvm::AddOverflow(rounded.lower, rounded.divisor - remainder,
                                     rounded.lower))
    return false;
  if (rounded.upper) {
    *rounded.upper -= floorRemainder(*rounded.upper, rounded.divisor);
    if (*rounded.upper < rounded.lower)
      return false;
  }
  ranges[name] = rounded;
  return true;
}

SymExpr SymContext::unknown(StringRef reason, int64_t lower) {
  SymAtom *atom = newAtom(SymAtomKind::Unknown);
  atom->atomName = copy(("?" + llvm::Twine(atom->atomId)).str());
  atom->atomReason = copy(reason);
  atom->atomRange.lower = lower;
  atom->computable = false;
  return atomExpr(atom);
}

//===----------------------------------------------------------------------===//
// Interning
//===----------------------------------------------------------------------===//

/// Sorts `terms` and adds up those with the same factors. False when a
/// coefficient overflows.
static bool combineTerms(llvm::MutableArrayRef<SymTerm> terms,
                         llvm::SmallVectorImpl<SymTerm> &combined) {
  llvm::sort(terms, [](const SymTerm &a, const SymTerm &b) {
    return compareMonomials(a.factors, b.factors) < 0;
  });
  for (const SymTerm &term : terms) {
    if (combined.empty() ||
        compareMonomials(combined.back().factors, term.factors) != 0) {
      combined.push_back(term);
      continue;
    }
    int64_t &sum = combined.back().coefficient;
    if (llvm::AddOverflow(sum, term.coefficient, sum))
      return false;
  }
  llvm::erase_if(combined,
                 [](const SymTerm &term) { return term.coefficient == 0; });
  return true;
}

SymExpr SymContext::polynomial(llvm::MutableArrayRef<SymTerm> terms) {
  ++workDone;
  llvm::SmallVector<SymTerm, 8> combined;
  if (!combineTerms(terms, combined))
    return unknown("an integer that overflows 64 bits", unbounded);
  bool tooLarge = combined.size() > symLimits.terms ||
                  llvm::any_of(combined, [&](const SymTerm &term) {
                    return term.factors.size() > symLimits.degree;
                  });
  if (tooLarge)
    return unknown("a size whose expression is too large", unbounded);

  llvm::FoldingSetNodeID id;
  SymExprStorage::profile(id, combined);
  void *position;
  if (SymExprStorage *found = expressions.FindNodeOrInsertPos(id, position))
    return SymExpr(found);

  // Keeping an expression takes memory for good: this bounds it to some hundred
  // bytes times the limit on work, divided by this weight.
  workDone += 64;
  auto *storage = new (allocator.Allocate<SymExprStorage>()) SymExprStorage();
  storage->context = this;
  for (SymTerm &term : combined) {
    term.factors = term.factors.copy(allocator);
    for (const SymAtom *factor : term.factors) {
      storage->depth = std::max(storage->depth, factor->atomDepth);
      storage->computable &= factor->computable;
    }
  }
  storage->terms = ArrayRef<SymTerm>(combined).copy(allocator);
  expressions.InsertNode(storage, position);
  return SymExpr(storage);
}

SymExpr SymContext::operation(SymAtomKind kind, ArrayRef<SymExpr> operands) {
  unsigned depth = 0;
  bool computable = true;
  for (SymExpr operand : operands) {
    depth = std::max(depth, operand.depth() + 1);
    computable &= operand.isComputable();
  }
  if (depth > symLimits.depth || operands.size() > symLimits.operands ||
      exhausted())
    return unknown("a size whose expression is too large", unbounded);

  SymAtom key;
  key.atomKind = kind;
  key.atomOperands = operands;
  llvm::FoldingSetNodeID id;
  key.Profile(id);
  void *position;
  if (SymAtom *found = operations.FindNodeOrInsertPos(id, position))
    return atomExpr(found);

  SymAtom *atom = newAtom(kind);
  atom->atomDepth = depth;
  atom->computable = computable;
  atom->atomOperands = operands.copy(allocator);
  operations.InsertNode(atom, position);
  return atomExpr(atom);
}

SymExpr SymContext::atomExpr(const SymAtom *atom) {
  auto found = solved.find(atom);
  if (found != solved.end())
    return found->second;
  SymTerm term{1, ArrayRef<const SymAtom *>(&atom, 1)};
  return polynomial(term);
}
