// PtxasOutputTest.cpp - what ptxas prints
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Ptxas.h"

#include <gtest/gtest.h>

using namespace heddle::ptx;

TEST(PtxasOutput, ReadsUsage) {
  PtxasOutput output = parsePtxasOutput(
      "ptxas info    : 0 bytes gmem\n"
      "ptxas info    : Compiling entry function 'k' for 'sm_90'\n"
      "ptxas info    : Function properties for k\n"
      "    64 bytes stack frame, 12 bytes spill stores, 16 bytes spill loads\n"
      "ptxas info    : Used 10 registers, used 1 barriers, 72 bytes cumulative "
      "stack size, 368 bytes smem, 372 bytes cmem[0]\n"
      "ptxas info    : Compile time = 10.980 ms\n");
  EXPECT_TRUE(output.messages.empty());
  ASSERT_EQ(output.usage.size(), 1u);
  EXPECT_EQ(output.usage[0].function, "k");
  EXPECT_EQ(output.usage[0].registers, 10u);
  EXPECT_EQ(output.usage[0].barriers, 1u);
  EXPECT_EQ(output.usage[0].stackBytes, 72u);
  EXPECT_EQ(output.usage[0].spillStoreBytes, 12u);
  EXPECT_EQ(output.usage[0].spillLoadBytes, 16u);
  EXPECT_EQ(output.usage[0].sharedBytes, 368u);
}

TEST(PtxasOutput, ReadsMessages) {
  PtxasOutput output = parsePtxasOutput(
      "ptxas a b.ptx, line 49; error   : Unknown modifier '.globl'\n"
      "ptxas a b.ptx, line 5; warning : something, line 7; odd\n"
      "ptxas info    : (C7510) Potential Performance Loss: serialized\n"
      "ptxas fatal   : Ptx assembly aborted due to errors\n"
      "ptxas-blackwell b.ptx, line 8; error   : Unknown symbol 'x'\n"
      "ptxas\n"
      "Segmentation fault\n");
  ASSERT_EQ(output.messages.size(), 5u);
  EXPECT_EQ(output.messages[0].line, 49u);
  EXPECT_EQ(output.messages[0].severity, "error");
  EXPECT_EQ(output.messages[0].text, "Unknown modifier '.globl'");
  EXPECT_EQ(output.messages[1].line, 5u);
  EXPECT_EQ(output.messages[1].severity, "warning");
  EXPECT_EQ(output.messages[1].text, "something, line 7; odd");
  EXPECT_EQ(output.messages[2].severity, "info");
  EXPECT_EQ(output.messages[3].severity, "fatal");
  EXPECT_EQ(output.messages[3].line, 0u);
  // Triton brings a ptxas of this name.
  EXPECT_EQ(output.messages[4].line, 8u);
  EXPECT_EQ(output.messages[4].text, "Unknown symbol 'x'");
}
