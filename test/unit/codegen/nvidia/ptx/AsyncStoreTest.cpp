// AsyncStoreTest.cpp - stores that complete on an mbarrier, bulk stores of
// zeros, byte masks, discard, and registers of 128 bits.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Kernel.h"

namespace heddle::ptx::test {

static const std::string head = ".version 9.0\n.target sm_100a\n"
                                ".address_size 64\n";

/// Every thread of block 0 sends two words to block 1 and adds to a counter of
/// it; block 1 waits for the bytes. `expect` is the count it waits for.
static std::string remoteKernel(const std::string &expect) {
  return head + R"(
.visible .entry k(.param .u64 out) .reqnctapercluster 2, 1, 1
{
  .shared .align 16 .b8 slots[256];
  .shared .align 8 .b32 total;
  .shared .align 8 .b64 bar;
  .reg .b32 %r<12>;
  .reg .b64 %rd<6>;
  .reg .pred %p<4>;
  mov.u32 %r1, %tid.x;
  mov.u32 %r2, %cluster_ctarank;
  setp.ne.u32 %p0, %r1, 0;
  @%p0 bra READY;
  st.shared.b32 [total], 100;
  mbarrier.init.shared::cta.b64 [bar], 1;
  fence.mbarrier_init.release.cluster;
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], )" +
         expect + R"(;
READY:
  barrier.cluster.arrive.release.aligned;
  barrier.cluster.wait.acquire.aligned;
  setp.ne.u32 %p1, %r2, 0;
  @%p1 bra RECEIVE;
  mov.u32 %r3, slots;
  mad.lo.u32 %r3, %r1, 8, %r3;
  mapa.shared::cluster.u32 %r4, %r3, 1;
  mov.u32 %r5, bar;
  mapa.shared::cluster.u32 %r5, %r5, 1;
  mov.u32 %r6, total;
  mapa.shared::cluster.u32 %r6, %r6, 1;
  add.u32 %r7, %r1, 7;
  st.async.shared::cluster.mbarrier::complete_tx::bytes.v2.b32 [%r4], {%r1, %r7}, [%r5];
  red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::bytes.add.u32 [%r6], %r1, [%r5];
  bra END;
RECEIVE:
  mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p2, [bar], 0;
  @!%p2 bra RECEIVE;
  mov.u32 %r3, slots;
  mad.lo.u32 %r3, %r1, 8, %r3;
  ld.shared.v2.b32 {%r8, %r9}, [%r3];
  ld.shared.b32 %r10, [total];
  ld.param.u64 %rd1, [out];
  mad.wide.u32 %rd2, %r1, 16, %rd1;
  st.global.v4.b32 [%rd2], {%r8, %r9, %r10, %r1};
END:
  barrier.cluster.arrive.release.aligned;
  barrier.cluster.wait.acquire.aligned;
  ret;
}
)";
}

static Report runRemote(const std::string &expect, AsyncMode mode,
                        std::vector<uint32_t> &out) {
  Kernel kernel(remoteKernel(expect));
  kernel.addBuffer(out, "out");
  kernel.launch.grid[0] = 2;
  kernel.launch.block[0] = 32;
  kernel.launch.options.async = mode;
  return kernel.run();
}

TEST(AsyncStore, ArrivesInTheOtherBlock) {
  for (AsyncMode mode :
       {AsyncMode::Late, AsyncMode::Early, AsyncMode::Random}) {
    std::vector<uint32_t> out(32 * 4);
    // 8 bytes stored and 4 bytes added by each of 32 threads.
    Report report = runRemote("384", mode, out);
    ASSERT_TRUE(isClean(report)) << textOf(report);
    for (uint32_t i = 0; i < 32; ++i) {
      ASSERT_EQ(out[4 * i], i);
      ASSERT_EQ(out[4 * i + 1], i + 7);
      ASSERT_EQ(out[4 * i + 2], 100u + 31 * 16);
    }
  }
}

TEST(AsyncStore, WrongByteCountIsFound) {
  std::vector<uint32_t> out(32 * 4);
  Report tooMany = runRemote("388", AsyncMode::Late, out);
  EXPECT_TRUE(has(tooMany, FindingKind::MbarrierBytes)) << textOf(tooMany);
  Report tooFew = runRemote("256", AsyncMode::Early, out);
  EXPECT_FALSE(tooFew.findings.empty()) << textOf(tooFew);
}

TEST(AsyncStore, ReadBeforeTheWaitIsARace) {
  std::string text = remoteKernel("384");
  size_t wait = text.find("  mbarrier.try_wait");
  text.erase(wait, text.find("  mov.u32 %r3, slots;", wait) - wait);
  Kernel kernel(text);
  std::vector<uint32_t> out(32 * 4);
  kernel.addBuffer(out, "out");
  kernel.launch.grid[0] = 2;
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  EXPECT_TRUE(has(report, FindingKind::Race)) << textOf(report);
}

TEST(AsyncStore, BulkZerosAndByteMask) {
  Kernel kernel(head + R"(
.visible .entry k(.param .u64 out)
{
  .shared .align 16 .b8 tile[256];
  .reg .b32 %r<4>;
  .reg .b64 %rd<4>;
  .reg .b16 %mask;
  .reg .pred %p;
  mov.u32 %r0, %tid.x;
  setp.ne.u32 %p, %r0, 0;
  @%p bra END;
  ld.param.u64 %rd0, [out];
  mov.u64 %rd1, tile;
  st.bulk.weak.shared::cta [%rd1], 248, 0;
  st.shared.b64 [tile+248], 0x0102030405060708;
  fence.proxy.async.shared::cta;
  mov.u32 %r1, tile;
  mov.b16 %mask, 0x8001;
  cp.async.bulk.global.shared::cta.bulk_group.cp_mask [%rd0], [%r1], 256, %mask;
  cp.async.bulk.commit_group;
  cp.async.bulk.wait_group 0;
END:
  ret;
}
)");
  std::vector<uint8_t> out(256, 0xEE);
  kernel.addBuffer(out, "out");
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << textOf(report);
  for (unsigned i = 0; i < 256; ++i) {
    bool written = i % 16 == 0 || i % 16 == 15;
    ASSERT_EQ(out[i], !written ? 0xEE : i == 255 ? 1 : 0) << i;
  }
}

TEST(AsyncStore, DiscardedBytesAreUndefined) {
  Kernel kernel(head + R"(
.visible .entry k(.param .u64 x, .param .u64 y)
{
  .reg .b32 %r<4>;
  .reg .b64 %rd<4>;
  .reg .pred %p;
  mov.u32 %r0, %tid.x;
  setp.ne.u32 %p, %r0, 0;
  @%p bra END;
  ld.param.u64 %rd0, [x];
  ld.param.u64 %rd1, [y];
  st.global.b32 [%rd0], 1;
  discard.global.L2 [%rd0], 128;
  ld.global.b32 %r1, [%rd0];
  st.global.b32 [%rd1], %r1;
END:
  ret;
}
)");
  std::vector<uint32_t> x(32), y(32);
  kernel.addBuffer(x, "x", false);
  kernel.addBuffer(y, "y");
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  EXPECT_TRUE(has(report, FindingKind::UninitialisedMemory)) << textOf(report);
}

/// mov, ld, st, exch and cas of 128 bits.
TEST(WideRegister, MovesAndAtomics) {
  Kernel kernel(head + R"(
.visible .entry k(.param .u64 x)
{
  .reg .b32 %r<4>;
  .reg .b64 %rd<8>;
  .reg .b128 %q<6>;
  .reg .pred %p;
  mov.u32 %r0, %tid.x;
  setp.ne.u32 %p, %r0, 0;
  @%p bra END;
  ld.param.u64 %rd0, [x];
  ld.global.b128 %q0, [%rd0];
  mov.b128 {%rd1, %rd2}, %q0;
  mov.b128 %q1, {%rd2, %rd1};
  st.global.b128 [%rd0+16], %q1;
  atom.global.exch.b128 %q2, [%rd0], %q1;
  st.release.gpu.global.b128 [%rd0+32], %q2;
  atom.global.cas.b128 %q3, [%rd0], %q0, %q0;
  atom.global.acq_rel.gpu.cas.b128 %q4, [%rd0], %q1, %q0;
  mov.b128 %q5, %q4;
  st.global.b128 [%rd0+48], %q3;
  st.global.b128 [%rd0+64], %q5;
END:
  ret;
}
)");
  std::vector<uint64_t> x(10, 0);
  x[0] = 11;
  x[1] = 22;
  kernel.addBuffer(x, "x");
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << textOf(report);
  // The first cas compares with what exch replaced, the second with its value.
  EXPECT_EQ(x, (std::vector<uint64_t>{11, 22, 22, 11, 11, 22, 22, 11, 22, 11}));
}

} // namespace heddle::ptx::test
