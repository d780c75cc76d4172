//===- TensorSizes.h - sizes of tensors as values ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_PASSES_ANALYSIS_TENSORSIZES_H
#define HEDDLE_PASSES_ANALYSIS_TENSORSIZES_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"

namespace heddle {

/// The size of every axis of `tensor`, as attributes and `index` values that do
/// not read the tensor: from the empty tensor a kernel writes to, the
/// heddle.bind_shape of an entry's argument, or through views and
/// concatenations. New arithmetic is made with `builder`. Fails with an error
/// at the op whose sizes are not known.
mlir::FailureOr<llvm::SmallVector<mlir::OpFoldResult>>
getTensorSizes(mlir::OpBuilder &builder, mlir::Value tensor);

} // namespace heddle

#endif // HEDDLE_PASSES_ANALYSIS_TENSORSIZES_H
