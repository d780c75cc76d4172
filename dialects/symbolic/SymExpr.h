//===- SymExpr.h - integer expressions over dimension symbols ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// The algebra that sizes of tensors are written in. An expression is a
// polynomial with 64-bit integer coefficients over atoms; an atom is a symbol
// (the size of an input's axis) or an operation that polynomials cannot say
// (floor division, minimum, ...). Expressions are interned in a SymContext in
// one canonical form, so two that are equal as polynomials are one pointer.
//
// Nothing here can fail on hostile input: a result that overflows, or that
// outgrows the limits of SymLimits, becomes a fresh unknown symbol, which is
// equal to nothing but itself.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_DIALECTS_SYMBOLIC_SYMEXPR_H
#define HEDDLE_DIALECTS_SYMBOLIC_SYMEXPR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMapInfo.h"
#include "llvm/ADT/FoldingSet.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <string>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace heddle {

class SymAtom;
class SymContext;
struct SymExprStorage;

/// What is known of a symbol's value: `lower <= value <= upper`, and `divisor`
/// divides it. `--dim sequence=1..4096%8` is `{1, 4096, 8}`.
struct SymRange {
  int64_t lower = 1;
  std::optional<int64_t> upper;
  int64_t divisor = 1;
};

/// One summand: `coefficient` times the product of `factors`. The factors are
/// sorted by age (`SymAtom::id`); a square is the same atom twice. The constant
/// summand has no factors.
struct SymTerm {
  int64_t coefficient;
  llvm::ArrayRef<const SymAtom *> factors;
};

/// An interned integer expression; a pointer, cheap to copy and to compare. A
/// default-constructed one is null and is only good for comparing and
/// assigning.
class SymExpr {
public:
  SymExpr() = default;
  explicit SymExpr(const SymExprStorage *storage) : storage(storage) {}

  /// Equal means: the same polynomial. Two expressions that differ may still
  /// have equal values; see `SymContext::provablyEqual`.
  bool operator==(SymExpr other) const { return storage == other.storage; }
  bool operator!=(SymExpr other) const { return storage != other.storage; }
  explicit operator bool() const { return storage; }

  /// The summands, largest degree first, then oldest atoms first; none for 0.
  llvm::ArrayRef<SymTerm> terms() const;

  /// The value when the expression is a constant.
  std::optional<int64_t> constant() const;
  bool isConstant(int64_t value) const { return constant() == value; }

  /// The atom when the expression is exactly one atom, else null.
  const SymAtom *atom() const;

  /// Whether the value follows from the sizes of the inputs alone; false when
  /// an unknown symbol occurs anywhere in the expression.
  bool isComputable() const;

  /// How deeply operations nest; 0 for a polynomial of symbols.
  unsigned depth() const;

  /// Calls `callback` on every symbol in the expression, once each, in a fixed
  /// order.
  void forEachSymbol(llvm::function_ref<void(const SymAtom &)> callback) const;

  /// Prints in the notation that `parseSymExpr` reads, for example
  /// `64*batch + min(512, past_seq + seq)`.
  void print(llvm::raw_ostream &os) const;
  std::string str() const;

  SymContext &context() const;
  const SymExprStorage *getAsOpaquePointer() const { return storage; }

private:
  const SymExprStorage *storage = nullptr;
};

/// What an atom does to its operands. Comparisons have the value 0 or 1, and so
/// conjunction is `*` and negation `1 - x`: they need no atoms.
enum class SymAtomKind : uint8_t {
  Symbol,    ///< a size of an input; no operands
  Unknown,   ///< a value that the sizes of the inputs do not give; no operands
  FloorDiv,  ///< floor(a / max(b, 1)); b is never negative
  Mod,       ///< a - max(b, 1) * floor(a / max(b, 1)); b is never negative
  Min,       ///< the smallest of two or more operands
  Max,       ///< the largest of two or more operands
  Select,    ///< operand 1 where operand 0 is not zero, else operand 2
  Equal,     ///< 1 where the two operands are equal, else 0
  LessEqual, ///< 1 where operand 0 <= operand 1, else 0
};

/// An indivisible factor of a polynomial. Immutable and unique in its context.
class SymAtom : public llvm::FoldingSetNode {
public:
  SymAtomKind kind() const { return atomKind; }

  /// Position in the order of creation: the order of atoms in an expression,
  /// the same from run to run.
  unsigned id() const { return atomId; }

  /// The name of a `Symbol` or `Unknown`; empty for operations.
  llvm::StringRef name() const { return atomName; }

  /// Why an `Unknown` is unknown, as a phrase for a diagnostic.
  llvm::StringRef reason() const { return atomReason; }

  /// The range of a `Symbol` or `Unknown`.
  const SymRange &range() const { return atomRange; }

  llvm::ArrayRef<SymExpr> operands() const { return atomOperands; }

  bool isSymbol() const {
    return atomKind == SymAtomKind::Symbol || atomKind == SymAtomKind::Unknown;
  }

  /// Whether the value is always 0 or 1.
  bool isBoolean() const {
    return atomKind == SymAtomKind::Equal || atomKind == SymAtomKind::LessEqual;
  }

  void print(llvm::raw_ostream &os) const;

  /// The key of an operation in the table of atoms.
  void Profile(llvm::FoldingSetNodeID &id) const;

private:
  friend class SymContext;

  SymAtomKind atomKind = SymAtomKind::Symbol;
  unsigned atomId = 0;
  unsigned atomDepth = 0;
  bool computable = true;
  llvm::StringRef atomName;
  llvm::StringRef atomReason;
  SymRange atomRange;
  llvm::ArrayRef<SymExpr> atomOperands;

  friend class SymExpr;
};

//===----------------------------------------------------------------------===//
// Arithmetic. Every function folds what the ranges and facts of the context
// decide; all operands belong to one context.
//===----------------------------------------------------------------------===//

SymExpr operator+(SymExpr a, SymExpr b);
SymExpr operator-(SymExpr a, SymExpr b);
SymExpr operator*(SymExpr a, SymExpr b);
SymExpr operator-(SymExpr a);
SymExpr operator+(SymExpr a, int64_t b);
SymExpr operator-(SymExpr a, int64_t b);
SymExpr operator*(SymExpr a, int64_t b);

/// The quotient if `b` divides `a` as a polynomial; assumes `b` is not zero.
/// This is the cancellation that a -1 in Reshape asks for:
/// `(64*batch*seq) / (batch*seq)` is 64.
std::optional<SymExpr> exactQuotient(SymExpr a, SymExpr b);

/// `floor(a / b)`. Unknown unless `b` is provably not negative; a zero divisor
/// counts as one, so that no run-time value traps.
SymExpr floorDiv(SymExpr a, SymExpr b);

/// `ceil(a / b)`, on the same terms as `floorDiv`.
SymExpr ceilDiv(SymExpr a, SymExpr b);

/// The remainder of `floorDiv`, on the same terms.
SymExpr mod(SymExpr a, SymExpr b);

/// The quotient rounded towards zero, as C and the ONNX `Div` do.
SymExpr truncDiv(SymExpr a, SymExpr b);

SymExpr min(SymExpr a, SymExpr b);
SymExpr max(SymExpr a, SymExpr b);

/// `ifTrue` where `condition` is not zero, else `ifFalse`.
SymExpr select(SymExpr condition, SymExpr ifTrue, SymExpr ifFalse);

/// Comparisons with the value 0 or 1.
SymExpr equal(SymExpr a, SymExpr b);
SymExpr less(SymExpr a, SymExpr b);
SymExpr lessEqual(SymExpr a, SymExpr b);

/// Logic on operands that are 0 or 1.
SymExpr logicalAnd(SymExpr a, SymExpr b);
SymExpr logicalOr(SymExpr a, SymExpr b);
SymExpr logicalNot(SymExpr a);

/// The product of all; 1 for none.
SymExpr product(SymContext &context, llvm::ArrayRef<SymExpr> factors);

/// The value of `expr` when `valueOf` gives each symbol's. Nothing when a
/// symbol has no value or the arithmetic overflows 64 bits.
std::optional<int64_t>
evaluate(SymExpr expr,
         llvm::function_ref<std::optional<int64_t>(const SymAtom &)> valueOf);

/// Reads an expression as exporters write it into `dim_param`: identifiers,
/// integers, `+ - * // % ( )`, and `min`, `max`, `mod`, `floordiv` by these
/// names or capitalised. Nothing when `text` is not of this form, holds a `?`,
/// or is longer than 256 characters. A hyphen between two letters belongs to
/// the name: `past-seq` is one symbol.
std::optional<SymExpr> parseSymExpr(SymContext &context, llvm::StringRef text);

llvm::raw_ostream &operator<<(llvm::raw_ostream &os, SymExpr expr);

} // namespace heddle

namespace llvm {
template <>
struct DenseMapInfo<heddle::SymExpr> {
  using Pointer = const heddle::SymExprStorage *;
  static heddle::SymExpr getEmptyKey() {
    return heddle::SymExpr(DenseMapInfo<Pointer>::getEmptyKey());
  }
  static heddle::SymExpr getTombstoneKey() {
    return heddle::SymExpr(DenseMapInfo<Pointer>::getTombstoneKey());
  }
  static unsigned getHashValue(heddle::SymExpr expr) {
    return DenseMapInfo<Pointer>::getHashValue(expr.getAsOpaquePointer());
  }
  static bool isEqual(heddle::SymExpr a, heddle::SymExpr b) { return a == b; }
};
} // namespace llvm

#endif // HEDDLE_DIALECTS_SYMBOLIC_SYMEXPR_H
