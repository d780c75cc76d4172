//===- SymBounds.cpp - what ranges and facts prove ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/symbolic/SymExprStorage.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <limits>
#include <map>
#include <numeric>

using namespace heddle;
using llvm::ArrayRef;
using llvm::SmallVector;

using Bound = std::optional<int64_t>;

//===----------------------------------------------------------------------===//
// Intervals
//===----------------------------------------------------------------------===//

static Bound addBounds(Bound a, Bound b) {
  int64_t sum;
  if (!a || !b || llvm::AddOverflow(*a, *b, sum))
    return std::nullopt;
  return sum;
}

static Bound multiplyBounds(Bound a, Bound b) {
  int64_t result;
  if (!a || !b || llvm::MulOverflow(*a, *b, result))
    return std::nullopt;
  return result;
}

/// The product of two intervals; only where neither has negative values, or all
/// four bounds are known.
static SymInterval multiply(const SymInterval &a, const SymInterval &b) {
  if (a.lower.value_or(-1) >= 0 && b.lower.value_or(-1) >= 0) {
    // A lower bound that overflows is still at least 0.
    Bound lower = multiplyBounds(a.lower, b.lower);
    return {lower ? lower : Bound(0), multiplyBounds(a.upper, b.upper)};
  }
  Bound products[] = {
      multiplyBounds(a.lower, b.lower), multiplyBounds(a.lower, b.upper),
      multiplyBounds(a.upper, b.lower), multiplyBounds(a.upper, b.upper)};
  SymInterval result{products[0], products[0]};
  for (Bound bound : products) {
    if (!bound)
      return {};
    result.lower = std::min(result.lower, bound);
    result.upper = std::max(result.upper, bound);
  }
  return result;
}

static SymInterval scale(const SymInterval &a, int64_t coefficient) {
  SymInterval scaled{multiplyBounds(a.lower, coefficient),
                     multiplyBounds(a.upper, coefficient)};
  if (coefficient < 0)
    std::swap(scaled.lower, scaled.upper);
  return scaled;
}

static SymInterval floorDivInterval(const SymInterval &a, SymInterval b) {
  int64_t smallest = std::max<int64_t>(b.lower.value_or(1), 1);
  SymInterval result;
  if (a.lower) {
    if (*a.lower < 0)
      result.lower = floorDivide(*a.lower, smallest);
    else
      result.lower = b.upper && *b.upper > 0 ? *a.lower / *b.upper : 0;
  }
  if (a.upper)
    result.upper = *a.upper < 0 ? -1 : *a.upper / smallest;
  return result;
}

static SymInterval modInterval(const SymInterval &a, const SymInterval &b) {
  SymInterval result{0, std::nullopt};
  if (b.upper)
    result.upper = std::max<int64_t>(*b.upper - 1, 0);
  if (a.lower.value_or(-1) >= 0 && a.upper)
    result.upper = std::min(result.upper.value_or(*a.upper), *a.upper);
  return result;
}

/// The interval that holds every value of both.
static SymInterval hull(const SymInterval &a, const SymInterval &b) {
  SymInterval result;
  if (a.lower && b.lower)
    result.lower = std::min(*a.lower, *b.lower);
  if (a.upper && b.upper)
    result.upper = std::max(*a.upper, *b.upper);
  return result;
}

static SymInterval extremumInterval(SymAtomKind kind, const SymInterval &a,
                                    const SymInterval &b) {
  SymInterval result = hull(a, b);
  // One known bound is enough on the side that the extremum moves away from.
  if (kind == SymAtomKind::Min && (a.upper || b.upper))
    result.upper =
        std::min(a.upper.value_or(INT64_MAX), b.upper.value_or(INT64_MAX));
  if (kind == SymAtomKind::Max && (a.lower || b.lower))
    result.lower =
        std::max(a.lower.value_or(INT64_MIN), b.lower.value_or(INT64_MIN));
  return result;
}

static SymInterval symbolInterval(const SymRange &range) {
  SymInterval interval{range.lower, range.upper};
  if (range.lower == std::numeric_limits<int64_t>::min())
    interval.lower.reset();
  return interval;
}

namespace heddle {
/// The interval of an atom from those of its operands.
class SymBounds {
public:
  explicit SymBounds(SymContext &context) : context(context) {}

  SymInterval atom(const SymAtom &atom) {
    SymInterval known = operation(atom);
    auto refined = context.refinedBounds.find(&atom);
    if (refined == context.refinedBounds.end())
      return known;
    return {strongest(known.lower, refined->second.lower, /*lower=*/true),
            strongest(known.upper, refined->second.upper, /*lower=*/false)};
  }

private:
  static Bound strongest(Bound a, Bound b, bool lower) {
    if (!a || !b)
      return a ? a : b;
    return lower ? std::max(*a, *b) : std::min(*a, *b);
  }

  SymInterval operation(const SymAtom &atom) {
    ArrayRef<SymExpr> operands = atom.operands();
    auto operand = [&](unsigned index) {
      return context.interval(operands[index]);
    };
    switch (atom.kind()) {
    case SymAtomKind::Symbol:
    case SymAtomKind::Unknown:
      return symbolInterval(atom.range());
    case SymAtomKind::FloorDiv:
      return floorDivInterval(operand(0), operand(1));
    case SymAtomKind::Mod:
      return modInterval(operand(0), operand(1));
    case SymAtomKind::Min:
    case SymAtomKind::Max: {
      SymInterval result = operand(0);
      for (unsigned i = 1; i < operands.size(); ++i)
        result = extremumInterval(atom.kind(), result, operand(i));
      return result;
    }
    case SymAtomKind::Select:
      return hull(operand(1), operand(2));
    case SymAtomKind::Equal:
    case SymAtomKind::LessEqual:
      return {0, 1};
    }
    return {};
  }

  SymContext &context;
};
} // namespace heddle

SymInterval SymContext::interval(SymExpr expr) {
  if (std::optional<int64_t> value = expr.constant())
    return {value, value};
  auto found = intervals.find(expr);
  if (found != intervals.end())
    return found->second;
  SymInterval sum{0, 0};
  for (const SymTerm &term : expr.terms()) {
    SymInterval factors{1, 1};
    for (const SymAtom *factor : term.factors)
      factors = multiply(factors, SymBounds(*this).atom(*factor));
    SymInterval scaled = scale(factors, term.coefficient);
    sum.lower = addBounds(sum.lower, scaled.lower);
    sum.upper = addBounds(sum.upper, scaled.upper);
  }
  intervals[expr] = sum;
  return sum;
}

int64_t SymContext::divisor(SymExpr expr) {
  int64_t result = 0;
  for (const SymTerm &term : expr.terms()) {
    if (term.coefficient == std::numeric_limits<int64_t>::min())
      return 1;
    int64_t divisor = term.coefficient;
    for (const SymAtom *factor : term.factors)
      if (llvm::MulOverflow(divisor, factor->range().divisor, divisor) ||
          divisor == std::numeric_limits<int64_t>::min())
        return 1;
    result = std::gcd(result, divisor);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Proofs
//===----------------------------------------------------------------------===//

namespace {
/// Tries to prove that an expression is never negative, within a budget of
/// steps; a false answer means "not proved".
class NonNegativeProver {
public:
  NonNegativeProver(SymContext &context, ArrayRef<SymExpr> facts)
      : context(context), facts(facts) {}

  bool prove(SymExpr expr, unsigned depth = 0) {
    SymInterval bounds = context.interval(expr);
    if (bounds.lower && *bounds.lower >= 0)
      return true;
    if (bounds.upper && *bounds.upper < 0)
      return false;
    if (expr.constant() || budget == 0 || depth > 4)
      return false;
    --budget;
    return proveByShift(expr) || proveByBounding(expr, depth) ||
           proveByFacts(expr, depth);
  }

private:
  /// Writes every atom as its lower bound plus a rest that is not negative: if
  /// all coefficients are then non-negative, so is the sum. This proves
  /// `batch*seq - seq >= 0` for sizes of at least one.
  bool proveByShift(SymExpr expr) {
    std::map<std::vector<unsigned>, __int128> shifted;
    for (const SymTerm &term : expr.terms()) {
      if (term.factors.size() > 6)
        return false;
      SmallVector<int64_t, 4> lowers;
      for (const SymAtom *factor : term.factors) {
        Bound lower = context.interval(context.atomExpr(factor)).lower;
        if (!lower || *lower < 0)
          return false;
        // A smaller bound is a bound as well, and keeps the products small.
        lowers.push_back(std::min<int64_t>(*lower, 256));
      }
      unsigned subsets = 1u << term.factors.size();
      for (unsigned subset = 0; subset < subsets; ++subset) {
        std::vector<unsigned> rests;
        __int128 coefficient = term.coefficient;
        for (auto [index, factor] : llvm::enumerate(term.factors)) {
          if (subset >> index & 1)
            rests.push_back(factor->id());
          else
            coefficient *= lowers[index];
        }
        shifted[rests] += coefficient;
      }
    }
    return llvm::all_of(shifted,
                        [](const auto &entry) { return entry.second >= 0; });
  }

  /// Replaces one operation that stands alone in a summand by something that
  /// makes the sum no larger, or splits into its cases.
  bool proveByBounding(SymExpr expr, unsigned depth) {
    for (const SymTerm &term : expr.terms()) {
      if (term.factors.size() != 1 || term.factors.front()->isSymbol())
        continue;
      if (proveByReplacing(expr, term, depth))
        return true;
    }
    return false;
  }

  bool proveByReplacing(SymExpr expr, const SymTerm &term, unsigned depth) {
    const SymAtom &atom = *term.factors.front();
    SymTerm copy = term;
    SymExpr rest = expr - context.polynomial(copy);
    auto holdsFor = [&](SymExpr value) {
      return prove(rest + value * term.coefficient, depth + 1);
    };
    ArrayRef<SymExpr> operands = atom.operands();
    bool upward = term.coefficient > 0;
    switch (atom.kind()) {
    case SymAtomKind::Min:
    case SymAtomKind::Max:
      // One operand is enough where the extremum can only make the sum larger.
      if ((atom.kind() == SymAtomKind::Max) == upward)
        return llvm::any_of(operands, holdsFor);
      return llvm::all_of(operands, holdsFor);
    case SymAtomKind::Select:
      return llvm::all_of(operands.drop_front(), holdsFor);
    case SymAtomKind::Mod:
      return !upward && proveByRemainder(rest, term, depth);
    case SymAtomKind::FloorDiv:
      return proveByQuotient(rest, term, depth);
    default:
      return false;
    }
  }

  /// mod(a, d) is at most d - 1 for a constant d, and at most a where a is not
  /// negative.
  bool proveByRemainder(SymExpr rest, const SymTerm &term, unsigned depth) {
    SymExpr a = term.factors.front()->operands()[0];
    SymExpr b = term.factors.front()->operands()[1];
    if (context.interval(a).lower.value_or(-1) >= 0 &&
        prove(rest + a * term.coefficient, depth + 1))
      return true;
    return b.constant() && prove(rest + (b - 1) * term.coefficient, depth + 1);
  }

  /// d*floor(a/d) lies in [a - d + 1, a] for a constant d, and floor(a/b) is at
  /// most a where a is not negative.
  bool proveByQuotient(SymExpr rest, const SymTerm &term, unsigned depth) {
    SymExpr a = term.factors.front()->operands()[0];
    SymExpr b = term.factors.front()->operands()[1];
    if (std::optional<int64_t> divisor = b.constant();
        divisor && *divisor > 0 && term.coefficient % *divisor == 0) {
      SymExpr bound = term.coefficient > 0 ? a - (*divisor - 1) : a;
      return prove(rest + bound * (term.coefficient / *divisor), depth + 1);
    }
    return term.coefficient < 0 &&
           context.interval(a).lower.value_or(-1) >= 0 &&
           prove(rest + a * term.coefficient, depth + 1);
  }

  bool proveByFacts(SymExpr expr, unsigned depth) {
    return llvm::any_of(
        facts, [&](SymExpr fact) { return prove(expr - fact, depth + 1); });
  }

  SymContext &context;
  ArrayRef<SymExpr> facts;
  unsigned budget = 64;
};
} // namespace

bool SymContext::provablyAtLeast(SymExpr a, SymExpr b) {
  if (a == b)
    return true;
  SymExpr difference = a - b;
  if (std::optional<int64_t> value = difference.constant())
    return *value >= 0;
  return NonNegativeProver(*this, nonNegative).prove(difference);
}

bool SymContext::provablyAtLeast(SymExpr a, int64_t b) {
  return provablyAtLeast(a, constant(b));
}

bool SymContext::provablyEqual(SymExpr a, SymExpr b) {
  if (a == b)
    return true;
  SymExpr difference = simplify(a - b);
  if (std::optional<int64_t> value = difference.constant())
    return *value == 0;
  SymInterval bounds = interval(difference);
  if (bounds.lower.value_or(0) > 0 || bounds.upper.value_or(0) < 0)
    return false;
  return provablyAtLeast(difference, 0) && provablyAtLeast(-difference, 0);
}

bool SymContext::provablyDifferent(SymExpr a, SymExpr b) {
  SymExpr difference = a - b;
  if (std::optional<int64_t> value = difference.constant())
    return *value != 0;
  // No integer solution: the variable part is a multiple of something that
  // does not divide the constant.
  int64_t constantPart = constantTerm(difference);
  int64_t step = divisor(difference - constantPart);
  if (step > 1 && constantPart % step != 0)
    return true;
  return provablyAtLeast(difference, 1) || provablyAtLeast(-difference, 1);
}
