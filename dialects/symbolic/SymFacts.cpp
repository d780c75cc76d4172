//===- SymFacts.cpp - what guards establish, and rebuilding under it ------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/symbolic/SymExprStorage.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/SmallVectorExtras.h"
#include "llvm/Support/MathExtras.h"

#include <tuple>

using namespace heddle;
using llvm::ArrayRef;
using llvm::SmallVector;

//===----------------------------------------------------------------------===//
// Rebuilding
//===----------------------------------------------------------------------===//

namespace {
/// Rebuilds expressions bottom-up with some atoms replaced, so that everything
/// is folded again.
class Rebuilder {
public:
  using Replacements = llvm::DenseMap<const SymAtom *, SymExpr>;

  Rebuilder(SymContext &context, const Replacements &replacements)
      : context(context), replacements(replacements) {}

  SymExpr rebuild(SymExpr expr) {
    SymExpr sum = context.constant(0);
    for (const SymTerm &term : expr.terms()) {
      SymExpr value = context.constant(term.coefficient);
      for (const SymAtom *factor : term.factors)
        value = value * rebuild(*factor);
      sum = sum + value;
    }
    return sum;
  }

private:
  SymExpr rebuild(const SymAtom &atom) {
    auto found = rebuilt.find(&atom);
    if (found != rebuilt.end())
      return found->second;
    SymExpr result;
    if (auto replacement = replacements.find(&atom);
        replacement != replacements.end())
      result = replacement->second;
    else if (atom.isSymbol())
      result = context.atomExpr(&atom);
    else
      result = rebuildOperation(atom);
    rebuilt[&atom] = result;
    return result;
  }

  SymExpr rebuildOperation(const SymAtom &atom) {
    SmallVector<SymExpr, 4> operands = llvm::map_to_vector<4>(
        atom.operands(), [&](SymExpr operand) { return rebuild(operand); });
    switch (atom.kind()) {
    case SymAtomKind::FloorDiv:
      return floorDiv(operands[0], operands[1]);
    case SymAtomKind::Mod:
      return mod(operands[0], operands[1]);
    case SymAtomKind::Min:
    case SymAtomKind::Max: {
      SymExpr result = operands[0];
      for (SymExpr operand : ArrayRef<SymExpr>(operands).drop_front())
        result = atom.kind() == SymAtomKind::Min ? min(result, operand)
                                                 : max(result, operand);
      return result;
    }
    case SymAtomKind::Select:
      return select(operands[0], operands[1], operands[2]);
    case SymAtomKind::Equal:
      return equal(operands[0], operands[1]);
    case SymAtomKind::LessEqual:
      return lessEqual(operands[0], operands[1]);
    case SymAtomKind::Symbol:
    case SymAtomKind::Unknown:
      break;
    }
    return context.atomExpr(&atom);
  }

  SymContext &context;
  const Replacements &replacements;
  llvm::DenseMap<const SymAtom *, SymExpr> rebuilt;
};
} // namespace

SymExpr SymContext::substitute(
    SymExpr expr,
    const llvm::DenseMap<const SymAtom *, SymExpr> &replacements) {
  return Rebuilder(*this, replacements).rebuild(expr);
}

SymExpr SymContext::simplify(SymExpr expr) {
  if (solved.empty() && nonNegative.empty() && refinedBounds.empty())
    return expr;
  return Rebuilder(*this, solved).rebuild(expr);
}

//===----------------------------------------------------------------------===//
// Inequalities
//===----------------------------------------------------------------------===//

void SymContext::assumeNonNegative(SymExpr expr) {
  // A bound of a single atom is found faster by `interval` than by a proof.
  if (expr.terms().size() <= 2 && !expr.terms().empty() &&
      expr.terms().front().factors.size() == 1 &&
      (expr.terms().size() == 1 || expr.terms().back().factors.empty())) {
    const SymTerm &term = expr.terms().front();
    int64_t constantPart = constantTerm(expr), negated;
    if (term.coefficient != INT64_MIN &&
        !llvm::SubOverflow<int64_t>(0, constantPart, negated)) {
      SymInterval &bounds = refinedBounds[term.factors.front()];
      if (term.coefficient > 0) {
        int64_t lower = -floorDivide(constantPart, term.coefficient);
        bounds.lower = std::max(bounds.lower.value_or(lower), lower);
      } else {
        int64_t upper = floorDivide(constantPart, -term.coefficient);
        bounds.upper = std::min(bounds.upper.value_or(upper), upper);
      }
      intervals.clear();
      return;
    }
  }
  nonNegative.push_back(expr);
  intervals.clear();
}

bool SymContext::assumeLessEqual(SymExpr a, SymExpr b) {
  SymExpr difference = simplify(b - a);
  if (provablyAtLeast(difference, 0))
    return false;
  assumeNonNegative(difference);
  return true;
}

//===----------------------------------------------------------------------===//
// Equations
//===----------------------------------------------------------------------===//

/// Whether `atom` is needed to compute `expr`.
static bool occursIn(const SymAtom *atom, SymExpr expr,
                     llvm::SmallPtrSetImpl<const SymAtom *> &visited) {
  for (const SymTerm &term : expr.terms()) {
    for (const SymAtom *factor : term.factors) {
      if (factor == atom)
        return true;
      if (!visited.insert(factor).second)
        continue;
      for (SymExpr operand : factor->operands())
        if (occursIn(atom, operand, visited))
          return true;
    }
  }
  return false;
}

static bool occursIn(const SymAtom *atom, SymExpr expr) {
  llvm::SmallPtrSet<const SymAtom *, 16> visited;
  return occursIn(atom, expr, visited);
}

bool SymContext::solveFor(const SymAtom *atom, SymExpr value) {
  SymInterval bounds = interval(atomExpr(atom));
  // What was known of the atom must stay known of what replaces it.
  if (bounds.lower)
    assumeLessEqual(constant(*bounds.lower), value);
  if (bounds.upper)
    assumeLessEqual(value, constant(*bounds.upper));

  llvm::DenseMap<const SymAtom *, SymExpr> replacement;
  replacement[atom] = value;
  for (auto &entry : solved)
    entry.second = substitute(entry.second, replacement);
  for (SymExpr &fact : nonNegative)
    fact = substitute(fact, replacement);
  solved[atom] = value;
  intervals.clear();
  return true;
}

/// Learns `x <= y` from `min(x, ..) == x`, and likewise for a maximum, which is
/// worth more than the equation itself.
static bool assumeExtremum(SymContext &context, SymExpr extremum,
                           SymExpr operand) {
  const SymAtom *atom = extremum.atom();
  if (!atom ||
      (atom->kind() != SymAtomKind::Min && atom->kind() != SymAtomKind::Max) ||
      !llvm::is_contained(atom->operands(), operand))
    return false;
  for (SymExpr other : atom->operands()) {
    if (other == operand)
      continue;
    if (atom->kind() == SymAtomKind::Min)
      context.assumeLessEqual(operand, other);
    else
      context.assumeLessEqual(other, operand);
  }
  return true;
}

bool SymContext::assumeEqual(SymExpr a, SymExpr b) {
  a = simplify(a);
  b = simplify(b);
  if (provablyEqual(a, b) || provablyDifferent(a, b))
    return false;
  if (assumeExtremum(*this, a, b) || assumeExtremum(*this, b, a))
    return true;

  // Solves for an atom that stands alone: unknown values first, so that they
  // disappear; then one whose value is a sum without negative parts, because
  // its bounds stay visible; then the youngest.
  SymExpr difference = a - b;
  const SymAtom *best = nullptr;
  SymExpr bestValue;
  std::tuple<bool, bool, unsigned> bestRank;
  for (const SymTerm &term : difference.terms()) {
    if (term.factors.size() != 1 ||
        (term.coefficient != 1 && term.coefficient != -1))
      continue;
    const SymAtom *atom = term.factors.front();
    SymExpr rest = difference - atomExpr(atom) * term.coefficient;
    SymExpr value = rest * -term.coefficient;
    if (occursIn(atom, value))
      continue;
    bool onlyPositive = llvm::all_of(
        value.terms(), [](const SymTerm &t) { return t.coefficient > 0; });
    std::tuple<bool, bool, unsigned> rank{atom->kind() == SymAtomKind::Unknown,
                                          onlyPositive, atom->id()};
    if (!best || rank > bestRank) {
      best = atom;
      bestValue = value;
      bestRank = rank;
    }
  }
  return best && solveFor(best, bestValue);
}
