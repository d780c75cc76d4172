// StochasticConvertTest.cpp - cvt.rs against the addition of random bits to the
// bits that are cut off, and its mean over all random bits.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"
#include "test/unit/codegen/nvidia/ptx/HostFloat.h"

#include <algorithm>

namespace heddle::ptx::test {

namespace {

/// A result of cvt.rs: `values` of a format, each in `width` bits.
struct Target {
  const HostFormat *format;
  const char *name;
  unsigned values, width, randomBits;

  std::string text(bool relu, bool satfinite) const {
    return std::string("cvt.rs") + (relu ? ".relu" : "") +
           (satfinite ? ".satfinite." : ".") + name +
           (values == 4 ? ".f32 %d, {%a, %b, %c, %e}, %f;"
                        : ".f32 %d, %a, %b, %c;");
  }
  Form form(bool relu, bool satfinite) const {
    return {text(relu, satfinite), values * width,
            std::vector<unsigned>(values + 1, 32)};
  }
  /// Whether all patterns are finite, or must be.
  bool mustSaturate() const { return values == 4; }
};

constexpr Target targets[] = {
    {&hostF16, "f16x2", 2, 16, 13},  {&hostBF16, "bf16x2", 2, 16, 16},
    {&hostE4M3, "e4m3x4", 4, 8, 16}, {&hostE5M2, "e5m2x4", 4, 8, 16},
    {&hostE2M3, "e2m3x4", 4, 8, 16}, {&hostE3M2, "e3m2x4", 4, 8, 16},
    {&hostE2M1, "e2m1x4", 4, 4, 8}};

uint64_t reversed(uint64_t half) {
  uint64_t result = 0;
  for (int bit = 0; bit < 16; ++bit)
    if (half & (1 << bit))
      result |= 0x8000 >> bit;
  return result;
}

/// The random bits of the values in the order of the operands.
std::vector<uint64_t> randomOf(const Target &target, uint64_t rbits) {
  uint64_t high = rbits >> 16, low = rbits & 0xFFFF;
  if (target.format == &hostF16)
    return {high & 0x1FFF, low & 0x1FFF};
  if (target.values == 2)
    return {high, low};
  if (target.format == &hostE2M1)
    return {high >> 8, low >> 8, high & 255, low & 255};
  return {reversed(high), high, reversed(low), low};
}

/// One value in integers: the magnitude is cut, and rounds up where the sum of
/// the random bits and the uppermost bits that were cut carries.
uint64_t rounded(const Target &target, uint64_t word, uint64_t random,
                 bool relu, bool satfinite) {
  const HostFormat &format = *target.format;
  if (hostF32.isNan(word))
    return format.hasNan ? format.nan() : format.largest();
  uint64_t sign = hostF32.isNegative(word) ? format.signBit() : 0;
  if (relu && sign)
    return 0;
  uint64_t over = satfinite ? format.largest() : format.largest() + 1;
  if (hostF32.isInfinite(word))
    return sign | over;
  int exponent = int(word >> 23 & 255);
  uint64_t mantissa = (word & 0x7FFFFF) | (exponent ? 0x800000 : 0);
  exponent = std::max(exponent, 1) - 127;
  int least = 2 - (1 << (format.exponentBits - 1));
  unsigned cut =
      23 - format.mantissaBits + unsigned(std::max(0, least - exponent));
  cut = std::min(cut, 40u); // from here on nothing is left, nor carries
  uint64_t rest = mantissa & ((uint64_t(1) << cut) - 1);
  uint64_t sum = rest + (random << (cut - target.randomBits));
  uint64_t kept = (mantissa >> cut) + (sum >> cut);
  uint64_t pattern =
      (uint64_t(std::max(0, exponent - least)) << format.mantissaBits) + kept;
  return sign | (pattern > format.largest() ? over : pattern);
}

/// Edges of f32, and values around those of a format, in an order of the seed.
Column inputs(const HostFormat &format, uint32_t seed) {
  std::mt19937 generator(seed);
  Column result = floats(32, 0, 300);
  uint64_t patterns = format.signBit() * 2;
  for (int i = 0; i < 1500; ++i) {
    uint64_t pattern = generator() % patterns;
    __float128 value = format.value(pattern);
    if (!isFinite(value))
      continue;
    __float128 factor = 1 + __float128(generator() % 4096) / 16384;
    result.push_back(hostF32.round({value * factor, 0}, Direction::Zero,
                                   format.isNegative(pattern)));
  }
  result.resize(1700, 0x3F800001);
  std::shuffle(result.begin(), result.end(), generator);
  return result;
}

} // namespace

TEST(StochasticConvert, AddsRandomBitsToWhatIsCut) {
  for (const Target &target : targets) {
    std::vector<Column> operands;
    for (unsigned i = 0; i < target.values; ++i)
      operands.push_back(inputs(*target.format, i + 1));
    std::mt19937 generator(9);
    Column rbits(operands[0].size());
    for (size_t i = 0; i < rbits.size(); ++i)
      rbits[i] = i % 8 == 0 ? 0 : i % 8 == 1 ? 0xFFFFFFFF : generator();
    operands.push_back(rbits);
    for (bool relu : {false, true})
      for (bool satfinite : {false, true}) {
        if (!satfinite && target.mustSaturate())
          continue;
        compare(
            target.form(relu, satfinite), operands, [&](const uint64_t *row) {
              std::vector<uint64_t> random =
                  randomOf(target, row[target.values]);
              uint64_t result = 0;
              for (unsigned i = 0; i < target.values; ++i)
                result = result << target.width |
                         rounded(target, row[i], random[i], relu, satfinite);
              return result;
            });
      }
  }
}

/// A value whose cut bits are no more than the random ones is the mean over
/// all of these, in every place of the result.
TEST(StochasticConvert, MeanOverAllRandomBitsIsTheValue) {
  for (const Target &target : targets) {
    const HostFormat &format = *target.format;
    uint64_t count = uint64_t(1) << target.randomBits;
    uint64_t largest = format.largest();
    std::mt19937 generator(4);
    for (int trial = 0; trial < 4; ++trial) {
      std::vector<Column> operands;
      std::vector<__float128> exact;
      for (unsigned i = 0; i < target.values; ++i) {
        // Subnormal results first, then any.
        uint64_t below =
            generator() %
            (trial < 2 ? uint64_t(1) << format.mantissaBits : largest);
        __float128 step = format.value(below + 1) - format.value(below);
        __float128 part = __float128(generator() % count) / __float128(count);
        __float128 value = format.value(below) + step * part;
        if (i % 2)
          value = -value;
        uint64_t word = hostF32.round({value, 0}, Direction::Zero);
        ASSERT_TRUE(hostF32.value(word) == value) << "not a value of f32";
        operands.push_back(Column(count, word));
        exact.push_back(value);
      }
      Column rbits(count);
      for (uint64_t i = 0; i < count; ++i)
        rbits[i] = target.randomBits == 8 ? i * 0x01010101 : i << 16 | i;
      operands.push_back(rbits);
      Column results = evaluate(target.form(false, true), operands);
      for (unsigned i = 0; i < target.values; ++i) {
        unsigned shift = (target.values - 1 - i) * target.width;
        __float128 sum = 0;
        for (uint64_t result : results)
          sum += format.value(result >> shift & (format.signBit() * 2 - 1));
        EXPECT_TRUE(sum == exact[i] * __float128(count))
            << target.name << " value " << i << " has the mean "
            << double(sum / __float128(count)) << ", expected "
            << double(exact[i]);
      }
    }
  }
}

/// The forms that ptxas takes, and no others.
TEST(StochasticConvert, RefusedForms) {
  for (const char *text :
       {"cvt.rs.e4m3x4.f32 %d, {%a, %b, %c, %e}, %f;",
        "cvt.rs.satfinite.e4m3x4.f32 %d, {%a, %b}, %f;",
        "cvt.rs.satfinite.e4m3x4.f32 %d, %a, %f;",
        "cvt.rs.satfinite.e4m3x4.f16x2 %d, {%a, %b, %c, %e}, %f;",
        "cvt.rn.satfinite.e4m3x4.f32 %d, {%a, %b, %c, %e}, %f;",
        "cvt.rs.ftz.f16x2.f32 %d, %a, %b, %f;", "cvt.rs.f16x2.f32 %d, %a, %b;",
        "cvt.rs.f16x2.f32 %d, %a, %b, 7;", "cvt.rs.tf32.f32 %d, %a, %f;"})
    EXPECT_FALSE(isCovered({text, 32, {32, 32, 32, 32, 32}})) << text;
}

} // namespace heddle::ptx::test
