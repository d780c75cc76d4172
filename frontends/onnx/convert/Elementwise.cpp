//===- Elementwise.cpp - operators that compute element by element --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/convert/Elementwise.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace heddle;

Value ScalarBuilder::number(Type type, double value) {
  if (isa<FloatType>(type))
    return arith::ConstantOp::create(*this, getFloatAttr(type, value));
  return arith::ConstantOp::create(
      *this, getIntegerAttr(type, static_cast<int64_t>(value)));
}

LogicalResult heddle::convertElementwise(NodeConversion &node,
                                         ScalarFunction function) {
  SmallVector<ElementwiseOperand> operands;
  for (unsigned i = 0; i < node.numInputs(); ++i)
    if (node.hasInput(i))
      operands.push_back(node.operand(i));
  SymTensor result = node.build.map(
      node.resultShape(0), node.resultElementType(0), operands,
      [&](ImplicitLocOpBuilder &body, ValueRange present) {
        ScalarBuilder b(body, node);
        SmallVector<Value> args;
        size_t next = 0;
        for (unsigned i = 0; i < node.numInputs(); ++i)
          args.push_back(node.hasInput(i) ? present[next++] : Value());
        return function(b, args);
      });
  node.setResult(0, result);
  return success();
}

LogicalResult heddle::convertIdentity(NodeConversion &node) {
  node.setResult(0, node.input(0));
  return success();
}

LogicalResult heddle::convertDropout(NodeConversion &node) {
  // Input 2 is training_mode (from opset 12).
  if (node.hasInput(2)) {
    std::optional<SmallVector<int64_t>> training = node.inputConstants(2);
    if (!training || *training != SmallVector<int64_t>{0})
      return node.emitError() << "is supported for inference only, expects "
                                 "training_mode to be constant and false";
  }
  if (node.isUsed(0))
    node.setResult(0, node.input(0));
  if (node.isUsed(1)) {
    TypedAttr keep = node.build.getBuilder().getBoolAttr(true);
    node.setSplatResult(1, node.build.fill(node.resultShape(1), keep), keep);
  }
  return success();
}
