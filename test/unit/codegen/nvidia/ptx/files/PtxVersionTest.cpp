// PtxVersionTest.cpp - PTX versions, toolkits and targets
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/PtxVersion.h"

#include <gtest/gtest.h>

using namespace heddle::ptx;

TEST(PtxVersion, FindsDirectives) {
  auto version = findPtxVersion("// made by .version 1.0\n/* .version 2.0 */\n"
                                ".version 8.7\n.target sm_90a, debug\n");
  ASSERT_TRUE(version);
  EXPECT_EQ(version->str(), "8.7");
  EXPECT_EQ(findPtxTarget(".version 8.7\n.target sm_90a, debug\n"), "sm_90a");
  EXPECT_EQ(findPtxTarget(".target texmode_unified"), std::nullopt);
}

TEST(PtxVersion, StopsAtTheFirstBody) {
  EXPECT_EQ(findPtxVersion(".entry k() { } .version 8.0"), std::nullopt);
  EXPECT_EQ(findPtxVersion(""), std::nullopt);
  EXPECT_EQ(findPtxVersion(".version"), std::nullopt);
  EXPECT_EQ(findPtxVersion(".version eight"), std::nullopt);
  EXPECT_EQ(findPtxVersion(".version 99999.1"), std::nullopt);
  EXPECT_EQ(findPtxVersion("/* .version 8.0"), std::nullopt);
}

// The release history of the PTX ISA manual.
TEST(PtxVersion, KnowsItsToolkit) {
  EXPECT_EQ(toolkitForPtx({6, 0})->str(), "9.0");
  EXPECT_EQ(toolkitForPtx({7, 8})->str(), "11.8");
  EXPECT_EQ(toolkitForPtx({8, 6})->str(), "12.7");
  EXPECT_EQ(toolkitForPtx({9, 0})->str(), "13.0");
  EXPECT_EQ(toolkitForPtx({9, 4})->str(), "13.4");
  EXPECT_EQ(toolkitForPtx({9, 5}), std::nullopt);
  EXPECT_EQ(toolkitForPtx({5, 0}), std::nullopt);
}

TEST(PtxVersion, KnowsWhatAToolkitAccepts) {
  EXPECT_EQ(ptxOfToolkit({13, 0}).str(), "9.0");
  // CUDA 12.6 brought no new PTX.
  EXPECT_EQ(ptxOfToolkit({12, 6}).str(), "8.5");
  EXPECT_EQ(ptxOfToolkit({14, 0}).str(), "9.4");
  EXPECT_EQ(driverOfToolkit({13, 0}), 580u);
  EXPECT_EQ(driverOfToolkit({13, 4}), std::nullopt);
}
