//===- FactsTest.cpp - facts of CPUs --------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Facts.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace heddle;

TEST(Facts, EveryTierHasTheFeaturesOfTheOnesBefore) {
  size_t before = 0;
  for (llvm::StringRef name : getCpuTiers()) {
    std::string error;
    FailureOr<CpuFacts> facts = cpuFactsOfTier(name, error);
    ASSERT_TRUE(succeeded(facts)) << error;
    auto features = requiredFeatures(*facts);
    EXPECT_GT(features.size(), before);
    EXPECT_TRUE(llvm::is_contained(features, "fma"));
    before = features.size();
  }
}

TEST(Facts, VectorsOfTheBaseTiers) {
  std::string error;
  FailureOr<CpuFacts> v3 = cpuFactsOfTier("x86-64-v3", error);
  FailureOr<CpuFacts> v4 = cpuFactsOfTier("x86-64-v4", error);
  ASSERT_TRUE(succeeded(v3) && succeeded(v4));
  EXPECT_EQ(v3->lanes(32), 8);
  EXPECT_EQ(v3->vectorRegisters, 16);
  EXPECT_EQ(v4->lanes(32), 16);
  EXPECT_EQ(v4->vectorRegisters, 32);
}

TEST(Facts, UnknownTier) {
  std::string error;
  EXPECT_TRUE(failed(cpuFactsOfTier("pentium", error)));
  EXPECT_EQ(error, "expects a CPU tier (x86-64-v3, x86-64-v4, x86-64-v4+bf16, "
                   "x86-64-v4+amx), got 'pentium'");
}

TEST(Facts, HostRunsItsOwnCode) {
  std::string error;
  FailureOr<CpuFacts> host = hostCpuFacts(error);
  if (failed(host))
    GTEST_SKIP() << error;
  EXPECT_TRUE(hostRuns(*host));
  EXPECT_GT(host->l1Bytes, 0);
}

TEST(Facts, AttributeAndBack) {
  MLIRContext context;
  context.loadDialect<HeddleDialect>();
  std::string error;
  CpuFacts facts = *cpuFactsOfTier("x86-64-v4+bf16", error);
  facts.l2Bytes = 123456;
  TargetAttr target = makeTargetAttr(&context, "cpu", facts);
  FailureOr<CpuFacts> back = readTargetAttr(target, UnknownLoc::get(&context));
  ASSERT_TRUE(succeeded(back));
  EXPECT_EQ(back->tier, facts.tier);
  EXPECT_EQ(back->features, facts.features);
  EXPECT_EQ(back->l2Bytes, 123456);
}

/// The diagnostic for a target attribute with `facts`.
static std::string readError(ArrayRef<NamedAttribute> facts,
                             MLIRContext &context) {
  std::string text;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    text = diagnostic.str();
    return success();
  });
  auto target =
      TargetAttr::get(&context, "cpu", DictionaryAttr::get(&context, facts));
  EXPECT_TRUE(failed(readTargetAttr(target, UnknownLoc::get(&context))));
  return text;
}

TEST(Facts, MissingFacts) {
  MLIRContext context;
  context.loadDialect<HeddleDialect>();
  Builder builder(&context);
  EXPECT_EQ(readError({}, context).substr(0, 47),
            "expects the target to name a CPU tier, got #hed");
  auto tier = builder.getNamedAttr("tier", builder.getStringAttr("x86-64-v3"));
  EXPECT_EQ(readError({tier}, context).substr(0, 52),
            "expects the target to have a positive l1_bytes, got ");
}
