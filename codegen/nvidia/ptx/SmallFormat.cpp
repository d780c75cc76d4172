// SmallFormat.cpp - conversions of the formats of 4, 6 and 8 bits that hold
// block-scaled values and their scales (PTX ISA 9.7.9.21).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Elementwise.h"
#include "codegen/nvidia/ptx/Formats.h"

#include <cmath>
#include <limits>

namespace heddle::ptx {

namespace {

enum SmallFlag : uint8_t { Relu = 1, SatFinite = 2, RoundsUp = 4 };

/// Elements of a pair stand in bytes, those of e2m1 in the halves of one.
struct PairFormat {
  const Format *format; ///< null for ue8m0
  unsigned elementBits;
};

PairFormat pairFormat(Type type) {
  switch (type) {
  case Type::E2M3x2:
    return {&formatE2M3, 8};
  case Type::E3M2x2:
    return {&formatE3M2, 8};
  case Type::E2M1x2:
    return {&formatE2M1, 4};
  default:
    return {nullptr, 8};
  }
}

constexpr uint32_t scaleNan = 0xFF, scaleMost = 0xFE;
constexpr int scaleBias = 127;

/// ue8m0 is the exponent alone: 2^(bits - 127). It has no sign, which is
/// dropped, and no zero: the least value is 2^-127.
uint32_t encodeScale(double value, uint8_t flags) {
  if (std::isnan(value))
    return scaleNan;
  uint32_t overflow = flags & SatFinite ? scaleMost : scaleNan;
  double magnitude = std::fabs(value);
  if (std::isinf(magnitude))
    return overflow;
  if (magnitude <= std::ldexp(1.0, -scaleBias))
    return 0;
  int exponent = std::ilogb(magnitude);
  if ((flags & RoundsUp) && magnitude > std::ldexp(1.0, exponent))
    ++exponent;
  uint32_t bits = uint32_t(exponent + scaleBias);
  return bits > scaleMost ? overflow : bits;
}

double decodeScale(uint32_t bits) {
  return bits == scaleNan ? std::numeric_limits<double>::quiet_NaN()
                          : std::ldexp(1.0, int(bits) - scaleBias);
}

/// One element; `op.mode` SmallFlag.
uint32_t encodeElement(double value, const PairFormat &to, uint8_t flags) {
  if (!to.format)
    return encodeScale(value, flags);
  if ((flags & Relu) && value <= 0) // -0 as well
    value = 0;
  return encode(value, *to.format, Rounding::NearestEven, true);
}

/// `cvt.pair.f32 d, a, b`: a to the upper element. `op.immediate` the type.
void fromFloats(Warp &warp, const Op &op, Lanes lanes) {
  PairFormat to = pairFormat(Type(op.immediate));
  auto *d = warp.row<uint32_t>(op.d), *a = warp.row<uint32_t>(op.a),
       *b = warp.row<uint32_t>(op.b);
  forLanes(lanes, [&](unsigned i) {
    uint32_t high = encodeElement(std::bit_cast<float>(a[i]), to, op.mode);
    uint32_t low = encodeElement(std::bit_cast<float>(b[i]), to, op.mode);
    d[i] = high << to.elementBits | low;
  });
}

/// `cvt.ue8m0x2.bf16x2`
void scalesFromHalves(Warp &warp, const Op &op, Lanes lanes) {
  auto *d = warp.row<uint32_t>(op.d), *a = warp.row<uint32_t>(op.a);
  forLanes(lanes, [&](unsigned i) {
    uint32_t high = encodeScale(fromBF16(uint16_t(a[i] >> 16)), op.mode);
    d[i] = high << 8 | encodeScale(fromBF16(uint16_t(a[i])), op.mode);
  });
}

/// `cvt.f16x2.pair`, and `cvt.bf16x2.ue8m0x2`.
void toHalves(Warp &warp, const Op &op, Lanes lanes) {
  PairFormat from = pairFormat(Type(op.immediate));
  const Format &to = from.format ? formatF16 : formatBF16;
  auto *d = warp.row<uint32_t>(op.d), *a = warp.row<uint32_t>(op.a);
  auto element = [&](uint32_t bits) {
    bits &= (1u << from.elementBits) - 1;
    double value = from.format ? decode(bits, *from.format) : decodeScale(bits);
    if ((op.mode & Relu) && value <= 0)
      value = 0;
    return encode(value, to, Rounding::NearestEven, false);
  };
  forLanes(lanes, [&](unsigned i) {
    d[i] = element(a[i] >> from.elementBits) << 16 | element(a[i]);
  });
}

bool isSmallPair(Type type) {
  return type == Type::E2M3x2 || type == Type::E3M2x2 || type == Type::E2M1x2 ||
         type == Type::UE8M0x2;
}

Type wordOf(Type pair) { return bitWidth(pair) == 8 ? Type::B8 : Type::B16; }

/// From f32 or bf16x2 to a pair.
void buildNarrowing(Builder &b, Type to, Type from) {
  bool isScale = to == Type::UE8M0x2;
  if (from != Type::F32 && !(isScale && from == Type::BF16x2))
    b.refuse("conversion from '." + std::string(spelling(from)) +
             "' is not covered");
  if (isScale) {
    int rounding = b.takeOneOf({"rz", "rp"});
    if (rounding < 0)
      b.refuse("expected '.rz' or '.rp'");
    b.op.mode |= rounding == 1 ? RoundsUp : 0;
    b.op.mode |= b.take("satfinite") ? SatFinite : 0;
  } else {
    b.require("rn");
    b.require("satfinite");
    b.op.mode |= b.take("relu") ? Relu : 0;
  }
  b.op.immediate = uint64_t(to);
  size_t operands = from == Type::F32 ? 3 : 2;
  b.requireOperands(operands, operands);
  if (from == Type::F32) {
    b.op.a = b.source(1, Type::F32);
    b.op.b = b.source(2, Type::F32);
    b.op.run = fromFloats;
  } else {
    b.op.a = b.source(1, Type::B32);
    b.op.run = scalesFromHalves;
  }
  b.op.d = b.destination(0, wordOf(to));
}

} // namespace

void buildSmallFormat(Builder &b) {
  Type to = b.takeType(), from = b.takeType();
  if (isSmallPair(to))
    return buildNarrowing(b, to, from);
  b.require("rn");
  bool isScale = from == Type::UE8M0x2;
  if (to != (isScale ? Type::BF16x2 : Type::F16x2))
    b.refuse("conversion to '." + std::string(spelling(to)) +
             "' is not covered");
  b.op.mode = !isScale && b.take("relu") ? Relu : 0;
  b.op.immediate = uint64_t(from);
  b.requireOperands(2, 2);
  b.op.a = b.source(1, wordOf(from));
  b.op.d = b.destination(0, Type::B32);
  b.op.run = toHalves;
}

} // namespace heddle::ptx
