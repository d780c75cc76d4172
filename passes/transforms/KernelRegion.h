//===- KernelRegion.h - makes a heddle.kernel from ops ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_PASSES_TRANSFORMS_KERNELREGION_H
#define HEDDLE_PASSES_TRANSFORMS_KERNELREGION_H

#include "dialects/heddle/HeddleDialect.h"

#include "mlir/IR/PatternMatch.h"

namespace heddle {

/// Moves `ops`, which are in one block and in its order, into a new
/// heddle.kernel in the place of the last of them. Tensors and sizes they read
/// become inputs; scalar and splat constants and empty tensors are made again
/// inside. Results that other ops read become the kernel's results, each with
/// the empty tensor that it was written to as output. Fails, with nothing
/// changed, if such a result is not written to an empty tensor.
mlir::FailureOr<KernelOp> createKernel(mlir::RewriterBase &rewriter,
                                       llvm::ArrayRef<mlir::Operation *> ops,
                                       llvm::StringRef reason);

} // namespace heddle

#endif // HEDDLE_PASSES_TRANSFORMS_KERNELREGION_H
