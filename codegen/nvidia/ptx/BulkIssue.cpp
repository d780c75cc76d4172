// BulkIssue.cpp - bulk copies from issue to completion, and their checks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/BulkMove.h"

#include <algorithm>

namespace heddle::ptx {

/// Calls `visit(address, bytes)` for the global side of each row of the box
/// that lies in the tensor, until one call returns false; tells whether none
/// did.
template <class Visit>
static bool forRows(const BulkCopy &copy, Visit visit) {
  BoxShape shape(copy.map);
  uint64_t step = uint64_t(copy.map.elementStrides[0]) * shape.element;
  for (uint32_t r = 0; r < shape.rows; ++r) {
    BoxRow row = boxRow(copy.map, shape, copy.coordinates, r);
    if (row.last > row.first &&
        !visit(row.address, (row.last - row.first - 1) * step + shape.element))
      return false;
  }
  return true;
}

/// Marks the global side of a box row by row; reports rows outside of buffers.
static void noteBox(Machine &machine, const BulkCopy &copy, uint32_t access,
                    bool isWrite) {
  Warp &warp = *copy.warp;
  const Op &op = machine.program.code[copy.op];
  forRows(copy, [&](uint64_t address, uint64_t bytes) {
    AccessRequest request{Space::Global, uint32_t(bytes), 1, isWrite};
    Target target;
    if (!machine.resolve(warp, op, copy.lane, address, request, target))
      return false;
    if (!machine.checks)
      return true;
    if (isWrite) {
      machine.raceWrite(warp, op, copy.lane, target, bytes, access);
    } else {
      machine.noteRead(warp, op, copy.lane, target, bytes);
      machine.raceRead(warp, op, copy.lane, target, bytes, access);
    }
    return true;
  });
}

/// True if every row of the box that lies in the tensor lies in a buffer.
static bool boxIsMapped(Machine &machine, const BulkCopy &copy) {
  return forRows(copy, [&](uint64_t address, uint64_t bytes) {
    Memory *memory = machine.globalAt(address);
    return memory && bytes <= memory->bytes - (address - memory->address);
  });
}

void Machine::issueLoad(BulkCopy copy) {
  Warp &warp = *copy.warp;
  const Op &op = program.code[copy.op];
  ++statistics.asyncCopies;
  statistics.asyncBytes += copy.bytes;
  Mbarrier *barrier =
      mbarrierAt(warp, op, copy.lane, *copy.barrierBlock, copy.barrier);
  if (!barrier)
    return;
  copy.barrierPhase = barrier->phase;
  if (checks)
    noteRemote(warp, op, copy.lane, *copy.block, copy.shared, false);
  uint32_t access = 0;
  // st.async and red.async work in the generic proxy, the others do not.
  uint8_t flags = copy.hasMemorySource()                     ? Access::Async
                  : copy.kind == BulkCopy::Kind::ReduceValue ? Access::Strong
                                                             : 0;
  if (checks)
    access = accessOf(warp, op, barrier->agent, barrier->agentClock + 1, flags);
  if (copy.kind == BulkCopy::Kind::TensorLoad) {
    noteBox(*this, copy, access, false);
    if (!boxIsMapped(*this, copy))
      copy.map.dims[0] = 0; // reads nothing: every element is filled
  } else if (checks && copy.kind == BulkCopy::Kind::Load) {
    raceRead(warp, op, copy.lane, copy.other, copy.bytes, access);
  } else if (checks && copy.hasMemorySource()) {
    raceRead(warp, op, copy.lane, {&copy.block->shared, copy.shared},
             copy.bytes, access);
  }
  if (checks) {
    Target to = copy.kind == BulkCopy::Kind::ReduceShared
                    ? copy.other
                    : Target{&copy.block->shared, copy.shared};
    raceWrite(warp, op, copy.lane, to, copy.bytes, access);
    tick(warp);
  }
  if (chance())
    completeLoad(copy);
  else
    loads.push_back(std::move(copy));
}

void Machine::completeLoad(BulkCopy &copy) {
  performBulk(copy);
  auto found = copy.barrierBlock->mbarriers.find(copy.barrier);
  const Op &op = program.code[copy.op];
  uint64_t address = copy.barrierBlock->shared.address + copy.barrier;
  if (found == copy.barrierBlock->mbarriers.end()) {
    find(FindingKind::MbarrierMisuse, *copy.warp, op, copy.lane, address,
         "completes on an mbarrier that has been invalidated since");
    return;
  }
  Mbarrier &barrier = found->second;
  if (barrier.phase != copy.barrierPhase)
    find(FindingKind::MbarrierBytes, *copy.warp, op, copy.lane, address,
         "brings " + std::to_string(copy.bytes) + " bytes in phase " +
             std::to_string(barrier.phase) +
             " of its mbarrier, but was issued in phase " +
             std::to_string(copy.barrierPhase) +
             ": the phase expected too few bytes");
  barrier.bytes -= int64_t(copy.bytes);
  if (barrier.pending == 0 && barrier.bytes < 0)
    find(FindingKind::MbarrierBytes, *copy.warp, op, copy.lane, address,
         "brings " + std::to_string(-barrier.bytes) +
             " bytes more than its mbarrier expects");
  completePhaseIfDone(*copy.barrierBlock, copy.barrier, barrier);
}

void Machine::completeLoad(std::list<BulkCopy>::iterator copy) {
  BulkCopy done = std::move(*copy);
  loads.erase(copy);
  completeLoad(done);
}

/// Completes copies nobody's wait has forced: one drawn at random, or all.
bool Machine::completeSomeAsync(bool onlyOne) {
  bool any = false;
  while (!loads.empty()) {
    auto copy = std::next(loads.begin(), ptrdiff_t(random.below(loads.size())));
    completeLoad(copy);
    any = true;
    if (onlyOne)
      return true;
  }
  for (auto &cluster : resident)
    for (auto &block : cluster->blocks)
      for (auto &warp : block->warps)
        if (completeArrivals(*warp))
          return true;
  return any;
}

void Machine::issueStore(BulkCopy copy) {
  Warp &warp = *copy.warp;
  const Op &op = program.code[copy.op];
  ++statistics.asyncCopies;
  statistics.asyncBytes += copy.bytes;
  bool isBox = copy.kind == BulkCopy::Kind::TensorStore ||
               copy.kind == BulkCopy::Kind::TensorReduce;
  // Bulk reductions are atomic per element.
  bool reduces = copy.kind == BulkCopy::Kind::TensorReduce ||
                 copy.kind == BulkCopy::Kind::Reduce;
  uint8_t flags = uint8_t(Access::Async | (reduces ? Access::Strong : 0));
  uint32_t group = warp.bulkGroups + 1;
  uint32_t writes = 0;
  if (checks) {
    uint32_t reads =
        accessOf(warp, op, warp.agentOf(StoreReadAgent), group, Access::Async);
    raceRead(warp, op, copy.lane, {&copy.block->shared, copy.shared},
             copy.bytes, reads);
    writes = accessOf(warp, op, warp.agentOf(StoreWriteAgent), group, flags);
  }
  if (isBox) {
    noteBox(*this, copy, writes, true);
    if (!boxIsMapped(*this, copy))
      return;
  } else if (checks) {
    copy.forWrittenRuns([&](uint64_t offset, uint64_t bytes) {
      Target target{copy.other.memory, copy.other.offset + offset};
      raceWrite(warp, op, copy.lane, target, bytes, writes);
    });
  }
  if (checks)
    tick(warp);
  if (chance()) {
    performBulk(copy);
    return;
  }
  if (launch.options.async == AsyncMode::Random && random.below(2) == 0)
    readSource(copy);
  warp.bulkStores.push_back(std::move(copy));
}

void Machine::waitBulkStores(Warp &warp, uint32_t keep, bool onlyReads) {
  uint32_t due = warp.bulkGroups > keep ? warp.bulkGroups - keep : 0;
  for (auto copy = warp.bulkStores.begin(); copy != warp.bulkStores.end();) {
    auto next = std::next(copy);
    if (copy->group != 0 && copy->group <= due) {
      if (onlyReads) {
        readSource(*copy);
      } else {
        performBulk(*copy);
        warp.bulkStores.erase(copy);
      }
    }
    copy = next;
  }
  if (!checks)
    return;
  warp.clock.raise(warp.agentOf(StoreReadAgent), due);
  if (!onlyReads)
    warp.clock.raise(warp.agentOf(StoreWriteAgent), due);
  tick(warp);
}

} // namespace heddle::ptx
