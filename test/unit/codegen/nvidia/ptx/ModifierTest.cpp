// ModifierTest.cpp - words that do not go together are refused.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each row holds a legal instruction and one that the ISA does not have, which
// must not be taken for something else.

#include "test/unit/codegen/nvidia/ptx/Differential.h"

namespace heddle::ptx::test {

namespace {

struct Pair {
  const char *legal, *illegal;
  const char *why; ///< a part of the diagnostic
};

/// What is said of an instruction on `%h`, `%r`, `%d`, `%q` and `%p`.
std::string diagnosticOf(const std::string &instruction) {
  ParseResult parsed = parse(
      ".version 9.0\n.target sm_100a\n.address_size 64\n"
      ".const .align 8 .b64 table;\n"
      ".visible .entry k(.param .b64 box)\n{\n.shared .align 8 .b64 cell;\n"
      ".local .align 8 .b64 own;\n.reg .b16 %h<9>;\n.reg .b32 %r<9>;\n"
      ".reg .b64 %d<9>;\n.reg .b128 %q<9>;\n.reg .pred %p<9>;\n" +
          instruction + ";\nret;\n}\n",
      "test.ptx");
  if (!parsed.module)
    return parsed.diagnostics.empty() ? "no module"
                                      : parsed.diagnostics[0].text;
  std::vector<Diagnostic> refused = checkCoverage(*parsed.module);
  return refused.empty() ? "" : refused[0].text;
}

void check(std::initializer_list<Pair> pairs) {
  for (const Pair &pair : pairs) {
    EXPECT_EQ(diagnosticOf(pair.legal), "");
    EXPECT_NE(diagnosticOf(pair.illegal).find(pair.why), std::string::npos)
        << pair.illegal << " gave '" << diagnosticOf(pair.illegal) << "'";
  }
}

} // namespace

TEST(Modifiers, Arithmetic) {
  check({
      {"add.ftz.f16 %h0, %h1, %h2", "add.ftz.bf16 %h0, %h1, %h2", "'.ftz'"},
      {"min.ftz.f16x2 %r0, %r1, %r2", "min.ftz.bf16x2 %r0, %r1, %r2", "'.ftz'"},
      {"neg.ftz.f16 %h0, %h1", "neg.sat.f16 %h0, %h1", "'.sat'"},
      {"abs.ftz.f32 %r0, %r1", "abs.sat.f32 %r0, %r1", "'.sat'"},
      {"fma.rn.sat.f16 %h0, %h1, %h2, %h3",
       "fma.rn.relu.sat.f16 %h0, %h1, %h2, %h3", "'.sat'"},
      {"mad.rn.f32 %r0, %r1, %r2, %r3", "mad.f32 %r0, %r1, %r2, %r3",
       "rounding"},
      {"div.rn.ftz.f32 %r0, %r1, %r2", "div.rn.sat.f32 %r0, %r1, %r2",
       "sums and products"},
      {"rcp.rn.ftz.f32 %r0, %r1", "rcp.rn.sat.f32 %r0, %r1", "'.sat'"},
      {"min.f64 %d0, %d1, %d2", "min.NaN.f64 %d0, %d1, %d2", "'.f64'"},
      {"max.f64 %d0, %d1, %d2", "max.xorsign.abs.f64 %d0, %d1, %d2", "'.f64'"},
      {"ex2.approx.ftz.bf16 %h0, %h1", "ex2.approx.bf16 %h0, %h1", "'.ftz'"},
      {"ex2.approx.f16 %h0, %h1", "ex2.approx.ftz.f16 %h0, %h1", "'.ftz'"},
      {"tanh.approx.f32 %r0, %r1", "tanh.approx.ftz.f32 %r0, %r1", "'.ftz'"},
      {"mad.hi.sat.s32 %r0, %r1, %r2, %r3", "mul.hi.sat.s32 %r0, %r1, %r2",
       "mad.hi.s32"},
      {"mul24.lo.u32 %r0, %r1, %r2", "mul24.u32 %r0, %r1, %r2", "'.lo'"},
      {"vset2.u32.u32.eq.add %r0, %r1, %r2, %r3",
       "vset2.u32.u32.eq.sat %r0, %r1, %r2, %r3", "'.sat'"},
  });
}

TEST(Modifiers, ComparisonsAndMoves) {
  check({
      {"setp.lo.u32 %p0, %r1, %r2", "setp.lo.s32 %p0, %r1, %r2", "unsigned"},
      {"setp.lt.f16 %p0, %h1, %h2", "setp.lt.f16 %p0|%p1, %h1, %h2",
       "one result"},
      {"set.eq.u16.f16 %h0, %h1, %h2", "set.eq.u16.s16 %h0, %h1, %h2",
       "does not go with '.s16'"},
      {"set.eq.f32.f64 %r0, %d1, %d2", "set.eq.f32.f16 %r0, %h1, %h2",
       "does not go with '.f16'"},
      {"set.eq.f16x2.f16x2 %r0, %r1, %r2", "set.eq.f16x2.bf16x2 %r0, %r1, %r2",
       "does not go with '.bf16x2'"},
      {"set.eq.bf16.f32 %h0, %r1, %r2", "set.eq.ftz.bf16.f32 %h0, %r1, %r2",
       "result type '.bf16'"},
      {"selp.b16 %h0, %h1, %h2, %p0", "selp.f16 %h0, %h1, %h2, %p0", "'.f16'"},
      {"slct.ftz.u32.f32 %r0, %r1, %r2, %r3",
       "slct.ftz.u32.s32 %r0, %r1, %r2, %r3", "'.ftz'"},
      {"mov.b32 %r0, %r1", "mov.f16x2 %r0, %r1", "'.f16x2'"},
      {"mov.b32 %r0, {%h1, %h2}", "mov.u32 %r0, {%h1, %h2}", "of a vector"},
      {"cvta.param.u64 %d0, %d1", "cvta.param::func.u64 %d0, %d1",
       "generic address"},
      {"mapa.shared::cluster.u32 %r0, %r1, %r2",
       "mapa.shared::cta.u32 %r0, %r1, %r2", "generic address"},
  });
}

TEST(Modifiers, LoadsAndStores) {
  check({
      {"ld.global.b16 %h0, [%d0]", "ld.global.f16 %h0, [%d0]", "'.f16'"},
      {"ld.acquire.gpu.b32 %r0, [%d0]", "ld.release.gpu.b32 %r0, [%d0]",
       "semantics"},
      {"st.release.gpu.b32 [%d0], %r0", "st.acquire.gpu.b32 [%d0], %r0",
       "semantics"},
      {"ldu.b32 %r0, [%d0]", "ldu.weak.b32 %r0, [%d0]", "semantics"},
      {"ld.weak.b32 %r0, [%d0]", "ld.weak.gpu.b32 %r0, [%d0]", "'.gpu'"},
      {"ld.weak.local.b32 %r0, [own]", "ld.volatile.local.b32 %r0, [own]",
       "global, shared or generic"},
      {"ld.mmio.relaxed.sys.b32 %r0, [%d0]",
       "ld.mmio.relaxed.sys.shared.b32 %r0, [cell]", "'.mmio'"},
      {"st.local.b32 [own], %r0", "st.const.b32 [table], %r0", "written"},
      {"ld.global.ca.b32 %r0, [%d0]", "ld.global.wb.b32 %r0, [%d0]", "'.wb'"},
      {"ld.weak.cv.b32 %r0, [%d0]", "ld.volatile.cv.b32 %r0, [%d0]",
       "weak accesses"},
      {"ld.global.nc.b32 %r0, [%d0]", "ld.nc.b32 %r0, [%d0]", "'.global'"},
      {"ld.global.nc.cg.b32 %r0, [%d0]", "ld.global.nc.cv.b32 %r0, [%d0]",
       "with '.nc'"},
      {"ld.global.L1::evict_last.b32 %r0, [%d0]",
       "ld.global.ca.L1::evict_last.b32 %r0, [%d0]", "exclude"},
      {"ld.global.L1::no_allocate.b32 %r0, [%d0]",
       "ld.shared.L1::no_allocate.b32 %r0, [cell]", "L1::no_allocate"},
      {"ld.global.L2::evict_first.v4.b64 {%d0, %d1, %d2, %d3}, [%d4]",
       "ld.global.L2::evict_first.v2.b64 {%d0, %d1}, [%d4]", "L2::evict_first"},
      {"ld.global.L2::64B.b32 %r0, [%d0]", "st.global.L2::64B.b32 [%d0], %r0",
       "L2::64B"},
      {"ld.global.v4.b64 {%d0, %d1, %d2, %d3}, [%d4]",
       "ld.shared.v4.b64 {%d0, %d1, %d2, %d3}, [cell]", "more bits"},
      {"ld.global.v4.b16 {%h0, %h1, %h2, %h3}, [%d4]",
       "ld.global.v8.b16 {%h0, %h1, %h2, %h3, %h4, %h5, %h6, %h7}, [%d4]",
       "length and type"},
      {"ldu.global.b32 %r0, [%d0]", "ldu.shared.b32 %r0, [cell]",
       "global or generic"},
  });
}

TEST(Modifiers, Atomics) {
  check({
      {"atom.global.add.u64 %d0, [%d1], %d2",
       "atom.global.add.s64 %d0, [%d1], %d2", "'.s64'"},
      {"atom.global.add.noftz.f16 %h0, [%d1], %h2",
       "atom.global.add.f16 %h0, [%d1], %h2", "'.noftz'"},
      {"atom.global.add.f32 %r0, [%d1], %r2",
       "atom.global.add.noftz.f32 %r0, [%d1], %r2", "'.noftz'"},
      {"atom.global.min.v2.noftz.f16 {%h0, %h1}, [%d1], {%h2, %h3}",
       "atom.global.min.noftz.f16 %h0, [%d1], %h2", "'.f16'"},
      {"atom.global.add.v2.f32 {%r0, %r1}, [%d1], {%r2, %r3}",
       "atom.shared.add.v2.f32 {%r0, %r1}, [cell], {%r2, %r3}", "'.f32'"},
      {"atom.acq_rel.gpu.add.u32 %r0, [%d1], %r2",
       "atom.volatile.add.u32 %r0, [%d1], %r2", "semantics"},
      {"red.release.gpu.add.u32 [%d1], %r2",
       "red.acquire.gpu.add.u32 [%d1], %r2", "semantics"},
      {"atom.exch.b32 %r0, [%d1], %r2", "red.exch.b32 [%d1], %r2", "no use"},
      {"atom.add.L2::cache_hint.u32 %r0, [%d1], %r2, %d3",
       "atom.cas.L2::cache_hint.b32 %r0, [%d1], %r2, %r3, %d3", "cache_hint"},
      {"atom.shared.add.u32 %r0, [cell], %r2",
       "atom.local.add.u32 %r0, [own], %r2", "global, shared or generic"},
  });
}

TEST(Modifiers, BarriersAndFences) {
  check({
      {"barrier.sync.aligned 1", "bar.sync.aligned 1", "'.aligned'"},
      {"bar.warp.sync %r0", "barrier.warp.sync %r0", "'.warp'"},
      {"barrier.cluster.arrive.release", "barrier.cluster.arrive.acquire",
       "'.acquire'"},
      {"barrier.cluster.wait.acquire", "barrier.cluster.wait.relaxed",
       "'.relaxed'"},
      {"fence.acq_rel.gpu", "membar.gpu", "'.gl'"},
      {"fence.proxy.async", "membar.proxy.async", "proxy fence"},
      {"fence.acquire.sync_restrict::shared::cluster.cluster",
       "fence.acquire.sync_restrict::shared::cluster.gpu", "'.cluster'"},
      {"fence.proxy.tensormap::generic.release.gpu",
       "fence.proxy.tensormap::generic.gpu", "'.acquire' or '.release'"},
      {"mbarrier.arrive.release.cta.b64 %d0, [%d1]",
       "mbarrier.arrive.release.b64 %d0, [%d1]", "after the order"},
      {"mbarrier.arrive.noComplete.b64 %d0, [%d1], %r0",
       "mbarrier.arrive.noComplete.relaxed.cta.b64 %d0, [%d1], %r0",
       "'.noComplete'"},
      {"mbarrier.arrive.shared::cluster.b64 _, [%d1]",
       "mbarrier.arrive.shared::cluster.b64 %d0, [%d1]", "expected '_'"},
      {"mbarrier.try_wait.acquire.cta.b64 %p0, [%d1], %d0",
       "mbarrier.try_wait.release.cta.b64 %p0, [%d1], %d0", "'.release'"},
      {"mbarrier.init.shared::cta.b64 [cell], %r0",
       "mbarrier.init.shared::cluster.b64 [cell], %r0", "of this block"},
      {"createpolicy.fractional.L2::evict_last.L2::evict_first.b64 %d0",
       "createpolicy.fractional.L2::evict_first.L2::evict_last.b64 %d0",
       "L2::evict_last"},
      {"createpolicy.fractional.L2::evict_last.b64 %d0",
       "createpolicy.fractional.b64 %d0", "eviction priority"},
  });
}

TEST(Modifiers, AsynchronousCopiesAndProducts) {
  check({
      {"cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes "
       "[cell], [cell], 16, [cell]",
       "cp.async.bulk.shared::cta.shared::cta.mbarrier::complete_tx::bytes "
       "[cell], [cell], 16, [cell]",
       "no copy goes from"},
      {"cp.async.bulk.shared::cta.global.mbarrier::complete_tx::bytes [cell], "
       "[%d0], 16, [cell]",
       "cp.async.bulk.shared::cta.global.mbarrier::complete_tx::bytes."
       "multicast::cluster [cell], [%d0], 16, [cell], %h0",
       "multicast"},
      {"cp.reduce.async.bulk.global.shared::cta.bulk_group.add.u64 [%d0], "
       "[cell], 16",
       "cp.reduce.async.bulk.global.shared::cta.bulk_group.add.s64 [%d0], "
       "[cell], 16",
       "'.s64'"},
      {"cp.reduce.async.bulk.global.shared::cta.bulk_group.add.noftz.f16 "
       "[%d0], [cell], 16",
       "cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f16 [%d0], "
       "[cell], 16",
       "'.noftz'"},
      {"cp.async.bulk.prefetch.L2.global [%d0], 16",
       "cp.async.bulk.prefetch.L2.shared::cta [cell], 16", "'.global'"},
      {"st.async.mbarrier::complete_tx::bytes.v2.b64 [cell], {%d0, %d1}, "
       "[cell]",
       "st.async.mbarrier::complete_tx::bytes.v4.b64 [cell], {%d0, %d1, %d2, "
       "%d3}, [cell]",
       "'.b64'"},
      {"mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%r0, %r1, %r2, %r3}, "
       "{%r4, %r5}, {%r6}, {%r0, %r1, %r2, %r3}",
       "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f16 {%r0, %r1, %r2, %r3}, "
       "{%r4, %r5}, {%r6}, {%r0, %r1}",
       "type of the result"},
  });
}

} // namespace heddle::ptx::test
