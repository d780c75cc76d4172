//===- Elementwise.h - operators that compute element by element -*- C++
//-*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_CONVERT_ELEMENTWISE_H
#define HEDDLE_FRONTENDS_ONNX_CONVERT_ELEMENTWISE_H

#include "frontends/onnx/convert/NodeConversion.h"

namespace heddle {

/// Builds one element of an elementwise operator's result in the body of a
/// `linalg.generic`.
class ScalarBuilder : public mlir::ImplicitLocOpBuilder {
public:
  ScalarBuilder(mlir::ImplicitLocOpBuilder &body, NodeConversion &node)
      : ImplicitLocOpBuilder(body), node(node), isUnsigned(node.isUnsigned(0)) {
  }

  /// A number of the type `type`, an integer or a float.
  mlir::Value number(mlir::Type type, double value);

  /// The element type of the node's result.
  mlir::Type resultType() { return node.resultElementType(0); }

  NodeConversion &node;
  /// Whether the first operand is an unsigned integer.
  const bool isUnsigned;
};

/// Computes one element from the elements of the operands; one that the node
/// leaves out is null.
using ScalarFunction = mlir::Value (*)(ScalarBuilder &, mlir::ValueRange);

/// Converts a node whose result is `function` of its broadcast operands.
mlir::LogicalResult convertElementwise(NodeConversion &node,
                                       ScalarFunction function);

/// `convertElementwise` as a row of the operator table wants it.
template <ScalarFunction function>
mlir::LogicalResult elementwise(NodeConversion &node) {
  return convertElementwise(node, function);
}

/// `value` as an element of type `to`, by the rules of the ONNX operator Cast.
/// The flags say which integer types are unsigned.
mlir::Value castScalar(mlir::ImplicitLocOpBuilder &b, mlir::Value value,
                       bool fromUnsigned, mlir::Type to, bool toUnsigned);

mlir::LogicalResult convertCast(NodeConversion &node);
mlir::LogicalResult convertIdentity(NodeConversion &node);
mlir::LogicalResult convertDropout(NodeConversion &node);

/// The operators, by their ONNX names.
namespace scalar {

using Args = mlir::ValueRange;
using mlir::Value;

// ScalarArithmetic.cpp
Value abs(ScalarBuilder &b, Args x);
Value add(ScalarBuilder &b, Args x);
Value bitShift(ScalarBuilder &b, Args x);
Value ceil(ScalarBuilder &b, Args x);
Value clip(ScalarBuilder &b, Args x);
Value div(ScalarBuilder &b, Args x);
Value floor(ScalarBuilder &b, Args x);
Value max(ScalarBuilder &b, Args x);
Value mean(ScalarBuilder &b, Args x);
Value min(ScalarBuilder &b, Args x);
Value mod(ScalarBuilder &b, Args x);
Value mul(ScalarBuilder &b, Args x);
Value neg(ScalarBuilder &b, Args x);
Value pow(ScalarBuilder &b, Args x);
Value reciprocal(ScalarBuilder &b, Args x);
Value round(ScalarBuilder &b, Args x);
Value sign(ScalarBuilder &b, Args x);
Value sub(ScalarBuilder &b, Args x);
Value sum(ScalarBuilder &b, Args x);

// ScalarLogic.cpp
Value bitwiseAnd(ScalarBuilder &b, Args x);
Value bitwiseNot(ScalarBuilder &b, Args x);
Value bitwiseOr(ScalarBuilder &b, Args x);
Value bitwiseXor(ScalarBuilder &b, Args x);
Value equal(ScalarBuilder &b, Args x);
Value greater(ScalarBuilder &b, Args x);
Value greaterOrEqual(ScalarBuilder &b, Args x);
Value isInf(ScalarBuilder &b, Args x);
Value isNaN(ScalarBuilder &b, Args x);
Value less(ScalarBuilder &b, Args x);
Value lessOrEqual(ScalarBuilder &b, Args x);
Value where(ScalarBuilder &b, Args x);

// ScalarMath.cpp
Value acos(ScalarBuilder &b, Args x);
Value acosh(ScalarBuilder &b, Args x);
Value asin(ScalarBuilder &b, Args x);
Value asinh(ScalarBuilder &b, Args x);
Value atan(ScalarBuilder &b, Args x);
Value atanh(ScalarBuilder &b, Args x);
Value cos(ScalarBuilder &b, Args x);
Value cosh(ScalarBuilder &b, Args x);
Value erf(ScalarBuilder &b, Args x);
Value exp(ScalarBuilder &b, Args x);
Value log(ScalarBuilder &b, Args x);
Value sin(ScalarBuilder &b, Args x);
Value sinh(ScalarBuilder &b, Args x);
Value sqrt(ScalarBuilder &b, Args x);
Value tan(ScalarBuilder &b, Args x);
Value tanh(ScalarBuilder &b, Args x);

// ScalarActivations.cpp
Value celu(ScalarBuilder &b, Args x);
Value elu(ScalarBuilder &b, Args x);
Value gelu(ScalarBuilder &b, Args x);
Value hardSigmoid(ScalarBuilder &b, Args x);
Value hardSwish(ScalarBuilder &b, Args x);
Value leakyRelu(ScalarBuilder &b, Args x);
Value mish(ScalarBuilder &b, Args x);
Value pRelu(ScalarBuilder &b, Args x);
Value relu(ScalarBuilder &b, Args x);
Value selu(ScalarBuilder &b, Args x);
Value sigmoid(ScalarBuilder &b, Args x);
Value softplus(ScalarBuilder &b, Args x);
Value softsign(ScalarBuilder &b, Args x);
Value swish(ScalarBuilder &b, Args x);
Value thresholdedRelu(ScalarBuilder &b, Args x);

} // namespace scalar
} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_CONVERT_ELEMENTWISE_H
