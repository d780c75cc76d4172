// InstructionMixTest.cpp - kinds of instructions
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/InstructionMix.h"

#include <gtest/gtest.h>

using namespace heddle::ptx;
using Counts = InstructionMix::Counts;

TEST(InstructionMix, CountsPtx) {
  ParseResult parsed = parse(R"(
.version 8.0
.target sm_90a
.address_size 64
.visible .entry k(.param .u64 p)
{
  .reg .b32 %r<9>;
  .reg .b64 %d<3>;
  .reg .f32 %f<9>;
  ld.param.u64 %d0, [p];
  ld.global.v4.b32 {%r0, %r1, %r2, %r3}, [%d0];
  ld.global.b32 %r4, [%d0+16];
  cp.async.cg.shared.global [%r4], [%d0], 16;
  cp.async.commit_group;
  cp.async.wait_group 0;
  bar.sync 0;
  mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f0, %f1, %f2, %f3},
      {%r0, %r1, %r2, %r3}, {%r0, %r1}, {%f0, %f1, %f2, %f3};
  wgmma.fence.sync.aligned;
  fence.proxy.async;
  atom.global.add.u32 %r5, [%d0], %r4;
  st.shared.b16 [%r4], %r5;
  ret;
}
)",
                             "k.ptx");
  ASSERT_TRUE(parsed.module)
      << (parsed.diagnostics.empty() ? "" : parsed.diagnostics[0].text);
  InstructionMix mix = countInstructions(*parsed.module->find("k"));
  EXPECT_EQ(mix.total, 13u);
  EXPECT_EQ(
      mix.tensorCore,
      (Counts{{"mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", 1}}));
  EXPECT_EQ(mix.memory, (Counts{{"ld.param.64", 1},
                                {"ld.global.128", 1},
                                {"ld.global.32", 1},
                                {"cp.async.128", 1},
                                {"atom.global.32", 1},
                                {"st.shared.16", 1}}));
  EXPECT_EQ(mix.synchronisation, (Counts{{"cp.async.commit_group", 1},
                                         {"cp.async.wait_group", 1},
                                         {"bar.sync", 1},
                                         {"wgmma.fence", 1},
                                         {"fence.proxy", 1}}));
}

// The form that `nvdisasm -c` prints.
TEST(InstructionMix, CountsMachineCode) {
  auto mixes = countMachineInstructions(R"(
	.section	.text.gemm,"ax",@progbits
gemm:
.text.gemm:
        /*0000*/                   LDC R1, c[0x0][0x28] ;
        /*0010*/              @!P0 LDG.E.128 R16, desc[UR4][R20.64] ;
        /*0020*/               @P1 LDG.E.128 R12, desc[UR4][R22.64] ;
        /*0030*/                   BAR.SYNC.DEFER_BLOCKING 0x0 ;
        /*0040*/                   HGMMA.64x256x16.F32.BF16 R24, gdesc[UR8], R24 ;
.L_x_0:
        /*0050*/                   BRA `(.L_x_0) ;
.text.other:
        /*0000*/                   STL [R1], R0 ;
        /*0010*/                   @P0 REDAS.ADD [R2], R3 ;
        /*0020*/                   UTMAPF.L2.2D [UR8], [UR4] ;
        /*0030*/                   ARRIVES.LDGSTSBAR.64.ARVCNT [UR6] ;
)");
  ASSERT_EQ(mixes.size(), 2u);
  EXPECT_EQ(mixes["gemm"].total, 6u);
  EXPECT_EQ(mixes["gemm"].tensorCore,
            (Counts{{"HGMMA.64x256x16.F32.BF16", 1}}));
  EXPECT_EQ(mixes["gemm"].memory, (Counts{{"LDG.E.128", 2}}));
  EXPECT_EQ(mixes["gemm"].synchronisation,
            (Counts{{"BAR.SYNC.DEFER_BLOCKING", 1}}));
  EXPECT_EQ(mixes["other"].memory,
            (Counts{{"STL", 1}, {"REDAS.ADD", 1}, {"UTMAPF.L2.2D", 1}}));
  EXPECT_EQ(mixes["other"].synchronisation,
            (Counts{{"ARRIVES.LDGSTSBAR.64.ARVCNT", 1}}));
}
