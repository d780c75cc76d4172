//===- SymExprStorage.h - what a SymExpr points at --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Private to the sources of this folder.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_DIALECTS_SYMBOLIC_SYMEXPRSTORAGE_H
#define HEDDLE_DIALECTS_SYMBOLIC_SYMEXPRSTORAGE_H

#include "dialects/symbolic/SymContext.h"

namespace heddle {

/// A polynomial in canonical form: terms in the order of `compareMonomials`, no
/// monomial twice, no coefficient zero.
struct SymExprStorage : public llvm::FoldingSetNode {
  SymContext *context = nullptr;
  llvm::ArrayRef<SymTerm> terms;
  unsigned depth = 0;
  bool computable = true;

  void Profile(llvm::FoldingSetNodeID &id) const { profile(id, terms); }
  static void profile(llvm::FoldingSetNodeID &id,
                      llvm::ArrayRef<SymTerm> terms);
};

/// Graded lexicographic order on sorted factors, largest first: negative where
/// `a` goes before `b`. Multiplying both sides keeps the order (as long as no
/// boolean atom is among the factors), which polynomial division relies on.
int compareMonomials(llvm::ArrayRef<const SymAtom *> a,
                     llvm::ArrayRef<const SymAtom *> b);

/// A total order on expressions of one context that depends on the ages of
/// their atoms only; negative where `a` goes before `b`.
int compareExprs(SymExpr a, SymExpr b);

/// Splits `difference` into the summands with positive coefficients and the
/// negated others, so that `difference == lhs - rhs`.
struct SymSides {
  SymExpr lhs;
  SymExpr rhs;
};
SymSides splitBySign(SymExpr difference);

/// The greatest common divisor of the coefficients of the summands that are not
/// constant; 0 if there is none.
int64_t coefficientGcd(SymExpr expr);

/// The constant summand.
int64_t constantTerm(SymExpr expr);

/// floor(a / b) and its remainder for b > 0.
int64_t floorDivide(int64_t a, int64_t b);
int64_t floorRemainder(int64_t a, int64_t b);

} // namespace heddle

#endif // HEDDLE_DIALECTS_SYMBOLIC_SYMEXPRSTORAGE_H
