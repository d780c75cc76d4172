// BarrierTest.cpp - barriers of threads, blocks and clusters, and fences.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a barrier or a fence orders shows in two ways: the values arrive, and
// the check for races, which knows nothing of luck, stays silent.

#include "test/unit/codegen/nvidia/ptx/Differential.h"

namespace heddle::ptx::test {

static const std::string head = ".version 8.6\n.target sm_90a\n"
                                ".address_size 64\n";

/// Each thread hands its number to the next warp's, over a barrier.
TEST(Barrier, OrdersTheBlock) {
  for (const char *barrier :
       {"bar.sync 0", "bar.sync 5, 128", "barrier.sync 3",
        "barrier.sync.aligned 3, 128", "barrier.cta.sync 2",
        "barrier.cta.sync.aligned 2, 128", "bar.cta.sync 1"}) {
    Kernel kernel(head +
                  ".visible .entry k(.param .u64 out)\n{\n"
                  ".shared .align 4 .b8 box[512];\n.reg .b64 %o;\n"
                  ".reg .b32 %t, %s, %u, %n;\n"
                  "ld.param.u64 %o, [out];\nmov.u32 %t, %tid.x;\n"
                  "mov.u32 %s, box;\nmad.lo.u32 %u, %t, 4, %s;\n"
                  "st.shared.u32 [%u], %t;\n" +
                  barrier +
                  ";\nadd.u32 %n, %t, 32;\nand.b32 %n, %n, 127;\n"
                  "mad.lo.u32 %u, %n, 4, %s;\nld.shared.u32 %n, [%u];\n"
                  "mad.wide.u32 %o, %t, 4, %o;\nst.global.u32 [%o], %n;\n"
                  "ret;\n}\n");
    std::vector<uint32_t> out(128);
    kernel.addBuffer(out, "out", false);
    kernel.launch.block[0] = 128;
    for (uint64_t seed = 1; seed < 4; ++seed) {
      kernel.launch.options.seed = seed;
      Report report = kernel.run();
      ASSERT_TRUE(isClean(report)) << barrier << "\n" << textOf(report);
      for (uint32_t t = 0; t < 128; ++t)
        ASSERT_EQ(out[t], (t + 32) % 128) << barrier;
    }
    recordCompared(kernel, {"bar"});
  }
}

/// Two warps arrive and go on, two wait for them.
TEST(Barrier, ArrivalWithoutWaiting) {
  for (const char *name : {"bar", "bar.cta", "barrier", "barrier.cta"})
    for (const char *aligned : {"", ".aligned"}) {
      if (*aligned && name[3] != 'r')
        continue;
      std::string arrive = name + std::string(".arrive") + aligned + " 4, 128",
                  sync = std::string(name) + ".sync 4, 128";
      Kernel kernel(head +
                    ".visible .entry k(.param .u64 out)\n{\n"
                    ".shared .align 4 .b8 box[256];\n.reg .b64 %o;\n"
                    ".reg .b32 %t, %u, %s;\n.reg .pred %p;\n"
                    "ld.param.u64 %o, [out];\nmov.u32 %t, %tid.x;\n"
                    "mov.u32 %s, box;\nand.b32 %u, %t, 63;\n"
                    "mad.lo.u32 %u, %u, 4, %s;\n"
                    "setp.ge.u32 %p, %t, 64;\n@%p bra READ;\n"
                    "mad.lo.u32 %t, %t, 3, 1;\nst.shared.u32 [%u], %t;\n" +
                    arrive + ";\nret;\nREAD:\n" + sync +
                    ";\nld.shared.u32 %u, [%u];\nmad.wide.u32 %o, %t, 4, %o;\n"
                    "st.global.u32 [%o+-256], %u;\nret;\n}\n");
      std::vector<uint32_t> out(64);
      kernel.addBuffer(out, "out", false);
      kernel.launch.block[0] = 128;
      Report report = kernel.run();
      ASSERT_TRUE(isClean(report)) << name << "\n" << textOf(report);
      for (uint32_t t = 0; t < 64; ++t)
        ASSERT_EQ(out[t], 3 * t + 1);
      recordCompared(kernel, {"bar"});
    }
}

TEST(Barrier, Reductions) {
  struct {
    const char *form;
    bool isCount;
    uint32_t (*of)(uint32_t yes, uint32_t all);
  } forms[] = {
      {"red.popc.aligned.u32", true,
       [](uint32_t yes, uint32_t) { return yes; }},
      {"red.and.aligned.pred", false,
       [](uint32_t yes, uint32_t all) { return uint32_t(yes == all); }},
      {"red.or.aligned.pred", false,
       [](uint32_t yes, uint32_t) { return uint32_t(yes != 0); }},
      {"red.popc.u32", true, [](uint32_t yes, uint32_t) { return yes; }},
      {"red.and.pred", false,
       [](uint32_t yes, uint32_t all) { return uint32_t(yes == all); }},
      {"red.or.pred", false,
       [](uint32_t yes, uint32_t) { return uint32_t(yes != 0); }}};
  for (std::string name : {"bar.", "bar.cta.", "barrier.cta.", "barrier."})
    for (auto &form : forms)
      if (name[3] == 'r' || !std::strstr(form.form, "aligned"))
        for (bool negated : {false, true})
          for (bool counted : {false, true})
            for (uint32_t below : {0u, 1u, 40u, 95u, 96u}) {
              std::string text = name + std::string(form.form) + " %" +
                                 (form.isCount ? "d" : "q") + ", 3" +
                                 (counted ? ", 96" : "") +
                                 (negated ? ", !%p" : ", %p");
              Kernel kernel(head +
                            ".visible .entry k(.param .u64 out)\n{\n"
                            ".reg .b64 %o;\n.reg .b32 %t, %d;\n"
                            ".reg .pred %p, %q;\nld.param.u64 %o, [out];\n"
                            "mov.u32 %t, %tid.x;\nsetp.lt.u32 %p, %t, " +
                            std::to_string(below) + ";\n" + text + ";\n" +
                            (form.isCount ? "" : "selp.u32 %d, 1, 0, %q;\n") +
                            "mad.wide.u32 %o, %t, 4, %o;\n"
                            "st.global.u32 [%o], %d;\nret;\n}\n");
              std::vector<uint32_t> out(96);
              kernel.addBuffer(out, "out", false);
              kernel.launch.block[0] = 96;
              Report report = kernel.run();
              ASSERT_TRUE(isClean(report)) << text << "\n" << textOf(report);
              uint32_t yes = negated ? 96 - below : below;
              ASSERT_EQ(out, std::vector<uint32_t>(96, form.of(yes, 96)))
                  << text;
              recordCompared(kernel, {"bar"});
            }
}

/// Lanes that a branch has parted meet again, as far as the mask names them.
TEST(Barrier, OfAWarp) {
  Column sides(64);
  for (size_t i = 0; i < sides.size(); ++i)
    sides[i] = i * 7 % 3 == 0;
  compareWarps({"bar.warp.sync -1;",
                32,
                {1},
                "@!%a bra MEET;\nMEET:",
                "activemask.b32 %d;"},
               {sides}, [](size_t) { return Column(32, 0xFFFFFFFF); });
}

/// Each block reads what the next one wrote, over the barrier of the cluster. A
/// relaxed arrival orders it where a fence stands before.
TEST(Barrier, OfACluster) {
  struct {
    const char *arrive, *wait;
    bool isOrdered = true;
  } forms[] = {
      {"barrier.cluster.arrive.relaxed", "barrier.cluster.wait", false},
      {"barrier.cluster.arrive", "barrier.cluster.wait"},
      {"barrier.cluster.arrive.aligned", "barrier.cluster.wait.aligned"},
      {"barrier.cluster.arrive.release", "barrier.cluster.wait.acquire"},
      {"fence.acq_rel.cluster;\nbarrier.cluster.arrive.relaxed",
       "barrier.cluster.wait"},
      {"fence.acq_rel.cluster;\nbarrier.cluster.arrive.relaxed.aligned",
       "barrier.cluster.wait.aligned"},
      {"barrier.cluster.arrive.release.aligned",
       "barrier.cluster.wait.acquire.aligned"}};
  for (auto &form : forms) {
    Kernel kernel(head +
                  ".visible .entry k(.param .u64 x, .param .u64 out)\n"
                  ".reqnctapercluster 4, 1, 1\n{\n"
                  ".reg .b64 %x, %o;\n.reg .b32 %r, %n;\n"
                  "ld.param.u64 %x, [x];\nld.param.u64 %o, [out];\n"
                  "mov.u32 %r, %ctaid.x;\nadd.u32 %n, %r, 10;\n"
                  "mad.wide.u32 %x, %r, 4, %x;\n"
                  "st.global.u32 [%x], %n;\n" +
                  form.arrive + ";\n" + form.wait +
                  ";\nadd.u32 %n, %r, 1;\nand.b32 %n, %n, 3;\n"
                  "ld.param.u64 %x, [x];\nmad.wide.u32 %x, %n, 4, %x;\n"
                  "ld.global.u32 %n, [%x];\nmad.wide.u32 %o, %r, 4, %o;\n"
                  "st.global.u32 [%o], %n;\nret;\n}\n");
    std::vector<uint32_t> x(4), out(4);
    kernel.addBuffer(x, "x", false);
    kernel.addBuffer(out, "out", false);
    kernel.launch.grid[0] = 4;
    kernel.launch.block[0] = 1;
    Report report = kernel.run();
    ASSERT_EQ(isClean(report), form.isOrdered) << form.arrive << "\n"
                                               << textOf(report);
    ASSERT_EQ(has(report, FindingKind::Race), !form.isOrdered);
    EXPECT_EQ(out, (std::vector<uint32_t>{11, 12, 13, 10}));
    if (form.isOrdered)
      recordCompared(kernel, {"barrier.cluster"});
  }
}

/// A value, a fence, a flag; the flag, a fence, the value. `from` and `to` are
/// the blocks of the two threads.
static void passMessage(const std::string &fence, uint32_t blocks,
                        std::string second = {}) {
  if (second.empty())
    second = fence;
  Kernel kernel(head +
                ".visible .entry k(.param .u64 x, .param .u64 out)\n{\n"
                ".reg .b64 %x, %o;\n.reg .b32 %t, %b, %v;\n"
                ".reg .pred %p;\nld.param.u64 %x, [x];\n"
                "ld.param.u64 %o, [out];\nmov.u32 %t, %tid.x;\n"
                "mov.u32 %b, %ctaid.x;\nadd.u32 %t, %t, %b;\n"
                "setp.ne.u32 %p, %t, 0;\n@%p bra TAKE;\n"
                "st.global.u32 [%x], 4711;\n" +
                fence +
                ";\nst.relaxed.sys.global.u32 [%x+4], 1;\nret;\nTAKE:\n"
                "setp.eq.u32 %p, %t, " +
                (blocks == 1 ? "32" : "1") +
                ";\n@!%p bra END;\nWAIT:\n"
                "ld.relaxed.sys.global.u32 %v, [%x+4];\n"
                "setp.eq.u32 %p, %v, 0;\n@%p bra WAIT;\n" +
                second +
                ";\nld.global.u32 %v, [%x];\nst.global.u32 [%o], %v;\nEND:\n"
                "ret;\n}\n");
  std::vector<uint32_t> x(2), out(1);
  kernel.addBuffer(x, "x");
  kernel.addBuffer(out, "out", false);
  kernel.launch.grid[0] = blocks;
  kernel.launch.block[0] = blocks == 1 ? 64 : 1;
  for (uint64_t seed = 1; seed < 4; ++seed) {
    x.assign(2, 0);
    out[0] = 0;
    kernel.launch.options.seed = seed;
    Report report = kernel.run();
    ASSERT_TRUE(isClean(report)) << fence << "\n" << textOf(report);
    ASSERT_EQ(out[0], 4711u) << fence;
  }
  recordCompared(kernel, {fence.c_str(), second.c_str()});
}

TEST(Fence, OrdersMessages) {
  for (const char *scope : {"cta", "cluster", "gpu", "sys"})
    for (const char *kind : {"fence.", "fence.sc.", "fence.acq_rel."})
      for (uint32_t blocks : {1u, 2u})
        if (blocks == 1 || std::string_view(scope) == "gpu" ||
            std::string_view(scope) == "sys")
          passMessage(std::string(kind) + scope, blocks);
  for (std::string scope : {"cta", "cluster", "gpu", "sys"})
    passMessage("fence.release." + scope, 1, "fence.acquire." + scope);
  passMessage("fence.release.gpu", 2, "fence.acquire.gpu");
  for (const char *membar : {"membar.cta", "membar.gl", "membar.sys"})
    passMessage(membar, 1);
  passMessage("membar.gl", 2);
}

} // namespace heddle::ptx::test
