//===- KernelBuilderTest.cpp - what a kernel cannot be built from ---------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/cpu/KernelBuilder.h"
#include "dialects/RegisterDialects.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace heddle;

namespace {

class KernelBuilder : public ::testing::Test {
protected:
  KernelBuilder() {
    DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    std::string error;
    facts = *cpuFactsOfTier("x86-64-v3", error);
  }

  /// Builds the one kernel of `text`; its diagnostics go to `diagnostics`.
  FailureOr<OwningOpRef<ModuleOp>> build(StringRef text) {
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      diagnostics += diagnostic.str();
      return success();
    });
    module = parseSourceString<ModuleOp>(text, &context);
    auto def = *module->getOps<KernelDefOp>().begin();
    return buildKernel(def, facts, FaultTable(*module));
  }

  MLIRContext context;
  CpuFacts facts;
  OwningOpRef<ModuleOp> module;
  std::string diagnostics;
};

} // namespace

/// A kernel of `family` that reverses the axes of its argument.
static std::string transposition(StringRef family) {
  return ("heddle.kernel_def @k outputs 1 schedule <\"" + family +
          R"(", {}> layouts [#heddle.layout<strided>, #heddle.layout<strided>] {
          ^bb0(%x: tensor<?x4xf32>, %e: tensor<4x?xf32>):
            %t = linalg.transpose ins(%x : tensor<?x4xf32>)
                outs(%e : tensor<4x?xf32>) permutation = [1, 0]
            heddle.yield %t : tensor<4x?xf32>
          })")
      .str();
}

TEST_F(KernelBuilder, UnknownFamily) {
  EXPECT_TRUE(failed(build(transposition("magic"))));
  EXPECT_EQ(diagnostics.substr(diagnostics.find("expects")),
            "expects a kernel family of the CPU, got 'magic'");
}

TEST_F(KernelBuilder, FamilyThatCannotBuildItGivesWayToTheReference) {
  auto built = build(transposition("elementwise"));
  ASSERT_TRUE(succeeded(built));
  auto func = (*built)->lookupSymbol<func::FuncOp>("k");
  ASSERT_TRUE(func);
  EXPECT_EQ(func->getAttrOfType<StringAttr>(kFamilyAttr), "reference");
  EXPECT_EQ(diagnostics, "");
}

TEST_F(KernelBuilder, SignatureAndScratch) {
  auto built = build(transposition("reference"));
  ASSERT_TRUE(succeeded(built));
  auto func = (*built)->lookupSymbol<func::FuncOp>("k");
  // Two memrefs, then worker, workers, scratch and call.
  EXPECT_EQ(func.getNumArguments(), 6u);
  EXPECT_EQ(func->getAttrOfType<IntegerAttr>(kScratchBytesAttr).getInt(), 0);
}

TEST_F(KernelBuilder, NoReferenceLoweringEither) {
  EXPECT_TRUE(failed(build(
      R"(heddle.kernel_def @k outputs 1 schedule <"row", {}>
             layouts [#heddle.layout<strided>, #heddle.layout<strided>] {
         ^bb0(%x: tensor<4x4xf32>, %e: tensor<4x4xf32>):
           %w = heddle.weight #heddle.weight<"model.onnx", 128, 64>
               : tensor<4x4xf32> -> tensor<4x4xf32>
           heddle.yield %w : tensor<4x4xf32>
         })")));
  EXPECT_NE(diagnostics.find("expects a body that can be built, got"),
            std::string::npos)
      << diagnostics;
}
