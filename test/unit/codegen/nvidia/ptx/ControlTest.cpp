// ControlTest.cpp - branches, calls, exits, and what changes no value.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"

namespace heddle::ptx::test {

/// Lanes leave the loop after steps of their own.
TEST(Control, DivergentLoops) {
  Column values;
  for (uint64_t i = 1; i <= 256; ++i)
    values.push_back(i);
  for (const char *branch : {"@%p bra STEP;", "@!%q bra STEP;",
                             "@!%p bra DONE;\nbra.uni STEP;\nDONE:"})
    compare({std::string("STEP:\nsetp.eq.u32 %q, %a, 1;\n@%q bra END;\n"
                         "and.b32 %s, %a, 1;\nsetp.eq.u32 %p, %s, 1;\n"
                         "shr.u32 %half, %a, 1;\nmad.lo.u32 %a, %a, 3, 1;\n"
                         "@!%p mov.u32 %a, %half;\nadd.u32 %d, %d, 1;\n"
                         "setp.ne.u32 %p, %a, 0;\n") +
                 branch + "\nEND:",
             32,
             {32},
             ".reg .pred %p, %q;\n.reg .b32 %half;\nmov.u32 %d, 0;"},
            {values}, [](const uint64_t *x) {
              uint64_t steps = 0; // of Collatz's sequence
              for (uint64_t n = x[0]; n != 1; ++steps)
                n = n % 2 ? 3 * n + 1 : n / 2;
              return steps;
            });
}

TEST(Control, BranchTables) {
  Column values = integers(32, 0);
  for (uint64_t &value : values)
    value %= 4;
  compare({"list: .branchtargets A, B, C, A;\nbrx.idx %a, list;\n"
           "A: mov.u32 %d, 11;\nbra END;\nB: mov.u32 %d, 22;\n"
           "bra END;\nC: mov.u32 %d, 33;\nEND:",
           32,
           {32}},
          {values}, [](const uint64_t *x) { return 11 * (x[0] % 3 + 1); });
}

/// Arguments in registers and in parameter space, results of both kinds, early
/// returns, calls within calls and calls that some lanes skip.
TEST(Control, Calls) {
  Kernel kernel(R"(.version 8.0
.target sm_90
.address_size 64
.func (.reg .b32 %result) twice(.reg .b32 %x)
{
  add.u32 %result, %x, %x;
  ret;
}
.func (.param .b32 total) weigh(.param .b64 wide, .param .align 4 .b8 pair[8])
{
  .reg .b64 %w;
  .reg .b32 %a, %b, %c;
  .reg .pred %p;
  ld.param.b64 %w, [wide];
  ld.param.b32 %a, [pair];
  ld.param.b32 %b, [pair+4];
  cvt.u32.u64 %c, %w;
  setp.lt.u32 %p, %a, 8;
  @!%p bra.uni LARGE;
  st.param.b32 [total], %b;
  ret.uni;
LARGE:
  call.uni (%a), twice, (%a);
  add.u32 %c, %c, %a;
  st.param.b32 [total], %c;
  ret;
}
.visible .entry k(.param .u64 out)
{
  .reg .b64 %o, %w;
  .reg .b32 %t, %r, %s;
  .reg .pred %p;
  ld.param.u64 %o, [out];
  mov.u32 %t, %tid.x;
  mul.wide.u32 %w, %t, 5;
  add.u32 %s, %t, 1000;
  {
    .param .b64 p0;
    .param .align 4 .b8 p1[8];
    .param .b32 result;
    st.param.b64 [p0], %w;
    st.param.b32 [p1], %t;
    st.param.b32 [p1+4], %s;
    call (result), weigh, (p0, p1);
    ld.param.b32 %r, [result];
  }
  and.b32 %s, %t, 1;
  setp.eq.u32 %p, %s, 1;
  @%p call (%r), twice, (%r);
  mad.wide.u32 %o, %t, 4, %o;
  st.global.u32 [%o], %r;
  ret;
}
)");
  std::vector<uint32_t> out(32);
  kernel.addBuffer(out, "out", false);
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << textOf(report);
  for (uint32_t t = 0; t < 32; ++t) {
    uint32_t weight = t < 8 ? t + 1000 : 5 * t + 2 * t;
    EXPECT_EQ(out[t], t % 2 ? 2 * weight : weight);
  }
  recordCompared(kernel, {"call", "call.uni", "ret", "ret.uni", "bra.uni",
                          "ld.param", "st.param"});
}

/// Lanes that have left, by ret or exit, take part in nothing any more.
TEST(Control, EarlyExits) {
  for (const char *leave : {"exit", "ret"}) {
    Kernel kernel(std::string(R"(.version 8.0
.target sm_90
.address_size 64
.visible .entry k(.param .u64 out)
{
  .reg .b64 %o;
  .reg .b32 %t, %m;
  .reg .pred %p;
  ld.param.u64 %o, [out];
  mov.u32 %t, %tid.x;
  mad.wide.u32 %o, %t, 4, %o;
  st.global.u32 [%o], %t;
  setp.gt.u32 %p, %t, 19;
  @%p )") + leave +
                  R"(;
  activemask.b32 %m;
  st.global.u32 [%o], %m;
  exit;
}
)");
    std::vector<uint32_t> out(32);
    kernel.addBuffer(out, "out", false);
    kernel.launch.block[0] = 32;
    Report report = kernel.run();
    ASSERT_TRUE(isClean(report)) << textOf(report);
    for (uint32_t t = 0; t < 32; ++t)
      EXPECT_EQ(out[t], t > 19 ? t : 0xFFFFF);
    recordCompared(kernel, {leave});
  }
}

TEST(Control, Traps) {
  Kernel kernel(".version 8.0\n.target sm_90\n.address_size 64\n"
                ".visible .entry k(.param .u64 out)\n{\n.reg .b64 %o;\n"
                ".reg .b32 %t;\n.reg .pred %p;\nld.param.u64 %o, [out];\n"
                "mov.u32 %t, %tid.x;\nst.global.u32 [%o], 7;\n"
                "setp.eq.u32 %p, %t, 5;\n@%p trap;\nst.global.u32 [%o], 8;\n"
                "ret;\n}\n");
  std::vector<uint32_t> out(1);
  kernel.addBuffer(out, "out");
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  ASSERT_EQ(report.status, Status::Stopped);
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].kind, FindingKind::Trap);
  EXPECT_EQ(report.findings[0].thread[0], 5u);
  EXPECT_EQ(out[0], 7u);
  recordCompared(kernel, {"trap"});
}

/// What is about time, caches and proxies leaves values and memory alone.
static std::vector<std::string> hints() {
  std::vector<std::string> all = {
      "nanosleep.u32 20;",
      "nanosleep.u32 %b;",
      "pmevent 7;",
      "pmevent.mask 3;",
      "brkpt;",
      "prefetch.global.L1 [%ga];",
      "prefetch.global.L2 [%ga];",
      "prefetch.L2 [%ga];",
      "prefetch.L1 [%ga];",
      "prefetch.local.L1 [%ga];",
      "prefetch.local.L2 [%ga];",
      "prefetch.global.L2::evict_last [%ga];",
      "prefetch.global.L2::evict_normal [%ga];",
      "prefetchu.L1 [%ga];",
      "prefetch.tensormap [%ga];",
      "prefetch.const.tensormap [%ga];",
      "prefetch.param.tensormap [%ga];",
      "applypriority.global.L2::evict_normal [%ga], 128;",
      "applypriority.L2::evict_normal [%ga], 128;",
      "griddepcontrol.wait;",
      "griddepcontrol.launch_dependents;",
      "setmaxnreg.inc.sync.aligned.u32 64;",
      "setmaxnreg.dec.sync.aligned.u32 24;",
      "fence.proxy.alias;",
      "membar.proxy.alias;",
      "fence.proxy.async;",
      "fence.proxy.async.global;",
      "fence.proxy.async.shared::cta;",
      "fence.proxy.async.shared::cluster;",
      "fence.release.sync_restrict::shared::cta.cluster;",
      "fence.acquire.sync_restrict::shared::cluster.cluster;",
      "fence.proxy.async::generic.release.sync_restrict::shared::cta.cluster;",
      "fence.proxy.async::generic.acquire.sync_restrict::shared::cluster."
      "cluster;"};
  for (std::string scope : {"cta", "cluster", "gpu", "sys"}) {
    all.push_back("fence.proxy.tensormap::generic.release." + scope + ";");
    all.push_back("fence.proxy.tensormap::generic.acquire." + scope +
                  " [%ga], 128;");
  }
  return all;
}

/// A policy is opaque: an access under it reads what one without it does.
static std::vector<std::string> policies() {
  const std::string first[] = {"L2::evict_last", "L2::evict_normal",
                               "L2::evict_first", "L2::evict_unchanged"};
  std::vector<std::string> all = {
      "createpolicy.fractional.L2::evict_last.b64 %policy;\n"
      "createpolicy.cvt.L2.b64 %policy, %policy;"};
  for (const std::string &one : first)
    for (const char *other : {"", ".L2::evict_first", ".L2::evict_unchanged"}) {
      std::string end = one + other + ".b64 %policy";
      all.push_back("createpolicy.fractional." + end + ", 0.5;");
      all.push_back("createpolicy.range." + end + ", [%ga], 64, 128;");
      all.push_back("createpolicy.range.global." + end + ", [%ga], 64, 128;");
    }
  return all;
}

TEST(Control, Hints) {
  std::string address = ".reg .b64 %ga, %policy;\nld.param.u64 %ga, [in0];\n"
                        "mad.wide.u32 %ga, %t, 8, %ga;";
  auto check = [&](const std::string &hint, const Column &c) {
    compare({hint,
             32,
             {32, 32, 32},
             address,
             "add.u32 %d, %a, %b;\nadd.u32 %d, %d, %c;"},
            {integers(32, 0), integers(32, 1), c},
            [](const uint64_t *x) { return wrapped(x[0] + x[1] + x[2], 32); });
  };
  for (const std::string &hint : hints())
    check(hint, integers(32, 2));
  for (const std::string &policy : policies())
    check(policy + "\nld.global.L2::cache_hint.u32 %c, [%ga], %policy;",
          integers(32, 0));
}

/// discard gives up 128 bytes, which are written anew, and no others.
TEST(Control, Discard) {
  for (const char *space : {"", ".global"}) {
    Kernel kernel(".version 8.0\n.target sm_90\n.address_size 64\n"
                  ".visible .entry k(.param .u64 x)\n{\n.reg .b64 %x;\n"
                  ".reg .b32 %t;\n.reg .pred %p;\nld.param.u64 %x, [x];\n"
                  "mov.u32 %t, %tid.x;\nsetp.eq.u32 %p, %t, 0;\n"
                  "@%p discard" +
                  std::string(space) +
                  ".L2 [%x+128], 128;\nbar.warp.sync -1;\n"
                  "mad.wide.u32 %x, %t, 4, %x;\nst.global.u32 [%x+128], %t;\n"
                  "ret;\n}\n");
    std::vector<uint32_t> x(96, 5);
    kernel.addBuffer(x, "x");
    kernel.launch.block[0] = 32;
    Report report = kernel.run();
    ASSERT_TRUE(isClean(report)) << textOf(report);
    for (uint32_t i = 0; i < 96; ++i)
      EXPECT_EQ(x[i], i / 32 == 1 ? i - 32 : 5);
    recordCompared(kernel, {"discard"});
  }
}

} // namespace heddle::ptx::test
