// SmallFormatTest.cpp - conversions of 4- and 6-bit formats and of scales.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"
#include "test/unit/codegen/nvidia/ptx/HostFloat.h"

#include <algorithm>

namespace heddle::ptx::test {

/// Values of f32 around those of a format, ties among them, and edges.
static Column inputs(const HostFormat &format, uint32_t seed) {
  Column result = floats(32, 0, 300);
  uint64_t patterns = format.signBit() * 2;
  for (uint64_t pattern = 0; pattern + 1 < patterns; ++pattern) {
    __float128 value = format.value(pattern), next = format.value(pattern + 1);
    for (__float128 part :
         {__float128(0), __float128(0.25), __float128(0.5), __float128(0.75)})
      result.push_back(hostF32.round({value + (next - value) * part, 0},
                                     Direction::Even,
                                     format.isNegative(pattern)));
  }
  std::mt19937 generator(seed);
  std::shuffle(result.begin(), result.end(), generator);
  return result;
}

/// One element: saturated, NaN becomes the largest.
static uint64_t narrowed(const HostFormat &format, uint64_t word, bool relu) {
  bool negative = hostF32.isNegative(word);
  if (relu && negative && !hostF32.isNan(word))
    return 0;
  return format.round({hostF32.value(word), 0}, Direction::Even, negative,
                      true);
}

TEST(SmallFormat, Pairs) {
  struct Pair {
    const HostFormat *format;
    unsigned element; ///< bits it takes
  };
  for (Pair pair : {Pair{&hostE2M1, 4}, Pair{&hostE2M3, 8}, Pair{&hostE3M2, 8}})
    for (bool relu : {false, true}) {
      std::string tail = relu ? ".relu." : ".", name = pair.format->name;
      compare({"cvt.rn.satfinite" + tail + name + "x2.f32 %d, %a, %b;",
               2 * pair.element,
               {32, 32}},
              {inputs(*pair.format, 1), inputs(*pair.format, 2)},
              [&](const uint64_t *x) {
                return narrowed(*pair.format, x[0], relu) << pair.element |
                       narrowed(*pair.format, x[1], relu);
              });
      // Every pair; the bits above an element are zero.
      Column pairs;
      uint64_t patterns = pair.format->signBit() * 2;
      for (uint64_t high = 0; high < patterns; ++high)
        for (uint64_t low = 0; low < patterns; ++low)
          pairs.push_back(high << pair.element | low);
      compare({"cvt.rn" + tail + "f16x2." + name + "x2 %d, %a;",
               32,
               {2 * pair.element}},
              {pairs}, [&](const uint64_t *x) {
                auto wide = [&](uint64_t word) -> uint64_t {
                  word &= (uint64_t(1) << pair.element) - 1;
                  bool negative = pair.format->isNegative(word);
                  if (relu && negative)
                    return 0;
                  return hostF16.round({pair.format->value(word), 0},
                                       Direction::Even, negative);
                };
                return wide(x[0] >> pair.element) << 16 | wide(x[0]);
              });
    }
}

//===----------------------------------------------------------------------===//
// ue8m0: powers of two from 2^-127 on, 255 is NaN
//===----------------------------------------------------------------------===//

/// The power of two at or below, or at or above, the magnitude.
static uint64_t scaleOf(const HostFormat &format, uint64_t word, bool up,
                        bool satfinite) {
  if (format.isNan(word))
    return 255;
  uint64_t most = satfinite ? 254 : 255;
  uint64_t magnitude = word & (format.signBit() - 1);
  if (format.isInfinite(magnitude))
    return most;
  __float128 value = format.value(magnitude), power = 1;
  for (int i = 0; i < 127; ++i)
    power /= 2;
  uint64_t exponent = 0; // of the power so far, which starts at 2^-127
  while (exponent < 255 && (up ? power < value : power * 2 <= value)) {
    power *= 2;
    ++exponent;
  }
  return std::min(exponent, most);
}

TEST(SmallFormat, Scales) {
  for (bool up : {false, true})
    for (bool satfinite : {false, true}) {
      std::string text = std::string("cvt.") + (up ? "rp" : "rz") +
                         (satfinite ? ".satfinite" : "") + ".ue8m0x2.";
      compare({text + "f32 %d, %a, %b;", 16, {32, 32}},
              {floats(32, 0), floats(32, 1)}, [&](const uint64_t *x) {
                return scaleOf(hostF32, x[0], up, satfinite) << 8 |
                       scaleOf(hostF32, x[1], up, satfinite);
              });
      Column low = bfloats(0), pairs = bfloats(1);
      for (size_t i = 0; i < pairs.size(); ++i)
        pairs[i] = pairs[i] << 16 | low[i];
      compare({text + "bf16x2 %d, %a;", 16, {32}}, {pairs},
              [&](const uint64_t *x) {
                return scaleOf(hostBF16, x[0] >> 16, up, satfinite) << 8 |
                       scaleOf(hostBF16, x[0] & 0xFFFF, up, satfinite);
              });
    }
  Column pairs;
  for (uint64_t pattern = 0; pattern < 65536; ++pattern)
    pairs.push_back(pattern);
  compare({"cvt.rn.bf16x2.ue8m0x2 %d, %a;", 32, {16}}, {pairs},
          [](const uint64_t *x) {
            auto wide = [](uint64_t scale) -> uint64_t {
              // 2^-127 is a subnormal of bf16.
              return scale == 255 ? 0x7FFF : scale == 0 ? 0x40 : scale << 7;
            };
            return wide(x[0] >> 8) << 16 | wide(x[0] & 255);
          });
}

TEST(SmallFormat, SaturatedPacks) {
  IntegerType s32 = {"", 32, true};
  for (IntegerType to :
       {IntegerType{"u4", 4, false}, IntegerType{"s4", 4, true},
        IntegerType{"u2", 2, false}, IntegerType{"s2", 2, true}})
    compare(
        {std::string("cvt.pack.sat.") + to.name + ".s32.b32 %d, %a, %b, %c;",
         32,
         {32, 32, 32}},
        {integers(32, 0), integers(32, 1), integers(32, 2)},
        [&](const uint64_t *x) {
          auto one = [&](uint64_t word) {
            return wrapped(std::clamp(s32.value(word), to.least(), to.most()),
                           to.bits);
          };
          return wrapped(
              x[2] << (2 * to.bits) | one(x[0]) << to.bits | one(x[1]), 32);
        });
}

} // namespace heddle::ptx::test
