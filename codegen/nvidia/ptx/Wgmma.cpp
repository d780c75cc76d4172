// Wgmma.cpp - wgmma (PTX ISA 9.7.15): fences, groups, checks at the issue.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each warp of a warpgroup computes its own 16 rows. Shared memory is read, and
// the accumulators change, when a wait completes the group.

#include "codegen/nvidia/ptx/Wgmma.h"

#include "codegen/nvidia/ptx/Builder.h"
#include "codegen/nvidia/ptx/Fragment.h"
#include "codegen/nvidia/ptx/LayoutChecks.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace heddle::ptx {

MatrixDescriptor::MatrixDescriptor(uint64_t bits)
    : start(uint32_t(bits & 0x3FFF) << 4),
      leading(uint32_t(bits >> 16 & 0x3FFF) << 4),
      stride(uint32_t(bits >> 32 & 0x3FFF) << 4),
      baseOffset(uint32_t(bits >> 49 & 7)) {
  // The two top bits count swizzles down from 128 bytes.
  constexpr TensorSwizzle swizzles[] = {
      TensorSwizzle::None, TensorSwizzle::Bytes128, TensorSwizzle::Bytes64,
      TensorSwizzle::Bytes32};
  constexpr uint32_t spans[] = {16, 128, 64, 32};
  swizzle = swizzles[bits >> 62];
  span = spans[bits >> 62];
}

/// Canonical layouts (9.7.15.5.1): eight rows of a swizzle span each are one
/// pattern. `outer` counts along M or N, `inner` is bytes or, transposed, along
/// K.
uint32_t MatrixDescriptor::addressAlongK(uint32_t outer,
                                         uint32_t innerBytes) const {
  uint32_t at = start + outer / 8 * stride + outer % 8 * span;
  if (swizzle == TensorSwizzle::None)
    at += innerBytes / 16 * leading + innerBytes % 16;
  else
    at += innerBytes;
  return swizzledInPattern(at);
}

uint32_t MatrixDescriptor::addressAcrossK(uint32_t outerBytes,
                                          uint32_t inner) const {
  uint32_t at = start + outerBytes % span + inner % 8 * span;
  if (swizzle == TensorSwizzle::None)
    at += outerBytes / span * stride + inner / 8 * leading;
  else
    at += outerBytes / span * leading + inner / 8 * stride;
  return swizzledInPattern(at);
}

uint32_t MatrixDescriptor::swizzledInPattern(uint32_t address) const {
  uint32_t patternStart = baseOffset << 7;
  return swizzled(address - patternStart, swizzle) + patternStart;
}

namespace {

/// Calls `visit(address)` for each 16-byte unit of rows `first` to before
/// `last` of a multiplicand with `k` elements of `bytes` bytes.
template <class Visit>
void forUnits(const MatrixDescriptor &descriptor, bool transposed,
              uint32_t first, uint32_t last, uint32_t k, uint32_t bytes,
              Visit visit) {
  if (!transposed) {
    for (uint32_t outer = first; outer < last; ++outer)
      for (uint32_t at = 0; at < k * bytes; at += 16)
        visit(descriptor.addressAlongK(outer, at));
    return;
  }
  for (uint32_t inner = 0; inner < k; ++inner)
    for (uint32_t at = first * bytes; at < last * bytes; at += 16)
      visit(descriptor.addressAcrossK(at, inner));
}

/// The multiplicand as rows of elements, `k` of them in each.
template <class Element>
void readShared(const Memory &shared, const MatrixDescriptor &descriptor,
                bool transposed, uint32_t first, uint32_t last, uint32_t k,
                uint32_t bytes, Element element) {
  if (!transposed) {
    for (uint32_t outer = first; outer < last; ++outer)
      for (uint32_t at = 0; at < k * bytes; at += 16) {
        const std::byte *unit =
            shared.data + descriptor.addressAlongK(outer, at);
        for (uint32_t e = 0; e < 16 / bytes; ++e) {
          uint32_t value = 0;
          std::memcpy(&value, unit + e * bytes, bytes);
          element(outer - first, at / bytes + e, value);
        }
      }
    return;
  }
  for (uint32_t inner = 0; inner < k; ++inner)
    for (uint32_t at = first * bytes; at < last * bytes; at += 16) {
      const std::byte *unit =
          shared.data + descriptor.addressAcrossK(at, inner);
      for (uint32_t e = 0; e < 16 / bytes; ++e) {
        uint32_t value = 0;
        std::memcpy(&value, unit + e * bytes, bytes);
        element(at / bytes + e - first, inner, value);
      }
    }
}

uint32_t firstRow(const Warp &warp) { return warp.index % 4 * 16; }

/// Whether all units of a descriptor lie in shared memory; marks them as read.
bool checkDescriptor(Warp &warp, const Op &op,
                     const MatrixDescriptor &descriptor, bool transposed,
                     uint32_t first, uint32_t last, uint32_t k, Type type,
                     uint32_t access) {
  Machine &machine = *warp.machine;
  Memory &shared = warp.block->shared;
  if (descriptor.baseOffset != 0 && descriptor.swizzle == TensorSwizzle::None) {
    machine.find(FindingKind::Descriptor, warp, op, 0, descriptor.start,
                 "has a descriptor with a base offset, but no swizzle");
    return false;
  }
  // Eight rows of a span each are a pattern, which starts at a multiple of its
  // size or where the base offset says (9.7.15.5.1.2).
  uint32_t inPattern = descriptor.start - (descriptor.baseOffset << 7);
  if (uint32_t rows = inPattern / descriptor.span % 8;
      rows != 0 && descriptor.swizzle != TensorSwizzle::None)
    machine.find(
        FindingKind::Descriptor, warp, op, 0, shared.address + descriptor.start,
        "has a descriptor that starts at shared offset " +
            std::to_string(descriptor.start) + ", " + std::to_string(rows) +
            " rows into a pattern of " + std::to_string(8 * descriptor.span) +
            " bytes, with a base offset of " +
            std::to_string(descriptor.baseOffset));
  uint32_t bytes = elementBits(type) / 8;
  bool inside = true;
  uint32_t outside = 0;
  forUnits(descriptor, transposed, first, last, k, bytes,
           [&](uint32_t address) {
             if (uint64_t(address) + 16 > shared.bytes) {
               inside = false;
               outside = std::max(outside, address);
             }
           });
  if (!inside) {
    machine.find(FindingKind::Descriptor, warp, op, 0, shared.address + outside,
                 "has a descriptor that reaches shared offset " +
                     std::to_string(outside) + ", past the end (" +
                     std::to_string(shared.bytes) + " bytes)");
    return false;
  }
  if (machine.checks)
    forUnits(descriptor, transposed, first, last, k, bytes,
             [&](uint32_t address) {
               machine.raceRead(warp, op, 0, {&shared, address}, 16, access);
             });
  return true;
}

/// The rows `first` to before `last` of the `outer` of a multiplicand.
OperandStart noteSharedReads(Warp &warp, const Op &op, const char *what,
                             const MatrixDescriptor &descriptor,
                             bool transposed, uint32_t outer, uint32_t first,
                             uint32_t last, uint32_t k, Type type) {
  Machine &machine = *warp.machine;
  uint32_t bytes = elementBits(type) / 8;
  OperandUnits units =
      transposed
          ? OperandUnits{true, 0, k, first * bytes / 16, last * bytes / 16}
          : OperandUnits{false, first, last, 0, k * bytes / 16};
  checkOperandLayout(warp, op, what, descriptor, units);
  OperandStart start =
      checkOperandStart(warp, op, what, descriptor, units, outer, k, bytes);
  forUnits(descriptor, transposed, first, last, k, bytes,
           [&](uint32_t address) {
             machine.noteRead(warp, op, 0, {&warp.block->shared, address}, 16);
           });
  return start;
}

void markInFlight(Warp &warp, const OpDetail &shape) {
  for (uint32_t reg : shape.registers)
    warp.inFlight[reg] = 1;
  for (uint32_t reg : shape.inputs)
    if (warp.inFlight[reg] == 0)
      warp.inFlight[reg] = 2;
}

/// A wgmma.fence must lie between accesses to registers and a wgmma that has
/// them as accumulators or inputs, and before the first wgmma (9.7.15.7.1).
/// Inputs may have been read. What is used must be defined; accumulators that
/// are not may have been written, as compilers do with operands of inline
/// assembly.
void checkRegisters(Warp &warp, const Op &op, const OpDetail &shape,
                    bool accumulate) {
  Machine &machine = *warp.machine;
  auto check = [&](uint32_t reg, const char *what, bool isUsed,
                   uint8_t hazards) {
    const std::string &name = machine.program.registerNames[reg];
    Lanes undefined = warp.undefined[reg].any();
    if (isUsed && undefined != 0)
      machine.find(FindingKind::UninitialisedRegister, warp, op,
                   unsigned(std::countr_zero(undefined)), 0,
                   "depends on " + name + ", which has no defined value");
    if (uint8_t touched = warp.touched[reg] & hazards)
      machine.find(FindingKind::AccumulatorInFlight, warp, op, 0, 0,
                   std::string("uses ") + name + ", " + what + " " +
                       (touched & Warp::IsWritten ? "written" : "read") +
                       " since the last wgmma.fence");
  };
  if (!warp.hasWgmmaFence)
    machine.find(FindingKind::AccumulatorInFlight, warp, op, 0, 0,
                 "is the first wgmma of its warp and follows no wgmma.fence");
  for (uint32_t reg : shape.registers)
    check(reg, "an accumulator", accumulate,
          accumulate ? Warp::IsRead | Warp::IsWritten : Warp::IsRead);
  for (uint32_t reg : shape.inputs)
    check(reg, "an input", true, Warp::IsWritten);
}

/// `op.mode`: the A operand is in registers. Rows: `a`, `b` descriptors, `c`
/// the predicate of accumulation, if not constant.
void issue(Warp &warp, const Op &op, Lanes) {
  Machine &machine = *warp.machine;
  const OpDetail &shape = machine.program.details[op.detail];
  ++machine.statistics.tensorCore;
  if (warp.index / 4 * 4 + 4 > warp.block->warps.size()) {
    machine.find(FindingKind::Divergence, warp, op, 0, 0,
                 "needs the four warps of a warpgroup, which the block lacks");
    throw Stop{Status::Stopped};
  }
  PendingWgmma pending;
  pending.op = machine.indexOf(op);
  if (op.mode == 0)
    pending.descriptorA = warp.row<uint64_t>(op.a)[0];
  pending.descriptorB = warp.row<uint64_t>(op.b)[0];
  pending.accumulate = (warp.predicate(op.c) & 1) != 0;
  uint32_t access = 0;
  if (machine.checks) {
    checkRegisters(warp, op, shape, pending.accumulate);
    access = machine.accessOf(warp, op, warp.agentOf(WgmmaAgent),
                              warp.wgmmaGroups + 1, Access::Async);
  }
  bool fine =
      checkDescriptor(warp, op, MatrixDescriptor(pending.descriptorB),
                      shape.transB, 0, shape.n, shape.k, shape.typeB, access);
  if (op.mode == 0)
    fine &= checkDescriptor(warp, op, MatrixDescriptor(pending.descriptorA),
                            shape.transA, firstRow(warp), firstRow(warp) + 16,
                            shape.k, shape.typeA, access);
  if (!fine)
    throw Stop{Status::Stopped};
  if (machine.checks) {
    for (uint32_t reg : shape.registers) {
      warp.undefined[reg].set(allLanes, false);
      warp.touched[reg] = 0; // now written by the wgmma itself
    }
    markInFlight(warp, shape);
    ++warp.inFlightCount;
    machine.tick(warp);
  }
  // Groups complete in order, so nothing may overtake what is pending.
  bool none = std::all_of(warp.wgmmas.begin(), warp.wgmmas.end(),
                          [](const PendingWgmma &p) { return p.done; });
  if (none && machine.chance()) {
    machine.runWgmma(warp, pending);
    pending.done = true;
  }
  warp.wgmmas.push_back(pending);
}

void fenceOp(Warp &warp, const Op &, Lanes) {
  std::fill(warp.touched.begin(), warp.touched.end(), 0);
  warp.hasWgmmaFence = true;
}

void commit(Warp &warp, const Op &, Lanes) {
  ++warp.wgmmaGroups;
  for (PendingWgmma &pending : warp.wgmmas)
    if (pending.group == 0)
      pending.group = warp.wgmmaGroups;
  warp.machine->wakeWarpgroup(warp);
}

void wait(Warp &warp, const Op &op, Lanes) {
  Machine &machine = *warp.machine;
  uint32_t keep = uint32_t(op.immediate);
  uint32_t due = warp.wgmmaGroups > keep ? warp.wgmmaGroups - keep : 0;
  if (!machine.warpgroupCommitted(warp, due)) {
    warp.sleep(Waiting::Warpgroup, true, 0);
    return;
  }
  machine.waitWgmma(warp, keep);
}

/// A as `[16][k]`, from registers or shared memory.
template <class T, class Convert>
void readA(Warp &warp, const OpDetail &shape, const PendingWgmma &pending, T *a,
           Convert convert) {
  if (shape.a.empty()) {
    readShared(warp.block->shared, MatrixDescriptor(pending.descriptorA),
               shape.transA, firstRow(warp), firstRow(warp) + 16, shape.k,
               elementBits(shape.typeA) / 8,
               [&](uint32_t row, uint32_t k, uint32_t bits) {
                 a[row * shape.k + k] = convert(bits);
               });
    return;
  }
  unsigned bits = elementBits(shape.typeA), per = 32 / bits;
  for (unsigned r = 0; r < shape.a.size(); ++r) {
    const auto *words = warp.row<uint32_t>(shape.a[r]);
    for (unsigned lane = 0; lane < warpSize; ++lane)
      for (unsigned e = 0; e < per; ++e) {
        Place at = placeA(lane, r, e, 16, per);
        a[at.row * shape.k + at.column] =
            convert(elementOf(words[lane], bits, e));
      }
  }
}

template <class T, class Convert>
void readB(Warp &warp, const OpDetail &shape, const PendingWgmma &pending, T *b,
           Convert convert) {
  readShared(warp.block->shared, MatrixDescriptor(pending.descriptorB),
             shape.transB, 0, shape.n, shape.k, elementBits(shape.typeB) / 8,
             [&](uint32_t column, uint32_t k, uint32_t bits) {
               b[k * shape.n + column] = convert(bits);
             });
}

void runFloat(Warp &warp, const OpDetail &shape, const PendingWgmma &pending) {
  static thread_local float a[16 * 32], b[32 * 256], d[16 * 256];
  auto withType = [&](Type type, auto use) {
    switch (type) { // a constant inside the loops
    case Type::BF16:
      return use([](uint32_t x) { return floatElement(Type::BF16, x); });
    case Type::F16:
      return use([](uint32_t x) { return floatElement(Type::F16, x); });
    case Type::TF32:
      return use([](uint32_t x) { return floatElement(Type::TF32, x); });
    case Type::E4M3:
      return use([](uint32_t x) { return floatElement(Type::E4M3, x); });
    default:
      return use([](uint32_t x) { return floatElement(Type::E5M2, x); });
    }
  };
  withType(shape.typeA,
           [&](auto convert) { readA(warp, shape, pending, a, convert); });
  withType(shape.typeB,
           [&](auto convert) { readB(warp, shape, pending, b, convert); });
  if (shape.negA != shape.negB)
    for (unsigned i = 0; i < 16 * shape.k; ++i)
      a[i] = -a[i];
  if (pending.accumulate)
    gatherAccumulators(warp, shape.d, shape.typeD, 16, shape.n, d);
  else
    std::fill(d, d + 16 * shape.n, 0.0f);
  multiplyAdd(d, a, b, 16, shape.n, shape.k);
  scatterAccumulators(warp, shape.d, shape.typeD, 16, shape.n, d);
}

void runInteger(Warp &warp, const OpDetail &shape,
                const PendingWgmma &pending) {
  static thread_local int32_t a[16 * 32], b[32 * 256];
  static thread_local int64_t d[16 * 256];
  readA(warp, shape, pending, a,
        [&](uint32_t x) { return integerElement(shape.typeA, x); });
  readB(warp, shape, pending, b,
        [&](uint32_t x) { return integerElement(shape.typeB, x); });
  if (pending.accumulate)
    gatherAccumulators(warp, shape.d, 16, shape.n, d);
  else
    std::fill(d, d + 16 * shape.n, 0);
  multiplyAdd(d, a, b, 16, shape.n, shape.k);
  scatterAccumulators(warp, shape.d, 16, shape.n, d, shape.saturate);
}

} // namespace

void Machine::runWgmma(Warp &warp, const PendingWgmma &pending) {
  const Op &op = program.code[pending.op];
  const OpDetail &shape = program.details[op.detail];
  if (checks) {
    OperandStart b = noteSharedReads(
        warp, op, "B", MatrixDescriptor(pending.descriptorB), shape.transB,
        shape.n, 0, shape.n, shape.k, shape.typeB);
    if (shape.a.empty())
      checkContraction(
          warp, op,
          noteSharedReads(warp, op, "A", MatrixDescriptor(pending.descriptorA),
                          shape.transA, 64, firstRow(warp), firstRow(warp) + 16,
                          shape.k, shape.typeA),
          b);
  }
  if (isIntegerElement(shape.typeA))
    runInteger(warp, shape, pending);
  else
    runFloat(warp, shape, pending);
}

/// Calls `visit` for the warps of the same warpgroup, the own one included.
template <class Visit>
static void forWarpgroup(const Warp &warp, Visit visit) {
  auto &warps = warp.block->warps;
  size_t first = warp.index / 4 * 4;
  for (size_t i = first; i < std::min(first + 4, warps.size()); ++i)
    visit(*warps[i]);
}

bool Machine::warpgroupCommitted(Warp &warp, uint32_t groups) const {
  bool all = true;
  forWarpgroup(warp, [&](Warp &member) {
    all &= member.live == 0 || member.wgmmaGroups >= groups;
  });
  return all;
}

void Machine::wakeWarpgroup(Warp &warp) {
  forWarpgroup(warp, [&](Warp &member) {
    for (LaneGroup &group : member.groups)
      if (group.waiting == Waiting::Warpgroup)
        wake(member, group);
  });
  ++epoch;
}

void Machine::completeWgmma(Warp &warp, uint32_t groups) {
  for (PendingWgmma &pending : warp.wgmmas)
    if (!pending.done && pending.group != 0 && pending.group <= groups) {
      runWgmma(warp, pending);
      pending.done = true;
    }
}

void Machine::waitWgmma(Warp &warp, uint32_t keep) {
  uint32_t due = warp.wgmmaGroups > keep ? warp.wgmmaGroups - keep : 0;
  auto isDue = [&](const PendingWgmma &pending) {
    return warp.live == 0 || (pending.group != 0 && pending.group <= due);
  };
  forWarpgroup(warp, [&](Warp &member) { completeWgmma(member, due); });
  std::erase_if(warp.wgmmas, isDue);
  if (!checks || !usesWgmma)
    return;
  std::fill(warp.inFlight.begin(), warp.inFlight.end(), 0);
  warp.inFlightCount = uint32_t(warp.wgmmas.size());
  for (const PendingWgmma &pending : warp.wgmmas)
    markInFlight(warp, program.details[program.code[pending.op].detail]);
  warp.clock.raise(warp.agentOf(WgmmaAgent), due);
  tick(warp);
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

static void takeShape(Builder &b, OpDetail &shape) {
  std::optional<std::string_view> word = b.takePrefixed("m64n");
  // Read back, as sscanf passes over leading zeros and what follows.
  if (!word ||
      std::sscanf(std::string(*word).c_str(), "m%un%uk%u", &shape.m, &shape.n,
                  &shape.k) != 3 ||
      *word != "m64n" + std::to_string(shape.n) + "k" + std::to_string(shape.k))
    b.refuse("expected a shape such as '.m64n128k16'");
  shape.typeD = b.takeType();
  shape.typeA = b.takeType();
  shape.typeB = b.takeType();
  bool integer = isIntegerElement(shape.typeA);
  bool fp8 = shape.typeA == Type::E4M3 || shape.typeA == Type::E5M2;
  bool half = shape.typeA == Type::F16 || shape.typeA == Type::BF16;
  bool sameKind = integer ? shape.typeB == Type::S8 || shape.typeB == Type::U8
                  : fp8 ? shape.typeB == Type::E4M3 || shape.typeB == Type::E5M2
                        : shape.typeA == shape.typeB;
  bool known = half || fp8 || shape.typeA == Type::TF32 ||
               shape.typeA == Type::S8 || shape.typeA == Type::U8;
  bool result =
      integer ? shape.typeD == Type::S32
              : shape.typeD == Type::F32 || (shape.typeD == Type::F16 &&
                                             (shape.typeA == Type::F16 || fp8));
  // Integers know fewer widths (table of shapes in 9.7.15.2).
  unsigned step = integer && shape.n > 24 ? 16 : 8;
  if (!known || !sameKind || !result || shape.n == 0 || shape.n > 256 ||
      shape.n % step != 0 || shape.k * elementBits(shape.typeA) != 256)
    b.refuse("this combination of shape and types is not covered");
}

/// The scales must be 1 or -1, the transposes 0 or 1.
static void takeImmediates(Builder &b, OpDetail &shape, size_t next) {
  if (isIntegerElement(shape.typeA)) {
    shape.saturate = b.take("satfinite");
    return b.requireOperands(next, next);
  }
  bool half = shape.typeA == Type::F16 || shape.typeA == Type::BF16;
  size_t transposes = half ? (shape.a.empty() ? 2 : 1) : 0;
  b.requireOperands(next + 2 + transposes, next + 2 + transposes);
  auto scale = [&](size_t index) {
    int64_t value = int64_t(b.immediate(index));
    if (value != 1 && value != -1)
      b.refuse("expected a scale of 1 or -1");
    return value == -1;
  };
  auto transpose = [&](size_t index) {
    uint64_t value = b.immediate(index);
    if (value > 1)
      b.refuse("expected a transpose of 0 or 1");
    return value == 1;
  };
  shape.negA = scale(next);
  shape.negB = scale(next + 1);
  if (transposes == 2)
    shape.transA = transpose(next + 2);
  if (transposes >= 1)
    shape.transB = transpose(next + 1 + transposes);
}

static void buildProduct(Builder &b) {
  b.require("sync");
  b.require("aligned");
  OpDetail shape;
  takeShape(b, shape);
  const Operand &d = b.operand(0);
  size_t count = shape.n / 2 / (shape.typeD == Type::F16 ? 2 : 1);
  if (d.kind != Operand::Kind::Vector || d.elements.size() != count)
    b.refuse("expected " + std::to_string(count) + " accumulators");
  Type word = shape.typeD == Type::F16 ? Type::B32 : shape.typeD;
  // The accumulators are not plain operands: the checks of registers in flight
  // must not take a chain of wgmma for a fault.
  for (const Operand &element : d.elements) {
    std::optional<uint32_t> reg = b.registerIndex(element);
    if (!reg || bitWidth(b.registerType(element)) != bitWidth(word) ||
        b.registerType(element) == Type::Pred)
      b.refuse("expected registers of type '." + std::string(spelling(word)) +
               "' as accumulators");
    shape.registers.push_back(*reg);
    shape.d.push_back(b.writer.program.registerRows[*reg]);
  }
  const Operand &a = b.operand(1);
  if (a.kind == Operand::Kind::Vector) {
    if (a.elements.size() != 4)
      b.refuse("expected 4 registers of A");
    for (const Operand &element : a.elements) {
      std::optional<uint32_t> reg = b.registerIndex(element);
      if (!reg || bitWidth(b.registerType(element)) != 32)
        b.refuse("expected registers of type '.b32' as A");
      shape.inputs.push_back(*reg);
      shape.a.push_back(b.writer.program.registerRows[*reg]);
    }
    b.op.mode = 1;
  } else {
    b.op.a = b.source(1, Type::B64, true);
  }
  b.op.b = b.source(2, Type::B64, true);
  size_t next = 3;
  b.op.c = b.predicateSource(b.operand(next++), true);
  takeImmediates(b, shape, next);
  b.addDetail();
  b.detail() = std::move(shape);
  b.op.convergence = Convergence::AlignedAll;
  b.op.run = issue;
}

void buildWgmma(Builder &b) {
  if (b.take("mma_async"))
    return buildProduct(b);
  int kind = b.takeOneOf({"fence", "commit_group", "wait_group"});
  b.require("sync");
  b.require("aligned");
  b.op.convergence = Convergence::AlignedAll;
  switch (kind) {
  case 0:
    b.requireOperands(0, 0);
    b.op.run = fenceOp;
    return;
  case 1:
    b.requireOperands(0, 0);
    b.op.run = commit;
    return;
  case 2:
    b.requireOperands(1, 1);
    b.op.immediate = b.immediate(0);
    if (b.op.immediate > 7)
      b.refuse("expected a number of groups from 0 to 7");
    b.op.flow = Flow::Wait;
    b.op.run = wait;
    return;
  default:
    b.refuse("not covered");
  }
}

} // namespace heddle::ptx
