//===- VectorMath.cpp - elementary functions as polynomials ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// The coefficients are minimax fits of the relative error, made with Lawson's
// iteration (iteratively reweighted least squares) on Chebyshev nodes;
// rational functions with the linearisation of Sanathanan and Koerner.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/VectorMath.h"

#include "passes/transforms/LinalgNest.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <limits>
#include <numbers>

using namespace mlir;
using namespace heddle;

/// Adding it to a float below 2^22 rounds that to an integer, which is then in
/// the low bits of the sum.
static constexpr double kRoundingShift = 12582912.0; // 1.5 * 2^23
static constexpr int32_t kMantissaBits = 23;
static constexpr double kInfinity = std::numeric_limits<double>::infinity();

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

/// `attribute` as a constant of the type of `like`.
static Value makeConstant(ImplicitLocOpBuilder &b, Type type,
                          TypedAttr attribute) {
  if (auto vector = dyn_cast<ShapedType>(type))
    attribute = DenseElementsAttr::get(vector, attribute);
  return arith::ConstantOp::create(b, attribute);
}

Value VectorMath::constant(Value like, double value) {
  return makeConstant(b, like.getType(), b.getF32FloatAttr(value));
}

/// The i32 type of the shape of `type`.
static Type integerType(ImplicitLocOpBuilder &b, Type type) {
  if (auto vector = dyn_cast<ShapedType>(type))
    return vector.clone(b.getI32Type());
  return b.getI32Type();
}

Value VectorMath::integer(Value like, int32_t value) {
  return makeConstant(b, integerType(b, like.getType()),
                      b.getI32IntegerAttr(value));
}

Value VectorMath::add(Value x, Value y) {
  return arith::AddFOp::create(b, x, y);
}

Value VectorMath::subtract(Value x, Value y) {
  return arith::SubFOp::create(b, x, y);
}

Value VectorMath::multiply(Value x, Value y) {
  return arith::MulFOp::create(b, x, y);
}

Value VectorMath::multiplyAdd(Value x, Value y, Value z) {
  return math::FmaOp::create(b, x, y, z);
}

/// Coefficients from the constant one up.
Value VectorMath::polynomial(Value x, ArrayRef<double> coefficients) {
  Value sum = constant(x, coefficients.back());
  for (double coefficient : llvm::reverse(coefficients.drop_back()))
    sum = multiplyAdd(sum, x, constant(x, coefficient));
  return sum;
}

// Both of these are one instruction, and give NaN for NaN.

Value VectorMath::atLeast(Value x, double bound) {
  Value limit = constant(x, bound);
  Value below = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, limit, x);
  return arith::SelectOp::create(b, below, limit, x);
}

Value VectorMath::atMost(Value x, double bound) {
  Value limit = constant(x, bound);
  Value above = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, limit, x);
  return arith::SelectOp::create(b, above, limit, x);
}

Value VectorMath::absolute(Value x) { return math::AbsFOp::create(b, x); }

Value VectorMath::asInteger(Value x) {
  return arith::BitcastOp::create(b, integerType(b, x.getType()), x);
}

Value VectorMath::asFloat(Value bits) {
  Type type = b.getF32Type();
  if (auto vector = dyn_cast<ShapedType>(bits.getType()))
    type = vector.clone(type);
  return arith::BitcastOp::create(b, type, bits);
}

/// 2^exponent for an i32 exponent in the range of the normal numbers.
Value VectorMath::powerOfTwo(Value exponent) {
  Value zero = asFloat(exponent);
  Value biased = arith::AddIOp::create(b, exponent, integer(zero, 127));
  return asFloat(
      arith::ShLIOp::create(b, biased, integer(zero, kMantissaBits)));
}

//===----------------------------------------------------------------------===//
// Exponential and logarithm
//===----------------------------------------------------------------------===//

Value VectorMath::exp(Value x) {
  // e^x = 2^n * e^r. Outside of these bounds the result is 0 or infinity.
  x = atMost(atLeast(x, -104.0), 89.0);
  Value shifted = multiplyAdd(x, constant(x, std::numbers::log2e),
                              constant(x, kRoundingShift));
  Value n = subtract(shifted, constant(x, kRoundingShift));
  // ln(2) in two parts: the first has so few bits that its product with n is
  // exact (Cody and Waite).
  constexpr double high = 0.693359375;
  Value r = multiplyAdd(n, constant(x, -high), x);
  r = multiplyAdd(n, constant(x, high - std::numbers::ln2), r);
  Value p = polynomial(r, {0.4999999403953552, 0.1666652113199234,
                           0.04166838899254799, 0.008368710055947304,
                           0.001381461275741458});
  p = multiplyAdd(multiply(r, r), p, r);
  p = add(p, constant(x, 1.0));
  // 2^n in two factors: n reaches beyond the exponents of normal numbers.
  Value integerN = arith::SubIOp::create(
      b, asInteger(shifted), asInteger(constant(x, kRoundingShift)));
  Value half = arith::ShRSIOp::create(b, integerN, integer(x, 1));
  Value rest = arith::SubIOp::create(b, integerN, half);
  return multiply(multiply(p, powerOfTwo(half)), powerOfTwo(rest));
}

Value VectorMath::exp2NonPositive(Value x) {
  Value clamped = atLeast(x, -126.0);
  Value shifted = add(clamped, constant(x, kRoundingShift));
  Value n = subtract(shifted, constant(x, kRoundingShift));
  Value r = subtract(clamped, n);
  Value p = polynomial(r, {1.0, 0.6931470036506653, 0.24022242426872253,
                           0.05550733581185341, 0.009671512991189957,
                           0.001326472731307149});
  Value exponent =
      arith::ShLIOp::create(b, asInteger(shifted), integer(x, kMantissaBits));
  Value power = asFloat(arith::AddIOp::create(b, asInteger(p), exponent));
  Value tooSmall = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, x,
                                         constant(x, -126.0));
  return arith::SelectOp::create(b, tooSmall, constant(x, 0.0), power);
}

Value VectorMath::log(Value x) {
  // Subnormal numbers are scaled up first.
  Value small = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, x,
                                      constant(x, 0x1p-126));
  Value scaled =
      arith::SelectOp::create(b, small, multiply(x, constant(x, 0x1p+23)), x);
  // x = 2^e * m with m in [sqrt(1/2), sqrt(2)): the offset moves the carry from
  // the mantissa into the exponent to sqrt(2).
  constexpr int32_t offset = 0x3f3504f3; // bits of sqrt(1/2)
  Value shifted =
      arith::SubIOp::create(b, asInteger(scaled), integer(x, offset));
  Value e = arith::ShRSIOp::create(b, shifted, integer(x, kMantissaBits));
  Value mantissa = arith::AndIOp::create(b, shifted, integer(x, 0x007fffff));
  Value m = asFloat(arith::AddIOp::create(b, mantissa, integer(x, offset)));
  Value exponent = arith::SIToFPOp::create(b, x.getType(), e);
  exponent = arith::SelectOp::create(
      b, small, subtract(exponent, constant(x, 23.0)), exponent);
  // log(m) = 2 artanh(s) with s = (m - 1) / (m + 1).
  Value f = subtract(m, constant(x, 1.0));
  Value s = arith::DivFOp::create(b, f, add(m, constant(x, 1.0)));
  Value z = multiply(s, s);
  Value p = polynomial(
      z, {0.6666677594184875, 0.3997757136821747, 0.2987104058265686});
  // 2s = f - s f, which keeps the error of the division out of the large term.
  Value tail = multiply(s, subtract(multiply(z, p), f));
  constexpr double high = 0.693359375;
  tail = multiplyAdd(exponent, constant(x, std::numbers::ln2 - high), tail);
  Value result = multiplyAdd(exponent, constant(x, high), add(f, tail));
  // The ends of the range.
  auto replace = [&](arith::CmpFPredicate predicate, double bound,
                     double value) {
    Value hit = arith::CmpFOp::create(b, predicate, x, constant(x, bound));
    result = arith::SelectOp::create(b, hit, constant(x, value), result);
  };
  replace(arith::CmpFPredicate::OEQ, kInfinity, kInfinity);
  replace(arith::CmpFPredicate::OEQ, 0.0, -kInfinity);
  replace(arith::CmpFPredicate::ULT, 0.0,
          std::numeric_limits<double>::quiet_NaN());
  return result;
}

//===----------------------------------------------------------------------===//
// Sigmoidal functions
//===----------------------------------------------------------------------===//

Value VectorMath::tanh(Value x) {
  Value magnitude = absolute(x);
  Value z = multiply(x, x);
  Value p = polynomial(z, {-0.3333328068256378, 0.13331441581249237,
                           -0.05373971536755562, 0.0206390880048275,
                           -0.005704987328499556});
  Value nearZero = multiplyAdd(multiply(z, p), x, x);
  // 1 - 2 / (e^2|x| + 1), which is 1 in f32 from 10 on.
  Value bounded = atMost(magnitude, 10.0);
  Value power = exp(add(bounded, bounded));
  Value ratio =
      arith::DivFOp::create(b, constant(x, 2.0), add(power, constant(x, 1.0)));
  Value far = math::CopySignOp::create(b, subtract(constant(x, 1.0), ratio), x);
  Value isNear = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, magnitude,
                                       constant(x, 0.625));
  return arith::SelectOp::create(b, isNear, nearZero, far);
}

Value VectorMath::erf(Value x) {
  // x P(x^2) / Q(x^2) up to 3.92, where it is 1 in f32.
  x = atMost(atLeast(x, -3.92), 3.92);
  Value z = multiply(x, x);
  Value p = polynomial(z, {1.1283791065216064, 0.19040702283382416,
                           0.05274880304932594, 0.00376564241014421,
                           0.0002848835720214993, 2.0500867776718223e-06});
  Value q = polynomial(z, {1.0, 0.5020765662193298, 0.1141093447804451,
                           0.014969266951084137, 0.001162542263045907,
                           3.809175541391596e-05});
  return arith::DivFOp::create(b, multiply(x, p), q);
}

Value VectorMath::gelu(Value x, GeluApproximation approximation) {
  if (approximation == GeluApproximation::none) {
    Value bounded = erf(multiply(x, constant(x, std::numbers::sqrt2 / 2)));
    Value half = multiply(x, constant(x, 0.5));
    return multiplyAdd(half, bounded, half);
  }
  // (1 + tanh(u)) / 2 = 1 / (1 + e^-2u).
  constexpr double factor = -2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
  Value square = multiply(x, x);
  Value u =
      multiplyAdd(square, constant(x, factor * 0.044715), constant(x, factor));
  Value power = exp(multiply(u, x));
  return arith::DivFOp::create(b, x, add(power, constant(x, 1.0)));
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

Value heddle::expandMath(ImplicitLocOpBuilder &b, Operation *op,
                         ValueRange operands) {
  if (operands.size() != 1)
    return {};
  Type type = operands[0].getType(), element = getElementTypeOrSelf(type);
  bool isNarrow = element.isF16() || element.isBF16();
  if (!element.isF32() && !isNarrow)
    return {};
  Type wide = b.getF32Type();
  if (auto vector = dyn_cast<ShapedType>(type))
    wide = vector.clone(wide);
  VectorMath math(b);
  auto input = [&] { return convertFloat(b, b.getLoc(), operands[0], wide); };
  Value result = llvm::TypeSwitch<Operation *, Value>(op)
                     .Case([&](math::ExpOp) { return math.exp(input()); })
                     .Case([&](math::LogOp) { return math.log(input()); })
                     .Case([&](math::TanhOp) { return math.tanh(input()); })
                     .Case([&](math::ErfOp) { return math.erf(input()); })
                     .Case([&](GeluOp gelu) {
                       return math.gelu(input(), gelu.getApproximate());
                     })
                     .Default(Value());
  return result ? convertFloat(b, b.getLoc(), result, type) : result;
}
