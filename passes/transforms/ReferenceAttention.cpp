//===- ReferenceAttention.cpp - heddle.attention as linalg ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "passes/transforms/LinalgNest.h"
#include "passes/transforms/ReferenceLowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace heddle;

/// The element of `keys` (or values) for the query head of loop 1: its key head
/// is h / (H / G).
static Value readKeyHead(OpBuilder &builder, Location loc, AttentionOp op,
                         Value keys, unsigned positionLoop,
                         unsigned featureLoop) {
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  Value heads = tensor::DimOp::create(builder, loc, op.getQuery(), one);
  Value keyHeads = tensor::DimOp::create(builder, loc, keys, one);
  Value group = arith::DivUIOp::create(builder, loc, heads, keyHeads);
  Value head = linalg::IndexOp::create(builder, loc, 1);
  SmallVector<Value> indices = {
      linalg::IndexOp::create(builder, loc, 0),
      arith::DivUIOp::create(builder, loc, head, group),
      linalg::IndexOp::create(builder, loc, positionLoop),
      linalg::IndexOp::create(builder, loc, featureLoop)};
  return tensor::ExtractOp::create(builder, loc, keys, indices);
}

/// The masked element of `score`: a float is added, false gives -inf.
static Value applyMask(OpBuilder &builder, Location loc, Value score,
                       Value mask) {
  Type type = score.getType();
  if (isa<FloatType>(mask.getType()))
    return arith::AddFOp::create(builder, loc, score,
                                 convertFloat(builder, loc, mask, type));
  Value hidden = floatConstant(builder, loc, type,
                               -std::numeric_limits<double>::infinity());
  return arith::SelectOp::create(builder, loc, mask, score, hidden);
}

/// -inf where the key is later than the query plus the offset.
static Value applyCausal(OpBuilder &builder, Location loc, AttentionOp op,
                         Value score) {
  Value last = linalg::IndexOp::create(builder, loc, 2);
  if (Value offset = op.getCausalOffset())
    last = arith::AddIOp::create(builder, loc, last, offset);
  Value position = linalg::IndexOp::create(builder, loc, 3);
  Value visible = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sle,
                                        position, last);
  return applyMask(builder, loc, score, visible);
}

static Value applySoftcap(OpBuilder &builder, Location loc, Value score,
                          double softcap) {
  Value cap = floatConstant(builder, loc, score.getType(), softcap);
  Value ratio = arith::DivFOp::create(builder, loc, score, cap);
  Value bounded = math::TanhOp::create(builder, loc, ratio);
  return arith::MulFOp::create(builder, loc, bounded, cap);
}

/// Scores [B, H, S, T], before the softmax.
static Value attentionScores(OpBuilder &builder, AttentionOp op, Type sumType) {
  Location loc = op.getLoc();
  OpFoldResult keys = tensor::getMixedSize(builder, loc, op.getKey(), 2);
  Value empty = emptyTensor(builder, loc, op.getQuery(), 1, keys, sumType);
  // Loops: b, h, i, j, d.
  LinalgNest products{builder, loc, 5, 4};
  Value scores =
      products.build({op.getQuery()}, fill(builder, loc, 0.0, empty),
                     {products.pick({0, 1, 2, 4}), products.leading(4)},
                     [&](OpBuilder &b, Location l, ValueRange args) {
                       Value key = readKeyHead(b, l, op, op.getKey(), 3, 4);
                       return multiplyAdd(b, l, args[0], key, args[1]);
                     });

  LinalgNest loops = loopsOver(builder, loc, scores);
  SmallVector<Value> inputs = {scores};
  SmallVector<AffineMap> maps = {loops.leading(4)};
  if (Value mask = op.getMask()) {
    SmallVector<AffineExpr> axes;
    for (auto [i, size] :
         llvm::enumerate(cast<RankedTensorType>(mask.getType()).getShape()))
      axes.push_back(size == 1 ? builder.getAffineConstantExpr(0)
                               : builder.getAffineDimExpr(i));
    inputs.push_back(mask);
    maps.push_back(AffineMap::get(4, 0, axes, builder.getContext()));
  }
  maps.push_back(loops.leading(4));
  return loops.build(
      inputs, empty, maps, [&](OpBuilder &b, Location l, ValueRange args) {
        Value scale =
            floatConstant(b, l, sumType, op.getScale().convertToFloat());
        Value score = arith::MulFOp::create(b, l, args[0], scale);
        if (op.getSoftcap())
          score = applySoftcap(b, l, score, op.getSoftcap()->convertToFloat());
        if (op.getMask())
          score = applyMask(b, l, score, args[1]);
        return op.getCausal() ? applyCausal(b, l, op, score) : score;
      });
}

/// exp(scores - max) over the last axis, and its sums. With `zeroMasked` a row
/// of -inf gives zeros with the sum 1.
static std::pair<Value, Value> exponentials(OpBuilder &builder, Location loc,
                                            Value scores, bool zeroMasked) {
  Type type = getElementTypeOrSelf(scores);
  double infinity = std::numeric_limits<double>::infinity();
  LinalgNest reduce{builder, loc, 4, 3}, loops{builder, loc, 4, 4};
  AffineMap all = reduce.leading(4), row = reduce.leading(3);
  Value empty = emptyTensor(builder, loc, scores, 1, {}, type);
  Value maxima =
      reduce.build({scores}, fill(builder, loc, -infinity, empty), {all, row},
                   [](OpBuilder &b, Location l, ValueRange args) -> Value {
                     return arith::MaximumFOp::create(b, l, args[0], args[1]);
                   });
  auto isHidden = [&](OpBuilder &b, Location l, Value maximum) -> Value {
    Value lowest = floatConstant(b, l, type, -infinity);
    return arith::CmpFOp::create(b, l, arith::CmpFPredicate::OEQ, maximum,
                                 lowest);
  };
  Value powers = loops.build(
      {scores, maxima}, emptyTensor(builder, loc, scores, 0, {}, type),
      {all, row, all}, [&](OpBuilder &b, Location l, ValueRange args) -> Value {
        Value power = math::ExpOp::create(
            b, l, arith::SubFOp::create(b, l, args[0], args[1]));
        if (!zeroMasked)
          return power;
        Value zero = floatConstant(b, l, type, 0.0);
        return arith::SelectOp::create(b, l, isHidden(b, l, args[1]), zero,
                                       power);
      });
  Value sums =
      reduce.build({powers}, fill(builder, loc, 0.0, empty), {all, row},
                   [](OpBuilder &b, Location l, ValueRange args) -> Value {
                     return arith::AddFOp::create(b, l, args[0], args[1]);
                   });
  if (zeroMasked) {
    LinalgNest rows{builder, loc, 3, 3};
    AffineMap each = rows.leading(3);
    sums = rows.build({sums, maxima}, empty, {each, each, each},
                      [&](OpBuilder &b, Location l, ValueRange args) -> Value {
                        Value one = floatConstant(b, l, type, 1.0);
                        return arith::SelectOp::create(
                            b, l, isHidden(b, l, args[1]), one, args[0]);
                      });
  }
  return {powers, sums};
}

Value heddle::lowerToLinalg(RewriterBase &rewriter, AttentionOp op) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  Location loc = op.getLoc();
  Type sumType = accumulatorType(op.getInit().getType().getElementType());
  Value scores = attentionScores(rewriter, op, sumType);
  auto [powers, sums] =
      exponentials(rewriter, loc, scores, op.getZeroMaskedRows());

  // Loops: b, h, i, e, j.
  LinalgNest products{rewriter, loc, 5, 4};
  Value empty = emptyTensor(rewriter, loc, op.getInit(), 0, {}, sumType);
  Value result = products.build(
      {powers, sums}, fill(rewriter, loc, 0.0, empty),
      {products.pick({0, 1, 2, 4}), products.leading(3), products.leading(4)},
      [&](OpBuilder &b, Location l, ValueRange args) {
        Value weight = arith::DivFOp::create(b, l, args[0], args[1]);
        Value value = readKeyHead(b, l, op, op.getValue(), 4, 3);
        return multiplyAdd(b, l, weight, value, args[2]);
      });
  return convertElements(rewriter, loc, result, op.getInit());
}
