// WarpTest.cpp - instructions across lanes, atomics, memory spaces.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Evaluate.h"

#include <algorithm>

namespace heddle::ptx::test {

static std::vector<uint64_t> randomWords(size_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<uint64_t> words(count);
  for (uint64_t &word : words)
    word = generator();
  return words;
}

TEST(Warp, Shuffles) {
  auto a = randomWords(64, 1);
  for (unsigned by : {0u, 1u, 5u, 16u, 31u})
    for (unsigned width : {32u, 8u}) {
      unsigned segment = (32 - width) << 8;
      struct {
        const char *mode;
        unsigned clamp;
      } modes[] = {{"up", 0}, {"down", 31}, {"bfly", 31}, {"idx", 31}};
      for (auto &mode : modes) {
        auto d = evaluate("shfl.sync." + std::string(mode.mode) +
                              ".b32 %d, %a, " + std::to_string(by) + ", " +
                              std::to_string(segment | mode.clamp) + ", -1;",
                          32, {32}, {a});
        for (unsigned i = 0; i < 64; ++i) {
          unsigned lane = i % 32, base = lane / width * width;
          int from = int(lane);
          bool isUp = mode.mode[0] == 'u';
          if (isUp && int(lane) - int(by) >= int(base))
            from = int(lane - by);
          else if (mode.mode[0] == 'd' && lane + by < base + width)
            from = int(lane + by);
          else if (mode.mode[0] == 'b' && (lane ^ by) < base + width)
            from = int(lane ^ by);
          else if (mode.mode[0] == 'i')
            from = int(base | (by & (width - 1)));
          ASSERT_EQ(d[i], a[i - lane + unsigned(from)])
              << mode.mode << " by " << by << " width " << width;
        }
      }
    }
}

TEST(Warp, VotesAndReductions) {
  auto a = randomWords(64, 2);
  auto bit = a;
  for (uint64_t &word : bit)
    word &= 1;
  auto ballot = evaluate("vote.sync.ballot.b32 %d, %a, -1;", 32, {1}, {bit});
  auto any = evaluate("vote.sync.any.pred %d, %a, -1;", 1, {1}, {bit});
  auto uniform = evaluate("vote.sync.uni.pred %d, !%a, -1;", 1, {1}, {bit});
  auto sum = evaluate("redux.sync.add.s32 %d, %a, -1;", 32, {32}, {a});
  auto least = evaluate("redux.sync.min.s32 %d, %a, -1;", 32, {32}, {a});
  auto most = evaluate("redux.sync.max.u32 %d, %a, -1;", 32, {32}, {a});
  auto same = evaluate("match.any.sync.b32 %d, %a, -1;", 32, {32}, {bit});
  auto leader = evaluate(
      "{\n.reg .pred %e;\nelect.sync %d|%e, -1;\n@%e add.u32 %d, %d, 100;\n}",
      32, {32}, {a});
  for (unsigned first = 0; first < 64; first += 32) {
    uint32_t mask = 0, total = 0, high = 0;
    int32_t low = INT32_MAX;
    for (unsigned i = first; i < first + 32; ++i) {
      mask |= uint32_t(bit[i]) << (i - first);
      total += uint32_t(a[i]);
      low = std::min(low, int32_t(a[i]));
      high = std::max(high, uint32_t(a[i]));
    }
    for (unsigned i = first; i < first + 32; ++i) {
      ASSERT_EQ(ballot[i], mask);
      ASSERT_EQ(any[i], mask != 0);
      ASSERT_EQ(uniform[i], mask == 0 || mask == ~0u);
      ASSERT_EQ(sum[i], total);
      ASSERT_EQ(int32_t(least[i]), low);
      ASSERT_EQ(most[i], high);
      ASSERT_EQ(same[i], bit[i] ? mask : ~mask);
      ASSERT_EQ(leader[i], i == first ? 100u : 0u);
    }
  }
}

/// Every lane updates one word in turn; the old values give the order away.
TEST(Atomics, Operations) {
  struct {
    const char *name;
    uint32_t (*apply)(uint32_t old, uint32_t b);
  } operations[] = {
      {"add.u32", [](uint32_t o, uint32_t b) { return o + b; }},
      {"min.s32",
       [](uint32_t o, uint32_t b) {
         return uint32_t(std::min(int32_t(o), int32_t(b)));
       }},
      {"max.u32", [](uint32_t o, uint32_t b) { return std::max(o, b); }},
      {"and.b32", [](uint32_t o, uint32_t b) { return o & b; }},
      {"or.b32", [](uint32_t o, uint32_t b) { return o | b; }},
      {"xor.b32", [](uint32_t o, uint32_t b) { return o ^ b; }},
      {"exch.b32", [](uint32_t, uint32_t b) { return b; }},
      {"inc.u32", [](uint32_t o, uint32_t b) { return o >= b ? 0 : o + 1; }},
      {"dec.u32",
       [](uint32_t o, uint32_t b) { return o == 0 || o > b ? b : o - 1; }},
      {"add.f32",
       [](uint32_t o, uint32_t b) {
         return uint32_t(bitsOf(valueOf<float>(o) + valueOf<float>(b)));
       }},
      {"add.noftz.f16x2", [](uint32_t o, uint32_t b) {
         uint32_t low =
             floatToHalf(halfToFloat(uint16_t(o)) + halfToFloat(uint16_t(b)));
         uint32_t high = floatToHalf(halfToFloat(uint16_t(o >> 16)) +
                                     halfToFloat(uint16_t(b >> 16)));
         return low | high << 16;
       }}};
  for (auto &operation : operations) {
    bool isFloat = std::string(operation.name).find(".f") != std::string::npos;
    auto b = randomWords(32, 5);
    for (uint64_t &word : b)
      word = isFloat ? 0x3C003C00 + word % 512 : word;
    std::string name = operation.name;
    auto old = evaluate(".shared .align 4 .b8 cell[4];\nst.shared.b32 [cell], "
                        "0x3C003C01;\nbar.warp.sync -1;\natom.shared." +
                            name + " %d, [cell], %a;",
                        32, {32}, {b});
    uint32_t value = 0x3C003C01;
    for (unsigned i = 0; i < 32; ++i) {
      ASSERT_EQ(old[i], value) << name << " lane " << i;
      value = operation.apply(value, uint32_t(b[i]));
    }
  }
}

TEST(Atomics, CompareAndSwapAndRed) {
  auto a = randomWords(32, 6);
  auto d =
      evaluate(".shared .align 8 .b8 cell[8];\nst.shared.b64 [cell], 7;\n"
               "bar.warp.sync -1;\n"
               "atom.shared.cas.b64 %d, [cell], 7, %a;\nbar.warp.sync -1;\n"
               "red.shared.add.u64 [cell], 1;\nbar.warp.sync -1;\n"
               "ld.shared.u64 %d, [cell];",
               64, {64}, {a});
  for (unsigned i = 0; i < 32; ++i)
    ASSERT_EQ(d[i], a[0] + 32);
}

TEST(MemorySpaces, GenericLocalConstAndVariables) {
  Kernel kernel(R"(.version 8.0
.target sm_90
.address_size 64
.const .align 4 .u32 table[4] = {10, 20, 30, 40};
.global .align 8 .u64 pointer = generic(table);
.global .align 4 .u32 counter;
.visible .entry k(.param .u64 out)
{
  .local .align 16 .b8 stack[32];
  .shared .align 16 .b8 box[256];
  .reg .b32 %r<16>;
  .reg .b16 %h<4>;
  .reg .b64 %rd<16>;
  .reg .pred %p<4>;
  ld.param.u64 %rd1, [out];
  mov.u32 %r1, %tid.x;
  and.b32 %r2, %r1, 3;
  // const through a pointer that an initialiser holds
  ld.global.u64 %rd2, [pointer];
  mul.wide.u32 %rd3, %r2, 4;
  add.u64 %rd2, %rd2, %rd3;
  ld.u32 %r3, [%rd2];
  // local memory through a generic address, bytes out of a word
  mov.u64 %rd4, stack;
  cvta.local.u64 %rd5, %rd4;
  st.u32 [%rd5+4], 0x80FF7F01;
  ld.local.s8 %r4, [stack+7];
  ld.local.u8 %h1, [stack+6];
  cvt.u32.u16 %r5, %h1;
  // shared memory through a generic address
  mov.u32 %r6, box;
  shl.b32 %r7, %r1, 3;
  add.u32 %r6, %r6, %r7;
  cvt.u64.u32 %rd6, %r6;
  cvta.shared.u64 %rd7, %rd6;
  isspacep.shared %p1, %rd7;
  isspacep.global %p2, %rd7;
  st.v2.u32 [%rd7], {%r1, %r3};
  ld.shared.v2.u32 {%r8, %r9}, [%r6];
  atom.global.add.u32 %r10, [counter], 1;
  add.u32 %r9, %r9, %r4;
  add.u32 %r9, %r9, %r5;
  add.u32 %r9, %r9, %r8;
  @%p1 add.u32 %r9, %r9, 1000;
  @%p2 add.u32 %r9, %r9, 5000;
  mul.wide.u32 %rd8, %r1, 4;
  add.u64 %rd9, %rd1, %rd8;
  st.global.u32 [%rd9], %r9;
  ret;
}
)");
  std::vector<uint32_t> out(32);
  kernel.addBuffer(out, "out", false);
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << textOf(report);
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(out[i], 10 * (i % 4 + 1) + i + 1000 + 255 - 128);
}

TEST(Statistics, BankConflicts) {
  // Lanes a stride of 32 words apart all meet in one bank.
  for (unsigned stride : {4u, 8u, 128u}) {
    Kernel kernel(".version 8.0\n.target sm_90\n.address_size 64\n"
                  ".visible .entry k()\n{\n.shared .align 16 .b8 box[4096];\n"
                  ".reg .b32 %r<4>;\nmov.u32 %r1, %tid.x;\n"
                  "mov.u32 %r2, box;\nmad.lo.u32 %r3, %r1, " +
                  std::to_string(stride) +
                  ", %r2;\nst.shared.u32 [%r3], %r1;\nret;\n}\n");
    kernel.launch.block[0] = 32;
    Report report = kernel.run();
    ASSERT_TRUE(isClean(report)) << textOf(report);
    EXPECT_EQ(report.statistics.sharedWavefronts, stride / 4);
    EXPECT_EQ(report.statistics.bankConflicts, stride / 4 - 1);
  }
}

} // namespace heddle::ptx::test
