// Stack.cpp - alloca, stacksave, stackrestore (PTX ISA 9.7, stack manipulation
// instructions). SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The stack of a thread grows upwards, behind its local variables and below the
// local memory of calls.

#include "codegen/nvidia/ptx/Builder.h"
#include "codegen/nvidia/ptx/Machine.h"

namespace heddle::ptx {

/// Local memory of a thread (CUDA Programming Guide, compute capabilities).
static constexpr uint64_t maxStackBytes = uint64_t(512) << 10;
static constexpr uint64_t maxAlign = uint64_t(1) << 23;
/// What `alloca` aligns to where nothing is said.
static constexpr uint64_t defaultAlign = 8;

uint64_t Machine::stackBase(const Warp &warp, unsigned lane) const {
  const std::vector<Activation> &stack = warp.activations[lane];
  if (stack.empty())
    return program.localBytes;
  const CallSite &site = program.callSites[stack.back().site];
  return stack.back().frame + program.subroutines[site.subroutine].frameBytes;
}

static uint64_t readPointer(const Warp &warp, const Op &op, unsigned lane) {
  return op.bytes == 8 ? warp.row<uint64_t>(op.a)[lane]
                       : warp.row<uint32_t>(op.a)[lane];
}

/// Pointers of 32 bits are offsets in the local window.
static void writePointer(const Warp &warp, const Op &op, unsigned lane,
                         uint64_t offset) {
  if (op.bytes == 8)
    warp.row<uint64_t>(op.d)[lane] = localWindow + offset;
  else
    warp.row<uint32_t>(op.d)[lane] = uint32_t(offset);
}

/// alloca: row `a` bytes, aligned to `op.immediate`.
static void allocate(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  for (Lanes left = lanes; left != 0; left &= left - 1) {
    unsigned lane = unsigned(std::countr_zero(left));
    uint64_t bytes = readPointer(warp, op, lane);
    uint64_t used = warp.stackTop[lane];
    uint64_t begin = (used + op.immediate - 1) / op.immediate * op.immediate;
    uint64_t most = machine.program.localBytes + maxStackBytes;
    std::optional<uint64_t> offset;
    if (begin <= most && bytes <= most - begin)
      offset = machine.pushStack(warp, lane, bytes, op.immediate);
    if (!offset) {
      machine.report.diagnostics.push_back(
          {machine.locationOf(op),
           "'alloca': a thread asks for " + std::to_string(bytes) +
               " bytes on top of the " + std::to_string(used) +
               " bytes of local memory it has, more than are covered"});
      throw Stop{Status::Refused};
    }
    writePointer(warp, op, lane, *offset);
  }
  ++machine.epoch;
}

void saveStack(Warp &warp, const Op &op, Lanes lanes) {
  forLanes(lanes, [&](unsigned lane) {
    writePointer(warp, op, lane, warp.stackTop[lane]);
  });
}

void restoreStack(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  for (Lanes left = lanes; left != 0; left &= left - 1) {
    unsigned lane = unsigned(std::countr_zero(left));
    uint64_t pointer = readPointer(warp, op, lane);
    uint64_t offset = op.bytes == 8 ? pointer - localWindow : pointer;
    if (offset < machine.stackBase(warp, lane) ||
        offset > warp.stackTop[lane]) {
      machine.find(FindingKind::OutOfBounds, warp, op, lane, pointer,
                   "restores a stack pointer that is not within what this "
                   "function has allocated");
      continue;
    }
    machine.popStack(warp, lane, offset);
  }
  ++machine.epoch;
}

void buildStack(Builder &b) {
  Type type = b.takeType();
  if (type != Type::U32 && type != Type::U64)
    b.refuse("expected type '.u32' or '.u64'");
  b.op.bytes = uint8_t(bitWidth(type) / 8);
  switch (b.in.opcode()) {
  case Opcode::Stacksave:
    b.requireOperands(1, 1);
    b.op.d = b.destination(0, type);
    b.op.run = saveStack;
    return;
  case Opcode::Stackrestore:
    b.requireOperands(1, 1);
    if (!b.isKind(0, Operand::Kind::Register))
      b.refuse("expected a register that stacksave has set");
    b.op.a = b.source(0, type, true);
    b.op.run = restoreStack;
    return;
  default: // alloca
    b.requireOperands(2, 3);
    b.op.d = b.destination(0, type);
    b.op.a = b.source(1, type, true);
    uint64_t align = b.operandCount() == 3 ? b.immediate(2) : defaultAlign;
    if (!std::has_single_bit(align) || align > maxAlign)
      b.refuse("expected an alignment that is a power of two up to 8388608, "
               "got " +
               std::to_string(align));
    b.op.immediate = std::max(align, defaultAlign);
    b.op.run = allocate;
  }
}

} // namespace heddle::ptx
