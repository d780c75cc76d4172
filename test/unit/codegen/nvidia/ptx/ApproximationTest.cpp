// ApproximationTest.cpp - approximate functions within the documented errors.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bounds and special values are those of the PTX ISA, chapter 9.7.3 and 9.7.4.

#include "test/unit/codegen/nvidia/ptx/Differential.h"
#include "test/unit/codegen/nvidia/ptx/HostFloat.h"

#include <cmath>

namespace heddle::ptx::test {

using Real = long double;

/// How far a result may be from the exact one.
struct Bound {
  Real relative = 0, absolute = 0;
};

static Real realOf(const HostFormat &format, uint64_t word) {
  Real magnitude = std::fabs(Real(format.value(word)));
  return format.isNegative(word) ? -magnitude : magnitude;
}

/// Whether `got` stands for `want`: alike in class and sign, or near enough. A
/// result below the normal range may be flushed where the form flushes.
static bool isNear(const HostFormat &format, uint64_t got, Real want,
                   const Bound &bound, bool flush) {
  if (std::isnan(want))
    return format.isNan(got);
  Real most = Real(format.value(format.largest()));
  Real least = std::ldexp(1.0L, 2 - (1 << (format.exponentBits - 1)));
  Real value = Real(format.value(got));
  Real error = bound.relative * std::fabs(want) + bound.absolute;
  // The distance of two neighbours where they are subnormal.
  error += std::ldexp(least, -int(format.mantissaBits));
  if (std::isinf(want) || std::fabs(want) > most)
    return std::isinf(value) && std::signbit(value) == std::signbit(want);
  if (std::isinf(value))
    return std::fabs(want) + error > most;
  if (want == 0 && value == 0)
    return format.isNegative(got) == std::signbit(want);
  if (flush && std::fabs(want) < least * (1 + bound.relative) && value == 0)
    return true;
  return std::fabs(value - want) <= error;
}

struct Function {
  std::string form; ///< with its type
  const HostFormat *format;
  Real (*exact)(Real a, Real b);
  Bound bound;
  unsigned operands = 1;
  bool flush = false;
};

static void check(const Function &function, std::vector<Column> operands = {}) {
  const HostFormat &format = *function.format;
  if (operands.empty())
    for (unsigned i = 0; i < function.operands; ++i)
      operands.push_back(&format == &hostBF16 ? bfloats(i)
                                              : floats(format.bits(), i, 2048));
  auto input = [&](uint64_t word) {
    if (function.flush && format.isSubnormal(word))
      word &= format.signBit();
    return realOf(format, word);
  };
  compareBy(
      {function.form + (function.operands == 2 ? " %d, %a, %b;" : " %d, %a;"),
       format.bits(), std::vector<unsigned>(function.operands, format.bits())},
      operands, [&](const uint64_t *row, uint64_t got) {
        Real b = function.operands == 2 ? input(row[1]) : 0;
        Real want = function.exact(input(row[0]), b);
        EXPECT_TRUE(isNear(format, got, want, function.bound, function.flush))
            << double(input(row[0])) << ", " << double(b) << " gave "
            << double(Real(format.value(got))) << ", exact " << double(want);
        return isNear(format, got, want, function.bound, function.flush);
      });
  if (format.bits() != 16)
    return;
  // The packed twin computes both halves.
  Column pairs = operands[0];
  for (size_t i = 0; i < pairs.size(); ++i)
    pairs[i] |= operands[0][(i * 5 + 3) % pairs.size()] << 16;
  compareBy({function.form + "x2 %d, %a;", 32, {32}}, {pairs},
            [&](const uint64_t *row, uint64_t got) {
              return isNear(format, got & 0xFFFF,
                            function.exact(input(row[0] & 0xFFFF), 0),
                            function.bound, function.flush) &&
                     isNear(format, got >> 16,
                            function.exact(input(row[0] >> 16), 0),
                            function.bound, function.flush);
            });
}

static Real reciprocal(Real a, Real) { return 1 / a; }
static Real squareRoot(Real a, Real) { return std::sqrt(a); }
static Real reciprocalRoot(Real a, Real) { return 1 / std::sqrt(a); }
static Real power2(Real a, Real) { return std::exp2(a); }
static Real logarithm2(Real a, Real) { return std::log2(a); }
static Real tangent(Real a, Real) { return std::tanh(a); }
static Real sine(Real a, Real) { return std::sin(a); }
static Real cosine(Real a, Real) { return std::cos(a); }
static Real divided(Real a, Real b) { return a / b; }

TEST(Approximation, SinglePrecision) {
  for (bool flush : {false, true}) {
    std::string type = flush ? ".ftz.f32" : ".f32";
    auto one = [&](const char *name, Real (*exact)(Real, Real), Bound bound) {
      check({name + type, &hostF32, exact, bound, 1, flush});
    };
    one("rcp.approx", reciprocal, {0x1p-23L});
    one("sqrt.approx", squareRoot, {0x1p-23L});
    one("rsqrt.approx", reciprocalRoot, {std::exp2(-22.9L)});
    one("ex2.approx", power2, {0x1p-22L});
    // Two units in the last place, over the range where they are promised.
    check({"div.full" + type, &hostF32, divided, {0x1p-22L}, 2, flush});
  }
  check({"tanh.approx.f32", &hostF32, tangent, {0x1p-11L}});
}

/// lg2: absolute 2^-22 on (0.5, 2), relative elsewhere.
TEST(Approximation, Logarithm) {
  Column near, far = floats(32, 0, 2048);
  std::mt19937 generator(3);
  for (int i = 0; i < 2048; ++i)
    near.push_back(0x3F000000 + generator() % 0x01000000);
  for (bool flush : {false, true}) {
    std::string form = std::string("lg2.approx") + (flush ? ".ftz" : "");
    check({form + ".f32", &hostF32, logarithm2, {0, 0x1p-22L}, 1, flush},
          {near});
    Column outside;
    for (uint64_t word : far)
      if (word < 0x3F000000 || word >= 0x40000000)
        outside.push_back(word);
    check({form + ".f32", &hostF32, logarithm2, {0x1p-22L}, 1, flush},
          {outside});
  }
}

/// sin and cos: absolute 2^-20.5 on [-2 pi, 2 pi] and 2^-14.7 on [-100 pi, 100
/// pi]; infinities give NaN.
TEST(Approximation, SineAndCosine) {
  struct {
    float range;
    Bound bound;
  } ranges[] = {{6.2831853f, {0, std::exp2(-20.5L)}},
                {314.15926f, {0, std::exp2(-14.7L)}}};
  for (auto &[range, bound] : ranges) {
    Column angles = {0,          0x80000000, 1,         0x80000001,
                     0x7F800000, 0xFF800000, 0x7FC00000};
    for (int i = -1000; i <= 1000; ++i) {
      float angle = float(i) * range / 1000;
      uint32_t word;
      std::memcpy(&word, &angle, 4);
      angles.push_back(word);
    }
    for (bool flush : {false, true}) {
      std::string type = flush ? ".approx.ftz.f32" : ".approx.f32";
      check({"sin" + type, &hostF32, sine, bound, 1, flush}, {angles});
      check({"cos" + type, &hostF32, cosine, bound, 1, flush}, {angles});
    }
  }
}

/// div.approx: two units for divisors of 2^-126 to 2^126; above, a finite
/// dividend gives zero and an infinite one NaN.
TEST(Approximation, Quotient) {
  for (bool flush : {false, true}) {
    Column a, b;
    Column allA = floats(32, 0, 2048), allB = floats(32, 1, 2048);
    for (size_t i = 0; i < allA.size(); ++i)
      if (!hostF32.isSubnormal(allB[i])) {
        a.push_back(allA[i]);
        b.push_back(allB[i]);
      }
    auto exact = [](Real x, Real y) {
      if (std::fabs(y) > 0x1p126L && std::isfinite(y))
        return std::isinf(x) ? Real(NAN) : x * 0 / y;
      return x / y;
    };
    check({std::string("div.approx") + (flush ? ".ftz" : "") + ".f32",
           &hostF32,
           exact,
           {0x1p-22L},
           2,
           flush},
          {a, b});
  }
}

TEST(Approximation, HalfPrecision) {
  check({"ex2.approx.f16", &hostF16, power2, {std::exp2(-9.9L)}});
  check({"ex2.approx.ftz.bf16", &hostBF16, power2, {0x1p-7L}, 1, true});
  check({"tanh.approx.f16", &hostF16, tangent, {0, std::exp2(-10.987L)}});
  check({"tanh.approx.bf16", &hostBF16, tangent, {0x1p-8L}});
}

/// The gross approximations of f64 (9.7.3.14, 9.7.3.17) work in the 1.11.20
/// format of the upper word: the ISA bounds no error, so one unit of that
/// format is allowed. The lower word of the operand does not count, not even
/// for NaN, and is zero in the result; subnormals are flushed and there is one
/// NaN.
TEST(Approximation, GrossDoublePrecision) {
  auto upper = [](uint64_t word) { return word & 0xFFFFFFFF00000000u; };
  Column operands = floats(64, 0, 2048);
  // The largest magnitudes, whose reciprocals are subnormal.
  for (uint64_t word = 0x7FD0000000000000; word < 0x7FF0000000000000;
       word += 0x0000811100000000)
    operands.push_back(word | (operands.size() % 2) << 63);
  struct {
    const char *form;
    Real (*exact)(Real, Real);
  } functions[] = {{"rcp.approx.ftz.f64", reciprocal},
                   {"rsqrt.approx.ftz.f64", reciprocalRoot}};
  for (auto &function : functions)
    compareBy({std::string(function.form) + " %d, %a;", 64, {64}}, {operands},
              [&](const uint64_t *row, uint64_t got) {
                uint64_t word = upper(row[0]);
                if (hostF64.isSubnormal(word))
                  word &= hostF64.signBit();
                Real want = function.exact(realOf(hostF64, word), 0);
                if (std::isnan(want))
                  return got == 0x7FFFFFFF00000000u;
                if (want != 0 && std::fabs(want) < 0x1p-1022L)
                  return got == (std::signbit(want) ? hostF64.signBit() : 0);
                return (got & 0xFFFFFFFF) == 0 &&
                       isNear(hostF64, got, want, {0x1p-20L}, false);
              });
}

/// rsqrt.approx.f64 is emulated in software and not gross. The ISA bounds no
/// error; the CUDA math library, which it serves, claims one unit for rsqrt.
TEST(Approximation, DoublePrecision) {
  check({"rsqrt.approx.f64", &hostF64, reciprocalRoot, {0x1p-52L}});
}

} // namespace heddle::ptx::test
