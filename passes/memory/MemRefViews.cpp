//===- MemRefViews.cpp - tensor views as strided memrefs ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "passes/memory/MemRefViews.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace heddle;

MemRefType heddle::getContiguousType(RankedTensorType type) {
  return MemRefType::get(type.getShape(), type.getElementType());
}

bool heddle::satisfiesLayout(MemRefType type, Layout layout) {
  if (layout == Layout::strided)
    return true;
  if (layout == Layout::contiguous)
    return type.getLayout().isIdentity();
  SmallVector<int64_t> strides;
  int64_t offset;
  return succeeded(type.getStridesAndOffset(strides, offset)) &&
         (strides.empty() || strides.back() == 1);
}

/// `source` with its axes in the order of `permutation`.
static Value createTranspose(OpBuilder &builder, Location loc, Value source,
                             ArrayRef<int64_t> permutation) {
  AffineMap map =
      AffineMap::getPermutationMap(permutation, builder.getContext());
  return memref::TransposeOp::create(builder, loc, source,
                                     AffineMapAttr::get(map));
}

/// `source` with groups of axes made one, or null where a gap forbids it.
static Value createCollapse(OpBuilder &builder, Location loc, Value source,
                            ArrayRef<ReassociationIndices> groups) {
  auto type = cast<MemRefType>(source.getType());
  if (!memref::CollapseShapeOp::isGuaranteedCollapsible(type, groups))
    return {};
  return memref::CollapseShapeOp::create(builder, loc, source, groups);
}

/// Sizes and strides of a view, as the type of the view wants them: attributes
/// where the type is static, values elsewhere.
static SmallVector<OpFoldResult> matchType(OpBuilder &builder, Location loc,
                                           ArrayRef<int64_t> fixed,
                                           ArrayRef<OpFoldResult> actual) {
  SmallVector<OpFoldResult> matched;
  for (auto [size, value] : llvm::zip_equal(fixed, actual))
    matched.push_back(
        ShapedType::isDynamic(size)
            ? OpFoldResult(getValueOrCreateConstantIndexOp(builder, loc, value))
            : OpFoldResult(builder.getIndexAttr(size)));
  return matched;
}

/// An expansion with several dynamic sizes in one group, which the lowering of
/// memref.expand_shape cannot express: strides are computed here.
static Value createDynamicExpand(OpBuilder &builder, Location loc, Value source,
                                 MemRefType type,
                                 ArrayRef<ReassociationIndices> groups,
                                 ArrayRef<OpFoldResult> sizes) {
  auto metadata =
      memref::ExtractStridedMetadataOp::create(builder, loc, source);
  SmallVector<OpFoldResult> sourceStrides =
      metadata.getConstifiedMixedStrides();
  SmallVector<OpFoldResult> strides(type.getRank());
  AffineExpr a, b;
  bindSymbols(builder.getContext(), a, b);
  for (auto [group, stride] : llvm::zip_equal(groups, sourceStrides))
    for (int64_t axis : llvm::reverse(group)) {
      strides[axis] = stride;
      stride = affine::makeComposedFoldedAffineApply(builder, loc, a * b,
                                                     {stride, sizes[axis]});
    }
  SmallVector<int64_t> fixedStrides;
  int64_t fixedOffset;
  if (failed(type.getStridesAndOffset(fixedStrides, fixedOffset)))
    return {};
  return memref::ReinterpretCastOp::create(
      builder, loc, type, metadata.getBaseBuffer(),
      matchType(builder, loc, fixedOffset, metadata.getConstifiedMixedOffset())
          .front(),
      matchType(builder, loc, type.getShape(), sizes),
      matchType(builder, loc, fixedStrides, strides));
}

static Value createExpand(OpBuilder &builder, Location loc, Value source,
                          ArrayRef<int64_t> shape,
                          ArrayRef<ReassociationIndices> groups,
                          ArrayRef<OpFoldResult> sizes) {
  FailureOr<MemRefType> type = memref::ExpandShapeOp::computeExpandedType(
      cast<MemRefType>(source.getType()), shape, groups);
  if (failed(type))
    return {};
  for (const ReassociationIndices &group : groups)
    if (llvm::count_if(group, [&](int64_t axis) {
          return ShapedType::isDynamic(shape[axis]);
        }) > 1)
      return createDynamicExpand(builder, loc, source, *type, groups, sizes);
  return memref::ExpandShapeOp::create(builder, loc, *type, source, groups,
                                       sizes);
}

static Value createSlice(OpBuilder &builder, tensor::ExtractSliceOp slice,
                         Value source) {
  MemRefType type = memref::SubViewOp::inferRankReducedResultType(
      slice.getType().getShape(), cast<MemRefType>(source.getType()),
      slice.getMixedOffsets(), slice.getMixedSizes(), slice.getMixedStrides());
  return memref::SubViewOp::create(
      builder, slice.getLoc(), type, source, slice.getMixedOffsets(),
      slice.getMixedSizes(), slice.getMixedStrides());
}

/// Repeats axes whose size turns out to be 1 by stride 0.
static Value createBroadcast(OpBuilder &builder, BroadcastOp op, Value source) {
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(op.getResult().getType());
  auto metadata =
      memref::ExtractStridedMetadataOp::create(builder, loc, source);
  SmallVector<OpFoldResult> sizes =
      getMixedValues(type.getShape(), op.getSizes(), builder);
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  SmallVector<OpFoldResult> strides;
  for (auto [size, stride] :
       llvm::zip_equal(metadata.getSizes(), metadata.getStrides())) {
    Value repeated = arith::CmpIOp::create(builder, loc,
                                           arith::CmpIPredicate::eq, size, one);
    strides.push_back(
        arith::SelectOp::create(builder, loc, repeated, zero, stride)
            .getResult());
  }
  SmallVector<int64_t> dynamic(type.getRank(), ShapedType::kDynamic);
  auto layout = StridedLayoutAttr::get(builder.getContext(),
                                       ShapedType::kDynamic, dynamic);
  auto result = MemRefType::get(type.getShape(), type.getElementType(), layout);
  return memref::ReinterpretCastOp::create(
      builder, loc, result, metadata.getBaseBuffer(),
      OpFoldResult(metadata.getOffset()), sizes, strides);
}

Value heddle::createView(OpBuilder &builder, Operation *op, Value source) {
  Location loc = op->getLoc();
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op))
    return createTranspose(builder, loc, source, transpose.getPermutation());
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return createExpand(builder, loc, source, expand.getResultType().getShape(),
                        expand.getReassociationIndices(),
                        expand.getMixedOutputShape());
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
    return createCollapse(builder, loc, source,
                          collapse.getReassociationIndices());
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    return createSlice(builder, slice, source);
  if (auto broadcast = dyn_cast<BroadcastOp>(op))
    return createBroadcast(builder, broadcast, source);
  auto cast = mlir::cast<tensor::CastOp>(op);
  auto sourceType = mlir::cast<MemRefType>(source.getType());
  auto type =
      MemRefType::get(mlir::cast<RankedTensorType>(cast.getType()).getShape(),
                      sourceType.getElementType(), sourceType.getLayout());
  return memref::CastOp::create(builder, loc, type, source);
}

Value heddle::createSourceOfView(OpBuilder &builder, Operation *op,
                                 Value result,
                                 ArrayRef<OpFoldResult> sourceSizes) {
  Location loc = op->getLoc();
  if (auto transpose = dyn_cast<linalg::TransposeOp>(op))
    return createTranspose(builder, loc, result,
                           invertPermutationVector(transpose.getPermutation()));
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return createCollapse(builder, loc, result,
                          expand.getReassociationIndices());
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
    return createExpand(builder, loc, result, collapse.getSrcType().getShape(),
                        collapse.getReassociationIndices(), sourceSizes);
  return {};
}

Value heddle::createConcatPart(OpBuilder &builder, tensor::ConcatOp concat,
                               unsigned index, Value whole,
                               ArrayRef<SmallVector<OpFoldResult>> sizes) {
  Location loc = concat.getLoc();
  uint64_t axis = concat.getDim();
  auto partType = cast<RankedTensorType>(concat.getInputs()[index].getType());
  AffineExpr a, b;
  bindDims(builder.getContext(), a, b);
  OpFoldResult start = builder.getIndexAttr(0);
  for (unsigned i = 0; i < index; ++i)
    start = affine::makeComposedFoldedAffineApply(builder, loc, a + b,
                                                  {start, sizes[i][axis]});
  SmallVector<OpFoldResult> offsets(partType.getRank(),
                                    builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(partType.getRank(),
                                    builder.getIndexAttr(1));
  offsets[axis] = start;
  MemRefType type = memref::SubViewOp::inferRankReducedResultType(
      partType.getShape(), cast<MemRefType>(whole.getType()), offsets,
      sizes[index], strides);
  return memref::SubViewOp::create(builder, loc, type, whole, offsets,
                                   sizes[index], strides);
}
