//===- Attention.cpp - the ONNX operator Attention ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/HeddleDialect.h"
#include "frontends/onnx/convert/Conversions.h"
#include "frontends/onnx/convert/Elementwise.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace heddle;

namespace {

// Inputs and results of the operator, by number.
enum Input { Query, Key, Values, Mask, PastKey, PastValue, ValidLengths };
enum Result { Output, PresentKey, PresentValue, Scores };

/// The operands as heddle.attention wants them.
struct AttentionOperands {
  SymTensor query;      ///< [B, H, S, D]
  SymTensor key, value; ///< [B, G, T, D] and [B, G, T, E], the cache included
  std::optional<SymTensor> mask;
  /// Query i sees keys 0 .. i + causalOffset; null if the operator is not
  /// causal, or the mask says it.
  SymExpr causalOffset;
};

} // namespace

/// [B, S, heads * size] as [B, heads, S, size]; a tensor of rank 4 is that
/// already.
static SymTensor splitHeads(TensorBuilder &build, const SymTensor &tensor,
                            int64_t heads) {
  if (tensor.rank() == 4)
    return tensor;
  SymExpr count = build.constant(heads);
  SymExpr size = floorDiv(tensor.shape[2], count);
  SymTensor split =
      build.reshape(tensor, {tensor.shape[0], tensor.shape[1], count, size});
  return build.transpose(split, {0, 2, 1, 3});
}

/// The number of heads that attribute `name` gives for input `index`.
static FailureOr<int64_t> headCount(NodeConversion &node, unsigned index,
                                    StringRef name) {
  ArrayRef<SymExpr> shape = node.inputShape(index);
  if (shape.size() == 4)
    return 0;
  int64_t heads = node.intAttr(name, 0);
  if (shape.size() != 3 || heads < 1)
    return node.emitError()
           << "expects input " << index << " of rank 4, or of rank 3 with "
           << name << ", got rank " << shape.size();
  if (node.build.context().divisor(shape[2]) % heads != 0)
    return node.emitError()
           << "expects the last size of input " << index
           << " to be a multiple of " << name << " = " << heads;
  return heads;
}

/// The heads of key or value, after those that the cache holds.
static FailureOr<SymTensor> withCache(NodeConversion &node, unsigned index,
                                      unsigned past) {
  FailureOr<int64_t> heads = headCount(node, index, "kv_num_heads");
  if (failed(heads))
    return failure();
  SymTensor present = splitHeads(node.build, node.input(index), *heads);
  if (!node.hasInput(past))
    return present;
  return node.build.concat(2, {node.input(past), present});
}

//===----------------------------------------------------------------------===//
// The mask
//===----------------------------------------------------------------------===//

/// What makes a score -inf: false of a boolean mask, -inf of a float one.
static TypedAttr maskedOut(Builder &builder, Type type) {
  if (type.isInteger(1))
    return builder.getBoolAttr(false);
  return builder.getFloatAttr(type, -std::numeric_limits<double>::infinity());
}

/// The mask with rank 4 and the full number of keys in its last axis, if it has
/// one per key: keys beyond its end are masked out.
static SymTensor fullMask(NodeConversion &node, SymExpr keys) {
  TensorBuilder &build = node.build;
  SymTensor mask = node.input(Mask);
  SymShape shape(4 - mask.rank(), build.constant(1));
  llvm::append_range(shape, mask.shape);
  mask = build.reshape(mask, shape);
  SymExpr missing = keys - shape.back();
  if (missing.isConstant(0) ||
      build.context().provablyEqual(keys, shape.back()))
    return mask;
  shape.back() = missing;
  TypedAttr filler = maskedOut(build.getBuilder(), mask.elementType());
  return build.concat(3, {mask, build.fill(shape, filler)});
}

/// Axes of the mask that are 1 or full, as only the run time knows, become
/// full.
static SymTensor resolveBroadcast(NodeConversion &node, const SymTensor &mask,
                                  ArrayRef<SymExpr> full) {
  SymShape shape = mask.shape;
  for (auto [size, target] : llvm::zip(shape, full))
    if (node.analysis().broadcast(size, target) == BroadcastKind::Ambiguous)
      size = target;
  return node.build.broadcastTo(mask, shape);
}

/// The mask for a cache of fixed size of which batch b uses the first
/// lengths[b] keys: `mask`, if there is one, without the keys beyond them and,
/// for causal attention, without key j > i + lengths[b] - S.
static SymTensor validKeysMask(NodeConversion &node,
                               const AttentionOperands &operands,
                               ArrayRef<SymExpr> full, bool causal) {
  TensorBuilder &build = node.build;
  SymExpr one = build.constant(1);
  SymTensor lengths = node.input(ValidLengths);
  lengths = build.reshape(lengths, {full[0], one, one, one});
  SymShape shape = {full[0], one, causal ? full[2] : one, full[3]};
  Type i64 = build.getBuilder().getI64Type();
  SmallVector<ElementwiseOperand> inputs = {lengths,
                                            ElementwiseOperand(full[2], i64)};
  Type type = build.getBuilder().getI1Type();
  if (operands.mask) {
    inputs.push_back(*operands.mask);
    type = operands.mask->elementType();
    for (auto [size, maskSize, target] :
         llvm::zip(shape, operands.mask->shape, full))
      if (!maskSize.isConstant(1))
        size = target;
  }
  return build.map(
      shape, type, inputs, [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        auto loop = [&](int64_t axis) -> Value {
          Value index = linalg::IndexOp::create(b, axis);
          return arith::IndexCastOp::create(b, i64, index);
        };
        auto isLess = [&](Value lhs, Value rhs) -> Value {
          return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, lhs, rhs);
        };
        Value valid = isLess(loop(3), x[0]);
        if (causal) {
          // j <= i + length - S
          Value lhs = arith::AddIOp::create(b, loop(3), x[1]);
          Value rhs = arith::AddIOp::create(b, loop(2), x[0]);
          Value past = isLess(rhs, lhs);
          Value keep = arith::XOrIOp::create(
              b, past, arith::ConstantOp::create(b, b.getBoolAttr(true)));
          valid = arith::AndIOp::create(b, valid, keep);
        }
        if (!operands.mask)
          return valid;
        Value out = arith::ConstantOp::create(b, maskedOut(b, type));
        return arith::SelectOp::create(b, valid, x[2], out);
      });
}

//===----------------------------------------------------------------------===//
// The operator
//===----------------------------------------------------------------------===//

static FailureOr<AttentionOperands> readOperands(NodeConversion &node) {
  TensorBuilder &build = node.build;
  FailureOr<int64_t> heads = headCount(node, Query, "q_num_heads");
  FailureOr<SymTensor> key = withCache(node, Key, PastKey);
  FailureOr<SymTensor> value = withCache(node, Values, PastValue);
  if (failed(heads) || failed(key) || failed(value))
    return failure();
  AttentionOperands operands;
  operands.query = splitHeads(build, node.input(Query), *heads);
  operands.key = *key;
  operands.value = *value;

  SymShape full = {operands.query.shape[0], operands.query.shape[1],
                   operands.query.shape[2], operands.key.shape[2]};
  bool causal = node.intAttr("is_causal", 0) != 0;
  if (node.hasInput(Mask)) {
    int64_t rank = node.inputShape(Mask).size();
    if (rank > 4 || rank == 0)
      return node.emitError() << "expects a mask of rank 1 to 4, got " << rank;
    operands.mask = resolveBroadcast(node, fullMask(node, full[3]), full);
  }
  if (node.hasInput(ValidLengths))
    operands.mask = validKeysMask(node, operands, full, causal);
  else if (causal)
    operands.causalOffset = node.hasInput(PastKey) ? node.inputShape(PastKey)[2]
                                                   : build.constant(0);
  return operands;
}

/// The scale of the scores: the attribute, or 1 / sqrt(D). Where only the run
/// time knows D, the query is scaled instead.
static double applyScale(NodeConversion &node, AttentionOperands &operands) {
  if (node.hasAttr("scale"))
    return node.floatAttr("scale", 1);
  SymExpr headSize = operands.query.shape[3];
  if (std::optional<int64_t> size = headSize.constant())
    return 1 / std::sqrt(static_cast<double>(*size));
  Type type = operands.query.elementType();
  ElementwiseOperand size(headSize, node.build.getBuilder().getI64Type());
  operands.query = node.build.map(
      operands.query.shape, type, {operands.query, size},
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        Value number = castScalar(b, x[1], false, b.getF32Type(), false);
        Value factor = math::RsqrtOp::create(b, number);
        return arith::MulFOp::create(b, x[0],
                                     castScalar(b, factor, false, type, false));
      });
  return 1;
}

static SymTensor emitAttention(NodeConversion &node,
                               const AttentionOperands &operands,
                               double scale) {
  TensorBuilder &build = node.build;
  OpBuilder &builder = build.getBuilder();
  SymShape shape = operands.query.shape;
  shape[3] = operands.value.shape[3];
  SymTensor init = build.empty(shape, operands.query.elementType());
  double softcap = node.floatAttr("softcap", 0);
  bool causal = static_cast<bool>(operands.causalOffset);
  bool hasOffset = causal && !operands.causalOffset.isConstant(0);
  auto op = AttentionOp::create(
      builder, node.getLoc(), init.value.getType(), operands.query.value,
      operands.key.value, operands.value.value,
      operands.mask ? operands.mask->value : Value(),
      hasOffset ? build.index(operands.causalOffset) : Value(), init.value,
      llvm::APFloat(static_cast<float>(scale)),
      softcap > 0 ? builder.getF32FloatAttr(softcap) : FloatAttr(), causal,
      /*zero_masked_rows=*/true);
  return {op.getResult(), shape};
}

LogicalResult heddle::convertAttention(NodeConversion &node) {
  TensorBuilder &build = node.build;
  if (node.isUsed(Scores))
    return node.emitError()
           << "is supported without its result qk_matmul_output";
  if (node.hasInput(PastKey) != node.hasInput(PastValue))
    return node.emitError() << "expects past_key and past_value together";
  FailureOr<AttentionOperands> operands = readOperands(node);
  if (failed(operands))
    return failure();
  if (node.isUsed(PresentKey))
    node.setResult(PresentKey, operands->key);
  if (node.isUsed(PresentValue))
    node.setResult(PresentValue, operands->value);
  if (!node.isUsed(Output))
    return success();
  double scale = applyScale(node, *operands);
  SymTensor output = emitAttention(node, *operands, scale);
  if (node.inputShape(Query).size() == 3)
    output = build.reshape(build.transpose(output, {0, 2, 1, 3}),
                           node.resultShape(0));
  node.setResult(Output, output);
  return success();
}
