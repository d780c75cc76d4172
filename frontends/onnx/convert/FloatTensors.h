//===- FloatTensors.h - arithmetic on tensors of floats --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// What normalisations, softmax and reductions are composed of. Half-precision
// tensors are widened first: sums are taken in f32 at least.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_CONVERT_FLOATTENSORS_H
#define HEDDLE_FRONTENDS_ONNX_CONVERT_FLOATTENSORS_H

#include "frontends/onnx/convert/TensorBuilder.h"

namespace heddle {

/// The type that elements of `type` are summed in: f32 for narrower floats,
/// the type itself for all others.
mlir::Type summationType(mlir::Type type);

/// `input` with floats of the type `type`; itself if it has that type.
SymTensor castFloats(TensorBuilder &build, const SymTensor &input,
                     mlir::Type type);

/// The sum over `axes`, which the result does not have.
SymTensor sumOver(TensorBuilder &build, const SymTensor &input,
                  llvm::ArrayRef<int64_t> axes);

/// The largest element over `axes`, which the result does not have; NaN if any
/// is.
SymTensor maximumOver(TensorBuilder &build, const SymTensor &input,
                      llvm::ArrayRef<int64_t> axes);

/// The number of elements over `axes`.
SymExpr countOver(TensorBuilder &build, const SymTensor &input,
                  llvm::ArrayRef<int64_t> axes);

/// The mean over `axes`, which the result does not have; NaN of no elements.
SymTensor meanOver(TensorBuilder &build, const SymTensor &input,
                   llvm::ArrayRef<int64_t> axes);

/// `reduced` with axes of size 1 where `full` has `axes`.
SymTensor keepAxes(TensorBuilder &build, const SymTensor &reduced,
                   llvm::ArrayRef<SymExpr> full, llvm::ArrayRef<int64_t> axes);

/// `shape` with size 1 at `axes`, or without them.
SymShape reducedShape(TensorBuilder &build, llvm::ArrayRef<SymExpr> shape,
                      llvm::ArrayRef<int64_t> axes, bool keep);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_CONVERT_FLOATTENSORS_H
