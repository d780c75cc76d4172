// VideoTest.cpp - SIMD video instructions against exact integers.
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

} // namespace heddle::ptx::test
