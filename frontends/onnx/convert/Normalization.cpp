//===- Normalization.cpp - LayerNormalization, RMSNormalization -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/HeddleDialect.h"
#include "frontends/onnx/convert/Conversions.h"
#include "frontends/onnx/convert/FloatTensors.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace heddle;

namespace {

/// A node that normalises its first input over the axes from `axis` on, with
/// optional scale (input 1) and bias (input 2).
struct Normalization {
  NodeConversion &node;
  TensorBuilder &build;
  SymTensor input;
  int64_t axis;
  SmallVector<int64_t> axes;
  double epsilon;
};

} // namespace

static FailureOr<Normalization> startNormalization(NodeConversion &node) {
  SymTensor input = node.input(0);
  FailureOr<int64_t> axis = node.axisAttr("axis", -1, input.rank());
  if (failed(axis))
    return failure();
  return Normalization{node,
                       node.build,
                       input,
                       *axis,
                       llvm::to_vector(llvm::seq(*axis, input.rank())),
                       node.floatAttr("epsilon", 1e-5)};
}

/// Whether input `index` has exactly the sizes of the normalised axes.
static bool coversAxes(Normalization &n, unsigned index) {
  ArrayRef<SymExpr> shape = n.node.inputShape(index);
  ArrayRef<SymExpr> axes = ArrayRef(n.input.shape).drop_front(n.axis);
  return shape.size() == axes.size() &&
         llvm::all_of(llvm::zip(shape, axes), [&](auto pair) {
           return n.build.context().provablyEqual(std::get<0>(pair),
                                                  std::get<1>(pair));
         });
}

/// Whether heddle.layer_norm says all of the node.
static bool isLayerNorm(Normalization &n) {
  if (n.node.isUsed(1) || n.node.isUsed(2))
    return false;
  for (unsigned index : {1u, 2u})
    if (n.node.hasInput(index) &&
        (!coversAxes(n, index) ||
         signless(n.node.inputElementType(index)) != n.input.elementType()))
      return false;
  return true;
}

/// One heddle.layer_norm, over the normalised axes as one.
static void emitLayerNorm(Normalization &n) {
  TensorBuilder &build = n.build;
  ArrayRef<SymExpr> shape = n.input.shape;
  SymExpr size = product(build.context(), shape.drop_front(n.axis));
  SymShape rows(shape.take_front(n.axis));
  rows.push_back(size);
  SymTensor input = build.reshape(n.input, rows);
  input = build.withShape(input, rows);
  Value scaleAndBias[2];
  for (unsigned i : {0u, 1u})
    if (n.node.hasInput(i + 1))
      scaleAndBias[i] = build.reshape(n.node.input(i + 1), {size}).value;
  SymTensor init = build.empty(rows, input.elementType());
  auto op = LayerNormOp::create(build.getBuilder(), n.node.getLoc(),
                                init.value.getType(), input.value,
                                scaleAndBias[0], scaleAndBias[1], init.value,
                                build.getBuilder().getF32FloatAttr(n.epsilon));
  n.node.setResult(0, build.reshape({op.getResult(), rows}, shape));
}

/// 1 / sqrt(moment + epsilon)
static SymTensor inverseRoot(Normalization &n, const SymTensor &moment) {
  Type type = moment.elementType();
  double epsilon = n.epsilon;
  return n.build.map(
      moment.shape, type, {moment},
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        Value e = arith::ConstantOp::create(b, b.getFloatAttr(type, epsilon));
        return math::RsqrtOp::create(b, arith::AddFOp::create(b, x[0], e));
      });
}

static SymTensor multiply(TensorBuilder &build, const SymTensor &x,
                          const SymTensor &y) {
  return build.map(x.shape, x.elementType(), {x, y},
                   [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                     return arith::MulFOp::create(b, v[0], v[1]);
                   });
}

static SymTensor subtract(TensorBuilder &build, const SymTensor &x,
                          const SymTensor &y) {
  return build.map(x.shape, x.elementType(), {x, y},
                   [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                     return arith::SubFOp::create(b, v[0], v[1]);
                   });
}

static SymTensor add(TensorBuilder &build, const SymTensor &x,
                     const SymTensor &y) {
  return build.map(x.shape, x.elementType(), {x, y},
                   [](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                     return arith::AddFOp::create(b, v[0], v[1]);
                   });
}

/// The type of the moments: stash_type 1, the only one that ONNX Runtime has,
/// means f32.
static Type stashType(Normalization &n) {
  return summationType(n.input.elementType());
}

/// Input `index` as floats of the type `type`.
static SymTensor floatInput(Normalization &n, unsigned index, Type type) {
  return castFloats(n.build, n.node.input(index), type);
}

/// The mean over the normalised axes, which stay with size 1.
static SymTensor keptMean(Normalization &n, const SymTensor &tensor) {
  return keepAxes(n.build, meanOver(n.build, tensor, n.axes), tensor.shape,
                  n.axes);
}

/// The operator step by step, with the moments as results.
static void decomposeLayerNorm(Normalization &n) {
  TensorBuilder &build = n.build;
  Type type = stashType(n);
  SymTensor input = castFloats(build, n.input, type);
  SymTensor mean = keptMean(n, input);
  SymTensor centred = subtract(build, input, mean);
  SymTensor variance = keptMean(n, multiply(build, centred, centred));
  SymTensor inverseDeviation = inverseRoot(n, variance);
  if (n.node.isUsed(0)) {
    SymTensor result = multiply(build, centred, inverseDeviation);
    if (n.node.hasInput(1))
      result = multiply(build, result, floatInput(n, 1, type));
    if (n.node.hasInput(2))
      result = add(build, result, floatInput(n, 2, type));
    n.node.setResult(0, castFloats(build, result, n.node.resultElementType(0)));
  }
  if (n.node.isUsed(1))
    n.node.setResult(1, castFloats(build, mean, n.node.resultElementType(1)));
  if (n.node.isUsed(2))
    n.node.setResult(
        2, castFloats(build, inverseDeviation, n.node.resultElementType(2)));
}

LogicalResult heddle::convertLayerNormalization(NodeConversion &node) {
  FailureOr<Normalization> n = startNormalization(node);
  if (failed(n))
    return failure();
  if (isLayerNorm(*n))
    emitLayerNorm(*n);
  else
    decomposeLayerNorm(*n);
  return success();
}

/// x / sqrt(mean(x^2) + epsilon) * scale (Zhang and Sennrich, arXiv 1910.07467,
/// section 4); the scale is applied in the type of the result.
LogicalResult heddle::convertRMSNormalization(NodeConversion &node) {
  FailureOr<Normalization> n = startNormalization(node);
  if (failed(n))
    return failure();
  TensorBuilder &build = node.build;
  SymTensor input = castFloats(build, n->input, stashType(*n));
  SymTensor factor =
      inverseRoot(*n, keptMean(*n, multiply(build, input, input)));
  Type type = node.resultElementType(0);
  SymTensor result = castFloats(build, multiply(build, input, factor), type);
  node.setResult(0, multiply(build, result, floatInput(*n, 1, type)));
  return success();
}
