// TensorCore.cpp - random matrices of every element type and their products.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/TensorCore.h"

#include <algorithm>
#include <cstring>

namespace heddle::ptx::test {

static uint64_t ordinary(const HostFormat &format, std::mt19937_64 &generator) {
  uint64_t bias = (uint64_t(1) << (format.exponentBits - 1)) - 1;
  uint64_t word = generator();
  uint64_t mantissa = word & ((uint64_t(1) << format.mantissaBits) - 1);
  uint64_t exponent = bias - 4 + (word >> 56) % 6;
  uint64_t pattern = exponent << format.mantissaBits | mantissa;
  // What lies below a tf32 value in its word does not count.
  uint64_t below = word >> 54 & ((uint64_t(1) << format.shift) - 1);
  uint64_t sign = word >> 63 ? format.signBit() : 0;
  return sign | pattern << format.shift | below;
}

static uint64_t edge(const HostFormat &format, std::mt19937_64 &generator) {
  uint64_t sign = generator() % 2 ? format.signBit() : 0;
  switch (generator() % 5) {
  case 0:
    return sign; // a zero
  case 1:        // the least subnormal
    return sign | uint64_t(1) << format.shift;
  case 2: // the largest subnormal
    return sign | ((uint64_t(1) << format.mantissaBits) - 1) << format.shift;
  case 3:
    return format.nan();
  default: // infinity; e4m3 has none and shows its largest
    return sign | (format.largest() + format.hasInfinity) << format.shift;
  }
}

Matrix::Matrix(unsigned rows, unsigned columns, const Element &element,
               uint32_t seed, Fill fill)
    : rows(rows), columns(columns), element(&element) {
  std::mt19937_64 generator(seed);
  for (unsigned i = 0; i < rows * columns; ++i) {
    // Few enough that most sums stay finite.
    bool special = fill == Fill::Edges && generator() % 48 == 0;
    uint64_t word = generator();
    if (!element.format && fill == Fill::Edges) // the extremes of an integer
      word = generator() % 2 ? uint64_t(1) << (element.bits - 1)
                             : (uint64_t(1) << (element.bits - 1)) - 1;
    bits.push_back(!element.format ? wrapped(word, element.bits)
                   : special       ? edge(*element.format, generator)
                                   : ordinary(*element.format, generator));
    values.push_back(element.value(bits.back()));
  }
}

static bool isSum(double value, double bound, const Element &d, uint64_t got) {
  const HostFormat &format = *d.format;
  if (std::isnan(value))
    return format.isNan(got);
  if (format.isNan(got))
    return false;
  double result = double(format.value(got));
  double most = double(format.value(format.largest()));
  if (std::isinf(value))
    return result == value;
  if (std::isinf(result)) // rounded or summed past the largest
    return std::fabs(value) + bound >= most &&
           std::signbit(result) == std::signbit(value);
  // The least subnormal, and for f16, to which the f32 sum is rounded, half a
  // unit of the result.
  bound += std::ldexp(1.0, 2 - (1 << (format.exponentBits - 1)) -
                               int(format.mantissaBits));
  if (d.bits == 16)
    bound += std::fabs(value) * std::ldexp(0.5, -int(format.mantissaBits));
  return std::fabs(result - value) <= bound;
}

/// The sum in Real, its bound by the precision of one operation.
template <class Real>
static bool isNearSum(const Matrix &a, const Matrix &b, unsigned i, unsigned j,
                      double start, const Element &d, uint64_t got, double sign,
                      double precision) {
  Real total = start, magnitude = std::fabs(start);
  for (unsigned k = 0; k < a.columns; ++k) {
    Real product = Real(sign * a.value(i, k)) * b.value(k, j);
    total += product;
    magnitude += std::fabs(product);
  }
  return isSum(double(total), double(a.columns * precision * magnitude), d,
               got);
}

bool isProduct(const Matrix &a, const Matrix &b, unsigned i, unsigned j,
               double start, const Element &d, uint64_t got, double sign,
               bool saturate) {
  if (!d.format) {
    __int128 total = __int128(start);
    for (unsigned k = 0; k < a.columns; ++k)
      total += __int128(a.value(i, k)) * __int128(b.value(k, j));
    if (saturate)
      total = std::clamp<__int128>(total, INT32_MIN, INT32_MAX);
    return got == wrapped(total, 32);
  }
  // Sums of f32 are judged in f64, those of f64 in more.
  return d.bits == 64
             ? isNearSum<long double>(a, b, i, j, start, d, got, sign, 0x1p-52)
             : isNearSum<double>(a, b, i, j, start, d, got, sign, 0x1p-23);
}

std::string registerList(const std::string &prefix, unsigned count) {
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i)
    text += (i ? ", " : "") + prefix + std::to_string(i);
  return text + "}";
}

std::vector<uint8_t> packed(const std::vector<uint64_t> &patterns,
                            unsigned bits) {
  std::vector<uint8_t> bytes((patterns.size() * bits + 7) / 8);
  for (size_t i = 0; i < patterns.size(); ++i)
    if (bits % 8 == 0)
      std::memcpy(&bytes[i * bits / 8], &patterns[i], bits / 8);
    else
      for (unsigned bit = 0; bit < bits; ++bit)
        if (patterns[i] >> bit & 1)
          bytes[(i * bits + bit) / 8] |= uint8_t(1 << (i * bits + bit) % 8);
  return bytes;
}

uint64_t patternAt(const std::vector<uint8_t> &bytes, unsigned bits,
                   size_t index) {
  uint64_t pattern = 0;
  if (bits % 8 == 0) {
    std::memcpy(&pattern, &bytes[index * bits / 8], bits / 8);
    return pattern;
  }
  for (unsigned bit = 0; bit < bits; ++bit) {
    size_t at = index * bits + bit;
    pattern |= uint64_t(bytes[at / 8] >> (at % 8) & 1) << bit;
  }
  return pattern;
}

} // namespace heddle::ptx::test
