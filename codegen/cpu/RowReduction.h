//===- RowReduction.h - reductions along a row ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_CPU_ROWREDUCTION_H
#define HEDDLE_CODEGEN_CPU_ROWREDUCTION_H

#include "codegen/cpu/Loops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace heddle {

/// An associative operation on the elements of a row.
class RowReduction {
public:
  RowReduction(mlir::arith::AtomicRMWKind kind, mlir::Type elementType,
               mlir::Operation *combiner = nullptr, mlir::Value term = {})
      : kind(kind), elementType(elementType), combiner(combiner), term(term) {}

  mlir::arith::AtomicRMWKind getKind() const { return kind; }
  mlir::Type getElementType() const { return elementType; }
  /// The op of a linalg.generic that combines the element of the init with
  /// `getTerm()`; null if the reduction does not come from one.
  mlir::Operation *getCombiner() const { return combiner; }
  mlir::Value getTerm() const { return term; }

  /// Combines two scalars or two vectors.
  mlir::Value combine(mlir::ImplicitLocOpBuilder &b, mlir::Value x,
                      mlir::Value y) const;
  /// Combines the lanes of a vector.
  mlir::Value combineLanes(mlir::ImplicitLocOpBuilder &b,
                           mlir::Value vector) const;
  /// The vector that changes nothing.
  mlir::Value neutral(mlir::ImplicitLocOpBuilder &b, int64_t width) const;

private:
  mlir::arith::AtomicRMWKind kind;
  mlir::Type elementType;
  mlir::Operation *combiner;
  mlir::Value term;
};

/// The reduction of `op`, if its result has the shape of its parallel loops,
/// and its body combines the element of the init with something in one op of a
/// known kind.
mlir::FailureOr<RowReduction> matchReduction(mlir::linalg::GenericOp op);

/// The same if the last loop of `op` is its only reduction loop.
mlir::FailureOr<RowReduction> matchRowReduction(mlir::linalg::GenericOp op);

/// Gives one vector per reduction for the elements from a column on. Lanes that
/// do not exist may hold anything.
using RowTerms = llvm::function_ref<llvm::SmallVector<mlir::Value>(
    LaneBuilder &, mlir::Value)>;

/// Reduces the elements of `range` in one pass; one scalar per reduction.
llvm::SmallVector<mlir::Value>
reduceRow(mlir::ImplicitLocOpBuilder &b,
          llvm::ArrayRef<RowReduction> reductions, IndexRange range,
          int64_t width, RowTerms terms);

} // namespace heddle

#endif // HEDDLE_CODEGEN_CPU_ROWREDUCTION_H
