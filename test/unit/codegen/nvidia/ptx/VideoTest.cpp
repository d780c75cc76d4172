// VideoTest.cpp - video instructions against exact integers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"

#include <algorithm>

namespace heddle::ptx::test {

using Apply = int64_t (*)(int64_t a, int64_t b);

/// All combinations of signs and secondary operations of one instruction.
static void video(const std::string &name, bool isSet, Apply apply) {
  unsigned count = name.find('2') != std::string::npos ? 2 : 4;
  unsigned bits = 32 / count;
  for (unsigned signs = 0; signs < (isSet ? 4 : 8); ++signs)
    for (const char *second : {"", ".sat", ".add"}) {
      bool saturates = second == std::string_view(".sat");
      bool accumulates = second == std::string_view(".add");
      if (isSet && saturates)
        continue;
      IntegerType typeD = {"", bits, bool(signs & 4)},
                  typeA = {"", bits, bool(signs & 1)},
                  typeB = {"", bits, bool(signs & 2)};
      auto spell = [](const IntegerType &type) {
        return type.isSigned ? ".s32" : ".u32";
      };
      size_t dot = name.find('.');
      std::string text = name.substr(0, dot);
      if (!isSet)
        text += spell(typeD);
      text += std::string(spell(typeA)) + spell(typeB);
      if (dot != std::string::npos)
        text += name.substr(dot);
      compare({text + second + " %d, %a, %b, %c;", 32, {32, 32, 32}},
              {integers(32, 0), integers(32, 1), integers(32, 2)},
              [&](const uint64_t *x) {
                uint64_t total = accumulates ? x[2] : 0;
                for (unsigned i = 0; i < count; ++i) {
                  __int128 value =
                      apply(int64_t(typeA.value(x[0] >> (bits * i))),
                            int64_t(typeB.value(x[1] >> (bits * i))));
                  if (saturates)
                    value = std::clamp(value, typeD.least(), typeD.most());
                  total += accumulates ? uint64_t(value)
                                       : wrapped(value, bits) << (bits * i);
                }
                return wrapped(total, 32);
              });
    }
}

TEST(Video, Arithmetic) {
  for (const char *count : {"2", "4"}) {
    auto run = [&](const char *name, Apply apply) {
      video(std::string(name) + count, false, apply);
    };
    run("vadd", [](int64_t a, int64_t b) { return a + b; });
    run("vsub", [](int64_t a, int64_t b) { return a - b; });
    run("vabsdiff", [](int64_t a, int64_t b) { return a < b ? b - a : a - b; });
    run("vmin", [](int64_t a, int64_t b) { return std::min(a, b); });
    run("vmax", [](int64_t a, int64_t b) { return std::max(a, b); });
    // Halves round away from zero: up where the sum is not negative.
    run("vavrg", [](int64_t a, int64_t b) {
      int64_t sum = a + b;
      return sum >= 0 ? (sum + 1) / 2 : -((1 - sum) / 2);
    });
  }
}

TEST(Video, Comparisons) {
  for (const char *count : {"2", "4"}) {
    auto run = [&](const char *comparison, Apply apply) {
      video(std::string("vset") + count + "." + comparison, true, apply);
    };
    run("eq", [](int64_t a, int64_t b) { return int64_t(a == b); });
    run("ne", [](int64_t a, int64_t b) { return int64_t(a != b); });
    run("lt", [](int64_t a, int64_t b) { return int64_t(a < b); });
    run("le", [](int64_t a, int64_t b) { return int64_t(a <= b); });
    run("gt", [](int64_t a, int64_t b) { return int64_t(a > b); });
    run("ge", [](int64_t a, int64_t b) { return int64_t(a >= b); });
  }
}

/// Selectors pick elements of a and b taken together; the mask of the result
/// lets c through, or leaves elements out of the sum.
TEST(Video, SelectorsAndMasks) {
  struct Operands {
    unsigned count;
    const char *a, *b, *mask; ///< digits, the highest element first
  };
  for (Operands o :
       {Operands{4, "7016", "0123", "20"}, Operands{4, "3210", "7654", "3"},
        Operands{4, "4444", "7310", "310"}, Operands{2, "21", "03", "1"},
        Operands{2, "33", "10", "0"}, Operands{2, "10", "32", "10"}})
    for (bool accumulates : {false, true})
      for (bool isSigned : {false, true}) {
        std::string letter = o.count == 4 ? "b" : "h",
                    n = std::to_string(o.count);
        std::string sign = isSigned ? ".s32" : ".u32";
        compare({"vsub" + n + sign + sign + sign + (accumulates ? ".add" : "") +
                     " %d." + letter + o.mask + ", %a." + letter + o.a +
                     ", %b." + letter + o.b + ", %c;",
                 32,
                 {32, 32, 32}},
                {integers(32, 0), integers(32, 1), integers(32, 2)},
                [&](const uint64_t *x) {
                  unsigned bits = 32 / o.count;
                  IntegerType type = {"", bits, isSigned};
                  uint64_t both = x[1] << 32 | x[0], result = x[2];
                  for (unsigned e = 0; e < o.count; ++e) {
                    auto chosen = [&](const char *digits) {
                      unsigned digit = unsigned(digits[o.count - 1 - e] - '0');
                      return type.value(both >> (bits * digit));
                    };
                    if (std::string_view(o.mask).find(char('0' + e)) ==
                        std::string_view::npos)
                      continue;
                    __int128 value = chosen(o.a) - chosen(o.b);
                    uint64_t mask = wrapped(-1, bits) << (bits * e);
                    if (accumulates)
                      result += uint64_t(value);
                    else
                      result = (result & ~mask) | wrapped(value, bits)
                                                      << (bits * e);
                  }
                  return wrapped(result, 32);
                });
      }
}

//===----------------------------------------------------------------------===//
// Scalar instructions: one part of each operand
//===----------------------------------------------------------------------===//

namespace {

/// A part of a word, as it is written and where it lies.
struct Part {
  const char *name;
  unsigned bits, shift;
};
constexpr Part whole = {"", 32, 0};
/// Of a, b and d.
constexpr Part partsOf[][3] = {{whole, whole, whole},
                               {{".b3", 8, 24}, whole, whole},
                               {{".h1", 16, 16}, {".b0", 8, 0}, whole},
                               {{".b1", 8, 8}, {".h0", 16, 0}, {".b2", 8, 16}},
                               {whole, {".b2", 8, 16}, {".h1", 16, 16}},
                               {{".h0", 16, 0}, whole, {".h0", 16, 0}},
                               {whole, whole, {".b3", 8, 24}}};

/// Bit 0: a is signed, 1: b, 2: d.
struct Signs {
  unsigned bits;
  bool of(unsigned operand) const { return bits >> operand & 1; }
  const char *spell(unsigned operand) const {
    return of(operand) ? ".s32" : ".u32";
  }
};

__int128 partValue(uint64_t word, const Part &part, bool isSigned) {
  return IntegerType{"", part.bits, isSigned}.value(word >> part.shift);
}

using Combine = __int128 (*)(__int128 a, __int128 b);

/// `second` is "", ".add", ".min" or ".max".
void scalar(const std::string &text, Signs signs, const Part (&parts)[3],
            bool saturates, const std::string &second, Combine combine) {
  bool isPart = parts[2].bits != 32;
  if (isPart && !second.empty())
    return;
  std::string operands = std::string(" %d") + parts[2].name + ", %a" +
                         parts[0].name + ", %b" + parts[1].name +
                         (isPart || !second.empty() ? ", %c;" : ";");
  compare(
      {text + (saturates ? ".sat" : "") + second + operands, 32, {32, 32, 32}},
      {integers(32, 0), integers(32, 1), integers(32, 2)},
      [&](const uint64_t *x) {
        IntegerType narrow = {"", parts[2].bits, signs.of(2)},
                    word = {"", 32, signs.of(2)};
        __int128 value = combine(partValue(x[0], parts[0], signs.of(0)),
                                 partValue(x[1], parts[1], signs.of(1)));
        if (saturates)
          value = std::clamp(value, narrow.least(), narrow.most());
        if (isPart) {
          uint64_t mask = wrapped(-1, parts[2].bits) << parts[2].shift;
          return (x[2] & ~mask & 0xFFFFFFFF) | wrapped(value, parts[2].bits)
                                                   << parts[2].shift;
        }
        __int128 own = word.value(wrapped(value, 32)), c = word.value(x[2]);
        if (second == ".add")
          own += c;
        else if (second == ".min")
          own = std::min(own, c);
        else if (second == ".max")
          own = std::max(own, c);
        return wrapped(own, 32);
      });
}

} // namespace

TEST(ScalarVideo, Arithmetic) {
  const std::pair<const char *, Combine> operations[] = {
      {"vadd", [](__int128 a, __int128 b) { return a + b; }},
      {"vsub", [](__int128 a, __int128 b) { return a - b; }},
      {"vabsdiff",
       [](__int128 a, __int128 b) { return a < b ? b - a : a - b; }},
      {"vmin", [](__int128 a, __int128 b) { return std::min(a, b); }},
      {"vmax", [](__int128 a, __int128 b) { return std::max(a, b); }}};
  for (auto [name, combine] : operations)
    for (unsigned bits = 0; bits < 8; ++bits)
      for (auto &parts : partsOf)
        for (bool saturates : {false, true})
          for (const char *second : {"", ".add", ".min", ".max"}) {
            Signs signs{bits};
            scalar(std::string(name) + signs.spell(2) + signs.spell(0) +
                       signs.spell(1),
                   signs, parts, saturates, second, combine);
          }
}

/// Distances of 32 and more shift everything out, or wrap.
TEST(ScalarVideo, Shifts) {
  const std::pair<const char *, Combine> operations[] = {
      {"vshl.clamp",
       [](__int128 a, __int128 b) { return a << int(b > 32 ? 32 : b); }},
      {"vshl.wrap", [](__int128 a, __int128 b) { return a << int(b % 32); }},
      {"vshr.clamp",
       [](__int128 a, __int128 b) { return a >> int(b > 32 ? 32 : b); }},
      {"vshr.wrap", [](__int128 a, __int128 b) { return a >> int(b % 32); }}};
  for (auto [name, combine] : operations)
    for (unsigned bits : {0u, 1u, 4u, 5u}) // b is unsigned
      for (auto &parts : partsOf)
        for (bool saturates : {false, true})
          for (const char *second : {"", ".add", ".max"}) {
            Signs signs{bits};
            std::string opcode(name, 4), mode(name + 4);
            scalar(opcode + signs.spell(2) + signs.spell(0) + ".u32" + mode,
                   signs, parts, saturates, second, combine);
          }
}

/// The result of a comparison, and with it c, is unsigned.
TEST(ScalarVideo, Comparisons) {
  const std::pair<const char *, Combine> comparisons[] = {
      {".eq", [](__int128 a, __int128 b) { return __int128(a == b); }},
      {".ne", [](__int128 a, __int128 b) { return __int128(a != b); }},
      {".lt", [](__int128 a, __int128 b) { return __int128(a < b); }},
      {".le", [](__int128 a, __int128 b) { return __int128(a <= b); }},
      {".gt", [](__int128 a, __int128 b) { return __int128(a > b); }},
      {".ge", [](__int128 a, __int128 b) { return __int128(a >= b); }}};
  for (auto [name, combine] : comparisons)
    for (unsigned bits = 0; bits < 4; ++bits)
      for (auto &parts : partsOf)
        for (const char *second : {"", ".add", ".min", ".max"}) {
          Signs signs{bits};
          scalar(std::string("vset") + signs.spell(0) + signs.spell(1) + name,
                 signs, parts, false, second, combine);
        }
}

/// The sum is signed if a factor is; c is read in the same way.
TEST(ScalarVideo, MultiplyAdd) {
  for (unsigned bits = 0; bits < 8; ++bits)
    for (auto &parts : partsOf) {
      if (parts[2].bits != 32)
        continue;
      for (bool saturates : {false, true})
        for (bool plusOne : {false, true})
          for (int scale : {0, 7, 15}) {
            Signs signs{bits};
            bool isSigned = signs.of(0) || signs.of(1);
            std::string text = std::string("vmad") + signs.spell(2) +
                               signs.spell(0) + signs.spell(1);
            text += plusOne ? ".po" : "";
            text += saturates ? ".sat" : "";
            text += scale ? ".shr" + std::to_string(scale) : "";
            compare({text + " %d, %a" + parts[0].name + ", %b" + parts[1].name +
                         ", %c;",
                     32,
                     {32, 32, 32}},
                    {integers(32, 0), integers(32, 1), integers(32, 2)},
                    [&](const uint64_t *x) {
                      IntegerType type = {"", 32, isSigned};
                      __int128 sum =
                          partValue(x[0], parts[0], signs.of(0)) *
                              partValue(x[1], parts[1], signs.of(1)) +
                          type.value(x[2]) + plusOne;
                      sum >>= scale;
                      if (saturates)
                        sum = std::clamp(sum, type.least(), type.most());
                      return wrapped(sum, 32);
                    });
          }
    }
}

/// What ptxas refuses as well.
TEST(ScalarVideo, FormsThatAreNone) {
  EXPECT_TRUE(isCovered({"vadd.u32.u32.u32 %d, %a, 5;", 32, {32}}));
  for (const char *text :
       {"vshl.u32.u32.u32 %d, %a, %a;", "vshl.u32.u32.s32.clamp %d, %a, %a;",
        "vadd.u32.u32.u64 %d, %a, %a;", "vadd.u32.u32.u32.add %d, %a, %a;",
        "vadd.u32.u32.u32 %d.h0, %a, %a;", "vadd.u32.u32.u32 %d, %a.b4, %a;",
        "vadd.u32.u32.u32.min %d.b0, %a, %a, %a;",
        "vset.u32.u32.lt.sat %d, %a, %a;", "vset.u32.u32 %d, %a, %a;",
        "vmad.u32.u32.u32.shr8 %d, %a, %a, %a;"})
    EXPECT_FALSE(isCovered({text, 32, {32}})) << text;
}

} // namespace heddle::ptx::test
