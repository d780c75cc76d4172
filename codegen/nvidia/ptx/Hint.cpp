// Hint.cpp - instructions that change no result here, and trap.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Elementwise.h"

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
  if (!b.in.has("b64"))
    b.refuse("expected type '.b64'");
  takeAll(b);
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
  case Opcode::Setmaxnreg: {
    int direction = b.takeOneOf({"inc", "dec"});
    b.require("sync");
    b.require("aligned");
    b.require("u32");
    b.requireOperands(1, 1);
    uint64_t count = b.immediate(0);
    if (direction < 0 || count < 24 || count > 256 || count % 8 != 0)
      b.refuse("expected a register count of 24 to 256 in steps of 8");
    b.op.convergence = Convergence::Aligned;
    return;
  }
  case Opcode::Brkpt:
  case Opcode::Pmevent:
    takeAll(b);
    return;
  default: // prefetch, prefetchu, applypriority, discard
    if (b.in.opcode() == Opcode::Discard)
      b.refuse("not covered");
    takeAll(b);
    useOperands(b);
    return;
  }
}

} // namespace heddle::ptx
