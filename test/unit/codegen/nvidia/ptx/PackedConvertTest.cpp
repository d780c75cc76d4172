// PackedConvertTest.cpp - cvt of pairs: halves, the formats of 4, 6 and 8 bits,
// and scales.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/HostConvert.h"

#include <algorithm>

namespace heddle::ptx::test {

namespace {

/// A packed type of two values; `width` bits each.
struct Pair {
  const char *name;
  const HostFormat *format; ///< null for ue8m0
  unsigned width;

  Scalar element() const { return {name, format->bits(), format, true}; }
};

constexpr Pair pairs[] = {{"f16x2", &hostF16, 16},  {"bf16x2", &hostBF16, 16},
                          {"e4m3x2", &hostE4M3, 8}, {"e5m2x2", &hostE5M2, 8},
                          {"e2m3x2", &hostE2M3, 8}, {"e3m2x2", &hostE3M2, 8},
                          {"e2m1x2", &hostE2M1, 4}, {"ue8m0x2", nullptr, 8}};

const Pair *pairOf(const std::string &name) {
  for (const Pair &pair : pairs)
    if (pair.name == name)
      return &pair;
  return nullptr;
}

/// ue8m0: powers of two from 2^-127 on, 255 is NaN. The power at or below, or
/// at or above, the magnitude.
uint64_t scaleOf(uint64_t word, const HostFormat &format,
                 const Conversion &how) {
  if (format.isNan(word))
    return 255;
  bool up = how.direction == Direction::Up;
  uint64_t most = how.satfinite ? 254 : 255;
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

/// One value of a pair.
uint64_t element(uint64_t word, const Scalar &from, const Pair &to,
                 const Conversion &how) {
  return to.format ? converted(word, from, to.element(), how)
                   : scaleOf(word, *from.format, how);
}

/// Inputs for one value, in an order of the seed.
Column shuffledInputs(const Scalar &type, uint32_t seed) {
  Column result = convertInputs(type);
  std::mt19937 generator(seed);
  std::shuffle(result.begin(), result.end(), generator);
  return result;
}

/// Every pair of patterns, or of a third of them; what stands above elements
/// of 6 bits is zero.
Column patternsOf(const Pair &pair) {
  uint64_t patterns = pair.format ? pair.format->signBit() * 2 : 256;
  Column result;
  for (uint64_t high = 0; high < patterns; ++high)
    for (uint64_t low = high % 3; low < patterns; low += 3)
      result.push_back(high << pair.width | low);
  return result;
}

void compareSingles(const Conversion &how, const Pair &to) {
  const Scalar &single = scalar("f32");
  compare({how.text() + " %d, %a, %b;", 2 * to.width, {32, 32}},
          {shuffledInputs(single, 1), shuffledInputs(single, 2)},
          [&](const uint64_t *row) {
            return element(row[0], single, to, how) << to.width |
                   element(row[1], single, to, how);
          });
}

void comparePairs(const Conversion &how, const Pair &to, const Pair &from) {
  Column words;
  if (from.width == 16) {
    Column high = shuffledInputs(scalar(from.format->name), 3);
    words = shuffledInputs(scalar(from.format->name), 4);
    for (size_t i = 0; i < words.size(); ++i)
      words[i] |= high[i] << 16;
  } else {
    words = patternsOf(from);
  }
  uint64_t mask = (uint64_t(1) << from.width) - 1;
  compare({how.text() + " %d, %a;", 2 * to.width, {2 * from.width}}, {words},
          [&](const uint64_t *row) {
            auto one = [&](uint64_t word) -> uint64_t {
              if (from.format)
                return element(word, from.element(), to, how);
              // A scale as bf16, in which 2^-127 is subnormal.
              return word == 255 ? 0x7FFF : word == 0 ? 0x40 : word << 7;
            };
            return one(row[0] >> from.width) << to.width | one(row[0] & mask);
          });
}

} // namespace

TEST(PackedConvert, EverySpelling) {
  size_t compared = 0;
  for (const Conversion &how : legalConversions())
    if (const Pair *to = pairOf(how.to)) {
      const Pair *from = pairOf(how.from);
      from ? comparePairs(how, *to, *from) : compareSingles(how, *to);
      ++compared;
    }
  EXPECT_GT(compared, 60u);
}

} // namespace heddle::ptx::test
