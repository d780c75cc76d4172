// StochasticConvert.cpp - cvt.rs: conversions of f32 that random bits round
// (PTX ISA 9.7.9.21).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Elementwise.h"
#include "codegen/nvidia/ptx/PackedFormat.h"

#include <cmath>

namespace heddle::ptx {

namespace {

enum StochasticFlag : uint8_t { Relu = 1, SatFinite = 2 };

/// How many random bits one value takes.
unsigned randomBits(Type type) {
  return type == Type::F16x2 ? 13 : type == Type::E2M1x4 ? 8 : 16;
}

uint32_t reversed16(uint32_t bits) {
  uint32_t result = 0;
  for (unsigned i = 0; i < 16; ++i)
    result |= (bits >> i & 1) << (15 - i);
  return result;
}

/// The random bits of a value, as a fraction of the last place that is kept:
/// they are added to the uppermost of the bits that are cut off. `place` counts
/// values from the lowest. The manual says which half or bytes of `rbits` serve
/// which pair of values, not how two values share 16 bits: hardware reverses
/// them for the upper one of two e4m3.
double randomFraction(uint32_t rbits, const PackedFormat &to, unsigned place) {
  unsigned width = randomBits(to.type);
  bool isUpper = place % 2 == 1;
  uint32_t bits = to.count == 2 ? rbits >> (place * 16)
                  : width == 8  ? rbits >> (isUpper * 16 + place / 2 * 8)
                                : rbits >> (place / 2 * 16);
  bits &= (1u << width) - 1;
  if (to.count == 4 && width == 16 && isUpper)
    bits = reversed16(bits);
  return std::ldexp(double(bits), -int(width));
}

uint32_t convert(float value, const PackedFormat &to, double random,
                 uint8_t flags) {
  if ((flags & Relu) && value <= 0) // -0 as well
    value = 0;
  return encode(value, *to.format, Rounding::Stochastic, flags & SatFinite,
                random);
}

/// `op.detail` the rows of the values, `op.c` the random bits, `op.immediate`
/// the type, `op.mode` StochasticFlag.
void cvtStochastic(Warp &warp, const Op &op, Lanes lanes) {
  const PackedFormat &to = *packedFormat(Type(op.immediate));
  const Row *values = &warp.machine->program.rows[op.detail];
  auto *d = warp.row<uint32_t>(op.d), *rbits = warp.row<uint32_t>(op.c);
  forLanes(lanes, [&](unsigned i) {
    uint32_t result = 0, random = rbits[i];
    for (unsigned k = 0; k < to.count; ++k) {
      unsigned place = to.count - 1 - k;
      float value = std::bit_cast<float>(warp.row<uint32_t>(values[k])[i]);
      double fraction = randomFraction(random, to, place);
      result |= convert(value, to, fraction, op.mode)
                << (place * to.elementBits);
    }
    d[i] = result;
  });
}

} // namespace

void buildStochastic(Builder &b) {
  b.require("rs");
  Type to = b.takeType(), from = b.takeType();
  const PackedFormat *packed = packedFormat(to);
  bool isHalves = to == Type::F16x2 || to == Type::BF16x2;
  bool isQuad = packed && packed->count == 4;
  if ((!isHalves && !isQuad) || from != Type::F32)
    b.refuse("'.rs' does not convert from '." + std::string(spelling(from)) +
             "' to '." + std::string(spelling(to)) + "'");
  if (isQuad)
    b.require("satfinite");
  b.op.mode = b.take("relu") ? Relu : 0;
  if (isQuad || b.take("satfinite"))
    b.op.mode |= SatFinite;
  b.requireOperands(isQuad ? 3 : 4, isQuad ? 3 : 4);
  std::vector<Row> values;
  if (isQuad) {
    const Operand &vector = b.operand(1);
    if (vector.kind != Operand::Kind::Vector || vector.elements.size() != 4)
      b.refuse("expected a vector of 4 values");
    for (const Operand &element : vector.elements)
      values.push_back(b.source(element, Type::F32));
  } else {
    values = {b.source(1, Type::F32), b.source(2, Type::F32)};
  }
  if (!b.isKind(isQuad ? 2 : 3, Operand::Kind::Register))
    b.refuse("expected a register of random bits");
  b.op.c = b.source(isQuad ? 2 : 3, Type::U32);
  b.op.detail = b.addRows(values);
  b.op.immediate = uint64_t(to);
  b.op.d = b.destination(0, packed->word());
  b.op.run = cvtStochastic;
}

} // namespace heddle::ptx
