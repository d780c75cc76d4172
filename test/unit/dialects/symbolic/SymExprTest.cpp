//===- SymExprTest.cpp - canonical form, folding, limits ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/symbolic/SymContext.h"

#include "llvm/ADT/Twine.h"

#include <gtest/gtest.h>

#include <limits>

using namespace heddle;

namespace {

struct SymExprTest : testing::Test {
  SymContext context;
  SymExpr batch = context.symbol("batch");
  SymExpr seq = context.symbol("seq");
  SymExpr past = context.symbol("past_seq");

  SymExpr number(int64_t value) { return context.constant(value); }
};

TEST_F(SymExprTest, EqualPolynomialsAreOneExpression) {
  EXPECT_EQ((batch + seq) * (batch - seq), batch * batch - seq * seq);
  EXPECT_EQ(past + seq - past, seq);
  EXPECT_TRUE((seq - seq).isConstant(0));
  EXPECT_NE(batch * seq, batch + seq);
}

TEST_F(SymExprTest, PrintsLargestDegreeFirst) {
  EXPECT_EQ((number(3) - seq + batch * seq * 64).str(),
            "64*batch*seq - seq + 3");
  EXPECT_EQ(number(0).str(), "0");
  EXPECT_EQ((-seq).str(), "-seq");
  EXPECT_EQ(min(number(512), past + seq).str(), "min(seq + past_seq, 512)");
}

TEST_F(SymExprTest, OrderIsThatOfCreation) {
  SymContext other;
  other.symbol("z");
  other.symbol("a");
  EXPECT_EQ((other.symbol("a") + other.symbol("z")).str(), "z + a");
}

TEST_F(SymExprTest, ExactQuotientCancelsFactors) {
  EXPECT_EQ(*exactQuotient(batch * seq * 64, batch * seq), number(64));
  EXPECT_EQ(*exactQuotient(batch * (past + seq) * 64, past + seq), batch * 64);
  EXPECT_EQ(*exactQuotient(batch * batch - seq * seq, batch + seq),
            batch - seq);
  EXPECT_FALSE(exactQuotient(batch * seq, number(2)));
  EXPECT_FALSE(exactQuotient(batch, seq));
  EXPECT_FALSE(exactQuotient(batch, number(0)));
}

TEST_F(SymExprTest, FloorDivTakesOutWhatDivides) {
  EXPECT_EQ(floorDiv(seq * 64 + 3, number(64)), seq);
  EXPECT_EQ(floorDiv(seq * 64 - 1, number(64)), seq - 1);
  EXPECT_EQ(floorDiv(number(-7), number(2)), number(-4));
  EXPECT_EQ(floorDiv(seq * 4 + 2, number(6)), floorDiv(seq * 2 + 1, number(3)));
  EXPECT_EQ(floorDiv(floorDiv(seq, number(2)), number(3)),
            floorDiv(seq, number(6)));
  EXPECT_EQ(floorDiv(batch * seq, seq), batch);
  // A divisor that may be zero does not cancel: 0 / max(0, 1) is 0.
  EXPECT_NE(floorDiv(past * batch, past), batch);
  EXPECT_EQ(ceilDiv(seq * 8 + 1, number(8)), seq + 1);
  // The sign of seq - batch is not known.
  EXPECT_FALSE(floorDiv(seq, seq - batch).isComputable());
}

TEST_F(SymExprTest, TruncDivRoundsTowardsZero) {
  EXPECT_EQ(truncDiv(number(-7), number(2)), number(-3));
  EXPECT_EQ(truncDiv(number(7), number(-2)), number(-3));
  EXPECT_EQ(truncDiv(-seq, number(2)), -floorDiv(seq, number(2)));
}

TEST_F(SymExprTest, ModFolds) {
  EXPECT_EQ(mod(seq * 8 + 11, number(8)), number(3));
  EXPECT_EQ(mod(number(-1), number(8)), number(7));
  EXPECT_EQ(mod(batch * seq, seq), number(0));
  EXPECT_EQ(mod(mod(seq, number(8)), number(8)), mod(seq, number(8)));
}

TEST_F(SymExprTest, ExtremaFoldThroughBounds) {
  EXPECT_EQ(min(seq, number(1)), number(1));
  EXPECT_EQ(max(seq, number(0)), seq);
  EXPECT_EQ(max(past, number(1)).str(), "max(past_seq, 1)");
  EXPECT_EQ(min(past + seq, seq), seq);
  EXPECT_EQ(min(seq, number(64)), min(number(64), seq));
  EXPECT_EQ(min(min(seq, number(64)), number(32)), min(seq, number(32)));
  EXPECT_EQ(min(batch, min(seq, past)), min(min(past, batch), seq));
  // batch*seq - seq is never negative for sizes of at least one.
  EXPECT_EQ(max(batch * seq, seq), batch * seq);
  // min(64, seq) never exceeds seq.
  EXPECT_EQ(max(seq - min(seq, number(64)), number(0)),
            seq - min(seq, number(64)));
}

TEST_F(SymExprTest, ComparisonsFold) {
  EXPECT_EQ(equal(seq, number(-1)), number(0));
  EXPECT_EQ(equal(seq * 2, number(7)), number(0));
  EXPECT_EQ(equal(seq * 2, number(8)), equal(number(4), seq));
  EXPECT_EQ(less(past, past + seq), number(1));
  EXPECT_EQ(lessEqual(seq, number(0)), number(0));
  EXPECT_EQ(less(seq, batch), lessEqual(seq + 1, batch));
}

TEST_F(SymExprTest, LogicIsArithmeticOnFlags) {
  SymExpr isOne = equal(seq, number(1));
  EXPECT_EQ(logicalAnd(isOne, isOne), isOne);
  EXPECT_EQ(logicalOr(isOne, isOne), isOne);
  EXPECT_EQ(logicalAnd(isOne, logicalNot(isOne)), number(0));
  EXPECT_EQ(logicalOr(isOne, logicalNot(isOne)), number(1));
}

TEST_F(SymExprTest, SelectFolds) {
  SymExpr isOne = equal(seq, number(1));
  EXPECT_EQ(select(number(1), batch, seq), batch);
  EXPECT_EQ(select(isOne, batch, batch), batch);
  EXPECT_EQ(select(isOne, number(1), seq), seq);
  EXPECT_EQ(select(isOne, number(1), number(0)), isOne);
  EXPECT_EQ(select(logicalNot(isOne), batch, past), select(isOne, past, batch));
  EXPECT_EQ(select(lessEqual(batch, seq), batch, seq), min(batch, seq));
  EXPECT_EQ(select(lessEqual(batch, seq), seq, batch), max(batch, seq));
}

TEST_F(SymExprTest, RangesNarrowSymbols) {
  ASSERT_TRUE(context.setRange("tokens", {1, 60, 8}));
  SymExpr tokens = context.symbol("tokens");
  EXPECT_EQ(context.interval(tokens).lower, 8);
  EXPECT_EQ(context.interval(tokens).upper, 56);
  EXPECT_EQ(min(tokens, number(64)), tokens);
  EXPECT_EQ(mod(tokens, number(4)), number(0));
  EXPECT_EQ(floorDiv(tokens + 3, number(8)), floorDiv(tokens, number(8)));

  ASSERT_TRUE(context.setRange("heads", {12, 12, 1}));
  EXPECT_EQ(context.symbol("heads"), number(12));
}

TEST_F(SymExprTest, RefusesImpossibleRanges) {
  EXPECT_FALSE(context.setRange("x", {5, 4, 1}));
  EXPECT_FALSE(context.setRange("x", {-1, 4, 1}));
  EXPECT_FALSE(context.setRange("x", {1, 7, 8}));
  EXPECT_FALSE(context.setRange("x", {1, 7, 0}));
  EXPECT_FALSE(context.setRange(
      "x", {std::numeric_limits<int64_t>::max(), std::nullopt, 2}));
  EXPECT_FALSE(context.setRange("seq", {1, 4, 1})) << "made already";
}

TEST_F(SymExprTest, OverflowIsUnknown) {
  SymExpr huge = number(std::numeric_limits<int64_t>::max());
  SymExpr sum = huge + number(1);
  EXPECT_FALSE(sum.isComputable());
  EXPECT_NE(sum, huge + number(1)) << "two unknown values are not equal";
  EXPECT_FALSE((huge * seq * 2).isComputable());
  SymExpr smallest = number(std::numeric_limits<int64_t>::min());
  EXPECT_FALSE((-smallest).isComputable());
  EXPECT_EQ(smallest.str(), "-9223372036854775808");
  EXPECT_FALSE(exactQuotient(smallest, number(-1)));
  EXPECT_EQ(floorDiv(smallest, number(2)), number(-4611686018427387904));
  EXPECT_EQ(mod(smallest, number(10)), number(2));
}

TEST_F(SymExprTest, LargeExpressionsAreUnknown) {
  SymExpr sum = number(0), power = seq, nested = seq;
  for (unsigned i = 0; i <= context.limits().terms; ++i)
    sum = sum + context.symbol(("s" + llvm::Twine(i)).str());
  EXPECT_FALSE(sum.isComputable());
  for (unsigned i = 0; i < context.limits().degree; ++i)
    power = power * seq;
  EXPECT_FALSE(power.isComputable());
  for (unsigned i = 0; i <= context.limits().depth; ++i)
    nested = floorDiv(nested * nested + i, number(7));
  EXPECT_FALSE(nested.isComputable());
}

TEST_F(SymExprTest, SharedSubexpressionsPrintInBoundedSpace) {
  SymExpr nested = seq;
  for (int i = 2; i < 20; ++i)
    nested = floorDiv(nested * nested * 3 + nested * batch, number(7 + i));
  EXPECT_LT(nested.str().size(), 20000u);
}

TEST_F(SymExprTest, Evaluates) {
  auto valueOf = [](const SymAtom &atom) -> std::optional<int64_t> {
    if (atom.name() == "seq")
      return 5;
    if (atom.name() == "past_seq")
      return 0;
    return std::nullopt;
  };
  EXPECT_EQ(evaluate(past + seq * 3 - 1, valueOf), 14);
  EXPECT_EQ(evaluate(floorDiv(seq, past), valueOf), 5) << "0 counts as 1";
  EXPECT_EQ(evaluate(select(equal(past, number(0)), seq, batch), valueOf), 5);
  EXPECT_EQ(evaluate(batch, valueOf), std::nullopt);
  EXPECT_EQ(evaluate(seq * std::numeric_limits<int64_t>::max(), valueOf),
            std::nullopt);
}

} // namespace
