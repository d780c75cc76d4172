// CooperationTest.cpp - lanes, warps and blocks that wait for one another:
// locks taken lane by lane, values that one lane passes to all, and the
// barriers that cooperative groups keep in memory of the driver.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Kernel.h"

namespace heddle::ptx::test {

/// A kernel of one parameter, an address in %o; %t is the thread's number.
static std::string kernelText(const std::string &body) {
  return R"(.version 8.0
.target sm_90
.address_size 64
.visible .entry k(.param .u64 out)
{
  .reg .b64 %o, %w;
  .reg .b32 %t, %u, %v, %x, %y;
  .reg .pred %p, %q;
  ld.param.u64 %o, [out];
  mov.u32 %t, %tid.x;
)" + body +
         "\n  ret;\n}\n";
}

static Report runOn(std::vector<uint32_t> &out, const std::string &body,
                    uint32_t blocks, uint32_t threads, uint64_t seed) {
  Kernel kernel(kernelText(body));
  kernel.addBuffer(out, "out");
  kernel.launch.grid[0] = blocks;
  kernel.launch.block[0] = threads;
  kernel.launch.options.seed = seed;
  return kernel.run();
}

/// The lanes that wait branch backwards and are behind the one with the lock.
TEST(Cooperation, LockOfEveryLane) {
  for (uint64_t seed : {1, 2, 3}) {
    std::vector<uint32_t> out = {0, 0};
    Report report = runOn(out, R"(AGAIN:
  atom.acquire.gpu.global.cas.b32 %u, [%o], 0, 1;
  setp.ne.u32 %p, %u, 0;
  @%p bra AGAIN;
  ld.volatile.global.u32 %v, [%o+4];
  add.u32 %v, %v, 1;
  st.volatile.global.u32 [%o+4], %v;
  fence.acq_rel.gpu;
  atom.global.exch.b32 %u, [%o], 0;)",
                          2, 64, seed);
    ASSERT_TRUE(isClean(report)) << textOf(report);
    EXPECT_EQ(out[1], 128u);
  }
}

/// Each lane waits for the lane above it: every group must get its turns.
TEST(Cooperation, LanesInAChain) {
  std::vector<uint32_t> out(33, 0);
  out[32] = 1;
  Report report = runOn(out, R"(  mad.wide.u32 %w, %t, 4, %o;
AGAIN:
  ld.acquire.gpu.global.u32 %u, [%w+4];
  setp.eq.u32 %p, %u, 0;
  @%p bra AGAIN;
  add.u32 %u, %u, 1;
  st.release.gpu.global.u32 [%w], %u;)",
                        1, 32, 1);
  ASSERT_TRUE(isClean(report)) << textOf(report);
  EXPECT_EQ(out[0], 33u);
}

/// Lanes that all spin, at two places, are a deadlock all the same.
TEST(Cooperation, LanesThatSpinForEver) {
  std::vector<uint32_t> out(1, 0);
  Report report = runOn(out, R"(  setp.lt.u32 %q, %t, 16;
  @%q bra FIRST;
SECOND:
  ld.acquire.gpu.global.u32 %u, [%o];
  setp.ne.u32 %p, %u, 2;
  @%p bra SECOND;
  ret;
FIRST:
  ld.acquire.gpu.global.u32 %u, [%o];
  setp.ne.u32 %p, %u, 1;
  @%p bra FIRST;)",
                        1, 32, 1);
  ASSERT_FALSE(report.findings.empty());
  EXPECT_EQ(report.findings[0].kind, FindingKind::Deadlock) << textOf(report);
}

/// One lane computes a value and the others, where it is undefined, get it.
TEST(Cooperation, ValueOfOneLane) {
  std::string prefix = R"(  setp.eq.u32 %p, %t, 0;
  @%p mov.u32 %u, 7;
)";
  std::string suffix = R"(
  mad.wide.u32 %w, %u, 4, %o;
  setp.eq.u32 %q, %t, 31;
  @%q st.global.u32 [%w], %u;)";
  std::vector<uint32_t> out(8, 0);
  Report report = runOn(
      out, prefix + "shfl.sync.idx.b32 %u, %u, 0, 31, -1;" + suffix, 1, 32, 1);
  ASSERT_TRUE(isClean(report)) << textOf(report);
  EXPECT_EQ(out[7], 7u);
  report = runOn(out, prefix + "shfl.sync.idx.b32 %u, %u, 1, 31, -1;" + suffix,
                 1, 32, 1);
  ASSERT_FALSE(report.findings.empty());
  EXPECT_EQ(report.findings[0].kind, FindingKind::UninitialisedRegister)
      << textOf(report);
}

/// A barrier of the grid in the workspace whose address is in %envreg1 and 2.
TEST(Cooperation, BarrierOfTheGrid) {
  std::vector<uint32_t> out(8, 0);
  Report report = runOn(out, R"(  .reg .b64 %b;
  mov.u32 %x, %envreg1;
  mov.u32 %y, %envreg2;
  mov.b64 %b, {%y, %x};
  mov.u32 %x, %ctaid.x;
  mov.u32 %y, %nctaid.x;
  mad.wide.u32 %w, %x, 4, %o;
  st.global.u32 [%w], 5;
  atom.acq_rel.gpu.add.u32 %v, [%b+4], 1;
WAIT:
  ld.acquire.gpu.u32 %v, [%b+4];
  setp.lt.u32 %p, %v, %y;
  @%p bra WAIT;
  xor.b32 %x, %x, 3;
  mad.wide.u32 %w, %x, 4, %o;
  ld.global.u32 %v, [%w];
  add.u32 %v, %v, %x;
  st.global.u32 [%w+16], %v;)",
                        4, 1, 1);
  ASSERT_TRUE(isClean(report)) << textOf(report);
  EXPECT_EQ(out, (std::vector<uint32_t>{5, 5, 5, 5, 5, 6, 7, 8}));
}

/// Reserved shared memory is no part of the kernel's own, and starts as zeros.
TEST(Cooperation, ReservedSharedMemory) {
  std::vector<uint32_t> out(64, 0);
  Report report = runOn(out, R"(  .shared .b32 own;
  mov.u32 %x, %reserved_smem_offset_1;
  cvt.u64.u32 %w, %x;
  cvta.shared.u64 %w, %w;
  atom.relaxed.cta.add.u32 %u, [%w+4], 1;
  bar.sync 0;
  ld.shared.u32 %v, [%x+4];
  mad.wide.u32 %w, %t, 4, %o;
  st.global.u32 [%w], %v;)",
                        1, 64, 1);
  ASSERT_TRUE(isClean(report)) << textOf(report);
  EXPECT_EQ(out, std::vector<uint32_t>(64, 64));
  report = runOn(out, R"(  .shared .b32 own;
  mov.u32 %x, %reserved_smem_offset_end;
  mov.u32 %y, %reserved_smem_offset_begin;
  sub.u32 %x, %x, %y;
  st.shared.u32 [own+1024], %x;)",
                 1, 1, 1);
  ASSERT_FALSE(report.findings.empty());
  EXPECT_EQ(report.findings[0].kind, FindingKind::OutOfBounds)
      << textOf(report);
}

} // namespace heddle::ptx::test
