// FuzzedInputTest.cpp - inputs that PtxFuzz found, cut down to what matters.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Most of them need a sanitizer to fail: the preset ptx-asan.

#include "test/unit/codegen/nvidia/ptx/Kernel.h"

namespace heddle::ptx::test {

TEST(FuzzedInput, VersionsThatAreNoTwoNumbers) {
  for (const char *version : {".5", "8.", "8e1", "1e5.", "8.0e1", ".e1"}) {
    ParseResult parsed =
        parse(std::string(".version ") + version + "\n", "fuzzed.ptx");
    ASSERT_FALSE(parsed.module) << version;
    EXPECT_NE(parsed.diagnostics[0].text.find("expected a version such as 8.0"),
              std::string::npos)
        << parsed.diagnostics[0].text;
  }
}

TEST(FuzzedInput, KernelThatUsesNoRegister) {
  Kernel kernel(".version 8.0\n.target sm_90\n.address_size 64\n"
                ".visible .entry k()\n{\nret;\n}\n");
  kernel.launch.block[0] = 32;
  EXPECT_TRUE(isClean(kernel.run()));
}

TEST(FuzzedInput, KernelWithAParameterInARegister) {
  ParseResult parsed =
      parse(".version 8.0\n.target sm_90\n.address_size 64\n"
            ".visible .entry k(.param .u64 p, .reg .u64 r)\n{\nret;\n}\n",
            "fuzzed.ptx");
  ASSERT_FALSE(parsed.module);
  EXPECT_EQ(parsed.diagnostics[0].text,
            "expected a '.param' of the kernel, got '.reg' 'r'");
}

TEST(FuzzedInput, WideSpecialRegisterBehindPredicates) {
  Kernel kernel(".version 8.0\n.target sm_90\n.address_size 64\n"
                ".visible .entry k()\n{\n.reg .pred %p<2>;\n"
                ".reg .b64 %d<2>;\nmov.u64 %d1, 1;\n"
                "setp.eq.u32 %p1, 1, 2;\nor.b64 %d1, %d1, %clock64;\nret;\n"
                "}\n");
  kernel.launch.block[0] = 32;
  EXPECT_TRUE(isClean(kernel.run()));
}

} // namespace heddle::ptx::test
