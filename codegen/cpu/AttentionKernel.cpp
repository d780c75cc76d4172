//===- AttentionKernel.cpp - what attention kernels share -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/cpu/AttentionKernel.h"

#include "passes/transforms/LinalgNest.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

#include <limits>
#include <numbers>

using namespace mlir;
using namespace heddle;

AttentionKernel::AttentionKernel(KernelFunction &kernel)
    : kernel(kernel),
      b(kernel.getDef().getLoc(), kernel.getFunc().front().getTerminator()),
      math(b), width(kernel.getFacts().lanes(32)),
      vectorType(VectorType::get({width}, b.getF32Type())) {}

llvm::Error AttentionKernel::collect() {
  for (Operation &inner :
       kernel.getDef().getBody().front().without_terminator()) {
    if (auto attention = dyn_cast<AttentionOp>(inner)) {
      if (op)
        return unsupported("two attentions");
      op = attention;
    } else if (isa<DestinationStyleOpInterface>(inner)) {
      return unsupported("an op that is not attention");
    }
  }
  if (!op)
    return unsupported("a body without attention");
  if (!op.getInit().getType().getElementType().isF32())
    return unsupported("attention on other elements than f32");
  for (Value operand :
       {op.getQuery(), op.getKey(), op.getValue(), op.getMask()})
    if (operand && !isa<BlockArgument>(operand))
      return unsupported("attention to values that it computes");
  queryFeatures = op.getQuery().getType().getDimSize(3);
  valueFeatures = op.getValue().getType().getDimSize(3);
  if (ShapedType::isDynamic(queryFeatures) ||
      ShapedType::isDynamic(valueFeatures))
    return unsupported("attention with heads of dynamic size");
  if (op.getCausalOffset() && !kernel.getScalar(op.getCausalOffset()))
    return unsupported("attention with a causal offset that it computes");
  return llvm::Error::success();
}

void AttentionKernel::readSizes() {
  bool hasFloatMask =
      op.getMask() && isa<FloatType>(getElementTypeOrSelf(op.getMask()));
  inBase2 = !hasFloatMask && !op.getSoftcap();
  SmallVector<Value> querySizes =
      getSizes(b, kernel.getArgument(op.getQuery()));
  SmallVector<Value> keySizes = getSizes(b, kernel.getArgument(op.getKey()));
  batches = querySizes[0];
  heads = querySizes[1];
  queries = querySizes[2];
  keyHeads = keySizes[1];
  keys = keySizes[2];
}

Value AttentionKernel::scratchView(int64_t rows, int64_t columns) {
  int64_t bytes = rows * columns * sizeof(float);
  auto type = MemRefType::get({rows, columns}, b.getF32Type());
  return memref::ViewOp::create(b, type, kernel.getScratch(),
                                indexConstant(b, kernel.reserveScratch(bytes)),
                                ValueRange());
}

Value AttentionKernel::splat(float value) {
  return arith::ConstantOp::create(b,
                                   DenseElementsAttr::get(vectorType, value));
}

Value AttentionKernel::maximum(Value x, Value y) {
  Value greater = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, x, y);
  return arith::SelectOp::create(b, greater, x, y);
}

Value AttentionKernel::power(Value difference) {
  if (!inBase2)
    difference = arith::MulFOp::create(b, difference,
                                       splat(std::numbers::log2e_v<float>));
  return math.exp2NonPositive(difference);
}

float AttentionKernel::queryScale() {
  double scale = op.getScale().convertToFloat();
  return static_cast<float>(inBase2 ? scale * std::numbers::log2e : scale);
}

Value AttentionKernel::capAndMask(LaneBuilder &lanes, Value score,
                                  SmallVector<Lanes> indices) {
  if (op.getSoftcap()) {
    Value cap = splat(op.getSoftcap()->convertToFloat());
    Value ratio = arith::DivFOp::create(b, score, cap);
    score = arith::MulFOp::create(b, math.tanh(ratio), cap);
  }
  if (!op.getMask())
    return score;
  auto type = cast<RankedTensorType>(op.getMask().getType());
  for (auto [index, size] : llvm::zip_equal(indices, type.getShape()))
    if (size == 1)
      index = Lanes::uniform(indexConstant(b, 0));
  Value mask = lanes.toVector(lanes.read(kernel.getArgument(op.getMask()),
                                         indices, type.getElementType(),
                                         /*unitInner=*/false));
  if (isa<FloatType>(type.getElementType()))
    return arith::AddFOp::create(b, score,
                                 convertFloat(b, b.getLoc(), mask, vectorType));
  return arith::SelectOp::create(
      b, mask, score, splat(-std::numeric_limits<float>::infinity()));
}

Value AttentionKernel::invertSums(Value sums) {
  Value zero = splat(0.0f);
  Value inverse = arith::DivFOp::create(b, splat(1.0f), sums);
  // A sum of zero comes from a row without any visible key.
  Value hidden =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, sums, zero);
  Value cleared = arith::SelectOp::create(b, hidden, zero, inverse);
  if (op.getZeroMaskedRows())
    return cleared;
  Value noKeys = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, keys,
                                       indexConstant(b, 0));
  return arith::SelectOp::create(b, noKeys, cleared, inverse);
}

Value AttentionKernel::referenceOf(Value maxima) {
  Value none =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, maxima,
                            splat(-std::numeric_limits<float>::infinity()));
  return arith::SelectOp::create(b, none, splat(0.0f), maxima);
}

Value AttentionKernel::keyHeadOf(Value head) {
  Value group = arith::DivUIOp::create(b, heads, keyHeads);
  return arith::DivUIOp::create(b, head, group);
}

Value AttentionKernel::slice(Value tensor, Value atBatch, Value atHead) {
  auto type = cast<MemRefType>(tensor.getType());
  SmallVector<OpFoldResult> sizes =
      memref::getMixedSizes(b, b.getLoc(), tensor);
  SmallVector<OpFoldResult> offsets = {atBatch, atHead, b.getIndexAttr(0),
                                       b.getIndexAttr(0)};
  sizes[0] = sizes[1] = b.getIndexAttr(1);
  SmallVector<OpFoldResult> strides(4, b.getIndexAttr(1));
  auto reduced = memref::SubViewOp::inferRankReducedResultType(
      type.getShape().drop_front(2), type, offsets, sizes, strides);
  return memref::SubViewOp::create(b, cast<MemRefType>(reduced), tensor,
                                   offsets, sizes, strides);
}
