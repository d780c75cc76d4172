// IntegerTest.cpp - integer and bit instructions against host arithmetic.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Evaluate.h"

#include <algorithm>

namespace heddle::ptx::test {

template <class T>
constexpr unsigned bits = sizeof(T) * 8;

template <class T>
static std::string typeName() {
  return (std::is_signed_v<T> ? "s" : "u") + std::to_string(bits<T>);
}

/// Compares `name.type` on operands of T with a host function.
template <class R, class T, class Expected>
static void expectBinary(const std::string &name, Expected expected) {
  auto a = interesting<T>(0), b = interesting<T>(1);
  auto d = evaluate(name + " %d, %a, %b;", bits<R>, {bits<T>, bits<T>}, {a, b});
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_EQ(valueOf<R>(d[i]), R(expected(valueOf<T>(a[i]), valueOf<T>(b[i]))))
        << name << " " << a[i] << ", " << b[i];
}

template <class T>
class IntegerTypes : public testing::Test {};
using Types =
    testing::Types<uint16_t, int16_t, uint32_t, int32_t, uint64_t, int64_t>;
TYPED_TEST_SUITE(IntegerTypes, Types);

TYPED_TEST(IntegerTypes, Arithmetic) {
  using T = TypeParam;
  using W = __int128;
  std::string type = typeName<T>();
  expectBinary<T, T>("add." + type, [](T a, T b) { return W(a) + b; });
  expectBinary<T, T>("sub." + type, [](T a, T b) { return W(a) - b; });
  expectBinary<T, T>("min." + type, [](T a, T b) { return std::min(a, b); });
  expectBinary<T, T>("max." + type, [](T a, T b) { return std::max(a, b); });
  expectBinary<T, T>("mul.lo." + type,
                     [](T a, T b) { return uint64_t(W(a) * W(b)); });
  expectBinary<T, T>("mul.hi." + type, [](T a, T b) {
    if constexpr (std::is_same_v<T, uint64_t>)
      return T((unsigned __int128)a * b >> 64);
    else
      return T(W(a) * W(b) >> bits<T>);
  });
  expectBinary<T, T>("div." + type,
                     [](T a, T b) { return b == 0 ? W(-1) : W(a) / W(b); });
  expectBinary<T, T>("rem." + type,
                     [](T a, T b) { return b == 0 ? W(a) : W(a) % W(b); });
}

TYPED_TEST(IntegerTypes, ThreeOperandsAndWide) {
  using T = TypeParam;
  using W = __int128;
  auto a = interesting<T>(0), b = interesting<T>(1), c = interesting<T>(2);
  std::string type = typeName<T>();
  auto low = evaluate("mad.lo." + type + " %d, %a, %b, %c;", bits<T>,
                      {bits<T>, bits<T>, bits<T>}, {a, b, c});
  auto sad = evaluate("sad." + type + " %d, %a, %b, %c;", bits<T>,
                      {bits<T>, bits<T>, bits<T>}, {a, b, c});
  for (size_t i = 0; i < a.size(); ++i) {
    T x = valueOf<T>(a[i]), y = valueOf<T>(b[i]), z = valueOf<T>(c[i]);
    ASSERT_EQ(valueOf<T>(low[i]), T(uint64_t(W(x) * y) + uint64_t(z)));
    ASSERT_EQ(valueOf<T>(sad[i]),
              T(uint64_t(W(z) + (x < y ? W(y) - x : W(x) - y))));
  }
  if constexpr (sizeof(T) < 8) {
    auto wide = evaluate("mul.wide." + type + " %d, %a, %b;", 2 * bits<T>,
                         {bits<T>, bits<T>}, {a, b});
    uint64_t mask = bits<T> == 32 ? ~uint64_t(0) : 0xFFFFFFFF;
    for (size_t i = 0; i < a.size(); ++i)
      ASSERT_EQ(wide[i],
                uint64_t(W(valueOf<T>(a[i])) * valueOf<T>(b[i])) & mask);
  }
}

TYPED_TEST(IntegerTypes, ComparisonsAndShifts) {
  using T = TypeParam;
  std::string type = typeName<T>();
  auto a = interesting<T>(0), b = interesting<T>(1);
  std::pair<const char *, bool (*)(T, T)> orders[] = {
      {"eq", [](T x, T y) { return x == y; }},
      {"ne", [](T x, T y) { return x != y; }},
      {"lt", [](T x, T y) { return x < y; }},
      {"le", [](T x, T y) { return x <= y; }},
      {"gt", [](T x, T y) { return x > y; }},
      {"ge", [](T x, T y) { return x >= y; }}};
  for (auto &[name, holds] : orders) {
    auto d = evaluate(std::string("setp.") + name + "." + type + " %d, %a, %b;",
                      1, {bits<T>, bits<T>}, {a, b});
    auto set =
        evaluate(std::string("set.") + name + ".u32." + type + " %d, %a, %b;",
                 32, {bits<T>, bits<T>}, {a, b});
    for (size_t i = 0; i < a.size(); ++i) {
      bool want = holds(valueOf<T>(a[i]), valueOf<T>(b[i]));
      ASSERT_EQ(d[i], want) << name;
      ASSERT_EQ(set[i], want ? 0xFFFFFFFF : 0) << name;
    }
  }
  auto amounts = interesting<uint32_t>(1);
  amounts.resize(a.size(), 3);
  auto right = evaluate("shr." + type + " %d, %a, %b;", bits<T>, {bits<T>, 32},
                        {a, amounts});
  auto left = evaluate("shl.b" + std::to_string(bits<T>) + " %d, %a, %b;",
                       bits<T>, {bits<T>, 32}, {a, amounts});
  for (size_t i = 0; i < a.size(); ++i) {
    T x = valueOf<T>(a[i]);
    uint64_t n = amounts[i];
    T shifted = n >= bits<T> ? T(x < 0 ? -1 : 0) : T(x >> n);
    ASSERT_EQ(valueOf<T>(right[i]), shifted) << uint64_t(x) << " " << n;
    ASSERT_EQ(valueOf<T>(left[i]), n >= bits<T> ? T(0) : T(uint64_t(x) << n));
  }
}

TEST(Integer, SaturationAndCarry) {
  expectBinary<int32_t, int32_t>("add.sat.s32", [](int32_t a, int32_t b) {
    return std::clamp<int64_t>(int64_t(a) + b, INT32_MIN, INT32_MAX);
  });
  expectBinary<int32_t, int32_t>("sub.sat.s32", [](int32_t a, int32_t b) {
    return std::clamp<int64_t>(int64_t(a) - b, INT32_MIN, INT32_MAX);
  });
  // A 64-bit sum, difference and product by words, through CC.CF.
  auto a = interesting<uint64_t>(0), b = interesting<uint64_t>(1);
  std::string split = "{\n.reg .b32 %x, %y, %z, %w, %l, %h;\n"
                      "mov.b64 {%x, %y}, %a;\nmov.b64 {%z, %w}, %b;\n";
  std::string join = "mov.b64 %d, {%l, %h};\n}\n";
  auto sum =
      evaluate(split + "add.cc.u32 %l, %x, %z;\naddc.u32 %h, %y, %w;\n" + join,
               64, {64, 64}, {a, b});
  auto difference =
      evaluate(split + "sub.cc.u32 %l, %x, %z;\nsubc.u32 %h, %y, %w;\n" + join,
               64, {64, 64}, {a, b});
  auto product = evaluate(
      split +
          "mul.lo.u32 %l, %x, %z;\nmul.hi.u32 %h, %x, %z;\n"
          "mad.lo.cc.u32 %h, %x, %w, %h;\nmadc.lo.u32 %h, %y, %z, %h;\n"
          "sub.u32 %h, %h, 0;\n" +
          join,
      64, {64, 64}, {a, b});
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(sum[i], a[i] + b[i]);
    ASSERT_EQ(difference[i], a[i] - b[i]);
    // The carry out of the middle sum goes back in at bit 32.
    uint64_t x = uint32_t(a[i]), w = b[i] >> 32;
    uint64_t high = (x * uint32_t(b[i])) >> 32;
    uint64_t carry = (uint64_t(uint32_t(x * w)) + high) >> 32;
    ASSERT_EQ(product[i], a[i] * b[i] + (carry << 32));
  }
}

TEST(Integer, BitFields) {
  auto a = interesting<uint32_t>(0), b = interesting<uint32_t>(1),
       c = interesting<uint32_t>(2);
  auto extracted =
      evaluate("bfe.s32 %d, %a, %b, %c;", 32, {32, 32, 32}, {a, b, c});
  auto inserted =
      evaluate("bfi.b32 %d, %a, %b, %c, 7;", 32, {32, 32, 32}, {a, b, c});
  auto permuted =
      evaluate("prmt.b32 %d, %a, %b, %c;", 32, {32, 32, 32}, {a, b, c});
  auto looked =
      evaluate("lop3.b32 %d, %a, %b, %c, 0xCA;", 32, {32, 32, 32}, {a, b, c});
  auto funnel =
      evaluate("shf.l.wrap.b32 %d, %a, %b, %c;", 32, {32, 32, 32}, {a, b, c});
  auto clamped =
      evaluate("shf.r.clamp.b32 %d, %a, %b, %c;", 32, {32, 32, 32}, {a, b, c});
  for (size_t i = 0; i < a.size(); ++i) {
    uint32_t x = uint32_t(a[i]), y = uint32_t(b[i]), z = uint32_t(c[i]);
    int at = y & 255, length = z & 255;
    int sign = length == 0 ? 0 : x >> std::min(at + length - 1, 31) & 1;
    uint32_t field = 0;
    for (int bit = 0; bit < 32; ++bit)
      field |=
          uint32_t(bit < length && at + bit < 32 ? x >> (at + bit) & 1 : sign)
          << bit;
    ASSERT_EQ(extracted[i], field);
    uint32_t mask = (z & 255) > 31 ? 0 : uint32_t(0x7Full << (z & 255));
    ASSERT_EQ(inserted[i],
              (y & ~mask) | (((z & 255) > 31 ? 0 : x << (z & 255)) & mask));
    uint32_t bytes = 0;
    for (int k = 0; k < 4; ++k) {
      unsigned nibble = z >> (4 * k) & 15;
      uint32_t byte = (nibble & 4 ? y : x) >> (8 * (nibble & 3)) & 255;
      bytes |= (nibble & 8 ? (byte >> 7) * 255 : byte) << (8 * k);
    }
    ASSERT_EQ(permuted[i], bytes);
    ASSERT_EQ(looked[i], (x & y) | (~x & z)); // a ? b : c
    uint64_t both = uint64_t(y) << 32 | x;
    ASSERT_EQ(funnel[i], uint32_t(both << (z & 31) >> 32));
    ASSERT_EQ(clamped[i], uint32_t(both >> std::min(z, 32u)));
  }
}

TEST(Integer, Counts) {
  auto a = interesting<uint64_t>(0);
  auto d = [&](const char *text, unsigned bits) {
    return evaluate(text, bits, {64}, {a});
  };
  auto popc = d("popc.b64 %d, %a;", 32), clz = d("clz.b64 %d, %a;", 32),
       brev = d("brev.b64 %d, %a;", 64), find = d("bfind.s64 %d, %a;", 32),
       amount = d("bfind.shiftamt.u64 %d, %a;", 32);
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(popc[i], uint64_t(std::popcount(a[i])));
    ASSERT_EQ(clz[i], uint64_t(std::countl_zero(a[i])));
    uint64_t reversed = 0;
    for (int bit = 0; bit < 64; ++bit)
      reversed |= (a[i] >> bit & 1) << (63 - bit);
    ASSERT_EQ(brev[i], reversed);
    uint64_t folded = int64_t(a[i]) < 0 ? ~a[i] : a[i];
    ASSERT_EQ(uint32_t(find[i]), uint32_t(63 - std::countl_zero(folded)));
    ASSERT_EQ(uint32_t(amount[i]),
              a[i] ? uint32_t(std::countl_zero(a[i])) : 0xFFFFFFFF);
  }
}

TEST(Integer, DotProductsAndVideo) {
  auto a = interesting<uint32_t>(0), b = interesting<uint32_t>(1),
       c = interesting<uint32_t>(2);
  auto dot4 =
      evaluate("dp4a.s32.u32 %d, %a, %b, %c;", 32, {32, 32, 32}, {a, b, c});
  auto dot2 =
      evaluate("dp2a.hi.u32.s32 %d, %a, %b, %c;", 32, {32, 32, 32}, {a, b, c});
  auto difference = evaluate("vabsdiff4.u32.u32.u32.add %d, %a, %b, %c;", 32,
                             {32, 32, 32}, {a, b, c});
  auto sums = evaluate("vadd4.s32.s32.s32.sat %d, %a, %b, %c;", 32,
                       {32, 32, 32}, {a, b, c});
  for (size_t i = 0; i < a.size(); ++i) {
    uint32_t x = uint32_t(a[i]), y = uint32_t(b[i]), z = uint32_t(c[i]);
    int64_t four = z, two = z, absolute = z;
    uint32_t saturated = 0;
    for (int k = 0; k < 4; ++k) {
      int8_t sx = int8_t(x >> 8 * k), sy = int8_t(y >> 8 * k);
      four += int64_t(sx) * uint8_t(sy);
      absolute += std::abs(int(uint8_t(sx)) - int(uint8_t(sy)));
      saturated |= uint32_t(uint8_t(std::clamp(sx + sy, -128, 127))) << 8 * k;
    }
    for (int k = 0; k < 2; ++k)
      two += int64_t(uint16_t(x >> 16 * k)) * int8_t(y >> (16 + 8 * k));
    ASSERT_EQ(dot4[i], uint32_t(four));
    ASSERT_EQ(dot2[i], uint32_t(two));
    ASSERT_EQ(difference[i], uint32_t(absolute));
    ASSERT_EQ(sums[i], saturated);
  }
}

} // namespace heddle::ptx::test
