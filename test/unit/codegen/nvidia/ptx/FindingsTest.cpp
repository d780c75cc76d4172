// FindingsTest.cpp - each clause of the table of findings in docs/ptx/run.md
// that FaultsTest does not reach, on kernels of a few lines.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Kernel.h"

#include <set>

namespace heddle::ptx::test {

/// A body for the parameters p and q, addresses of 64 words each: p defined,
/// q not. `%t` is the thread, `%b` the block, `%s` 256 bytes of shared memory.
struct Body {
  std::string text;
  uint32_t grid = 1, block = 32, cluster = 1;
  bool isReadOnly = false;
};

static Report runBody(const Body &body, const Options &options = Options()) {
  Kernel kernel(
      ".version 8.6\n.target sm_90a\n.address_size 64\n"
      ".visible .entry k(.param .u64 p, .param .u64 q)\n{\n"
      ".reg .b32 %t, %b, %s, %r<8>;\n.reg .b64 %p, %q, %at, %d<4>;\n"
      ".reg .pred %c<4>;\n.shared .align 128 .b8 smem[256];\n"
      ".local .align 8 .b8 own[16];\n"
      "ld.param.u64 %p, [p];\nld.param.u64 %q, [q];\n"
      "mov.u32 %t, %tid.x;\nmov.u32 %b, %ctaid.x;\nmov.u32 %s, smem;\n"
      "mad.wide.u32 %at, %t, 4, %p;\n" +
      body.text + "\nret;\n}\n");
  std::vector<uint32_t> p(64), q(64);
  kernel.addBuffer(p, "p");
  kernel.addBuffer(q, "q");
  kernel.launch.buffers[0].readOnly = body.isReadOnly;
  kernel.launch.buffers[1].initialised = false;
  kernel.launch.grid[0] = body.grid;
  kernel.launch.block[0] = body.block;
  kernel.launch.cluster[0] = body.cluster;
  kernel.launch.options = options;
  return kernel.run();
}

static const std::string init = "setp.ne.u32 %c0, %t, 0;\n"
                                "@!%c0 mbarrier.init.shared.b64 [%s], 1;\n"
                                "bar.sync 0;\n";
/// Thread 0 copies 16 bytes to offset 16; the mbarrier at 0 expects them.
static const std::string copy =
    init + "@!%c0 mbarrier.arrive.expect_tx.shared.b64 _, [%s], 16;\n"
           "add.u32 %r1, %s, 16;\n"
           "@!%c0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::"
           "bytes [%r1], [%p], 16, [%s];\n";

static const std::string onlyThreadZero = "setp.eq.u32 %c1, %t, 0;\n"
                                          "@%c1 mov.u32 %r1, 4;\n";
static const std::string loadAtR2 = "mad.wide.u32 %at, %r2, 4, %p;\n"
                                    "ld.global.u32 %r3, [%at];";

using K = FindingKind;

TEST(Findings, EachKindByItsClauses) {
  const struct {
    const char *what;
    Body body;
    K expected;
  } faults[] = {
      {"past the end of local memory",
       {"mov.u32 %r1, 0;\nst.local.u32 [own+16], %r1;"},
       K::OutOfBounds},
      {"before the start of a buffer",
       {"ld.global.u32 %r1, [%at+-4];"},
       K::OutOfBounds},
      {"a barrier of number 16",
       {"mov.u32 %r1, 16;\nbar.sync %r1;"},
       K::OutOfBounds},
      {"an index behind the list of branches",
       {"mov.u32 %r1, 2;\nbrx.idx %r1, list;\nlist: .branchtargets A, B;\n"
        "A: mov.u32 %r2, 1;\nB: mov.u32 %r2, 2;"},
       K::OutOfBounds},
      {"a bulk copy past the end",
       {copy.substr(0, copy.rfind("[%p]")) + "[%p+248], 16, [%s];"},
       K::OutOfBounds},
      {"a vector at half its size",
       {"ld.global.v2.u32 {%r1, %r2}, [%p+4];"},
       K::Misaligned},
      {"a bulk copy from 8 bytes on",
       {copy.substr(0, copy.rfind("[%p]")) + "[%p+8], 16, [%s];"},
       K::Misaligned},
      {"a buffer that was not given contents",
       {"ld.global.u32 %r1, [%q];"},
       K::UninitialisedMemory},
      {"local memory before its first store",
       {"ld.local.u32 %r1, [own];"},
       K::UninitialisedMemory},
      {"an undefined address",
       {"ld.global.u32 %r1, [%d1];"},
       K::UninitialisedRegister},
      {"an undefined guard",
       {"@%c1 mov.u32 %r1, 1;"},
       K::UninitialisedRegister},
      {"an undefined member mask",
       {"bar.warp.sync %r1;"},
       K::UninitialisedRegister},
      {"an undefined value that was stored and loaded",
       {"st.shared.u32 [%s], %r1;\nld.shared.u32 %r2, [%s];\n"
        "setp.eq.u32 %c1, %r2, 0;\n@%c1 bra E;\nE:"},
       K::UninitialisedMemory},

      {"two blocks store to one place",
       {"st.global.u32 [%at], %b;", 2},
       K::Race},
      {"two warps, without a barrier",
       {"and.b32 %r1, %t, 31;\nmad.wide.u32 %at, %r1, 4, %p;\n"
        "st.global.u32 [%at], %t;",
        1, 64},
       K::Race},
      {"an atomic and a plain store",
       {"setp.eq.u32 %c1, %b, 0;\n@%c1 st.global.u32 [%p], 1;\n"
        "@!%c1 red.global.add.u32 [%p], 1;",
        2, 1},
       K::Race},
      {"atomics of the scope of a block, from two",
       {"red.relaxed.cta.global.add.u32 [%p], 1;", 2, 1},
       K::Race},
      {"a release without its acquire",
       {"setp.ne.u32 %c1, %b, 0;\n@%c1 bra GET;\nst.global.u32 [%p+4], 5;\n"
        "st.release.gpu.global.u32 [%p], 1;\nbra END;\n"
        "GET: ld.relaxed.gpu.global.u32 %r1, [%p];\nsetp.eq.u32 %c2, %r1, 0;\n"
        "@%c2 bra GET;\nld.global.u32 %r2, [%p+4];\nEND:",
        2, 1},
       K::Race},
      {"a bulk copy that nobody waits for",
       {copy + "bar.sync 0;\nld.shared.u32 %r2, [%r1];", 1, 64},
       K::Race},

      {"shuffle with a lane that has left",
       {"setp.eq.u32 %c1, %t, 5;\n@%c1 exit;\n"
        "shfl.sync.idx.b32 %r1, %t, 0, 31, -1;"},
       K::Divergence},
      {"vote in one side of a branch",
       {"setp.lt.u32 %c1, %t, 16;\n@%c1 bra E;\n"
        "vote.sync.ballot.b32 %r1, %c1, -1;\nE:"},
       K::Divergence},
      {"barriers that disagree on their count",
       {"setp.lt.u32 %c1, %t, 32;\n@%c1 bar.sync 1, 64;\n"
        "@!%c1 bar.sync 1, 96;",
        1, 64},
       K::Divergence},
      {"a warp that skips a barrier and waits at the next",
       {"setp.lt.u32 %c1, %t, 32;\n@%c1 bar.sync 1, 64;\n"
        "@!%c1 bar.sync 2, 64;",
        1, 64},
       K::Deadlock},
      {"a loop that waits for what nobody writes",
       {"L: ld.volatile.global.u32 %r1, [%p];\nsetp.eq.u32 %c1, %r1, 0;\n"
        "@%c1 bra L;"},
       K::Deadlock},

      {"an mbarrier that was never set up",
       {"mbarrier.arrive.shared.b64 _, [%s];", 1, 1},
       K::MbarrierMisuse},
      {"an mbarrier set up twice",
       {init + "@!%c0 mbarrier.init.shared.b64 [%s], 1;"},
       K::MbarrierMisuse},
      {"more arrivals than its count",
       {init + "mbarrier.arrive.shared.b64 _, [%s], 2;", 1, 1},
       K::MbarrierMisuse},
      {"a count of zero",
       {"mbarrier.init.shared.b64 [%s], 0;", 1, 1},
       K::MbarrierMisuse},
      {"a store over a live mbarrier",
       {init + "@!%c0 st.shared.u32 [%s], %t;"},
       K::MbarrierMisuse},
      {"bytes that no copy brings",
       {init + "@!%c0 mbarrier.arrive.expect_tx.shared.b64 _, [%s], 16;\n"
               "L: mbarrier.try_wait.parity.shared.b64 %c1, [%s], 0;\n"
               "@!%c1 bra L;"},
       K::MbarrierBytes},
      {"a block that leaves before its copy", {copy}, K::AsyncNotAwaited},
      {"bytes that are no tensor map",
       {init + "@!%c0 cp.async.bulk.tensor.1d.shared::cluster.global."
               "mbarrier::complete_tx::bytes [%s+128], [%p, {%t}], [%s];"},
       K::TensorMapInvalid},
      {"a store to what is read-only",
       {"st.global.u32 [%at], %t;", 1, 32, 1, true},
       K::ReadOnlyWrite},
      {"trap", {"trap;"}, K::Trap},
      {"past the end of local memory, by a 32-bit address",
       {"mov.b32 %r1, own;\nst.local.u32 [%r1+16], %t;"},
       K::OutOfBounds},
      {"two warps store different values",
       {"st.shared.u32 [%s], %t;", 1, 64},
       K::Race},
      {"a shuffle from a lane without a value",
       {onlyThreadZero + "shfl.sync.idx.b32 %r2, %r1, 1, 31, -1;\n" + loadAtR2},
       K::UninitialisedRegister},
      {"the undefined half of a pair",
       {"mov.b64 %d0, {%t, %r1};\nmov.b64 {_, %r2}, %d0;\n" + loadAtR2},
       K::UninitialisedRegister},
  };
  for (auto &fault : faults)
    for (uint64_t seed : {1, 2, 3}) {
      Options options;
      options.seed = seed;
      options.maxInstructions = 100'000;
      Report report = runBody(fault.body, options);
      EXPECT_TRUE(has(report, fault.expected)) << fault.what << "\n"
                                               << textOf(report);
    }
}

/// What looks like the faults above and is none.
TEST(Findings, NothingWhereNothingIsWrong) {
  const Body bodies[] = {
      {"red.global.add.u32 [%p], 1;\natom.global.add.u32 %r1, [%p+4], 1;", 4},
      {"st.volatile.global.u32 [%p], 1;\nld.volatile.global.u32 %r1, [%p];", 4,
       1},
      {"ld.global.u32 %r1, [%at];", 4},
      {"st.local.u32 [own], %t;\nld.local.u32 %r1, [own];", 2},
      {copy + "L: mbarrier.try_wait.parity.shared.b64 %c1, [%s], 0;\n"
              "@!%c1 bra L;\nld.shared.u32 %r2, [%r1];",
       2, 64},
      {init + "@!%c0 mbarrier.inval.shared.b64 [%s];\n"
              "@!%c0 st.shared.u32 [%s], %t;"},
      {"mov.b32 %r1, own;\nst.local.u32 [%r1+4], %t;\n"
       "cvt.u64.u32 %d0, %r1;\ncvta.local.u64 %d0, %d0;\nld.u32 %r2, [%d0+4];"},
      {"st.shared.u32 [%s], 7;", 1, 64},
      {onlyThreadZero + "shfl.sync.idx.b32 %r2, %r1, 0, 31, -1;\n" + loadAtR2},
      {"mov.b64 %d0, {%t, %r1};\nxor.b64 %d1, %d0, 0;\n"
       "mov.b64 {%r2, _}, %d1;\n" +
       loadAtR2},
      {"st.shared.u32 [%s], %r1;\nld.shared.u32 %r2, [%s];\n"
       "st.global.u32 [%q], %r2;",
       1, 1}, // a copy of what is undefined, which nothing depends on
  };
  for (const Body &body : bodies)
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      Options options;
      options.seed = seed;
      Report report = runBody(body, options);
      bool copiesUndefined = &body == std::end(bodies) - 1;
      EXPECT_TRUE(isClean(report) || copiesUndefined) << body.text << "\n"
                                                      << textOf(report);
    }
}

/// What blocks of a cluster do with the mbarrier and the memory of the next.
static std::string remote(const std::string &set, const std::string &arrive,
                          const std::string &use, const std::string &end) {
  return "mapa.shared::cluster.u32 %r2, %s, %r1;\nsetp.ne.u32 %c0, %t, 0;\n"
         "@!%c0 mbarrier.init.shared.b64 [%s], 1;\n" +
         set + "barrier.cluster.arrive" + arrive +
         ".aligned;\nbarrier.cluster.wait.aligned;\n" + use + end;
}

TEST(Findings, BlocksOfAClusterMeetBeforeAndAfter) {
  const std::string rank = "mov.u32 %r1, %cluster_ctarank;\n"
                           "xor.b32 %r1, %r1, 1;\n";
  const std::string fence = "fence.mbarrier_init.release.cluster;\n";
  const std::string arrive =
      "@!%c0 mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%r2];\n";
  const std::string wait =
      "W: mbarrier.try_wait.parity.shared.b64 %c1, [%s], 0;\n@!%c1 bra W;\n";
  // Who exits after a relaxed arrival of all has been waited for as well.
  const std::string end =
      "barrier.cluster.arrive.relaxed.aligned;\nbarrier.cluster.wait.aligned;";
  const struct {
    std::string body;
    bool isRight;
  } bodies[] = {
      {remote(fence, ".relaxed", arrive, end), true},
      {remote("", ".release", arrive, end), true},
      {remote(fence, ".relaxed", arrive, wait), true},
      {remote("", ".relaxed", arrive, end), false},
      {remote(fence, ".relaxed", arrive, ""), false},
  };
  for (auto &body : bodies)
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      Options options;
      options.seed = seed;
      Report report = runBody({rank + body.body, 4, 32, 2}, options);
      EXPECT_EQ(isClean(report), body.isRight) << body.body << "\n"
                                               << textOf(report);
      EXPECT_EQ(has(report, K::Race), !body.isRight);
    }
}

TEST(Findings, MbarriersEndAfterTheirLastUse) {
  const std::string pass =
      init + "@!%c0 mbarrier.arrive.shared.b64 _, [%s];\n"
             "W: mbarrier.try_wait.parity.shared.b64 %c1, [%s], 0;\n"
             "@!%c1 bra W;\n";
  const std::string inval = "@!%c0 mbarrier.inval.shared.b64 [%s];\n";
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Options options;
    options.seed = seed;
    Report right = runBody({pass + "bar.sync 0;\n" + inval, 1, 64}, options);
    EXPECT_TRUE(isClean(right)) << textOf(right);
    Report wrong = runBody({pass + inval, 1, 64}, options);
    EXPECT_TRUE(has(wrong, K::Race) || has(wrong, K::MbarrierMisuse))
        << textOf(wrong);
  }
}

TEST(Findings, DeadlockTellsWhereEveryWarpWaits) {
  // Three warps, each at a barrier of its own line.
  Report report = runBody({"shr.u32 %r1, %t, 5;\nsetp.eq.u32 %c1, %r1, "
                           "0;\nsetp.eq.u32 %c2, %r1, 1;\n"
                           "@%c1 bra A;\n@%c2 bra B;\nbar.sync 3, 64;\nbra E;\n"
                           "A: bar.sync 1, 64;\nbra E;\nB: bar.sync 2, 64;\nE:",
                           1, 96});
  EXPECT_EQ(report.status, Status::Stopped);
  std::set<uint32_t> lines, warps;
  for (const Finding &finding : report.findings) {
    EXPECT_EQ(finding.kind, K::Deadlock) << finding.text;
    EXPECT_NE(finding.text.find("waits"), std::string::npos) << finding.text;
    lines.insert(finding.where.line);
    warps.insert(finding.thread[0] / 32);
  }
  EXPECT_EQ(lines.size(), 3u);
  EXPECT_EQ(warps.size(), 3u);
}

/// All blocks but the last wait for the last: they must run side by side, and
/// cannot where the device holds too few of them.
TEST(Findings, AsManyBlocksInterleaveAsTheDeviceHolds) {
  Body body = {
      "setp.eq.u32 %c1, %b, 7;\n@%c1 st.release.gpu.global.u32 [%p], 1;\n"
      "L: ld.acquire.gpu.global.u32 %r1, [%p];\n"
      "setp.eq.u32 %c2, %r1, 0;\n@%c2 bra L;",
      8, 1};
  Options options;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    options.seed = seed;
    Report report = runBody(body, options);
    EXPECT_TRUE(isClean(report)) << textOf(report);
    EXPECT_EQ(report.statistics.residentBlocks, 8u);
  }
  options.multiprocessors = 1;
  options.threadsPerMultiprocessor = 128; // four warps
  Report report = runBody(body, options);
  EXPECT_EQ(report.statistics.residentBlocks, 4u);
  EXPECT_TRUE(has(report, K::Deadlock)) << textOf(report);
}

/// What is not written has another value with every seed, and never zero.
TEST(Findings, FreshMemoryAndRegistersArePoisoned) {
  std::set<uint32_t> shared, registers;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    Kernel kernel(".version 8.0\n.target sm_90\n.address_size 64\n"
                  ".visible .entry k(.param .u64 p)\n{\n.reg .b32 %r<3>;\n"
                  ".reg .b64 %p;\n.shared .align 4 .b8 s[8];\n"
                  "ld.param.u64 %p, [p];\nld.shared.u32 %r1, [s];\n"
                  "st.global.v2.u32 [%p], {%r1, %r2};\nret;\n}\n");
    std::vector<uint32_t> out(2);
    kernel.addBuffer(out, "out");
    kernel.launch.options.seed = seed;
    kernel.launch.options.checks = false;
    EXPECT_TRUE(isClean(kernel.run()));
    EXPECT_NE(out[0], 0u);
    EXPECT_NE(out[1], 0u);
    shared.insert(out[0]);
    registers.insert(out[1]);
  }
  EXPECT_EQ(shared.size(), 4u);
  EXPECT_EQ(registers.size(), 4u);
}

/// Structs that unoptimised code keeps in local memory: padding is copied, and
/// a bit field set, where nothing has been written. What decides is reported.
TEST(Findings, LocalMemoryOfUnoptimisedCode) {
  auto run = [](const std::string &use) {
    Kernel kernel(
        R"(.version 8.0
.target sm_90
.address_size 64
.visible .entry k(.param .u64 out)
{
  .local .align 8 .b8 from[16], to[16];
  .reg .b64 %o, %w;
  .reg .b32 %u, %v;
  .reg .pred %p;
  ld.param.u64 %o, [out];
  st.local.u32 [from], 5;
  ld.local.u64 %w, [from];
  ld.local.u32 %v, [from+8];
  st.local.u64 [to], %w;
)" + use +
        "\n  ld.local.u32 %u, [to];\n  st.global.u32 [%o], %u;\n  ret;\n}\n");
    std::vector<uint32_t> out = {0};
    kernel.addBuffer(out, "out");
    Report report = kernel.run();
    EXPECT_EQ(out[0], 5u);
    return report;
  };
  for (const char *use :
       {"st.local.u32 [to+8], %v;",
        "and.b32 %v, %v, -255;\nst.local.u32 [to+8], %v;\n"
        "ld.local.u32 %v, [to+8];\nsetp.eq.u32 %p, %v, 0;\n@%p ret;"}) {
    Report report = run(use);
    EXPECT_TRUE(isClean(report)) << textOf(report);
  }
  for (const char *use :
       {"add.u32 %v, %v, 1;", "st.local.u32 [to+8], %v;\n"
                              "ld.local.u32 %v, [to+8];\nadd.u32 %v, %v, 1;"}) {
    Report report = run(use);
    ASSERT_FALSE(report.findings.empty());
    EXPECT_EQ(report.findings[0].kind, FindingKind::UninitialisedMemory)
        << textOf(report);
  }
}

} // namespace heddle::ptx::test
