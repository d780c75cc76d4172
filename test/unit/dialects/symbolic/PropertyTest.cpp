//===- PropertyTest.cpp - folding never changes a value -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Builds random expressions through the folding arithmetic, computing beside it
// what each step must give for one choice of sizes, and compares.
//
//===----------------------------------------------------------------------===//

#include "dialects/symbolic/SymContext.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

using namespace heddle;

namespace {

struct Sample {
  SymExpr expr;
  int64_t value;
};

int64_t floorQuotient(int64_t a, int64_t b) {
  return static_cast<int64_t>(
      std::floor(static_cast<double>(a) / static_cast<double>(b)));
}

/// One random operation on members of `pool`; nothing where it is not defined.
std::optional<Sample> combine(std::mt19937 &random,
                              const std::vector<Sample> &pool) {
  auto pick = [&] { return pool[random() % pool.size()]; };
  Sample a = pick(), b = pick(), c = pick();
  SymContext &context = a.expr.context();
  int64_t divisor = 1 + random() % 9;
  SymExpr d = context.constant(divisor);
  switch (random() % 12) {
  case 0:
    return Sample{a.expr + b.expr, a.value + b.value};
  case 1:
    return Sample{a.expr - b.expr, a.value - b.value};
  case 2:
    return Sample{a.expr * b.expr, a.value * b.value};
  case 3:
    return Sample{min(a.expr, b.expr), std::min(a.value, b.value)};
  case 4:
    return Sample{max(a.expr, b.expr), std::max(a.value, b.value)};
  case 5:
    return Sample{floorDiv(a.expr, d), floorQuotient(a.value, divisor)};
  case 6:
    return Sample{mod(a.expr, d),
                  a.value - divisor * floorQuotient(a.value, divisor)};
  case 7:
    return Sample{truncDiv(a.expr, d), a.value / divisor};
  case 8:
    return Sample{equal(a.expr, b.expr), a.value == b.value};
  case 9:
    return Sample{less(a.expr, b.expr), a.value < b.value};
  case 10:
    return Sample{select(lessEqual(a.expr, b.expr), c.expr, b.expr),
                  a.value <= b.value ? c.value : b.value};
  default:
    if (!context.provablyAtLeast(b.expr, 1))
      return std::nullopt;
    return Sample{floorDiv(a.expr, b.expr), floorQuotient(a.value, b.value)};
  }
}

TEST(PropertyTest, FoldingKeepsValues) {
  unsigned compared = 0, folded = 0;
  for (unsigned seed = 0; seed < 400; ++seed) {
    std::mt19937 random(seed);
    SymContext context;
    ASSERT_TRUE(context.setRange("tiles", {0, 64, 8}));
    int64_t batch = 1 + random() % 4, seq = 1 + random() % 70;
    int64_t past = random() % 20, tiles = 8 * (random() % 9);
    auto valueOf = [&](const SymAtom &atom) -> std::optional<int64_t> {
      if (atom.name() == "batch")
        return batch;
      if (atom.name() == "seq")
        return seq;
      if (atom.name() == "past")
        return past;
      if (atom.name() == "tiles")
        return tiles;
      return std::nullopt;
    };
    std::vector<Sample> pool = {
        {context.symbol("batch"), batch}, {context.symbol("seq"), seq},
        {context.symbol("past"), past},   {context.symbol("tiles"), tiles},
        {context.constant(0), 0},         {context.constant(1), 1},
        {context.constant(64), 64},       {context.constant(-3), -3}};
    // Facts that hold for these sizes: everything later is folded under them.
    if (seed % 2 && seq <= 64)
      context.assumeLessEqual(context.symbol("seq"), context.constant(64));
    if (seed % 3 == 0)
      context.assumeEqual(context.symbol("seq"),
                          context.symbol("past") + (seq - past));
    for (int step = 0; step < 60; ++step) {
      std::optional<Sample> sample = combine(random, pool);
      if (!sample || std::abs(sample->value) > (1 << 20) ||
          !sample->expr.isComputable())
        continue;
      std::optional<int64_t> value = evaluate(sample->expr, valueOf);
      ASSERT_EQ(value, sample->value)
          << "seed " << seed << " step " << step << ": " << sample->expr.str();
      SymInterval bounds = context.interval(sample->expr);
      ASSERT_LE(bounds.lower.value_or(sample->value), sample->value)
          << sample->expr.str();
      ASSERT_GE(bounds.upper.value_or(sample->value), sample->value)
          << sample->expr.str();
      ++compared;
      folded += sample->expr.constant().has_value();
      pool.push_back(*sample);
    }
  }
  EXPECT_GT(compared, 10000u);
  EXPECT_LT(folded, compared / 2) << "the samples must not all be constants";
}

} // namespace
