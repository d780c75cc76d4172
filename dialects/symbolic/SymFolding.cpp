//===- SymFolding.cpp - division, extrema, comparisons and select ---------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/symbolic/SymExprStorage.h"

#include "llvm/ADT/STLExtras.h"

#include <limits>
#include <numeric>

using namespace heddle;
using llvm::ArrayRef;
using llvm::SmallVector;

static SymExpr notComputable(SymContext &context, llvm::StringRef reason) {
  return context.unknown(reason, std::numeric_limits<int64_t>::min());
}

//===----------------------------------------------------------------------===//
// Division
//===----------------------------------------------------------------------===//

namespace {
/// `divisor * quotient + remainder`, where no coefficient of the remainder is a
/// multiple of `divisor` and its constant is in `[0, divisor)`.
struct SplitByDivisor {
  SymExpr quotient;
  SymExpr remainder;
};
} // namespace

static SplitByDivisor splitByDivisor(SymExpr a, int64_t divisor) {
  SmallVector<SymTerm, 8> quotient, remainder;
  for (SymTerm term : a.terms()) {
    if (term.factors.empty() || term.coefficient % divisor == 0) {
      quotient.push_back(
          {floorDivide(term.coefficient, divisor), term.factors});
      term.coefficient = floorRemainder(term.coefficient, divisor);
    }
    remainder.push_back(term);
  }
  SymContext &context = a.context();
  return {context.polynomial(quotient), context.polynomial(remainder)};
}

/// The expression without its constant summand.
static SymExpr withoutConstant(SymExpr expr) {
  return expr - constantTerm(expr);
}

static SymExpr floorDivByConstant(SymExpr a, int64_t divisor) {
  SymContext &context = a.context();
  auto [quotient, remainder] = splitByDivisor(a, divisor);
  if (context.provablyAtLeast(remainder, 0) &&
      context.provablyAtLeast(context.constant(divisor - 1), remainder))
    return quotient;

  // floor((r + k) / d) is floor(r / d) where d divides r and 0 <= k < d.
  SymExpr variable = withoutConstant(remainder);
  if (context.divisor(variable) % divisor == 0)
    remainder = variable;

  // floor((g*r + k) / (g*d)) is floor((r + floor(k / g)) / d).
  int64_t common = std::gcd(coefficientGcd(remainder), divisor);
  if (common > 1) {
    SmallVector<SymTerm, 8> terms(remainder.terms());
    for (SymTerm &term : terms)
      term.coefficient = floorDivide(term.coefficient, common);
    remainder = context.polynomial(terms);
    divisor /= common;
  }

  // floor(floor(a / c) / d) is floor(a / (c*d)).
  if (const SymAtom *atom = remainder.atom();
      atom && atom->kind() == SymAtomKind::FloorDiv)
    if (std::optional<int64_t> inner = atom->operands()[1].constant();
        inner && *inner > 0 && *inner < (1 << 20) && divisor < (1 << 20))
      return quotient +
             floorDiv(atom->operands()[0], context.constant(*inner * divisor));
  return quotient + context.operation(SymAtomKind::FloorDiv,
                                      {remainder, context.constant(divisor)});
}

SymExpr heddle::floorDiv(SymExpr a, SymExpr b) {
  SymContext &context = a.context();
  if (std::optional<int64_t> divisor = b.constant()) {
    if (*divisor < 0)
      return floorDiv(-a, -b);
    if (*divisor <= 1)
      return a;
    return floorDivByConstant(a, *divisor);
  }
  if (!context.provablyAtLeast(b, 0))
    return notComputable(context, "a quotient whose divisor may be negative");
  if (context.provablyAtLeast(b, 1)) {
    if (std::optional<SymExpr> quotient = exactQuotient(a, b))
      return *quotient;
    if (context.provablyAtLeast(a, 0) && context.provablyAtLeast(b, a + 1))
      return context.constant(0);
  }
  return context.operation(SymAtomKind::FloorDiv, {a, b});
}

SymExpr heddle::ceilDiv(SymExpr a, SymExpr b) {
  if (b.constant().value_or(0) < 0)
    return ceilDiv(-a, -b);
  // The form whose sign shows, where the divisor cannot be zero.
  if (a.context().provablyAtLeast(b, 1))
    return floorDiv(a + b - 1, b);
  return -floorDiv(-a, b);
}

static SymExpr modByConstant(SymExpr a, int64_t divisor) {
  SymContext &context = a.context();
  SmallVector<SymTerm, 8> terms(a.terms());
  for (SymTerm &term : terms)
    term.coefficient = floorRemainder(term.coefficient, divisor);
  SymExpr remainder = context.polynomial(terms);
  if (context.divisor(withoutConstant(remainder)) % divisor == 0)
    return context.constant(constantTerm(remainder));
  if (context.provablyAtLeast(context.constant(divisor - 1), remainder) &&
      context.provablyAtLeast(remainder, 0))
    return remainder;
  return context.operation(SymAtomKind::Mod,
                           {remainder, context.constant(divisor)});
}

SymExpr heddle::mod(SymExpr a, SymExpr b) {
  SymContext &context = a.context();
  if (std::optional<int64_t> divisor = b.constant()) {
    if (*divisor < 0)
      return -mod(-a, -b);
    if (*divisor <= 1)
      return context.constant(0);
    return modByConstant(a, *divisor);
  }
  if (!context.provablyAtLeast(b, 0))
    return notComputable(context, "a remainder whose divisor may be negative");
  if (exactQuotient(a, b))
    return context.constant(0);
  if (context.provablyAtLeast(a, 0) && context.provablyAtLeast(b, a + 1))
    return a;
  return context.operation(SymAtomKind::Mod, {a, b});
}

SymExpr heddle::truncDiv(SymExpr a, SymExpr b) {
  SymContext &context = a.context();
  if (b.constant().value_or(0) < 0)
    return truncDiv(-a, -b);
  if (context.provablyAtLeast(a, 0))
    return floorDiv(a, b);
  if (context.provablyAtLeast(-a, 0))
    return -floorDiv(-a, b);
  return select(lessEqual(context.constant(0), a), floorDiv(a, b),
                -floorDiv(-a, b));
}

//===----------------------------------------------------------------------===//
// Minimum and maximum
//===----------------------------------------------------------------------===//

/// Adds `expr`, or its operands if it is itself an extremum of this kind.
static void collectOperands(SymAtomKind kind, SymExpr expr,
                            llvm::SmallVectorImpl<SymExpr> &operands) {
  const SymAtom *atom = expr.atom();
  if (atom && atom->kind() == kind)
    operands.append(atom->operands().begin(), atom->operands().end());
  else
    operands.push_back(expr);
}

static SymExpr extremum(SymAtomKind kind, SymExpr a, SymExpr b) {
  SymContext &context = a.context();
  if (a == b)
    return a;
  SmallVector<SymExpr, 4> candidates;
  collectOperands(kind, a, candidates);
  collectOperands(kind, b, candidates);

  // Keeps a candidate unless another one is never worse.
  SmallVector<SymExpr, 4> kept;
  auto neverWorse = [&](SymExpr x, SymExpr y) {
    return kind == SymAtomKind::Min ? context.provablyAtLeast(y, x)
                                    : context.provablyAtLeast(x, y);
  };
  for (SymExpr candidate : candidates) {
    if (llvm::any_of(kept, [&](SymExpr k) { return neverWorse(k, candidate); }))
      continue;
    llvm::erase_if(kept, [&](SymExpr k) { return neverWorse(candidate, k); });
    kept.push_back(candidate);
  }
  if (kept.size() == 1)
    return kept.front();
  llvm::sort(kept, [](SymExpr x, SymExpr y) { return compareExprs(x, y) < 0; });
  return context.operation(kind, kept);
}

SymExpr heddle::min(SymExpr a, SymExpr b) {
  return extremum(SymAtomKind::Min, a, b);
}

SymExpr heddle::max(SymExpr a, SymExpr b) {
  return extremum(SymAtomKind::Max, a, b);
}

//===----------------------------------------------------------------------===//
// Comparisons and logic
//===----------------------------------------------------------------------===//

SymExpr heddle::equal(SymExpr a, SymExpr b) {
  SymContext &context = a.context();
  SymExpr difference = a - b;
  if (difference.terms().empty())
    return context.constant(1);
  if (context.provablyDifferent(a, b))
    return context.constant(0);

  // One spelling for all equations that are multiples of each other. The
  // constant is a multiple of the gcd, or the sides would differ provably.
  if (int64_t common = coefficientGcd(difference); common > 1)
    difference = floorDiv(difference, context.constant(common));
  if (difference.terms().front().coefficient < 0)
    difference = -difference;
  auto [lhs, rhs] = splitBySign(difference);
  return context.operation(SymAtomKind::Equal, {lhs, rhs});
}

SymExpr heddle::lessEqual(SymExpr a, SymExpr b) {
  SymContext &context = a.context();
  SymExpr difference = b - a;
  if (context.provablyAtLeast(difference, 0))
    return context.constant(1);
  if (context.provablyAtLeast(-difference, 1))
    return context.constant(0);
  if (int64_t common = coefficientGcd(difference); common > 1)
    difference = floorDiv(difference, context.constant(common));
  auto [rhs, lhs] = splitBySign(difference);
  return context.operation(SymAtomKind::LessEqual, {lhs, rhs});
}

SymExpr heddle::less(SymExpr a, SymExpr b) { return lessEqual(a + 1, b); }

SymExpr heddle::logicalAnd(SymExpr a, SymExpr b) { return a * b; }

SymExpr heddle::logicalOr(SymExpr a, SymExpr b) { return a + b - a * b; }

SymExpr heddle::logicalNot(SymExpr a) { return a.context().constant(1) - a; }

SymExpr heddle::select(SymExpr condition, SymExpr ifTrue, SymExpr ifFalse) {
  SymContext &context = condition.context();
  if (std::optional<int64_t> value = condition.constant())
    return *value ? ifTrue : ifFalse;
  if (ifTrue == ifFalse)
    return ifTrue;
  if (ifTrue.isConstant(1) && ifFalse.isConstant(0))
    return condition;
  if (const SymAtom *negated = logicalNot(condition).atom();
      negated && negated->isBoolean())
    return select(logicalNot(condition), ifFalse, ifTrue);

  if (const SymAtom *atom = condition.atom(); atom && atom->isBoolean()) {
    SymExpr compared = atom->operands()[0] - atom->operands()[1];
    SymExpr chosen = ifTrue - ifFalse;
    // x == y ? x : y is y, and x <= y ? x : y is the minimum.
    if (atom->kind() == SymAtomKind::Equal) {
      if (chosen == compared || chosen == -compared)
        return ifFalse;
    } else if (chosen == compared) {
      return min(ifTrue, ifFalse);
    } else if (chosen == -compared) {
      return max(ifTrue, ifFalse);
    }
  }
  return context.operation(SymAtomKind::Select, {condition, ifTrue, ifFalse});
}
