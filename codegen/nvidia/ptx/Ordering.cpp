// Ordering.cpp - which accesses are ordered: clocks, fences, release, acquire.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Machine.h"

#include <algorithm>

namespace heddle::ptx {

uint32_t Warp::agentOf(unsigned kind) const {
  // The four warps of a warpgroup issue one wgmma together.
  uint32_t issuer = kind == WgmmaAgent ? index / 4 * 4 : index;
  return block->firstAgent + kind * uint32_t(block->warps.size()) + issuer;
}

uint32_t Machine::accessOf(const Warp &warp, const Op &op, uint32_t agent,
                           uint32_t clock, uint8_t flags) {
  Access access;
  access.cluster = warp.block->cluster->number;
  access.agent = agent;
  access.clock = clock;
  access.op = indexOf(op);
  access.flags = flags;
  access.rank = uint8_t(warp.block->rank);
  bool wasFull = races.isFull();
  uint32_t id = races.intern(access);
  if (races.isFull() && !wasFull)
    report.notes.push_back("race checking stopped: the table of accesses is "
                           "full");
  return id;
}

void Machine::raceRead(Warp &warp, const Op &op, unsigned lane,
                       const Target &target, uint64_t bytes, uint32_t access) {
  if (access == 0 || target.memory->readOnly)
    return;
  Conflict conflict = races.read(target.memory->cells, target.offset, bytes,
                                 access, warp.clock);
  if (conflict.kind != Conflict::Kind::None)
    reportConflict(warp, op, lane, target, conflict, false);
}

void Machine::raceWrite(Warp &warp, const Op &op, unsigned lane,
                        const Target &target, uint64_t bytes, uint32_t access,
                        bool repeats) {
  if (access == 0)
    return;
  Conflict conflict = races.write(target.memory->cells, target.offset, bytes,
                                  access, warp.clock, repeats);
  if (conflict.kind != Conflict::Kind::None)
    reportConflict(warp, op, lane, target, conflict, true);
}

void Machine::reportConflict(Warp &warp, const Op &op, unsigned lane,
                             const Target &target, const Conflict &conflict,
                             bool isWrite) {
  const Memory &memory = *target.memory;
  uint64_t offset = std::max(conflict.offset, target.offset);
  std::string place = "byte " + std::to_string(offset) + " of " + memory.name;
  uint64_t address = memory.address + offset;
  if (conflict.kind == Conflict::Kind::Proxy) {
    find(FindingKind::ProxyFence, warp, op, lane, address,
         std::string(isWrite ? "writes " : "reads ") + place +
             " through the async proxy, but no fence.proxy.async follows " +
             describe(conflict.other));
    return;
  }
  bool otherWrites = conflict.kind != Conflict::Kind::ReadWrite;
  find(FindingKind::Race, warp, op, lane, address,
       std::string(isWrite ? "writes " : "reads ") + place +
           ", unordered with the " + (otherWrites ? "write" : "read") + " of " +
           describe(conflict.other));
}

void Machine::tick(Warp &warp) {
  warp.clock.raise(warp.agent, warp.clock.of(warp.agent) + 1);
}

//===----------------------------------------------------------------------===//
// Release and acquire (PTX ISA 8.8)
//===----------------------------------------------------------------------===//

/// The smallest scope that holds the warp and the block of that rank.
static Scope scopeAround(const Warp &warp, uint32_t cluster, uint32_t rank) {
  if (warp.block->cluster->number != cluster)
    return Scope::Device;
  return warp.block->rank == rank ? Scope::Block : Scope::Cluster;
}

void Machine::acquire(Warp &warp, uint64_t address, bool isRelaxed,
                      Scope scope) {
  auto found = released.find(address);
  if (found == released.end())
    return;
  const Released &slot = found->second;
  uint32_t own = warp.block->cluster->number;
  auto take = [&](uint32_t cluster, const Clock &clock, Scope needed) {
    if (needed > scope)
      return;
    // A relaxed load synchronises once a fence follows it.
    Clock &into = isRelaxed ? warp.acquired[size_t(needed)] : warp.clock;
    into.joinFrom(cluster, clock, own);
  };
  // Where several blocks have released, the scope is taken to be wide enough.
  auto takeShared = [&](const ReleasedClock &from) {
    if (from.blocks != 0)
      take(from.cluster, from.clock,
           from.blocks > 1 ? Scope::Block
                           : scopeAround(warp, from.cluster, from.rank));
  };
  takeShared(slot.toDevice);
  if (auto near = slot.inCluster.find(own); near != slot.inCluster.end())
    takeShared(near->second);
  if (auto near = slot.inBlock.find({own, warp.block->rank});
      near != slot.inBlock.end())
    take(own, near->second, Scope::Block);
  if (!isRelaxed)
    tick(warp);
}

/// Adds what a warp releases to the threads in `scope`.
static void give(Released &slot, const Warp &warp, const Clock &clock,
                 Scope scope) {
  uint32_t own = warp.block->cluster->number, rank = warp.block->rank;
  if (scope == Scope::Block)
    return slot.inBlock[{own, rank}].join(clock);
  ReleasedClock &to =
      scope == Scope::Cluster ? slot.inCluster[own] : slot.toDevice;
  if (to.blocks == 0) {
    to.clock = clock;
    to.cluster = own;
    to.rank = rank;
    to.blocks = 1;
    return;
  }
  to.clock.joinFrom(own, clock, to.cluster);
  if (to.cluster != own || to.rank != rank)
    to.blocks = 2;
}

void Machine::release(Warp &warp, uint64_t address, bool isRelaxed,
                      bool isUpdate, Scope scope) {
  bool gives =
      !isRelaxed || warp.hasFence[0] || warp.hasFence[1] || warp.hasFence[2];
  if (!gives) {
    // A plain relaxed store ends what was released; an update continues it.
    if (!isUpdate)
      released.erase(address);
    return;
  }
  Released &slot = released[address];
  if (!isUpdate) {
    slot.toDevice.blocks = 0;
    slot.inBlock.clear();
    slot.inCluster.clear();
  }
  if (!isRelaxed) {
    give(slot, warp, warp.clock, scope);
    return tick(warp);
  }
  // The fence and the store reach those in the scopes of both.
  for (size_t reach = 0; reach < 3; ++reach)
    if (warp.hasFence[reach])
      give(slot, warp, warp.fence[reach], std::min(Scope(reach), scope));
}

void Machine::fence(Warp &warp, Scope scope) {
  for (size_t reach = 0; reach <= size_t(scope); ++reach) {
    warp.clock.join(warp.acquired[reach]);
    warp.acquired[reach].clear();
    warp.hasFence[reach] = false; // the new fence covers it
  }
  warp.fence[size_t(scope)] = warp.clock;
  warp.hasFence[size_t(scope)] = true;
  tick(warp);
}

void Machine::proxyFence(Warp &warp, bool ofShared, bool ofGlobal) {
  Clock &clock = warp.clock;
  if (ofShared)
    clock.fenced[0] = clock.seen;
  if (ofGlobal)
    clock.fenced[1] = clock.seen;
  tick(warp);
}

bool Machine::chance() {
  switch (launch.options.async) {
  case AsyncMode::Early:
    return true;
  case AsyncMode::Late:
    return false;
  case AsyncMode::Random:
    return random.below(4) == 0;
  }
  return false;
}

} // namespace heddle::ptx
