// PackedConvert.cpp - cvt to and from pairs of values: f16 and bf16, and the
// formats of 4, 6 and 8 bits with their scales (PTX ISA 9.7.9.21).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Elementwise.h"
#include "codegen/nvidia/ptx/PackedFormat.h"

#include <cmath>
#include <limits>

namespace heddle::ptx {

const PackedFormat *packedFormat(Type type) {
  static constexpr PackedFormat formats[] = {
      {Type::F16x2, &formatF16, 2, 16},  {Type::BF16x2, &formatBF16, 2, 16},
      {Type::E4M3x2, &formatE4M3, 2, 8}, {Type::E5M2x2, &formatE5M2, 2, 8},
      {Type::E2M3x2, &formatE2M3, 2, 8}, {Type::E3M2x2, &formatE3M2, 2, 8},
      {Type::E2M1x2, &formatE2M1, 2, 4}, {Type::UE8M0x2, nullptr, 2, 8},
      {Type::E4M3x4, &formatE4M3, 4, 8}, {Type::E5M2x4, &formatE5M2, 4, 8},
      {Type::E2M3x4, &formatE2M3, 4, 8}, {Type::E3M2x4, &formatE3M2, 4, 8},
      {Type::E2M1x4, &formatE2M1, 4, 4}};
  for (const PackedFormat &format : formats)
    if (format.type == type)
      return &format;
  return nullptr;
}

namespace {

/// `Op::mode`; `Op::mode2` is the rounding, `Op::immediate` the types.
enum PackedFlag : uint8_t { Relu = 1, SatFinite = 2 };

constexpr uint32_t scaleNan = 0xFF, scaleMost = 0xFE;
constexpr int scaleBias = 127;

/// ue8m0 is the exponent alone: 2^(bits - 127). It has no sign, which is
/// dropped, and no zero: the least value is 2^-127.
uint32_t encodeScale(double value, bool roundsUp, bool satFinite) {
  if (std::isnan(value))
    return scaleNan;
  uint32_t overflow = satFinite ? scaleMost : scaleNan;
  double magnitude = std::fabs(value);
  if (std::isinf(magnitude))
    return overflow;
  if (magnitude <= std::ldexp(1.0, -scaleBias))
    return 0;
  int exponent = std::ilogb(magnitude);
  if (roundsUp && magnitude > std::ldexp(1.0, exponent))
    ++exponent;
  uint32_t bits = uint32_t(exponent + scaleBias);
  return bits > scaleMost ? overflow : bits;
}

double decodeScale(uint32_t bits) {
  return bits == scaleNan ? std::numeric_limits<double>::quiet_NaN()
                          : std::ldexp(1.0, int(bits) - scaleBias);
}

uint32_t encodeElement(double value, const PackedFormat &to, const Op &op) {
  Rounding rounding = Rounding(op.mode2);
  bool satFinite = op.mode & SatFinite;
  if (!to.format)
    return encodeScale(value, rounding == Rounding::Up, satFinite);
  if ((op.mode & Relu) && value <= 0) // -0 as well
    value = 0;
  return encode(value, *to.format, rounding, satFinite);
}

double decodeElement(uint32_t word, const PackedFormat &from, unsigned place) {
  uint32_t bits = word >> (place * from.elementBits);
  bits &= (1u << from.elementBits) - 1;
  return from.format ? decode(bits, *from.format) : decodeScale(bits);
}

const PackedFormat &resultOf(const Op &op) {
  return *packedFormat(Type(op.immediate & 255));
}

/// `cvt.pair.f32 d, a, b`: a to the upper element.
void fromSingles(Warp &warp, const Op &op, Lanes lanes) {
  const PackedFormat &to = resultOf(op);
  auto *d = warp.row<uint32_t>(op.d), *a = warp.row<uint32_t>(op.a),
       *b = warp.row<uint32_t>(op.b);
  forLanes(lanes, [&](unsigned i) {
    uint32_t high = encodeElement(std::bit_cast<float>(a[i]), to, op);
    d[i] = high << to.elementBits |
           encodeElement(std::bit_cast<float>(b[i]), to, op);
  });
}

/// The plain `cvt.rn.bf16x2.f32`, which compilers emit most.
void bf16FromSingles(Warp &warp, const Op &op, Lanes lanes) {
  auto *d = warp.row<uint32_t>(op.d), *a = warp.row<uint32_t>(op.a),
       *b = warp.row<uint32_t>(op.b);
  forLanes(lanes, [&](unsigned i) {
    uint32_t high = toBF16(std::bit_cast<float>(a[i]));
    d[i] = high << 16 | toBF16(std::bit_cast<float>(b[i]));
  });
}

/// `cvt.pair.pair d, a`: element by element.
void fromPair(Warp &warp, const Op &op, Lanes lanes) {
  const PackedFormat &to = resultOf(op);
  const PackedFormat &from = *packedFormat(Type(op.immediate >> 8));
  auto *d = warp.row<uint32_t>(op.d), *a = warp.row<uint32_t>(op.a);
  forLanes(lanes, [&](unsigned i) {
    uint32_t high = encodeElement(decodeElement(a[i], from, 1), to, op);
    d[i] = high << to.elementBits |
           encodeElement(decodeElement(a[i], from, 0), to, op);
  });
}

bool isHalves(Type type) { return type == Type::F16x2 || type == Type::BF16x2; }

/// Whether a pair of types has a conversion.
bool isConvertible(const PackedFormat *to, Type from) {
  const PackedFormat *pair = packedFormat(from);
  if (!to || to->count != 2)
    return false;
  if (!to->format)
    return from == Type::F32 || from == Type::BF16x2;
  if (isHalves(to->type))
    return from == Type::F32 || (pair && pair->count == 2 && !isHalves(from) &&
                                 (pair->format || to->type == Type::BF16x2));
  return from == Type::F32 || isHalves(from);
}

/// Rounding, `.relu` and `.satfinite`, where they go with the types.
void takeModifiers(Builder &b, const PackedFormat &to, Type from) {
  bool isScale = !to.format, fromScale = from == Type::UE8M0x2;
  bool fromSingle = from == Type::F32, toHalves = isHalves(to.type);
  Rounding rounding = Rounding::NearestEven;
  if (isScale && b.take("rp"))
    rounding = Rounding::Up;
  else if ((isScale || (toHalves && fromSingle)) && b.take("rz"))
    rounding = Rounding::Zero;
  else if (isScale || !b.take("rn"))
    b.refuse("expected a rounding modifier");
  b.op.mode2 = uint8_t(rounding);
  if (!isScale && !fromScale && b.take("relu"))
    b.op.mode |= Relu;
  if (!isScale && !toHalves)
    b.require("satfinite");
  if ((!isScale && !toHalves) ||
      ((isScale || fromSingle) && b.take("satfinite")))
    b.op.mode |= SatFinite;
}

} // namespace

void buildPackedConvert(Builder &b, Type to, Type from) {
  const PackedFormat *format = packedFormat(to);
  if (!isConvertible(format, from))
    b.refuse("conversion from '." + std::string(spelling(from)) + "' to '." +
             std::string(spelling(to)) + "' is not covered");
  takeModifiers(b, *format, from);
  b.op.immediate = uint64_t(to) | uint64_t(from) << 8;
  size_t operands = from == Type::F32 ? 3 : 2;
  b.requireOperands(operands, operands);
  if (from == Type::F32) {
    b.op.a = b.partSource(b.operand(1), Type::F32, Half::High);
    b.op.b = b.partSource(b.operand(2), Type::F32, Half::Low);
    b.op.byHalves = true;
    bool isPlain = to == Type::BF16x2 && b.op.mode == 0 && b.op.mode2 == 0;
    b.op.run = isPlain ? bf16FromSingles : fromSingles;
  } else {
    b.op.a = b.source(1, packedFormat(from)->word());
    b.op.run = fromPair;
  }
  b.op.d = b.destination(0, format->word());
}

} // namespace heddle::ptx
