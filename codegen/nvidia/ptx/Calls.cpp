// Calls.cpp - subroutines: each call of a lane has registers and local memory
// of its own (PTX ISA 7.1). SPDX-License-Identifier: Apache-2.0 WITH
// LLVM-exception

#include "codegen/nvidia/ptx/Machine.h"

#include <algorithm>
#include <cstring>

namespace heddle::ptx {

/// Calls a lane may be in. The stack of a thread on a device holds no more of
/// any but the smallest functions.
static constexpr size_t maxActivations = 1024;
/// Alignment of the local memory of a call.
static constexpr uint64_t frameAlign = 16;

/// Words of a register that a lane owns: 32 bits of a predicate are one.
static unsigned wordCount(unsigned bits) { return bits == 128 ? 2 : 1; }

static uint64_t readWord(const Warp &warp, Row row, unsigned bits,
                         unsigned half, unsigned lane) {
  if (bits == 1)
    return warp.predicate(row) >> lane & 1;
  if (bits == 32)
    return warp.row<uint32_t>(row)[lane];
  return warp.row<uint64_t>(row + half * upperHalf)[lane];
}

static void writeWord(const Warp &warp, Row row, unsigned bits, unsigned half,
                      unsigned lane, uint64_t value) {
  if (bits == 1) {
    Lanes &predicate = warp.predicate(row);
    predicate = (predicate & ~(Lanes(1) << lane)) | Lanes(value & 1) << lane;
  } else if (bits == 32) {
    warp.row<uint32_t>(row)[lane] = uint32_t(value);
  } else {
    warp.row<uint64_t>(row + half * upperHalf)[lane] = value;
  }
}

static unsigned bitsOf(Type type) {
  return type == Type::Pred ? 1 : std::max(bitWidth(type), 32u);
}

/// A register as bytes, undefined as a whole or not at all.
static Transferred readRegister(const Warp &warp, Row row, Type type,
                                std::optional<uint32_t> reg, unsigned lane) {
  unsigned bits = bitsOf(type), words = wordCount(bits);
  Transferred value;
  value.bytes.resize(8 * words);
  for (unsigned half = 0; half < words; ++half) {
    uint64_t word = readWord(warp, row, bits, half, lane);
    std::memcpy(&value.bytes[8 * half], &word, 8);
  }
  bool undefined =
      warp.machine->checks && reg && (warp.undefined[*reg].any() >> lane & 1);
  value.state = {uint8_t(undefined ? 0 : Memory::Initialised)};
  return value;
}

static void writeRegister(Warp &warp, Row row, Type type, uint32_t reg,
                          unsigned lane, const Transferred &value) {
  unsigned bits = bitsOf(type);
  for (unsigned half = 0; half < wordCount(bits); ++half) {
    uint64_t word;
    std::memcpy(&word, &value.bytes[8 * half], 8);
    writeWord(warp, row, bits, half, lane, word);
  }
  if (!warp.machine->checks)
    return;
  warp.undefined[reg].set(Lanes(1) << lane, !value.state[0]);
}

/// `bytes` bytes of local memory at a generic address.
static Transferred readLocal(Memory &memory, uint64_t address, uint64_t bytes) {
  uint64_t offset = address - localWindow;
  Transferred value;
  value.bytes.assign(memory.data + offset, memory.data + offset + bytes);
  if (!memory.state.empty())
    value.state.assign(memory.state.begin() + ptrdiff_t(offset),
                       memory.state.begin() + ptrdiff_t(offset + bytes));
  return value;
}

static void writeLocal(Memory &memory, uint64_t address,
                       const Transferred &value) {
  uint64_t offset = address - localWindow;
  std::copy(value.bytes.begin(), value.bytes.end(), memory.data + offset);
  std::copy(value.state.begin(), value.state.end(),
            memory.state.begin() +
                ptrdiff_t(memory.state.empty() ? 0 : offset));
}

void Machine::enter(Warp &warp, const Op &op, unsigned lane) {
  const CallSite &site = program.callSites[op.detail];
  const Subroutine &callee = program.subroutines[site.subroutine];
  std::vector<Activation> &stack = warp.activations[lane];

  // 1. The arguments, before anything of the callee changes.
  std::vector<Transferred> arguments;
  for (const CallSite::Transfer &argument : site.arguments)
    arguments.push_back(
        argument.inRegister
            ? readRegister(warp, argument.outside, argument.type,
                           argument.outsideRegister, lane)
            : readLocal(localOf(warp, lane),
                        warp.row<uint64_t>(argument.outside)[lane],
                        argument.bytes));

  // 2. A new call: registers put aside, local memory on top of the stack.
  Activation activation;
  activation.returnTo = indexOf(op) + 1;
  activation.site = op.detail;
  activation.stackBefore = warp.stackTop[lane];
  for (uint32_t reg : callee.registers) {
    unsigned bits = program.registerBits[reg];
    for (unsigned half = 0; half < wordCount(bits); ++half)
      activation.registers.push_back(
          readWord(warp, program.registerRows[reg], bits, half, lane));
    if (!checks)
      continue;
    activation.undefined.push_back(warp.undefined[reg].any() >> lane & 1);
    warp.undefined[reg].set(Lanes(1) << lane, true);
  }
  stackBytes += activation.savedBytes();
  std::optional<uint64_t> frame =
      stack.size() < maxActivations
          ? pushStack(warp, lane, callee.frameBytes, frameAlign)
          : std::nullopt;
  if (!frame) {
    report.diagnostics.push_back(
        {locationOf(op), "'call': a thread is in " +
                             std::to_string(stack.size() + 1) + " calls of '" +
                             callee.function->name +
                             "' and its kin at once, more than are covered"});
    throw Stop{Status::Refused};
  }
  activation.frame = *frame;
  stack.push_back(std::move(activation));
  Memory &memory = localOf(warp, lane);
  uint64_t address = localWindow + *frame;
  warp.row<uint64_t>(callee.frame)[lane] = address;

  // 3. The arguments in their new places.
  for (size_t i = 0; i < arguments.size(); ++i) {
    const CallSite::Transfer &to = site.arguments[i];
    if (to.inRegister)
      writeRegister(warp, program.registerRows[to.insideRegister], to.type,
                    to.insideRegister, lane, arguments[i]);
    else
      writeLocal(memory, address + to.offset, arguments[i]);
  }
}

void Machine::callSubroutine(Warp &warp, const Op &op, Lanes lanes) {
  for (Lanes left = lanes; left != 0; left &= left - 1)
    enter(warp, op, unsigned(std::countr_zero(left)));
  ++epoch; // a call is progress
  branch(warp, op, lanes);
}

void Machine::leave(Warp &warp, unsigned lane) {
  Activation done = std::move(warp.activations[lane].back());
  warp.activations[lane].pop_back();
  const CallSite &site = program.callSites[done.site];
  const Subroutine &callee = program.subroutines[site.subroutine];
  stackBytes -= done.savedBytes();
  std::vector<Transferred> &results = warp.results[lane];
  results.clear();
  for (const CallSite::Transfer &result : site.results)
    results.push_back(
        result.inRegister
            ? readRegister(warp, program.registerRows[result.insideRegister],
                           result.type, result.insideRegister, lane)
            : readLocal(localOf(warp, lane),
                        localWindow + done.frame + result.offset,
                        result.bytes));
  popStack(warp, lane, done.stackBefore);
  size_t word = 0;
  for (size_t i = 0; i < callee.registers.size(); ++i) {
    uint32_t reg = callee.registers[i];
    unsigned bits = program.registerBits[reg];
    for (unsigned half = 0; half < wordCount(bits); ++half)
      writeWord(warp, program.registerRows[reg], bits, half, lane,
                done.registers[word++]);
    if (!checks)
      continue;
    warp.undefined[reg].set(Lanes(1) << lane, done.undefined[i]);
  }
}

void Machine::returnFromSubroutine(Warp &warp, Lanes lanes) {
  uint32_t next = warp.group->pc + 1;
  if (lanes == 0) {
    warp.group->pc = next;
    return;
  }
  if (Lanes around = warp.group->lanes & ~lanes)
    splitOff(warp, around, next);
  uint32_t targets[warpSize];
  for (Lanes left = lanes; left != 0; left &= left - 1) {
    unsigned lane = unsigned(std::countr_zero(left));
    targets[lane] = warp.activations[lane].back().returnTo;
    leave(warp, lane);
  }
  ++epoch;
  for (Lanes left = lanes; left != 0;) {
    uint32_t target = targets[std::countr_zero(left)];
    Lanes same = 0;
    for (Lanes l = left; l != 0; l &= l - 1)
      if (targets[std::countr_zero(l)] == target)
        same |= l & -l;
    left &= ~same;
    if (left != 0)
      splitOff(warp, same, target);
    else
      warp.group->pc = target;
  }
}

void takeResults(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  const CallSite &site = machine.program.callSites[op.detail];
  for (Lanes left = lanes; left != 0; left &= left - 1) {
    unsigned lane = unsigned(std::countr_zero(left));
    const std::vector<Transferred> &results = warp.results[lane];
    for (size_t i = 0; i < results.size(); ++i) {
      const CallSite::Transfer &to = site.results[i];
      if (!to.inRegister)
        writeLocal(machine.localOf(warp, lane),
                   warp.row<uint64_t>(to.outside)[lane], results[i]);
      else if (to.outsideRegister)
        writeRegister(warp, to.outside, to.type, *to.outsideRegister, lane,
                      results[i]);
    }
  }
}

} // namespace heddle::ptx
