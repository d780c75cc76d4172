//===- LinalgNest.h - building linalg ops over one nest ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_PASSES_TRANSFORMS_LINALGNEST_H
#define HEDDLE_PASSES_TRANSFORMS_LINALGNEST_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace heddle {

/// The type that sums over elements of type `element` are taken in: f64 for
/// f64, f32 otherwise.
mlir::FloatType accumulatorType(mlir::Type element);

/// The float `value` as a float of type `type`; vectors too.
mlir::Value convertFloat(mlir::OpBuilder &builder, mlir::Location loc,
                         mlir::Value value, mlir::Type type);

/// A scalar constant of float type `type`.
mlir::Value floatConstant(mlir::OpBuilder &builder, mlir::Location loc,
                          mlir::Type type, double value);

/// An uninitialised tensor of the shape of `like` without its last `dropped`
/// axes, then with `extra` ones.
mlir::Value emptyTensor(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value like, unsigned dropped,
                        llvm::ArrayRef<mlir::OpFoldResult> extra,
                        mlir::Type element);

/// A tensor like `init` with `value` everywhere.
mlir::Value fill(mlir::OpBuilder &builder, mlir::Location loc, double value,
                 mlir::Value init);

/// Computes the element to store from the elements read; the last argument is
/// the element of the init.
using ElementBody = llvm::function_ref<mlir::Value(
    mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

/// Builds linalg.generic ops over one iteration space.
struct LinalgNest {
  mlir::OpBuilder &builder;
  mlir::Location loc;
  unsigned numLoops;
  /// Loops from this one on are reductions.
  unsigned firstReduction;

  /// The map that picks `loops` of the iteration space.
  mlir::AffineMap pick(llvm::ArrayRef<unsigned> loops) const;

  /// The map that picks the first `count` loops.
  mlir::AffineMap leading(unsigned count) const;

  /// The result of a linalg.generic with one init; `maps` has one map per input
  /// and one for the init.
  mlir::Value build(mlir::ValueRange inputs, mlir::Value init,
                    llvm::ArrayRef<mlir::AffineMap> maps,
                    ElementBody body) const;
};

/// A nest of parallel loops over all axes of `value`.
LinalgNest loopsOver(mlir::OpBuilder &builder, mlir::Location loc,
                     mlir::Value value);

/// acc + a * b, with the factors brought to the type of the sum.
mlir::Value multiplyAdd(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value a, mlir::Value b, mlir::Value acc);

/// Applies `body` to every element of `value`, into a tensor like `init`.
mlir::Value mapElements(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::Value value, mlir::Value init, ElementBody body);

/// `value` stored with the element type of `init`; `value` itself if it has it.
mlir::Value convertElements(mlir::OpBuilder &builder, mlir::Location loc,
                            mlir::Value value, mlir::Value init);

} // namespace heddle

#endif // HEDDLE_PASSES_TRANSFORMS_LINALGNEST_H
