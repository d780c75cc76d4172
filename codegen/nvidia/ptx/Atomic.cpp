// Atomic.cpp - atom and red (PTX ISA 9.7.13.6 and 9.7.13.7).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Atomic.h"

#include "codegen/nvidia/ptx/Access.h"
#include "codegen/nvidia/ptx/Formats.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace heddle::ptx {

static const Format *halfFormat(Type type) {
  if (type == Type::F16 || type == Type::F16x2)
    return &formatF16;
  if (type == Type::BF16 || type == Type::BF16x2)
    return &formatBF16;
  return nullptr;
}

static uint64_t applyHalf(AtomicKind kind, const Format &format, uint64_t old,
                          uint64_t operand) {
  double a = decode(uint32_t(old), format);
  double b = decode(uint32_t(operand), format);
  if (kind == AtomicKind::Add)
    return encode(a + b, format, Rounding::NearestEven, false);
  if (a != a || b != b) // a NaN loses against a number
    return a == a ? old : b == b ? operand : format.nan;
  // -0 is below +0.
  bool isLess = a < b || (a == b && std::signbit(a) && !std::signbit(b));
  return isLess == (kind == AtomicKind::Min) ? old : operand;
}

/// atom.add.f32 flushes subnormal operands and results in global memory, and
/// keeps them in shared memory.
static uint64_t addFlushed(uint64_t old, uint64_t operand) {
  auto flushed = [](uint64_t bits) {
    bool isSubnormal = (bits & 0x7F800000) == 0;
    return isSubnormal ? bits & 0x80000000 : bits;
  };
  return flushed(applyAtomic(AtomicKind::Add, Type::F32, flushed(old),
                             flushed(operand), 0));
}

static uint64_t applyInteger(AtomicKind kind, Type type, uint64_t old,
                             uint64_t operand) {
  unsigned bits = bitWidth(type);
  uint64_t mask = bits == 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
  bool isSigned = type == Type::S32 || type == Type::S64;
  auto less = [&](uint64_t a, uint64_t b) {
    if (!isSigned)
      return a < b;
    return int64_t(a << (64 - bits)) < int64_t(b << (64 - bits));
  };
  switch (kind) {
  case AtomicKind::And:
    return old & operand;
  case AtomicKind::Or:
    return old | operand;
  case AtomicKind::Xor:
    return old ^ operand;
  case AtomicKind::Exchange:
    return operand;
  case AtomicKind::Add:
    return (old + operand) & mask;
  case AtomicKind::Inc:
    return old >= operand ? 0 : old + 1;
  case AtomicKind::Dec:
    return old == 0 || old > operand ? operand : old - 1;
  case AtomicKind::Min:
    return less(operand, old) ? operand : old;
  case AtomicKind::Max:
    return less(old, operand) ? operand : old;
  case AtomicKind::CompareAndSwap:
    break;
  }
  return old;
}

uint64_t applyAtomic(AtomicKind kind, Type type, uint64_t old, uint64_t operand,
                     uint64_t swap) {
  if (kind == AtomicKind::CompareAndSwap)
    return old == operand ? swap : old;
  if (type == Type::F32 && kind == AtomicKind::Add) {
    float sum = std::bit_cast<float>(uint32_t(old)) +
                std::bit_cast<float>(uint32_t(operand));
    return sum != sum ? 0x7FFFFFFF : std::bit_cast<uint32_t>(sum);
  }
  if (type == Type::F64 && kind == AtomicKind::Add)
    return std::bit_cast<uint64_t>(std::bit_cast<double>(old) +
                                   std::bit_cast<double>(operand));
  if (const Format *format = halfFormat(type)) {
    uint64_t low = applyHalf(kind, *format, old & 0xFFFF, operand & 0xFFFF);
    if (bitWidth(type) == 16)
      return low;
    return low | applyHalf(kind, *format, old >> 16, operand >> 16) << 16;
  }
  return applyInteger(kind, type, old, operand);
}

bool isAtomic(AtomicKind kind, Type type) {
  bool word = type == Type::U32 || type == Type::S32 || type == Type::U64 ||
              type == Type::S64;
  switch (kind) {
  case AtomicKind::And:
  case AtomicKind::Or:
  case AtomicKind::Xor:
  case AtomicKind::Exchange:
    return type == Type::B32 || type == Type::B64 ||
           (type == Type::B128 && kind == AtomicKind::Exchange);
  case AtomicKind::CompareAndSwap:
    return type == Type::B16 || type == Type::B32 || type == Type::B64 ||
           type == Type::B128;
  case AtomicKind::Inc:
  case AtomicKind::Dec:
    return type == Type::U32;
  case AtomicKind::Add:
    return word || type == Type::F32 || type == Type::F64 || halfFormat(type);
  default:
    return word || halfFormat(type);
  }
}

namespace {

enum AtomMode : uint8_t { WideAddress = 1, Returns = 2 };
/// Above the mode: the scope.
constexpr unsigned scopeShift = 2;

uint64_t readRow(Warp &warp, Row row, unsigned bytes, unsigned lane) {
  return bytes == 8 ? warp.row<uint64_t>(row)[lane]
                    : warp.row<uint32_t>(row)[lane];
}

void writeRow(Warp &warp, Row row, unsigned bytes, unsigned lane,
              uint64_t value) {
  if (bytes == 8)
    warp.row<uint64_t>(row)[lane] = value;
  else
    warp.row<uint32_t>(row)[lane] = uint32_t(value);
}

/// Ordering of one lane's update; before it takes place.
void orderLane(Warp &warp, const Target &target, Semantics semantics,
               Scope scope) {
  Machine &machine = *warp.machine;
  bool releases = semantics == Release || semantics == AcquireRelease;
  machine.release(warp, target.key(), !releases, true, scope);
  bool acquires = semantics == Acquire || semantics == AcquireRelease;
  machine.acquire(warp, target.key(), !acquires, scope);
}

/// Checks and orders the access of each lane to `op.count` elements, then calls
/// `update(lane, target)`.
template <class Update>
void updateLanes(Warp &warp, const Op &op, Lanes lanes, Update update) {
  Machine &machine = *warp.machine;
  ++machine.statistics.atomics;
  LaneTargets targets;
  laneAddresses(warp, op.a, op.mode & WideAddress, op.immediate, lanes,
                targets);
  unsigned total = unsigned(op.bytes) * op.count;
  AccessRequest request{Space(op.target & 255), total, total, true};
  resolveLanes(warp, op, lanes, request, targets);
  Semantics semantics = Semantics(op.mode2);
  Scope scope = Scope(op.mode >> scopeShift);
  if (machine.checks) {
    uint8_t flags = accessFlags(Relaxed, scope);
    noteAccesses(warp, op, targets, total, false, flags);
    noteAccesses(warp, op, targets, total, true, flags,
                 undefinedLanes(warp, op));
  }
  for (Lanes left = targets.valid; left != 0; left &= left - 1) {
    unsigned lane = unsigned(std::countr_zero(left));
    const Target &target = targets.target[lane];
    if (machine.checks)
      orderLane(warp, target, semantics, scope);
    update(lane, target);
  }
}

/// Rows of `op.detail`: results, operands, swaps, `op.count` of each.
void atom(Warp &warp, const Op &op, Lanes lanes) {
  const Row *rows = warp.machine->program.rows.data() + op.detail;
  AtomicKind kind = AtomicKind(op.target >> 8 & 255);
  Type type = Type(op.target >> 16);
  unsigned bytes = op.bytes;
  updateLanes(warp, op, lanes, [&](unsigned lane, const Target &target) {
    std::byte *at = target.data();
    for (unsigned e = 0; e < op.count; ++e, at += bytes) {
      uint64_t old = 0;
      std::memcpy(&old, at, bytes);
      uint64_t operand = readRow(warp, rows[op.count + e], bytes, lane);
      uint64_t swap = readRow(warp, rows[2 * op.count + e], bytes, lane);
      bool flushes = type == Type::F32 && kind == AtomicKind::Add &&
                     target.memory->kind == Memory::Kind::Global;
      uint64_t value = flushes ? addFlushed(old, operand)
                               : applyAtomic(kind, type, old, operand, swap);
      warp.machine->epoch += value != old;
      std::memcpy(at, &value, bytes);
      if (op.mode & Returns)
        writeRow(warp, rows[e], bytes, lane, old);
    }
  });
}

/// exch and cas of 128 bits, in two halves.
void atomWide(Warp &warp, const Op &op, Lanes lanes) {
  const Row *rows = warp.machine->program.rows.data() + op.detail;
  bool swaps = AtomicKind(op.target >> 8 & 255) == AtomicKind::CompareAndSwap;
  updateLanes(warp, op, lanes, [&](unsigned lane, const Target &target) {
    std::byte *at = target.data();
    uint64_t old[2], operand[2], value[2];
    std::memcpy(old, at, sizeof old);
    for (unsigned half = 0; half < 2; ++half) {
      operand[half] = warp.row<uint64_t>(rows[2 + half])[lane];
      value[half] = warp.row<uint64_t>(rows[4 + half])[lane];
    }
    bool writes = !swaps || std::memcmp(old, operand, sizeof old) == 0;
    if (writes)
      std::memcpy(at, value, sizeof value);
    warp.machine->epoch += writes && std::memcmp(old, value, sizeof old) != 0;
    for (unsigned half = 0; half < 2; ++half)
      warp.row<uint64_t>(rows[half])[lane] = old[half];
  });
}

/// Whether atom and red have the operation: sums of 64 bits are unsigned, and
/// vectors, of at most 16 bytes, are of floats. Only they have the least and
/// greatest of halves.
bool isUpdate(AtomicKind kind, Type type, unsigned count) {
  bool isHalf = halfFormat(type) != nullptr;
  if (!isAtomic(kind, type) || type == Type::S64) {
    bool isExtremum = kind == AtomicKind::Min || kind == AtomicKind::Max;
    return type == Type::S64 && isExtremum && count == 1;
  }
  if (count == 1)
    return !isHalf || kind == AtomicKind::Add;
  return (isHalf || type == Type::F32) && count * bitWidth(type) <= 128;
}

std::optional<AtomicKind> takeKind(Builder &b) {
  int index = b.takeOneOf(
      {"and", "or", "xor", "exch", "add", "inc", "dec", "min", "max", "cas"});
  if (index < 0)
    return std::nullopt;
  return AtomicKind(index);
}

} // namespace

void buildAtomic(Builder &b) {
  bool returns = b.in.opcode() == Opcode::Atom;
  auto [semantics, scope, space] = takeAccessModifiers(b);
  std::optional<AtomicKind> kind = takeKind(b);
  unsigned count = b.in.mnemonic->vectorWidth;
  if (count > 1)
    b.take("v" + std::to_string(count));
  Type type = b.takeType();
  bool offChip = space == Space::Global || space == Space::Generic;
  if (!kind || !isUpdate(*kind, type, count) || (count > 1 && !offChip))
    b.refuse("this operation on type '." + std::string(spelling(type)) +
             "' is not covered");
  if (!returns &&
      (kind == AtomicKind::Exchange || kind == AtomicKind::CompareAndSwap))
    b.refuse("an operation without a result is of no use");
  if (halfFormat(type))
    b.require("noftz");
  bool swaps = kind == AtomicKind::CompareAndSwap;
  bool hasPolicy = offChip && !swaps && b.take("L2::cache_hint");
  size_t first = returns ? 1 : 0; // the address
  size_t expected = first + 2 + swaps + hasPolicy;
  b.requireOperands(expected, expected);
  bool wide = false;
  b.op.a = b.address(b.operand(first), b.op.immediate, wide);
  if (!wide && space != Space::Shared)
    b.refuse("expected a 64-bit address");
  auto elements = [&](size_t index) -> std::vector<const Operand *> {
    const Operand &operand = b.operand(index);
    std::vector<const Operand *> list;
    if (operand.kind != Operand::Kind::Vector)
      list.push_back(&operand);
    for (const Operand &element : operand.elements)
      list.push_back(&element);
    if (list.size() != count)
      b.refuse("expected " + std::to_string(count) + " elements");
    return list;
  };
  std::vector<Row> results, operands, swapRows;
  bool isWide = type == Type::B128;
  auto add = [&](std::vector<Row> &rows, Row row) {
    rows.push_back(row);
    if (isWide)
      rows.push_back(row + upperHalf);
  };
  for (const Operand *operand : elements(first + 1))
    add(operands, b.source(*operand, type));
  swapRows = operands;
  if (swaps) {
    swapRows.clear();
    add(swapRows, b.source(first + 2, type));
  }
  if (returns)
    for (const Operand *operand : elements(0))
      add(results, b.destination(*operand, type));
  if (isWide)
    count = 2;
  results.resize(count, noRow);
  results.insert(results.end(), operands.begin(), operands.end());
  results.insert(results.end(), swapRows.begin(), swapRows.end());
  b.op.detail = b.addRows(results);
  b.op.count = uint8_t(count);
  b.op.bytes = uint8_t(isWide ? 8 : bitWidth(type) / 8);
  b.op.mode = uint8_t((wide ? WideAddress : 0) | (returns ? Returns : 0) |
                      uint8_t(scope) << scopeShift);
  b.op.mode2 = semantics;
  b.op.target = uint32_t(space) | uint32_t(*kind) << 8 | uint32_t(type) << 16;
  b.op.run = isWide ? atomWide : atom;
}

} // namespace heddle::ptx
