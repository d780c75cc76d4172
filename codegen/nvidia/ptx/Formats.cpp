// Formats.cpp - rounding to and reading of the small floating-point formats.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Formats.h"

#include <cmath>
#include <limits>

namespace heddle::ptx {

/// Whether a remainder of the last place rounds the magnitude up.
static bool roundsUp(double remainder, bool isOdd, bool negative,
                     Rounding rounding, double random) {
  switch (rounding) {
  case Rounding::NearestEven:
    return remainder > 0.5 || (remainder == 0.5 && isOdd);
  case Rounding::NearestAway:
    return remainder >= 0.5;
  case Rounding::Zero:
    return false;
  case Rounding::Down:
    return negative && remainder > 0;
  case Rounding::Up:
    return !negative && remainder > 0;
  case Rounding::Stochastic:
    return remainder >= 1 - random; // exact, unlike the sum of the two
  }
  return false;
}

uint32_t encode(double value, const Format &format, Rounding rounding,
                bool saturate, double random) {
  if (std::isnan(value))
    return format.nan;
  bool negative = std::signbit(value);
  uint32_t sign = uint32_t(negative)
                  << (format.exponentBits + format.mantissaBits);
  int bias = (1 << (format.exponentBits - 1)) - 1;
  uint32_t allOnes = ((1u << format.exponentBits) - 1) << format.mantissaBits;
  // The largest finite pattern lies below infinity, or below NaN in e4m3.
  uint32_t mantissaOnes = (1u << format.mantissaBits) - 1;
  uint32_t largest = format.hasInfinity ? allOnes - 1
                     : format.hasNan    ? allOnes | (mantissaOnes - 1)
                                        : allOnes | mantissaOnes;
  uint32_t overflow = saturate             ? largest
                      : format.hasInfinity ? allOnes
                                           : format.nan;
  uint32_t bits = 0;
  double magnitude = std::fabs(value);
  if (std::isinf(magnitude)) {
    bits = overflow;
  } else if (magnitude != 0) {
    int exponent = std::max(std::ilogb(magnitude), 1 - bias);
    int lastPlace = exponent - int(format.mantissaBits);
    double scaled = std::ldexp(magnitude, -lastPlace);
    double whole = std::floor(scaled);
    uint64_t count = uint64_t(whole);
    if (roundsUp(scaled - whole, count & 1, negative, rounding, random))
      ++count;
    // The mantissa's implicit one carries into the exponent field by itself.
    uint64_t pattern =
        (uint64_t(exponent + bias - 1) << format.mantissaBits) + count;
    bool towardZero = rounding == Rounding::Zero ||
                      (rounding == Rounding::Down && !negative) ||
                      (rounding == Rounding::Up && negative);
    bits = pattern <= largest ? uint32_t(pattern)
           : towardZero       ? largest
                              : overflow;
  }
  return (sign | bits) << format.shift;
}

double decode(uint32_t word, const Format &format) {
  uint32_t bits = word >> format.shift;
  unsigned mantissaBits = format.mantissaBits;
  uint32_t mantissa = bits & ((1u << mantissaBits) - 1);
  uint32_t exponentMask = (1u << format.exponentBits) - 1;
  uint32_t exponent = bits >> mantissaBits & exponentMask;
  bool negative = bits >> (mantissaBits + format.exponentBits) & 1;
  int bias = (1 << (format.exponentBits - 1)) - 1;
  double magnitude;
  bool topIsSpecial = exponent == exponentMask;
  if (topIsSpecial && format.hasInfinity)
    magnitude = mantissa ? std::numeric_limits<double>::quiet_NaN()
                         : std::numeric_limits<double>::infinity();
  else if (topIsSpecial && format.hasNan &&
           mantissa == (1u << mantissaBits) - 1)
    magnitude = std::numeric_limits<double>::quiet_NaN();
  else if (exponent == 0)
    magnitude = std::ldexp(double(mantissa), 1 - bias - int(mantissaBits));
  else
    magnitude = std::ldexp(double(mantissa | 1u << mantissaBits),
                           int(exponent) - bias - int(mantissaBits));
  return negative ? -magnitude : magnitude;
}

uint32_t fusedMultiplyAdd(double a, double b, double c, const Format &format) {
  // The product of two such values is exact in f64. The sum is made odd in its
  // last bit where it was not exact, so that the second rounding sees which
  // side it was on (Boldo and Melquiond 2008).
  double product = a * b;
  double sum = product + c;
  if (std::isfinite(sum)) {
    double part = sum - product;
    double error = (product - (sum - part)) + (c - part);
    if (error != 0 && !(std::bit_cast<uint64_t>(sum) & 1)) {
      bool away = (error > 0) == (sum > 0);
      uint64_t bits = std::bit_cast<uint64_t>(sum);
      sum = std::bit_cast<double>(away ? bits + 1 : bits - 1);
    }
  }
  return encode(sum, format, Rounding::NearestEven, false);
}

} // namespace heddle::ptx
