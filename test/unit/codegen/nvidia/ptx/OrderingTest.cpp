// OrderingTest.cpp - races on parts of words, and what scopes order.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Kernel.h"

#include <algorithm>

namespace heddle::ptx::test {

/// Three warps of a block on one word of shared memory at `%s`.
static Report runWarps(const std::string &first, const std::string &second,
                       const std::string &third, uint64_t seed) {
  Kernel kernel(".version 8.3\n.target sm_90\n.address_size 64\n"
                ".visible .entry k(.param .u64 out)\n{\n"
                ".reg .b32 %t, %s, %w, %v;\n.reg .pred %p, %q, %l;\n"
                ".shared .align 4 .b8 word[4];\n"
                "mov.u32 %t, %tid.x;\nmov.u32 %s, word;\nshr.u32 %w, %t, 5;\n"
                "setp.eq.u32 %p, %w, 1;\nsetp.eq.u32 %q, %w, 2;\n"
                "and.b32 %v, %t, 31;\nsetp.eq.u32 %l, %v, 0;\n"
                "@%p bra SECOND;\n@%q bra THIRD;\n" +
                first + "bra END;\nSECOND:\n" + second + "bra END;\nTHIRD:\n" +
                third + "END:\nret;\n}\n");
  std::vector<uint32_t> out(1);
  kernel.addBuffer(out, "out");
  kernel.launch.block[0] = 96;
  kernel.launch.options.seed = seed;
  return kernel.run();
}

/// The second warp writes other bytes than the first, later or earlier; the
/// third is ordered after the second alone.
TEST(Ordering, WritesOfOtherBytesHideNothing) {
  const struct {
    const char *first, *second, *third;
  } cases[] = {
      {"@%l st.shared.u8 [%s], %v;\n", "@%l st.shared.u8 [%s+1], %v;\n",
       "ld.shared.u8 %v, [%s];\n"},
      {"@%l st.shared.u8 [%s+3], 7;\n", "@%l st.shared.u16 [%s], %v;\n",
       "@%l st.shared.u16 [%s+2], %v;\n"},
      {"@%l st.shared.u32 [%s], %v;\n", "", "ld.shared.u8 %v, [%s+2];\n"},
  };
  const std::string both = "bar.sync 1, 64;\n", all = "bar.sync 0;\n";
  for (auto &one : cases)
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      Report hidden =
          runWarps(one.first, one.second + both, both + one.third, seed);
      EXPECT_TRUE(has(hidden, FindingKind::Race)) << textOf(hidden);
      Report ordered =
          runWarps(one.first + all, one.second + all, all + one.third, seed);
      EXPECT_TRUE(isClean(ordered)) << textOf(ordered);
    }
}

/// Bytes of their own for each warp, then the word for one of them, and again.
TEST(Ordering, BytesOfAWordBelongToSeveralWarps) {
  const std::string all = "bar.sync 0;\n";
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    auto warp = [&](const char *offset, bool isReader) {
      std::string own =
          std::string("@%l st.shared.u8 [%s+") + offset + "], %v;\n" + all;
      std::string word = isReader ? "ld.shared.u8 %v, [%s];\n"
                                    "ld.shared.u8 %v, [%s+1];\n"
                                    "@%l st.shared.u32 [%s], %v;\n"
                                  : "";
      return own + word + all + own;
    };
    Report report =
        runWarps(warp("0", false), warp("1", true), warp("2", false), seed);
    EXPECT_TRUE(isClean(report)) << textOf(report);
  }
}

namespace {

const char *const scopes[] = {"cta", "cluster", "gpu"};

/// How the two sides are apart, by the scope that holds both.
struct Place {
  unsigned blocks, threads, cluster;
};
constexpr Place places[] = {{1, 64, 0}, {2, 32, 2}, {2, 32, 0}};

/// One side writes data and a flag, the other waits for the flag.
Report runMessage(const std::string &send, const std::string &receive,
                  const Place &place) {
  Kernel kernel(".version 8.3\n.target sm_90\n.address_size 64\n"
                ".visible .entry k(.param .u64 data, .param .u64 flag)\n{\n"
                ".reg .b32 %t, %s, %v, %one;\n.reg .b64 %d, %f, %at;\n"
                ".reg .pred %p, %q, %l;\nld.param.u64 %d, [data];\n"
                "ld.param.u64 %f, [flag];\nmov.u32 %t, %tid.x;\n"
                "mov.u32 %s, %ctaid.x;\nshr.u32 %v, %t, 5;\n"
                "or.b32 %s, %s, %v;\nand.b32 %t, %t, 31;\nmov.u32 %one, 1;\n"
                "mad.wide.u32 %at, %t, 4, %d;\nsetp.eq.u32 %l, %t, 0;\n"
                "setp.ne.u32 %p, %s, 0;\n@%p bra RECEIVE;\n"
                "st.global.u32 [%at], %t;\nbar.warp.sync -1;\n" +
                send + "bra END;\nRECEIVE:\n" + receive +
                "ld.global.u32 %v, [%at];\nEND:\nret;\n}\n");
  std::vector<uint32_t> data(32), flag(1);
  kernel.addBuffer(data, "data");
  kernel.addBuffer(flag, "flag");
  kernel.launch.grid[0] = place.blocks;
  kernel.launch.block[0] = place.threads;
  if (place.cluster != 0)
    for (unsigned d = 0; d < 3; ++d)
      kernel.launch.cluster[d] = d == 0 ? place.cluster : 1;
  return kernel.run();
}

void expectOrdered(const Report &report, bool isOrdered,
                   const std::string &what) {
  EXPECT_EQ(isClean(report), isOrdered) << what << "\n" << textOf(report);
  EXPECT_EQ(has(report, FindingKind::Race), !isOrdered) << what;
}

std::string receiveBy(const std::string &load, const std::string &after) {
  return load + "setp.eq.u32 %q, %v, 0;\n@%q bra RECEIVE;\n" + after;
}

} // namespace

/// Fences and relaxed accesses order only whom all of them reach.
TEST(Ordering, ScopesOfFences) {
  for (size_t apart = 0; apart < 3; ++apart)
    for (size_t choice = 0; choice < 81; ++choice) {
      size_t of[4] = {choice % 3, choice / 3 % 3, choice / 9 % 3, choice / 27};
      std::string s[4];
      for (int i = 0; i < 4; ++i)
        s[i] = scopes[of[i]];
      Report report =
          runMessage("fence.acq_rel." + s[0] + ";\n@%l st.relaxed." + s[1] +
                         ".global.u32 [%f], %one;\n",
                     receiveBy("ld.relaxed." + s[2] + ".global.u32 %v, [%f];\n",
                               "fence.acq_rel." + s[3] + ";\n"),
                     places[apart]);
      expectOrdered(report, *std::min_element(of, of + 4) >= apart,
                    s[0] + " " + s[1] + " " + s[2] + " " + s[3] + ", apart " +
                        std::to_string(apart));
    }
}

TEST(Ordering, ScopesOfReleaseAndAcquire) {
  for (size_t apart = 0; apart < 3; ++apart)
    for (size_t choice = 0; choice < 9; ++choice) {
      std::string given = scopes[choice % 3], taken = scopes[choice / 3];
      bool isOrdered = std::min(choice % 3, choice / 3) >= apart;
      Report plain = runMessage(
          "@%l st.release." + given + ".global.u32 [%f], %one;\n",
          receiveBy("ld.acquire." + taken + ".global.u32 %v, [%f];\n", ""),
          places[apart]);
      expectOrdered(plain, isOrdered, given + " " + taken);
      Report atomic = runMessage(
          "@%l red.release." + given + ".global.add.u32 [%f], %one;\n",
          receiveBy("atom.acquire." + taken + ".global.or.b32 %v, [%f], 0;\n",
                    ""),
          places[apart]);
      expectOrdered(atomic, isOrdered, given + " " + taken + ", atomic");
    }
}

/// A narrow fence behind a wide one takes nothing back.
TEST(Ordering, NarrowFencesKeepWhatWideOnesReleased) {
  Report report =
      runMessage("fence.acq_rel.gpu;\nfence.acq_rel.cta;\n"
                 "@%l st.relaxed.gpu.global.u32 [%f], %one;\n",
                 receiveBy("ld.relaxed.gpu.global.u32 %v, [%f];\n",
                           "fence.acq_rel.cta;\nfence.acq_rel.gpu;\n"),
                 places[2]);
  expectOrdered(report, true, "two fences");
}

} // namespace heddle::ptx::test
