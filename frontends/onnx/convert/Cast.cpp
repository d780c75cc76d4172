//===- Cast.cpp - conversion between element types ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/convert/Elementwise.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace heddle;

/// 2^exponent as a constant of the type `type`.
static Value powerOfTwo(ImplicitLocOpBuilder &b, Type type, int exponent,
                        bool negative) {
  double value = std::ldexp(negative ? -1.0 : 1.0, exponent);
  return arith::ConstantOp::create(b, b.getFloatAttr(type, value));
}

/// `value` where lower <= value < upper, 0 elsewhere (also for NaN), and the
/// flag that says which it was.
static std::pair<Value, Value> restrictTo(ImplicitLocOpBuilder &b, Value value,
                                          Value lower, Value upper) {
  Value above =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OGE, value, lower);
  Value below =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, value, upper);
  Value inside = arith::AndIOp::create(b, above, below);
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(value.getType()));
  return {arith::SelectOp::create(b, inside, value, zero), inside};
}

/// Truncates an f32 or f64 to a signed integer of 32 or 64 bits. ONNX leaves
/// values outside of its range undefined; here they become its minimum, as the
/// conversion instructions of x86 have it, and never poison.
static Value truncateToSigned(ImplicitLocOpBuilder &b, Value value,
                              unsigned width) {
  Type type = value.getType();
  auto [safe, inside] =
      restrictTo(b, value, powerOfTwo(b, type, width - 1, true),
                 powerOfTwo(b, type, width - 1, false));
  IntegerType integer = b.getIntegerType(width);
  Value number = arith::FPToSIOp::create(b, integer, safe);
  Value minimum = arith::ConstantOp::create(
      b, b.getIntegerAttr(integer, APInt::getSignedMinValue(width)));
  return arith::SelectOp::create(b, inside, number, minimum);
}

/// Truncates to an unsigned integer of 64 bits. A negative number wraps around,
/// as it does when it goes through a signed one.
static Value truncateToUnsigned64(ImplicitLocOpBuilder &b, Value value) {
  Type type = value.getType();
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
  auto [safe, inside] =
      restrictTo(b, value, zero, powerOfTwo(b, type, 64, false));
  Value number = arith::FPToUIOp::create(b, b.getI64Type(), safe);
  Value wrapped = truncateToSigned(b, value, 64);
  return arith::SelectOp::create(b, inside, number, wrapped);
}

static Value floatToInteger(ImplicitLocOpBuilder &b, Value value,
                            IntegerType to, bool toUnsigned) {
  if (to.getWidth() == 1) {
    // Everything but zero is true, NaN too.
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(value.getType()));
    return arith::CmpFOp::create(b, arith::CmpFPredicate::UNE, value, zero);
  }
  if (value.getType().getIntOrFloatBitWidth() < 32)
    value = arith::ExtFOp::create(b, b.getF32Type(), value);
  if (toUnsigned && to.getWidth() == 64)
    return truncateToUnsigned64(b, value);
  // A narrow integer takes the low bits of a wide one.
  unsigned width = to.getWidth() + toUnsigned > 32 ? 64 : 32;
  Value wide = truncateToSigned(b, value, width);
  return width == to.getWidth() ? wide : arith::TruncIOp::create(b, to, wide);
}

static Value floatToFloat(ImplicitLocOpBuilder &b, Value value, FloatType to) {
  auto from = cast<FloatType>(value.getType());
  if (from.getWidth() < to.getWidth())
    return arith::ExtFOp::create(b, to, value);
  // f16 and bf16 hold different values; f64 reaches both through f32, as ONNX
  // Runtime does.
  if (from.getWidth() == to.getWidth())
    value = arith::ExtFOp::create(b, b.getF32Type(), value);
  else if (from.getWidth() == 64 && to.getWidth() < 32)
    value = arith::TruncFOp::create(b, b.getF32Type(), value);
  return arith::TruncFOp::create(b, to, value);
}

static Value integerToFloat(ImplicitLocOpBuilder &b, Value value,
                            bool fromUnsigned, FloatType to) {
  Type wide = to.getWidth() < 32 ? b.getF32Type() : Type(to);
  Value number = fromUnsigned ? Value(arith::UIToFPOp::create(b, wide, value))
                              : Value(arith::SIToFPOp::create(b, wide, value));
  return wide == to ? number : arith::TruncFOp::create(b, to, number);
}

static Value integerToInteger(ImplicitLocOpBuilder &b, Value value,
                              bool fromUnsigned, IntegerType to) {
  if (to.getWidth() == 1) {
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(value.getType()));
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, value, zero);
  }
  unsigned width = cast<IntegerType>(value.getType()).getWidth();
  if (width > to.getWidth())
    return arith::TruncIOp::create(b, to, value);
  if (width == to.getWidth())
    return value;
  if (fromUnsigned)
    return arith::ExtUIOp::create(b, to, value);
  return arith::ExtSIOp::create(b, to, value);
}

Value heddle::castScalar(ImplicitLocOpBuilder &b, Value value,
                         bool fromUnsigned, Type to, bool toUnsigned) {
  Type from = value.getType();
  if (from == to)
    return value;
  // A bool is 0 or 1, never -1.
  fromUnsigned |= from.isInteger(1);
  if (auto toFloat = dyn_cast<FloatType>(to))
    return isa<FloatType>(from)
               ? floatToFloat(b, value, toFloat)
               : integerToFloat(b, value, fromUnsigned, toFloat);
  auto toInteger = cast<IntegerType>(to);
  return isa<FloatType>(from)
             ? floatToInteger(b, value, toInteger, toUnsigned)
             : integerToInteger(b, value, fromUnsigned, toInteger);
}

LogicalResult heddle::convertCast(NodeConversion &node) {
  Type from = node.inputElementType(0);
  Type to = node.onnxResultElementType(0);
  if (signless(from) == signless(to)) {
    node.setResult(0, node.input(0));
    return success();
  }
  SymTensor result =
      node.build.map(node.resultShape(0), signless(to), node.operand(0),
                     [&](ImplicitLocOpBuilder &b, ValueRange x) {
                       return castScalar(b, x[0], from.isUnsignedInteger(),
                                         signless(to), to.isUnsignedInteger());
                     });
  node.setResult(0, result);
  return success();
}
