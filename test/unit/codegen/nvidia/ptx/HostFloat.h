// HostFloat.h - exact values of binary formats and their rounding, for tests.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Written from IEEE 754 and the tables of the PTX ISA (5.2.3), on binary128,
// and sharing nothing with the interpreter.

#ifndef HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_HOST_FLOAT_H
#define HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_HOST_FLOAT_H

#include <cstdint>
#include <string>

namespace heddle::ptx::test {

enum class Direction { Even, Zero, Down, Up, Away };

/// A value that binary128 holds, plus an error below its last place, of which
/// only the sign matters.
struct Exact {
  __float128 value = 0;
  int beyond = 0; ///< -1, 0, 1: the true value is below, at, above `value`
};

/// A binary floating-point format.
struct HostFormat {
  const char *name;
  unsigned exponentBits, mantissaBits;
  bool hasInfinity;   ///< false: only the all-ones pattern is NaN (e4m3)
  unsigned shift = 0; ///< tf32 lies in the upper bits of its word
  bool hasNan = true; ///< false: every pattern is a number (e2m1)

  unsigned bits() const { return 1 + exponentBits + mantissaBits + shift; }
  uint64_t signBit() const { return uint64_t(1) << (bits() - 1); }
  /// What PTX writes for NaN: all ones but the sign.
  uint64_t nan() const { return signBit() - 1; }
  /// Patterns of magnitudes, without `shift`.
  uint64_t largest() const;
  bool isNan(uint64_t word) const;
  bool isInfinite(uint64_t word) const;
  bool isSubnormal(uint64_t word) const;
  bool isNegative(uint64_t word) const { return word & signBit(); }
  /// Infinities and NaN as those of binary128.
  __float128 value(uint64_t word) const;
  /// Rounds; overflow saturates to the largest magnitude if asked. A zero takes
  /// the sign given.
  uint64_t round(Exact exact, Direction direction, bool negativeZero = false,
                 bool saturate = false) const;
};

constexpr HostFormat hostF16 = {"f16", 5, 10, true};
constexpr HostFormat hostBF16 = {"bf16", 8, 7, true};
constexpr HostFormat hostTF32 = {"tf32", 8, 10, true, 13};
constexpr HostFormat hostE4M3 = {"e4m3", 4, 3, false};
constexpr HostFormat hostE5M2 = {"e5m2", 5, 2, true};
constexpr HostFormat hostE2M1 = {"e2m1", 2, 1, false, 0, false};
constexpr HostFormat hostE2M3 = {"e2m3", 2, 3, false, 0, false};
constexpr HostFormat hostE3M2 = {"e3m2", 3, 2, false, 0, false};
constexpr HostFormat hostF32 = {"f32", 8, 23, true};
constexpr HostFormat hostF64 = {"f64", 11, 52, true};

/// The exact sum.
Exact sum(__float128 a, __float128 b);
/// a / b and the square root, with the sign of what is left.
Exact quotient(__float128 a, __float128 b);
Exact root(__float128 a);

/// a + b of a format, rounded to nearest even.
uint64_t added(const HostFormat &format, uint64_t a, uint64_t b);
/// The lesser or greater of two; a NaN loses, and -0 is below +0.
uint64_t extremum(const HostFormat &format, uint64_t a, uint64_t b,
                  bool largest);

/// Modifiers of arithmetic: `.ftz`, `.sat`, `.relu`.
struct Flags {
  bool flush = false, saturate = false, relu = false;

  std::string text() const {
    return std::string(flush ? ".ftz" : "") + (relu ? ".relu" : "") +
           (saturate ? ".sat" : "");
  }
};

/// A rounding modifier.
struct RoundingMode {
  const char *text;
  Direction direction;
};
constexpr RoundingMode roundingModes[] = {{".rn", Direction::Even},
                                          {".rz", Direction::Zero},
                                          {".rm", Direction::Down},
                                          {".rp", Direction::Up}};

enum class Operation { Add, Sub, Mul, Fma, Div, Sqrt, Rcp };

/// A subnormal becomes the zero of its sign.
uint64_t flushed(const HostFormat &format, uint64_t word);
/// Flushes a result, clamps it to [0, 1] with NaN as +0, or to what is not
/// negative.
uint64_t limited(const HostFormat &format, uint64_t word, const Flags &flags);
/// The IEEE 754 result of an operation on three words of a format.
uint64_t computed(Operation operation, const HostFormat &format,
                  const uint64_t *words, Direction direction,
                  const Flags &flags);
/// The same on exact values, with their signs (of zeros as well).
uint64_t computed(Operation operation, const HostFormat &format,
                  const __float128 *x, const bool *negative,
                  Direction direction, const Flags &flags);

bool isNan(__float128 value);
bool isFinite(__float128 value);
bool isNegative(__float128 value);

} // namespace heddle::ptx::test

#endif // HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_HOST_FLOAT_H
