// MatrixFormsTest.cpp - ldmatrix and stmatrix of 8-bit and narrower elements.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"

namespace heddle::ptx::test {

static const std::string head = ".version 9.0\n.target sm_100a\n"
                                ".address_size 64\n";

/// One warp copies 1024 bytes of `x` to shared memory, or writes 1024 bytes of
/// shared memory to `out`; `body` works between with `%row` as the address of
/// row `lane` of 16 bytes and `%r0`.. `%r3`, stored to `out` at 16 bytes a
/// lane.
static std::vector<uint8_t> moved(const std::string &body,
                                  const std::vector<uint8_t> &x,
                                  bool showsShared) {
  Kernel kernel(head + R"(
.visible .entry k(.param .u64 x, .param .u64 out)
{
  .shared .align 128 .b8 tile[1024];
  .reg .b32 %r<4>, %lane, %row, %t, %w<8>;
  .reg .b64 %rd<4>, %generic;
  ld.param.u64 %rd0, [x];
  ld.param.u64 %rd1, [out];
  mov.u32 %lane, %laneid;
  mov.u32 %t, tile;
  mad.lo.u32 %row, %lane, 16, %t;
  cvt.u64.u32 %generic, %row;
  cvta.shared.u64 %generic, %generic;
  mad.wide.u32 %rd2, %lane, 16, %rd0;
  mad.wide.u32 %rd3, %lane, 16, %rd1;
  ld.global.v4.b32 {%r0, %r1, %r2, %r3}, [%rd2];
  ld.global.v4.b32 {%w4, %w5, %w6, %w7}, [%rd2+512];
  st.shared.v4.b32 [%row], {%r0, %r1, %r2, %r3};
  st.shared.v4.b32 [%row+512], {%w4, %w5, %w6, %w7};
  bar.warp.sync -1;
  )" + body + R"(
  bar.warp.sync -1;
  )" + (showsShared ? "ld.shared.v4.b32 {%r0, %r1, %r2, %r3}, [%row];" : "") +
                R"(
  st.global.v4.b32 [%rd3], {%r0, %r1, %r2, %r3};
  ret;
}
)");
  std::vector<uint8_t> in = x, out(512);
  kernel.addBuffer(in, "x");
  kernel.addBuffer(out, "out");
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  EXPECT_TRUE(isClean(report)) << body << "\n" << textOf(report);
  recordCompared(kernel, {showsShared ? "stmatrix" : "ldmatrix"});
  return out;
}

static std::vector<uint8_t> randomBytes(size_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<uint8_t> bytes(count);
  for (uint8_t &byte : bytes)
    byte = uint8_t(generator());
  return bytes;
}

/// Element `k` of `bits` bits from the start of row `row` of 16 bytes.
static uint8_t packed(const std::vector<uint8_t> &x, unsigned row, unsigned k,
                      unsigned bits) {
  unsigned value = 0;
  for (unsigned i = 0; i < bits; ++i) {
    unsigned at = k * bits + i;
    value |= unsigned(x[row * 16 + at / 8] >> at % 8 & 1) << i;
  }
  return uint8_t(value);
}

/// An instruction on `count` registers in each state space.
static std::vector<std::string> spellings(const std::string &name,
                                          const char *type, unsigned count,
                                          bool isLoad) {
  std::string list = count == 1   ? "{%r0}"
                     : count == 2 ? "{%r0, %r1}"
                                  : "{%r0, %r1, %r2, %r3}";
  std::vector<std::string> all;
  for (const char *space : {".shared.", ".shared::cta.", "."}) {
    std::string address = *(space + 1) ? "[%row]" : "[%generic]";
    all.push_back(name + space + type + " " +
                  (isLoad ? list + ", " + address : address + ", " + list) +
                  ";");
  }
  return all;
}

/// PTX ISA 9.7.14.5.15: lane l of m8n16 holds four elements of row l / 4; lane
/// l of m16n16 holds, transposed, four rows of column l / 4 and of that + 8.
/// Registers beyond those loaded keep what they held.
TEST(MatrixForms, Loads) {
  std::vector<uint8_t> x = randomBytes(1024, 1);
  struct Format {
    const char *name;
    unsigned bits;
  };
  for (Format format : {Format{"b8", 8}, Format{"b8x16.b6x16_p32", 6},
                        Format{"b8x16.b4x16_p64", 4}})
    for (unsigned count : {1u, 2u, 4u}) {
      std::string times = ".x" + std::to_string(count);
      std::vector<std::string> squares, wides;
      if (count < 4)
        squares = spellings("ldmatrix.sync.aligned.m16n16" + times + ".trans",
                            format.name, 2 * count, true);
      if (format.bits != 8)
        wides = spellings("ldmatrix.sync.aligned.m8n16" + times, format.name,
                          count, true);
      for (const std::string &text : squares) {
        auto square = moved(text, x, false);
        for (unsigned lane = 0; lane < 32; ++lane)
          for (unsigned i = 0; i < 16; ++i) {
            unsigned matrix = i / 8, reg = i / 4 % 2, e = i % 4;
            unsigned row = 16 * matrix + lane % 4 * 4 + e;
            ASSERT_EQ(square[lane * 16 + i],
                      matrix < count
                          ? packed(x, row, lane / 4 + 8 * reg, format.bits)
                          : x[lane * 16 + i])
                << text << " lane " << lane << " byte " << i;
          }
      }
      for (const std::string &text : wides) {
        auto wide = moved(text, x, false);
        for (unsigned lane = 0; lane < 32; ++lane)
          for (unsigned i = 0; i < 16; ++i)
            ASSERT_EQ(wide[lane * 16 + i],
                      i / 4 < count ? packed(x, 8 * (i / 4) + lane / 4,
                                             lane % 4 * 4 + i % 4, format.bits)
                                    : x[lane * 16 + i])
                << text << " lane " << lane << " byte " << i;
      }
    }
}

/// stmatrix.m16n8 writes the transpose of what mma leaves in its accumulators:
/// byte e of lane l is row l / 4 + 8 (e / 2), column 2 (l % 4) + e % 2. Rows
/// beyond those of the matrices stay.
TEST(MatrixForms, StoreOfBytes) {
  std::vector<uint8_t> x = randomBytes(1024, 2);
  for (unsigned count : {1u, 2u, 4u})
    for (const std::string &text : spellings(
             "stmatrix.sync.aligned.m16n8.x" + std::to_string(count) + ".trans",
             "b8", count, false)) {
      auto stored = moved(text, x, true);
      for (unsigned lane = 0; lane < 32; ++lane)
        for (unsigned i = 0; i < 16; ++i) {
          unsigned e = i % 4, column = 8 * (i / 4) + 2 * (lane % 4) + e % 2;
          size_t at = column * 16 + lane / 4 + 8 * (e / 2);
          ASSERT_EQ(stored[at], i / 4 < count ? x[lane * 16 + i] : x[at])
              << text;
        }
    }
}

} // namespace heddle::ptx::test
