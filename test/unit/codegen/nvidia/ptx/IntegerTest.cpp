// IntegerTest.cpp - integer arithmetic and carry chains against __int128.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"

#include <algorithm>

namespace heddle::ptx::test {

using Wide = __int128;

/// Tests `name.type d, a, b` where `expected` takes and gives exact integers.
static void binary(const std::string &name, const IntegerType &type,
                   unsigned resultBits,
                   const std::function<Wide(Wide a, Wide b)> &expected) {
  compare({name + "." + type.name + " %d, %a, %b;",
           resultBits,
           {type.bits, type.bits}},
          {integers(type.bits, 0), integers(type.bits, 1)},
          [&](const uint64_t *x) {
            return wrapped(expected(type.value(x[0]), type.value(x[1])),
                           resultBits);
          });
}

static void
ternary(const std::string &name, const IntegerType &type, unsigned resultBits,
        const std::function<Wide(Wide a, Wide b, Wide c)> &expected) {
  IntegerType wide = {"", resultBits, type.isSigned};
  compare({name + "." + type.name + " %d, %a, %b, %c;",
           resultBits,
           {type.bits, type.bits, resultBits}},
          {integers(type.bits, 0), integers(type.bits, 1),
           integers(resultBits, 2, 900)},
          [&](const uint64_t *x) {
            return wrapped(
                expected(type.value(x[0]), type.value(x[1]), wide.value(x[2])),
                resultBits);
          });
}

static void unary(const std::string &name, const IntegerType &type,
                  const std::function<Wide(Wide a)> &expected) {
  compare({name + "." + type.name + " %d, %a;", type.bits, {type.bits}},
          {integers(type.bits, 0)}, [&](const uint64_t *x) {
            return wrapped(expected(type.value(x[0])), type.bits);
          });
}

/// The upper half of a product, which for u64 fills all of 128 bits.
static Wide upperHalf(Wide a, Wide b, const IntegerType &type) {
  if (type.isSigned)
    return a * b >> type.bits;
  return Wide((unsigned __int128)a * (unsigned __int128)b >> type.bits);
}

TEST(Integer, Arithmetic) {
  for (const IntegerType &type : integerTypes) {
    unsigned bits = type.bits;
    binary("add", type, bits, [](Wide a, Wide b) { return a + b; });
    binary("sub", type, bits, [](Wide a, Wide b) { return a - b; });
    binary("min", type, bits, [](Wide a, Wide b) { return std::min(a, b); });
    binary("max", type, bits, [](Wide a, Wide b) { return std::max(a, b); });
    // Division by zero has no value in PTX; hardware gives all ones and the
    // dividend.
    binary("div", type, bits, [](Wide a, Wide b) { return b ? a / b : -1; });
    binary("rem", type, bits, [](Wide a, Wide b) { return b ? a % b : a; });
    ternary("sad", type, bits,
            [](Wide a, Wide b, Wide c) { return c + (a < b ? b - a : a - b); });
    if (!type.isSigned)
      continue;
    unary("neg", type, [](Wide a) { return -a; });
    unary("abs", type, [](Wide a) { return a < 0 ? -a : a; });
  }
}

TEST(Integer, Products) {
  auto low = [](Wide a, Wide b) {
    return Wide(uint64_t(a) * uint64_t(b)); // 64 bits are the most that is kept
  };
  for (const IntegerType &type : integerTypes) {
    unsigned bits = type.bits;
    auto high = [&](Wide a, Wide b) { return upperHalf(a, b, type); };
    binary("mul.lo", type, bits, low);
    binary("mul.hi", type, bits, high);
    ternary("mad.lo", type, bits,
            [&](Wide a, Wide b, Wide c) { return low(a, b) + c; });
    ternary("mad.hi", type, bits,
            [&](Wide a, Wide b, Wide c) { return high(a, b) + c; });
    if (bits == 64)
      continue;
    binary("mul.wide", type, 2 * bits, [](Wide a, Wide b) { return a * b; });
    ternary("mad.wide", type, 2 * bits,
            [](Wide a, Wide b, Wide c) { return a * b + c; });
  }
}

TEST(Integer, Saturation) {
  const IntegerType &s32 = integerTypes[3];
  auto clamp = [&](Wide x) { return std::clamp(x, s32.least(), s32.most()); };
  binary("add.sat", s32, 32, [&](Wide a, Wide b) { return clamp(a + b); });
  binary("sub.sat", s32, 32, [&](Wide a, Wide b) { return clamp(a - b); });
  ternary("mad.hi.sat", s32, 32,
          [&](Wide a, Wide b, Wide c) { return clamp((a * b >> 32) + c); });
  binary("min.relu", s32, 32,
         [](Wide a, Wide b) { return std::max(std::min(a, b), Wide(0)); });
  binary("max.relu", s32, 32,
         [](Wide a, Wide b) { return std::max(std::max(a, b), Wide(0)); });
}

TEST(Integer, Products24) {
  for (const IntegerType &type : {integerTypes[2], integerTypes[3]}) {
    IntegerType narrow = {"", 24, type.isSigned};
    auto product = [&](Wide a, Wide b) {
      return narrow.value(uint64_t(a)) * narrow.value(uint64_t(b));
    };
    binary("mul24.lo", type, 32, product);
    binary("mul24.hi", type, 32,
           [&](Wide a, Wide b) { return product(a, b) >> 16; });
    ternary("mad24.lo", type, 32,
            [&](Wide a, Wide b, Wide c) { return product(a, b) + c; });
    ternary("mad24.hi", type, 32,
            [&](Wide a, Wide b, Wide c) { return (product(a, b) >> 16) + c; });
    if (type.isSigned)
      ternary("mad24.hi.sat", type, 32, [&](Wide a, Wide b, Wide c) {
        return std::clamp((product(a, b) >> 16) + c, type.least(), type.most());
      });
  }
}

TEST(Integer, PackedHalves) {
  struct Operation {
    const char *name;
    std::function<Wide(Wide, Wide)> apply;
    bool isSigned, isUnsigned;
  };
  auto least = [](Wide a, Wide b) { return std::min(a, b); };
  auto most = [](Wide a, Wide b) { return std::max(a, b); };
  Operation operations[] = {
      {"add", [](Wide a, Wide b) { return a + b; }, true, true},
      {"min", least, true, true},
      {"max", most, true, true},
      {"min.relu",
       [](Wide a, Wide b) { return std::max(std::min(a, b), Wide(0)); }, true,
       false},
      {"max.relu",
       [](Wide a, Wide b) { return std::max(std::max(a, b), Wide(0)); }, true,
       false}};
  for (const Operation &operation : operations)
    for (bool isSigned : {false, true}) {
      if (!(isSigned ? operation.isSigned : operation.isUnsigned))
        continue;
      IntegerType half = {"", 16, isSigned};
      compare({std::string(operation.name) + (isSigned ? ".s16x2" : ".u16x2") +
                   " %d, %a, %b;",
               32,
               {32, 32}},
              {integers(32, 0), integers(32, 1)}, [&](const uint64_t *x) {
                uint64_t result = 0;
                for (unsigned up : {0u, 16u})
                  result |= wrapped(operation.apply(half.value(x[0] >> up),
                                                    half.value(x[1] >> up)),
                                    16)
                            << up;
                return result;
              });
    }
}

TEST(Integer, DotProducts) {
  auto dot = [](const std::string &name, unsigned bitsA, unsigned skipB) {
    for (bool signedA : {false, true})
      for (bool signedB : {false, true}) {
        IntegerType typeA = {"", bitsA, signedA}, typeB = {"", 8, signedB};
        std::string types = std::string(signedA ? ".s32" : ".u32") +
                            (signedB ? ".s32" : ".u32");
        compare({name + types + " %d, %a, %b, %c;", 32, {32, 32, 32}},
                {integers(32, 0), integers(32, 1), integers(32, 2)},
                [&](const uint64_t *x) {
                  Wide total = Wide(x[2]);
                  for (unsigned i = 0; i < 32 / bitsA; ++i)
                    total += typeA.value(x[0] >> (bitsA * i)) *
                             typeB.value(x[1] >> (8 * (i + skipB)));
                  return wrapped(total, 32);
                });
      }
  };
  dot("dp4a", 8, 0);
  dot("dp2a.lo", 16, 0);
  dot("dp2a.hi", 16, 2);
}

//===----------------------------------------------------------------------===//
// Carry chains: CC.CF is set by `add.cc 0xff..., c` to the bit in %c, and read
// back by `addc`
//===----------------------------------------------------------------------===//

/// d holds the result in `bits` bits; `carryOut` asks for CC.CF instead.
struct CarryForm {
  std::string name;
  bool usesCarry, setsCarry;
  /// Exact result of a, b, c and the carry; it may be negative.
  std::function<Wide(uint64_t a, uint64_t b, uint64_t c, unsigned carry)> exact;
};

static void carryChain(const CarryForm &form, unsigned bits, bool isMad,
                       const char *sign) {
  std::string type = sign + std::to_string(bits);
  std::string unsignedType = "u" + std::to_string(bits);
  std::string before = "{\n.reg .b" + std::to_string(bits) +
                       " %k;\n.reg .b32 %cc;\nadd.cc." + unsignedType +
                       " %k, %c, -1;\n";
  // The addend of mad is %c as well: the carry into it is (c != 0).
  std::string instruction =
      form.name + "." + type + (isMad ? " %d, %a, %b, %c;" : " %d, %a, %b;");
  std::vector<Column> operands = {integers(bits, 0), integers(bits, 1),
                                  integers(bits, 2)};
  auto exact = [&](const uint64_t *x) {
    return form.exact(x[0], x[1], x[2], x[2] != 0);
  };
  Form direct = {instruction, bits, {bits, bits, bits}, before, "}"};
  compare(direct, operands,
          [&](const uint64_t *x) { return wrapped(exact(x), bits); });
  // What the chain leaves in CC.CF: its own carry, or the old one.
  Form after = direct;
  after.after = "addc." + unsignedType + " %d, 0, 0;\n}";
  compare(after, operands, [&](const uint64_t *x) {
    unsigned __int128 total = (unsigned __int128)exact(x);
    return form.setsCarry ? uint64_t(total >> bits & 1) : uint64_t(x[2] != 0);
  });
}

/// What a subtraction adds, besides a one or the carry.
static uint64_t complement(uint64_t value, unsigned bits) {
  return wrapped(~value, bits);
}

/// The flag that `sub.cc` leaves is 1 where nothing is borrowed: NVIDIA's
/// compiler corrects the digits of a 128-bit quotient with `addc` after it.
TEST(Integer, CarryOfASubtraction) {
  compare({"sub.cc.u32 %d, %a, %b;\naddc.u32 %d, 0, 0;", 32, {32, 32}},
          {integers(32, 0), integers(32, 1)},
          [](const uint64_t *x) { return uint64_t(x[0] >= x[1]); });
  compare({"sub.cc.u64 %d, %a, %b;\nsubc.u64 %d, 0, 0;", 64, {64, 64}},
          {integers(64, 0), integers(64, 1)},
          [](const uint64_t *x) { return x[0] < x[1] ? ~uint64_t(0) : 0; });
}

TEST(Integer, CarryChains) {
  for (unsigned bits : {32u, 64u})
    for (const char *sign : {"u", "s"}) {
      for (bool sets : {false, true}) {
        std::string cc = sets ? ".cc" : "";
        carryChain({"addc" + cc, true, sets,
                    [](uint64_t a, uint64_t b, uint64_t, unsigned carry) {
                      return Wide(a) + b + carry;
                    }},
                   bits, false, sign);
        carryChain({"subc" + cc, true, sets,
                    [=](uint64_t a, uint64_t b, uint64_t, unsigned carry) {
                      return Wide(a) + complement(b, bits) + carry;
                    }},
                   bits, false, sign);
      }
      carryChain({"add.cc", false, true,
                  [](uint64_t a, uint64_t b, uint64_t, unsigned) {
                    return Wide(a) + b;
                  }},
                 bits, false, sign);
      carryChain({"sub.cc", false, true,
                  [=](uint64_t a, uint64_t b, uint64_t, unsigned) {
                    return Wide(a) + complement(b, bits) + 1;
                  }},
                 bits, false, sign);
      IntegerType type = {"", bits, *sign == 's'};
      for (bool high : {false, true})
        for (bool uses : {false, true})
          for (bool sets : {false, true}) {
            if (!uses && !sets)
              continue;
            auto exact = [=](uint64_t a, uint64_t b, uint64_t c,
                             unsigned carry) {
              Wide part = high ? upperHalf(type.value(a), type.value(b), type)
                               : Wide(a * b);
              return Wide(wrapped(part, bits)) + c + (uses ? carry : 0);
            };
            carryChain({std::string(uses ? "madc" : "mad") +
                            (high ? ".hi" : ".lo") + (sets ? ".cc" : ""),
                        uses, sets, exact},
                       bits, true, sign);
          }
    }
}

} // namespace heddle::ptx::test
