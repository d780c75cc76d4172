// MatrixMoveTest.cpp - ldmatrix, stmatrix and movmatrix of 8x8 halves.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"

namespace heddle::ptx::test {

/// One warp copies 512 bytes of `x` to shared memory, runs `body` with the
/// address of the lane's row in %row (rows are out of order), and shows either
/// %r0 to %r3 or shared memory. 64 bytes lie between rows.
static std::vector<uint16_t> moved(const std::string &body,
                                   std::vector<uint16_t> &x, bool showsShared,
                                   std::initializer_list<const char *> forms) {
  Kernel kernel(R"(.version 8.0
.target sm_90
.address_size 64
.visible .entry k(.param .u64 x, .param .u64 out)
{
  .shared .align 16 .b8 tile[2048];
  .reg .b32 %r<4>, %lane, %row, %own, %t;
  .reg .b64 %x, %o, %generic;
  ld.param.u64 %x, [x];
  ld.param.u64 %o, [out];
  mov.u32 %lane, %laneid;
  mov.u32 %t, tile;
  mad.lo.u32 %own, %lane, 64, %t;
  xor.b32 %row, %lane, 5;
  mad.lo.u32 %row, %row, 64, %t;
  mad.wide.u32 %x, %lane, 16, %x;
  mad.wide.u32 %o, %lane, 16, %o;
  ld.global.v4.b32 {%r0, %r1, %r2, %r3}, [%x];
  st.shared.v4.b32 [%own], {%r0, %r1, %r2, %r3};
  cvt.u64.u32 %generic, %row;
  cvta.shared.u64 %generic, %generic;
  bar.warp.sync -1;
  )" + body + R"(
  bar.warp.sync -1;
  )" + (showsShared ? "ld.shared.v4.b32 {%r0, %r1, %r2, %r3}, [%own];" : "") +
                R"(
  st.global.v4.b32 [%o], {%r0, %r1, %r2, %r3};
  ret;
}
)");
  std::vector<uint16_t> out(256);
  kernel.addBuffer(x, "x");
  kernel.addBuffer(out, "out", false);
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  EXPECT_TRUE(isClean(report)) << body << "\n" << textOf(report);
  if (isClean(report))
    recordCompared(kernel, forms);
  return out;
}

static std::vector<uint16_t> halves() {
  std::vector<uint16_t> x(256);
  std::mt19937 generator(3);
  for (uint16_t &value : x)
    value = uint16_t(generator());
  return x;
}

/// Row and column, in matrix `m`, of half `h` of a lane's register `m`.
static std::pair<unsigned, unsigned> placeOf(unsigned lane, unsigned h,
                                             bool transposed) {
  unsigned row = lane / 4, column = lane % 4 * 2 + h;
  return transposed ? std::pair(column, row) : std::pair(row, column);
}

/// The row that lane 8 m + r points at.
static unsigned rowOf(unsigned matrix, unsigned row) {
  return (8 * matrix + row) ^ 5;
}

TEST(MatrixMove, Loads) {
  for (unsigned count : {1u, 2u, 4u})
    for (bool transposed : {false, true})
      for (const char *address : {".shared", ".shared::cta", ""}) {
        std::string text = "ldmatrix.sync.aligned.m8n8.x" +
                           std::to_string(count) +
                           (transposed ? ".trans" : "") + address + ".b16 {";
        for (unsigned i = 0; i < count; ++i)
          text += (i ? ", %r" : "%r") + std::to_string(i);
        text += *address ? "}, [%row];" : "}, [%generic];";
        std::vector<uint16_t> x = halves();
        auto out = moved(text, x, false, {"ldmatrix"});
        for (unsigned lane = 0; lane < 32; ++lane)
          for (unsigned m = 0; m < 4; ++m)
            for (unsigned h = 0; h < 2; ++h) {
              auto [row, column] = placeOf(lane, h, transposed);
              // Registers that are not named keep what they were loaded with.
              uint16_t want = m < count ? x[rowOf(m, row) * 8 + column]
                                        : x[lane * 8 + 2 * m + h];
              ASSERT_EQ(out[lane * 8 + 2 * m + h], want) << text;
            }
      }
}

TEST(MatrixMove, Stores) {
  for (unsigned count : {1u, 2u, 4u})
    for (bool transposed : {false, true})
      for (const char *address : {".shared", ".shared::cta", ""}) {
        std::string text = "stmatrix.sync.aligned.m8n8.x" +
                           std::to_string(count) +
                           (transposed ? ".trans" : "") + address + ".b16 [" +
                           (*address ? "%row" : "%generic") + "], {";
        for (unsigned i = 0; i < count; ++i)
          text += (i ? ", %r" : "%r") + std::to_string(i);
        std::vector<uint16_t> x = halves(), want = x;
        for (unsigned lane = 0; lane < 32; ++lane)
          for (unsigned m = 0; m < count; ++m)
            for (unsigned h = 0; h < 2; ++h) {
              auto [row, column] = placeOf(lane, h, transposed);
              want[rowOf(m, row) * 8 + column] = x[lane * 8 + 2 * m + h];
            }
        auto out = moved(text + "};", x, true, {"stmatrix"});
        ASSERT_EQ(out, want) << text;
      }
}

TEST(MatrixMove, Transpose) {
  std::vector<uint16_t> x = halves();
  auto out = moved("movmatrix.sync.aligned.m8n8.trans.b16 %r1, %r0;", x, false,
                   {"movmatrix"});
  uint16_t element[8][8];
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned h = 0; h < 2; ++h)
      element[lane / 4][lane % 4 * 2 + h] = x[lane * 8 + h];
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned h = 0; h < 2; ++h)
      ASSERT_EQ(out[lane * 8 + 2 + h], element[lane % 4 * 2 + h][lane / 4]);
}

} // namespace heddle::ptx::test
