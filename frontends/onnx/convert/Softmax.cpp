//===- Softmax.cpp - Softmax and LogSoftmax -------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/convert/Conversions.h"
#include "frontends/onnx/convert/FloatTensors.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace heddle;

using RowFunction = function_ref<SymTensor(const SymTensor &, int64_t axis)>;

/// Applies `function` along the axis that the node names. Before opset 13 that
/// axis and all after it count as one.
static LogicalResult convertRows(NodeConversion &node, RowFunction function) {
  TensorBuilder &build = node.build;
  SymTensor input = node.input(0);
  bool flattens = node.version() < 13;
  int64_t rank = input.rank();
  FailureOr<int64_t> axis =
      node.axisAttr("axis", flattens ? 1 : -1, std::max<int64_t>(rank, 1));
  if (failed(axis))
    return failure();
  input = castFloats(build, input, summationType(input.elementType()));
  SymTensor result;
  if (rank == 0) {
    result = build.reshape(
        function(build.reshape(input, {build.constant(1)}), 0), {});
  } else if (flattens && *axis != rank - 1) {
    SymShape rows(ArrayRef(input.shape).take_front(*axis));
    rows.push_back(
        product(build.context(), ArrayRef(input.shape).drop_front(*axis)));
    result =
        build.reshape(function(build.reshape(input, rows), *axis), input.shape);
  } else {
    result = function(input, *axis);
  }
  node.setResult(0, castFloats(build, result, node.resultElementType(0)));
  return success();
}

LogicalResult heddle::convertSoftmax(NodeConversion &node) {
  TensorBuilder &build = node.build;
  return convertRows(node, [&](const SymTensor &input, int64_t axis) {
    SymTensor init = build.empty(input.shape, input.elementType());
    auto op = linalg::SoftmaxOp::create(build.getBuilder(), node.getLoc(),
                                        init.value.getType(), input.value,
                                        init.value, axis);
    return SymTensor{op.getResult()[0], input.shape};
  });
}

LogicalResult heddle::convertLogSoftmax(NodeConversion &node) {
  TensorBuilder &build = node.build;
  return convertRows(node, [&](const SymTensor &input, int64_t axis) {
    Type type = input.elementType();
    SymTensor largest =
        keepAxes(build, maximumOver(build, input, axis), input.shape, axis);
    SymTensor shifted =
        build.map(input.shape, type, {input, largest},
                  [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                    return arith::SubFOp::create(b, x[0], x[1]);
                  });
    SymTensor powers =
        build.map(input.shape, type, {shifted},
                  [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                    return math::ExpOp::create(b, x[0]);
                  });
    SymTensor sum =
        keepAxes(build, sumOver(build, powers, axis), input.shape, axis);
    return build.map(input.shape, type, {shifted, sum},
                     [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                       Value logarithm = math::LogOp::create(b, x[1]);
                       return arith::SubFOp::create(b, x[0], logarithm);
                     });
  });
}
