// Scheduler.cpp - which warp runs next, and what to do when none can.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Machine.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace heddle::ptx {

/// Longest turn of a warp in instructions. Turns are drawn short where order
/// matters, and long where only speed does.
static constexpr uint64_t checkedTurn = 200, uncheckedTurn = 20000;

/// Waits on mbarriers that fail, per warp that can run, before asynchronous
/// work completes although warps can run: a loop that polls with `test_wait`
/// and reads a clock never repeats itself, and may wait for that work alone.
static constexpr uint64_t pollsPerWarp = 64;

void Machine::run() {
  uint64_t clusters =
      uint64_t(launch.grid[0]) * launch.grid[1] * launch.grid[2] /
      (uint64_t(launch.cluster[0]) * launch.cluster[1] * launch.cluster[2]);
  uint32_t slots = uint32_t(std::min<uint64_t>(residentClusters(), clusters));
  statistics.residentBlocks =
      slots * launch.cluster[0] * launch.cluster[1] * launch.cluster[2];
  uint64_t started = 0, turns = 0;
  for (; started < slots; ++started)
    resident.push_back(startCluster(uint32_t(started)));
  try {
    while (true) {
      if (runnable.empty()) {
        bool refilled = false;
        for (auto &cluster : resident) {
          if (cluster->liveBlocks != 0 || started == clusters)
            continue;
          cluster = startCluster(uint32_t(started++));
          refilled = true;
        }
        if (!refilled && !findWork())
          break;
        continue;
      }
      // Without checks the last warp goes on while its data is in the cache.
      bool anyone = checks || ++turns % 8 == 0;
      size_t pick =
          anyone ? random.below(runnable.size()) : runnable.size() - 1;
      Warp &warp = *runnable[pick];
      runnable[pick] = runnable.back();
      runnable.pop_back();
      warp.isQueued = false;
      Cluster &cluster = *warp.block->cluster;
      runWarp(warp, checks ? 1 + random.below(checkedTurn) : uncheckedTurn);
      if (launch.options.async == AsyncMode::Random && !loads.empty() &&
          chance())
        completeSomeAsync(true);
      if (failedPolls > pollsPerWarp * (runnable.size() + 1)) {
        failedPolls = 0;
        completeSomeAsync(true);
      }
      if (++turns % 256 == 0)
        wakeStuck();
      if (warp.live == 0 && warp.isQueued)
        std::erase(runnable, &warp);
      if (cluster.liveBlocks == 0 && started < clusters) {
        for (auto &slot : resident)
          if (slot.get() == &cluster)
            slot = startCluster(uint32_t(started++));
      } else if (warp.live != 0 && !warp.isStuck && chooseGroup(warp)) {
        enqueue(warp);
      }
    }
  } catch (const Stop &stop) {
    report.status = stop.status;
  }
}

uint64_t Machine::stateHash(const Warp &warp) const {
  uint64_t hash = 0xCBF29CE484222325;
  auto mix = [&](uint64_t value) {
    hash = (hash ^ value) * 0x100000001B3;
    hash ^= hash >> 29;
  };
  for (const LaneGroup &group : warp.groups) {
    mix(warp.groups.size() == 1 ? group.pc : 0);
    mix(group.lanes);
  }
  const std::byte *bytes = warp.bases[0];
  for (uint32_t at = 0; at + 8 <= program.registerBytes; at += 8) {
    uint64_t word;
    std::memcpy(&word, bytes + at, 8);
    mix(word);
  }
  return hash;
}

/// Called when no warp can run. False when all blocks have ended.
bool Machine::findWork() {
  bool anyLive = false;
  for (auto &cluster : resident)
    anyLive |= cluster->liveBlocks != 0;
  if (!anyLive)
    return false;
  // As late as allowed is now: every warp waits.
  if (completeSomeAsync(launch.options.async != AsyncMode::Early))
    return true;
  if (wakeStuck() || pollWaiters())
    return true;
  reportDeadlock();
}

/// Wakes warps that spun on memory, if any memory has changed since.
bool Machine::wakeStuck() {
  bool woken = false;
  for (auto &cluster : resident)
    for (auto &block : cluster->blocks)
      for (auto &warp : block->warps)
        if (warp->isStuck && warp->stuckEpoch != epoch) {
          warp->isStuck = false;
          enqueue(*warp);
          woken = true;
        }
  return woken;
}

/// A try_wait may come back with false after a time. If doing so leads all
/// waiting warps to the same state again, nothing can ever change.
bool Machine::pollWaiters() {
  uint64_t hash = 0;
  std::vector<std::pair<Warp *, LaneGroup *>> waiters;
  for (auto &cluster : resident)
    for (auto &block : cluster->blocks)
      for (auto &warp : block->warps)
        for (LaneGroup &group : warp->groups)
          if (warp->live != 0 && group.waiting == Waiting::Mbarrier) {
            waiters.push_back({warp.get(), &group});
            hash = hash * 31 + stateHash(*warp);
          }
  if (waiters.empty() || (pollEpoch == epoch && pollHash == hash))
    return false;
  pollEpoch = epoch;
  pollHash = hash;
  for (auto [warp, group] : waiters) {
    group->polls = true;
    wake(*warp, *group);
  }
  return true;
}

static std::string maskOf(Lanes lanes) {
  char text[16];
  std::snprintf(text, sizeof(text), "0x%08x", unsigned(lanes));
  return text;
}

void Machine::reportWaiting(Warp &warp, const LaneGroup &group) {
  const Op &op = program.code[group.pc];
  unsigned lane = unsigned(std::countr_zero(group.lanes));
  std::string text;
  auto lineOf = [&](uint32_t other) {
    return std::to_string(locationOf(program.code[other]).line);
  };
  switch (group.waiting) {
  case Waiting::Barrier: {
    const NamedBarrier &barrier = warp.block->barriers[group.object];
    uint32_t expected =
        barrier.expected ? barrier.expected : warp.block->liveWarps * warpSize;
    text = "waits at barrier " + std::to_string(group.object) + ", where " +
           std::to_string(barrier.arrived) + " of " + std::to_string(expected) +
           " threads have arrived";
    break;
  }
  case Waiting::ClusterBarrier:
    text = "waits at the barrier of the cluster";
    break;
  case Waiting::Mbarrier: {
    auto found = group.objectBlock->mbarriers.find(group.object);
    text = "waits for the mbarrier at shared offset " +
           std::to_string(group.object);
    if (found == group.objectBlock->mbarriers.end())
      break;
    const Mbarrier &barrier = found->second;
    text += ", initialised at line " + lineOf(barrier.initOp) + ", in phase " +
            std::to_string(barrier.phase) + ": " +
            std::to_string(barrier.pending) + " arrivals and " +
            std::to_string(barrier.bytes) + " bytes are missing";
    if (barrier.pending == 0 && barrier.bytes != 0)
      find(FindingKind::MbarrierBytes, warp, op, lane,
           group.objectBlock->shared.address + group.object,
           barrier.bytes > 0 ? "waits for " + std::to_string(barrier.bytes) +
                                   " bytes more than the copies bring, which "
                                   "line " +
                                   lineOf(barrier.expectOp) + " expects"
                             : "waits on an mbarrier whose copies brought " +
                                   std::to_string(-barrier.bytes) +
                                   " bytes more than it expects");
    break;
  }
  case Waiting::Convergence:
    find(FindingKind::Divergence, warp, op, lane, 0,
         "is reached by lanes " + maskOf(group.lanes) + " of the live lanes " +
             maskOf(warp.live) + " only (masks)");
    text = "waits for the other lanes of its warp";
    break;
  case Waiting::Registers:
    text = describeRegisterWait(warp, op);
    break;
  case Waiting::Warpgroup:
    text = "waits for a wgmma that the other warps of its warpgroup have not "
           "issued";
    break;
  case Waiting::No:
    text = "repeats itself on memory that nobody writes";
    break;
  }
  find(FindingKind::Deadlock, warp, op, lane, 0, text);
}

void Machine::reportDeadlock() {
  for (auto &cluster : resident)
    for (auto &block : cluster->blocks)
      for (auto &warp : block->warps)
        for (const LaneGroup &group : warp->groups)
          if (warp->live != 0)
            reportWaiting(*warp, group);
  throw Stop{Status::Stopped};
}

} // namespace heddle::ptx
