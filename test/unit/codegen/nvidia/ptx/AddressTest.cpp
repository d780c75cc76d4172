// AddressTest.cpp - generic and cluster addresses, special registers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"

namespace heddle::ptx::test {

/// An address in each space, made generic, tested for every space, and taken
/// back: the word read through it tells that it is the right one.
TEST(Addresses, GenericRoundTrips) {
  struct {
    const char *space;
    unsigned bits; ///< global, shared, local, const, from the lowest
  } spaces[] = {{"global", 1},          {"shared", 2}, {"shared::cta", 2},
                {"shared::cluster", 2}, {"local", 4},  {"const", 8}};
  for (auto &space : spaces) {
    std::string name = space.space;
    bool isConst = name == "const";
    std::string store = isConst ? "" : "st." + name + ".u32 [%a], 77;\n";
    Kernel kernel(".version 8.0\n.target sm_90\n.address_size 64\n"
                  ".global .align 4 .u32 gvar;\n"
                  ".const .align 4 .u32 cvar = 77;\n"
                  ".visible .entry k(.param .u64 out)\n{\n"
                  ".shared .align 4 .u32 svar;\n.local .align 4 .u32 lvar;\n"
                  ".reg .b64 %o, %a, %g, %b;\n.reg .b32 %r<8>;\n"
                  ".reg .pred %p<5>;\nld.param.u64 %o, [out];\n"
                  "mov.u64 %a, " +
                  name.substr(0, 1) + "var;\n" + store + "cvta." + name +
                  ".u64 %g, %a;\nld.u32 %r0, [%g];\ncvta.to." + name +
                  ".u64 %b, %g;\nld." + name +
                  ".u32 %r1, [%b];\nisspacep.global %p0, %g;\n"
                  "isspacep.shared %p1, %g;\nisspacep.local %p2, %g;\n"
                  "isspacep.shared::cluster %p3, %g;\n"
                  "isspacep.const %p4, %g;\n"
                  "selp.u32 %r2, 1, 0, %p0;\n@%p1 add.u32 %r2, %r2, 2;\n"
                  "@%p2 add.u32 %r2, %r2, 4;\n@%p4 add.u32 %r2, %r2, 8;\n"
                  "selp.u32 %r5, 2, 0, %p3;\n"
                  "st.global.v2.u32 [%o], {%r0, %r1};\n"
                  "st.global.v2.u32 [%o+8], {%r2, %r5};\nret;\n}\n");
    std::vector<uint32_t> out(4);
    kernel.addBuffer(out, "out", false);
    Report report = kernel.run();
    ASSERT_TRUE(isClean(report)) << name << textOf(report);
    EXPECT_EQ(out[0], 77u) << name;
    EXPECT_EQ(out[1], 77u) << name;
    EXPECT_EQ(out[2], space.bits) << name;
    EXPECT_EQ(out[3], space.bits & 2) << name;
    recordCompared(kernel, {"cvta", "isspacep"});
  }
}

/// Addresses of 32 bits, offsets in the space of local variables and in that of
/// the kernel's parameters.
TEST(Addresses, NarrowLocalsAndParameters) {
  Kernel kernel(R"(.version 8.0
.target sm_90
.address_size 64
.visible .entry k(.param .u64 out, .param .u32 seven)
{
  .local .align 8 .b8 first[8];
  .local .align 8 .b8 second[16];
  .reg .b32 %r<8>, %t;
  .reg .b64 %o, %a;
  .reg .pred %p;
  ld.param.u64 %o, [out];
  mov.u32 %t, %tid.x;
  mad.wide.u32 %o, %t, 16, %o;
  mov.u32 %r0, second;
  mov.u32 %r1, second+8;
  st.local.u32 [%r0+4], %t;
  st.local.v2.u32 [%r1], {5, %t};
  mov.u64 %a, second;
  ld.local.u32 %r2, [%a+4];
  ld.local.u32 %r3, [%r1+4];
  ld.local.u32 %r4, [second+8];
  mov.u32 %r5, seven;
  ld.param.u32 %r6, [%r5];
  st.global.v4.u32 [%o], {%r2, %r3, %r4, %r6};
  ret;
}
)");
  std::vector<uint32_t> out(32 * 4);
  kernel.addBuffer(out, "out", false);
  kernel.add(uint32_t(7));
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << textOf(report);
  for (uint32_t i = 0; i < 32; ++i)
    ASSERT_EQ(std::vector<uint32_t>(&out[4 * i], &out[4 * i + 4]),
              (std::vector<uint32_t>{i, i, 5, 7}));
  recordCompared(kernel, {"ld.local", "st.local", "ld.param"});
}

/// A narrow address of local memory is checked like any other; one of a
/// parameter of a function would mean another of the kernel.
TEST(Addresses, NarrowAddressesThatAreWrong) {
  std::string head = ".version 8.0\n.target sm_90\n.address_size 64\n";
  Kernel kernel(head + ".visible .entry k()\n{\n.local .align 4 .b8 own[8];\n"
                       ".reg .b32 %r<4>;\nmov.u32 %r0, own;\n"
                       "st.local.u32 [%r0+8], 1;\nret;\n}\n");
  Report report = kernel.run();
  EXPECT_TRUE(has(report, FindingKind::OutOfBounds)) << textOf(report);
  EXPECT_FALSE(isCovered({"ld.global.u32 %d, [%a];", 32, {32}}));
  EXPECT_FALSE(isCovered({"mov.u32 %d, argument;\n",
                          32,
                          {},
                          ".param .b32 "
                          "argument;"}));
}

/// Parameters of the kernel are a space of their own.
TEST(Addresses, Parameters) {
  for (std::string space : {"param", "param::entry"}) {
    Kernel kernel(".version 8.3\n.target sm_90\n.address_size 64\n"
                  ".visible .entry k(.param .u64 out, .param .u32 value)\n{\n"
                  ".reg .b64 %o, %a, %b;\n.reg .b32 %r<4>;\n"
                  ".reg .pred %p<2>;\nld.param.u64 %o, [out];\n"
                  "mov.b64 %a, value;\ncvta." +
                  space + ".u64 %b, %a;\nld.u32 %r0, [%b];\nisspacep." + space +
                  " %p0, %b;\nisspacep.global %p1, %b;\n"
                  "selp.u32 %r1, 1, 0, %p0;\n@%p1 add.u32 %r1, %r1, 2;\n"
                  "cvta.to." +
                  space + ".u64 %a, %b;\nld." + space +
                  ".u32 %r2, [%a];\nst.global.v2.u32 [%o], {%r0, %r1};\n"
                  "st.global.u32 [%o+8], %r2;\nret;\n}\n");
    std::vector<uint32_t> out(3);
    kernel.addBuffer(out, "out");
    kernel.add(uint32_t(4711));
    Report report = kernel.run();
    ASSERT_TRUE(isClean(report)) << space << textOf(report);
    EXPECT_EQ(out, (std::vector<uint32_t>{4711, 1, 4711})) << space;
    recordCompared(kernel, {"cvta", "isspacep"});
  }
}

/// Every block of a cluster writes its rank to its shared memory and reads that
/// of the next but one, by addresses of 32 and 64 bits, shared and generic.
TEST(Addresses, OtherBlocksOfTheCluster) {
  Kernel kernel(R"(.version 8.0
.target sm_90
.address_size 64
.visible .entry k(.param .u64 out)
.reqnctapercluster 4, 1, 1
{
  .shared .align 4 .u32 own[2];
  .reg .b64 %o, %g, %h, %w;
  .reg .b32 %rank, %next, %a, %b, %r<8>;
  .reg .pred %p<2>;
  ld.param.u64 %o, [out];
  mov.u32 %rank, %cluster_ctarank;
  add.u32 %next, %rank, 2;
  and.b32 %next, %next, 3;
  add.u32 %r0, %rank, 100;
  mov.u32 %a, own;
  st.shared.u32 [%a+4], %r0;
  barrier.cluster.arrive.aligned;
  barrier.cluster.wait.aligned;
  mapa.shared::cluster.u32 %b, %a, %next;
  ld.shared::cluster.u32 %r1, [%b+4];
  getctarank.shared::cluster.u32 %r2, %b;
  getctarank.shared::cluster.u32 %r3, %a;
  mov.u64 %w, own;
  mapa.shared::cluster.u64 %w, %w, %next;
  ld.shared::cluster.u32 %r4, [%w+4];
  getctarank.shared::cluster.u64 %r5, %w;
  cvt.u64.u32 %g, %a;
  cvta.shared.u64 %g, %g;
  mapa.u64 %h, %g, %next;
  ld.u32 %r6, [%h+4];
  getctarank.u64 %r7, %h;
  isspacep.shared::cluster %p0, %h;
  isspacep.shared::cta %p1, %h;
  selp.u32 %r0, 1, 0, %p0;
  @%p1 add.u32 %r0, %r0, 2;
  mad.wide.u32 %o, %rank, 32, %o;
  st.global.v4.u32 [%o], {%r1, %r2, %r3, %r4};
  st.global.v4.u32 [%o+16], {%r5, %r6, %r7, %r0};
  barrier.cluster.arrive.aligned;
  barrier.cluster.wait.aligned;
  ret;
}
)");
  std::vector<uint32_t> out(32);
  kernel.addBuffer(out, "out", false);
  kernel.launch.grid[0] = 4;
  kernel.launch.block[0] = 1;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << textOf(report);
  for (uint32_t rank = 0; rank < 4; ++rank) {
    uint32_t next = (rank + 2) % 4, value = next + 100;
    std::vector<uint32_t> want = {value, next,  rank, value,
                                  next,  value, next, 1};
    EXPECT_EQ(std::vector<uint32_t>(&out[rank * 8], &out[rank * 8] + 8), want);
  }
  recordCompared(kernel, {"mapa", "getctarank", "isspacep.shared::"});
}

/// The registers that tell a thread where it is.
TEST(SpecialRegisters, Positions) {
  const uint32_t block[3] = {5, 4, 3}, grid[3] = {4, 2, 3},
                 cluster[3] = {2, 1, 3};
  constexpr const char *names[] = {"%tid.x",
                                   "%tid.y",
                                   "%tid.z",
                                   "%ntid.x",
                                   "%ntid.y",
                                   "%ntid.z",
                                   "%ctaid.x",
                                   "%ctaid.y",
                                   "%ctaid.z",
                                   "%nctaid.x",
                                   "%nctaid.y",
                                   "%nctaid.z",
                                   "%clusterid.x",
                                   "%clusterid.y",
                                   "%clusterid.z",
                                   "%nclusterid.x",
                                   "%nclusterid.y",
                                   "%nclusterid.z",
                                   "%cluster_ctaid.x",
                                   "%cluster_ctaid.y",
                                   "%cluster_ctaid.z",
                                   "%cluster_nctaid.x",
                                   "%cluster_nctaid.y",
                                   "%cluster_nctaid.z",
                                   "%cluster_ctarank",
                                   "%cluster_nctarank",
                                   "%laneid",
                                   "%warpid",
                                   "%lanemask_eq",
                                   "%lanemask_lt",
                                   "%lanemask_le",
                                   "%lanemask_gt",
                                   "%lanemask_ge",
                                   "%dynamic_smem_size"};
  constexpr size_t count = std::size(names);
  std::string stores;
  for (size_t i = 0; i < count; ++i)
    stores += std::string("mov.u32 %r1, ") + names[i] +
              ";\nst.global.u32 [%o+" + std::to_string(4 * i) + "], %r1;\n";
  Kernel kernel(
      ".version 8.0\n.target sm_90\n.address_size 64\n"
      ".visible .entry k(.param .u64 out)\n{\n.reg .b64 %o;\n.reg .b32 %r<4>, "
      "%b, %s;\nld.param.u64 %o, [out];\n"
      // The thread's number, from x, y and z.
      "mov.u32 %r0, %ctaid.z;\nmov.u32 %s, %nctaid.y;\nmov.u32 %b, %ctaid.y;\n"
      "mad.lo.u32 %r0, %r0, %s, %b;\nmov.u32 %s, %nctaid.x;\n"
      "mov.u32 %b, %ctaid.x;\nmad.lo.u32 %r0, %r0, %s, %b;\n"
      "mov.u32 %s, %ntid.z;\nmov.u32 %b, %tid.z;\n"
      "mad.lo.u32 %r0, %r0, %s, %b;\nmov.u32 %s, %ntid.y;\n"
      "mov.u32 %b, %tid.y;\nmad.lo.u32 %r0, %r0, %s, %b;\n"
      "mov.u32 %s, %ntid.x;\nmov.u32 %b, %tid.x;\n"
      "mad.lo.u32 %r0, %r0, %s, %b;\nmad.wide.u32 %o, %r0, " +
      std::to_string(4 * count) + ", %o;\n" + stores + "ret;\n}\n");
  size_t threads = 5 * 4 * 3, blocks = 4 * 2 * 3;
  std::vector<uint32_t> out(threads * blocks * count);
  kernel.addBuffer(out, "out", false);
  for (int d = 0; d < 3; ++d) {
    kernel.launch.grid[d] = grid[d];
    kernel.launch.block[d] = block[d];
    kernel.launch.cluster[d] = cluster[d];
  }
  kernel.launch.dynamicShared = 48;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << textOf(report);
  for (uint32_t number = 0; number < threads * blocks; ++number) {
    uint32_t thread = number % threads, place = number / threads;
    uint32_t tid[3] = {thread % 5, thread / 5 % 4, thread / 20};
    uint32_t ctaid[3] = {place % 4, place / 4 % 2, place / 8};
    uint32_t lane = thread % 32, bit = 1u << lane;
    std::vector<uint32_t> want;
    auto add = [&](auto value) {
      for (int d = 0; d < 3; ++d)
        want.push_back(value(d));
    };
    add([&](int d) { return tid[d]; });
    add([&](int d) { return block[d]; });
    add([&](int d) { return ctaid[d]; });
    add([&](int d) { return grid[d]; });
    add([&](int d) { return ctaid[d] / cluster[d]; });
    add([&](int d) { return grid[d] / cluster[d]; });
    add([&](int d) { return ctaid[d] % cluster[d]; });
    add([&](int d) { return cluster[d]; });
    want.push_back(ctaid[0] % 2 + ctaid[2] % 3 * 2);
    want.push_back(6);
    want.push_back(lane);
    want.push_back(thread / 32);
    want.push_back(bit);
    want.push_back(bit - 1);
    want.push_back(2 * bit - 1);
    want.push_back(~(2 * bit - 1));
    want.push_back(~(bit - 1));
    want.push_back(48);
    for (size_t i = 0; i < count; ++i)
      ASSERT_EQ(out[number * count + i], want[i]) << names[i];
  }
  recordCompared(kernel, {"mov.u32"});
}

/// Clocks rise.
/// mov.v4 of a special register, into a vector register and into four others;
/// the last element is zero. `.v4.u16` has the lower halves.
TEST(SpecialRegisters, Vectors) {
  Kernel kernel(R"(.version 8.0
.target sm_90
.address_size 64
.visible .entry k(.param .u64 out)
{
  .reg .v4 .u32 %v;
  .reg .v4 .u16 %h;
  .reg .b32 %r<8>;
  .reg .b64 %p;
  ld.param.u64 %p, [out];
  mov.v4.u32 %v, %tid;
  mad.lo.u32 %r0, %v.z, 4, %v.y;
  mad.lo.u32 %r0, %r0, 4, %v.x;
  mad.lo.u32 %r0, %r0, 64, %v.w;
  mad.wide.u32 %p, %r0, 1, %p;
  st.global.v4.u32 [%p], %v;
  mov.v4.u32 {%r0, %r1, %r2, %r3}, %ntid;
  st.global.v4.u32 [%p+16], {%r0, %r1, %r2, %r3};
  mov.v4.u16 %h, %ctaid;
  mov.u16 %h.y, %nctaid.r;
  st.global.v4.u16 [%p+32], %h;
  mov.v4.u32 {%r3, %r2, %r1, %r0}, {%r0, %r1, %r2, %r3};
  mov.v2.u32 {%r0, _}, {%r1, 9};
  st.global.v4.u32 [%p+48], {%r0, %r1, %r2, %r3};
  mov.u32 %r4, %ctaid.w;
  st.global.u32 [%p+40], %r4;
  ret;
}
)");
  std::vector<uint32_t> out(32 * 16);
  kernel.addBuffer(out, "out", false);
  kernel.launch.block[0] = kernel.launch.block[1] = 4;
  kernel.launch.block[2] = 2;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << textOf(report);
  for (uint32_t thread = 0; thread < 32; ++thread) {
    const uint32_t *at = &out[16 * thread];
    EXPECT_EQ(std::vector<uint32_t>(at, at + 16),
              (std::vector<uint32_t>{thread % 4, thread / 4 % 4, thread / 16, 0,
                                     4, 4, 2, 0, 1 << 16, 0, 0, 0, 2, 2, 4, 4}))
        << thread;
  }
  recordCompared(kernel, {"mov.v4", "mov.v2", "mov.u16"});
}

TEST(SpecialRegisters, VectorsGoWithVectorMoves) {
  for (const char *text :
       {"mov.u32 %d, %tid;", "mov.b64 %x, %tid;", "mov.v2.u32 {%d, %d}, %tid;",
        "mov.v4.u32 {%d, %d, %d, %d}, %laneid;",
        "mov.v2.u32 {%d, %d}, {%clock, 0};",
        "mov.v4.u64 {%x, %x, %x, %x}, "
        "{%x, %x, %x, %x};",
        "mov.f32 %f, %tid.x;"})
    EXPECT_FALSE(isCovered({text, 32, {}, ".reg .b64 %x; .reg .f32 %f;"}))
        << text;
}

TEST(SpecialRegisters, Clocks) {
  for (const char *name : {"%clock", "%clock64", "%globaltimer"}) {
    bool isWide = name != std::string_view("%clock");
    std::string type = isWide ? ".u64 " : ".u32 ";
    Kernel kernel(
        ".version 8.0\n.target sm_90\n.address_size 64\n"
        ".visible .entry k(.param .u64 out)\n{\n.reg .b64 %o;\n.reg .b" +
        std::string(isWide ? "64" : "32") +
        " %x, %y, %z;\nld.param.u64 %o, [out];\nmov" + type + "%x, " + name +
        ";\nmov" + type + "%y, " + name + ";\nsub" + type +
        "%z, %y, %x;\nst.global" + type + "[%o], %z;\nret;\n}\n");
    std::vector<uint64_t> out(1);
    kernel.addBuffer(out, "out");
    Report report = kernel.run();
    ASSERT_TRUE(isClean(report)) << textOf(report);
    EXPECT_GT(out[0], 0u) << name;
    EXPECT_LT(out[0], 1000u) << name;
  }
}

} // namespace heddle::ptx::test
