// Hint.cpp - instructions that change no result here, and trap.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Access.h"

namespace heddle::ptx {

namespace {

void nothing(Warp &, const Op &, Lanes) {}

void trap(Warp &warp, const Op &op, Lanes lanes) {
  warp.machine->find(FindingKind::Trap, warp, op,
                     unsigned(std::countr_zero(lanes)), 0, "is executed");
  throw Stop{Status::Stopped};
}

/// Cache policies are opaque: any value serves.
void createPolicy(Warp &warp, const Op &op, Lanes lanes) {
  auto *d = warp.row<uint64_t>(op.d);
  forLanes(lanes, [&](unsigned i) { d[i] = 0x12F0'0000'0000'0000; });
}

/// discard.L2: the 128 bytes lose their value.
void discard(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  LaneTargets targets;
  laneAddresses(warp, op.a, true, op.immediate, lanes, targets);
  resolveLanes(warp, op, lanes, {Space::Global, 128, 128, true}, targets);
  if (machine.checks)
    noteAccesses(warp, op, targets, 128, true, 0, allLanes);
  for (Lanes left = targets.valid; left != 0; left &= left - 1)
    machine.poison(targets.target[std::countr_zero(left)].data(), 128);
  ++machine.epoch;
}

void buildDiscard(Builder &b) {
  b.take("global");
  b.require("L2");
  b.requireOperands(2, 2);
  bool wide = false;
  b.op.a = b.address(b.operand(0), b.op.immediate, wide);
  if (!wide || b.immediate(1) != 128)
    b.refuse("expected a 64-bit address and a size of 128");
  b.op.run = discard;
}

void takeAll(Builder &b) {
  while (b.takePrefixed("")) {
  }
}

/// Values an op depends on although it does nothing with them.
void useOperands(Builder &b) {
  for (const Operand &operand : b.in.operands)
    if (operand.kind == Operand::Kind::Register)
      b.source(operand, b.registerType(operand), true);
}

void buildPolicy(Builder &b) {
  if (b.operandCount() == 0)
    b.refuse("expected operands");
  b.require("b64");
  if (b.take("cvt")) {
    b.require("L2");
  } else {
    bool isRange = b.take("range");
    if (isRange)
      b.take("global");
    else
      b.require("fractional");
    if (!b.takePrefixed("L2::evict_"))
      b.refuse("expected an eviction priority");
    // The priority of what is left over.
    b.takeOneOf({"L2::evict_first", "L2::evict_unchanged"});
  }
  b.op.d = b.destination(0, Type::B64);
  b.op.run = createPolicy;
}

} // namespace

void buildHint(Builder &b) {
  b.op.run = nothing;
  switch (b.in.opcode()) {
  case Opcode::Createpolicy:
    return buildPolicy(b);
  case Opcode::Trap:
    b.requireOperands(0, 0);
    b.op.run = trap;
    return;
  case Opcode::Nanosleep:
    b.require("u32");
    b.requireOperands(1, 1);
    b.source(0, Type::U32, true); // time itself is not modelled
    return;
  case Opcode::Griddepcontrol:
    // One launch runs alone: what it depends on has ended.
    if (b.takeOneOf({"wait", "launch_dependents"}) < 0)
      b.refuse("expected '.wait' or '.launch_dependents'");
    b.requireOperands(0, 0);
    return;
  case Opcode::Brkpt:
  case Opcode::Pmevent:
    takeAll(b);
    return;
  case Opcode::Discard:
    return buildDiscard(b);
  default: // prefetch, prefetchu, applypriority
    takeAll(b);
    useOperands(b);
    return;
  }
}

} // namespace heddle::ptx
