// HostFloat.cpp - exact values of binary formats and their rounding.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/HostFloat.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace heddle::ptx::test {

static unsigned __int128 bitsOf128(__float128 value) {
  unsigned __int128 bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// 2 to the power e, for normal binary128.
static __float128 power(int e) {
  unsigned __int128 bits = (unsigned __int128)(e + 16383) << 112;
  __float128 value;
  std::memcpy(&value, &bits, sizeof bits);
  return value;
}

static int exponentOf(__float128 value) {
  return int(bitsOf128(value) >> 112 & 0x7FFF) - 16383;
}

bool isNan(__float128 value) { return value != value; }
bool isFinite(__float128 value) {
  return (bitsOf128(value) >> 112 & 0x7FFF) != 0x7FFF;
}
bool isNegative(__float128 value) { return bitsOf128(value) >> 127; }

uint64_t HostFormat::largest() const {
  uint64_t top = ((uint64_t(1) << exponentBits) - 1) << mantissaBits;
  if (hasInfinity)
    return top - 1;
  return top + (uint64_t(1) << mantissaBits) - (hasNan ? 2 : 1);
}

bool HostFormat::isNan(uint64_t word) const {
  uint64_t magnitude = (word & (signBit() - 1)) >> shift;
  return hasNan && magnitude > largest() + hasInfinity;
}
bool HostFormat::isInfinite(uint64_t word) const {
  return hasInfinity && (word & (signBit() - 1)) >> shift == largest() + 1;
}
bool HostFormat::isSubnormal(uint64_t word) const {
  uint64_t magnitude = (word & (signBit() - 1)) >> shift;
  return magnitude != 0 && magnitude >> mantissaBits == 0;
}

__float128 HostFormat::value(uint64_t word) const {
  __float128 sign = isNegative(word) ? -1 : 1;
  if (isNan(word))
    return __float128(NAN);
  if (isInfinite(word))
    return sign * __float128(INFINITY);
  uint64_t magnitude = (word & (signBit() - 1)) >> shift;
  uint64_t mantissa = magnitude & ((uint64_t(1) << mantissaBits) - 1);
  int exponent = int(magnitude >> mantissaBits);
  int bias = (1 << (exponentBits - 1)) - 1;
  if (exponent == 0)
    exponent = 1;
  else
    mantissa |= uint64_t(1) << mantissaBits;
  return sign * __float128(mantissa) *
         power(exponent - bias - int(mantissaBits));
}

uint64_t HostFormat::round(Exact exact, Direction direction, bool negativeZero,
                           bool saturate) const {
  if (test::isNan(exact.value))
    return nan();
  bool negative = test::isNegative(exact.value);
  if (exact.value == 0)
    negative = negativeZero;
  uint64_t sign = negative ? signBit() : 0;
  uint64_t most = largest();
  uint64_t over = saturate ? most : hasInfinity ? most + 1 : nan();
  if (!isFinite(exact.value))
    return sign | over << shift;
  __float128 magnitude = exact.value < 0 ? -exact.value : exact.value;
  int beyond = exact.value < 0 ? -exact.beyond : exact.beyond;
  if (magnitude == 0)
    return sign;
  int bias = (1 << (exponentBits - 1)) - 1;
  int exponent = std::max(exponentOf(magnitude), 1 - bias);
  if (exponent > bias + 1)
    exponent = bias + 1; // far too large; keeps the scaled value small enough
  bool huge = exponentOf(magnitude) > bias + 1;
  __float128 scaled = huge ? power(int(mantissaBits) + 1)
                           : magnitude * power(int(mantissaBits) - exponent);
  uint64_t count = uint64_t(scaled);
  __float128 rest = scaled - __float128(count);
  if (rest == 0 && beyond < 0) { // just below a representable value
    --count;
    rest = 1;
  }
  // Compares the rest with one half; `rest == 1` stands for just below one.
  __float128 half = 0.5;
  int side = rest > half ? 1 : rest < half ? -1 : beyond;
  bool inexact = rest != 0 || beyond != 0;
  bool up = false;
  switch (direction) {
  case Direction::Even:
    up = side > 0 || (side == 0 && count % 2);
    break;
  case Direction::Away:
    up = side >= 0;
    break;
  case Direction::Zero:
    break;
  case Direction::Down:
    up = negative && inexact;
    break;
  case Direction::Up:
    up = !negative && inexact;
    break;
  }
  count += up;
  uint64_t pattern = (uint64_t(exponent + bias - 1) << mantissaBits) + count;
  if (pattern <= most)
    return sign | pattern << shift;
  bool towardZero = direction == Direction::Zero ||
                    (direction == Direction::Down && !negative) ||
                    (direction == Direction::Up && negative);
  return sign | (towardZero ? most : over) << shift;
}

static int signOf(__float128 value) { return (value > 0) - (value < 0); }

Exact sum(__float128 a, __float128 b) {
  // Knuth's two-sum: exact in binary128 as in any binary format.
  Exact result;
  result.value = a + b;
  if (!isFinite(result.value))
    return result;
  __float128 part = result.value - a;
  result.beyond = signOf((a - (result.value - part)) + (b - part));
  return result;
}

/// Cuts to 56 bits, enough for a guard bit below binary64, few enough that
/// products with 57 bits are exact.
static __float128 cut(__float128 value) {
  unsigned __int128 bits = bitsOf128(value);
  bits &= ~(((unsigned __int128)1 << 57) - 1);
  std::memcpy(&value, &bits, sizeof bits);
  return value;
}

Exact quotient(__float128 a, __float128 b) {
  Exact result;
  result.value = a / b;
  if (!isFinite(result.value) || result.value == 0 || !isFinite(b))
    return result;
  result.value = cut(result.value);
  result.beyond = signOf(a - result.value * b) * signOf(b);
  return result;
}

Exact root(__float128 a) {
  Exact result;
  if (a <= 0 || !isFinite(a)) {
    result.value = a < 0 ? __float128(NAN) : a;
    return result;
  }
  // Scaled by an even power to the range of binary64, then Newton's method.
  int e = exponentOf(a) / 2 * 2;
  __float128 m = a * power(-e);
  __float128 x = std::sqrt(double(m));
  x = (x + m / x) / 2;
  x = (x + m / x) / 2;
  result.value = cut(x) * power(e / 2);
  __float128 kept = cut(x);
  result.beyond = signOf(m - kept * kept);
  return result;
}

uint64_t added(const HostFormat &format, uint64_t a, uint64_t b) {
  bool bothNegative = format.isNegative(a) && format.isNegative(b);
  return format.round(sum(format.value(a), format.value(b)), Direction::Even,
                      bothNegative);
}

uint64_t extremum(const HostFormat &format, uint64_t a, uint64_t b,
                  bool largest) {
  if (format.isNan(a) || format.isNan(b))
    return format.isNan(a) && format.isNan(b) ? format.nan()
           : format.isNan(a)                  ? b
                                              : a;
  // Order of the patterns of sign and magnitude.
  auto rank = [&](uint64_t word) {
    __int128 magnitude = word & (format.signBit() - 1);
    return format.isNegative(word) ? -1 - magnitude : magnitude;
  };
  return (rank(a) < rank(b)) == largest ? b : a;
}

uint64_t flushed(const HostFormat &format, uint64_t word) {
  return format.isSubnormal(word) ? word & format.signBit() : word;
}

uint64_t limited(const HostFormat &format, uint64_t word, const Flags &flags) {
  uint64_t one = ((uint64_t(1) << (format.exponentBits - 1)) - 1)
                 << format.mantissaBits;
  if (flags.flush)
    word = flushed(format, word);
  if (flags.saturate) {
    if (format.isNan(word) || format.isNegative(word))
      return 0;
    return std::min(word, one);
  }
  if (flags.relu && !format.isNan(word) && format.isNegative(word))
    return 0;
  return word;
}

uint64_t computed(Operation operation, const HostFormat &format,
                  const __float128 *x, const bool *negative,
                  Direction direction, const Flags &flags) {
  // An exact zero of unlike addends is -0 when rounding down, else +0.
  auto zeroOf = [&](bool a, bool b) {
    return a == b ? a : direction == Direction::Down;
  };
  Exact exact;
  bool negativeZero = negative[0] != negative[1];
  switch (operation) {
  case Operation::Add:
    exact = sum(x[0], x[1]);
    negativeZero = zeroOf(negative[0], negative[1]);
    break;
  case Operation::Sub:
    exact = sum(x[0], -x[1]);
    negativeZero = zeroOf(negative[0], !negative[1]);
    break;
  case Operation::Mul:
    exact.value = x[0] * x[1];
    break;
  case Operation::Fma:
    exact = sum(x[0] * x[1], x[2]);
    negativeZero = zeroOf(negative[0] != negative[1], negative[2]);
    break;
  case Operation::Div:
    exact = quotient(x[0], x[1]);
    break;
  case Operation::Sqrt:
    exact = root(x[0]);
    negativeZero = negative[0];
    break;
  case Operation::Rcp:
    exact = quotient(1, x[0]);
    negativeZero = negative[0];
    break;
  }
  return limited(format, format.round(exact, direction, negativeZero), flags);
}

uint64_t computed(Operation operation, const HostFormat &format,
                  const uint64_t *words, Direction direction,
                  const Flags &flags) {
  __float128 x[3];
  bool negative[3];
  for (int i = 0; i < 3; ++i) {
    uint64_t word = flags.flush ? flushed(format, words[i]) : words[i];
    x[i] = format.value(word);
    negative[i] = format.isNegative(word);
  }
  return computed(operation, format, x, negative, direction, flags);
}

} // namespace heddle::ptx::test
