// StochasticConvert.cpp - cvt.rs: conversions of f32 that random bits round
// (PTX ISA 9.7.9.21).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Elementwise.h"
#include "codegen/nvidia/ptx/Formats.h"

#include <cmath>

namespace heddle::ptx {

namespace {

enum StochasticFlag : uint8_t { Relu = 1, SatFinite = 2 };

/// How values lie in the result, the first in its uppermost bits.
struct Packing {
  Type type;
  const Format *format;
  unsigned count, elementBits;
  unsigned randomBits; ///< for one value
};

constexpr Packing packings[] = {{Type::F16x2, &formatF16, 2, 16, 13},
                                {Type::BF16x2, &formatBF16, 2, 16, 16},
                                {Type::E4M3x4, &formatE4M3, 4, 8, 16},
                                {Type::E5M2x4, &formatE5M2, 4, 8, 16},
                                {Type::E2M3x4, &formatE2M3, 4, 8, 16},
                                {Type::E3M2x4, &formatE3M2, 4, 8, 16},
                                {Type::E2M1x4, &formatE2M1, 4, 4, 8}};

const Packing *packingOf(Type type) {
  for (const Packing &packing : packings)
    if (packing.type == type)
      return &packing;
  return nullptr;
}

uint32_t reversed16(uint32_t bits) {
  uint32_t result = 0;
  for (unsigned i = 0; i < 16; ++i)
    result |= (bits >> i & 1) << (15 - i);
  return result;
}

/// The random bits of a value, as a fraction of the last place that is kept:
/// they are added to the uppermost of the bits that are cut off. `place` counts
/// values from the lowest. Which half of `rbits` serves which values is the
/// manual's; how two of them share it is not written there. Hardware reverses
/// the bits for the upper one of two e4m3.
double randomFraction(uint32_t rbits, const Packing &packing, unsigned place) {
  uint32_t bits;
  if (packing.count == 2)
    bits = rbits >> (place * 16);
  else if (packing.randomBits == 8)
    bits = rbits >> (place % 2 * 16 + place / 2 * 8);
  else
    bits = rbits >> (place / 2 * 16) & 0xFFFF;
  if (packing.randomBits == 16 && packing.count == 4 && place % 2 == 1)
    bits = reversed16(bits);
  bits &= (1u << packing.randomBits) - 1;
  return std::ldexp(double(bits), -int(packing.randomBits));
}

uint32_t convert(float value, const Packing &to, double random, uint8_t flags) {
  if ((flags & Relu) && value <= 0) // -0 as well
    value = 0;
  return encode(value, *to.format, Rounding::Stochastic, flags & SatFinite,
                random);
}

/// `op.detail` the rows of the values, `op.c` the random bits, `op.immediate`
/// the type, `op.mode` StochasticFlag.
void cvtStochastic(Warp &warp, const Op &op, Lanes lanes) {
  const Packing &to = *packingOf(Type(op.immediate));
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
  b.op.mode = uint8_t((b.take("relu") ? Relu : 0) |
                      (b.take("satfinite") ? SatFinite : 0));
  Type to = b.takeType(), from = b.takeType();
  const Packing *packing = packingOf(to);
  if (!packing || from != Type::F32)
    b.refuse("'.rs' does not convert from '." + std::string(spelling(from)) +
             "' to '." + std::string(spelling(to)) + "'");
  bool isQuad = packing->count == 4;
  if (isQuad && !(b.op.mode & SatFinite))
    b.refuse("expected '.satfinite'");
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
  b.op.d = b.destination(0, bitWidth(to) == 16 ? Type::B16 : Type::B32);
  b.op.run = cvtStochastic;
}

} // namespace heddle::ptx
