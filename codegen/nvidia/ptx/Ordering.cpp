// Ordering.cpp - which accesses are ordered: clocks, fences, release, acquire.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Machine.h"

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
                        const Target &target, uint64_t bytes, uint32_t access) {
  if (access == 0)
    return;
  Conflict conflict = races.write(target.memory->cells, target.offset, bytes,
                                  access, warp.clock);
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

void Machine::acquire(Warp &warp, uint64_t address, bool isRelaxed) {
  auto found = released.find(address);
  if (found == released.end())
    return;
  uint32_t own = warp.block->cluster->number;
  // A relaxed load synchronises once a fence follows it.
  Clock &into = isRelaxed ? warp.acquired : warp.clock;
  into.joinFrom(found->second.cluster, found->second.clock, own);
  if (!isRelaxed)
    tick(warp);
}

void Machine::release(Warp &warp, uint64_t address, bool isRelaxed,
                      bool isUpdate) {
  uint32_t own = warp.block->cluster->number;
  if (isRelaxed && !warp.hasFence) {
    // A plain relaxed store ends what was released; an update continues it.
    if (!isUpdate)
      released.erase(address);
    return;
  }
  const Clock &given = isRelaxed ? warp.fence : warp.clock;
  auto [place, isNew] = released.try_emplace(address);
  Released &slot = place->second;
  if (isNew || !isUpdate) {
    slot.clock = given;
    slot.cluster = own;
  } else {
    slot.clock.joinFrom(own, given, slot.cluster);
  }
  if (!isRelaxed)
    tick(warp);
}

void Machine::fence(Warp &warp) {
  warp.clock.join(warp.acquired);
  warp.acquired.clear();
  warp.fence = warp.clock;
  warp.hasFence = true;
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
