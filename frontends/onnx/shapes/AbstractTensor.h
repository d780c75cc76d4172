//===- AbstractTensor.h - what is known of a tensor's contents --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_SHAPES_ABSTRACTTENSOR_H
#define HEDDLE_FRONTENDS_ONNX_SHAPES_ABSTRACTTENSOR_H

#include "dialects/symbolic/SymContext.h"

#include "mlir/IR/BuiltinAttributes.h"

namespace heddle {

using SymShape = llvm::SmallVector<SymExpr, 4>;

/// What is known of one value. Absent parts are not known; the shape of a
/// value of unknown rank is absent too.
struct AbstractTensor {
  /// Tensors with more elements are not evaluated.
  static constexpr int64_t maxKnownElements = 4096;

  /// The element type; null when not known or when the value is no tensor.
  mlir::Type elementType;
  std::optional<SymShape> shape;
  /// The elements of an integer or boolean tensor in row-major order, of at
  /// most `maxKnownElements`; the sizes of `shape` are then constants.
  std::optional<std::vector<SymExpr>> values;
  /// The elements of a floating-point tensor, likewise.
  std::optional<std::vector<double>> floats;

  /// The sizes, if all are constants.
  std::optional<llvm::SmallVector<int64_t>> constantShape() const;
  /// The number of elements, if it is a constant of at most
  /// `maxKnownElements`.
  std::optional<int64_t> smallElementCount() const;
};

/// The product of constant sizes; nothing if it exceeds
/// `AbstractTensor::maxKnownElements`.
std::optional<int64_t> smallProduct(llvm::ArrayRef<int64_t> sizes);

/// The tensor that an attribute of the `onnx` dialect stands for; its elements
/// are known where it is small and dense.
AbstractTensor abstractConstant(SymContext &symbols, mlir::TypedAttr value);

/// Row-major positions of an array, in steps of one axis at a time.
llvm::SmallVector<int64_t> rowMajorStrides(llvm::ArrayRef<int64_t> sizes);

/// For every element of an array of sizes `resultSizes`, in row-major order,
/// calls `callback` with its coordinates.
void forEachCoordinate(
    llvm::ArrayRef<int64_t> resultSizes,
    llvm::function_ref<void(llvm::ArrayRef<int64_t>)> callback);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_SHAPES_ABSTRACTTENSOR_H
