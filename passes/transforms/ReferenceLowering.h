//===- ReferenceLowering.h - heddle ops as linalg ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_PASSES_TRANSFORMS_REFERENCELOWERING_H
#define HEDDLE_PASSES_TRANSFORMS_REFERENCELOWERING_H

#include "dialects/heddle/HeddleDialect.h"

#include "mlir/IR/PatternMatch.h"

namespace heddle {

/// Each of these returns the value of `op` computed by `linalg` and `arith` on
/// tensors, inserted before `op`. `op` stays.
mlir::Value lowerToLinalg(mlir::RewriterBase &rewriter, ContractionOp op);
mlir::Value lowerToLinalg(mlir::RewriterBase &rewriter, AttentionOp op);
mlir::Value lowerToLinalg(mlir::RewriterBase &rewriter, LayerNormOp op);
mlir::Value lowerToLinalg(mlir::RewriterBase &rewriter, PackOp op);
mlir::Value lowerToLinalg(mlir::RewriterBase &rewriter, BroadcastOp op);
/// The same with `arith` and `math` on scalars or vectors.
mlir::Value lowerToArith(mlir::RewriterBase &rewriter, GeluOp op);

/// Replaces every such op nested in `root`.
void lowerHeddleOps(mlir::RewriterBase &rewriter, mlir::Operation *root);

} // namespace heddle

#endif // HEDDLE_PASSES_TRANSFORMS_REFERENCELOWERING_H
