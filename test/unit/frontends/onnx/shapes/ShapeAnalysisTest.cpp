//===- ShapeAnalysisTest.cpp - the analysis as its users call it ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/shapes/ShapeAnalysis.h"

#include "dialects/onnx/OnnxDialect.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace heddle;
using namespace mlir;

namespace {

struct ShapeAnalysisTest : testing::Test {
  ShapeAnalysisTest() {
    context.loadDialect<func::FuncDialect, onnx::OnnxDialect>();
  }

  /// The analysis of the one function of `text`, null if it fails.
  ShapeAnalysis *analyse(const std::string &text,
                         const ShapeAnalysis::DimRanges &ranges = {}) {
    module = parseSourceString<ModuleOp>(text, &context);
    if (!module)
      return nullptr;
    ScopedDiagnosticHandler handler(
        &context, [&](Diagnostic &diagnostic) { message = diagnostic.str(); });
    auto result = ShapeAnalysis::run(function(), ranges);
    if (failed(result))
      return nullptr;
    analysis = std::move(*result);
    return analysis.get();
  }

  func::FuncOp function() { return *module->getOps<func::FuncOp>().begin(); }

  /// The first result of the last node.
  Value lastResult() {
    Value result;
    module->walk([&](onnx::NodeOp node) { result = node->getResult(0); });
    return result;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::unique_ptr<ShapeAnalysis> analysis;
  std::string message;
};

TEST_F(ShapeAnalysisTest, TellsHowAxesBroadcast) {
  ASSERT_TRUE(analyse(R"(
    func.func @main(%x: tensor<?x1x?xf32> {onnx.dims = ["a", "1", "b"]},
                    %y: tensor<?x?x?xf32> {onnx.dims = ["a", "a", "c"]}) {
      %z = onnx.node "Add"(%x, %y) version 14 {}
          : (tensor<?x1x?xf32>, tensor<?x?x?xf32>) -> tensor<*xf32>
      return
    })"));
  ArrayRef<SymExpr> x = analysis->shapeOf(function().getArgument(0));
  ArrayRef<SymExpr> z = analysis->shapeOf(lastResult());
  EXPECT_EQ(analysis->broadcast(x[0], z[0]), BroadcastKind::Same);
  EXPECT_EQ(analysis->broadcast(x[1], z[1]), BroadcastKind::Stretch);
  EXPECT_EQ(analysis->broadcast(x[2], z[2]), BroadcastKind::Ambiguous);
  ASSERT_EQ(analysis->guards().size(), 1u);
  EXPECT_TRUE(analysis->guards()[0].lhs.isComputable());
}

TEST_F(ShapeAnalysisTest, GivesElements) {
  ASSERT_TRUE(analyse(R"(
    func.func @main(%x: tensor<?x4xf32> {onnx.dims = ["a", "4"]}) {
      %c = onnx.constant dense<[0.5, 2.0]> : tensor<2xf32>
      %z = onnx.node "Shape"(%x) version 14 {} : (tensor<?x4xf32>) -> tensor<2xi64>
      return
    })"));
  auto values = analysis->valuesOf(lastResult());
  ASSERT_TRUE(values);
  EXPECT_EQ((*values)[0].str(), "a");
  EXPECT_TRUE((*values)[1].isConstant(4));
  EXPECT_FALSE(analysis->constantsOf(lastResult())) << "a is no constant";
  EXPECT_FALSE(analysis->valuesOf(function().getArgument(0)));
  Value constant = function().getBody().front().front().getResult(0);
  auto floats = analysis->floatsOf(constant);
  ASSERT_TRUE(floats);
  EXPECT_EQ((*floats)[1], 2.0);
}

TEST_F(ShapeAnalysisTest, RangesMakeConstants) {
  ShapeAnalysis::DimRanges ranges;
  ranges["batch"] = {2, 2, 1};
  ASSERT_TRUE(analyse(R"(
    func.func @main(%x: tensor<?x?xf32> {onnx.dims = ["batch", "batch + new"]}) {
      return
    })",
                      ranges));
  ArrayRef<SymExpr> shape = analysis->shapeOf(function().getArgument(0));
  EXPECT_TRUE(shape[0].isConstant(2));
  EXPECT_EQ(shape[1].str(), "new + 2");
  ASSERT_EQ(analysis->bindings().size(), 1u);
  EXPECT_EQ(analysis->bindings()[0].symbol->name(), "new");
  EXPECT_TRUE(analysis->bindings()[0].offset.isConstant(2));
}

TEST_F(ShapeAnalysisTest, NamesTheNodeOfAGuard) {
  ASSERT_TRUE(analyse(R"(
    func.func @main(%x: tensor<?xf32> {onnx.dims = ["a"]},
                    %y: tensor<?xf32> {onnx.dims = ["b"]}) {
      %z = onnx.node "MatMul"(%x, %y) version 14 {}
          : (tensor<?xf32>, tensor<?xf32>) -> tensor<f32> loc("layer.3/dot")
      return
    })"));
  ASSERT_EQ(analysis->guards().size(), 1u);
  EXPECT_EQ(analysis->guards()[0].sentence,
            "node 'layer.3/dot': MatMul expects the contracted axes to be "
            "equal: a and b");
}

// A file of a few kilobytes must not make the analysis use up the machine.
TEST_F(ShapeAnalysisTest, StopsWhenTheArithmeticGrowsTooLarge) {
  std::string text = R"(
    func.func @main(%x: tensor<?xf32> {onnx.dims = ["a"]}) {
      %zero = onnx.constant dense<0> : tensor<i64>
      %one = onnx.constant dense<1> : tensor<i64>
      %many = onnx.constant dense<4096> : tensor<i64>
      %size = onnx.node "Size"(%x) version 14 {} : (tensor<?xf32>) -> tensor<i64>
      %v0 = onnx.node "Range"(%zero, %many, %one) version 14 {}
          : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<4096xi64>
)";
  const std::string type = "tensor<4096xi64>";
  for (int i = 0; i < 100; ++i) {
    std::string v = "%v" + std::to_string(i), w = "%w" + std::to_string(i),
                next = "%v" + std::to_string(i + 1);
    text += w + " = onnx.node \"Add\"(" + v + ", %size) version 14 {} : (" +
            type + ", tensor<i64>) -> " + type + "\n";
    text += next + " = onnx.node \"Div\"(" + w + ", %many) version 14 {} : (" +
            type + ", tensor<i64>) -> " + type + "\n";
  }
  EXPECT_FALSE(analyse(text + "return }"));
  EXPECT_EQ(message,
            "the shapes of this model take too many operations to compute");
}

} // namespace
