// RegisterPool.cpp - setmaxnreg (PTX ISA 9.7.19.5): registers move between the
// warps of a block. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/RegisterPool.h"

#include "codegen/nvidia/ptx/Builder.h"
#include "codegen/nvidia/ptx/Machine.h"

#include <algorithm>

namespace heddle::ptx {

/// Warps get registers in units of eight for each thread.
static constexpr uint32_t registerUnit = 8;
static constexpr uint32_t mostRegistersOfThread = 255;

/// What ptxas gives each thread under `.minnctapersm`, at most what the program
/// requests; 0 without that directive. A quarter of the register file serves
/// every fourth warp, so warps count in fours.
static uint32_t registersForOccupancy(const EntryDirectives &directives,
                                      uint32_t largestRequest) {
  const auto &extent =
      directives.reqntid[0] != 0 ? directives.reqntid : directives.maxntid;
  uint64_t threads = 1;
  for (uint32_t size : extent)
    threads *= std::max(size, 1u);
  if (directives.minnctapersm == 0 || extent[0] == 0)
    return 0;
  uint64_t rounded = (threads + 127) / 128 * 128 * directives.minnctapersm;
  uint64_t count = registersOfBlock / rounded / registerUnit * registerUnit;
  return uint32_t(std::min<uint64_t>(
      count, largestRequest != 0 ? largestRequest : mostRegistersOfThread));
}

uint32_t registersAtLaunch(const Program &program, const Options &options) {
  const EntryDirectives &directives = program.entry->directives;
  uint32_t count = options.registersPerThread;
  if (count == 0) {
    count = directives.maxnreg;
    uint32_t most =
        registersForOccupancy(directives, program.largestRegisterRequest);
    if (most != 0)
      count = count == 0 ? most : std::min(count, most);
  }
  return (count + registerUnit - 1) / registerUnit * registerUnit;
}

void Machine::startRegisterPool() {
  if (!program.movesRegisters)
    return;
  launchRegisters = registersAtLaunch(program, launch.options);
  if (launchRegisters == 0)
    report.notes.push_back(
        "setmaxnreg is ignored by ptxas in this kernel: neither .maxnreg, nor "
        ".minnctapersm with the number of threads, nor --registers tells how "
        "many registers a thread has at launch");
}

namespace {

enum RegisterMode : uint8_t { Release, Request };

std::string describeChange(const Machine &machine, uint32_t index) {
  const Op &op = machine.program.code[index];
  return "the setmaxnreg at line " +
         std::to_string(machine.locationOf(op).line);
}

/// All warps of a warpgroup make the same changes in the same order, with a
/// barrier before each that changes the count.
void noteChange(Warp &warp, const Op &op) {
  Machine &machine = *warp.machine;
  Block &block = *warp.block;
  std::vector<RegisterChange> &changes = block.registerChanges[warp.index / 4];
  uint32_t turn = warp.registerChanges, bit = 1u << warp.index % 4;
  if (turn == changes.size())
    changes.push_back({machine.indexOf(op)});
  RegisterChange &change = changes[turn];
  if (change.warps & bit)
    return; // runs again, after it has waited
  const Op &first = machine.program.code[change.op];
  if (first.mode != op.mode || first.immediate != op.immediate)
    machine.find(FindingKind::RegisterCount, warp, op, 0, 0,
                 "is not what another warp of its warpgroup executes, " +
                     describeChange(machine, change.op));
  change.warps |= bit;
  change.clocks[warp.index % 4] = warp.clock.of(warp.agent);
  bool changesNothing = op.immediate == warp.registerCount;
  if (turn == 0 || changesNothing || !machine.checks)
    return;
  const RegisterChange &last = changes[turn - 1];
  for (uint32_t i = 0; i < 4; ++i) {
    size_t index = warp.index / 4 * 4 + i;
    if (index < block.warps.size() &&
        (!(last.warps >> i & 1) ||
         warp.clock.of(block.warps[index]->agent) < last.clocks[i])) {
      machine.find(FindingKind::RegisterCount, warp, op, 0, 0,
                   "follows " + describeChange(machine, last.op) +
                       " without a barrier of the warpgroup in between");
      return;
    }
  }
}

/// Whether the change goes the way that the instruction says.
bool goesItsWay(Warp &warp, const Op &op, uint32_t count) {
  uint32_t held = warp.registerCount;
  if (held == 0 || (op.mode == Request ? count >= held : count <= held))
    return true;
  warp.machine->find(FindingKind::RegisterCount, warp, op, 0, 0,
                     std::string(op.mode == Request ? "requests " : "keeps ") +
                         std::to_string(count) +
                         " registers a thread, but its warp holds " +
                         std::to_string(held));
  return false;
}

void changeRegisters(Warp &warp, const Op &op, Lanes) {
  Machine &machine = *warp.machine;
  Block &block = *warp.block;
  uint32_t count = uint32_t(op.immediate);
  noteChange(warp, op);
  if (goesItsWay(warp, op, count)) {
    // A warp whose count at launch is not known counts from its first change.
    int64_t taken = (int64_t(count) - warp.registerCount) * warpSize;
    if (taken > block.freeRegisters && op.mode == Request) {
      warp.sleep(Waiting::Registers, true, 0);
      return;
    }
    if (taken > block.freeRegisters)
      machine.find(FindingKind::RegisterCount, warp, op, 0, 0,
                   "leaves the warps of its block with more than " +
                       std::to_string(registersOfBlock) + " registers");
    block.freeRegisters -= taken;
    warp.registerCount = count;
  }
  ++warp.registerChanges;
  ++machine.epoch;
  for (auto &other : block.warps)
    for (LaneGroup &group : other->groups)
      if (group.waiting == Waiting::Registers)
        machine.wake(*other, group);
}

} // namespace

void Machine::fillRegisterPool(Block &block) {
  if (!program.movesRegisters)
    return;
  block.registerChanges.resize((block.warps.size() + 3) / 4);
  block.freeRegisters = launchRegisters == 0 ? registersOfBlock : 0;
  for (auto &warp : block.warps)
    warp->registerCount = launchRegisters;
}

void Machine::checkRegisterChanges(const Block &block) {
  for (size_t group = 0; group < block.registerChanges.size(); ++group)
    for (const RegisterChange &change : block.registerChanges[group])
      for (size_t i = 0; i < 4 && group * 4 + i < block.warps.size(); ++i)
        if (!(change.warps >> i & 1)) {
          find(FindingKind::RegisterCount, *block.warps[group * 4 + i],
               program.code[change.op], 0, 0,
               "is executed by other warps of the warpgroup, but not by the "
               "warp of this thread");
          break;
        }
}

std::string Machine::describeRegisterWait(const Warp &warp,
                                          const Op &op) const {
  return "waits for " +
         std::to_string((op.immediate - warp.registerCount) * warpSize) +
         " registers (from " + std::to_string(warp.registerCount) + " to " +
         std::to_string(op.immediate) +
         " a thread), where the pool of the block has " +
         std::to_string(warp.block->freeRegisters);
}

void buildRegisterPool(Builder &b) {
  int direction = b.takeOneOf({"inc", "dec"});
  b.require("sync");
  b.require("aligned");
  b.require("u32");
  b.requireOperands(1, 1);
  uint64_t count = b.immediate(0);
  if (direction < 0 || count < 24 || count > 256 || count % registerUnit != 0)
    b.refuse("expected a register count of 24 to 256 in steps of 8");
  Program &program = b.writer.program;
  program.movesRegisters = true;
  if (direction == 0)
    program.largestRegisterRequest =
        std::max(program.largestRegisterRequest, uint32_t(count));
  b.op.immediate = count;
  b.op.mode = direction == 0 ? Request : Release;
  b.op.convergence = Convergence::Aligned;
  b.op.flow = Flow::Wait;
  b.op.run = changeRegisters;
}

} // namespace heddle::ptx
