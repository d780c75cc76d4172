// Step.cpp - one warp: groups of lanes, branches, reconvergence, operand
// checks. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The group with the lowest program counter runs, so that lanes which are
// behind catch up and join; where that group only spins, another gets its turn,
// as independent thread scheduling promises (PTX ISA 3.1).

#include "codegen/nvidia/ptx/Machine.h"

#include <algorithm>

namespace heddle::ptx {

/// Backward branches a group may take while others of its warp could run.
static constexpr uint32_t maxPatience = 256;
/// Instructions in a row of lanes that another group has kept waiting.
static constexpr uint32_t favouredStretch = 64;
/// Backward branches between looks at whether a warp repeats itself.
static constexpr uint64_t spinPeriod = 1024;

void Warp::sleep(Waiting why, bool again, uint32_t object, Block *objectBlock) {
  slept = true;
  group->waiting = why;
  group->again = again;
  group->object = object;
  group->objectBlock = objectBlock;
}

void Machine::wake(Warp &warp, LaneGroup &group) {
  group.waiting = Waiting::No;
  if (!group.again)
    ++group.pc;
  enqueue(warp);
}

void Machine::enqueue(Warp &warp) {
  if (warp.isQueued || warp.live == 0)
    return;
  warp.isQueued = true;
  runnable.push_back(&warp);
}

void Machine::mergeGroups(Warp &warp) {
  std::vector<LaneGroup> &groups = warp.groups;
  for (size_t i = 0; i < groups.size(); ++i)
    for (size_t j = i + 1; j < groups.size();) {
      auto canJoin = [](const LaneGroup &g) {
        return g.waiting == Waiting::No || g.waiting == Waiting::Convergence;
      };
      if (groups[i].pc != groups[j].pc || !canJoin(groups[i]) ||
          !canJoin(groups[j])) {
        ++j;
        continue;
      }
      groups[i].lanes |= groups[j].lanes;
      // Together they may now be all the lanes that were waited for.
      groups[i].waiting = Waiting::No;
      groups[j] = groups.back();
      groups.pop_back();
    }
}

bool Machine::chooseGroup(Warp &warp) {
  warp.group = nullptr;
  if (warp.groups.size() > 1)
    mergeGroups(warp);
  for (LaneGroup &group : warp.groups)
    if (group.waiting == Waiting::No &&
        (!warp.group || group.pc < warp.group->pc))
      warp.group = &group;
  if (warp.groups.size() > 1 && warp.group)
    favour(warp);
  return warp.group != nullptr;
}

/// Lets lanes that are ahead of a group which spins have a stretch of their
/// own; whose turn it is goes round by lane, so that none waits for ever.
void Machine::favour(Warp &warp) {
  Lanes ahead = 0;
  for (const LaneGroup &group : warp.groups)
    if (group.waiting == Waiting::No && &group != warp.group)
      ahead |= group.lanes;
  if (warp.patience >= maxPatience) {
    warp.patience = 0;
    Lanes later = ahead & ~(warp.favoured | (warp.favoured - 1));
    Lanes next = later != 0 ? later : ahead;
    warp.favoured = next & -next;
    warp.favouredSteps = favouredStretch;
  }
  if (warp.favouredSteps == 0 || !(warp.favoured & ahead))
    return;
  --warp.favouredSteps;
  for (LaneGroup &group : warp.groups)
    if (group.lanes & warp.favoured)
      warp.group = &group;
}

void Machine::splitOff(Warp &warp, Lanes lanes, uint32_t pc) {
  size_t current = size_t(warp.group - warp.groups.data());
  warp.group->lanes &= ~lanes;
  LaneGroup other;
  other.pc = pc;
  other.lanes = lanes;
  warp.groups.push_back(other);
  warp.group = &warp.groups[current];
}

/// Whether all lanes an op names have arrived; if not, `lanes` go to sleep.
bool Machine::converges(Warp &warp, const Op &op, Lanes lanes) {
  auto stop = [&](unsigned lane, const std::string &text) {
    if (checks) // the cause may be a member mask without a defined value
      checkOperands(warp, op, warp.group->lanes, lanes);
    find(FindingKind::Divergence, warp, op, lane, 0, text);
    throw Stop{Status::Stopped};
  };
  Lanes needed = warp.live;
  if (op.convergence == Convergence::AlignedAll) {
    needed = allLanes;
  } else if (op.convergence == Convergence::MemberMask) {
    const uint32_t *members = warp.row<uint32_t>(op.members);
    needed = 0;
    for (Lanes left = lanes; left != 0; left &= left - 1) {
      unsigned lane = unsigned(std::countr_zero(left));
      needed |= members[lane];
      if (!(members[lane] >> lane & 1))
        stop(lane, "is executed by a lane that its member mask leaves out");
    }
  }
  if (needed & ~warp.live)
    stop(unsigned(std::countr_zero(lanes)),
         "waits for lane " +
             std::to_string(std::countr_zero(needed & ~warp.live)) +
             ", which has exited or does not exist");
  if ((needed & ~lanes) == 0)
    return true;
  Lanes around = warp.group->lanes & ~lanes;
  if (around)
    splitOff(warp, around, warp.group->pc + 1);
  warp.sleep(Waiting::Convergence, true, 0);
  return false;
}

void Machine::noteBackward(Warp &warp) {
  if (warp.groups.size() > 1)
    ++warp.patience;
  if (++warp.backwardBranches % spinPeriod != 0)
    return;
  uint64_t hash = stateHash(warp);
  // Where several groups run, each must have had its turns; where they stop at
  // the end of a turn says nothing.
  bool alone = warp.groups.size() == 1;
  bool same = warp.stuckEpoch == epoch && warp.stuckHash == hash &&
              (!alone || warp.stuckPc == warp.group->pc);
  warp.repeats = same ? warp.repeats + 1 : 0;
  warp.isStuck = warp.repeats >= (alone ? 1 : 4 * warp.groups.size());
  warp.stuckEpoch = epoch;
  warp.stuckHash = hash;
  warp.stuckPc = warp.group->pc;
}

void Machine::branch(Warp &warp, const Op &op, Lanes lanes) {
  ++statistics.branches;
  LaneGroup &group = *warp.group;
  uint32_t next = group.pc + 1;
  bool backward = lanes != 0 && op.target <= group.pc;
  if (lanes == 0) {
    group.pc = next;
  } else if (lanes == group.lanes) {
    group.pc = op.target;
  } else {
    ++statistics.divergentBranches;
    splitOff(warp, group.lanes & ~lanes, next);
    warp.group->pc = op.target;
  }
  if (backward)
    noteBackward(warp);
}

void Machine::branchTable(Warp &warp, const Op &op, Lanes lanes) {
  ++statistics.branches;
  const std::vector<uint32_t> &table = program.tables[op.target];
  const uint32_t *index = warp.row<uint32_t>(op.a);
  uint32_t next = warp.group->pc + 1;
  if (Lanes around = warp.group->lanes & ~lanes; around != 0 && lanes != 0)
    splitOff(warp, around, next);
  if (lanes == 0) {
    warp.group->pc = next;
    return;
  }
  uint32_t from = warp.group->pc;
  for (Lanes left = lanes; left != 0;) {
    uint32_t wanted = index[std::countr_zero(left)];
    Lanes same = 0;
    for (Lanes l = left; l != 0; l &= l - 1)
      if (index[std::countr_zero(l)] == wanted)
        same |= l & -l;
    if (wanted >= table.size()) {
      find(FindingKind::OutOfBounds, warp, op, unsigned(std::countr_zero(same)),
           0,
           "index " + std::to_string(wanted) + " of a list of " +
               std::to_string(table.size()) + " targets");
      throw Stop{Status::Stopped};
    }
    left &= ~same;
    if (left != 0) {
      ++statistics.divergentBranches;
      splitOff(warp, same, table[wanted]);
    } else {
      warp.group->pc = table[wanted];
    }
    if (table[wanted] <= from)
      noteBackward(warp);
  }
}

void Machine::exitLanes(Warp &warp, Lanes lanes) {
  warp.live &= ~lanes;
  warp.block->liveThreads -= uint32_t(std::popcount(lanes));
  LaneGroup &group = *warp.group;
  group.lanes &= ~lanes;
  ++group.pc;
  if (group.lanes == 0) {
    group = warp.groups.back();
    warp.groups.pop_back();
    warp.group = nullptr;
  }
  ++epoch;
  for (LaneGroup &other : warp.groups)
    if (other.waiting == Waiting::Convergence)
      other.waiting = Waiting::No; // fewer lanes to wait for
  if (warp.live == 0)
    endWarp(warp);
  else
    checkBarriers(*warp.block);
}

/// The line of the last wgmma in flight that has the register.
uint32_t Machine::lineOfWgmma(const Warp &warp, uint32_t reg) const {
  uint32_t line = 0;
  for (const PendingWgmma &pending : warp.wgmmas) {
    const Op &op = program.code[pending.op];
    const OpDetail &shape = program.details[op.detail];
    auto has = [&](const std::vector<uint32_t> &registers) {
      return std::find(registers.begin(), registers.end(), reg) !=
             registers.end();
    };
    if (has(shape.registers) || has(shape.inputs))
      line = locationOf(op).line;
  }
  return line;
}

void Machine::checkInFlight(Warp &warp, const Op &op, Lanes lanes) {
  auto touch = [&](uint32_t reg, bool writes) {
    uint8_t state = warp.inFlight[reg];
    if (state == 0 || (state == 2 && !writes))
      return;
    find(FindingKind::AccumulatorInFlight, warp, op,
         unsigned(std::countr_zero(lanes)), 0,
         std::string(writes ? "writes " : "reads ") +
             program.registerNames[reg] +
             (state == 1 ? ", an accumulator" : ", an input") +
             " of the wgmma at line " + std::to_string(lineOfWgmma(warp, reg)) +
             ", which no wgmma.wait_group has completed");
  };
  for (unsigned u = 0; u < op.useCount; ++u)
    touch(program.uses[op.firstUse + u].reg, false);
  for (unsigned u = 0; u < op.defCount; ++u)
    touch(program.uses[op.firstDef + u].reg, true);
}

void Machine::checkOperands(Warp &warp, const Op &op, Lanes group,
                            Lanes lanes) {
  Lanes low = 0, high = 0; // of what is passed on
  const Use *uses = program.uses.data() + op.firstUse;
  for (unsigned u = 0; u < op.useCount; ++u) {
    // The guard, which comes last, is read by every lane of the group.
    bool isGuard = op.guard != noRow && u + 1 == op.useCount;
    if (uses[u].exchanged) {
      warp.undefinedExchanged = warp.undefined[uses[u].reg];
      continue;
    }
    const UndefinedLanes &reg = warp.undefined[uses[u].reg];
    Lanes undefined = reg.any() & (isGuard ? group : lanes);
    if (undefined == 0)
      continue;
    if (uses[u].strict)
      find(FindingKind::UninitialisedRegister, warp, op,
           unsigned(std::countr_zero(undefined)), 0,
           "depends on " + program.registerNames[uses[u].reg] +
               ", which has no defined value");
    else if (!op.byHalves || uses[u].half != Half::Both) {
      low |= uses[u].half == Half::High ? 0 : undefined;
      high |= uses[u].half == Half::Low ? 0 : undefined;
    } else {
      low |= reg.low & lanes;
      high |= reg.high & lanes;
    }
  }
  const Use *defs = program.uses.data() + op.firstDef;
  for (unsigned u = 0; u < op.defCount; ++u) {
    UndefinedLanes &undefined = warp.undefined[defs[u].reg];
    Half half = defs[u].half;
    undefined.low =
        (undefined.low & ~lanes) | (half == Half::High ? high : low);
    undefined.high =
        (undefined.high & ~lanes) | (half == Half::Low ? low : high);
  }
  if (usesWgmma && lanes != 0) {
    for (unsigned u = 0; u < op.useCount; ++u)
      warp.touched[uses[u].reg] |= Warp::IsRead;
    for (unsigned u = 0; u < op.defCount; ++u)
      warp.touched[defs[u].reg] |= Warp::IsWritten;
    if (warp.inFlightCount != 0)
      checkInFlight(warp, op, lanes);
  }
}

void Machine::runWarp(Warp &warp, uint64_t quantum) {
  for (; quantum != 0 && warp.live != 0; --quantum) {
    if ((!warp.group || warp.groups.size() > 1 ||
         warp.group->waiting != Waiting::No) &&
        !chooseGroup(warp))
      return;
    LaneGroup &group = *warp.group;
    const Op &op = program.code[group.pc];
    Lanes lanes = group.lanes;
    if (op.guard != noRow)
      lanes &= warp.predicate(op.guard) ^ (op.guardNegated ? allLanes : 0);
    if (++statistics.warpInstructions + budgetUsed >
        launch.options.maxInstructions)
      throw Stop{Status::OutOfBudget};
    statistics.threadInstructions += uint64_t(std::popcount(lanes));
    if (op.convergence != Convergence::None && lanes != 0 &&
        !converges(warp, op, lanes))
      continue;
    if (checks)
      checkOperands(warp, op, group.lanes, lanes);
    switch (op.flow) {
    case Flow::Next:
      if (lanes != 0)
        op.run(warp, op, lanes);
      ++warp.group->pc;
      break;
    case Flow::Wait:
      if (lanes != 0) {
        // Lanes around the op must not sleep with the others.
        if (lanes != group.lanes)
          splitOff(warp, group.lanes & ~lanes, group.pc + 1);
        warp.slept = false;
        op.run(warp, op, lanes);
      }
      // Who slept was moved on when woken, perhaps by this very op.
      if (lanes == 0 || !warp.slept)
        ++warp.group->pc;
      break;
    case Flow::Branch:
      branch(warp, op, lanes);
      if (warp.isStuck)
        return;
      break;
    case Flow::BranchTable:
      branchTable(warp, op, lanes);
      break;
    case Flow::Call:
      callSubroutine(warp, op, lanes);
      break;
    case Flow::Return:
      returnFromSubroutine(warp, lanes);
      break;
    case Flow::Exit:
      if (lanes != 0)
        exitLanes(warp, lanes);
      else
        ++group.pc;
      break;
    }
  }
}

} // namespace heddle::ptx
