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
    text = spelled("mbarrier.init", {""}, "", false) + ", " +
           std::to_string(model.pending) + ";\n";
  }

  void step() {
    uint64_t phaseBefore = model.phase;
    int64_t pendingBefore = model.pending;
    // A state may be dropped; an mbarrier of the cluster gives none.
    bool hasState = below(3) != 0;
    switch (below(8)) {
    case 0:
      arrive("mbarrier.arrive", hasState, 1);
      break;
    case 1:
      arrive("mbarrier.arrive", hasState, 1 + below(uint32_t(model.pending)),
             true);
      break;
    case 2: {
      if (model.pending < 2)
        return;
      int64_t count = 1 + below(uint32_t(model.pending - 1));
      bool drops = model.expected > count && below(2);
      emit(spelled(drops ? "mbarrier.arrive_drop.noComplete"
                         : "mbarrier.arrive.noComplete",
                   {"", ".release.cta"}, resultOf(hasState), false) +
           ", " + std::to_string(count) + ";");
      model.pending -= count;
      model.expected -= drops ? count : 0;
      break;
    }
    case 3:
      if (model.expected < 2)
        return;
      arrive("mbarrier.arrive_drop", hasState, 1, below(2));
      --model.expected;
      break;
    case 4:
      arriveWithBytes("mbarrier.arrive.expect_tx", hasState,
                      16 * (1 + below(4)));
      break;
    case 5:
      if (model.expected < 2)
        return;
      arriveWithBytes("mbarrier.arrive_drop.expect_tx", hasState, 32);
      --model.expected;
      break;
    case 6:
      emit(spelled("mbarrier.expect_tx", byteOrders, "", true) + ", 48;");
      model.bytes += 48;
      hasState = false;
      break;
    default:
      if (model.bytes == 0)
        return;
      completeBytes();
      hasState = false;
      break;
    }
    model.settle();
    if (model.pending == 0) { // bytes outstanding: no more arrivals fit
      completeBytes();
      model.settle();
    }
    bool isOver = model.phase != phaseBefore;
    if (hasState) {
      store("mbarrier.pending_count.b64 %r, %state;", uint64_t(pendingBefore));
      wait("mbarrier.test_wait", "%state", isOver);
      if (isOver)
        wait("mbarrier.try_wait", below(2) ? "%state" : "%state, 10", true);
    }
    wait("mbarrier.test_wait.parity", "0", model.phase & 1);
    wait("mbarrier.test_wait.parity", "1", !(model.phase & 1));
    // A phase that is over lets try_wait through at once.
    std::string over = model.phase & 1 ? "0" : "1";
    wait("mbarrier.try_wait.parity", over, true);
    wait("mbarrier.try_wait.parity", over + ", 10", true);
  }

  std::string invalidation() {
    return spelled("mbarrier.inval", {""}, "", false) + ";\n";
  }

  std::string text;
  std::vector<uint32_t> results;

private:
  using Orders = std::vector<const char *>;
  static inline const Orders arrivalOrders = {
      "", ".release.cta", ".relaxed.cta", ".release.cluster",
      ".relaxed.cluster"};
  static inline const Orders waitOrders = {"", ".acquire.cta", ".relaxed.cta",
                                           ".acquire.cluster",
                                           ".relaxed.cluster"};
  static inline const Orders byteOrders = {"", ".relaxed.cta",
                                           ".relaxed.cluster"};

  uint32_t below(uint32_t bound) { return uint32_t(generator() % bound); }
  static const char *resultOf(bool hasState) {
    return hasState ? "%state, " : "_, ";
  }
  /// The instruction up to the address, in one of the spellings it has.
  std::string spelled(const std::string &name, const Orders &orders,
                      const char *result, bool reachesCluster) {
    constexpr const char *spaces[] = {"", ".shared", ".shared::cta",
                                      ".shared::cluster"};
    uint32_t space = below(reachesCluster ? 4 : 3);
    return name + orders[below(uint32_t(orders.size()))] + spaces[space] +
           ".b64 " + result + (space == 0 ? "[%generic]" : "[box]");
  }
  void arrive(const char *name, bool hasState, int64_t count,
              bool namesCount = false) {
    emit(spelled(name, arrivalOrders, resultOf(hasState), !hasState) +
         (namesCount ? ", " + std::to_string(count) : "") + ";");
    model.pending -= count;
  }
  void arriveWithBytes(const char *name, bool hasState, int64_t bytes) {
    emit(spelled(name, arrivalOrders, resultOf(hasState), !hasState) + ", " +
         std::to_string(bytes) + ";");
    --model.pending;
    model.bytes += bytes;
  }
  void completeBytes() {
    emit(spelled("mbarrier.complete_tx", byteOrders, "", true) + ", " +
         std::to_string(model.bytes) + ";");
    model.bytes = 0;
  }
  void emit(const std::string &line) { text += line + "\n"; }
  void store(const std::string &line, uint64_t value) {
    text += line + "\nst.global.u32 [%o+" + std::to_string(4 * results.size()) +
            "], %r;\n";
    results.push_back(uint32_t(value));
  }
  void wait(const std::string &name, const std::string &state, bool done) {
    store(spelled(name, waitOrders, "%p, ", false) + ", " + state +
              ";\nselp.u32 %r, 1, 0, %p;",
          done);
  }

  std::mt19937 generator;
  Model model;
};

} // namespace

TEST(Mbarrier, RandomSequences) {
  for (uint32_t seed = 1; seed <= 100; ++seed) {
    Sequence sequence(seed);
    for (int i = 0; i < 40; ++i)
      sequence.step();
    Kernel kernel(
        ".version 8.6\n.target sm_90\n.address_size 64\n"
        ".visible .entry k(.param .u64 out)\n{\n"
        ".shared .align 8 .b64 box;\n.reg .b64 %o, %state, %generic;\n"
        ".reg .b32 %r;\n.reg .pred %p;\nld.param.u64 %o, [out];\n"
        "mov.u64 %generic, box;\ncvta.shared.u64 %generic, %generic;\n" +
        sequence.text + sequence.invalidation() + "ret;\n}\n");
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
static void arriveRemotely(const std::string &arrive, bool isOrdered) {
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
  )" + arrive + R"(.shared::cluster.b64 _, [%n];
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
    ASSERT_EQ(has(report, FindingKind::Race), !isOrdered)
        << arrive << textOf(report);
    ASSERT_EQ(isClean(report), isOrdered) << arrive << textOf(report);
    EXPECT_EQ(out[0], 6u + 7 + 8);
  }
  if (isOrdered)
    recordCompared(kernel, {"mbarrier", "fence.mbarrier_init"});
}

/// A relaxed arrival orders what a fence stands between, and nothing else.
TEST(Mbarrier, RemoteArrivals) {
  arriveRemotely("mbarrier.arrive.release.cluster", true);
  arriveRemotely("fence.acq_rel.cluster;\nmbarrier.arrive.relaxed.cluster",
                 true);
  arriveRemotely("mbarrier.arrive.relaxed.cluster", false);
}

} // namespace heddle::ptx::test
