//===- MaterializeTest.cpp - expressions as index arithmetic --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Binds symbols to constants, so that folding the emitted operations gives the
// value to compare.
//
//===----------------------------------------------------------------------===//

#include "dialects/symbolic/Materialize.h"

#include "dialects/symbolic/SymContext.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <gtest/gtest.h>

using namespace heddle;
using namespace mlir;

namespace {

struct MaterializeTest : testing::Test {
  MaterializeTest() {
    mlirContext.loadDialect<arith::ArithDialect>();
    mlirContext.allowUnregisteredDialects();
    module = ModuleOp::create(UnknownLoc::get(&mlirContext));
    builder = std::make_unique<OpBuilder>(module->getBodyRegion());
  }

  SymMaterializer materializer(int64_t seqSize, int64_t pastSize) {
    return SymMaterializer(*builder, module->getLoc(),
                           [=, this](const SymAtom &atom) -> Value {
                             if (atom.kind() == SymAtomKind::Unknown)
                               return nullptr;
                             return arith::ConstantIndexOp::create(
                                 *builder, module->getLoc(),
                                 atom.name() == "seq" ? seqSize : pastSize);
                           });
  }

  /// The constant that the operations behind `value` fold to.
  std::optional<int64_t> fold(Value value) {
    builder->setInsertionPointToEnd(module->getBody());
    OperationState state(module->getLoc(), "test.keep");
    state.addOperands(value);
    Operation *user = builder->create(state);
    RewritePatternSet patterns(&mlirContext);
    if (failed(applyPatternsGreedily(*module, std::move(patterns))))
      return std::nullopt;
    IntegerAttr constant;
    if (!matchPattern(user->getOperand(0), m_Constant(&constant)))
      return std::nullopt;
    return constant.getInt();
  }

  MLIRContext mlirContext;
  OwningOpRef<ModuleOp> module;
  std::unique_ptr<OpBuilder> builder;
  SymContext context;
  SymExpr seq = context.symbol("seq");
  SymExpr past = context.symbol("past");
};

TEST_F(MaterializeTest, WritesEachSubexpressionOnce) {
  SymMaterializer emit = materializer(3, 4);
  Value first = emit.materialize(min(seq * 2, past) + 1);
  size_t operations = llvm::range_size(*module->getBody());
  EXPECT_EQ(emit.materialize(min(seq * 2, past) + 1), first);
  EXPECT_EQ(llvm::range_size(*module->getBody()), operations);
}

TEST_F(MaterializeTest, UnknownSymbolGivesNothing) {
  SymMaterializer emit = materializer(3, 4);
  EXPECT_FALSE(emit.materialize(seq + context.unknown("a secret")));
  EXPECT_TRUE(emit.materialize(seq + 1));
}

struct Case {
  const char *name;
  SymExpr (*build)(SymExpr seq, SymExpr past);
};

const Case cases[] = {
    {"polynomial", [](SymExpr s, SymExpr p) { return s * p * 3 - s * 2 + 7; }},
    {"negative", [](SymExpr s, SymExpr p) { return -s - p; }},
    {"floorDiv",
     [](SymExpr s, SymExpr p) {
       return floorDiv(s - 9, p.context().constant(4));
     }},
    {"divisorMayBeZero", [](SymExpr s, SymExpr p) { return floorDiv(s, p); }},
    {"mod", [](SymExpr s,
               SymExpr p) { return mod(s - p * 3, p.context().constant(5)); }},
    {"extrema",
     [](SymExpr s, SymExpr p) { return min(s, p + 2) * 100 + max(s, p + 2); }},
    {"compare",
     [](SymExpr s, SymExpr p) { return equal(s, p) * 10 + lessEqual(s, p); }},
    {"select", [](SymExpr s,
                  SymExpr p) { return select(lessEqual(s, p), p * 7, s * 9); }},
};

TEST_F(MaterializeTest, AgreesWithEvaluation) {
  for (const Case &test : cases) {
    for (auto [seqSize, pastSize] :
         {std::pair<int64_t, int64_t>{3, 4}, {5, 5}, {17, 0}, {1, 12}}) {
      module->getBody()->clear();
      builder->setInsertionPointToEnd(module->getBody());
      SymExpr expr = test.build(seq, past);
      auto valueOf = [&](const SymAtom &atom) -> std::optional<int64_t> {
        return atom.name() == "seq" ? seqSize : pastSize;
      };
      Value value = materializer(seqSize, pastSize).materialize(expr);
      ASSERT_TRUE(value) << test.name;
      std::optional<int64_t> expected = evaluate(expr, valueOf);
      ASSERT_TRUE(expected);
      EXPECT_EQ(fold(value), expected)
          << test.name << " at " << seqSize << ", " << pastSize;
    }
  }
}

} // namespace
