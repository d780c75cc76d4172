// TensorMapProxyTest.cpp - fences between a change of a tensor map and its use.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Kernel.h"

namespace heddle::ptx::test {

namespace {

/// How warp 0 hands a map that it has changed in shared memory to the copy.
struct Handover {
  std::string before;  ///< by warp 0, ahead of the publication
  std::string publish; ///< by warp 0, the map to `%map` in global memory
  std::string after;   ///< by warp 0
  std::string copying; ///< by warp 1 behind a barrier, ahead of the copy
};

const std::string copyFence =
    "tensormap.cp_fenceproxy.global.shared::cta.tensormap::generic.release.gpu."
    "sync.aligned [%map], [%m], 128;\n";
const std::string stores = "ld.shared.u32 %v, [%u];\nst.global.u32 [%a], %v;\n";
const std::string release = "fence.proxy.tensormap::generic.release.gpu;\n";
const std::string acquire =
    "fence.proxy.tensormap::generic.acquire.gpu [%map], 128;\n";
const std::string otherAcquire =
    "fence.proxy.tensormap::generic.acquire.gpu [%map+128], 128;\n";

std::string kernelText(const Handover &handover) {
  return ".version 8.6\n.target sm_90a\n.address_size 64\n"
         ".extern .shared .align 1024 .b8 smem[];\n"
         ".visible .entry k(.param .u64 from, .param .u64 map, .param .u64 x, "
         ".param .u64 out)\n"
         "{\n.reg .b64 %from, %map, %x, %o, %a;\n"
         ".reg .b32 %m, %t, %u, %v, %s, %bar, %zero;\n"
         ".reg .pred %p, %first, %q;\nld.param.u64 %from, [from];\n"
         "ld.param.u64 %map, [map];\nld.param.u64 %x, [x];\n"
         "ld.param.u64 %o, [out];\nmov.u32 %t, %tid.x;\nmov.u32 %s, smem;\n"
         "add.u32 %m, %s, 1024;\nadd.u32 %bar, %s, 2048;\nmov.u32 %zero, 0;\n"
         "setp.ge.u32 %p, %t, 32;\nsetp.eq.u32 %first, %t, 0;\n"
         "@%p bra COPY;\nmad.lo.u32 %u, %t, 4, %m;\n"
         "mad.wide.u32 %a, %t, 4, %from;\nld.global.u32 %v, [%a];\n"
         "st.shared.u32 [%u], %v;\nmad.wide.u32 %a, %t, 4, %map;\n"
         "bar.warp.sync -1;\n@%first tensormap.replace.tile.global_address"
         ".shared::cta.b1024.b64 [%m], %x;\nbar.warp.sync -1;\n" +
         handover.before + handover.publish + handover.after +
         "bar.sync 0;\nbra LOADED;\nCOPY:\nbar.sync 0;\n" + handover.copying +
         "setp.ne.u32 %q, %t, 32;\n@%q bra LOADED;\n"
         "mbarrier.init.shared.b64 [%bar], 1;\n"
         "mbarrier.arrive.expect_tx.shared.b64 _, [%bar], 128;\n"
         "cp.async.bulk.tensor.2d.shared::cluster.global.tile."
         "mbarrier::complete_tx::bytes [%s], [%map, {%zero, %zero}], [%bar];\n"
         "LOADED:\nbar.sync 0;\nWAIT:\n"
         "mbarrier.try_wait.parity.shared.b64 %q, [%bar], 0;\n@!%q bra WAIT;\n"
         "@%p bra END;\nmad.lo.u32 %s, %t, 4, %s;\nld.shared.u32 %v, [%s];\n"
         "mad.wide.u32 %o, %t, 4, %o;\nst.global.u32 [%o], %v;\nEND:\nret;\n"
         "}\n";
}

/// The map of `from` names no buffer; the changed one names `x`.
Report run(const Handover &handover, uint64_t seed,
           bool *areNumbersRight = nullptr) {
  Kernel kernel(kernelText(handover));
  std::vector<uint16_t> x = randomBf16(64, 9), out(64);
  std::array<std::byte, 128> bytes = encode(
      matrixMap(0x1000, 8, 8, 8, 8, TensorElement::BF16, TensorSwizzle::None));
  std::vector<std::byte> from(bytes.begin(), bytes.end()), map(256);
  kernel.addBuffer(from, "from");
  kernel.addBuffer(map, "map", false);
  kernel.addBuffer(x, "x");
  kernel.addBuffer(out, "out", false);
  kernel.launch.block[0] = 64;
  kernel.launch.dynamicShared = 2056;
  kernel.launch.options.seed = seed;
  Report report = kernel.run();
  if (areNumbersRight)
    *areNumbersRight = x == out;
  return report;
}

} // namespace

TEST(TensorMapProxy, RightHandoversAreClean) {
  const Handover right[] = {
      {"", copyFence, acquire, ""},
      {"", copyFence, "", acquire},
      {"", copyFence, acquire, acquire},
      {"", stores, release + acquire, ""},
      {"", stores, release, acquire},
      {"", stores, "bar.warp.sync -1;\n", release + acquire},
  };
  for (const Handover &handover : right)
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      bool areNumbersRight = false;
      Report report = run(handover, seed, &areNumbersRight);
      EXPECT_TRUE(isClean(report)) << kernelText(handover) << textOf(report);
      EXPECT_TRUE(areNumbersRight);
    }
}

/// Each lacks one half of the fence; the sentence names it.
TEST(TensorMapProxy, MissingFencesAreFound) {
  const struct {
    Handover handover;
    const char *missing;
  } faults[] = {
      {{"", copyFence, "", ""}, "generic.acquire of it"},
      {{acquire, copyFence, "", ""}, "generic.acquire of it"},
      {{"", copyFence, otherAcquire, ""}, "generic.acquire of it"},
      {{"", stores, release, ""}, "generic.acquire of it"},
      {{"", stores, acquire + release, ""}, "generic.acquire of it"},
      {{"", stores, acquire, ""}, "generic.release or"},
      {{release, stores, acquire, ""}, "generic.release or"},
      {{"", stores, "fence.acq_rel.gpu;\n", acquire}, "generic.release or"},
      {{"", stores, "fence.proxy.async;\n", acquire}, "generic.release or"},
  };
  for (const auto &fault : faults)
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      Report report = run(fault.handover, seed);
      ASSERT_EQ(report.findings.size(), 1u)
          << kernelText(fault.handover) << textOf(report);
      EXPECT_EQ(report.findings[0].kind, FindingKind::ProxyFence);
      EXPECT_EQ(report.findings[0].thread[0], 32u);
      EXPECT_NE(report.findings[0].text.find(fault.missing), std::string::npos)
          << report.findings[0].text;
    }
}

/// The map stays in shared memory.
TEST(TensorMapProxy, MissingCopyIsFound) {
  Report report = run({"", "", release + acquire, ""}, 1);
  EXPECT_TRUE(has(report, FindingKind::UninitialisedMemory)) << textOf(report);
}

} // namespace heddle::ptx::test
