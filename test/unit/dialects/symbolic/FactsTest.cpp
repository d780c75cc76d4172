//===- FactsTest.cpp - what guards teach ----------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/symbolic/SymContext.h"

#include <gtest/gtest.h>

using namespace heddle;

namespace {

struct FactsTest : testing::Test {
  SymContext context;
  SymExpr batch = context.symbol("batch");
  SymExpr seq = context.symbol("seq");
  SymExpr past = context.symbol("past_seq");
  SymExpr total = context.symbol("total_seq");

  SymExpr number(int64_t value) { return context.constant(value); }
};

TEST_F(FactsTest, GuardedMinimumDisappears) {
  SymExpr table = min(number(64), seq);
  EXPECT_TRUE(context.assumeEqual(table, seq));
  EXPECT_EQ(context.simplify(table), seq);
  EXPECT_EQ(min(seq, number(128)), seq) << "seq <= 64 was learnt";
  EXPECT_FALSE(context.assumeEqual(table, seq)) << "nothing new";
}

TEST_F(FactsTest, InequalityOfASum) {
  EXPECT_TRUE(context.assumeLessEqual(past + seq, number(128)));
  EXPECT_EQ(min(past + seq, number(256)), past + seq);
  EXPECT_EQ(min(seq, number(128)), seq);
}

TEST_F(FactsTest, EquationReplacesTheLoneSymbol) {
  EXPECT_TRUE(context.assumeEqual(past + seq, total));
  EXPECT_EQ(context.symbol("total_seq"), past + seq);
  EXPECT_EQ(context.simplify(total * 2 - seq), past * 2 + seq);
  EXPECT_TRUE(context.provablyEqual(total, past + seq));
}

TEST_F(FactsTest, EquationsChain) {
  SymExpr a = context.symbol("a"), b = context.symbol("b");
  EXPECT_TRUE(context.assumeEqual(b, a + 1));
  EXPECT_TRUE(context.assumeEqual(a, seq * 2));
  EXPECT_EQ(context.simplify(b), seq * 2 + 1);
  // b - 1 is a: the circle closes without a new fact.
  EXPECT_FALSE(context.assumeEqual(a, context.simplify(b) - 1));
}

TEST_F(FactsTest, BoundsSurviveReplacement) {
  // total_seq >= 1 must hold for what replaces it.
  EXPECT_TRUE(context.assumeEqual(total, past * 1 + 0));
  EXPECT_TRUE(context.provablyAtLeast(context.simplify(past), 1) ||
              context.provablyAtLeast(context.simplify(total), 1));
}

TEST_F(FactsTest, UnsolvableEquationTeachesNothing) {
  EXPECT_FALSE(context.assumeEqual(batch * seq, total * total));
  EXPECT_FALSE(context.assumeEqual(seq, seq + 1)) << "a contradiction";
}

TEST_F(FactsTest, UnknownsDisappearFirst) {
  SymExpr found = context.unknown("the number of true elements");
  EXPECT_FALSE(found.isComputable());
  EXPECT_TRUE(context.assumeEqual(found, batch));
  EXPECT_EQ(context.simplify(found + 1), batch + 1);
}

TEST_F(FactsTest, ProvablyDifferentByDivisibility) {
  EXPECT_TRUE(context.provablyDifferent(seq * 4, batch * 6 + 1));
  EXPECT_FALSE(context.provablyDifferent(seq * 4, batch * 6 + 2));
  EXPECT_TRUE(context.provablyDifferent(past + seq + 1, past));
  EXPECT_FALSE(context.provablyDifferent(past + 1, seq));
}

TEST_F(FactsTest, SubstitutionFoldsAgain) {
  llvm::DenseMap<const SymAtom *, SymExpr> replacements;
  replacements[seq.atom()] = number(100);
  EXPECT_EQ(context.substitute(min(number(64), seq) + batch, replacements),
            batch + 64);
}

} // namespace
