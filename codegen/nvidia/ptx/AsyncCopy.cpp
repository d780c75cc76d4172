// AsyncCopy.cpp - cp.async and its groups (PTX ISA 9.7.9.25).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The race table sees a copy where it is issued, as an access of the warp's
// copy agent; the bytes move when a wait needs them, or earlier by the async
// mode.

#include "codegen/nvidia/ptx/Access.h"

#include <algorithm>
#include <cstring>

namespace heddle::ptx {

void Machine::performAsyncCopy(Warp &warp, AsyncCopy &copy, Lanes lanes) {
  lanes &= copy.lanes;
  copy.lanes &= ~lanes;
  const Op &op = program.code[copy.op];
  for (Lanes left = lanes; left != 0; left &= left - 1) {
    unsigned lane = unsigned(std::countr_zero(left));
    const Target &to = copy.to[lane], &from = copy.from[lane];
    unsigned bytes = copy.sourceBytes[lane];
    if (checks) {
      if (bytes != 0)
        noteRead(warp, op, lane, from, bytes);
      noteWrite(warp, op, lane, to, copy.bytes);
    }
    std::memset(to.data(), 0, copy.bytes);
    if (bytes != 0)
      std::memcpy(to.data(), from.data(), bytes);
  }
  epoch += lanes != 0;
}

void Machine::waitAsyncCopies(Warp &warp, Lanes lanes, uint32_t keep) {
  for (AsyncCopy &copy : warp.copies) {
    if (copy.isArrive)
      continue;
    Lanes due = 0;
    forLanes(copy.lanes & lanes, [&](unsigned i) {
      bool isDue =
          copy.group[i] != 0 && copy.group[i] + keep <= warp.copyGroups[i];
      due |= Lanes(isDue) << i;
    });
    performAsyncCopy(warp, copy, due);
  }
  std::erase_if(warp.copies,
                [](const AsyncCopy &copy) { return copy.lanes == 0; });
  if (checks && warp.copyClock >= keep) {
    warp.clock.raise(warp.agentOf(CopyAgent), warp.copyClock - keep);
    tick(warp);
  }
}

/// Triggers the oldest cp.async.mbarrier.arrive, after the copies before it.
bool Machine::completeArrivals(Warp &warp) {
  auto arrival = std::find_if(warp.copies.begin(), warp.copies.end(),
                              [](const AsyncCopy &c) { return c.isArrive; });
  if (arrival == warp.copies.end())
    return false;
  AsyncCopy done = *arrival;
  for (auto copy = warp.copies.begin(); copy != arrival; ++copy)
    performAsyncCopy(warp, *copy, done.lanes);
  arrival->lanes = 0;
  std::erase_if(warp.copies,
                [](const AsyncCopy &copy) { return copy.lanes == 0; });
  const Op &op = program.code[done.op];
  for (Lanes left = done.lanes; left != 0; left &= left - 1) {
    unsigned lane = unsigned(std::countr_zero(left));
    Block &block = *done.to[lane].memory->block;
    uint32_t offset = uint32_t(done.to[lane].offset);
    // The warp used it when it issued the arrival.
    if (Mbarrier *barrier = findMbarrier(warp, op, lane, block, offset))
      arrive(warp, op, lane, block, offset, *barrier, 1, done.released.get());
  }
  return true;
}

namespace {

enum CopyMode : uint8_t { WideTo = 1, WideFrom = 2, IgnoresSource = 4 };

/// Rows: `a` destination, `b` source, `c` source size or predicate. The offset
/// of the destination is `immediate`, that of the source `detail` and `target`.
void issue(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  ++machine.statistics.asyncCopies;
  LaneTargets to, from;
  laneAddresses(warp, op.a, op.mode & WideTo, op.immediate, lanes, to);
  laneAddresses(warp, op.b, op.mode & WideFrom,
                uint64_t(op.detail) << 32 | op.target, lanes, from);
  AsyncCopy copy;
  copy.op = machine.indexOf(op);
  copy.bytes = op.bytes;
  Lanes reading = 0;
  forLanes(lanes, [&](unsigned i) {
    uint32_t bytes = op.bytes;
    if (op.c != noRow && op.mode & IgnoresSource)
      bytes = warp.predicate(op.c) >> i & 1 ? 0 : bytes;
    else if (op.c != noRow)
      bytes = std::min<uint32_t>(warp.row<uint32_t>(op.c)[i], bytes);
    copy.sourceBytes[i] = uint8_t(bytes);
    reading |= Lanes(bytes != 0) << i;
  });
  resolveLanes(warp, op, lanes, {Space::Shared, op.bytes, op.bytes, true}, to);
  // A source of zero bytes is not touched and may point anywhere.
  if (reading != 0)
    resolveLanes(warp, op, reading, {Space::Global, op.bytes, op.bytes, false},
                 from);
  copy.lanes = to.valid & (from.valid | ~reading);
  if (machine.checks) {
    uint32_t access = machine.accessOf(warp, op, warp.agentOf(CopyAgent),
                                       warp.copyClock + 1, 0);
    for (Lanes left = copy.lanes; left != 0; left &= left - 1) {
      unsigned lane = unsigned(std::countr_zero(left));
      if (copy.sourceBytes[lane] != 0)
        machine.raceRead(warp, op, lane, from.target[lane],
                         copy.sourceBytes[lane], access);
      machine.raceWrite(warp, op, lane, to.target[lane], op.bytes, access);
    }
  }
  forLanes(copy.lanes, [&](unsigned i) {
    copy.to[i] = to.target[i];
    copy.from[i] = from.target[i];
    machine.statistics.asyncBytes += copy.sourceBytes[i];
  });
  if (copy.lanes == 0)
    return;
  if (machine.chance())
    machine.performAsyncCopy(warp, copy, copy.lanes);
  else
    warp.copies.push_back(std::move(copy));
}

void commit(Warp &warp, const Op &, Lanes lanes) {
  ++warp.copyClock;
  forLanes(lanes, [&](unsigned i) { ++warp.copyGroups[i]; });
  for (AsyncCopy &copy : warp.copies)
    forLanes(copy.lanes & lanes, [&](unsigned i) {
      if (copy.group[i] == 0)
        copy.group[i] = warp.copyGroups[i];
    });
}

void waitGroup(Warp &warp, const Op &op, Lanes lanes) {
  warp.machine->waitAsyncCopies(warp, lanes, uint32_t(op.immediate));
}

void waitAll(Warp &warp, const Op &op, Lanes lanes) {
  commit(warp, op, lanes);
  warp.machine->waitAsyncCopies(warp, lanes, 0);
}

/// `op.mode2`: the arrival is one more than the count of the mbarrier.
void arriveWhenDone(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  LaneTargets targets;
  laneAddresses(warp, op.a, op.mode & WideTo, op.immediate, lanes, targets);
  resolveLanes(warp, op, lanes, {Space(op.target), 8, 8, true}, targets);
  for (Lanes left = targets.valid; left != 0; left &= left - 1) {
    unsigned lane = unsigned(std::countr_zero(left));
    if (targets.target[lane].memory->kind == Memory::Kind::Shared)
      continue;
    machine.find(FindingKind::MbarrierMisuse, warp, op, lane,
                 targets.address[lane], "expects an mbarrier in shared memory");
    targets.valid &= ~(Lanes(1) << lane);
  }
  AsyncCopy arrival;
  arrival.op = machine.indexOf(op);
  arrival.isArrive = true;
  arrival.lanes = targets.valid;
  forLanes(targets.valid, [&](unsigned i) {
    arrival.to[i] = targets.target[i];
    Block &block = *targets.target[i].memory->block;
    Mbarrier *barrier = machine.mbarrierAt(warp, op, i, block,
                                           uint32_t(targets.target[i].offset));
    if (barrier && op.mode2)
      ++barrier->pending;
    if (!barrier)
      arrival.lanes &= ~(Lanes(1) << i);
  });
  auto released = std::make_shared<Clock>(warp.clock);
  released->raise(warp.agentOf(CopyAgent), ++warp.copyClock);
  arrival.released = std::move(released);
  if (arrival.lanes == 0)
    return;
  warp.copies.push_back(std::move(arrival));
  if (machine.chance())
    machine.completeArrivals(warp);
}

void buildIssue(Builder &b) {
  bool caching = b.take("ca");
  bool global = !caching && b.take("cg");
  if (!caching && !global)
    b.refuse("expected '.ca' or '.cg'");
  if (!b.take("shared") && !b.take("shared::cta"))
    b.refuse("expected '.shared'");
  b.require("global");
  bool hasPolicy = b.in.has("L2::cache_hint");
  b.takeCacheHints();
  b.requireOperands(3 + hasPolicy, 4 + hasPolicy);
  bool wide = false;
  b.op.a = b.address(b.operand(0), b.op.immediate, wide);
  b.op.mode |= wide ? WideTo : 0;
  uint64_t offset = 0;
  b.op.b = b.address(b.operand(1), offset, wide);
  if (!wide)
    b.refuse("expected a 64-bit global address");
  b.op.mode |= WideFrom;
  b.op.target = uint32_t(offset);
  b.op.detail = uint32_t(offset >> 32);
  uint64_t bytes = b.immediate(2);
  if (bytes != 16 && (global || (bytes != 4 && bytes != 8)))
    b.refuse("expected a size of 4, 8 or 16 bytes (16 with '.cg')");
  b.op.bytes = uint8_t(bytes);
  if (b.operandCount() == 4u + hasPolicy) {
    const Operand &last = b.operand(3);
    if (last.kind == Operand::Kind::Register &&
        b.registerType(last) == Type::Pred) {
      b.op.c = b.predicateSource(last, true);
      b.op.mode |= IgnoresSource;
    } else {
      b.op.c = b.source(last, Type::B32, true);
    }
  }
  if (hasPolicy)
    b.source(b.operandCount() - 1, Type::B64);
  b.op.run = issue;
}

} // namespace

void buildAsyncCopy(Builder &b) {
  b.require("async");
  if (b.take("commit_group")) {
    b.requireOperands(0, 0);
    b.op.run = commit;
    return;
  }
  if (b.take("wait_group")) {
    b.requireOperands(1, 1);
    b.op.immediate = b.immediate(0);
    if (b.op.immediate > UINT16_MAX)
      b.refuse("expected a number of groups below 65536");
    b.op.run = waitGroup;
    return;
  }
  if (b.take("wait_all")) {
    b.requireOperands(0, 0);
    b.op.run = waitAll;
    return;
  }
  if (b.take("mbarrier")) {
    b.require("arrive");
    b.op.mode2 = !b.take("noinc");
    b.op.target = uint32_t(b.takeSpace());
    b.require("b64");
    b.requireOperands(1, 1);
    bool wide = false;
    b.op.a = b.address(b.operand(0), b.op.immediate, wide);
    b.op.mode |= wide ? WideTo : 0;
    if (!wide && b.op.target != uint32_t(Space::Shared))
      b.refuse("expected a 64-bit generic address");
    b.op.run = arriveWhenDone;
    return;
  }
  buildIssue(b);
}

} // namespace heddle::ptx
