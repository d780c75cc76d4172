//===- SymContext.h - owner of expressions, ranges and facts ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Owns and interns the expressions of SymExpr.h, and holds what may be assumed
// about their values: the ranges of symbols, and facts that run-time guards
// establish. Everything built after a fact is known is folded through it.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_DIALECTS_SYMBOLIC_SYMCONTEXT_H
#define HEDDLE_DIALECTS_SYMBOLIC_SYMCONTEXT_H

#include "dialects/symbolic/SymExpr.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Allocator.h"

#include <memory>

namespace heddle {

/// Sizes past which an expression becomes an unknown symbol.
struct SymLimits {
  unsigned terms = 128;     ///< summands of one expression
  unsigned degree = 16;     ///< factors of one summand
  unsigned depth = 24;      ///< nesting of operations
  unsigned operands = 16;   ///< operands of one minimum or maximum
  uint64_t work = 1u << 25; ///< see `SymContext::exhausted`
};

/// Bounds of an expression's value; an absent bound is not known.
struct SymInterval {
  std::optional<int64_t> lower;
  std::optional<int64_t> upper;
};

/// Owns expressions. Not thread-safe: one analysis, one context.
class SymContext {
public:
  explicit SymContext(const SymLimits &limits = SymLimits());
  ~SymContext();
  SymContext(const SymContext &) = delete;
  SymContext &operator=(const SymContext &) = delete;

  const SymLimits &limits() const { return symLimits; }

  /// Whether the limit on work is reached: one unit for every sum, many for one
  /// that is kept. From then on results are correct but mostly unknown; an
  /// analysis should stop with a diagnostic.
  bool exhausted() const { return workDone >= symLimits.work; }

  //===--------------------------------------------------------------------===//
  // Leaves
  //===--------------------------------------------------------------------===//

  SymExpr constant(int64_t value);

  /// The symbol of this name, made at first use with the range of `setRange`,
  /// or the default: at least 0 for a name that contains `past` (a cache may be
  /// empty), at least 1 for any other. A constant when the range is one value.
  SymExpr symbol(llvm::StringRef name);

  /// The symbol of this name if it is made and not a constant, else null.
  const SymAtom *symbolIfMade(llvm::StringRef name) const;

  /// Sets the range of a symbol that is not made yet. False, and no change, if
  /// it is made already or the range is empty, negative or has no multiple of
  /// its divisor.
  bool setRange(llvm::StringRef name, const SymRange &range);

  /// A new value >= `lower` about which nothing else is known. `reason` is a
  /// phrase for diagnostics, for example "the number of true elements that
  /// NonZero finds".
  SymExpr unknown(llvm::StringRef reason, int64_t lower = 0);

  /// Every symbol made by `symbol`, in order of creation.
  llvm::ArrayRef<const SymAtom *> symbols() const { return symbolList; }

  //===--------------------------------------------------------------------===//
  // What is known
  //===--------------------------------------------------------------------===//

  /// Bounds that follow from the ranges of the symbols.
  SymInterval interval(SymExpr expr);

  /// The largest known divisor of every value of `expr` (0 for the constant 0).
  int64_t divisor(SymExpr expr);

  bool provablyAtLeast(SymExpr a, SymExpr b);
  bool provablyAtLeast(SymExpr a, int64_t b);
  bool provablyEqual(SymExpr a, SymExpr b);
  bool provablyDifferent(SymExpr a, SymExpr b);

  //===--------------------------------------------------------------------===//
  // Facts
  //===--------------------------------------------------------------------===//

  /// From here on takes `a == b` for granted: one side is replaced by the other
  /// in everything built later, if the equation can be solved for an atom.
  /// Returns whether anything new was learnt.
  bool assumeEqual(SymExpr a, SymExpr b);

  /// From here on takes `a <= b` for granted. Returns whether that is new.
  bool assumeLessEqual(SymExpr a, SymExpr b);

  /// `expr` rebuilt under the facts known now.
  SymExpr simplify(SymExpr expr);

  /// `expr` with atoms replaced, rebuilt under the facts known now.
  SymExpr
  substitute(SymExpr expr,
             const llvm::DenseMap<const SymAtom *, SymExpr> &replacements);

  //===--------------------------------------------------------------------===//
  // Building blocks of the arithmetic in SymExpr.h
  //===--------------------------------------------------------------------===//

  /// The sum of `terms`, which may be in any order and repeat. The factors of
  /// each are sorted. Unknown when it overflows or is too large.
  SymExpr polynomial(llvm::MutableArrayRef<SymTerm> terms);

  /// The interned operation; does not fold. Unknown when too deep.
  SymExpr operation(SymAtomKind kind, llvm::ArrayRef<SymExpr> operands);

  SymExpr atomExpr(const SymAtom *atom);

private:
  friend class SymBounds;

  SymAtom *newAtom(SymAtomKind kind);
  llvm::StringRef copy(llvm::StringRef text);
  bool solveFor(const SymAtom *atom, SymExpr value);
  void assumeNonNegative(SymExpr expr);

  SymLimits symLimits;
  uint64_t workDone = 0;
  llvm::BumpPtrAllocator allocator;
  llvm::FoldingSet<SymExprStorage> expressions;
  llvm::FoldingSet<SymAtom> operations;
  llvm::SmallVector<SymAtom *> atoms;
  llvm::StringMap<SymExpr> symbolByName;
  llvm::StringMap<SymRange> ranges;
  llvm::SmallVector<const SymAtom *> symbolList;

  /// Bounds of single atoms that facts have tightened.
  llvm::DenseMap<const SymAtom *, SymInterval> refinedBounds;
  /// Expressions known to be >= 0.
  llvm::SmallVector<SymExpr> nonNegative;
  /// Atoms that are known to equal an expression in which they do not occur.
  llvm::DenseMap<const SymAtom *, SymExpr> solved;
  /// Answers of `interval`, dropped when a fact is added.
  llvm::DenseMap<SymExpr, SymInterval> intervals;
};

} // namespace heddle

#endif // HEDDLE_DIALECTS_SYMBOLIC_SYMCONTEXT_H
