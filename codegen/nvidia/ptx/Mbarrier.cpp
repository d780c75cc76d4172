// Mbarrier.cpp - mbarrier objects (PTX ISA 9.7.13.15).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An mbarrier lives beside the shared memory that holds it, whose bytes stay
// opaque. A phase completes when no arrivals and no bytes are outstanding.

#include "codegen/nvidia/ptx/Elementwise.h"

#include <algorithm>

namespace heddle::ptx {

/// Largest count and largest transaction count of the ISA.
static constexpr uint32_t maxCount = (1u << 20) - 1;

Mbarrier *Machine::findMbarrier(Warp &warp, const Op &op, unsigned lane,
                                Block &block, uint32_t offset) {
  auto found = block.mbarriers.find(offset);
  if (found != block.mbarriers.end())
    return &found->second;
  find(FindingKind::MbarrierMisuse, warp, op, lane,
       block.shared.address + offset,
       "uses shared offset " + std::to_string(offset) +
           ", which holds no initialised mbarrier");
  return nullptr;
}

Mbarrier *Machine::mbarrierAt(Warp &warp, const Op &op, unsigned lane,
                              Block &block, uint32_t offset) {
  Mbarrier *found = findMbarrier(warp, op, lane, block, offset);
  if (!found || !checks)
    return found;
  Mbarrier &barrier = *found;
  uint64_t address = block.shared.address + offset;
  if (barrier.lastUses.size() <= warp.agent)
    barrier.lastUses.resize(warp.agent + 1);
  barrier.lastUses[warp.agent] = {warp.clock.of(warp.agent), indexOf(op),
                                  address};
  noteRemote(warp, op, lane, block, offset, true);
  if (!warp.clock.knowsInit(barrier.initAgent, barrier.initClock))
    find(FindingKind::Race, warp, op, lane, address,
         "uses the mbarrier at shared offset " + std::to_string(offset) +
             ", unordered with its initialisation at line " +
             std::to_string(locationOf(program.code[barrier.initOp]).line));
  return &barrier;
}

void Machine::wakeMbarrier(Block &block, uint32_t offset) {
  for (auto &member : block.cluster->blocks)
    for (auto &warp : member->warps)
      for (LaneGroup &group : warp->groups)
        if (group.waiting == Waiting::Mbarrier && group.objectBlock == &block &&
            group.object == offset)
          wake(*warp, group);
}

void Machine::completePhaseIfDone(Block &block, uint32_t offset,
                                  Mbarrier &barrier) {
  if (barrier.pending != 0 || barrier.bytes != 0)
    return;
  ++barrier.phase;
  barrier.pending = barrier.expected;
  if (checks) {
    barrier.completed.join(barrier.arriving);
    barrier.completed.raise(barrier.agent, ++barrier.agentClock);
    barrier.arriving.clear();
  }
  ++epoch;
  failedPolls = 0;
  wakeMbarrier(block, offset);
}

void Machine::arrive(Warp &warp, const Op &op, unsigned lane, Block &block,
                     uint32_t offset, Mbarrier &barrier, uint32_t count,
                     const Clock *given) {
  if (count > barrier.pending) {
    find(FindingKind::MbarrierMisuse, warp, op, lane,
         block.shared.address + offset,
         "arrives " + std::to_string(count) +
             " times at the mbarrier at "
             "shared offset " +
             std::to_string(offset) + ", which expects " +
             std::to_string(barrier.pending) + " more in this phase");
    return;
  }
  barrier.pending -= count;
  ++epoch;
  if (checks && given)
    barrier.arriving.join(*given);
  completePhaseIfDone(block, offset, barrier);
}

namespace {

enum MbarrierFlag : uint8_t {
  WideAddress = 1,
  IsRelaxed = 2,
  Drops = 4,
  ExpectsBytes = 8,
  IsParity = 16,
  Blocks = 32, ///< try_wait
  NoComplete = 64,
};

/// The mbarrier a lane points at, its block and offset; null after a finding.
Mbarrier *pointee(Warp &warp, const Op &op, unsigned lane, Block *&block,
                  uint32_t &offset, bool mustExist = true) {
  uint64_t base = op.mode & WideAddress ? warp.row<uint64_t>(op.a)[lane]
                                        : warp.row<uint32_t>(op.a)[lane];
  AccessRequest request{Space(op.target), 8, 8, true};
  Target target;
  if (!warp.machine->resolve(warp, op, lane, base + op.immediate, request,
                             target))
    return nullptr;
  if (target.memory->kind != Memory::Kind::Shared) {
    warp.machine->find(FindingKind::MbarrierMisuse, warp, op, lane,
                       base + op.immediate,
                       "expects an mbarrier in shared memory");
    return nullptr;
  }
  block = target.memory->block;
  offset = uint32_t(target.offset);
  return mustExist ? warp.machine->mbarrierAt(warp, op, lane, *block, offset)
                   : nullptr;
}

/// Calls `visit(lane, block, offset, barrier)` for the mbarriers that the lanes
/// point at; a lane that points at none is a finding.
template <class Visit>
void forBarriers(Warp &warp, const Op &op, Lanes lanes, Visit visit) {
  for (Lanes left = lanes; left != 0; left &= left - 1) {
    unsigned lane = unsigned(std::countr_zero(left));
    Block *block = nullptr;
    uint32_t offset = 0;
    if (Mbarrier *barrier = pointee(warp, op, lane, block, offset))
      visit(lane, *block, offset, *barrier);
  }
}

void init(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  for (Lanes left = lanes; left != 0; left &= left - 1) {
    unsigned lane = unsigned(std::countr_zero(left));
    Block *block = nullptr;
    uint32_t offset = 0;
    pointee(warp, op, lane, block, offset, false);
    uint32_t count = warp.row<uint32_t>(op.b)[lane];
    if (!block)
      continue;
    uint64_t address = block->shared.address + offset;
    if (count == 0 || count > maxCount)
      machine.find(FindingKind::MbarrierMisuse, warp, op, lane, address,
                   "expects a count of 1 to 1048575, got " +
                       std::to_string(count));
    auto [place, isNew] = block->mbarriers.try_emplace(offset);
    if (!isNew)
      machine.find(FindingKind::MbarrierMisuse, warp, op, lane, address,
                   "initialises the mbarrier at shared offset " +
                       std::to_string(offset) +
                       " again without invalidating it");
    Mbarrier &barrier = place->second;
    std::pair<uint32_t, uint32_t> agent = {barrier.agent, barrier.agentClock};
    auto retired = block->retiredAgents.find(offset);
    if (isNew && retired != block->retiredAgents.end())
      agent = retired->second;
    else if (isNew)
      agent = {block->cluster->agents++, 0};
    barrier = Mbarrier();
    barrier.expected = barrier.pending = count;
    barrier.agent = agent.first;
    barrier.agentClock = agent.second;
    barrier.initOp = machine.indexOf(op);
    if (!machine.checks)
      continue;
    barrier.initAgent = warp.agent;
    barrier.initClock = warp.clock.of(warp.agent);
    Target target{&block->shared, offset};
    uint32_t access =
        machine.accessOf(warp, op, warp.agent, barrier.initClock, 0);
    machine.raceWrite(warp, op, lane, target, 8, access);
    for (unsigned i = 0; i < 8; ++i)
      block->shared.state[offset + i] =
          Memory::Initialised | Memory::HoldsMbarrier;
  }
  ++machine.epoch;
}

/// Reports an mbarrier whose uses by other warps may come after its end.
void checkLastUses(Warp &warp, const Op &op, unsigned lane, const Block &block,
                   uint32_t offset, const Mbarrier &barrier) {
  Machine &machine = *warp.machine;
  for (uint32_t agent = 0; agent < barrier.lastUses.size(); ++agent) {
    const LastUse &use = barrier.lastUses[agent];
    if (agent == warp.agent || warp.clock.of(agent) >= use.clock)
      continue;
    Access access;
    access.cluster = block.cluster->number;
    access.agent = agent;
    access.op = use.op;
    machine.find(
        FindingKind::Race, warp, op, lane, block.shared.address + offset,
        "invalidates the mbarrier at shared offset " + std::to_string(offset) +
            ", unordered with " + machine.describe(access));
    return;
  }
}

void inval(Warp &warp, const Op &op, Lanes lanes) {
  forBarriers(
      warp, op, lanes,
      [&](unsigned lane, Block &block, uint32_t offset, Mbarrier &barrier) {
        if (warp.machine->checks) {
          checkLastUses(warp, op, lane, block, offset, barrier);
          std::fill_n(&block.shared.state[offset], 8, uint8_t(0));
        }
        block.retiredAgents[offset] = {barrier.agent, barrier.agentClock};
        block.mbarriers.erase(offset);
      });
}

/// Row `b` holds the count or the bytes, row `d` gets the state.
void arriveOp(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  ++machine.statistics.barriers;
  const auto *amount = warp.row<uint32_t>(op.b);
  bool ticks = false;
  forBarriers(
      warp, op, lanes,
      [&](unsigned lane, Block &block, uint32_t offset, Mbarrier &barrier) {
        if (op.d != noRow)
          warp.row<uint64_t>(op.d)[lane] =
              barrier.phase << 32 | barrier.pending;
        uint32_t count = op.mode & ExpectsBytes ? 1 : amount[lane];
        if (op.mode & ExpectsBytes) {
          barrier.bytes += amount[lane];
          barrier.expectOp = machine.indexOf(op);
        }
        if (op.mode & Drops && barrier.expected >= count)
          barrier.expected -= count;
        if ((op.mode & NoComplete) && barrier.pending == count)
          machine.find(FindingKind::MbarrierMisuse, warp, op, lane,
                       block.shared.address + offset,
                       "completes the phase, which '.noComplete' rules out");
        // A relaxed arrival gives what a fence before it has released.
        machine.arrive(warp, op, lane, block, offset, barrier, count,
                       op.mode & IsRelaxed ? &warp.lastFence() : &warp.clock);
        ticks = true;
      });
  if (machine.checks && ticks)
    machine.tick(warp);
}

/// expect_tx (`op.mode2` 0) and complete_tx (1) as instructions of their own.
void countBytes(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  const auto *amount = warp.row<uint32_t>(op.b);
  forBarriers(
      warp, op, lanes,
      [&](unsigned lane, Block &block, uint32_t offset, Mbarrier &barrier) {
        if (op.mode2 == 0) {
          barrier.bytes += amount[lane];
          barrier.expectOp = machine.indexOf(op);
        } else {
          barrier.bytes -= amount[lane];
          machine.completePhaseIfDone(block, offset, barrier);
        }
        ++machine.epoch;
      });
}

/// A try_wait may end before the phase does, after a time that the system
/// chooses (9.7.13.15.16). Waits that come late do so once, then they block: a
/// kernel that does not wait in a loop goes on too early.
bool givesUp(const Warp &warp) {
  const Machine &machine = *warp.machine;
  return machine.checks && !warp.group->gaveUp &&
         machine.launch.options.async != AsyncMode::Early;
}

/// Rows: `b` the state or the parity, `d` the result predicate.
void wait(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  ++machine.statistics.barriers;
  Lanes done = 0, known = 0;
  Block *missing = nullptr;
  uint32_t missingOffset = 0;
  forBarriers(
      warp, op, lanes,
      [&](unsigned lane, Block &block, uint32_t offset, Mbarrier &barrier) {
        known |= Lanes(1) << lane;
        bool complete;
        if (op.mode & IsParity) {
          uint32_t parity = warp.row<uint32_t>(op.b)[lane];
          complete = (barrier.phase & 1) != (parity & 1);
        } else {
          uint64_t state = warp.row<uint64_t>(op.b)[lane];
          complete = (barrier.phase & 0xFFFFFFFF) != state >> 32;
        }
        if (!complete) {
          missing = &block;
          missingOffset = offset;
          return;
        }
        if (machine.checks && done == 0) {
          Clock &into = op.mode & IsRelaxed ? warp.acquired[0] : warp.clock;
          into.join(barrier.completed);
          machine.tick(warp);
        }
        done |= Lanes(1) << lane;
      });
  if (known != lanes) // a wait for nothing never ends
    throw Stop{Status::Stopped};
  LaneGroup &group = *warp.group;
  if (missing && (op.mode & Blocks) && !group.polls && !givesUp(warp)) {
    warp.sleep(Waiting::Mbarrier, true, missingOffset, missing);
    return;
  }
  group.polls = false;
  group.gaveUp = missing != nullptr;
  machine.failedPolls += missing != nullptr;
  Lanes &d = warp.predicate(op.d);
  d = (d & ~lanes) | done;
}

void pendingCount(Warp &warp, const Op &op, Lanes lanes) {
  unary<[](uint64_t state) { return uint32_t(state); }, uint32_t, uint64_t>(
      warp, op, lanes);
}

/// An order and its scope, which stand together or not at all.
void takeOrder(Builder &b, std::string_view strongest) {
  bool isStrong = !strongest.empty() && b.take(strongest);
  bool isRelaxed = !isStrong && b.take("relaxed");
  if ((isStrong || isRelaxed) && b.takeOneOf({"cta", "cluster"}) < 0)
    b.refuse("expected '.cta' or '.cluster' after the order");
  b.op.mode |= isRelaxed ? IsRelaxed : 0;
}

/// The space of an mbarrier; only some instructions reach other blocks.
void takeBarrierSpace(Builder &b, bool reachesCluster) {
  if (!reachesCluster && b.in.has("shared::cluster"))
    b.refuse("expected an mbarrier of this block");
  b.op.target = uint32_t(b.takeSpace());
}

void takeAddress(Builder &b, size_t index) {
  bool wide = false;
  b.op.a = b.address(b.operand(index), b.op.immediate, wide);
  b.op.mode |= wide ? WideAddress : 0;
  if (!wide && b.op.target != uint32_t(Space::Shared))
    b.refuse("expected a 64-bit generic address");
}

void buildArrive(Builder &b, bool drops) {
  b.op.mode |= drops ? Drops : 0;
  bool expects = b.take("expect_tx");
  bool completesNothing = !expects && b.take("noComplete");
  takeOrder(b, "release");
  bool isRemote = b.in.has("shared::cluster");
  if (completesNothing &&
      (isRemote || b.in.has("relaxed") || b.in.has("cluster")))
    b.refuse("'.noComplete' releases to this block alone");
  takeBarrierSpace(b, true);
  b.op.mode |=
      (expects ? ExpectsBytes : 0) | (completesNothing ? NoComplete : 0);
  // The state may be left out in the form for other blocks of the cluster.
  bool hasState = !b.isKind(0, Operand::Kind::Address);
  if (isRemote && hasState && !b.isKind(0, Operand::Kind::Sink))
    b.refuse("expected '_': another block's mbarrier gives no state");
  size_t address = hasState ? 1 : 0;
  b.requireOperands(address + 1, address + 2);
  takeAddress(b, address);
  bool hasAmount = b.operandCount() == address + 2;
  if (!hasAmount && (b.op.mode & (ExpectsBytes | NoComplete)))
    b.refuse("expected a count");
  b.op.b = hasAmount ? b.source(address + 1, Type::B32, true)
                     : b.writer.constant(1, 32);
  if (hasState && !b.isKind(0, Operand::Kind::Sink))
    b.op.d = b.destination(0, Type::B64);
  b.op.run = arriveOp;
}

void buildWait(Builder &b, bool blocks) {
  b.op.mode |= blocks ? Blocks : 0;
  b.op.mode |= b.take("parity") ? IsParity : 0;
  takeOrder(b, "acquire");
  takeBarrierSpace(b, false);
  b.requireOperands(3, blocks ? 4 : 3);
  takeAddress(b, 1);
  b.op.b = b.source(2, b.op.mode & IsParity ? Type::B32 : Type::B64, true);
  if (b.operandCount() == 4)
    b.source(3, Type::B32);
  b.op.d = b.predicateDestination(b.operand(0));
  b.op.flow = Flow::Wait;
  b.op.run = wait;
}

} // namespace

void buildMbarrier(Builder &b) {
  int kind =
      b.takeOneOf({"init", "inval", "arrive", "arrive_drop", "test_wait",
                   "try_wait", "expect_tx", "complete_tx", "pending_count"});
  b.require("b64");
  switch (kind) {
  case 0:
    takeBarrierSpace(b, false);
    b.requireOperands(2, 2);
    takeAddress(b, 0);
    b.op.b = b.source(1, Type::B32, true);
    b.op.run = init;
    return;
  case 1:
    takeBarrierSpace(b, false);
    b.requireOperands(1, 1);
    takeAddress(b, 0);
    b.op.run = inval;
    return;
  case 2:
  case 3:
    return buildArrive(b, kind == 3);
  case 4:
  case 5:
    return buildWait(b, kind == 5);
  case 6:
  case 7:
    takeOrder(b, "");
    takeBarrierSpace(b, true);
    b.requireOperands(2, 2);
    takeAddress(b, 0);
    b.op.b = b.source(1, Type::B32, true);
    b.op.mode2 = kind == 7;
    b.op.run = countBytes;
    return;
  case 8:
    b.requireOperands(2, 2);
    b.op.a = b.source(1, Type::B64);
    b.op.d = b.destination(0, Type::B32);
    b.op.run = pendingCount;
    return;
  default:
    b.refuse("this mbarrier operation is not covered");
  }
}

} // namespace heddle::ptx
