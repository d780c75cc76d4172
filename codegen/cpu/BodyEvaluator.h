//===- BodyEvaluator.h - elementwise ops at a place -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_CPU_BODYEVALUATOR_H
#define HEDDLE_CODEGEN_CPU_BODYEVALUATOR_H

#include "codegen/cpu/KernelFunction.h"
#include "codegen/cpu/ScalarToVector.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include "llvm/ADT/DenseMap.h"

namespace heddle {

/// Where a vector of elements lies in the shape that the ops of a body share.
struct Position {
  /// One index per axis; the last is linear, the others are uniform.
  llvm::SmallVector<Lanes> indices;
  /// The number of the row among all rows (the axes before the last as one), or
  /// null. With it, contiguous memory is read without `indices`.
  mlir::Value row;
};

/// What is known about the memory of the tensors of a body.
enum class Access {
  Flat,      ///< all is row-major without gaps; the position has one index
  UnitInner, ///< the last axis of each tensor has stride 1
  Strided,   ///< nothing
};

/// Evaluates the elementwise linalg.generics of a kernel's body, vector by
/// vector: the values between them stay in registers.
class BodyEvaluator {
public:
  BodyEvaluator(KernelFunction &kernel, LaneBuilder &lanes, Position position,
                Access access)
      : kernel(kernel), lanes(lanes), position(std::move(position)),
        access(access) {}

  /// Says what `tensor` holds at the position.
  void set(mlir::Value tensor, Lanes value) { known[tensor] = value; }

  /// What `tensor` holds at the position: known, evaluated before, or read from
  /// memory.
  llvm::Expected<Lanes> get(mlir::Value tensor);

  /// Computes the results of `op` at the position.
  llvm::Error evaluate(mlir::linalg::GenericOp op);

  /// Computes `term`, a value of the body of `op`, at the position, without
  /// `combiner`, the op that adds it to the element of the init.
  llvm::Expected<Lanes> evaluateTerm(mlir::linalg::GenericOp op,
                                     mlir::Operation *combiner,
                                     mlir::Value term);

  /// The elements of `tensor` that `map` picks at the position.
  llvm::Expected<Lanes> read(mlir::Value tensor, mlir::AffineMap map);

  /// Stores what the kernel yields and is known here, at the position.
  void storeOutputs();

private:
  bool isUnitInner(mlir::Value memref);
  Lanes readMemory(mlir::Value tensor, llvm::ArrayRef<Lanes> indices);
  llvm::Expected<Lanes> evaluateExpr(mlir::AffineExpr expr);
  using Values = llvm::DenseMap<mlir::Value, Lanes>;
  llvm::Error evaluateOp(mlir::Operation *op, Values &values);
  llvm::Error evaluateBody(mlir::linalg::GenericOp op,
                           mlir::Operation *combiner, Values &values);
  llvm::Expected<Lanes> lookup(mlir::Value value, const Values &values);
  llvm::Expected<Lanes> extract(mlir::Value tensor,
                                llvm::ArrayRef<Lanes> indices);

  KernelFunction &kernel;
  LaneBuilder &lanes;
  Position position;
  Access access;
  llvm::DenseMap<mlir::Value, Lanes> known;
};

/// Whether `op` has parallel loops only and writes its results in loop order.
bool isElementwise(mlir::Operation *op);

/// The scalar that `tensor` has in every element, if it is a splat constant or
/// a fill, as a value of the function; null otherwise.
mlir::Value getUniformElement(KernelFunction &kernel,
                              mlir::ImplicitLocOpBuilder &builder,
                              mlir::Value tensor);

} // namespace heddle

#endif // HEDDLE_CODEGEN_CPU_BODYEVALUATOR_H
