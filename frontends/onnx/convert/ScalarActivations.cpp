//===- ScalarActivations.cpp - activation functions of elements -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/HeddleDialect.h"
#include "frontends/onnx/convert/Elementwise.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace heddle;

/// Computes `function` in f32 where the element is of half precision.
static Value inFullPrecision(ScalarBuilder &b, Value x,
                             function_ref<Value(Value)> function) {
  Type type = x.getType();
  Type wide = type.getIntOrFloatBitWidth() < 32 ? b.getF32Type() : type;
  Value result = function(castScalar(b, x, false, wide, false));
  return castScalar(b, result, false, type, false);
}

static Value attribute(ScalarBuilder &b, Value like, StringRef name,
                       double defaultValue) {
  return b.number(like.getType(), b.node.floatAttr(name, defaultValue));
}

/// `positive` where x > 0, else `other`.
static Value wherePositive(ScalarBuilder &b, Value x, Value positive,
                           Value other) {
  Value condition = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, x,
                                          b.number(x.getType(), 0));
  return arith::SelectOp::create(b, condition, positive, other);
}

/// `slope * x` where x < 0, else x.
static Value leak(ScalarBuilder &b, Value x, Value slope) {
  Value zero = b.number(x.getType(), 0);
  bool isFloat = isa<FloatType>(x.getType());
  Value negative =
      isFloat
          ? Value(arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, x, zero))
          : Value(arith::CmpIOp::create(b,
                                        b.isUnsigned
                                            ? arith::CmpIPredicate::ult
                                            : arith::CmpIPredicate::slt,
                                        x, zero));
  return arith::SelectOp::create(b, negative, scalar::mul(b, {x, slope}), x);
}

static Value clampToUnit(ScalarBuilder &b, Value x) {
  Type type = x.getType();
  Value atLeast0 = arith::MaximumFOp::create(b, x, b.number(type, 0));
  return arith::MinimumFOp::create(b, atLeast0, b.number(type, 1));
}

/// 1 / (1 + exp(-x))
static Value logistic(ScalarBuilder &b, Value x) {
  Value one = b.number(x.getType(), 1);
  Value power = math::ExpOp::create(b, arith::NegFOp::create(b, x));
  return arith::DivFOp::create(b, one, arith::AddFOp::create(b, one, power));
}

/// log(1 + exp(x)), written so that exp cannot overflow.
static Value logOnePlusExp(ScalarBuilder &b, Value x) {
  Value magnitude = math::AbsFOp::create(b, x);
  Value power = math::ExpOp::create(b, arith::NegFOp::create(b, magnitude));
  Value positive = arith::MaximumFOp::create(b, x, b.number(x.getType(), 0));
  return arith::AddFOp::create(b, positive, math::Log1pOp::create(b, power));
}

/// alpha * (exp(x / scale) - 1)
static Value exponentialTail(ScalarBuilder &b, Value x, double alpha,
                             double scale) {
  Type type = x.getType();
  if (scale != 1)
    x = arith::DivFOp::create(b, x, b.number(type, scale));
  Value tail =
      arith::SubFOp::create(b, math::ExpOp::create(b, x), b.number(type, 1));
  return arith::MulFOp::create(b, b.number(type, alpha), tail);
}

Value scalar::relu(ScalarBuilder &b, Args x) {
  return max(b, {x[0], b.number(x[0].getType(), 0)});
}

Value scalar::leakyRelu(ScalarBuilder &b, Args x) {
  return leak(b, x[0], attribute(b, x[0], "alpha", 0.01));
}

Value scalar::pRelu(ScalarBuilder &b, Args x) { return leak(b, x[0], x[1]); }

Value scalar::thresholdedRelu(ScalarBuilder &b, Args x) {
  Value alpha = attribute(b, x[0], "alpha", 1);
  Value above =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, x[0], alpha);
  return arith::SelectOp::create(b, above, x[0], b.number(x[0].getType(), 0));
}

Value scalar::sigmoid(ScalarBuilder &b, Args x) {
  return inFullPrecision(b, x[0], [&](Value v) { return logistic(b, v); });
}

Value scalar::swish(ScalarBuilder &b, Args x) {
  return inFullPrecision(b, x[0], [&](Value v) -> Value {
    Value scaled = arith::MulFOp::create(b, v, attribute(b, v, "alpha", 1));
    return arith::MulFOp::create(b, v, logistic(b, scaled));
  });
}

Value scalar::softplus(ScalarBuilder &b, Args x) {
  return inFullPrecision(b, x[0], [&](Value v) { return logOnePlusExp(b, v); });
}

Value scalar::mish(ScalarBuilder &b, Args x) {
  return inFullPrecision(b, x[0], [&](Value v) -> Value {
    Value gate = math::TanhOp::create(b, logOnePlusExp(b, v));
    return arith::MulFOp::create(b, v, gate);
  });
}

Value scalar::softsign(ScalarBuilder &b, Args x) {
  Value magnitude = math::AbsFOp::create(b, x[0]);
  Value divisor =
      arith::AddFOp::create(b, magnitude, b.number(x[0].getType(), 1));
  return arith::DivFOp::create(b, x[0], divisor);
}

Value scalar::elu(ScalarBuilder &b, Args x) {
  double alpha = b.node.floatAttr("alpha", 1);
  return inFullPrecision(b, x[0], [&](Value v) {
    return wherePositive(b, v, v, exponentialTail(b, v, alpha, 1));
  });
}

Value scalar::celu(ScalarBuilder &b, Args x) {
  double alpha = b.node.floatAttr("alpha", 1);
  return inFullPrecision(b, x[0], [&](Value v) {
    return wherePositive(b, v, v, exponentialTail(b, v, alpha, alpha));
  });
}

Value scalar::selu(ScalarBuilder &b, Args x) {
  // Defaults: Klambauer et al., arXiv 1706.02515, as the ONNX operator rounds
  // them to f32.
  double alpha = b.node.floatAttr("alpha", 1.67326319217681884765625);
  double gamma = b.node.floatAttr("gamma", 1.05070102214813232421875);
  return inFullPrecision(b, x[0], [&](Value v) -> Value {
    Value body = wherePositive(b, v, v, exponentialTail(b, v, alpha, 1));
    return arith::MulFOp::create(b, b.number(v.getType(), gamma), body);
  });
}

Value scalar::hardSigmoid(ScalarBuilder &b, Args x) {
  Value scaled =
      arith::MulFOp::create(b, x[0], attribute(b, x[0], "alpha", 0.2));
  Value beta = attribute(b, x[0], "beta", 0.5);
  return clampToUnit(b, arith::AddFOp::create(b, scaled, beta));
}

Value scalar::hardSwish(ScalarBuilder &b, Args x) {
  Type type = x[0].getType();
  Value sixth = arith::MulFOp::create(b, x[0], b.number(type, 1.0 / 6));
  Value gate =
      clampToUnit(b, arith::AddFOp::create(b, sixth, b.number(type, 0.5)));
  return arith::MulFOp::create(b, x[0], gate);
}

Value scalar::gelu(ScalarBuilder &b, Args x) {
  GeluApproximation formula = b.node.stringAttr("approximate", "none") == "tanh"
                                  ? GeluApproximation::tanh
                                  : GeluApproximation::none;
  return inFullPrecision(
      b, x[0], [&](Value v) -> Value { return GeluOp::create(b, v, formula); });
}
