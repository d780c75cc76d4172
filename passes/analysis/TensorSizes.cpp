//===- TensorSizes.cpp - sizes of tensors as values -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "passes/analysis/TensorSizes.h"

#include "dialects/heddle/HeddleDialect.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace heddle;

using Sizes = SmallVector<OpFoldResult>;

/// The sizes of an entry's argument, from its heddle.bind_shape.
static FailureOr<Sizes> sizesOfArgument(OpBuilder &builder, Value argument) {
  auto type = cast<RankedTensorType>(argument.getType());
  for (Operation *user : argument.getUsers())
    if (auto bind = dyn_cast<BindShapeOp>(user))
      return getMixedValues(type.getShape(), bind.getSizes(), builder);
  return emitError(argument.getLoc())
         << "expects a heddle.bind_shape for the argument of type " << type;
}

/// A concatenation has the sum of the sizes along its axis.
static FailureOr<Sizes> sizesOfConcat(OpBuilder &builder,
                                      tensor::ConcatOp concat) {
  FailureOr<Sizes> sizes = getTensorSizes(builder, concat.getInputs().front());
  if (failed(sizes))
    return failure();
  uint64_t axis = concat.getDim();
  for (Value input : concat.getInputs().drop_front()) {
    FailureOr<Sizes> more = getTensorSizes(builder, input);
    if (failed(more))
      return failure();
    AffineExpr a, b;
    bindDims(builder.getContext(), a, b);
    (*sizes)[axis] = affine::makeComposedFoldedAffineApply(
        builder, concat.getLoc(), a + b, {(*sizes)[axis], (*more)[axis]});
  }
  return sizes;
}

/// A collapsed axis has the product of the sizes it came from.
static FailureOr<Sizes> sizesOfCollapse(OpBuilder &builder,
                                        tensor::CollapseShapeOp collapse) {
  FailureOr<Sizes> source = getTensorSizes(builder, collapse.getSrc());
  if (failed(source))
    return failure();
  AffineExpr a, b;
  bindSymbols(builder.getContext(), a, b);
  Sizes sizes;
  for (const ReassociationIndices &group : collapse.getReassociationIndices()) {
    OpFoldResult product = builder.getIndexAttr(1);
    for (int64_t axis : group)
      product = affine::makeComposedFoldedAffineApply(
          builder, collapse.getLoc(), a * b, {product, (*source)[axis]});
    sizes.push_back(product);
  }
  return sizes;
}

FailureOr<Sizes> heddle::getTensorSizes(OpBuilder &builder, Value tensor) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type)
    return emitError(tensor.getLoc())
           << "expects a tensor of known rank, got " << tensor.getType();
  if (type.hasStaticShape())
    return getAsIndexOpFoldResult(builder.getContext(), type.getShape());
  Operation *op = tensor.getDefiningOp();
  if (!op)
    return sizesOfArgument(builder, tensor);
  if (auto empty = dyn_cast<tensor::EmptyOp>(op))
    return empty.getMixedSizes();
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return expand.getMixedOutputShape();
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
    return sizesOfCollapse(builder, collapse);
  if (auto cast = dyn_cast<tensor::CastOp>(op))
    return getTensorSizes(builder, cast.getSource());
  if (auto broadcast = dyn_cast<BroadcastOp>(op))
    return getMixedValues(type.getShape(), broadcast.getSizes(), builder);
  if (auto concat = dyn_cast<tensor::ConcatOp>(op))
    return sizesOfConcat(builder, concat);
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    Sizes sizes;
    llvm::SmallBitVector dropped = slice.getDroppedDims();
    for (auto [i, size] : llvm::enumerate(slice.getMixedSizes()))
      if (!dropped.test(i))
        sizes.push_back(size);
    return sizes;
  }
  if (auto kernel = dyn_cast<KernelOp>(op))
    return getTensorSizes(
        builder, kernel.getOutputs()[cast<OpResult>(tensor).getResultNumber()]);
  if (auto styled = dyn_cast<DestinationStyleOpInterface>(op))
    return getTensorSizes(
        builder, styled.getTiedOpOperand(cast<OpResult>(tensor))->get());
  return op->emitError("expects an op whose result sizes are known, got '")
         << op->getName() << "'";
}
