//===- ParseTest.cpp - dim_param expressions ------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/symbolic/SymContext.h"

#include <gtest/gtest.h>

using namespace heddle;

namespace {

struct ParseTest : testing::Test {
  SymContext context;
  SymExpr seq = context.symbol("seq");
  SymExpr past = context.symbol("past_seq");

  SymExpr parse(llvm::StringRef text) {
    return parseSymExpr(context, text).value_or(SymExpr());
  }
};

TEST_F(ParseTest, ReadsExportersExpressions) {
  EXPECT_EQ(parse("past_seq + seq"), past + seq);
  EXPECT_EQ(parse("past_seq+1"), past + 1);
  EXPECT_EQ(parse("2*seq - 3"), seq * 2 - 3);
  EXPECT_EQ(parse("((seq + 7) // 8)"), floorDiv(seq + 7, context.constant(8)));
  EXPECT_EQ(parse("Max(1, past_seq)"), max(past, context.constant(1)));
  EXPECT_EQ(parse("Mod(seq, 4)"), mod(seq, context.constant(4)));
  EXPECT_EQ(parse("seq % 4"), mod(seq, context.constant(4)));
  EXPECT_EQ(parse("-(-seq)"), seq);
}

TEST_F(ParseTest, ReadsWhatItPrints) {
  SymExpr expr = min(context.constant(512), past + seq) * 64 +
                 floorDiv(seq + past * 3, context.constant(7)) - 5;
  EXPECT_EQ(parse(expr.str()), expr);
}

TEST_F(ParseTest, HyphensAndDotsBelongToNames) {
  EXPECT_EQ(parse("past-length"), context.symbol("past-length"));
  EXPECT_EQ(parse("a.b"), context.symbol("a.b"));
  EXPECT_EQ(parse("seq-1"), seq - 1);
}

TEST_F(ParseTest, RefusesEverythingElse) {
  EXPECT_EQ(parse(""), SymExpr());
  EXPECT_EQ(parse("?"), SymExpr());
  EXPECT_EQ(parse("batch size"), SymExpr());
  EXPECT_EQ(parse("seq +"), SymExpr());
  EXPECT_EQ(parse("(seq"), SymExpr());
  EXPECT_EQ(parse("f(seq, 1)"), SymExpr());
  EXPECT_EQ(parse("min(seq)"), SymExpr());
  EXPECT_EQ(parse("99999999999999999999"), SymExpr());
  EXPECT_EQ(parse(std::string(300, '(')), SymExpr());
  EXPECT_EQ(parse(std::string(200, '(')), SymExpr());
  EXPECT_EQ(parse("seq / 2"), SymExpr());
}

} // namespace
