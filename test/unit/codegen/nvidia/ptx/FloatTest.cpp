// FloatTest.cpp - floating-point arithmetic of all formats, rounded exactly.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"
#include "test/unit/codegen/nvidia/ptx/HostFloat.h"

namespace heddle::ptx::test {

namespace {

std::vector<Column> columns(const HostFormat &format, size_t count) {
  std::vector<Column> result;
  for (unsigned i = 0; i < count; ++i)
    result.push_back(&format == &hostBF16 ? bfloats(i)
                                          : floats(format.bits(), i));
  return result;
}

/// Compares in one format; every NaN of f64 will do, its payload is open.
void check(const std::string &text, const HostFormat &format, size_t count,
           const std::function<uint64_t(const uint64_t *)> &want,
           bool anyNan = false) {
  std::string operands = count == 1   ? " %d, %a;"
                         : count == 2 ? " %d, %a, %b;"
                                      : " %d, %a, %b, %c;";
  compareBy({text + operands, format.bits(),
             std::vector<unsigned>(count, format.bits())},
            columns(format, count), [&](const uint64_t *row, uint64_t got) {
              uint64_t bits = want(row);
              bool isNan = (anyNan || format.bits() == 64) &&
                           format.isNan(bits) && format.isNan(got);
              EXPECT_TRUE(isNan || got == bits)
                  << "in hexadecimal: expected 0x" << std::hex << bits;
              return isNan || got == bits;
            });
}

/// The packed twin of a 16-bit form, on both halves.
void checkPacked(const std::string &text, const HostFormat &format,
                 size_t count,
                 const std::function<uint64_t(const uint64_t *)> &want,
                 bool anyNan = false) {
  std::vector<Column> halves = columns(format, count);
  for (Column &column : halves)
    for (size_t i = 0; i < column.size(); ++i)
      column[i] |= column[(i + 37) % column.size()] << 16;
  std::string operands = count == 1   ? "x2 %d, %a;"
                         : count == 2 ? "x2 %d, %a, %b;"
                                      : "x2 %d, %a, %b, %c;";
  compareBy({text + operands, 32, std::vector<unsigned>(count, 32)}, halves,
            [&](const uint64_t *row, uint64_t got) {
              bool fine = true;
              for (unsigned up : {0u, 16u}) {
                uint64_t half[3], own = got >> up & 0xFFFF;
                for (int i = 0; i < 3; ++i)
                  half[i] = row[i] >> up & 0xFFFF;
                uint64_t bits = want(half);
                bool isNan = anyNan && format.isNan(bits) && format.isNan(own);
                EXPECT_TRUE(isNan || own == bits)
                    << "in hexadecimal: expected 0x" << std::hex << bits;
                fine &= isNan || own == bits;
              }
              return fine;
            });
}

} // namespace

TEST(Float, ArithmeticInEveryRounding) {
  struct {
    const char *name;
    Operation operation;
    size_t operands;
    bool saturates, mayOmitRounding;
  } operations[] = {{"add", Operation::Add, 2, true, true},
                    {"sub", Operation::Sub, 2, true, true},
                    {"mul", Operation::Mul, 2, true, true},
                    {"fma", Operation::Fma, 3, true, false},
                    {"mad", Operation::Fma, 3, true, false},
                    {"div", Operation::Div, 2, false, false},
                    {"sqrt", Operation::Sqrt, 1, false, false},
                    {"rcp", Operation::Rcp, 1, false, false}};
  for (auto &operation : operations)
    for (const HostFormat *format : {&hostF32, &hostF64}) {
      auto run = [&](const char *text, Direction direction, Flags flags) {
        check(operation.name + (text + flags.text()) + "." + format->name,
              *format, operation.operands, [&](const uint64_t *words) {
                uint64_t three[3] = {};
                std::copy(words, words + operation.operands, three);
                return computed(operation.operation, *format, three, direction,
                                flags);
              });
      };
      bool isSingle = format == &hostF32;
      std::vector<RoundingMode> modes(std::begin(roundingModes),
                                      std::end(roundingModes));
      if (operation.mayOmitRounding)
        modes.push_back({"", Direction::Even});
      for (const RoundingMode &rounding : modes)
        for (bool flush : {false, true})
          for (bool saturate : {false, true})
            if ((isSingle || !(flush || saturate)) &&
                (!saturate || operation.saturates))
              run(rounding.text, rounding.direction, {flush, saturate, false});
    }
}

TEST(Float, HalfArithmetic) {
  struct {
    const char *name;
    Operation operation;
    size_t operands;
  } operations[] = {{"add", Operation::Add, 2},   {"add.rn", Operation::Add, 2},
                    {"sub", Operation::Sub, 2},   {"sub.rn", Operation::Sub, 2},
                    {"mul", Operation::Mul, 2},   {"mul.rn", Operation::Mul, 2},
                    {"fma.rn", Operation::Fma, 3}};
  for (auto &operation : operations)
    for (const HostFormat *format : {&hostF16, &hostBF16})
      for (unsigned mask = 0; mask < 8; ++mask) {
        Flags flags = {bool(mask & 1), bool(mask & 2), bool(mask & 4)};
        bool isF16 = format == &hostF16;
        if ((!isF16 && (flags.flush || flags.saturate)) ||
            (flags.relu &&
             (flags.saturate || operation.operation != Operation::Fma)))
          continue;
        std::string text = operation.name + flags.text() + "." + format->name;
        auto want = [&](const uint64_t *words) {
          uint64_t three[3] = {};
          std::copy(words, words + operation.operands, three);
          return computed(operation.operation, *format, three, Direction::Even,
                          flags);
        };
        check(text, *format, operation.operands, want);
        checkPacked(text, *format, operation.operands, want);
      }
}

/// `.oob`: zero where a factor is the NaN that fills tensors out of bounds.
TEST(Float, OutOfBoundsFactors) {
  for (const HostFormat *format : {&hostF16, &hostBF16})
    for (bool relu : {false, true})
      for (bool saturate : {false, true}) {
        Flags flags = {false, saturate, relu};
        if (saturate && (relu || format == &hostBF16))
          continue;
        std::string text = "fma.rn.oob" + flags.text() + "." + format->name;
        auto want = [&](const uint64_t *words) {
          // Both signs of it count; the addend is not looked at.
          if ((words[0] & 0x7FFF) == 0x7FF7 || (words[1] & 0x7FFF) == 0x7FF7)
            return uint64_t(0);
          return computed(Operation::Fma, *format, words, Direction::Even,
                          flags);
        };
        std::vector<Column> operands = columns(*format, 3);
        std::mt19937 generator(8);
        for (size_t i = 0; i < operands[0].size(); ++i)
          for (Column &column : operands)
            if (generator() % 4 == 0)
              column[i] = (generator() & 0x8000) | 0x7FF7;
        std::string tail = " %d, %a, %b, %c;";
        compare({text + tail, 16, {16, 16, 16}}, operands, want);
        std::vector<Column> pairs = operands;
        for (Column &column : pairs)
          for (size_t i = 0; i < column.size(); ++i)
            column[i] |= column[(i + 41) % column.size()] << 16;
        compare({text + "x2" + tail, 32, {32, 32, 32}}, pairs,
                [&](const uint64_t *row) {
                  uint64_t result = 0;
                  for (unsigned up : {0u, 16u}) {
                    uint64_t half[3];
                    for (int k = 0; k < 3; ++k)
                      half[k] = row[k] >> up & 0xFFFF;
                    result |= want(half) << up;
                  }
                  return result;
                });
      }
}

//===----------------------------------------------------------------------===//
// Minimum and maximum, signs
//===----------------------------------------------------------------------===//

namespace {

struct Extremum {
  bool largest, flush, nan, xorSign;

  std::string text() const {
    return std::string(largest ? "max" : "min") + (flush ? ".ftz" : "") +
           (nan ? ".NaN" : "") + (xorSign ? ".xorsign.abs" : "");
  }
  /// PTX ISA: a NaN loses unless asked for; -0 is below +0; `.xorsign.abs`
  /// compares magnitudes and gives the product's sign.
  uint64_t apply(const HostFormat &format, uint64_t a, uint64_t b) const {
    if (flush) {
      a = flushed(format, a);
      b = flushed(format, b);
    }
    uint64_t sign = (a ^ b) & format.signBit();
    if (xorSign) {
      a &= ~format.signBit();
      b &= ~format.signBit();
    }
    bool nanA = format.isNan(a), nanB = format.isNan(b);
    if ((nanA && nanB) || (nan && (nanA || nanB)))
      return format.nan();
    uint64_t result = extremum(format, a, b, largest);
    return xorSign ? result | sign : result;
  }
};

} // namespace

TEST(Float, MinimumAndMaximum) {
  for (unsigned mask = 0; mask < 16; ++mask) {
    Extremum extremum = {bool(mask & 1), bool(mask & 2), bool(mask & 4),
                         bool(mask & 8)};
    for (const HostFormat *format : {&hostF16, &hostBF16, &hostF32, &hostF64}) {
      bool plainOnly = format == &hostF64;
      if ((plainOnly && mask > 1) || (format == &hostBF16 && extremum.flush))
        continue;
      std::string text = extremum.text() + "." + format->name;
      auto want = [&](const uint64_t *words) {
        return extremum.apply(*format, words[0], words[1]);
      };
      check(text, *format, 2, want);
      if (format->bits() == 16)
        checkPacked(text, *format, 2, want);
    }
  }
}

TEST(Float, Signs) {
  for (const HostFormat *format : {&hostF16, &hostBF16, &hostF32, &hostF64})
    for (bool flush : {false, true})
      for (bool isAbs : {false, true}) {
        if (flush && (format == &hostBF16 || format == &hostF64))
          continue;
        // The NaN that comes of a NaN is unspecified.
        auto want = [&](const uint64_t *words) {
          uint64_t word = flush ? flushed(*format, words[0]) : words[0];
          return isAbs ? word & ~format->signBit() : word ^ format->signBit();
        };
        std::string text = std::string(isAbs ? "abs" : "neg") +
                           (flush ? ".ftz." : ".") + format->name;
        check(text, *format, 1, want, true);
        if (format->bits() == 16)
          checkPacked(text, *format, 1, want, true);
      }
  for (const HostFormat *format : {&hostF32, &hostF64})
    check(std::string("copysign.") + format->name, *format, 2,
          [&](const uint64_t *words) {
            return (words[0] & format->signBit()) |
                   (words[1] & ~format->signBit());
          });
}

TEST(Float, Classes) {
  for (const HostFormat *format : {&hostF32, &hostF64}) {
    struct {
      const char *name;
      std::function<bool(uint64_t)> holds;
    } tests[] = {
        {"finite",
         [&](uint64_t w) {
           return !format->isNan(w) && !format->isInfinite(w);
         }},
        {"infinite", [&](uint64_t w) { return format->isInfinite(w); }},
        {"number", [&](uint64_t w) { return !format->isNan(w); }},
        {"notanumber", [&](uint64_t w) { return format->isNan(w); }},
        {"normal",
         [&](uint64_t w) {
           return !format->isNan(w) && !format->isInfinite(w) &&
                  !format->isSubnormal(w);
         }},
        {"subnormal", [&](uint64_t w) { return format->isSubnormal(w); }}};
    for (auto &test : tests)
      compare(
          {std::string("testp.") + test.name + "." + format->name + " %d, %a;",
           1,
           {format->bits()}},
          columns(*format, 1),
          [&](const uint64_t *row) { return uint64_t(test.holds(row[0])); });
  }
}

} // namespace heddle::ptx::test
