// InstructionTest.cpp - barriers, mbarriers, branches, matrix moves, rarer
// bits. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Evaluate.h"

#include <algorithm>
#include <cmath>

namespace heddle::ptx::test {

TEST(Instruction, RareBits) {
  auto a = interesting<uint32_t>(0), b = interesting<uint32_t>(1);
  auto two = [&](const char *text) {
    return evaluate(text, 32, {32, 32}, {a, b});
  };
  auto mask = two("bmsk.clamp.b32 %d, %a, %b;");
  auto wrapped = two("bmsk.wrap.b32 %d, %a, %b;");
  auto extended = two("szext.wrap.s32 %d, %a, %b;");
  auto low = two("mul24.lo.s32 %d, %a, %b;");
  auto high = two("mul24.hi.u32 %d, %a, %b;");
  auto not0 = two("cnot.b32 %d, %a;");
  auto nth = two("fns.b32 %d, %a, 4, 2;");
  for (size_t i = 0; i < a.size(); ++i) {
    uint32_t x = uint32_t(a[i]), y = uint32_t(b[i]);
    auto ones = [](uint64_t at, uint64_t count) {
      uint64_t bits = count >= 32 ? 0xFFFFFFFF : (uint64_t(1) << count) - 1;
      return at >= 32 ? 0u : uint32_t(bits << at);
    };
    ASSERT_EQ(mask[i], ones(x, y));
    ASSERT_EQ(wrapped[i], ones(x & 31, y & 31));
    uint32_t width = y & 31;
    int32_t sign = width == 0 ? 0 : int32_t(x << (32 - width)) >> (32 - width);
    ASSERT_EQ(int32_t(extended[i]), sign);
    int64_t sx = int32_t(x << 8) >> 8, sy = int32_t(y << 8) >> 8;
    ASSERT_EQ(low[i], uint32_t(sx * sy));
    uint64_t ux = x & 0xFFFFFF, uy = y & 0xFFFFFF;
    ASSERT_EQ(high[i], uint32_t(ux * uy >> 16));
    ASSERT_EQ(not0[i], x == 0);
    uint32_t found = ~0u;
    for (unsigned bit = 4, left = 2; bit < 32; ++bit)
      if ((x >> bit & 1) && --left == 0) {
        found = bit;
        break;
      }
    ASSERT_EQ(uint32_t(nth[i]), found);
  }
}

static const std::string head = ".version 8.0\n.target sm_90a\n"
                                ".address_size 64\n";

TEST(Instruction, BarrierReductions) {
  Kernel kernel(head + R"(
.visible .entry k(.param .u64 out)
{
  .reg .b32 %r<8>;
  .reg .b64 %rd<4>;
  .reg .pred %p<4>;
  ld.param.u64 %rd1, [out];
  mov.u32 %r1, %tid.x;
  setp.lt.u32 %p1, %r1, 40;
  bar.red.popc.u32 %r2, 3, %p1;
  bar.red.and.pred %p2, 0, %p1;
  bar.red.or.pred %p3, 0, %p1;
  selp.u32 %r3, 1000, 0, %p2;
  selp.u32 %r4, 100, 0, %p3;
  add.u32 %r2, %r2, %r3;
  add.u32 %r2, %r2, %r4;
  mul.wide.u32 %rd2, %r1, 4;
  add.u64 %rd3, %rd1, %rd2;
  st.global.u32 [%rd3], %r2;
  ret;
}
)");
  std::vector<uint32_t> out(96);
  kernel.addBuffer(out, "out", false);
  kernel.launch.block[0] = 96;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << textOf(report);
  for (uint32_t value : out)
    ASSERT_EQ(value, 140u);
}

TEST(Instruction, BranchTable) {
  auto a = interesting<uint32_t>(0);
  for (uint64_t &value : a)
    value %= 3;
  auto d = evaluate("list: .branchtargets A, B, C;\nbrx.idx %a, list;\n"
                    "A: mov.u32 %d, 11;\nbra END;\nB: mov.u32 %d, 22;\n"
                    "bra END;\nC: mov.u32 %d, 33;\nEND:",
                    32, {32}, {a});
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_EQ(d[i], 11 * (a[i] + 1));
}

/// Arrivals by state, test_wait, and copies that arrive when they are done.
TEST(Instruction, MbarrierForms) {
  Kernel kernel(head + R"(
.visible .entry k(.param .u64 x, .param .u64 out)
{
  .reg .b32 %r<8>;
  .reg .b64 %rd<8>, %state;
  .reg .pred %p<4>;
  .shared .align 16 .b8 tile[1024];
  .shared .align 8 .b64 bars[2];
  ld.param.u64 %rd1, [x];
  ld.param.u64 %rd2, [out];
  mov.u32 %r1, %tid.x;
  setp.ne.u32 %p1, %r1, 0;
  @%p1 bra READY;
  mbarrier.init.shared.b64 [bars], 64;
  mbarrier.init.shared.b64 [bars+8], 64;
READY:
  bar.sync 0;
  mov.u32 %r2, tile;
  mad.lo.u32 %r3, %r1, 16, %r2;
  mad.wide.u32 %rd3, %r1, 16, %rd1;
  cp.async.ca.shared.global [%r3], [%rd3], 16;
  cp.async.mbarrier.arrive.noinc.shared.b64 [bars];
COPIED:
  mbarrier.try_wait.parity.shared.b64 %p2, [bars], 0;
  @!%p2 bra COPIED;
  xor.b32 %r4, %r3, 512;
  ld.shared.v4.u32 {%r4, %r5, %r6, %r7}, [%r4];
  mbarrier.arrive.shared.b64 %state, [bars+8];
READ:
  mbarrier.test_wait.shared.b64 %p3, [bars+8], %state;
  @!%p3 bra READ;
  mad.wide.u32 %rd4, %r1, 16, %rd2;
  st.global.v4.u32 [%rd4], {%r4, %r5, %r6, %r7};
  ret;
}
)");
  std::vector<uint32_t> x(256), out(256);
  for (uint32_t i = 0; i < 256; ++i)
    x[i] = i + 7;
  kernel.addBuffer(x, "x");
  kernel.addBuffer(out, "out", false);
  kernel.launch.block[0] = 64;
  for (AsyncMode mode :
       {AsyncMode::Late, AsyncMode::Early, AsyncMode::Random}) {
    kernel.launch.options.async = mode;
    Report report = kernel.run();
    ASSERT_TRUE(isClean(report)) << textOf(report);
    for (uint32_t i = 0; i < 256; ++i)
      ASSERT_EQ(out[i], x[i ^ 128]);
  }
}

/// stmatrix and ldmatrix.trans, and movmatrix, give the transpose.
TEST(Instruction, MatrixMoves) {
  std::vector<uint64_t> a(32);
  for (uint32_t lane = 0; lane < 32; ++lane) // element (r, c) is 8 r + c
    a[lane] = (lane / 4 * 8 + lane % 4 * 2) | (lane / 4 * 8 + lane % 4 * 2 + 1)
                                                  << 16;
  auto moved =
      evaluate("movmatrix.sync.aligned.m8n8.trans.b16 %d, %a;", 32, {32}, {a});
  auto stored = evaluate(
      ".shared .align 16 .b8 tile[128];\n.reg .b32 %at2;\n"
      "mov.u32 %at2, %laneid;\nand.b32 %at2, %at2, 7;\nshl.b32 %at2, %at2, 4;\n"
      "mov.u32 %t, tile;\nadd.u32 %at2, %at2, %t;\n"
      "stmatrix.sync.aligned.m8n8.x1.shared.b16 [%at2], {%a};\n"
      "bar.warp.sync -1;\n"
      "ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%d}, [%at2];\n"
      "mov.u32 %t, %tid.x;\n",
      32, {32}, {a});
  for (uint32_t lane = 0; lane < 32; ++lane) {
    uint32_t row = lane / 4, column = lane % 4 * 2;
    uint32_t want = (column * 8 + row) | ((column + 1) * 8 + row) << 16;
    ASSERT_EQ(moved[lane], want);
    ASSERT_EQ(stored[lane], want);
  }
}

TEST(Instruction, DoubleMma) {
  Kernel kernel(head + R"(
.visible .entry k(.param .u64 a, .param .u64 b, .param .u64 c)
{
  .reg .b32 %t;
  .reg .f64 %a, %b, %c<2>;
  .reg .b64 %p<6>;
  ld.param.u64 %p0, [a];
  ld.param.u64 %p1, [b];
  ld.param.u64 %p2, [c];
  mov.u32 %t, %tid.x;
  mad.wide.u32 %p3, %t, 8, %p0;
  mad.wide.u32 %p4, %t, 8, %p1;
  mad.wide.u32 %p5, %t, 16, %p2;
  ld.global.f64 %a, [%p3];
  ld.global.f64 %b, [%p4];
  ld.global.v2.f64 {%c0, %c1}, [%p5];
  mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%c0, %c1}, {%a}, {%b}, {%c0, %c1};
  st.global.v2.f64 [%p5], {%c0, %c1};
  ret;
}
)");
  std::vector<double> a(32), b(32), c(64, 1.0);
  for (int i = 0; i < 32; ++i) {
    a[i] = i * 0.25 - 3; // lane 4 r + k
    b[i] = 5 - i * 0.5;  // lane 4 n + k
  }
  kernel.addBuffer(a, "a");
  kernel.addBuffer(b, "b");
  kernel.addBuffer(c, "c");
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << textOf(report);
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 2; ++i) {
      double want = 1.0;
      for (int k = 0; k < 4; ++k)
        want += a[lane / 4 * 4 + k] * b[(lane % 4 * 2 + i) * 4 + k];
      ASSERT_EQ(c[lane * 2 + i], want);
    }
}

} // namespace heddle::ptx::test
