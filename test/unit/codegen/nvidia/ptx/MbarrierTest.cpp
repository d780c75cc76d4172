// MbarrierTest.cpp - random sequences on mbarriers against a model of them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"

namespace heddle::ptx::test {

namespace {

/// The object as the manual describes it (9.7.13.15).
struct Model {
  int64_t expected, pending, bytes = 0;
  uint64_t phase = 0;

  void settle() {
    if (pending != 0 || bytes != 0)
      return;
    ++phase;
    pending = expected;
  }
};

/// Emits a random sequence for one thread, with the results the model gives.
class Sequence {
public:
  explicit Sequence(uint32_t seed) : generator(seed) {
    model.expected = model.pending = 2 + below(6);
    text = "mbarrier.init.shared.b64 [box], " + std::to_string(model.pending) +
           ";\n";
  }

  void step() {
    uint64_t phaseBefore = model.phase;
    int64_t pendingBefore = model.pending;
    bool hasState = true;
    switch (below(9)) {
    case 0:
      emit("mbarrier.arrive.shared.b64 %state, [box];");
      --model.pending;
      break;
    case 1: {
      int64_t count = 1 + below(uint32_t(model.pending));
      emit(semantics("mbarrier.arrive") + ".shared::cta.b64 %state, [box], " +
           std::to_string(count) + ";");
      model.pending -= count;
      break;
    }
    case 2: {
      if (model.pending < 2)
        return;
      int64_t count = 1 + below(uint32_t(model.pending - 1));
      emit("mbarrier.arrive.noComplete.release.cta.shared.b64 %state, [box], " +
           std::to_string(count) + ";");
      model.pending -= count;
      break;
    }
    case 3:
      if (model.expected < 2)
        return;
      emit(semantics("mbarrier.arrive_drop") + ".shared.b64 %state, [box];");
      --model.pending;
      --model.expected;
      break;
    case 4: {
      int64_t bytes = 16 * (1 + below(4));
      emit(semantics("mbarrier.arrive.expect_tx") +
           ".shared.b64 %state, [box], " + std::to_string(bytes) + ";");
      --model.pending;
      model.bytes += bytes;
      break;
    }
    case 5: {
      if (model.expected < 2)
        return;
      emit("mbarrier.arrive_drop.expect_tx.shared.b64 %state, [box], 32;");
      --model.pending;
      --model.expected;
      model.bytes += 32;
      break;
    }
    case 6:
      emit("mbarrier.expect_tx.relaxed.cta.shared.b64 [box], 48;");
      model.bytes += 48;
      hasState = false;
      break;
    case 7:
      if (model.bytes == 0)
        return;
      emit("mbarrier.complete_tx.relaxed.cta.shared.b64 [box], " +
           std::to_string(model.bytes) + ";");
      model.bytes = 0;
      hasState = false;
      break;
    default: // the state may be left out
      emit("mbarrier.arrive.shared::cluster.b64 _, [box];");
      --model.pending;
      hasState = false;
      break;
    }
    model.settle();
    if (model.pending == 0) // bytes outstanding: no more arrivals fit
      finishBytes();
    if (hasState) {
      store("mbarrier.pending_count.b64 %r, %state;", uint64_t(pendingBefore));
      wait("mbarrier.test_wait", "%state", model.phase != phaseBefore);
    }
    wait("mbarrier.test_wait.parity", "0", model.phase & 1);
    wait("mbarrier.test_wait.parity.acquire.cta", "1", !(model.phase & 1));
    // A phase that is over lets try_wait through at once.
    wait("mbarrier.try_wait.parity", model.phase & 1 ? "0" : "1", true);
    wait("mbarrier.try_wait.parity.relaxed.cluster",
         model.phase & 1 ? "0, 10" : "1, 10", true);
  }

  std::string text;
  std::vector<uint32_t> results;

private:
  uint32_t below(uint32_t bound) { return uint32_t(generator() % bound); }
  std::string semantics(const std::string &name) {
    constexpr const char *all[] = {"", ".release.cta", ".relaxed.cta",
                                   ".release.cluster", ".relaxed.cluster"};
    return name + all[below(5)];
  }
  void emit(const std::string &line) { text += line + "\n"; }
  void store(const std::string &line, uint64_t value) {
    text += line + "\nst.global.u32 [%o+" + std::to_string(4 * results.size()) +
            "], %r;\n";
    results.push_back(uint32_t(value));
  }
  void wait(const std::string &name, const std::string &state, bool done) {
    store(name + ".shared.b64 %p, [box], " + state +
              ";\nselp.u32 %r, 1, 0, %p;",
          done);
  }
  void finishBytes() {
    emit("mbarrier.complete_tx.shared.b64 [box], " +
         std::to_string(model.bytes) + ";");
    model.bytes = 0;
    model.settle();
  }

  std::mt19937 generator;
  Model model;
};

} // namespace

TEST(Mbarrier, RandomSequences) {
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    Sequence sequence(seed);
    for (int i = 0; i < 40; ++i)
      sequence.step();
    Kernel kernel(".version 8.6\n.target sm_90\n.address_size 64\n"
                  ".visible .entry k(.param .u64 out)\n{\n"
                  ".shared .align 8 .b64 box;\n.reg .b64 %o, %state;\n"
                  ".reg .b32 %r;\n.reg .pred %p;\nld.param.u64 %o, [out];\n" +
                  sequence.text +
                  "mbarrier.inval.shared.b64 [box];\nret;\n}\n");
    std::vector<uint32_t> out(sequence.results.size());
    kernel.addBuffer(out, "out", false);
    Report report = kernel.run();
    ASSERT_TRUE(isClean(report)) << sequence.text << textOf(report);
    for (size_t i = 0; i < out.size(); ++i)
      ASSERT_EQ(out[i], sequence.results[i]) << "result " << i << " of\n"
                                             << sequence.text;
    recordCompared(kernel, {"mbarrier"});
  }
}

/// Arrivals in the block of rank 0 by all blocks of a cluster, and what they
/// wrote before is seen after the wait.
TEST(Mbarrier, RemoteArrivals) {
  Kernel kernel(R"(.version 8.0
.target sm_90
.address_size 64
.visible .entry k(.param .u64 x, .param .u64 out)
.reqnctapercluster 4, 1, 1
{
  .shared .align 8 .b64 box;
  .reg .b64 %x, %o;
  .reg .b32 %r, %n, %b;
  .reg .pred %p;
  ld.param.u64 %x, [x];
  ld.param.u64 %o, [out];
  mov.u32 %r, %cluster_ctarank;
  mov.u32 %b, box;
  setp.ne.u32 %p, %r, 0;
  @%p bra READY;
  mbarrier.init.shared.b64 [%b], 4;
  fence.mbarrier_init.release.cluster;
READY:
  barrier.cluster.arrive;
  barrier.cluster.wait;
  add.u32 %n, %r, 5;
  mad.wide.u32 %x, %r, 4, %x;
  st.global.u32 [%x], %n;
  mapa.shared::cluster.u32 %n, %b, 0;
  mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%n];
  @%p bra END;
WAIT:
  mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p, [%b], 0;
  @!%p bra WAIT;
  ld.param.u64 %x, [x];
  ld.global.v4.u32 {%r, %n, %b, %r}, [%x];
  add.u32 %n, %n, %b;
  add.u32 %n, %n, %r;
  st.global.u32 [%o], %n;
END:
  barrier.cluster.arrive;
  barrier.cluster.wait;
  ret;
}
)");
  std::vector<uint32_t> x(4), out(1);
  kernel.addBuffer(x, "x", false);
  kernel.addBuffer(out, "out", false);
  kernel.launch.grid[0] = 4;
  kernel.launch.block[0] = 1;
  for (uint64_t seed = 1; seed < 6; ++seed) {
    kernel.launch.options.seed = seed;
    Report report = kernel.run();
    ASSERT_TRUE(isClean(report)) << textOf(report);
    EXPECT_EQ(out[0], 6u + 7 + 8);
  }
  recordCompared(kernel, {"mbarrier", "fence.mbarrier_init"});
}

} // namespace heddle::ptx::test
