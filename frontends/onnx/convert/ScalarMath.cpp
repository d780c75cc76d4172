//===- ScalarMath.cpp - transcendental functions of elements --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/convert/Elementwise.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace heddle;

/// One operation of the math dialect. Half-precision elements are computed in
/// f32, which rounds once.
template <typename MathOp>
static Value compute(ScalarBuilder &b, ValueRange x) {
  Type type = x[0].getType();
  Type wide = type.getIntOrFloatBitWidth() < 32 ? b.getF32Type() : type;
  Value argument = castScalar(b, x[0], false, wide, false);
  return castScalar(b, MathOp::create(b, argument), false, type, false);
}

Value scalar::acos(ScalarBuilder &b, Args x) {
  return compute<math::AcosOp>(b, x);
}
Value scalar::acosh(ScalarBuilder &b, Args x) {
  return compute<math::AcoshOp>(b, x);
}
Value scalar::asin(ScalarBuilder &b, Args x) {
  return compute<math::AsinOp>(b, x);
}
Value scalar::asinh(ScalarBuilder &b, Args x) {
  return compute<math::AsinhOp>(b, x);
}
Value scalar::atan(ScalarBuilder &b, Args x) {
  return compute<math::AtanOp>(b, x);
}
Value scalar::atanh(ScalarBuilder &b, Args x) {
  return compute<math::AtanhOp>(b, x);
}
Value scalar::cos(ScalarBuilder &b, Args x) {
  return compute<math::CosOp>(b, x);
}
Value scalar::cosh(ScalarBuilder &b, Args x) {
  return compute<math::CoshOp>(b, x);
}
Value scalar::erf(ScalarBuilder &b, Args x) {
  return compute<math::ErfOp>(b, x);
}
Value scalar::exp(ScalarBuilder &b, Args x) {
  return compute<math::ExpOp>(b, x);
}
Value scalar::log(ScalarBuilder &b, Args x) {
  return compute<math::LogOp>(b, x);
}
Value scalar::sin(ScalarBuilder &b, Args x) {
  return compute<math::SinOp>(b, x);
}
Value scalar::sinh(ScalarBuilder &b, Args x) {
  return compute<math::SinhOp>(b, x);
}
Value scalar::sqrt(ScalarBuilder &b, Args x) {
  return compute<math::SqrtOp>(b, x);
}
Value scalar::tan(ScalarBuilder &b, Args x) {
  return compute<math::TanOp>(b, x);
}
Value scalar::tanh(ScalarBuilder &b, Args x) {
  return compute<math::TanhOp>(b, x);
}
