// BulkCopyTest.cpp - bulk and tensor copies of all ranks, reductions,
// multicast. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"

namespace heddle::ptx::test {

static const std::string head =
    ".version 8.6\n.target sm_90a\n.address_size 64\n"
    ".extern .shared .align 1024 .b8 smem[];\n";

static const std::string waitForZero =
    "WAIT:\nmbarrier.try_wait.parity.shared::cta.b64 %p2, [%bar], 0;\n"
    "@!%p2 bra WAIT;\n";

/// How the tensor copies of a kernel are spelled; none of it changes results in
/// a cluster of one block.
struct TensorForm {
  const char *to;    ///< of loads
  const char *tile;  ///< `.tile` or nothing
  bool hasMulticast; ///< loads for block 0 of the cluster
  bool hasPolicy;    ///< with a cache policy
};

/// Goes through all forms as `turn` counts up.
static TensorForm formOf(unsigned turn) {
  const char *tile = turn & 1 ? ".tile" : "";
  bool hasPolicy = turn & 2;
  switch (turn / 4 % 3) {
  case 0:
    return {"shared::cta", tile, false, hasPolicy};
  case 1:
    return {"shared::cluster", tile, true, hasPolicy};
  default:
    return {"shared::cluster", tile, false, hasPolicy};
  }
}

/// Prefetches and loads one box, and copies shared memory as it is to `out`, 4
/// bytes a thread; then stores the box through a second map.
static std::string tensorKernel(unsigned rank, uint32_t bytes,
                                const TensorForm &form) {
  std::string coordinates = "{";
  std::string params, loads;
  for (unsigned d = 0; d < rank; ++d) {
    std::string n = std::to_string(d);
    coordinates += (d ? ", %c" : "%c") + n;
    params += ", .param .u32 c" + n;
    loads += "ld.param.u32 %c" + n + ", [c" + n + "];\n";
  }
  coordinates += "}";
  std::string dims = std::to_string(rank) + "d";
  std::string hint = form.hasPolicy ? ".L2::cache_hint" : "",
              policy = form.hasPolicy ? ", %policy" : "";
  return head +
         ".visible .entry k(.param .align 64 .b8 from[128], "
         ".param .align 64 .b8 to[128], .param .u64 out" +
         params +
         ")\n{\n.reg .b32 %c<5>, %t, %s, %bar, %v;\n.reg .b16 %mask;\n"
         ".reg .b64 %a, %b, %o, %policy;\n.reg .pred %p1, %p2;\n" +
         loads +
         "mov.b64 %a, from;\ncvta.param.u64 %a, %a;\nmov.b64 %b, to;\n"
         "cvta.param.u64 %b, %b;\nld.param.u64 %o, [out];\nmov.u16 %mask, 1;\n"
         "createpolicy.fractional.L2::evict_last.b64 %policy;\n"
         "mov.u32 %t, %tid.x;\nmov.u32 %s, smem;\nadd.u32 %bar, %s, 32768;\n"
         "setp.ne.u32 %p1, %t, 0;\n@%p1 bra READY;\n"
         "mbarrier.init.shared::cta.b64 [%bar], 1;\n"
         "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%bar], " +
         std::to_string(bytes) + ";\ncp.async.bulk.prefetch.tensor." + dims +
         ".L2.global" + form.tile + hint + " [%a, " + coordinates + "]" +
         policy + ";\ncp.async.bulk.tensor." + dims + "." + form.to +
         ".global" + form.tile + ".mbarrier::complete_tx::bytes" +
         (form.hasMulticast ? ".multicast::cluster" : "") + hint +
         " [%s], [%a, " + coordinates + "], [%bar]" +
         (form.hasMulticast ? ", %mask" : "") + policy +
         ";\nREADY:\nbar.sync 0;\n" + waitForZero +
         "mad.lo.u32 %v, %t, 4, %s;\nld.shared.u32 %v, [%v];\n"
         "mad.wide.u32 %o, %t, 4, %o;\nst.global.u32 [%o], %v;\nbar.sync 0;\n"
         "@%p1 bra END;\ncp.async.bulk.tensor." +
         dims + ".global.shared::cta" + form.tile + ".bulk_group" + hint +
         " [%b, " + coordinates + "], [%s]" + policy +
         ";\ncp.async.bulk.commit_group;\n"
         "cp.async.bulk.wait_group.read 0;\nEND:\nret;\n}\n";
}

/// `turn` counts the kernels of this rank.
static void testTensor(unsigned rank, TensorSwizzle swizzle, bool fillNan,
                       unsigned &turn) {
  // Odd extents, so that boxes stick out at every side.
  const uint64_t dims[5] = {24, 5, 3, 3, 2};
  const uint32_t box[5] = {16, 4, 2, 2, 2};
  uint64_t count = 1, strides[5] = {};
  TensorMap map;
  map.element = TensorElement::BF16;
  map.swizzle = swizzle;
  map.fillNan = fillNan;
  map.rank = rank;
  uint32_t bytes = 2;
  for (unsigned d = 0; d < rank; ++d) {
    strides[d] = count * 2;
    count *= dims[d];
    map.dims[d] = dims[d];
    map.box[d] = box[d];
    bytes *= box[d];
    if (d > 0)
      map.strides[d - 1] = strides[d];
  }
  std::vector<uint16_t> from(count), to(count, 0xAAAA);
  for (uint64_t i = 0; i < count; ++i)
    from[i] = uint16_t(i + 1);
  std::vector<uint32_t> out(bytes / 4);
  const int32_t corners[][5] = {
      {0, 0, 0, 0, 0}, {16, 3, 2, 2, 1}, {-8, -1, -1, -1, -1}, {0, 4, 0, 2, 0}};
  for (auto &corner : corners) {
    std::fill(to.begin(), to.end(), 0xAAAA);
    Kernel kernel(tensorKernel(rank, bytes, formOf(turn++)));
    map.base = kernel.buffer(from, "from");
    kernel.add(encode(map));
    map.base = kernel.buffer(to, "to");
    kernel.add(encode(map));
    kernel.addBuffer(out, "out", false);
    for (unsigned d = 0; d < rank; ++d)
      kernel.add(corner[d]);
    kernel.launch.block[0] = bytes / 4;
    kernel.launch.dynamicShared = 32776;
    Report report = kernel.run();
    ASSERT_TRUE(isClean(report)) << textOf(report);
    std::vector<uint16_t> expected(count, 0xAAAA);
    for (uint32_t e = 0; e < bytes / 2; ++e) {
      uint32_t left = e;
      uint64_t index = 0;
      bool inside = true;
      for (unsigned d = 0; d < rank; ++d) {
        int64_t at = corner[d] + int64_t(left % box[d]);
        left /= box[d];
        inside &= at >= 0 && at < int64_t(dims[d]);
        index += uint64_t(at) * strides[d] / 2;
      }
      uint32_t place = e * 2;
      uint32_t mask = (1u << uint32_t(swizzle)) - 1;
      place ^= (place >> 7 & mask) << 4;
      uint16_t got = uint16_t(out[place / 4] >> (place % 4 * 8));
      if (inside) {
        ASSERT_EQ(got, from[index]) << "rank " << rank << " element " << e;
        expected[index] = from[index];
      } else {
        ASSERT_EQ(got, fillNan ? 0x7FF7 : 0) << "rank " << rank;
      }
    }
    ASSERT_EQ(to, expected) << "rank " << rank;
    recordCompared(kernel, {"cp.async.bulk"});
  }
}

TEST(BulkCopy, TensorsOfAllRanksAndSwizzles) {
  for (unsigned rank = 1; rank <= 5; ++rank) {
    unsigned turn = 0;
    for (TensorSwizzle swizzle :
         {TensorSwizzle::None, TensorSwizzle::Bytes32, TensorSwizzle::Bytes64,
          TensorSwizzle::Bytes128})
      for (bool fillNan : {false, true})
        testTensor(rank, swizzle, fillNan, turn);
  }
}

/// 512 bytes into shared memory and out of it in every form. A byte mask
/// chooses among the bytes of each 16.
TEST(BulkCopy, LinesInEveryForm) {
  for (unsigned form = 0; form < 12; ++form) {
    TensorForm load = formOf(form);
    bool hasMask = form & 1;
    std::string hint = load.hasPolicy ? ".L2::cache_hint" : "",
                policy = load.hasPolicy ? ", %policy" : "";
    std::string text =
        head +
        ".visible .entry k(.param .u64 from, .param .u64 to)\n{\n"
        ".reg .b32 %s, %bar;\n.reg .b64 %a, %b, %policy;\n"
        ".reg .b16 %block, %mask;\n.reg .pred %p2;\n"
        "ld.param.u64 %a, [from];\nld.param.u64 %b, [to];\n"
        "mov.u16 %block, 1;\nmov.u16 %mask, 0x9C05;\n"
        "createpolicy.fractional.L2::evict_first.b64 %policy;\n"
        "mov.u32 %s, smem;\nadd.u32 %bar, %s, 512;\n"
        "mbarrier.init.shared::cta.b64 [%bar], 1;\n"
        "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%bar], 512;\n"
        "cp.async.bulk.prefetch.L2.global" +
        hint + " [%a], 512" + policy + ";\ncp.async.bulk." + load.to +
        ".global.mbarrier::complete_tx::bytes" +
        (load.hasMulticast ? ".multicast::cluster" : "") + hint +
        " [%s], [%a], 512, [%bar]" + (load.hasMulticast ? ", %block" : "") +
        policy + ";\n" + waitForZero +
        "cp.async.bulk.global.shared::cta.bulk_group" + hint +
        (hasMask ? ".cp_mask" : "") + " [%b], [%s], 512" + policy +
        (hasMask ? ", %mask" : "") +
        ";\ncp.async.bulk.commit_group;\ncp.async.bulk.wait_group 0;\n"
        "ret;\n}\n";
    Kernel kernel(text);
    std::vector<uint8_t> from(512), to(512, 0xEE);
    for (size_t i = 0; i < from.size(); ++i)
      from[i] = uint8_t(i * 7 + i / 256);
    kernel.addBuffer(from, "from");
    kernel.addBuffer(to, "to");
    kernel.launch.dynamicShared = 520;
    Report report = kernel.run();
    ASSERT_TRUE(isClean(report)) << text << textOf(report);
    for (size_t i = 0; i < to.size(); ++i)
      ASSERT_EQ(to[i], !hasMask || 0x9C05 >> i % 16 & 1 ? from[i] : 0xEE)
          << text << i;
    recordCompared(kernel, {"cp.async.bulk"});
  }
}

/// Block 0 of a cluster sends a line of its shared memory to block 1.
TEST(BulkCopy, LineToAnotherBlock) {
  Kernel kernel(head + R"(
.visible .entry k(.param .u64 from, .param .u64 to)
.reqnctapercluster 2, 1, 1
{
  .reg .b32 %s, %t, %u, %bar, %rank, %v;
  .reg .b64 %a, %b;
  .reg .pred %p1, %p2;
  ld.param.u64 %a, [from];
  ld.param.u64 %b, [to];
  mov.u32 %t, %tid.x;
  mov.u32 %rank, %cluster_ctarank;
  mov.u32 %s, smem;
  add.u32 %bar, %s, 128;
  mad.lo.u32 %u, %t, 4, %s;
  mad.wide.u32 %a, %t, 4, %a;
  ld.global.u32 %v, [%a];
  st.shared.u32 [%u], %v;
  fence.proxy.async;
  bar.sync 0;
  setp.ne.u32 %p1, %t, 0;
  @%p1 bra READY;
  mbarrier.init.shared::cta.b64 [%bar], 1;
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [%bar], 128;
  fence.mbarrier_init.release.cluster;
READY:
  barrier.cluster.arrive.aligned;
  barrier.cluster.wait.aligned;
  setp.ne.u32 %p2, %rank, 0;
  @%p2 bra WAIT;
  @%p1 bra END;
  mapa.shared::cluster.u32 %v, %s, 1;
  add.u32 %v, %v, 256;
  mapa.shared::cluster.u32 %bar, %bar, 1;
  cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%v], [%s], 128, [%bar];
  bra END;
)" + waitForZero +
                R"(
  ld.shared.u32 %v, [%u+256];
  mad.wide.u32 %b, %t, 4, %b;
  st.global.u32 [%b], %v;
END:
  barrier.cluster.arrive;
  barrier.cluster.wait;
  ret;
}
)");
  std::vector<uint32_t> from(32), to(32);
  for (uint32_t i = 0; i < 32; ++i)
    from[i] = 5 * i + 1;
  kernel.addBuffer(from, "from");
  kernel.addBuffer(to, "to", false);
  kernel.launch.grid[0] = 2;
  kernel.launch.block[0] = 32;
  kernel.launch.dynamicShared = 512;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << textOf(report);
  EXPECT_EQ(to, from);
  recordCompared(kernel, {"cp.async.bulk.shared::cluster"});
}

TEST(BulkCopy, LinesAndReductions) {
  Kernel kernel(head + R"(
.visible .entry k(.param .u64 from, .param .u64 to, .param .u64 sums)
{
  .reg .b32 %t, %s, %bar;
  .reg .b64 %a, %b, %c;
  .reg .pred %p1, %p2;
  ld.param.u64 %a, [from];
  ld.param.u64 %b, [to];
  ld.param.u64 %c, [sums];
  mov.u32 %t, %tid.x;
  mov.u32 %s, smem;
  add.u32 %bar, %s, 1024;
  setp.ne.u32 %p1, %t, 0;
  @%p1 bra END;
  mbarrier.init.shared::cta.b64 [%bar], 1;
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [%bar], 512;
  cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%s], [%a], 512, [%bar];
)" + waitForZero +
                R"(
  cp.async.bulk.global.shared::cta.bulk_group [%b], [%s], 512;
  cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f32 [%c], [%s], 512;
  cp.async.bulk.commit_group;
  cp.async.bulk.wait_group 0;
END:
  ret;
}
)");
  std::vector<float> from(128), to(128), sums(128);
  for (int i = 0; i < 128; ++i) {
    from[i] = float(i) * 0.5f;
    sums[i] = 1000.0f;
  }
  kernel.addBuffer(from, "from");
  kernel.addBuffer(to, "to", false);
  kernel.addBuffer(sums, "sums");
  kernel.launch.grid[0] = 1;
  kernel.launch.block[0] = 32;
  kernel.launch.dynamicShared = 1032;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << textOf(report);
  for (int i = 0; i < 128; ++i) {
    EXPECT_EQ(to[i], from[i]);
    EXPECT_EQ(sums[i], 1000.0f + from[i]);
  }
  recordCompared(kernel, {"cp."});
}

/// One block of four loads a tile into the shared memory of all.
TEST(BulkCopy, MulticastInACluster) {
  Kernel kernel(head + R"(
.visible .entry k(.param .align 64 .b8 map[128], .param .u64 out)
.reqnctapercluster 4, 1, 1
{
  .reg .b32 %t, %s, %bar, %rank, %zero, %v;
  .reg .b16 %mask;
  .reg .b64 %a, %o;
  .reg .pred %p1, %p2;
  mov.b64 %a, map;
  cvta.param.u64 %a, %a;
  ld.param.u64 %o, [out];
  mov.u32 %t, %tid.x;
  mov.u32 %rank, %cluster_ctarank;
  mov.u32 %s, smem;
  add.u32 %bar, %s, 4096;
  mov.u32 %zero, 0;
  mov.u16 %mask, 15;
  setp.ne.u32 %p1, %t, 0;
  @%p1 bra READY;
  mbarrier.init.shared::cta.b64 [%bar], 1;
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [%bar], 1024;
  fence.mbarrier_init.release.cluster;
READY:
  barrier.cluster.arrive.aligned;
  barrier.cluster.wait.aligned;
  add.u32 %v, %rank, %t;
  setp.ne.u32 %p1, %v, 0;
  @%p1 bra LOADED;
  cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster [%s], [%a, {%zero, %zero}], [%bar], %mask;
LOADED:
)" + waitForZero +
                R"(
  mad.lo.u32 %v, %t, 4, %s;
  ld.shared.u32 %v, [%v];
  mad.lo.u32 %t, %rank, 256, %t;
  mad.wide.u32 %o, %t, 4, %o;
  st.global.u32 [%o], %v;
  barrier.cluster.arrive.aligned;
  barrier.cluster.wait.aligned;
  ret;
}
)");
  std::vector<uint32_t> from(256), out(1024);
  for (uint32_t i = 0; i < 256; ++i)
    from[i] = i * 3;
  kernel.add(encode(matrixMap(kernel.buffer(from, "from"), 16, 16, 16, 16,
                              TensorElement::U32, TensorSwizzle::None)));
  kernel.addBuffer(out, "out", false);
  kernel.launch.grid[0] = 4;
  kernel.launch.block[0] = 256;
  kernel.launch.dynamicShared = 4104;
  for (AsyncMode mode :
       {AsyncMode::Late, AsyncMode::Early, AsyncMode::Random}) {
    kernel.launch.options.async = mode;
    Report report = kernel.run();
    ASSERT_TRUE(isClean(report)) << textOf(report);
    for (uint32_t i = 0; i < 1024; ++i)
      ASSERT_EQ(out[i], from[i % 256]);
  }
  recordCompared(kernel, {"cp.async.bulk.tensor"});
}

TEST(TensorMaps, InvalidOnesAreNamed) {
  TensorMap map = matrixMap(0x1000, 64, 64, 64, 64);
  EXPECT_FALSE(whyInvalid(map).has_value());
  auto because = [&](auto change) {
    TensorMap wrong = map;
    change(wrong);
    return whyInvalid(wrong).value_or("");
  };
  EXPECT_NE(because([](TensorMap &m) { m.rank = 6; }), "");
  EXPECT_NE(because([](TensorMap &m) { m.base = 8; }), "");
  EXPECT_NE(because([](TensorMap &m) { m.box[1] = 257; }), "");
  EXPECT_NE(because([](TensorMap &m) { m.box[0] = 128; }), "");
  EXPECT_NE(because([](TensorMap &m) { m.strides[0] = 100; }), "");
  EXPECT_NE(because([](TensorMap &m) { m.dims[0] = 0; }), "");
  auto bytes = encode(map);
  EXPECT_EQ(decode(bytes.data())->dims, map.dims);
  bytes = {};
  EXPECT_FALSE(decode(bytes.data()).has_value());
}

} // namespace heddle::ptx::test
