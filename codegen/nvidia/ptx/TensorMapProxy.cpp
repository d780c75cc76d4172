// TensorMapProxy.cpp - tensor maps that a kernel changes and then copies by
// (PTX ISA 8.8, 9.7.13.4). SPDX-License-Identifier: Apache-2.0 WITH
// LLVM-exception
//
// A tensor copy reads its map through a proxy of its own. What the generic
// proxy wrote it sees past a release by the writer's side
// (`fence.proxy.tensormap:: generic.release` or `tensormap.cp_fenceproxy`) and
// an acquire of the map's address after that, both on the way from the write to
// the copy.

#include "codegen/nvidia/ptx/Access.h"

#include <algorithm>

namespace heddle::ptx {

static constexpr uint64_t mapBytes = 128;

void Machine::releaseMaps(Warp &warp) {
  Clock &clock = warp.clock;
  clock.mapReleased[warp.block->cluster->number] = clock.seen;
  for (const auto &[cluster, seen] : clock.others)
    clock.mapReleased[cluster] = seen;
  tick(warp);
}

static bool isReleased(const Access &write, const Clock &clock) {
  auto found = clock.mapReleased.find(write.cluster);
  return found != clock.mapReleased.end() &&
         write.agent < found->second.size() &&
         found->second[write.agent] >= write.clock;
}

void Machine::acquireMap(Warp &warp, const Op &op, const Target &map,
                         Scope scope) {
  Access by;
  by.cluster = warp.block->cluster->number;
  by.agent = warp.agent;
  by.clock = warp.clock.of(warp.agent);
  by.op = indexOf(op);
  std::vector<AcquiredWrite> kept;
  std::vector<AcquiredWrite> &known = acquiredMaps[map.key()];
  uint32_t last = 0;
  races.forWrites(map.memory->cells, map.offset, mapBytes,
                  [&](uint32_t id, const Access &write) {
                    if (id == last)
                      return;
                    last = id;
                    bool isKnown = false;
                    for (const AcquiredWrite &one : known)
                      if (one.access == id) {
                        kept.push_back(one);
                        isKnown |= one.by.cluster == by.cluster &&
                                   one.by.agent == by.agent;
                      }
                    bool inBlock = write.cluster == by.cluster &&
                                   write.rank == uint8_t(warp.block->rank);
                    if (!isKnown && isReleased(write, warp.clock) &&
                        (scope != Scope::Block || inBlock))
                      kept.push_back({id, by});
                  });
  known = std::move(kept);
  tick(warp);
}

void Machine::checkMapUse(Warp &warp, const Op &op, unsigned lane,
                          const Target &map) {
  auto acquired = acquiredMaps.find(map.key());
  uint32_t own = warp.block->cluster->number, last = 0;
  bool found = false;
  races.forWrites(
      map.memory->cells, map.offset, mapBytes,
      [&](uint32_t id, const Access &write) {
        bool isOurs = !(write.flags & Access::Async) &&
                      RaceTable::isOrdered(write, own, warp.clock);
        if (id == last || found || !isOurs)
          return; // what is not in order is a race already
        last = id;
        bool isAcquired =
            acquired != acquiredMaps.end() &&
            std::any_of(acquired->second.begin(), acquired->second.end(),
                        [&](const AcquiredWrite &one) {
                          return one.access == id &&
                                 RaceTable::isOrdered(one.by, own, warp.clock);
                        });
        if (isAcquired)
          return;
        found = true;
        find(FindingKind::ProxyFence, warp, op, lane,
             map.memory->address + map.offset,
             std::string("copies by a tensor map in ") + map.memory->name +
                 (isReleased(write, warp.clock)
                      ? ", but no fence.proxy.tensormap::generic.acquire of it "
                        "follows the release of "
                      : ", but no fence.proxy.tensormap::generic.release or "
                        "tensormap.cp_fenceproxy follows ") +
                 describe(write));
      });
}

namespace {

enum FenceMode : uint8_t { WideAddress = 1 };

/// `op.mode2` is the scope.
void release(Warp &warp, const Op &op, Lanes) {
  if (!warp.machine->checks)
    return;
  warp.machine->fence(warp, Scope(op.mode2));
  warp.machine->releaseMaps(warp);
}

void acquire(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  LaneTargets targets;
  laneAddresses(warp, op.a, op.mode & WideAddress, op.immediate, lanes,
                targets);
  // A fence touches no memory: its range need not be that of a map.
  resolveLanes(warp, op, lanes, {Space::Generic, 1, 1, false}, targets);
  if (!machine.checks)
    return;
  machine.fence(warp, Scope(op.mode2));
  uint64_t last = 0;
  for (Lanes left = targets.valid; left != 0; left &= left - 1) {
    const Target &map = targets.target[std::countr_zero(left)];
    bool isMap = map.memory->kind == Memory::Kind::Global &&
                 map.offset + mapBytes <= map.memory->bytes;
    if (map.key() == last || !isMap)
      continue;
    last = map.key();
    machine.acquireMap(warp, op, map, Scope(op.mode2));
  }
}

} // namespace

void buildTensorMapFence(Builder &b) {
  int direction = b.takeOneOf({"acquire", "release"});
  std::optional<Scope> scope = takeScope(b);
  if (direction < 0)
    b.refuse("expected '.acquire' or '.release'");
  if (!scope)
    b.refuse("expected a scope");
  b.op.mode2 = uint8_t(*scope);
  b.op.mode = 0;
  if (direction == 1) {
    b.requireOperands(0, 0);
    b.op.run = release;
    return;
  }
  b.requireOperands(2, 2);
  if (b.immediate(1) != mapBytes)
    b.refuse("expected a size of 128");
  bool wide = false;
  b.op.a = b.address(b.operand(0), b.op.immediate, wide);
  b.op.mode = wide ? WideAddress : 0;
  b.op.run = acquire;
}

} // namespace heddle::ptx
