// BitsTest.cpp - logic, shifts, bit fields and permutations, bit by bit.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"

#include <algorithm>
#include <bit>

namespace heddle::ptx::test {

static std::vector<Column> columns(std::initializer_list<unsigned> widths) {
  std::vector<Column> result;
  for (unsigned bits : widths)
    result.push_back(integers(bits, unsigned(result.size())));
  return result;
}

TEST(Bits, Logic) {
  for (unsigned bits : {16u, 32u, 64u}) {
    std::string type = ".b" + std::to_string(bits);
    auto two = [&](const char *name, const Expected &expected) {
      compare({name + type + " %d, %a, %b;", bits, {bits, bits}},
              columns({bits, bits}), expected);
    };
    two("and", [](const uint64_t *x) { return x[0] & x[1]; });
    two("or", [](const uint64_t *x) { return x[0] | x[1]; });
    two("xor", [](const uint64_t *x) { return x[0] ^ x[1]; });
    compare({"not" + type + " %d, %a;", bits, {bits}}, columns({bits}),
            [&](const uint64_t *x) { return wrapped(~x[0], bits); });
    compare({"cnot" + type + " %d, %a;", bits, {bits}}, columns({bits}),
            [](const uint64_t *x) { return uint64_t(x[0] == 0); });
  }
  // Predicates: all four pairs.
  Column a = {0, 0, 1, 1}, b = {0, 1, 0, 1};
  compare({"and.pred %d, %a, %b;", 1, {1, 1}}, {a, b},
          [](const uint64_t *x) { return x[0] & x[1]; });
  compare({"or.pred %d, %a, %b;", 1, {1, 1}}, {a, b},
          [](const uint64_t *x) { return x[0] | x[1]; });
  compare({"xor.pred %d, %a, %b;", 1, {1, 1}}, {a, b},
          [](const uint64_t *x) { return x[0] ^ x[1]; });
  compare({"not.pred %d, %a;", 1, {1}}, {a},
          [](const uint64_t *x) { return x[0] ^ 1; });
}

/// The bit of a table that three source bits select.
static uint64_t tableOf(unsigned table, const uint64_t *x) {
  uint64_t result = 0;
  for (unsigned bit = 0; bit < 32; ++bit) {
    unsigned index = unsigned(x[0] >> bit & 1) << 2 |
                     unsigned(x[1] >> bit & 1) << 1 | (x[2] >> bit & 1);
    result |= uint64_t(table >> index & 1) << bit;
  }
  return result;
}

TEST(Bits, LookUpTables) {
  // These words hold every combination of three bits.
  std::vector<Column> operands = {{0xF0F0F0F0, 0x12345678, ~0u, 0},
                                  {0xCCCCCCCC, 0x9ABCDEF0, ~0u, 0},
                                  {0xAAAAAAAA, 0x0F1E2D3C, ~0u, 0}};
  for (unsigned table = 0; table < 256; ++table)
    compare({"lop3.b32 %d, %a, %b, %c, " + std::to_string(table) + ";",
             32,
             {32, 32, 32}},
            operands, [&](const uint64_t *x) { return tableOf(table, x); });
  // With a predicate: (d != 0) joined with %q, which is %e, or not %e.
  for (const char *join : {"or", "and"})
    for (bool negated : {false, true})
      compare({std::string("lop3.") + join + ".b32 _|%d, %a, %b, %c, 0x80, " +
                   (negated ? "!%e;" : "%e;"),
               1,
               {32, 32, 32, 1}},
              {{0, 1, 3, ~0u, 0, 1},
               {0, 1, 2, ~0u, 0, 3},
               {0, 1, 1, ~0u, 9, 3},
               {0, 0, 1, 1, 1, 1}},
              [&](const uint64_t *x) {
                bool nonZero = (x[0] & x[1] & x[2]) != 0;
                bool q = (x[3] != 0) != negated;
                return uint64_t(*join == 'o' ? nonZero || q : nonZero && q);
              });
}

TEST(Bits, Shifts) {
  for (const IntegerType &type : integerTypes) {
    unsigned bits = type.bits;
    auto shift = [&](const std::string &name, const Expected &expected) {
      compare({name + " %d, %a, %b;", bits, {bits, 32}}, columns({bits, 32}),
              expected);
    };
    shift(std::string("shr.") + type.name, [&](const uint64_t *x) {
      // An arithmetic shift by more than 64 is one by 64.
      return wrapped(type.value(x[0]) >> std::min<uint64_t>(x[1], 64), bits);
    });
    if (type.isSigned)
      continue;
    std::string untyped = ".b" + std::to_string(bits);
    shift("shr" + untyped,
          [&](const uint64_t *x) { return x[1] >= bits ? 0 : x[0] >> x[1]; });
    shift("shl" + untyped, [&](const uint64_t *x) {
      return x[1] >= bits ? 0 : wrapped(x[0] << x[1], bits);
    });
  }
  for (bool left : {false, true})
    for (bool wraps : {false, true})
      compare({std::string("shf.") + (left ? "l" : "r") +
                   (wraps ? ".wrap" : ".clamp") + ".b32 %d, %a, %b, %c;",
               32,
               {32, 32, 32}},
              columns({32, 32, 32}), [&](const uint64_t *x) {
                uint64_t by = wraps ? x[2] % 32 : std::min<uint64_t>(x[2], 32);
                uint64_t low = x[0], high = x[1];
                if (by == 0)
                  return left ? high : low;
                if (by == 32)
                  return left ? low : high;
                return wrapped(left ? high << by | low >> (32 - by)
                                    : high << (32 - by) | low >> by,
                               32);
              });
}

//===----------------------------------------------------------------------===//
// Bit fields
//===----------------------------------------------------------------------===//

TEST(Bits, Fields) {
  for (const IntegerType &type : integerTypes) {
    unsigned bits = type.bits;
    if (bits == 16)
      continue;
    compare({std::string("bfe.") + type.name + " %d, %a, %b, %c;",
             bits,
             {bits, 32, 32}},
            columns({bits, 32, 32}), [&](const uint64_t *x) {
              unsigned at = x[1] & 255, length = x[2] & 255;
              if (length == 0)
                return uint64_t(0);
              // Beyond the top the field reads as the sign.
              uint64_t sign =
                  type.isSigned
                      ? x[0] >> std::min(at + length - 1, bits - 1) & 1
                      : 0;
              uint64_t result = 0;
              for (unsigned i = 0; i < bits; ++i) {
                bool inside = i < length && at + i < bits;
                result |= (inside ? x[0] >> (at + i) & 1 : sign) << i;
              }
              return result;
            });
    auto position = [&](const uint64_t *x) {
      uint64_t value = x[0];
      if (type.isSigned && value >> (bits - 1))
        value = wrapped(~value, bits);
      int found = -1;
      for (unsigned i = 0; i < bits; ++i)
        if (value >> i & 1)
          found = int(i);
      return found;
    };
    compare({std::string("bfind.") + type.name + " %d, %a;", 32, {bits}},
            columns({bits}),
            [&](const uint64_t *x) { return wrapped(position(x), 32); });
    compare(
        {std::string("bfind.shiftamt.") + type.name + " %d, %a;", 32, {bits}},
        columns({bits}), [&](const uint64_t *x) {
          int at = position(x);
          return wrapped(at < 0 ? -1 : int(bits) - 1 - at, 32);
        });
    if (type.isSigned)
      continue;
    // The length comes from an immediate here and from a register there.
    for (unsigned length : {0u, 1u, 7u, 31u, 64u, 255u})
      compare({"bfi.b" + std::to_string(bits) + " %d, %a, %b, %c, " +
                   std::to_string(length) + ";",
               bits,
               {bits, bits, 32}},
              columns({bits, bits, 32}), [&](const uint64_t *x) {
                uint64_t result = x[1];
                for (unsigned i = 0, at = x[2] & 255; i < length; ++i)
                  if (at + i < bits)
                    result = (result & ~(uint64_t(1) << (at + i))) |
                             (i < bits ? x[0] >> i & 1 : 0) << (at + i);
                return result;
              });
  }
}

TEST(Bits, MasksAndExtensions) {
  auto ones = [](uint64_t at, uint64_t count) {
    uint64_t result = 0;
    for (uint64_t i = at; i < 32 && i < at + count; ++i)
      result |= uint64_t(1) << i;
    return result;
  };
  for (bool wraps : {false, true}) {
    std::string mode = wraps ? ".wrap" : ".clamp";
    compare({"bmsk" + mode + ".b32 %d, %a, %b;", 32, {32, 32}},
            columns({32, 32}), [&](const uint64_t *x) {
              return wraps ? ones(x[0] % 32, x[1] % 32) : ones(x[0], x[1]);
            });
    for (bool isSigned : {false, true})
      compare({"szext" + mode + (isSigned ? ".s32" : ".u32") + " %d, %a, %b;",
               32,
               {32, 32}},
              columns({32, 32}), [&](const uint64_t *x) {
                uint64_t width = wraps ? x[1] % 32 : x[1];
                if (width == 0)
                  return uint64_t(0);
                IntegerType type = {"", unsigned(std::min<uint64_t>(width, 32)),
                                    isSigned};
                return wrapped(type.value(x[0]), 32);
              });
  }
}

TEST(Bits, Counts) {
  for (unsigned bits : {32u, 64u}) {
    std::string type = ".b" + std::to_string(bits);
    compare({"popc" + type + " %d, %a;", 32, {bits}}, columns({bits}),
            [](const uint64_t *x) { return uint64_t(std::popcount(x[0])); });
    compare({"clz" + type + " %d, %a;", 32, {bits}}, columns({bits}),
            [&](const uint64_t *x) {
              return uint64_t(std::countl_zero(x[0])) - (64 - bits);
            });
    compare({"brev" + type + " %d, %a;", bits, {bits}}, columns({bits}),
            [&](const uint64_t *x) {
              uint64_t result = 0;
              for (unsigned i = 0; i < bits; ++i)
                result |= (x[0] >> i & 1) << (bits - 1 - i);
              return result;
            });
  }
  std::vector<Column> operands = columns({32, 32, 32});
  for (uint64_t &base : operands[1])
    base %= 32; // larger ones are undefined
  for (size_t i = 0; i < operands[2].size(); i += 2)
    operands[2][i] = wrapped(int64_t(operands[2][i] % 41) - 20, 32);
  compare({"fns.b32 %d, %a, %b, %c;", 32, {32, 32, 32}}, operands,
          [](const uint64_t *x) {
            int64_t n = int32_t(x[2]);
            Column set; // positions from the base on, in the order of search
            for (int at = int(x[1]); at >= 0 && at < 32; at += n < 0 ? -1 : 1)
              if (x[0] >> at & 1)
                set.push_back(uint64_t(at));
            if (n == 0)
              return !set.empty() && set[0] == x[1] ? x[1]
                                                    : uint64_t(0xFFFFFFFF);
            uint64_t count = uint64_t(n < 0 ? -n : n);
            return count <= set.size() ? set[count - 1] : uint64_t(0xFFFFFFFF);
          });
}

TEST(Bits, Permutations) {
  auto byteOf = [](const uint64_t *x, unsigned index) {
    return (index < 4 ? x[0] >> (8 * index) : x[1] >> (8 * (index - 4))) & 255;
  };
  compare({"prmt.b32 %d, %a, %b, %c;", 32, {32, 32, 32}}, columns({32, 32, 32}),
          [&](const uint64_t *x) {
            uint64_t result = 0;
            for (unsigned i = 0; i < 4; ++i) {
              unsigned nibble = x[2] >> (4 * i) & 15;
              uint64_t byte = byteOf(x, nibble & 7);
              if (nibble & 8)
                byte = byte & 128 ? 255 : 0;
              result |= byte << (8 * i);
            }
            return result;
          });
  // Bytes 3 to 0 of the result, for c = 0, 1, 2, 3 (PTX ISA, table of prmt).
  struct {
    const char *mode;
    const char *bytes[4];
  } modes[] = {{"f4e", {"3210", "4321", "5432", "6543"}},
               {"b4e", {"5670", "6701", "7012", "0123"}},
               {"rc8", {"0000", "1111", "2222", "3333"}},
               {"ecl", {"3210", "3211", "3222", "3333"}},
               {"ecr", {"0000", "1110", "2210", "3210"}},
               {"rc16", {"1010", "3232", "1010", "3232"}}};
  for (auto &mode : modes)
    compare({std::string("prmt.b32.") + mode.mode + " %d, %a, %b, %c;",
             32,
             {32, 32, 32}},
            columns({32, 32, 32}), [&](const uint64_t *x) {
              uint64_t result = 0;
              for (unsigned i = 0; i < 4; ++i)
                result = result << 8 |
                         byteOf(x, unsigned(mode.bytes[x[2] & 3][i] - '0'));
              return result;
            });
}

} // namespace heddle::ptx::test
