// Formats.h - the small floating-point formats of PTX (5.2.3); private.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_FORMATS_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_FORMATS_H

#include <bit>
#include <cstdint>

namespace heddle::ptx {

enum class Rounding : uint8_t {
  NearestEven,
  Zero,
  Down,
  Up,
  NearestAway, ///< ties away from zero (`.rna`)
  Stochastic,  ///< away from zero where random bits carry (`.rs`)
};

/// A binary format of at most 32 bits.
struct Format {
  unsigned exponentBits, mantissaBits;
  bool hasInfinity; ///< false: e4m3, whose all-ones pattern is NaN
  /// Bits the value is shifted up in its word: tf32 keeps the place of f32.
  unsigned shift;
  uint32_t nan; ///< what PTX writes for NaN
  /// False for the formats of 4 and 6 bits, whose patterns are all finite.
  bool hasNan = true;
};

constexpr Format formatF16 = {5, 10, true, 0, 0x7FFF};
constexpr Format formatBF16 = {8, 7, true, 0, 0x7FFF};
constexpr Format formatTF32 = {8, 10, true, 13, 0x7FFFFFFF};
constexpr Format formatE4M3 = {4, 3, false, 0, 0x7F};
constexpr Format formatE5M2 = {5, 2, true, 0, 0x7F};
constexpr Format formatE2M3 = {2, 3, false, 0, 0x1F, false};
constexpr Format formatE3M2 = {3, 2, false, 0, 0x1F, false};
constexpr Format formatE2M1 = {2, 1, false, 0, 0x7, false};

/// The "OOB NaN" of PTX (5.5): what a tensor copy writes to every 16 bits out
/// of bounds, and `fma.oob` takes for zero. The manual keeps its pattern to
/// itself; this one has been observed on hardware.
constexpr uint16_t outOfBoundsNan = 0x7FF7;

/// Rounds to a format. `saturate` turns what overflows, infinities too, into
/// the largest finite value. `random`, below 1, is for `Stochastic`: the random
/// bits as a fraction of the last place that is kept.
uint32_t encode(double value, const Format &format, Rounding rounding,
                bool saturate, double random = 0);
double decode(uint32_t bits, const Format &format);

/// Exact conversions used in inner loops.
inline float fromBF16(uint16_t bits) {
  return std::bit_cast<float>(uint32_t(bits) << 16);
}
inline float fromF16(uint16_t bits) {
  // Shifted into place the exponent is 112 too small; the product mends that,
  // for subnormals as well. Infinities and NaN keep an all-ones exponent.
  uint32_t magnitude = uint32_t(bits & 0x7FFF) << 13;
  uint32_t sign = uint32_t(bits & 0x8000) << 16;
  uint32_t special = magnitude >= 0x0F800000 ? 0x70000000 : 0;
  float scaled = std::bit_cast<float>(magnitude) * 0x1p112f;
  uint32_t finite = std::bit_cast<uint32_t>(scaled);
  return std::bit_cast<float>((special ? magnitude | special : finite) | sign);
}
inline uint16_t toBF16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000)
    return 0x7FFF;
  return uint16_t((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}
inline uint16_t toF16(double value) {
  return uint16_t(encode(value, formatF16, Rounding::NearestEven, false));
}

/// a * b + c rounded once, in a format of at most 24 bits of precision.
uint32_t fusedMultiplyAdd(double a, double b, double c, const Format &format);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_FORMATS_H
