// RegisterPoolTest.cpp - counts of setmaxnreg against what the block holds.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a thread has at launch is what ptxas 13.0 reports for these directives.

#include "test/unit/codegen/nvidia/ptx/Kernel.h"

namespace heddle::ptx::test {

/// Three warpgroups; the first runs `producer`, the others `consumer`.
static std::string specialised(const std::string &directives,
                               const std::string &producer,
                               const std::string &consumer) {
  return ".version 8.3\n.target sm_90a\n.address_size 64\n"
         ".visible .entry k(.param .u64 out) " +
         directives +
         "\n{\n.reg .b32 %t, %w;\n.reg .b64 %o;\n.reg .pred %p, %q;\n"
         "mov.u32 %t, %tid.x;\nshr.u32 %w, %t, 5;\n"
         "setp.ge.u32 %p, %t, 128;\nsetp.eq.u32 %q, %w, 2;\n"
         "@%p bra CONSUMER;\n" +
         producer + "\nbra END;\nCONSUMER:\n" + consumer +
         "\nEND:\nld.param.u64 %o, [out];\nmad.wide.u32 %o, %t, 4, %o;\n"
         "st.global.u32 [%o], %t;\nret;\n}\n";
}

static std::string change(const char *action, unsigned count) {
  return std::string("setmaxnreg.") + action + ".sync.aligned.u32 " +
         std::to_string(count) + ";\n";
}

static Report run(const std::string &text, uint64_t seed = 1,
                  uint32_t registers = 0, unsigned threads = 384) {
  std::vector<uint32_t> out(threads);
  Kernel kernel(text);
  kernel.addBuffer(out, "out", false);
  kernel.launch.block[0] = threads;
  kernel.launch.options.seed = seed;
  kernel.launch.options.registersPerThread = registers;
  Report report = kernel.run();
  if (report.status == Status::Done)
    for (unsigned i = 0; i < threads; ++i)
      EXPECT_EQ(out[i], i);
  return report;
}

static Report runCounts(const std::string &directives, unsigned kept,
                        unsigned requested, uint64_t seed = 1,
                        uint32_t registers = 0) {
  return run(
      specialised(directives, change("dec", kept), change("inc", requested)),
      seed, registers);
}

/// Three warpgroups of 168 registers are two of 232 and one of 40.
TEST(RegisterPool, RightCountsAreClean) {
  for (uint64_t seed = 1; seed <= 20; ++seed)
    for (const char *directives :
         {".maxnreg 168", ".reqntid 384 .minnctapersm 1",
          ".maxntid 384 .minnctapersm 1"}) {
      Report report = runCounts(directives, 40, 232, seed);
      EXPECT_TRUE(isClean(report) && report.notes.empty()) << textOf(report);
    }
  Report told = runCounts("", 40, 232, 1, 168);
  EXPECT_TRUE(isClean(told) && told.notes.empty()) << textOf(told);
}

/// One warp of the consumers never gets its registers, or several.
TEST(RegisterPool, TooLargeRequestsWaitForEver) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    for (auto [kept, requested] :
         {std::pair(40u, 240u), std::pair(48u, 232u)}) {
      Report report = runCounts(".maxnreg 168", kept, requested, seed);
      EXPECT_TRUE(has(report, FindingKind::Deadlock)) << textOf(report);
      for (const Finding &finding : report.findings) {
        EXPECT_GE(finding.thread[0], 128u);
        EXPECT_EQ(finding.where.line, 18u); // of the request
        EXPECT_NE(finding.text.find("from 168 to"), std::string::npos);
      }
    }
    // Two blocks to a multiprocessor leave each thread 80.
    Report shared = runCounts(".maxntid 384 .minnctapersm 2", 40, 232, seed);
    EXPECT_TRUE(has(shared, FindingKind::Deadlock)) << textOf(shared);
    Report told = runCounts("", 40, 232, seed, 160);
    EXPECT_TRUE(has(told, FindingKind::Deadlock)) << textOf(told);
  }
}

TEST(RegisterPool, ChangesGoTheWayTheySay) {
  Report kept = runCounts(".maxnreg 168", 176, 176);
  EXPECT_TRUE(has(kept, FindingKind::RegisterCount)) << textOf(kept);
  Report requested = runCounts(".maxnreg 168", 40, 160);
  EXPECT_TRUE(has(requested, FindingKind::RegisterCount)) << textOf(requested);
  // Equal counts change nothing.
  Report equal = runCounts(".maxnreg 168", 168, 168);
  EXPECT_TRUE(isClean(equal)) << textOf(equal);
}

TEST(RegisterPool, WarpgroupsChangeTogether) {
  // Warp 2 keeps more than its warpgroup.
  Report counts = run(specialised(".maxnreg 168",
                                  "@%q bra OTHER;\n" + change("dec", 40) +
                                      "bra END;\nOTHER:\n" + change("dec", 64),
                                  ""));
  EXPECT_TRUE(has(counts, FindingKind::RegisterCount)) << textOf(counts);
  // Warp 2 leaves the change out.
  Report missing = run(
      specialised(".maxnreg 168", "@%q bra END;\n" + change("dec", 40), ""));
  ASSERT_EQ(missing.findings.size(), 1u) << textOf(missing);
  EXPECT_EQ(missing.findings[0].kind, FindingKind::RegisterCount);
  EXPECT_EQ(missing.findings[0].thread[0], 64u);
}

/// A barrier of the warpgroup lies between two changes.
TEST(RegisterPool, WarpgroupsSynchroniseBetweenChanges) {
  for (bool synchronises : {true, false})
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      Report report =
          run(specialised(".maxnreg 168",
                          change("dec", 64) +
                              (synchronises ? "bar.sync 1, 128;\n" : "") +
                              change("dec", 40),
                          change("inc", 232)),
              seed);
      EXPECT_EQ(isClean(report), synchronises) << textOf(report);
      EXPECT_EQ(has(report, FindingKind::RegisterCount), !synchronises);
    }
  Report twice =
      run(specialised(".maxnreg 168", change("dec", 40) + change("dec", 40),
                      change("inc", 232)));
  EXPECT_TRUE(isClean(twice)) << textOf(twice); // the second changes nothing
}

/// ptxas drops the instruction, so only what is wrong under any count is found.
TEST(RegisterPool, UnknownCountsAtLaunch) {
  Report right = runCounts(".reqntid 384", 40, 232);
  EXPECT_TRUE(isClean(right)) << textOf(right);
  ASSERT_EQ(right.notes.size(), 1u);
  EXPECT_NE(right.notes[0].find("setmaxnreg is ignored"), std::string::npos);
  // 256 x 256 registers alone are all that there are.
  Report large = runCounts("", 40, 256);
  EXPECT_FALSE(large.findings.empty());
  Report back = run(specialised(
      "", change("dec", 40) + "bar.sync 1, 128;\n" + change("inc", 32), ""));
  EXPECT_TRUE(has(back, FindingKind::RegisterCount)) << textOf(back);
}

TEST(RegisterPool, LaunchesThatHoldTooManyAreRefused) {
  Report report = runCounts(".maxnreg 176", 40, 232);
  EXPECT_EQ(report.status, Status::Refused);
  ASSERT_EQ(report.diagnostics.size(), 1u);
  EXPECT_EQ(report.diagnostics[0].text,
            "expected at most 65536 registers in a block, got 67584");
}

} // namespace heddle::ptx::test
