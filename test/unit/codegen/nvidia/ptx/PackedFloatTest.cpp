// PackedFloatTest.cpp - pairs of f32, f32 sums of narrow operands, extrema of
// three. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"
#include "test/unit/codegen/nvidia/ptx/HostFloat.h"

#include <algorithm>

namespace heddle::ptx::test {

/// Only fma must name its rounding.
static std::vector<RoundingMode> modesOf(Operation operation) {
  std::vector<RoundingMode> modes(std::begin(roundingModes),
                                  std::end(roundingModes));
  if (operation != Operation::Fma)
    modes.push_back({"", Direction::Even});
  return modes;
}

TEST(PackedFloat, PairsOfSingles) {
  std::vector<Column> operands;
  for (unsigned i = 0; i < 3; ++i) {
    Column low = floats(32, i), pairs = low;
    for (size_t at = 0; at < low.size(); ++at)
      pairs[at] |= low[low.size() - 1 - at] << 32;
    operands.push_back(pairs);
  }
  struct {
    const char *name;
    Operation operation;
    size_t count;
  } operations[] = {{"add", Operation::Add, 2},
                    {"sub", Operation::Sub, 2},
                    {"mul", Operation::Mul, 2},
                    {"fma", Operation::Fma, 3}};
  for (auto &operation : operations)
    for (const RoundingMode &mode : modesOf(operation.operation))
      for (bool flush : {false, true})
        compare({operation.name + std::string(mode.text) +
                     (flush ? ".ftz" : "") + ".f32x2 %d, %a, %b" +
                     (operation.count == 3 ? ", %c;" : ";"),
                 64,
                 {64, 64, 64}},
                operands, [&](const uint64_t *x) {
                  uint64_t result = 0;
                  for (unsigned up : {0u, 32u}) {
                    uint64_t words[3];
                    for (int i = 0; i < 3; ++i)
                      words[i] = x[i] >> up & 0xFFFFFFFF;
                    result |= computed(operation.operation, hostF32, words,
                                       mode.direction, {flush, false, false})
                              << up;
                  }
                  return result;
                });
}

/// `add.f32.f16 d, a, c`: the narrow operands are exact, the sum rounds once.
TEST(PackedFloat, NarrowOperands) {
  for (const HostFormat *narrow : {&hostF16, &hostBF16})
    for (Operation operation : {Operation::Add, Operation::Sub, Operation::Fma})
      for (const RoundingMode &mode : modesOf(operation))
        for (bool saturate : {false, true}) {
          bool fused = operation == Operation::Fma;
          auto column = [&](unsigned i) {
            return narrow == &hostF16 ? floats(16, i) : bfloats(i);
          };
          std::string text = operation == Operation::Add   ? "add"
                             : operation == Operation::Sub ? "sub"
                                                           : "fma";
          text += std::string(mode.text) + (saturate ? ".sat" : "") + ".f32." +
                  narrow->name + " %d, %a, %b" + (fused ? ", %c;" : ";");
          std::vector<Column> operands = {column(0),
                                          fused ? column(1) : floats(32, 1)};
          std::vector<unsigned> widths = {16, fused ? 16u : 32u};
          if (fused) {
            operands.push_back(floats(32, 2));
            widths.push_back(32);
          }
          compare({text, 32, widths}, operands, [&](const uint64_t *x) {
            const HostFormat &second = fused ? *narrow : hostF32;
            const HostFormat *formats[3] = {narrow, &second, &hostF32};
            __float128 values[3];
            bool negative[3];
            for (int i = 0; i < 3; ++i) {
              uint64_t word = i < 2 || fused ? x[i] : 0;
              values[i] = formats[i]->value(word);
              negative[i] = formats[i]->isNegative(word);
            }
            return computed(operation, hostF32, values, negative,
                            mode.direction, {false, saturate, false});
          });
        }
}

/// `.abs` compares magnitudes; the result is one.
TEST(PackedFloat, ExtremaOfThree) {
  for (bool largest : {false, true})
    for (bool flush : {false, true})
      for (bool nan : {false, true})
        for (bool abs : {false, true})
          compare({std::string(largest ? "max" : "min") +
                       (flush ? ".ftz" : "") + (nan ? ".NaN" : "") +
                       (abs ? ".abs" : "") + ".f32 %d, %a, %b, %c;",
                   32,
                   {32, 32, 32}},
                  {floats(32, 0), floats(32, 1), floats(32, 2)},
                  [&](const uint64_t *x) {
                    uint64_t result = 0;
                    for (int i = 0; i < 3; ++i) {
                      uint64_t word = flush ? flushed(hostF32, x[i]) : x[i];
                      if (abs)
                        word &= ~hostF32.signBit();
                      if (nan && hostF32.isNan(word))
                        return hostF32.nan();
                      result =
                          i ? extremum(hostF32, result, word, largest) : word;
                    }
                    return hostF32.isNan(result) ? hostF32.nan() : result;
                  });
}

} // namespace heddle::ptx::test
