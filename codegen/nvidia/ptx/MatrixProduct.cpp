// MatrixProduct.cpp - dense products in the precision of the tensor cores.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiled with -ffp-contract=off: a fused multiply-add on hosts that have one
// would make results differ between hosts.

#include "codegen/nvidia/ptx/MatrixProduct.h"

#include "codegen/nvidia/ptx/Formats.h"

#include <array>

// One binary serves hosts with and without wide vectors.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) &&          \
    (!defined(__clang__) || __clang_major__ >= 18)
#define HEDDLE_PTX_MULTIVERSION                                                \
  __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define HEDDLE_PTX_MULTIVERSION
#endif

namespace heddle::ptx {

HEDDLE_PTX_MULTIVERSION
void multiplyAdd(float *__restrict d, const float *__restrict a,
                 const float *__restrict b, unsigned m, unsigned n,
                 unsigned k) {
  for (unsigned row = 0; row < m; ++row)
    for (unsigned inner = 0; inner < k; ++inner) {
      float factor = a[row * k + inner];
      const float *from = b + inner * n;
      float *to = d + row * n;
      for (unsigned column = 0; column < n; ++column)
        to[column] += factor * from[column];
    }
}

void multiplyAdd(double *d, const double *a, const double *b, unsigned m,
                 unsigned n, unsigned k) {
  for (unsigned row = 0; row < m; ++row)
    for (unsigned inner = 0; inner < k; ++inner)
      for (unsigned column = 0; column < n; ++column)
        d[row * n + column] += a[row * k + inner] * b[inner * n + column];
}

void multiplyAdd(int64_t *d, const int32_t *a, const int32_t *b, unsigned m,
                 unsigned n, unsigned k) {
  for (unsigned row = 0; row < m; ++row)
    for (unsigned inner = 0; inner < k; ++inner)
      for (unsigned column = 0; column < n; ++column)
        d[row * n + column] +=
            int64_t(a[row * k + inner]) * b[inner * n + column];
}

unsigned elementBits(Type type) {
  return type == Type::TF32 ? 32 : bitWidth(type);
}

bool isIntegerElement(Type type) {
  switch (type) {
  case Type::S8:
  case Type::U8:
  case Type::S4:
  case Type::U4:
    return true;
  default:
    return false;
  }
}

/// All 256 values of an 8-bit format, decoded once.
static std::array<float, 256> tableOf(const Format &format) {
  std::array<float, 256> table;
  for (unsigned bits = 0; bits < 256; ++bits)
    table[bits] = float(decode(bits, format));
  return table;
}

float floatElement(Type type, uint32_t bits) {
  switch (type) {
  case Type::F16:
    return fromF16(uint16_t(bits));
  case Type::BF16:
    return fromBF16(uint16_t(bits));
  case Type::E4M3: {
    static const std::array<float, 256> table = tableOf(formatE4M3);
    return table[bits & 255];
  }
  case Type::E5M2: {
    static const std::array<float, 256> table = tableOf(formatE5M2);
    return table[bits & 255];
  }
  default:
    return std::bit_cast<float>(bits & 0xFFFFE000);
  }
}

int32_t integerElement(Type type, uint32_t bits) {
  switch (type) {
  case Type::S8:
    return int8_t(bits);
  case Type::U8:
    return uint8_t(bits);
  case Type::S4:
    return int32_t(bits << 28) >> 28;
  default:
    return int32_t(bits & 15);
  }
}

} // namespace heddle::ptx
