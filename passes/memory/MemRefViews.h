//===- MemRefViews.h - tensor views as strided memrefs ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_PASSES_MEMORY_MEMREFVIEWS_H
#define HEDDLE_PASSES_MEMORY_MEMREFVIEWS_H

#include "dialects/heddle/HeddleDialect.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace heddle {

/// The memref of the same shape, row-major without gaps.
mlir::MemRefType getContiguousType(mlir::RankedTensorType type);

/// Whether memory of type `type` is what `layout` demands, as far as the type
/// tells.
bool satisfiesLayout(mlir::MemRefType type, Layout layout);

/// The view `op` (see isView) of `source`, the memref of its source tensor.
/// Null if no strided memref can be that view (a collapse over a gap).
mlir::Value createView(mlir::OpBuilder &builder, mlir::Operation *op,
                       mlir::Value source);

/// The memref of the source tensor of the view `op`, given the memref of its
/// result, so that who writes the source writes the result in place.
/// `sourceSizes` are the sizes of the source tensor. Null if `op` does not
/// cover all of its source, or no strided memref can be the source.
mlir::Value createSourceOfView(mlir::OpBuilder &builder, mlir::Operation *op,
                               mlir::Value result,
                               llvm::ArrayRef<mlir::OpFoldResult> sourceSizes);

/// The part of `whole` that operand `index` of `concat` fills.
/// `sizes[i]` are the sizes of operand i.
mlir::Value
createConcatPart(mlir::OpBuilder &builder, mlir::tensor::ConcatOp concat,
                 unsigned index, mlir::Value whole,
                 llvm::ArrayRef<llvm::SmallVector<mlir::OpFoldResult>> sizes);

} // namespace heddle

#endif // HEDDLE_PASSES_MEMORY_MEMREFVIEWS_H
