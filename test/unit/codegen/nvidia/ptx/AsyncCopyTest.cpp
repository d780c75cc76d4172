// AsyncCopyTest.cpp - cp.async of every size, its groups and its mbarriers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"

namespace heddle::ptx::test {

static constexpr AsyncMode modes[] = {AsyncMode::Late, AsyncMode::Early,
                                      AsyncMode::Random};

/// Runs `copies`, which bring 32 bytes for each of 64 threads from %from to
/// %to, and shows shared memory in `out`.
static std::vector<uint8_t> copied(const std::string &copies,
                                   std::vector<uint8_t> &from, AsyncMode mode) {
  Kernel kernel(R"(.version 8.0
.target sm_90
.address_size 64
.visible .entry k(.param .u64 from, .param .u64 out)
{
  .shared .align 16 .b8 box[2048];
  .shared .align 8 .b64 bars[2];
  .reg .b64 %from, %o, %state, %generic;
  .reg .b32 %t, %to, %n, %v<4>;
  .reg .pred %p, %even;
  ld.param.u64 %from, [from];
  ld.param.u64 %o, [out];
  mov.u32 %t, %tid.x;
  setp.ne.u32 %p, %t, 0;
  @%p bra READY;
  mbarrier.init.shared.b64 [bars], 64;
  mbarrier.init.shared.b64 [bars+8], 128;
READY:
  bar.sync 0;
  mov.u32 %to, box;
  mad.lo.u32 %to, %t, 32, %to;
  mad.wide.u32 %from, %t, 32, %from;
  mad.wide.u32 %o, %t, 32, %o;
  st.shared.v4.u32 [%to], {%t, %t, %t, %t};
  st.shared.v4.u32 [%to+16], {%t, %t, %t, %t};
  and.b32 %n, %t, 1;
  setp.eq.u32 %even, %n, 0;
  and.b32 %n, %t, 15;
)" + copies + R"(
  ld.shared.v4.u32 {%v0, %v1, %v2, %v3}, [%to];
  st.global.v4.u32 [%o], {%v0, %v1, %v2, %v3};
  ld.shared.v4.u32 {%v0, %v1, %v2, %v3}, [%to+16];
  st.global.v4.u32 [%o+16], {%v0, %v1, %v2, %v3};
  ret;
}
)");
  std::vector<uint8_t> out(2048);
  kernel.addBuffer(from, "from");
  kernel.addBuffer(out, "out", false);
  kernel.launch.block[0] = 64;
  kernel.launch.options.async = mode;
  Report report = kernel.run();
  EXPECT_TRUE(isClean(report)) << copies << "\n" << textOf(report);
  if (isClean(report))
    recordCompared(kernel, {"cp.async"});
  return out;
}

static std::vector<uint8_t> source() {
  std::vector<uint8_t> from(2048);
  for (size_t i = 0; i < from.size(); ++i)
    from[i] = uint8_t(i * 29 + i / 256 + 1);
  return from;
}

/// What thread `t` wrote to its bytes before the copies.
static uint8_t before(size_t i) { return i % 4 ? 0 : uint8_t(i / 32); }

TEST(AsyncCopy, SizesAndSourceSizes) {
  struct Form {
    const char *cache;
    unsigned bytes;
  };
  for (Form form :
       {Form{".ca", 4}, Form{".ca", 8}, Form{".ca", 16}, Form{".cg", 16}})
    for (const char *space : {".shared", ".shared::cta"})
      for (const char *hint : {"", ".L2::128B"})
        for (int sourceBytes = -1; sourceBytes <= int(form.bytes);
             sourceBytes += 1)
          for (AsyncMode mode : modes) {
            std::string text = std::string("cp.async") + form.cache + space +
                               ".global" + hint + " [%to+16], [%from], " +
                               std::to_string(form.bytes);
            if (sourceBytes >= 0)
              text += ", " + std::to_string(sourceBytes);
            std::vector<uint8_t> from = source();
            auto out = copied(text + ";\ncp.async.wait_all;", from, mode);
            unsigned taken =
                sourceBytes < 0 ? form.bytes : unsigned(sourceBytes);
            for (size_t i = 0; i < out.size(); ++i) {
              size_t at = i % 32;
              bool inside = at >= 16 && at < 16 + form.bytes;
              uint8_t want = !inside           ? before(i)
                             : at - 16 < taken ? from[i - 16]
                                               : 0;
              ASSERT_EQ(out[i], want) << text << " byte " << i;
            }
          }
}

/// Prefetch sizes and policies change nothing.
TEST(AsyncCopy, Hints) {
  for (const char *cache : {".ca", ".cg"})
    for (const char *space : {".shared", ".shared::cta"})
      for (const char *size : {"", ".L2::64B", ".L2::128B", ".L2::256B"})
        for (bool policy : {false, true}) {
          std::string text =
              "createpolicy.fractional.L2::evict_first.b64 %state, 0.25;\n"
              "cp.async" +
              std::string(cache) + space + ".global" +
              (policy ? ".L2::cache_hint" : "") + size +
              " [%to+16], [%from], 16" + (policy ? ", %state" : "") +
              ";\ncp.async.wait_all;";
          std::vector<uint8_t> from = source();
          auto out = copied(text, from, AsyncMode::Late);
          for (size_t i = 0; i < out.size(); ++i)
            ASSERT_EQ(out[i], i % 32 < 16 ? before(i) : from[i - 16]) << text;
        }
}

/// A source size in a register, and one that a predicate ignores.
TEST(AsyncCopy, SourcesByThread) {
  for (AsyncMode mode : modes) {
    std::vector<uint8_t> from = source();
    auto out = copied("cp.async.cg.shared.global [%to], [%from], 16, %n;\n"
                      "cp.async.ca.shared.global [%to+16], [%from+16], 8, "
                      "%even;\ncp.async.commit_group;\ncp.async.wait_group 0;",
                      from, mode);
    for (size_t i = 0; i < out.size(); ++i) {
      size_t t = i / 32, at = i % 32;
      uint8_t want = at < 16   ? (at < t % 16 ? from[i] : 0)
                     : at < 24 ? (t % 2 ? from[i] : 0)
                               : before(i);
      ASSERT_EQ(out[i], want) << "byte " << i;
    }
  }
}

/// Waits that leave groups pending wait for the older ones.
TEST(AsyncCopy, Groups) {
  for (unsigned keep : {0u, 1u, 2u})
    for (AsyncMode mode : modes) {
      std::string text = "cp.async.ca.shared.global [%to], [%from], 8;\n"
                         "cp.async.ca.shared.global [%to+8], [%from+8], 8;\n"
                         "cp.async.commit_group;\n";
      for (unsigned i = 0; i < keep; ++i) {
        std::string at = std::to_string(16 + 4 * i);
        text += "cp.async.ca.shared.global [%to+" + at + "], [%from+" + at +
                "], 4;\ncp.async.commit_group;\n";
      }
      text += "cp.async.wait_group " + std::to_string(keep) +
              ";\nld.shared.v2.u32 {%v0, %v1}, [%to];\n"
              "ld.shared.v2.u32 {%v2, %v3}, [%to+8];\n"
              "cp.async.wait_group 0;\nxor.b32 %v0, %v0, %v2;\n"
              "st.shared.u32 [%to+28], %v0;";
      std::vector<uint8_t> from = source();
      auto out = copied(text, from, mode);
      for (size_t i = 0; i < out.size(); ++i) {
        size_t at = i % 32, first = i / 32 * 32;
        uint8_t want =
            at < 16 + 4 * keep ? from[i]
            : at < 28
                ? before(i)
                : uint8_t(from[first + at - 28] ^ from[first + at - 28 + 8]);
        ASSERT_EQ(out[i], want) << text << " byte " << i;
      }
    }
}

/// Copies that arrive when they are done, in and beyond the expected count, by
/// a shared and by a generic address.
TEST(AsyncCopy, Arrivals) {
  struct {
    const char *arrive;
    bool counts; ///< the thread arrives as well
  } forms[] = {
      {"cp.async.mbarrier.arrive.noinc.shared.b64 [bars];", false},
      {"cp.async.mbarrier.arrive.noinc.shared::cta.b64 [bars];", false},
      {"cp.async.mbarrier.arrive.shared.b64 [bars];\n"
       "mbarrier.arrive.shared.b64 %state, [bars];",
       true},
      {"cp.async.mbarrier.arrive.shared::cta.b64 [bars];\n"
       "mbarrier.arrive.shared.b64 %state, [bars];",
       true},
      {"cvt.u64.u32 %generic, %v0;\ncvta.shared.u64 %generic, %generic;\n"
       "cp.async.mbarrier.arrive.b64 [%generic];\n"
       "mbarrier.arrive.shared.b64 %state, [bars];",
       true},
      {"cvt.u64.u32 %generic, %v0;\ncvta.shared.u64 %generic, %generic;\n"
       "cp.async.mbarrier.arrive.noinc.b64 [%generic];",
       false}};
  for (auto &form : forms)
    for (AsyncMode mode : modes) {
      std::string text = std::string("mov.u32 %v0, bars;\n"
                                     "cp.async.cg.shared.global [%to+16], "
                                     "[%from], 16;\n") +
                         form.arrive +
                         "\nWAIT:\nmbarrier.try_wait.parity.shared.b64 %p, "
                         "[bars], 0;\n@!%p bra WAIT;\nxor.b32 %to, %to, 1024;";
      std::vector<uint8_t> from = source();
      auto out = copied(text, from, mode);
      for (size_t i = 0; i < out.size(); ++i) {
        size_t seen = i ^ 1024; // what a thread of the other warp copied
        ASSERT_EQ(out[i], seen % 32 < 16 ? before(seen) : from[seen - 16])
            << form.arrive << " byte " << i;
      }
    }
}

/// A loop that polls and reads a clock never repeats itself, so no warp is ever
/// out of work: the copies must complete all the same.
TEST(AsyncCopyTest, CompletesForWaitsThatReadAClock) {
  for (AsyncMode mode : modes) {
    std::vector<uint8_t> from = source();
    auto out = copied("cp.async.cg.shared.global [%to+16], [%from], 16;\n"
                      "cp.async.mbarrier.arrive.noinc.shared.b64 [bars];\n"
                      "WAIT:\nmov.u64 %generic, %globaltimer;\n"
                      "mbarrier.test_wait.parity.shared.b64 %p, [bars], 0;\n"
                      "@!%p bra WAIT;",
                      from, mode);
    for (size_t i = 0; i < out.size(); ++i)
      ASSERT_EQ(out[i], i % 32 < 16 ? before(i) : from[i - 16]) << "byte " << i;
  }
}

/// The last copies of a producer arrive although it exits without a wait. Its
/// use of the mbarrier, which the consumer ends, was before its own barrier.
TEST(AsyncCopyTest, ArrivesForAWarpThatHasExited) {
  for (AsyncMode mode : modes) {
    std::vector<uint8_t> from = source();
    auto out = copied("cp.async.cg.shared.global [%to+16], [%from], 16;\n"
                      "cp.async.mbarrier.arrive.noinc.shared.b64 [bars];\n"
                      "setp.lt.u32 %p, %t, 32;\n"
                      "@%p bar.arrive 1, 64;\n@%p ret;\n"
                      "WAIT:\nmbarrier.try_wait.parity.shared.b64 %p, "
                      "[bars], 0;\n@!%p bra WAIT;\nbar.sync 1, 64;\n"
                      "setp.eq.u32 %p, %t, 32;\n"
                      "@%p mbarrier.inval.shared.b64 [bars];\n"
                      "sub.u32 %to, %to, 1024;",
                      from, mode);
    for (size_t i = 1024; i < out.size(); ++i) {
      size_t seen = i - 1024; // what a thread of the warp that left copied
      ASSERT_EQ(out[i], seen % 32 < 16 ? before(seen) : from[seen - 16]);
    }
  }
}

} // namespace heddle::ptx::test
