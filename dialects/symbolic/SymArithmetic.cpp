//===- SymArithmetic.cpp - sums, products and exact quotients -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/symbolic/SymExprStorage.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <limits>
#include <numeric>

using namespace heddle;
using llvm::ArrayRef;
using llvm::SmallVector;

/// A result that does not fit; nothing is known of it.
static SymExpr overflowed(SymContext &context) {
  return context.unknown("an integer that overflows 64 bits",
                         std::numeric_limits<int64_t>::min());
}

SymExpr heddle::operator+(SymExpr a, SymExpr b) {
  if (a.terms().empty())
    return b;
  if (b.terms().empty())
    return a;
  SmallVector<SymTerm, 8> terms(a.terms());
  terms.append(b.terms().begin(), b.terms().end());
  return a.context().polynomial(terms);
}

SymExpr heddle::operator-(SymExpr a) { return a * -1; }

SymExpr heddle::operator-(SymExpr a, SymExpr b) { return a + b * -1; }

SymExpr heddle::operator+(SymExpr a, int64_t b) {
  return a + a.context().constant(b);
}

SymExpr heddle::operator-(SymExpr a, int64_t b) {
  return a - a.context().constant(b);
}

SymExpr heddle::operator*(SymExpr a, int64_t b) {
  if (b == 1)
    return a;
  SmallVector<SymTerm, 8> terms(a.terms());
  for (SymTerm &term : terms)
    if (llvm::MulOverflow(term.coefficient, b, term.coefficient))
      return overflowed(a.context());
  return a.context().polynomial(terms);
}

/// The sorted factors of a product. A boolean atom is its own square, so it is
/// kept once.
static SmallVector<const SymAtom *, 4>
mergeFactors(ArrayRef<const SymAtom *> a, ArrayRef<const SymAtom *> b) {
  SmallVector<const SymAtom *, 4> merged(a);
  merged.append(b.begin(), b.end());
  llvm::sort(merged, [](const SymAtom *x, const SymAtom *y) {
    return x->id() < y->id();
  });
  auto repeated = [](const SymAtom *x, const SymAtom *y) {
    return x == y && x->isBoolean();
  };
  merged.erase(std::unique(merged.begin(), merged.end(), repeated),
               merged.end());
  return merged;
}

SymExpr heddle::operator*(SymExpr a, SymExpr b) {
  SymContext &context = a.context();
  if (std::optional<int64_t> value = b.constant())
    return a * *value;
  if (std::optional<int64_t> value = a.constant())
    return b * *value;
  // Bounds the work; the sum may still be small enough after cancellation.
  if (a.terms().size() * b.terms().size() > 8 * context.limits().terms)
    return context.unknown("a size whose expression is too large",
                           std::numeric_limits<int64_t>::min());

  SmallVector<SmallVector<const SymAtom *, 4>> factors;
  SmallVector<SymTerm, 8> terms;
  factors.reserve(a.terms().size() * b.terms().size());
  for (const SymTerm &x : a.terms()) {
    for (const SymTerm &y : b.terms()) {
      int64_t coefficient;
      if (llvm::MulOverflow(x.coefficient, y.coefficient, coefficient))
        return overflowed(context);
      factors.push_back(mergeFactors(x.factors, y.factors));
      terms.push_back({coefficient, factors.back()});
    }
  }
  return context.polynomial(terms);
}

SymExpr heddle::product(SymContext &context, ArrayRef<SymExpr> factors) {
  SymExpr result = context.constant(1);
  for (SymExpr factor : factors)
    result = result * factor;
  return result;
}

//===----------------------------------------------------------------------===//
// Exact quotients
//===----------------------------------------------------------------------===//

/// The factors of `a` without those of `b`; nothing if one is missing.
static std::optional<SmallVector<const SymAtom *, 4>>
removeFactors(ArrayRef<const SymAtom *> a, ArrayRef<const SymAtom *> b) {
  SmallVector<const SymAtom *, 4> rest(a);
  for (const SymAtom *factor : b) {
    auto found = llvm::find(rest, factor);
    if (found == rest.end())
      return std::nullopt;
    rest.erase(found);
  }
  return rest;
}

/// `a / b` for single summands.
static std::optional<SymExpr> divideTerms(SymContext &context, const SymTerm &a,
                                          const SymTerm &b) {
  // The one quotient of 64-bit integers that overflows.
  if (b.coefficient == -1 &&
      a.coefficient == std::numeric_limits<int64_t>::min())
    return std::nullopt;
  if (a.coefficient % b.coefficient != 0)
    return std::nullopt;
  auto rest = removeFactors(a.factors, b.factors);
  if (!rest)
    return std::nullopt;
  SymTerm quotient{a.coefficient / b.coefficient, *rest};
  return context.polynomial(quotient);
}

std::optional<SymExpr> heddle::exactQuotient(SymExpr a, SymExpr b) {
  SymContext &context = a.context();
  if (b.terms().empty())
    return std::nullopt;
  if (a == b)
    return context.constant(1);

  // Division by the leading term, which is the first; where that is not a
  // multiplicative order (boolean atoms) it only finds fewer quotients, since
  // the remainder must vanish in the end.
  SymExpr quotient = context.constant(0);
  SymExpr remainder = a;
  for (size_t step = 0; step <= context.limits().terms; ++step) {
    if (remainder.terms().empty())
      return quotient;
    std::optional<SymExpr> part =
        divideTerms(context, remainder.terms().front(), b.terms().front());
    if (!part)
      return std::nullopt;
    quotient = quotient + *part;
    remainder = remainder - *part * b;
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Parts of polynomials
//===----------------------------------------------------------------------===//

SymSides heddle::splitBySign(SymExpr difference) {
  SmallVector<SymTerm, 8> positive, negative;
  for (const SymTerm &term : difference.terms())
    (term.coefficient > 0 ? positive : negative).push_back(term);
  SymContext &context = difference.context();
  return {context.polynomial(positive), -context.polynomial(negative)};
}

int64_t heddle::coefficientGcd(SymExpr expr) {
  int64_t result = 0;
  for (const SymTerm &term : expr.terms()) {
    // The magnitude of the smallest integer does not fit.
    if (term.coefficient == std::numeric_limits<int64_t>::min())
      return 1;
    if (!term.factors.empty())
      result = std::gcd(result, term.coefficient);
  }
  return result;
}

int64_t heddle::constantTerm(SymExpr expr) {
  if (expr.terms().empty() || !expr.terms().back().factors.empty())
    return 0;
  return expr.terms().back().coefficient;
}

int64_t heddle::floorDivide(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

int64_t heddle::floorRemainder(int64_t a, int64_t b) {
  int64_t remainder = a % b;
  return remainder < 0 ? remainder + b : remainder;
}
