// FloatTest.cpp - floating-point arithmetic against the host and exact values.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Evaluate.h"

#include <cmath>

namespace heddle::ptx::test {

template <class T>
constexpr unsigned bits = sizeof(T) * 8;

template <class T>
static bool same(T got, T want) {
  return (got != got && want != want) || bitsOf(got) == bitsOf(want);
}

template <class T, class Expected>
static void expectBinary(const std::string &name, Expected expected) {
  auto a = interesting<T>(0), b = interesting<T>(1);
  auto d = evaluate(name + " %d, %a, %b;", bits<T>, {bits<T>, bits<T>}, {a, b});
  for (size_t i = 0; i < a.size(); ++i) {
    T x = valueOf<T>(a[i]), y = valueOf<T>(b[i]);
    ASSERT_TRUE(same(valueOf<T>(d[i]), T(expected(x, y))))
        << name << " " << x << ", " << y << " gave " << valueOf<T>(d[i]);
  }
}

template <class T>
class FloatTypes : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(FloatTypes, Types);

TYPED_TEST(FloatTypes, NearestArithmetic) {
  using T = TypeParam;
  std::string type = ".f" + std::to_string(bits<T>);
  expectBinary<T>("add" + type, [](T a, T b) { return a + b; });
  expectBinary<T>("sub.rn" + type, [](T a, T b) { return a - b; });
  expectBinary<T>("mul" + type, [](T a, T b) { return a * b; });
  expectBinary<T>("div.rn" + type, [](T a, T b) { return a / b; });
  auto a = interesting<T>(0), b = interesting<T>(1), c = interesting<T>(2);
  auto fused = evaluate("fma.rn" + type + " %d, %a, %b, %c;", bits<T>,
                        {bits<T>, bits<T>, bits<T>}, {a, b, c});
  auto root = evaluate("sqrt.rn" + type + " %d, %a;", bits<T>, {bits<T>}, {a});
  auto inverse =
      evaluate("rcp.rn" + type + " %d, %a;", bits<T>, {bits<T>}, {a});
  for (size_t i = 0; i < a.size(); ++i) {
    T x = valueOf<T>(a[i]);
    ASSERT_TRUE(same(valueOf<T>(fused[i]),
                     std::fma(x, valueOf<T>(b[i]), valueOf<T>(c[i]))));
    ASSERT_TRUE(same(valueOf<T>(root[i]), std::sqrt(x)));
    ASSERT_TRUE(same(valueOf<T>(inverse[i]), T(1) / x));
  }
}

/// The float next to an exact value in a direction: 1 zero, 2 down, 3 up.
static float directed(__float128 exact, int mode) {
  float near = float(exact);
  bool down = mode == 2 || (mode == 1 && exact > 0);
  if (std::isinf(near) && (mode == 1 || down == (near > 0)))
    near = std::copysign(std::numeric_limits<float>::max(), near);
  if (down && __float128(near) > exact)
    near = std::nextafter(near, -INFINITY);
  if (!down && __float128(near) < exact)
    near = std::nextafter(near, INFINITY);
  return near;
}

TEST(Float, DirectedRoundings) {
  auto a = interesting<float>(0), b = interesting<float>(1);
  const char *modes[] = {"rn", "rz", "rm", "rp"};
  for (int mode = 1; mode < 4; ++mode) {
    std::string suffix = std::string(".") + modes[mode] + ".f32 %d, %a, %b;";
    auto sum = evaluate("add" + suffix, 32, {32, 32}, {a, b});
    auto product = evaluate("mul" + suffix, 32, {32, 32}, {a, b});
    for (size_t i = 0; i < a.size(); ++i) {
      float x = valueOf<float>(a[i]), y = valueOf<float>(b[i]);
      if (!std::isfinite(x) || !std::isfinite(y) || x == 0 || y == 0)
        continue;
      // Far-apart exponents and exact zeros have rules of their own.
      if (std::abs(std::ilogb(x) - std::ilogb(y)) < 60 && x != -y) {
        ASSERT_EQ(valueOf<float>(sum[i]), directed(__float128(x) + y, mode))
            << modes[mode] << " " << x << " + " << y;
      }
      ASSERT_EQ(valueOf<float>(product[i]), directed(__float128(x) * y, mode))
          << modes[mode] << " " << x << " * " << y;
    }
  }
}

TEST(Float, FlushSaturateAndNan) {
  auto flush = [](float x) {
    return std::fabs(x) < 0x1p-126f ? std::copysign(0.0f, x) : x;
  };
  expectBinary<float>("add.ftz.f32", [&](float a, float b) {
    return flush(flush(a) + flush(b));
  });
  expectBinary<float>("mul.sat.f32", [](float a, float b) {
    float p = a * b;
    return p > 0 ? std::min(p, 1.0f) : 0.0f;
  });
  // PTX has one NaN in f32.
  auto nan = evaluate("add.f32 %d, %a, %b;", 32, {32, 32},
                      {{0xFFC12345, 0x7F800000}, {0, 0xFF800000}});
  EXPECT_EQ(nan[0], 0x7FFFFFFFu);
  EXPECT_EQ(nan[1], 0x7FFFFFFFu);
}

TEST(Float, MinimumAndMaximum) {
  auto least = [](float a, float b) {
    if (a != a || b != b)
      return a != a ? b : a;
    if (a == 0 && b == 0)
      return std::signbit(a) ? a : b;
    return a < b ? a : b;
  };
  expectBinary<float>("min.f32", least);
  expectBinary<float>("max.NaN.f32", [&](float a, float b) {
    return a != a || b != b ? NAN : -least(-a, -b);
  });
  expectBinary<float>("max.xorsign.abs.f32", [&](float a, float b) {
    float most = -least(-std::fabs(a), -std::fabs(b));
    return std::signbit(a) != std::signbit(b) ? -most : most;
  });
  expectBinary<float>("copysign.f32",
                      [](float a, float b) { return std::copysign(b, a); });
}

TEST(Float, Comparisons) {
  auto a = interesting<float>(0), b = interesting<float>(1);
  std::pair<const char *, bool (*)(float, float)> orders[] = {
      {"lt", [](float x, float y) { return x < y; }},
      {"ne", [](float x, float y) { return x == x && y == y && x != y; }},
      {"geu", [](float x, float y) { return !(x < y); }},
      {"equ", [](float x, float y) { return x != x || y != y || x == y; }},
      {"neu", [](float x, float y) { return x != y; }},
      {"num", [](float x, float y) { return x == x && y == y; }},
      {"nan", [](float x, float y) { return x != x || y != y; }}};
  for (auto &[name, holds] : orders) {
    auto d = evaluate(std::string("setp.") + name + ".f32 %d, %a, %b;", 1,
                      {32, 32}, {a, b});
    for (size_t i = 0; i < a.size(); ++i)
      ASSERT_EQ(d[i], holds(valueOf<float>(a[i]), valueOf<float>(b[i])))
          << name << valueOf<float>(a[i]) << " " << valueOf<float>(b[i]);
  }
  auto chosen = evaluate("slct.f32.f32 %d, %a, %b, %a;", 32, {32, 32}, {a, b});
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_EQ(chosen[i], valueOf<float>(a[i]) >= 0 ? a[i] : b[i]);
}

/// Documented largest errors (PTX ISA 9.7.3): relative, or absolute near zero.
TEST(Float, Approximations) {
  std::vector<uint64_t> inputs;
  std::mt19937 generator(3);
  for (int i = 0; i < 2048; ++i)
    inputs.push_back(bitsOf(float(generator() >> 8) * 0x1p-20f - 7.0f));
  struct {
    const char *name;
    double (*exact)(double);
    double relative, absolute;
    bool positive;
  } functions[] = {
      {"rcp.approx.f32", [](double x) { return 1 / x; }, 0x1p-23, 0, false},
      {"sqrt.approx.f32", [](double x) { return std::sqrt(x); }, 0x1p-23, 0,
       true},
      {"rsqrt.approx.f32", [](double x) { return 1 / std::sqrt(x); }, 0x1p-22,
       0, true},
      {"ex2.approx.f32", [](double x) { return std::exp2(x); }, 0x1p-22, 0,
       false},
      {"ex2.approx.ftz.f32", [](double x) { return std::exp2(x); }, 0x1p-22, 0,
       false},
      {"lg2.approx.f32", [](double x) { return std::log2(x); }, 0x1p-22,
       0x1p-22, true},
      {"sin.approx.f32", [](double x) { return std::sin(x); }, 0, 0x1p-20,
       false},
      {"cos.approx.f32", [](double x) { return std::cos(x); }, 0, 0x1p-20,
       false},
      {"tanh.approx.f32", [](double x) { return std::tanh(x); }, 0x1p-11, 0,
       false}};
  for (auto &f : functions) {
    auto d = evaluate(std::string(f.name) + " %d, %a;", 32, {32}, {inputs});
    for (size_t i = 0; i < inputs.size(); ++i) {
      float x = valueOf<float>(inputs[i]);
      if (f.positive && x <= 0)
        continue;
      double want = f.exact(x);
      ASSERT_NEAR(valueOf<float>(d[i]), want,
                  std::fabs(want) * f.relative + f.absolute)
          << f.name << " " << x;
    }
  }
}

//===----------------------------------------------------------------------===//
// Small formats, by search in the list of all their values
//===----------------------------------------------------------------------===//

struct SmallFormat {
  const char *type;
  int exponentBits, mantissaBits;
  bool hasInfinity;
  double value(unsigned pattern) const {
    int bias = (1 << (exponentBits - 1)) - 1;
    int exponent = int(pattern >> mantissaBits);
    double mantissa = pattern & ((1u << mantissaBits) - 1);
    return exponent == 0 ? std::ldexp(mantissa, 1 - bias - mantissaBits)
                         : std::ldexp(mantissa + (1 << mantissaBits),
                                      exponent - bias - mantissaBits);
  }
  unsigned largest() const {
    unsigned top = ((1u << exponentBits) - 1) << mantissaBits;
    return hasInfinity ? top - 1 : top + (1u << mantissaBits) - 2;
  }
  /// Ties to even; `satfinite` or overflow to the pattern after the largest.
  unsigned nearest(double x, bool saturate) const {
    unsigned sign = std::signbit(x) ? 1u << (exponentBits + mantissaBits) : 0;
    double magnitude = std::fabs(x);
    unsigned low = 0, high = largest() + 1;
    while (high - low > 1) {
      unsigned middle = (low + high) / 2;
      (value(middle) <= magnitude ? low : high) = middle;
    }
    double below = magnitude - value(low), above = value(high) - magnitude;
    if (above < below || (above == below && low % 2))
      low = high;
    return sign | (saturate ? std::min(low, largest()) : low);
  }
};

static const SmallFormat half = {"f16", 5, 10, true};
static const SmallFormat brain = {"bf16", 8, 7, true};
static const SmallFormat e4m3 = {"e4m3", 4, 3, false};
static const SmallFormat e5m2 = {"e5m2", 5, 2, true};

static std::vector<uint64_t> conversionInputs() {
  auto inputs = interesting<float>(0);
  std::mt19937 generator(5);
  for (int i = 0; i < 4096; ++i) // spread over the exponents of the formats
    inputs.push_back(bitsOf(std::ldexp(float(int(generator()) >> 8) * 0x1p-23f,
                                       int(generator() % 48) - 26)));
  return inputs;
}

TEST(Convert, FloatToSmallFormats) {
  auto inputs = conversionInputs();
  for (const SmallFormat *format : {&half, &brain}) {
    auto d = evaluate(std::string("cvt.rn.") + format->type + ".f32 %d, %a;",
                      16, {32}, {inputs});
    auto cut = evaluate(std::string("cvt.rz.") + format->type + ".f32 %d, %a;",
                        16, {32}, {inputs});
    for (size_t i = 0; i < inputs.size(); ++i) {
      float x = valueOf<float>(inputs[i]);
      if (x != x) {
        ASSERT_EQ(d[i], 0x7FFFu);
        continue;
      }
      ASSERT_EQ(d[i], format->nearest(x, false)) << format->type << " " << x;
      if (std::isinf(x))
        continue;
      double below = format->value(cut[i] & 0x7FFF);
      ASSERT_LE(below, std::fabs(x));
      if ((cut[i] & 0x7FFF) < format->largest()) {
        ASSERT_GT(format->value((cut[i] & 0x7FFF) + 1), std::fabs(x));
      }
    }
  }
  for (const SmallFormat *format : {&e4m3, &e5m2}) {
    auto d = evaluate(std::string("cvt.rn.satfinite.") + format->type +
                          "x2.f32 %d, %a, %a;",
                      16, {32}, {inputs});
    for (size_t i = 0; i < inputs.size(); ++i) {
      float x = valueOf<float>(inputs[i]);
      unsigned want = x != x ? 0x7F : format->nearest(x, true);
      ASSERT_EQ(d[i], want | want << 8) << format->type << " " << x;
    }
  }
}

TEST(Convert, SmallFormatsToFloat) {
  std::vector<uint64_t> all;
  for (unsigned pattern = 0; pattern < 65536; pattern += 7)
    all.push_back(pattern);
  for (const SmallFormat *format : {&half, &brain}) {
    auto d = evaluate(std::string("cvt.f32.") + format->type + " %d, %a;", 32,
                      {16}, {all});
    for (size_t i = 0; i < all.size(); ++i) {
      unsigned magnitude = all[i] & 0x7FFF;
      float got = valueOf<float>(d[i]);
      if (magnitude > format->largest() + 1)
        ASSERT_NE(got, got);
      else if (magnitude == format->largest() + 1)
        ASSERT_TRUE(std::isinf(got));
      else
        ASSERT_EQ(got, (all[i] & 0x8000 ? -1 : 1) * format->value(magnitude));
    }
  }
  auto pairs = evaluate("cvt.rn.f16x2.e4m3x2 %d, %a;", 32, {16}, {all});
  for (size_t i = 0; i < all.size(); ++i)
    for (unsigned e = 0; e < 2; ++e) {
      unsigned byte = all[i] >> (8 * e) & 255;
      float got = halfToFloat(uint16_t(pairs[i] >> (16 * e)));
      if ((byte & 127) == 127)
        ASSERT_NE(got, got);
      else
        ASSERT_EQ(got, (byte & 128 ? -1 : 1) * e4m3.value(byte & 127));
    }
}

TEST(Convert, Integers) {
  auto inputs = conversionInputs();
  auto nearest = evaluate("cvt.rni.s32.f32 %d, %a;", 32, {32}, {inputs});
  auto down = evaluate("cvt.rmi.u16.f32 %d, %a;", 16, {32}, {inputs});
  auto up = evaluate("cvt.rpi.s64.f32 %d, %a;", 64, {32}, {inputs});
  auto integral = evaluate("cvt.rzi.f32.f32 %d, %a;", 32, {32}, {inputs});
  for (size_t i = 0; i < inputs.size(); ++i) {
    float x = valueOf<float>(inputs[i]);
    double n = std::nearbyint(double(x));
    int32_t want = x != x              ? 0
                   : n > 2147483647.0  ? INT32_MAX
                   : n < -2147483648.0 ? INT32_MIN
                                       : int32_t(n);
    ASSERT_EQ(int32_t(nearest[i]), want) << x;
    double f = std::floor(double(x));
    ASSERT_EQ(down[i], x != x || f <= 0 ? 0u
                       : f > 65535      ? 65535u
                                        : unsigned(f));
    double c = std::ceil(double(x));
    int64_t wide = x != x        ? INT64_MIN
                   : c >= 0x1p63 ? INT64_MAX
                   : c < -0x1p63 ? INT64_MIN
                                 : int64_t(c);
    ASSERT_EQ(int64_t(up[i]), wide) << x;
    ASSERT_TRUE(same(valueOf<float>(integral[i]), std::trunc(x)));
  }
  auto wide = interesting<uint64_t>(0);
  auto toFloat = evaluate("cvt.rn.f32.u64 %d, %a;", 32, {64}, {wide});
  auto toDouble = evaluate("cvt.rn.f64.s64 %d, %a;", 64, {64}, {wide});
  auto toHalf = evaluate("cvt.rn.bf16.u64 %d, %a;", 16, {64}, {wide});
  auto saturated = evaluate("cvt.sat.s16.s64 %d, %a;", 16, {64}, {wide});
  auto extended = evaluate("cvt.s64.s8 %d, %a;", 64, {64}, {wide});
  for (size_t i = 0; i < wide.size(); ++i) {
    ASSERT_EQ(valueOf<float>(toFloat[i]), float(wide[i]));
    ASSERT_EQ(valueOf<double>(toDouble[i]), double(int64_t(wide[i])));
    __float128 exact = wide[i];
    unsigned low = brain.nearest(double(wide[i]), false);
    // Double rounding through f64 can only differ at a tie; compare there too.
    if (__float128(double(wide[i])) == exact)
      ASSERT_EQ(toHalf[i], low);
    int64_t v = int64_t(wide[i]);
    ASSERT_EQ(int16_t(saturated[i]), std::clamp<int64_t>(v, -32768, 32767));
    ASSERT_EQ(int64_t(extended[i]), int8_t(wide[i]));
  }
}

TEST(Half, Arithmetic) {
  std::vector<uint64_t> a, b, c;
  std::mt19937 generator(9);
  const uint16_t special[] = {0,      0x8000, 0x3C00, 0xBC00, 0x7BFF,
                              0x7C00, 0x7E00, 0x0001, 0x8001, 0x0400};
  for (uint16_t x : special)
    for (uint16_t y : special) {
      a.push_back(x);
      b.push_back(y);
      c.push_back(special[(x + y) % 10]);
    }
  for (int i = 0; i < 4096; ++i) {
    a.push_back(generator() & 0xFFFF);
    b.push_back(generator() & 0xFFFF);
    c.push_back(generator() & 0xFFFF);
  }
  auto sum = evaluate("add.rn.f16 %d, %a, %b;", 16, {16, 16}, {a, b});
  auto product = evaluate("mul.f16 %d, %a, %b;", 16, {16, 16}, {a, b});
  auto fused =
      evaluate("fma.rn.f16 %d, %a, %b, %c;", 16, {16, 16, 16}, {a, b, c});
  auto fusedBrain =
      evaluate("fma.rn.bf16 %d, %a, %b, %c;", 16, {16, 16, 16}, {a, b, c});
  auto expect = [](uint64_t got, double value, const SmallFormat &format) {
    if (value != value)
      ASSERT_EQ(got, 0x7FFFu);
    else
      ASSERT_EQ(got, format.nearest(value, false)) << value;
  };
  // Whether f64 holds x * y + z exactly; the detour must do so first.
  auto isExact = [](double x, double y, double z) {
    double product = x * y;
    if (product != 0 && z != 0 && std::isfinite(product + z) &&
        std::abs(std::ilogb(product) - std::ilogb(z)) > 80)
      return false;
    double value = product + z;
    return value != value || __float128(x) * y + z == __float128(value);
  };
  for (size_t i = 0; i < a.size(); ++i) {
    double x = halfToFloat(uint16_t(a[i])), y = halfToFloat(uint16_t(b[i])),
           z = halfToFloat(uint16_t(c[i]));
    expect(sum[i], x + y, half);
    expect(product[i], x * y, half);
    if (isExact(x, y, z))
      expect(fused[i], x * y + z, half);
    double p = bf16ToFloat(uint16_t(a[i])), q = bf16ToFloat(uint16_t(b[i])),
           r = bf16ToFloat(uint16_t(c[i]));
    if (isExact(p, q, r))
      expect(fusedBrain[i], p * q + r, brain);
  }
}

} // namespace heddle::ptx::test
