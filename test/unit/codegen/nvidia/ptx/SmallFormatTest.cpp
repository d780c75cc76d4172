// SmallFormatTest.cpp - conversions of 4- and 6-bit formats and of scales,
// pairs of f32, f32 sums of narrow operands, and elements of SIMD video
// operands. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Evaluate.h"

#include <cfenv>
#include <cmath>

namespace heddle::ptx::test {

/// The finite values of a format with `exponent` and `mantissa` bits that has
/// neither infinities nor NaN, by their patterns without sign.
static std::vector<double> valuesOf(int exponent, int mantissa) {
  std::vector<double> values;
  int bias = (1 << (exponent - 1)) - 1;
  for (int e = 0; e < 1 << exponent; ++e)
    for (int m = 0; m < 1 << mantissa; ++m)
      values.push_back(
          e == 0 ? std::ldexp(m, 1 - bias - mantissa)
                 : std::ldexp(m + (1 << mantissa), e - bias - mantissa));
  return values;
}

/// The pattern nearest to `x`, ties to even, saturated; NaN is the largest.
static uint32_t nearest(const std::vector<double> &values, float x) {
  if (std::isnan(x))
    return uint32_t(values.size() - 1);
  double magnitude = std::min<double>(std::fabs(x), values.back());
  size_t best = 0;
  for (size_t i = 1; i < values.size(); ++i) {
    double now = std::fabs(values[i] - magnitude);
    double before = std::fabs(values[best] - magnitude);
    if (now < before || (now == before && i % 2 == 0))
      best = i;
  }
  return uint32_t(best + (std::signbit(x) ? values.size() : 0));
}

TEST(SmallFormat, NarrowPairs) {
  auto a = interesting<float>(0), b = interesting<float>(1);
  for (size_t i = 900; i < a.size(); ++i) { // most random bits overflow
    a[i] = bitsOf(float(int32_t(a[i]) % 4096) / 256.0f);
    b[i] = bitsOf(float(int32_t(b[i]) % 4096) / 1024.0f);
  }
  struct Format {
    std::string name;
    int exponent, mantissa;
    unsigned element;
  };
  for (const Format &format :
       {Format{"e2m1x2", 2, 1, 4}, Format{"e2m3x2", 2, 3, 8},
        Format{"e3m2x2", 3, 2, 8}}) {
    auto values = valuesOf(format.exponent, format.mantissa);
    unsigned width = 2 * format.element;
    auto d = evaluate("cvt.rn.satfinite." + format.name + ".f32 %d, %a, %b;",
                      width, {32, 32}, {a, b});
    auto relu =
        evaluate("cvt.rn.satfinite.relu." + format.name + ".f32 %d, %a, %b;",
                 width, {32, 32}, {a, b});
    for (size_t i = 0; i < a.size(); ++i) {
      float x = valueOf<float>(a[i]), y = valueOf<float>(b[i]);
      ASSERT_EQ(d[i], nearest(values, x) << format.element | nearest(values, y))
          << format.name << " " << x << " " << y;
      float p = x < 0 ? 0 : x, q = y < 0 ? 0 : y;
      ASSERT_EQ(relu[i],
                nearest(values, p) << format.element | nearest(values, q));
    }
  }
}

TEST(SmallFormat, WidePairs) {
  std::vector<uint64_t> a(65536);
  for (size_t i = 0; i < a.size(); ++i)
    a[i] = i;
  auto check = [&](const std::string &name, int exponent, int mantissa,
                   unsigned element) {
    auto values = valuesOf(exponent, mantissa);
    std::vector<uint64_t> in = a;
    in.resize(size_t(1) << (2 * element));
    auto d =
        evaluate("cvt.rn.f16x2." + name + " %d, %a;", 32, {2 * element}, {in});
    for (size_t i = 0; i < in.size(); ++i)
      for (unsigned half = 0; half < 2; ++half) {
        size_t bits = in[i] >> (element * half) & ((1u << element) - 1);
        size_t magnitude = bits % values.size();
        bool negative = bits / values.size() & 1;
        float got = halfToFloat(uint16_t(d[i] >> (16 * half)));
        ASSERT_EQ(std::fabs(got), float(values[magnitude])) << name << bits;
        ASSERT_EQ(std::signbit(got), negative);
      }
  };
  check("e2m1x2", 2, 1, 4);
  check("e2m3x2", 2, 3, 8);
  check("e3m2x2", 3, 2, 8);
}

TEST(SmallFormat, Scales) {
  auto a = interesting<float>(0), b = interesting<float>(1);
  auto down = evaluate("cvt.rz.satfinite.ue8m0x2.f32 %d, %a, %b;", 16, {32, 32},
                       {a, b});
  auto up = evaluate("cvt.rp.ue8m0x2.f32 %d, %a, %b;", 16, {32, 32}, {a, b});
  auto scale = [](float x, bool isUp) -> uint64_t {
    if (std::isnan(x) || (isUp && std::isinf(x)))
      return 255;
    double magnitude = std::fabs(double(x));
    // The exact power of two below or above, searched for.
    int e = -127;
    while (e < 128 && std::ldexp(1.0, isUp ? e : e + 1) <
                          magnitude + (isUp ? 0 : 0x1p-149))
      ++e;
    return e > 127 ? (isUp ? 255 : 254) : uint64_t(e + 127);
  };
  for (size_t i = 0; i < a.size(); ++i) {
    float x = valueOf<float>(a[i]), y = valueOf<float>(b[i]);
    ASSERT_EQ(up[i], scale(x, true) << 8 | scale(y, true)) << x << " " << y;
    auto exponent = [](float v) -> uint64_t {
      if (std::isnan(v))
        return 255;
      uint32_t field = uint32_t(bitsOf(v)) >> 23 & 255;
      return std::min(field, 254u);
    };
    ASSERT_EQ(down[i], exponent(x) << 8 | exponent(y)) << x << " " << y;
  }
  std::vector<uint64_t> pairs(65536);
  for (size_t i = 0; i < pairs.size(); ++i)
    pairs[i] = i;
  auto wide = evaluate("cvt.rn.bf16x2.ue8m0x2 %d, %a;", 32, {16}, {pairs});
  for (size_t i = 0; i < pairs.size(); ++i) {
    auto want = [](uint64_t bits) -> uint64_t {
      return bits == 255 ? 0x7FFF : bits == 0 ? 0x40 : bits << 7;
    };
    ASSERT_EQ(wide[i], want(i >> 8) << 16 | want(i & 255));
  }
}

TEST(SmallFormat, SaturatedPacks) {
  auto a = interesting<int32_t>(0), b = interesting<int32_t>(1),
       c = interesting<uint32_t>(2);
  auto s4 = evaluate("cvt.pack.sat.s4.s32.b32 %d, %a, %b, %c;", 32,
                     {32, 32, 32}, {a, b, c});
  auto u2 = evaluate("cvt.pack.sat.u2.s32.b32 %d, %a, %b, %c;", 32,
                     {32, 32, 32}, {a, b, c});
  for (size_t i = 0; i < a.size(); ++i) {
    int32_t x = int32_t(a[i]), y = int32_t(b[i]);
    auto s = [](int32_t v) { return uint32_t(std::clamp(v, -8, 7)) & 15; };
    auto u = [](int32_t v) { return uint32_t(std::clamp(v, 0, 3)); };
    ASSERT_EQ(s4[i], uint32_t(uint32_t(c[i]) << 8 | s(x) << 4 | s(y)));
    ASSERT_EQ(u2[i], uint32_t(uint32_t(c[i]) << 4 | u(x) << 2 | u(y)));
  }
}

/// NaN compares equal to NaN, everything else by its bits.
static void expectSame(uint32_t got, float want, const char *what, size_t i) {
  if (std::isnan(want))
    ASSERT_EQ(got, 0x7FFFFFFFu) << what << i;
  else
    ASSERT_EQ(got, uint32_t(bitsOf(want))) << what << i;
}

/// Host arithmetic in a rounding mode; `volatile` keeps it out of the
/// compiler's hands.
template <class F>
static float rounded(int mode, F f) {
  std::fesetround(mode);
  volatile float result = f();
  std::fesetround(FE_TONEAREST);
  return result;
}

TEST(PackedFloat, PairsOfF32) {
  auto lowA = interesting<float>(0), lowB = interesting<float>(1),
       lowC = interesting<float>(2);
  auto pair = [](const std::vector<uint64_t> &low) {
    std::vector<uint64_t> both = low;
    for (size_t i = 0; i < low.size(); ++i)
      both[i] |= low[low.size() - 1 - i] << 32;
    return both;
  };
  auto a = pair(lowA), b = pair(lowB), c = pair(lowC);
  auto sum = evaluate("add.rz.f32x2 %d, %a, %b;", 64, {64, 64}, {a, b});
  auto difference = evaluate("sub.f32x2 %d, %a, %b;", 64, {64, 64}, {a, b});
  auto product = evaluate("mul.ftz.f32x2 %d, %a, %b;", 64, {64, 64}, {a, b});
  auto fused =
      evaluate("fma.rp.f32x2 %d, %a, %b, %c;", 64, {64, 64, 64}, {a, b, c});
  auto flushed = [](float x) {
    return std::fabs(x) < 0x1p-126f ? std::copysign(0.0f, x) : x;
  };
  for (size_t i = 0; i < a.size(); ++i)
    for (unsigned shift : {0u, 32u}) {
      volatile float x = valueOf<float>(uint32_t(a[i] >> shift)),
                     y = valueOf<float>(uint32_t(b[i] >> shift)),
                     z = valueOf<float>(uint32_t(c[i] >> shift));
      expectSame(uint32_t(sum[i] >> shift),
                 rounded(FE_TOWARDZERO, [&] { return x + y; }), "add ", i);
      expectSame(uint32_t(difference[i] >> shift), x - y, "sub ", i);
      expectSame(uint32_t(product[i] >> shift),
                 flushed(flushed(x) * flushed(y)), "mul ", i);
      expectSame(uint32_t(fused[i] >> shift),
                 rounded(FE_UPWARD, [&] { return std::fma(x, y, z); }), "fma ",
                 i);
    }
}

TEST(PackedFloat, NarrowOperands) {
  auto a = interesting<uint16_t>(0), b = interesting<uint16_t>(1);
  auto c = interesting<float>(2);
  size_t count = std::min(a.size(), c.size());
  a.resize(count), b.resize(count), c.resize(count);
  auto sum = evaluate("add.rm.f32.f16 %d, %a, %b;", 32, {16, 32}, {a, c});
  auto difference =
      evaluate("sub.sat.f32.bf16 %d, %a, %b;", 32, {16, 32}, {a, c});
  auto fused =
      evaluate("fma.rz.f32.bf16 %d, %a, %b, %c;", 32, {16, 16, 32}, {a, b, c});
  for (size_t i = 0; i < count; ++i) {
    volatile float half = halfToFloat(uint16_t(a[i])),
                   brain = bf16ToFloat(uint16_t(a[i])),
                   factor = bf16ToFloat(uint16_t(b[i])),
                   z = valueOf<float>(c[i]);
    expectSame(uint32_t(sum[i]), rounded(FE_DOWNWARD, [&] { return half + z; }),
               "add ", i);
    float limited = brain - z;
    limited = limited > 0 ? std::min(limited, 1.0f) : 0.0f;
    expectSame(uint32_t(difference[i]), limited, "sub ", i);
    expectSame(
        uint32_t(fused[i]),
        rounded(FE_TOWARDZERO, [&] { return std::fma(brain, factor, z); }),
        "fma ", i);
  }
}

TEST(PackedFloat, ExtremaOfThree) {
  auto a = interesting<float>(0), b = interesting<float>(1),
       c = interesting<float>(2);
  auto three = [&](const char *text) {
    return evaluate(text, 32, {32, 32, 32}, {a, b, c});
  };
  auto least = three("min.f32 %d, %a, %b, %c;");
  auto most = three("max.NaN.abs.f32 %d, %a, %b, %c;");
  for (size_t i = 0; i < a.size(); ++i) {
    float v[] = {valueOf<float>(a[i]), valueOf<float>(b[i]),
                 valueOf<float>(c[i])};
    float low = std::numeric_limits<float>::quiet_NaN(), high = 0;
    for (float x : v) {
      bool below = x < low || (x == low && std::signbit(x));
      if (std::isnan(low) || below)
        low = std::isnan(x) ? low : x;
      high = std::isnan(x) || std::isnan(high) ? NAN
                                               : std::max(high, std::fabs(x));
    }
    expectSame(uint32_t(least[i]), low, "min ", i);
    expectSame(uint32_t(most[i]), high, "max ", i);
  }
}

/// Selectors pick elements of a and b taken together; the mask of the result
/// lets c through.
TEST(VideoOperands, SelectorsAndMasks) {
  auto a = interesting<uint32_t>(0), b = interesting<uint32_t>(1),
       c = interesting<uint32_t>(2);
  auto bytes = evaluate("vadd4.u32.u32.u32 %d.b20, %a.b7016, %b.b0123, %c;", 32,
                        {32, 32, 32}, {a, b, c});
  auto halves = evaluate("vsub2.s32.s32.s32 %d.h1, %a.h21, %b.h03, %c;", 32,
                         {32, 32, 32}, {a, b, c});
  auto plain = evaluate("vabsdiff4.u32.u32.u32.add %d.b3, %a, %b, %c;", 32,
                        {32, 32, 32}, {a, b, c});
  for (size_t i = 0; i < a.size(); ++i) {
    uint64_t both = a[i] | b[i] << 32;
    auto byte = [&](unsigned n) { return uint32_t(both >> (8 * n) & 255); };
    auto half = [&](unsigned n) { return int16_t(both >> (16 * n)); };
    uint32_t low = (byte(6) + byte(3)) & 255, third = (byte(0) + byte(1)) & 255;
    ASSERT_EQ(bytes[i], (uint32_t(c[i]) & 0xFF00FF00) | third << 16 | low);
    uint32_t high = uint16_t(half(2) - half(0));
    ASSERT_EQ(halves[i], (uint32_t(c[i]) & 0xFFFF) | high << 16);
    int64_t x = byte(3), y = byte(7);
    ASSERT_EQ(plain[i], uint32_t(c[i] + uint64_t(std::abs(x - y))));
  }
}

} // namespace heddle::ptx::test
