// FaultKernels.cpp - PTX text of the kernels that faults are planted in.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/FaultKernels.h"

namespace heddle::ptx::test {

static const std::string head = R"(.version 8.0
.target sm_90a
.address_size 64
)";

std::string reduceKernel() {
  return head + R"(
.visible .entry reduce(.param .u64 x, .param .u64 out, .param .u32 n)
{
  .reg .pred %p<8>;
  .reg .b32 %r<32>;
  .reg .b64 %rd<8>;
  .reg .f32 %f<16>;
  .shared .align 16 .b8 tile[1024];
  ld.param.u64 %rd1, [x];
  ld.param.u64 %rd2, [out];
  ld.param.u32 %r1, [n];
  mov.u32 %r2, %tid.x;
  mov.u32 %r3, %ctaid.x;
  shl.b32 %r4, %r3, 8;
  add.u32 %r4, %r4, %r2;
  mov.f32 %f1, 0f00000000;
  setp.lt.u32 %p1, %r4, %r1;
  mul.wide.u32 %rd3, %r4, 4;
  add.u64 %rd3, %rd1, %rd3;
  @%p1 ld.global.f32 %f1, [%rd3];
  mov.u32 %r5, tile;
  shl.b32 %r6, %r2, 2;
  add.u32 %r7, %r5, %r6;
  st.shared.f32 [%r7], %f1;
  bar.sync 0; // before the tree
  mov.u32 %r8, 128;
LOOP:
  setp.lt.u32 %p2, %r2, %r8;
  @!%p2 bra SKIP;
  shl.b32 %r9, %r8, 2;
  add.u32 %r10, %r7, %r9;
  ld.shared.f32 %f2, [%r10];
  ld.shared.f32 %f3, [%r7];
  add.f32 %f3, %f3, %f2;
  st.shared.f32 [%r7], %f3;
SKIP:
  bar.sync 0; // in the tree
  shr.u32 %r8, %r8, 1;
  setp.ge.u32 %p3, %r8, 32;
  @%p3 bra LOOP;
  setp.ge.u32 %p4, %r2, 32;
  @%p4 bra DONE;
  ld.shared.f32 %f4, [%r7];
  shfl.sync.down.b32 %f5, %f4, 16, 31, -1;
  add.f32 %f4, %f4, %f5;
  shfl.sync.down.b32 %f5, %f4, 8, 31, -1;
  add.f32 %f4, %f4, %f5;
  shfl.sync.down.b32 %f5, %f4, 4, 31, -1;
  add.f32 %f4, %f4, %f5;
  shfl.sync.down.b32 %f5, %f4, 2, 31, -1;
  add.f32 %f4, %f4, %f5;
  shfl.sync.down.b32 %f5, %f4, 1, 31, -1;
  add.f32 %f4, %f4, %f5;
  setp.ne.u32 %p5, %r2, 0;
  @%p5 bra DONE;
  mul.wide.u32 %rd4, %r3, 4;
  add.u64 %rd4, %rd2, %rd4;
  st.global.f32 [%rd4], %f4;
DONE:
  ret;
}
)";
}

/// One stage: 64 rows of 32 bytes of A, and 8 of B behind both stages of A.
static std::string issueStage() {
  return R"(
  and.b32 %r20, %r19, 1;
  shl.b32 %r21, %r20, 11;
  add.u32 %r21, %r21, %r12;
  mul.wide.u32 %rd6, %r19, 32;
  add.u64 %rd7, %rd4, %rd6;
  cp.async.cg.shared.global [%r21], [%rd7], 16;
  shl.b32 %r22, %r20, 8;
  add.u32 %r22, %r22, %r13;
  add.u64 %rd8, %rd5, %rd6;
  @%p1 cp.async.cg.shared.global [%r22], [%rd8], 16;
)";
}

std::string asyncGemmKernel() {
  return head + R"(
.visible .entry gemm(.param .u64 a, .param .u64 b, .param .u64 c, .param .u32 k)
{
  .reg .pred %p<8>;
  .reg .b32 %r<64>;
  .reg .b64 %rd<16>;
  .reg .f32 %f<8>;
  .shared .align 128 .b8 tiles[4608];
  ld.param.u64 %rd1, [a];
  ld.param.u64 %rd2, [b];
  ld.param.u64 %rd3, [c];
  ld.param.u32 %r1, [k];
  mov.u32 %r2, %tid.x;
  shr.u32 %r3, %r2, 1;            // row
  and.b32 %r4, %r2, 1;            // half of it
  shl.b32 %r5, %r4, 4;
  mov.u32 %r11, tiles;
  shl.b32 %r6, %r3, 5;
  add.u32 %r7, %r6, %r5;
  add.u32 %r12, %r11, %r7;        // place in A
  add.u32 %r13, %r12, 4096;       // place in B
  setp.lt.u32 %p1, %r2, 16;
  mul.lo.u32 %r8, %r3, %r1;
  mul.wide.u32 %rd4, %r8, 2;
  cvt.u64.u32 %rd9, %r5;
  add.u64 %rd4, %rd4, %rd9;
  add.u64 %rd5, %rd2, %rd4;
  add.u64 %rd4, %rd1, %rd4;
  shr.u32 %r9, %r1, 4;            // steps
  and.b32 %r14, %r2, 31;          // lane
  shr.u32 %r15, %r2, 5;           // warp
  and.b32 %r16, %r14, 15;
  shl.b32 %r17, %r15, 4;
  add.u32 %r16, %r16, %r17;
  shl.b32 %r16, %r16, 5;
  and.b32 %r18, %r14, 16;
  add.u32 %r16, %r16, %r18;
  add.u32 %r16, %r16, %r11;       // rows of A for ldmatrix
  and.b32 %r23, %r14, 7;
  shl.b32 %r23, %r23, 5;
  and.b32 %r24, %r14, 8;
  shl.b32 %r24, %r24, 1;
  add.u32 %r23, %r23, %r24;
  add.u32 %r23, %r23, %r11;
  add.u32 %r23, %r23, 4096;       // rows of B
  mov.f32 %f1, 0f00000000;
  mov.f32 %f2, 0f00000000;
  mov.f32 %f3, 0f00000000;
  mov.f32 %f4, 0f00000000;
  mov.u32 %r19, 0;
)" + issueStage() +
         R"(
  cp.async.commit_group; // first
  mov.u32 %r30, 0;
LOOP:
  add.u32 %r19, %r30, 1;
  setp.ge.u32 %p2, %r19, %r9;
  @%p2 bra ISSUED;
)" + issueStage() +
         R"(
ISSUED:
  cp.async.commit_group; // next
  cp.async.wait_group 1;
  bar.sync 0; // arrived
  and.b32 %r31, %r30, 1;
  shl.b32 %r32, %r31, 11;
  add.u32 %r32, %r32, %r16;
  ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r40, %r41, %r42, %r43}, [%r32];
  shl.b32 %r33, %r31, 8;
  add.u32 %r33, %r33, %r23;
  ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r44, %r45}, [%r33];
  mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f1, %f2, %f3, %f4}, {%r40, %r41, %r42, %r43}, {%r44, %r45}, {%f1, %f2, %f3, %f4};
  bar.sync 0; // consumed
  add.u32 %r30, %r30, 1;
  setp.lt.u32 %p3, %r30, %r9;
  @%p3 bra LOOP;
  shr.u32 %r50, %r14, 2;
  add.u32 %r50, %r50, %r17;
  and.b32 %r51, %r14, 3;
  shl.b32 %r51, %r51, 1;
  shl.b32 %r52, %r50, 3;
  add.u32 %r52, %r52, %r51;
  mul.wide.u32 %rd10, %r52, 4;
  add.u64 %rd10, %rd3, %rd10;
  st.global.v2.f32 [%rd10], {%f1, %f2};
  st.global.v2.f32 [%rd10+256], {%f3, %f4};
  ret;
}
)";
}

/// `{%prefix0, %prefix1, ...}`.
static std::string registers(const std::string &prefix, int first, int count) {
  std::string text = "{";
  for (int i = 0; i < count; ++i)
    text += (i ? ", %" : "%") + prefix + std::to_string(first + i);
  return text + "}";
}

/// Waits for the parity in `parity` of the mbarrier at `address`.
static std::string waitFor(const std::string &address,
                           const std::string &parity) {
  return "  {\n  .reg .pred done;\nWAIT:\n"
         "  mbarrier.try_wait.parity.shared::cta.b64 done, [" +
         address + "], " + parity + ";\n  @!done bra WAIT;\n  }\n";
}

/// Puts the descriptor of a 128-byte-swizzled tile at `address` into `target`.
static std::string descriptor(const std::string &target,
                              const std::string &address) {
  return "  cvt.u64.u32 " + target + ", " + address + ";\n  shr.u64 " + target +
         ", " + target + ", 4;\n  or.b64 " + target + ", " + target +
         ", 0x4000004000010000;\n";
}

std::string tensorGemmKernel() {
  std::string products;
  for (int step = 0; step < 4; ++step) {
    products += "  wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 " +
                registers("f", 0, 32) + ", %rd6, %rd7, %p3, 1, 1, 0, 0;\n" +
                "  setp.eq.u32 %p3, 0, 0;\n"
                "  add.u64 %rd6, %rd6, 2;\n  add.u64 %rd7, %rd7, 2;\n";
  }
  std::string stores;
  for (int tile = 0; tile < 8; ++tile)
    for (int half = 0; half < 2; ++half)
      stores += "  st.shared.v2.f32 [%r24+" +
                std::to_string(tile * 32 + half * 2048) + "], " +
                registers("f", tile * 4 + half * 2, 2) + ";\n";
  return head + R"(
.extern .shared .align 1024 .b8 smem[];
.visible .entry gemm(
  .param .align 64 .b8 mapA[128],
  .param .align 64 .b8 mapB[128],
  .param .align 64 .b8 mapC[128],
  .param .u32 steps
)
.reqntid 160
{
  .reg .pred %p<16>;
  .reg .b32 %r<64>;
  .reg .b64 %rd<16>;
  .reg .f32 %f<32>;
  mov.b64 %rd1, mapA;
  cvta.param.u64 %rd1, %rd1;
  mov.b64 %rd2, mapB;
  cvta.param.u64 %rd2, %rd2;
  mov.b64 %rd3, mapC;
  cvta.param.u64 %rd3, %rd3;
  ld.param.u32 %r1, [steps];
  mov.u32 %r2, %tid.x;
  mov.u32 %r3, smem;
  add.u32 %r4, %r3, 49152;        // full[2], empty[2]
  mov.u32 %r5, %ctaid.x;
  shl.b32 %r5, %r5, 6;            // column of C
  mov.u32 %r6, %ctaid.y;
  shl.b32 %r6, %r6, 6;            // row of C
  setp.ne.u32 %p1, %r2, 0;
  @%p1 bra READY;
  mbarrier.init.shared::cta.b64 [%r4], 1;
  mbarrier.init.shared::cta.b64 [%r4+8], 1;
  mbarrier.init.shared::cta.b64 [%r4+16], 4;
  mbarrier.init.shared::cta.b64 [%r4+24], 4;
  fence.mbarrier_init.release.cluster;
READY:
  bar.sync 0; // mbarriers ready
  setp.lt.u32 %p2, %r2, 128;
  @%p2 bra CONSUMER;
  setp.ne.u32 %p4, %r2, 128;
  @%p4 bra END;
  mov.u32 %r10, 0;
PRODUCE:
  and.b32 %r11, %r10, 1;
  shr.u32 %r12, %r10, 1;
  and.b32 %r12, %r12, 1;
  xor.b32 %r12, %r12, 1;          // empty parity
  shl.b32 %r13, %r11, 3;
  add.u32 %r14, %r4, %r13;        // full
  add.u32 %r15, %r14, 16;         // empty
)" + waitFor("%r15", "%r12") +
         R"(
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r14], 16384;
  shl.b32 %r16, %r11, 13;
  add.u32 %r16, %r16, %r3;
  add.u32 %r17, %r16, 16384;
  shl.b32 %r18, %r10, 6;
  cp.async.bulk.tensor.2d.shared::cta.global.tile.mbarrier::complete_tx::bytes [%r16], [%rd1, {%r18, %r6}], [%r14];
  cp.async.bulk.tensor.2d.shared::cta.global.tile.mbarrier::complete_tx::bytes [%r17], [%rd2, {%r18, %r5}], [%r14];
  add.u32 %r10, %r10, 1;
  setp.lt.u32 %p5, %r10, %r1;
  @%p5 bra PRODUCE;
  bra END;
CONSUMER:
  mov.u32 %r10, 0;
CONSUME:
  and.b32 %r11, %r10, 1;
  shr.u32 %r12, %r10, 1;
  and.b32 %r12, %r12, 1;          // full parity
  shl.b32 %r13, %r11, 3;
  add.u32 %r14, %r4, %r13;
)" + waitFor("%r14", "%r12") +
         R"(
  shl.b32 %r16, %r11, 13;
  add.u32 %r16, %r16, %r3;
  add.u32 %r17, %r16, 16384;
)" + descriptor("%rd6", "%r16") +
         descriptor("%rd7", "%r17") + R"(
  setp.ne.u32 %p3, %r10, 0;
  wgmma.fence.sync.aligned;
)" + products +
         R"(
  wgmma.commit_group.sync.aligned;
  wgmma.wait_group.sync.aligned 0;
  and.b32 %r20, %r2, 31;
  setp.eq.u32 %p6, %r20, 0;
  @%p6 mbarrier.arrive.shared::cta.b64 _, [%r14+16];
  add.u32 %r10, %r10, 1;
  setp.lt.u32 %p7, %r10, %r1;
  @%p7 bra CONSUME;
  shr.u32 %r21, %r2, 5;           // warp
  shl.b32 %r21, %r21, 4;
  shr.u32 %r22, %r20, 2;
  add.u32 %r21, %r21, %r22;       // row
  shl.b32 %r21, %r21, 8;
  and.b32 %r23, %r20, 3;
  shl.b32 %r23, %r23, 3;
  add.u32 %r24, %r21, %r23;
  add.u32 %r24, %r24, %r3;
  add.u32 %r24, %r24, 32768;
)" + stores +
         R"(
  fence.proxy.async.shared::cta;
  bar.sync 1, 128; // tile stored
  @%p1 bra END;
  add.u32 %r25, %r3, 32768;
  cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%rd3, {%r5, %r6}], [%r25];
  cp.async.bulk.commit_group;
  cp.async.bulk.wait_group 0;
END:
  ret;
}
)";
}

std::string attentionKernel() {
  std::string scores, weights, values, stores;
  for (int step = 0; step < 4; ++step)
    scores += "  wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 " +
              registers("f", 0, 32) + ", %rd6, %rd7, " +
              (step ? "%p3" : "%p4") +
              ", 1, 1, 0, 0;\n  add.u64 %rd6, %rd6, 2;\n"
              "  add.u64 %rd7, %rd7, 2;\n";
  for (int i = 0; i < 32; ++i) {
    std::string f = "%f" + std::to_string(i);
    weights += "  mul.f32 " + f + ", " + f +
               ", 0f3E000000;\n  ex2.approx.f32 " + f + ", " + f + ";\n";
  }
  for (int pair = 0; pair < 16; ++pair)
    weights += "  cvt.rn.bf16x2.f32 %a" + std::to_string(pair) + ", %f" +
               std::to_string(2 * pair + 1) + ", %f" +
               std::to_string(2 * pair) + ";\n";
  for (int step = 0; step < 4; ++step)
    values += "  wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 " +
              registers("o", 0, 32) + ", " + registers("a", 4 * step, 4) +
              ", %rd8, " + (step ? "%p3" : "%p4") +
              ", 1, 1, 1;\n  add.u64 %rd8, %rd8, 128;\n";
  for (int tile = 0; tile < 8; ++tile)
    for (int half = 0; half < 2; ++half)
      stores += "  st.global.v2.f32 [%rd10+" +
                std::to_string(tile * 32 + half * 2048) + "], " +
                registers("o", tile * 4 + half * 2, 2) + ";\n";
  return head + R"(
.extern .shared .align 1024 .b8 smem[];
.visible .entry attention(
  .param .align 64 .b8 mapQ[128],
  .param .align 64 .b8 mapK[128],
  .param .align 64 .b8 mapV[128],
  .param .u64 o
)
{
  .reg .pred %p<8>;
  .reg .b32 %r<32>;
  .reg .b32 %a<16>;
  .reg .b64 %rd<16>;
  .reg .f32 %f<32>;
  .reg .f32 %o<32>;
  mov.b64 %rd1, mapQ;
  cvta.param.u64 %rd1, %rd1;
  mov.b64 %rd2, mapK;
  cvta.param.u64 %rd2, %rd2;
  mov.b64 %rd3, mapV;
  cvta.param.u64 %rd3, %rd3;
  ld.param.u64 %rd4, [o];
  mov.u32 %r2, %tid.x;
  mov.u32 %r3, smem;
  add.u32 %r4, %r3, 24576;
  mov.u32 %r9, 0;
  setp.eq.u32 %p3, 0, 0;
  setp.ne.u32 %p4, 0, 0;
  setp.ne.u32 %p1, %r2, 0;
  @%p1 bra READY;
  mbarrier.init.shared::cta.b64 [%r4], 1;
  fence.mbarrier_init.release.cluster;
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r4], 24576;
  add.u32 %r5, %r3, 8192;
  add.u32 %r6, %r3, 16384;
  cp.async.bulk.tensor.2d.shared::cta.global.tile.mbarrier::complete_tx::bytes [%r3], [%rd1, {%r9, %r9}], [%r4];
  cp.async.bulk.tensor.2d.shared::cta.global.tile.mbarrier::complete_tx::bytes [%r5], [%rd2, {%r9, %r9}], [%r4];
  cp.async.bulk.tensor.2d.shared::cta.global.tile.mbarrier::complete_tx::bytes [%r6], [%rd3, {%r9, %r9}], [%r4];
READY:
  bar.sync 0;
)" + waitFor("%r4", "0") +
         "  add.u32 %r5, %r3, 8192;\n" + "  add.u32 %r6, %r3, 16384;\n" +
         descriptor("%rd6", "%r3") + descriptor("%rd7", "%r5") +
         descriptor("%rd8", "%r6") + R"(
  wgmma.fence.sync.aligned; // scores
)" + scores +
         R"(
  wgmma.commit_group.sync.aligned; // scores
  wgmma.wait_group.sync.aligned 0; // scores
)" + weights +
         R"(
  wgmma.fence.sync.aligned; // values
)" + values +
         R"(
  wgmma.commit_group.sync.aligned; // values
  wgmma.wait_group.sync.aligned 0; // values
  shr.u32 %r21, %r2, 5;
  shl.b32 %r21, %r21, 4;
  and.b32 %r20, %r2, 31;
  shr.u32 %r22, %r20, 2;
  add.u32 %r21, %r21, %r22;
  shl.b32 %r21, %r21, 8;
  and.b32 %r23, %r20, 3;
  shl.b32 %r23, %r23, 3;
  add.u32 %r24, %r21, %r23;
  cvt.u64.u32 %rd10, %r24;
  add.u64 %rd10, %rd4, %rd10;
)" + stores +
         R"(
  ret;
}
)";
}

std::string messageKernel() {
  return head + R"(
.visible .entry message(.param .u64 data, .param .u64 flag, .param .u64 out)
{
  .reg .pred %p<4>;
  .reg .b32 %r<16>;
  .reg .b64 %rd<8>;
  ld.param.u64 %rd1, [data];
  ld.param.u64 %rd2, [flag];
  ld.param.u64 %rd3, [out];
  mov.u32 %r1, %tid.x;
  mov.u32 %r2, %ctaid.x;
  mul.wide.u32 %rd4, %r1, 4;
  add.u64 %rd5, %rd1, %rd4;
  add.u64 %rd6, %rd3, %rd4;
  setp.ne.u32 %p1, %r2, 0;
  @%p1 bra RECEIVE;
  mul.lo.u32 %r3, %r1, 7;
  st.global.u32 [%rd5], %r3;
  bar.warp.sync -1;
  setp.ne.u32 %p2, %r1, 0;
  @%p2 bra END;
  mov.u32 %r4, 1;
  st.release.gpu.global.u32 [%rd2], %r4;
  bra END;
RECEIVE:
  ld.acquire.gpu.global.u32 %r5, [%rd2];
  setp.eq.u32 %p3, %r5, 0;
  @%p3 bra RECEIVE;
  ld.global.u32 %r6, [%rd5];
  st.global.u32 [%rd6], %r6;
END:
  ret;
}
)";
}

std::string clusterKernel() {
  return head + R"(
.visible .entry exchange(.param .u64 out)
.reqnctapercluster 2, 1, 1
{
  .reg .b32 %r<16>;
  .reg .b64 %rd<8>;
  .shared .align 16 .b8 box[256];
  ld.param.u64 %rd1, [out];
  mov.u32 %r1, %tid.x;
  mov.u32 %r2, %cluster_ctarank;
  xor.b32 %r3, %r2, 1;
  mov.u32 %r4, box;
  shl.b32 %r5, %r1, 2;
  add.u32 %r6, %r4, %r5;
  mapa.shared::cluster.u32 %r7, %r6, %r3;
  mad.lo.u32 %r8, %r2, 1000, %r1;
  barrier.cluster.arrive.aligned;
  barrier.cluster.wait.aligned; // started
  st.shared::cluster.u32 [%r7], %r8;
  barrier.cluster.arrive.release.aligned; // sent
  barrier.cluster.wait.acquire.aligned; // sent
  ld.shared.u32 %r9, [%r6];
  mad.lo.u32 %r10, %r2, 64, %r1;
  mul.wide.u32 %rd2, %r10, 4;
  add.u64 %rd3, %rd1, %rd2;
  st.global.u32 [%rd3], %r9;
  ret;
}
)";
}

std::string namedBarrierKernel() {
  return head + R"(
.visible .entry relay(.param .u64 x, .param .u64 out)
{
  .reg .pred %p<4>;
  .reg .b32 %r<16>;
  .reg .b64 %rd<8>;
  .shared .align 16 .b8 tile[128];
  ld.param.u64 %rd1, [x];
  ld.param.u64 %rd2, [out];
  mov.u32 %r1, %tid.x;
  and.b32 %r2, %r1, 31;
  mov.u32 %r3, tile;
  shl.b32 %r4, %r2, 2;
  add.u32 %r5, %r3, %r4;
  mov.u32 %r6, 0;
  setp.ge.u32 %p1, %r1, 32;
  @%p1 bra CONSUME;
PRODUCE:
  bar.sync 1, 64; // tile free
  mad.lo.u32 %r7, %r6, 32, %r2;
  mul.wide.u32 %rd3, %r7, 4;
  add.u64 %rd4, %rd1, %rd3;
  ld.global.u32 %r8, [%rd4];
  st.shared.u32 [%r5], %r8;
  bar.arrive 2, 64; // tile full
  add.u32 %r6, %r6, 1;
  setp.lt.u32 %p2, %r6, 8;
  @%p2 bra PRODUCE;
  bra END;
CONSUME:
  bar.arrive 1, 64; // first free
CONSUMING:
  bar.sync 2, 64; // wait full
  xor.b32 %r9, %r4, 124;
  add.u32 %r9, %r9, %r3;
  ld.shared.u32 %r10, [%r9];
  mad.lo.u32 %r7, %r6, 32, %r2;
  mul.wide.u32 %rd3, %r7, 4;
  add.u64 %rd5, %rd2, %rd3;
  st.global.u32 [%rd5], %r10;
  add.u32 %r6, %r6, 1;
  setp.ge.u32 %p3, %r6, 8;
  @%p3 bra END;
  bar.arrive 1, 64; // free again
  bra CONSUMING;
END:
  ret;
}
)";
}

} // namespace heddle::ptx::test
