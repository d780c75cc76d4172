//===- FloatTensors.cpp - arithmetic on tensors of floats -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/convert/FloatTensors.h"

#include "frontends/onnx/convert/Elementwise.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace heddle;

Type heddle::summationType(Type type) {
  if (isa<FloatType>(type) && type.getIntOrFloatBitWidth() < 32)
    return Float32Type::get(type.getContext());
  return type;
}

SymTensor heddle::castFloats(TensorBuilder &build, const SymTensor &input,
                             Type type) {
  if (input.elementType() == type)
    return input;
  return build.map(input.shape, type, {input},
                   [&](ImplicitLocOpBuilder &b, ValueRange x) {
                     return castScalar(b, x[0], false, type, false);
                   });
}

SymTensor heddle::sumOver(TensorBuilder &build, const SymTensor &input,
                          ArrayRef<int64_t> axes) {
  TypedAttr zero = build.getBuilder().getZeroAttr(input.elementType());
  return build.reduce(
      input, axes, zero,
      [](ImplicitLocOpBuilder &b, Value element, Value sum) -> Value {
        if (isa<FloatType>(sum.getType()))
          return arith::AddFOp::create(b, element, sum);
        return arith::AddIOp::create(b, element, sum);
      });
}

SymTensor heddle::maximumOver(TensorBuilder &build, const SymTensor &input,
                              ArrayRef<int64_t> axes) {
  TypedAttr lowest = build.getBuilder().getFloatAttr(
      input.elementType(), -std::numeric_limits<double>::infinity());
  return build.reduce(
      input, axes, lowest,
      [](ImplicitLocOpBuilder &b, Value element, Value largest) -> Value {
        return arith::MaximumFOp::create(b, element, largest);
      });
}

SymExpr heddle::countOver(TensorBuilder &build, const SymTensor &input,
                          ArrayRef<int64_t> axes) {
  SymExpr count = build.constant(1);
  for (int64_t axis : axes)
    count = count * input.shape[axis];
  return count;
}

SymTensor heddle::meanOver(TensorBuilder &build, const SymTensor &input,
                           ArrayRef<int64_t> axes) {
  SymTensor sum = sumOver(build, input, axes);
  ElementwiseOperand count(countOver(build, input, axes),
                           build.getBuilder().getI64Type());
  Type type = sum.elementType();
  return build.map(sum.shape, type, {sum, count},
                   [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                     Value divisor = castScalar(b, x[1], false, type, false);
                     return arith::DivFOp::create(b, x[0], divisor);
                   });
}

SymShape heddle::reducedShape(TensorBuilder &build, ArrayRef<SymExpr> shape,
                              ArrayRef<int64_t> axes, bool keep) {
  SymShape result;
  for (auto [axis, size] : llvm::enumerate(shape)) {
    if (!llvm::is_contained(axes, static_cast<int64_t>(axis)))
      result.push_back(size);
    else if (keep)
      result.push_back(build.constant(1));
  }
  return result;
}

SymTensor heddle::keepAxes(TensorBuilder &build, const SymTensor &reduced,
                           ArrayRef<SymExpr> full, ArrayRef<int64_t> axes) {
  return build.reshape(reduced, reducedShape(build, full, axes, true));
}
