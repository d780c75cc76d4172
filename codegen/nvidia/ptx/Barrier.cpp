// Barrier.cpp - bar, barrier, barrier.cluster, bar.warp, fences (PTX
// ISA 9.7.13). SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Access.h"
#include "codegen/nvidia/ptx/Elementwise.h"

namespace heddle::ptx {

namespace {

enum BarrierMode : uint8_t { Sync, Arrive, RedPopc, RedAnd, RedOr };

/// Row `b`, if any, holds the thread count; row `a` the barrier's number.
void barrier(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  unsigned lane = unsigned(std::countr_zero(lanes));
  uint32_t number = warp.row<uint32_t>(op.a)[lane];
  uint32_t count = op.b == noRow ? 0 : warp.row<uint32_t>(op.b)[lane];
  ++machine.statistics.barriers;
  if (number > 15 || count % warpSize != 0 || count > 1024) {
    machine.find(FindingKind::OutOfBounds, warp, op, lane, 0,
                 "names barrier " + std::to_string(number) + " for " +
                     std::to_string(count) +
                     " threads: barriers are 0 to 15, counts multiples of 32");
    throw Stop{Status::Stopped};
  }
  NamedBarrier &named = warp.block->barriers[number];
  if (named.arrived != 0 && named.expected != count)
    machine.find(FindingKind::Divergence, warp, op, lane, 0,
                 "expects " + std::to_string(count) + " threads at barrier " +
                     std::to_string(number) + ", others expect " +
                     std::to_string(named.expected) + " (0: all)");
  named.expected = count;
  // A warp counts as a whole, whatever lanes of it have exited.
  named.arrived += warpSize;
  named.op = machine.indexOf(op);
  if (machine.checks) {
    named.clock.join(warp.clock);
    machine.tick(warp);
  }
  if (op.mode >= RedPopc) {
    Lanes value = warp.predicate(op.c) ^ (op.mode2 ? allLanes : 0);
    Lanes yes = value & lanes;
    named.reduction += uint32_t(std::popcount(yes));
    named.all &= yes == lanes;
    named.any |= yes != 0;
  }
  ++machine.epoch;
  if (op.mode != Arrive)
    warp.sleep(Waiting::Barrier, false, number);
  machine.checkBarriers(*warp.block);
}

void deliver(Warp &warp, const Op &op, Lanes lanes, const NamedBarrier &named) {
  if (op.mode == RedPopc) {
    auto *d = warp.row<uint32_t>(op.d);
    forLanes(lanes, [&](unsigned i) { d[i] = named.reduction; });
  } else if (op.mode == RedAnd || op.mode == RedOr) {
    bool result = op.mode == RedAnd ? named.all : named.any;
    Lanes &d = warp.predicate(op.d);
    d = (d & ~lanes) | (result ? lanes : 0);
  }
}

enum ClusterMode : uint8_t { ClusterArrive, ClusterWait, RelaxedArrive };

void clusterBarrier(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  Cluster &cluster = *warp.block->cluster;
  unsigned lane = unsigned(std::countr_zero(lanes));
  ++machine.statistics.barriers;
  if (op.mode == ClusterWait) {
    if (!warp.clusterArrived) {
      machine.find(FindingKind::Divergence, warp, op, lane, 0,
                   "waits at the barrier of the cluster without having "
                   "arrived");
      throw Stop{Status::Stopped};
    }
    if (cluster.phase == warp.clusterPhase) {
      warp.sleep(Waiting::ClusterBarrier, true, 0);
      return;
    }
    warp.clusterArrived = false;
    if (machine.checks) {
      warp.clock.join(cluster.completed);
      machine.tick(warp);
    }
    return;
  }
  if (warp.clusterArrived) {
    machine.find(FindingKind::Divergence, warp, op, lane, 0,
                 "arrives twice at the barrier of the cluster");
    throw Stop{Status::Stopped};
  }
  warp.clusterArrived = true;
  warp.clusterPhase = cluster.phase;
  cluster.arrivedThreads += uint32_t(std::popcount(lanes));
  if (machine.checks && op.mode == RelaxedArrive) {
    // Only what fences have released before. That the rest has been executed
    // is known all the same.
    cluster.arriving.join(warp.lastFence());
    cluster.arriving.raiseInits(warp.agent, warp.initFence);
    cluster.arriving.raiseExecuted(warp.agent, warp.clock.of(warp.agent));
    machine.tick(warp);
  } else if (machine.checks) {
    cluster.arriving.join(warp.clock);
    machine.tick(warp);
  }
  ++machine.epoch;
  machine.checkClusterBarrier(cluster);
}

void buildCluster(Builder &b) {
  int mode = b.takeOneOf({"arrive", "wait"});
  if (mode < 0)
    b.refuse("expected '.arrive' or '.wait'");
  bool isRelaxed = mode == 0 && b.take("relaxed");
  b.take(mode == 0 ? "release" : "acquire");
  // Without `.aligned` lanes may arrive apart; this machine gathers them.
  b.take("aligned");
  b.requireOperands(0, 0);
  b.op.mode = mode == 1   ? ClusterWait
              : isRelaxed ? RelaxedArrive
                          : ClusterArrive;
  b.op.flow = Flow::Wait;
  b.op.convergence = Convergence::Aligned;
  b.op.run = clusterBarrier;
}

void warpBarrier(Warp &, const Op &, Lanes) {}

void buildBlockBarrier(Builder &b) {
  int mode = b.takeOneOf({"sync", "arrive", "red"});
  if (mode < 0)
    b.refuse("expected '.sync', '.arrive' or '.red'");
  if (b.in.opcode() == Opcode::Barrier) // `bar` is aligned, and no word says so
    b.take("aligned");
  b.op.flow = Flow::Wait;
  // Without `.aligned` lanes may arrive apart; the warp is gathered either way,
  // since a barrier counts warps.
  b.op.convergence = Convergence::Aligned;
  b.op.run = barrier;
  if (mode == 2) {
    int kind = b.takeOneOf({"popc", "and", "or"});
    if (kind < 0)
      b.refuse("expected '.popc', '.and' or '.or'");
    b.require(kind == 0 ? "u32" : "pred");
    b.requireOperands(3, 4);
    size_t last = b.operandCount() - 1;
    b.op.mode = uint8_t(RedPopc + kind);
    b.op.a = b.source(1, Type::B32, true);
    if (last == 3)
      b.op.b = b.source(2, Type::B32, true);
    b.op.c = b.predicateSource(b.operand(last), true);
    b.op.mode2 = b.operand(last).negated;
    b.op.d = kind == 0 ? b.destination(0, Type::U32)
                       : b.predicateDestination(b.operand(0));
    return;
  }
  b.requireOperands(mode == 1 ? 2 : 1, 2);
  b.op.mode = mode == 1 ? Arrive : Sync;
  b.op.a = b.source(0, Type::B32, true);
  if (b.operandCount() == 2)
    b.op.b = b.source(1, Type::B32, true);
}

//===----------------------------------------------------------------------===//
// Fences
//===----------------------------------------------------------------------===//

enum FenceMode : uint8_t { Thread, AsyncProxy, MbarrierInit, NoEffect };

enum FencedSpaces : uint8_t { EverySpace, GlobalOnly, SharedOnly };

void fenceOp(Warp &warp, const Op &op, Lanes) {
  Machine &machine = *warp.machine;
  if (!machine.checks || op.mode == NoEffect)
    return;
  if (op.mode == Thread)
    return machine.fence(warp, Scope(op.mode2));
  if (op.mode == MbarrierInit) {
    warp.initFence = warp.clock.of(warp.agent);
    return machine.tick(warp);
  }
  machine.proxyFence(warp, op.mode2 != GlobalOnly, op.mode2 != SharedOnly);
}

/// `.sync_restrict` narrows a fence of a cluster to objects in shared memory,
/// releases to those of the block; every object is ordered here.
void takeRestriction(Builder &b, bool releases) {
  b.require("cluster");
  b.require(releases ? "sync_restrict::shared::cta"
                     : "sync_restrict::shared::cluster");
}

void buildThreadFence(Builder &b) {
  b.requireOperands(0, 0);
  b.op.mode = Thread;
  if (b.in.opcode() == Opcode::Membar) {
    int scope = b.takeOneOf({"cta", "gl", "sys"});
    if (scope < 0)
      b.refuse("expected '.cta', '.gl' or '.sys'");
    b.op.mode2 = uint8_t(scope == 0 ? Scope::Block : Scope::Device);
    return;
  }
  if (b.take("mbarrier_init")) {
    b.require("release");
    b.require("cluster");
    b.op.mode = MbarrierInit;
    return;
  }
  int order = b.takeOneOf({"acquire", "release", "sc", "acq_rel"});
  bool isRestricted = b.in.has("sync_restrict::shared::cta") ||
                      b.in.has("sync_restrict::shared::cluster");
  std::optional<Scope> scope = Scope::Cluster;
  if (isRestricted && (order == 0 || order == 1))
    takeRestriction(b, order == 1);
  else
    scope = takeScope(b);
  if (!scope)
    b.refuse("expected a scope");
  b.op.mode2 = uint8_t(*scope);
}

/// fence.proxy.kind; membar.proxy knows `.alias` alone.
void buildProxyFence(Builder &b) {
  bool isFence = b.in.opcode() == Opcode::Fence;
  b.op.mode = NoEffect;
  if (isFence && b.take("tensormap::generic"))
    return buildTensorMapFence(b);
  b.requireOperands(0, 0);
  if (b.take("alias"))
    return;
  b.op.mode = AsyncProxy;
  if (isFence && b.take("async::generic")) {
    // One direction, for what mbarriers order: here the whole fence.
    int order = b.takeOneOf({"acquire", "release"});
    if (order < 0)
      b.refuse("expected '.acquire' or '.release'");
    takeRestriction(b, order == 1);
  } else if (isFence && b.take("async")) {
    int space = b.takeOneOf({"global", "shared::cta", "shared::cluster"});
    b.op.mode2 = space < 0 ? EverySpace : space == 0 ? GlobalOnly : SharedOnly;
  } else {
    b.refuse("this proxy fence is not covered");
  }
}

} // namespace

void Machine::checkBarriers(Block &block) {
  for (uint32_t number = 0; number < 16; ++number) {
    NamedBarrier &named = block.barriers[number];
    uint32_t expected =
        named.expected ? named.expected : block.liveWarps * warpSize;
    if (named.arrived == 0 || named.arrived < expected)
      continue;
    if (named.arrived > expected) {
      const Warp &warp = *block.warps[0];
      find(FindingKind::Divergence, warp, program.code[named.op], 0, 0,
           "brings " + std::to_string(named.arrived) + " threads to barrier " +
               std::to_string(number) + ", which expects " +
               std::to_string(expected));
    }
    NamedBarrier done = std::move(named);
    named = NamedBarrier();
    for (auto &warp : block.warps)
      for (LaneGroup &group : warp->groups) {
        if (group.waiting != Waiting::Barrier || group.object != number)
          continue;
        deliver(*warp, program.code[group.pc], group.lanes, done);
        if (checks) {
          warp->clock.join(done.clock);
          tick(*warp);
        }
        wake(*warp, group);
      }
    ++epoch;
  }
}

void Machine::checkClusterBarrier(Cluster &cluster) {
  uint32_t live = 0;
  for (auto &block : cluster.blocks)
    live += block->liveThreads;
  if (cluster.arrivedThreads == 0 || cluster.arrivedThreads < live)
    return;
  cluster.arrivedThreads = 0;
  ++cluster.phase;
  cluster.completed = std::move(cluster.arriving);
  cluster.arriving.clear();
  ++epoch;
  for (auto &block : cluster.blocks)
    for (auto &warp : block->warps)
      for (LaneGroup &group : warp->groups)
        if (group.waiting == Waiting::ClusterBarrier)
          wake(*warp, group);
}

void buildBarrier(Builder &b) {
  bool isBarrier = b.in.opcode() == Opcode::Barrier;
  if (isBarrier && b.take("cluster"))
    return buildCluster(b);
  if (!isBarrier && b.take("warp")) {
    b.require("sync");
    b.requireOperands(1, 1);
    b.op.members = b.source(0, Type::B32, true);
    b.op.convergence = Convergence::MemberMask;
    b.op.run = warpBarrier;
    return;
  }
  b.take("cta");
  buildBlockBarrier(b);
}

void buildFence(Builder &b) {
  b.op.run = fenceOp;
  b.take("proxy") ? buildProxyFence(b) : buildThreadFence(b);
}

} // namespace heddle::ptx
