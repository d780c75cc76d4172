//===- HeddleOps.cpp - verifiers and shapes of the tensor ops -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/HeddleDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace heddle;

/// Whether two sizes can be the same; a dynamic one is checked at run time.
static bool agree(int64_t a, int64_t b) {
  return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) || a == b;
}

/// The result of a destination-passing op has the shape of its init.
static LogicalResult reifyInit(Operation *op, Value init, OpBuilder &builder,
                               ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(tensor::getMixedSizes(builder, op->getLoc(), init));
  return success();
}

//===----------------------------------------------------------------------===//
// ContractionOp
//===----------------------------------------------------------------------===//

/// (C2) and (C3) of a contraction whose rhs is a matrix or a batch of them.
static LogicalResult verifyMatrices(ContractionOp op) {
  RankedTensorType lhs = op.getLhs().getType(), rhs = op.getRhs().getType(),
                   init = op.getInit().getType();
  int64_t rank = init.getRank();
  // (C2)
  if (rhs.getRank() != 2 && rhs.getRank() != rank)
    return op.emitOpError("expects rhs of rank 2 or ")
           << rank << ", got " << rhs;
  for (int64_t i = 0; i + 2 < rank; ++i)
    if (!agree(lhs.getDimSize(i), init.getDimSize(i)) ||
        (rhs.getRank() == rank &&
         !agree(rhs.getDimSize(i), init.getDimSize(i))))
      return op.emitOpError("expects leading axis ")
             << i << " of the operands to be that of " << init << ", got "
             << lhs << " and " << rhs;
  // (C3)
  int64_t kAxis = rhs.getRank() - (op.getTransposeRhs() ? 1 : 2);
  int64_t nAxis = rhs.getRank() - (op.getTransposeRhs() ? 2 : 1);
  if (!agree(lhs.getDimSize(rank - 1), rhs.getDimSize(kAxis)))
    return op.emitOpError("expects the contracted sizes to agree, got ")
           << lhs.getDimSize(rank - 1) << " in lhs and "
           << rhs.getDimSize(kAxis) << " in rhs";
  if (!agree(lhs.getDimSize(rank - 2), init.getDimSize(rank - 2)) ||
      !agree(rhs.getDimSize(nAxis), init.getDimSize(rank - 1)))
    return op.emitOpError(
               "expects init to have the rows of lhs and the columns "
               "of rhs, got ")
           << init;
  return success();
}

/// (C6), and (C3) of a contraction whose rhs is in column panels.
static LogicalResult verifyPanels(ContractionOp op) {
  RankedTensorType lhs = op.getLhs().getType(), rhs = op.getRhs().getType(),
                   init = op.getInit().getType();
  int64_t rank = init.getRank(), panel = *op.getPanel();
  int64_t k = lhs.getDimSize(rank - 1), n = init.getDimSize(rank - 1);
  bool fits = panel > 0 && !op.getTransposeRhs() && rhs.getRank() == 3 &&
              rhs.getDimSize(2) == panel && agree(rhs.getDimSize(1), k) &&
              (ShapedType::isDynamic(n) ||
               rhs.getDimSize(0) == llvm::divideCeilSigned(n, panel));
  if (!fits)
    return op.emitOpError("expects rhs in panels of shape [ceil(N / ")
           << panel << "), K, " << panel << "], got " << rhs;
  return success();
}

LogicalResult ContractionOp::verify() {
  RankedTensorType lhs = getLhs().getType(), rhs = getRhs().getType(),
                   init = getInit().getType();
  int64_t rank = init.getRank();
  // (C1)
  if (rank < 2 || lhs.getRank() != rank)
    return emitOpError("expects lhs and init of the same rank, 2 or more, got ")
           << lhs << " and " << init;
  if (failed(getPanel() ? verifyPanels(*this) : verifyMatrices(*this)))
    return failure();
  // (C4)
  if (Value bias = getBias()) {
    auto type = cast<RankedTensorType>(bias.getType());
    if (type.getRank() != 1 ||
        !agree(type.getDimSize(0), init.getDimSize(rank - 1)))
      return emitOpError("expects bias of rank 1 and the last size of ")
             << init << ", got " << type;
  }
  // (C5)
  if (lhs.getElementType() != init.getElementType() ||
      rhs.getElementType() != init.getElementType())
    return emitOpError("expects one element type, got ")
           << lhs.getElementType() << ", " << rhs.getElementType() << " and "
           << init.getElementType();
  return success();
}

LogicalResult
ContractionOp::reifyResultShapes(OpBuilder &builder,
                                 ReifiedRankedShapedTypeDims &shapes) {
  return reifyInit(*this, getInit(), builder, shapes);
}

//===----------------------------------------------------------------------===//
// AttentionOp
//===----------------------------------------------------------------------===//

LogicalResult AttentionOp::verify() {
  RankedTensorType q = getQuery().getType(), k = getKey().getType(),
                   v = getValue().getType(), o = getInit().getType();
  // (C1)
  if (q.getRank() != 4 || k.getRank() != 4 || v.getRank() != 4 ||
      o.getRank() != 4)
    return emitOpError("expects query, key, value and init of rank 4, got ")
           << q << ", " << k << ", " << v << " and " << o;
  bool sizesAgree = agree(q.getDimSize(0), k.getDimSize(0)) &&
                    agree(k.getDimSize(0), v.getDimSize(0)) &&
                    agree(q.getDimSize(0), o.getDimSize(0)) &&
                    agree(k.getDimSize(1), v.getDimSize(1)) &&
                    agree(q.getDimSize(1), o.getDimSize(1)) &&
                    agree(q.getDimSize(2), o.getDimSize(2)) &&
                    agree(k.getDimSize(2), v.getDimSize(2)) &&
                    agree(q.getDimSize(3), k.getDimSize(3)) &&
                    agree(v.getDimSize(3), o.getDimSize(3));
  if (!sizesAgree)
    return emitOpError("expects query [B, H, S, D], key [B, G, T, D], value "
                       "[B, G, T, E] and init [B, H, S, E], got ")
           << q << ", " << k << ", " << v << " and " << o;
  int64_t heads = q.getDimSize(1), keyHeads = k.getDimSize(1);
  if (!ShapedType::isDynamic(heads) && !ShapedType::isDynamic(keyHeads) &&
      (keyHeads == 0 || heads % keyHeads != 0))
    return emitOpError("expects the query heads to be a multiple of the key "
                       "heads, got ")
           << heads << " and " << keyHeads;
  // (C2)
  if (Value mask = getMask()) {
    auto m = cast<RankedTensorType>(mask.getType());
    int64_t full[] = {q.getDimSize(0), q.getDimSize(1), q.getDimSize(2),
                      k.getDimSize(2)};
    bool fits = m.getRank() == 4;
    for (int64_t i = 0; fits && i < 4; ++i)
      fits = m.getDimSize(i) == 1 || agree(m.getDimSize(i), full[i]);
    if (!fits)
      return emitOpError("expects a mask of rank 4 that broadcasts to [B, H, "
                         "S, T], got ")
             << m;
  }
  // (C3)
  if (getCausalOffset() && !getCausal())
    return emitOpError("expects a causal offset only with causal");
  // (C4)
  Type element = o.getElementType();
  if (q.getElementType() != element || k.getElementType() != element ||
      v.getElementType() != element)
    return emitOpError("expects one element type, got ")
           << q.getElementType() << ", " << k.getElementType() << ", "
           << v.getElementType() << " and " << element;
  // (C5)
  if (std::optional<APFloat> cap = getSoftcap();
      cap && (cap->isNegative() || !cap->isFiniteNonZero()))
    return emitOpError("expects softcap to be positive, got ")
           << getSoftcapAttr();
  return success();
}

LogicalResult
AttentionOp::reifyResultShapes(OpBuilder &builder,
                               ReifiedRankedShapedTypeDims &shapes) {
  return reifyInit(*this, getInit(), builder, shapes);
}

//===----------------------------------------------------------------------===//
// LayerNormOp
//===----------------------------------------------------------------------===//

LogicalResult LayerNormOp::verify() {
  RankedTensorType input = getInput().getType();
  // (C3)
  if (input != getInit().getType())
    return emitOpError("expects input and init of one type, got ")
           << input << " and " << getInit().getType();
  if (input.getRank() == 0)
    return emitOpError("expects an input of rank 1 or more, got ") << input;
  // (C1)
  for (Value vector : {getScale(), getBias()}) {
    if (!vector)
      continue;
    auto type = cast<RankedTensorType>(vector.getType());
    if (type.getRank() != 1 ||
        !agree(type.getDimSize(0), input.getShape().back()))
      return emitOpError("expects scale and bias of rank 1 and the last size "
                         "of ")
             << input << ", got " << type;
  }
  // (C2)
  if (getEpsilon().isNegative() || !getEpsilon().isFinite())
    return emitOpError("expects epsilon to be 0 or more, got ")
           << getEpsilonAttr();
  return success();
}

LogicalResult
LayerNormOp::reifyResultShapes(OpBuilder &builder,
                               ReifiedRankedShapedTypeDims &shapes) {
  return reifyInit(*this, getInit(), builder, shapes);
}

//===----------------------------------------------------------------------===//
// PackOp
//===----------------------------------------------------------------------===//

LogicalResult PackOp::verify() {
  RankedTensorType input = getInput().getType();
  RankedTensorType result = getResult().getType();
  // (C1)
  if (input.getRank() != 2 || !input.hasStaticShape())
    return emitOpError("expects an input of rank 2 and static shape, got ")
           << input;
  int64_t panel = getPanel();
  if (panel < 1)
    return emitOpError("expects a panel of 1 or more columns, got ") << panel;
  // (C2)
  int64_t k = input.getDimSize(getTransposed() ? 1 : 0);
  int64_t n = input.getDimSize(getTransposed() ? 0 : 1);
  auto expected = RankedTensorType::get(
      {llvm::divideCeilSigned(n, panel), k, panel}, input.getElementType());
  if (result != expected)
    return emitOpError("expects a result of type ")
           << expected << ", got " << result;
  return success();
}

//===----------------------------------------------------------------------===//
// BroadcastOp
//===----------------------------------------------------------------------===//

LogicalResult BroadcastOp::verify() {
  auto input = cast<RankedTensorType>(getInput().getType());
  auto result = cast<RankedTensorType>(getResult().getType());
  // (C1)
  if (getSizes().size() != static_cast<size_t>(result.getNumDynamicDims()))
    return emitOpError("expects ")
           << result.getNumDynamicDims() << " sizes, one per dynamic axis of "
           << result << ", got " << getSizes().size();
  // (C2)
  bool fits = input.getRank() == result.getRank() &&
              input.getElementType() == result.getElementType();
  for (int64_t i = 0; fits && i < result.getRank(); ++i)
    fits = input.getDimSize(i) == 1 ||
           agree(input.getDimSize(i), result.getDimSize(i));
  if (!fits)
    return emitOpError("expects ") << input << " to broadcast to " << result;
  return success();
}

LogicalResult
BroadcastOp::reifyResultShapes(OpBuilder &builder,
                               ReifiedRankedShapedTypeDims &shapes) {
  auto type = cast<RankedTensorType>(getResult().getType());
  shapes.push_back(getMixedValues(type.getShape(), getSizes(), builder));
  return success();
}

#define GET_OP_CLASSES
#include "dialects/heddle/HeddleOps.cpp.inc"
