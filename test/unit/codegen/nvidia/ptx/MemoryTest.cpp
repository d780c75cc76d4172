// MemoryTest.cpp - state spaces, generic addresses, bank conflicts.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"

namespace heddle::ptx::test {

TEST(MemorySpaces, GenericLocalConstAndVariables) {
  Kernel kernel(R"(.version 8.0
.target sm_90
.address_size 64
.const .align 4 .u32 table[4] = {10, 20, 30, 40};
.global .align 8 .u64 pointer = generic(table);
.global .align 4 .u32 counter;
.visible .entry k(.param .u64 out)
{
  .local .align 16 .b8 stack[32];
  .shared .align 16 .b8 box[256];
  .reg .b32 %r<16>;
  .reg .b16 %h<4>;
  .reg .b64 %rd<16>;
  .reg .pred %p<4>;
  ld.param.u64 %rd1, [out];
  mov.u32 %r1, %tid.x;
  and.b32 %r2, %r1, 3;
  // const through a pointer that an initialiser holds
  ld.global.u64 %rd2, [pointer];
  mul.wide.u32 %rd3, %r2, 4;
  add.u64 %rd2, %rd2, %rd3;
  ld.u32 %r3, [%rd2];
  // local memory through a generic address, bytes out of a word
  mov.u64 %rd4, stack;
  cvta.local.u64 %rd5, %rd4;
  st.u32 [%rd5+4], 0x80FF7F01;
  ld.local.s8 %r4, [stack+7];
  ld.local.u8 %h1, [stack+6];
  cvt.u32.u16 %r5, %h1;
  // shared memory through a generic address
  mov.u32 %r6, box;
  shl.b32 %r7, %r1, 3;
  add.u32 %r6, %r6, %r7;
  cvt.u64.u32 %rd6, %r6;
  cvta.shared.u64 %rd7, %rd6;
  isspacep.shared %p1, %rd7;
  isspacep.global %p2, %rd7;
  st.v2.u32 [%rd7], {%r1, %r3};
  ld.shared.v2.u32 {%r8, %r9}, [%r6];
  atom.global.add.u32 %r10, [counter], 1;
  add.u32 %r9, %r9, %r4;
  add.u32 %r9, %r9, %r5;
  add.u32 %r9, %r9, %r8;
  @%p1 add.u32 %r9, %r9, 1000;
  @%p2 add.u32 %r9, %r9, 5000;
  mul.wide.u32 %rd8, %r1, 4;
  add.u64 %rd9, %rd1, %rd8;
  st.global.u32 [%rd9], %r9;
  ret;
}
)");
  std::vector<uint32_t> out(32);
  kernel.addBuffer(out, "out", false);
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << textOf(report);
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(out[i], 10 * (i % 4 + 1) + i + 1000 + 255 - 128);
}

TEST(Statistics, BankConflicts) {
  // Lanes a stride of 32 words apart all meet in one bank.
  for (unsigned stride : {4u, 8u, 128u}) {
    Kernel kernel(".version 8.0\n.target sm_90\n.address_size 64\n"
                  ".visible .entry k()\n{\n.shared .align 16 .b8 box[4096];\n"
                  ".reg .b32 %r<4>;\nmov.u32 %r1, %tid.x;\n"
                  "mov.u32 %r2, box;\nmad.lo.u32 %r3, %r1, " +
                  std::to_string(stride) +
                  ", %r2;\nst.shared.u32 [%r3], %r1;\nret;\n}\n");
    kernel.launch.block[0] = 32;
    Report report = kernel.run();
    ASSERT_TRUE(isClean(report)) << textOf(report);
    EXPECT_EQ(report.statistics.sharedWavefronts, stride / 4);
    EXPECT_EQ(report.statistics.bankConflicts, stride / 4 - 1);
  }
}

} // namespace heddle::ptx::test
