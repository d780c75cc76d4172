//===- ScalarArithmetic.cpp - arithmetic on elements ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/convert/Elementwise.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace heddle;

static bool isFloat(Value value) { return isa<FloatType>(value.getType()); }

//===----------------------------------------------------------------------===//
// Sums and products
//===----------------------------------------------------------------------===//

Value scalar::add(ScalarBuilder &b, Args x) {
  if (isFloat(x[0]))
    return arith::AddFOp::create(b, x[0], x[1]);
  return arith::AddIOp::create(b, x[0], x[1]);
}

Value scalar::sub(ScalarBuilder &b, Args x) {
  if (isFloat(x[0]))
    return arith::SubFOp::create(b, x[0], x[1]);
  return arith::SubIOp::create(b, x[0], x[1]);
}

Value scalar::mul(ScalarBuilder &b, Args x) {
  if (isFloat(x[0]))
    return arith::MulFOp::create(b, x[0], x[1]);
  return arith::MulIOp::create(b, x[0], x[1]);
}

Value scalar::sum(ScalarBuilder &b, Args x) {
  Value total = x[0];
  for (Value term : x.drop_front())
    total = add(b, {total, term});
  return total;
}

Value scalar::mean(ScalarBuilder &b, Args x) {
  return div(b, {sum(b, x), b.number(x[0].getType(), x.size())});
}

Value scalar::neg(ScalarBuilder &b, Args x) {
  if (isFloat(x[0]))
    return arith::NegFOp::create(b, x[0]);
  return sub(b, {b.number(x[0].getType(), 0), x[0]});
}

Value scalar::reciprocal(ScalarBuilder &b, Args x) {
  return arith::DivFOp::create(b, b.number(x[0].getType(), 1), x[0]);
}

//===----------------------------------------------------------------------===//
// Division
//===----------------------------------------------------------------------===//

static Value isEqual(ScalarBuilder &b, Value value, int64_t number) {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, value,
                               b.number(value.getType(), number));
}

namespace {

/// A divisor that traps for no dividend.
struct SafeDivisor {
  Value value;
  /// True where the divisor was -1; null where it is known not to be.
  Value isMinusOne;
};

} // namespace

/// Replaces the divisors 0, and -1 of signed types, by 1: the quotient of the
/// least number and -1 traps as one by 0 does.
static SafeDivisor makeSafe(ScalarBuilder &b, Value divisor) {
  APInt constant;
  if (matchPattern(divisor, m_ConstantInt(&constant)) && !constant.isZero() &&
      !constant.isAllOnes())
    return {divisor, Value()};
  Value one = b.number(divisor.getType(), 1);
  Value unsafe = isEqual(b, divisor, 0);
  Value isMinusOne;
  if (!b.isUnsigned) {
    isMinusOne = isEqual(b, divisor, -1);
    unsafe = arith::OrIOp::create(b, unsafe, isMinusOne);
  }
  return {arith::SelectOp::create(b, unsafe, one, divisor), isMinusOne};
}

/// The remainder with the sign of the dividend.
static Value truncatedRemainder(ScalarBuilder &b, Value dividend,
                                Value divisor) {
  if (isFloat(dividend))
    return arith::RemFOp::create(b, dividend, divisor);
  Value safe = makeSafe(b, divisor).value;
  if (b.isUnsigned)
    return arith::RemUIOp::create(b, dividend, safe);
  return arith::RemSIOp::create(b, dividend, safe);
}

/// The quotient; of integers it is rounded towards zero, and division by zero
/// gives the dividend (ONNX leaves it undefined).
Value scalar::div(ScalarBuilder &b, Args x) {
  if (isFloat(x[0]))
    return arith::DivFOp::create(b, x[0], x[1]);
  SafeDivisor divisor = makeSafe(b, x[1]);
  if (b.isUnsigned)
    return arith::DivUIOp::create(b, x[0], divisor.value);
  Value quotient = arith::DivSIOp::create(b, x[0], divisor.value);
  if (!divisor.isMinusOne)
    return quotient;
  return arith::SelectOp::create(b, divisor.isMinusOne, neg(b, x[0]), quotient);
}

/// With fmod the sign is the dividend's, without it the divisor's.
Value scalar::mod(ScalarBuilder &b, Args x) {
  Value remainder = truncatedRemainder(b, x[0], x[1]);
  if (b.isUnsigned || b.node.intAttr("fmod", 0) != 0)
    return remainder;
  Value zero = b.number(remainder.getType(), 0);
  Value shifted = add(b, {remainder, x[1]});
  if (isFloat(remainder)) {
    Value product = arith::MulFOp::create(b, remainder, x[1]);
    Value differ =
        arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, product, zero);
    return arith::SelectOp::create(b, differ, shifted, remainder);
  }
  Value mixed = arith::XOrIOp::create(b, remainder, x[1]);
  Value signsDiffer =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, mixed, zero);
  Value inexact =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ne, remainder, zero);
  Value adjust = arith::AndIOp::create(b, signsDiffer, inexact);
  return arith::SelectOp::create(b, adjust, shifted, remainder);
}

//===----------------------------------------------------------------------===//
// Powers
//===----------------------------------------------------------------------===//

/// The exponent where it is a constant.
static std::optional<double> constantExponent(Value exponent) {
  APInt integer;
  if (matchPattern(exponent, m_ConstantInt(&integer)))
    return integer.getSExtValue();
  FloatAttr number;
  if (matchPattern(exponent, m_Constant(&number)))
    return number.getValueAsDouble();
  return std::nullopt;
}

/// The exponents that ONNX Runtime computes by multiplication, too: a general
/// power differs in the last place and is much slower.
static Value smallPower(ScalarBuilder &b, Value base, double exponent) {
  if (exponent == 1)
    return base;
  Value square = scalar::mul(b, {base, base});
  return exponent == 2 ? square : scalar::mul(b, {square, base});
}

Value scalar::pow(ScalarBuilder &b, Args x) {
  Type type = x[0].getType();
  std::optional<double> exponent = constantExponent(x[1]);
  if (exponent && (*exponent == 1 || *exponent == 2 || *exponent == 3))
    return smallPower(b, x[0], *exponent);
  bool exponentUnsigned = b.node.isUnsigned(1);
  // Integers are raised as f64, which is what ONNX Runtime does.
  Type wide = type;
  if (!isFloat(x[0]))
    wide = b.getF64Type();
  else if (type.getIntOrFloatBitWidth() < 32)
    wide = b.getF32Type();
  Value base = castScalar(b, x[0], b.isUnsigned, wide, false);
  Value power = castScalar(b, x[1], exponentUnsigned, wide, false);
  return castScalar(b, math::PowFOp::create(b, base, power), false, type,
                    b.isUnsigned);
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

static Value larger(ScalarBuilder &b, Value a, Value c) {
  if (isFloat(a))
    return arith::MaximumFOp::create(b, a, c);
  if (b.isUnsigned)
    return arith::MaxUIOp::create(b, a, c);
  return arith::MaxSIOp::create(b, a, c);
}

static Value smaller(ScalarBuilder &b, Value a, Value c) {
  if (isFloat(a))
    return arith::MinimumFOp::create(b, a, c);
  if (b.isUnsigned)
    return arith::MinUIOp::create(b, a, c);
  return arith::MinSIOp::create(b, a, c);
}

Value scalar::max(ScalarBuilder &b, Args x) {
  Value result = x[0];
  for (Value other : x.drop_front())
    result = larger(b, result, other);
  return result;
}

Value scalar::min(ScalarBuilder &b, Args x) {
  Value result = x[0];
  for (Value other : x.drop_front())
    result = smaller(b, result, other);
  return result;
}

Value scalar::clip(ScalarBuilder &b, Args x) {
  Value result = x[0];
  if (x.size() > 1 && x[1])
    result = larger(b, result, x[1]);
  if (x.size() > 2 && x[2])
    result = smaller(b, result, x[2]);
  return result;
}

Value scalar::abs(ScalarBuilder &b, Args x) {
  if (isFloat(x[0]))
    return math::AbsFOp::create(b, x[0]);
  return b.isUnsigned ? x[0] : Value(math::AbsIOp::create(b, x[0]));
}

Value scalar::sign(ScalarBuilder &b, Args x) {
  Type type = x[0].getType();
  Value zero = b.number(type, 0), one = b.number(type, 1);
  if (isFloat(x[0])) {
    Value positive =
        arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, x[0], zero);
    Value negative =
        arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, x[0], zero);
    // The element itself where it is 0 or NaN.
    Value rest = arith::SelectOp::create(b, negative, b.number(type, -1), x[0]);
    return arith::SelectOp::create(b, positive, one, rest);
  }
  if (b.isUnsigned)
    return arith::MinUIOp::create(b, x[0], one);
  Value atMostOne = arith::MinSIOp::create(b, x[0], one);
  return arith::MaxSIOp::create(b, atMostOne, b.number(type, -1));
}

//===----------------------------------------------------------------------===//
// Rounding and shifts
//===----------------------------------------------------------------------===//

Value scalar::ceil(ScalarBuilder &b, Args x) {
  return math::CeilOp::create(b, x[0]);
}

Value scalar::floor(ScalarBuilder &b, Args x) {
  return math::FloorOp::create(b, x[0]);
}

Value scalar::round(ScalarBuilder &b, Args x) {
  return math::RoundEvenOp::create(b, x[0]);
}

/// A shift by the width or more gives 0; the instruction would be undefined.
Value scalar::bitShift(ScalarBuilder &b, Args x) {
  Type type = x[0].getType();
  Value width = b.number(type, type.getIntOrFloatBitWidth());
  Value tooFar =
      arith::CmpIOp::create(b, arith::CmpIPredicate::uge, x[1], width);
  Value zero = b.number(type, 0);
  Value amount = arith::SelectOp::create(b, tooFar, zero, x[1]);
  Value shifted = b.node.stringAttr("direction", "LEFT") == "LEFT"
                      ? Value(arith::ShLIOp::create(b, x[0], amount))
                      : Value(arith::ShRUIOp::create(b, x[0], amount));
  return arith::SelectOp::create(b, tooFar, zero, shifted);
}
