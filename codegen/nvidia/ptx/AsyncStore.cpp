// AsyncStore.cpp - st.async, red.async and st.bulk (PTX ISA 9.7.9.12 and .13,
// 9.7.13.8). SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An asynchronous store is a bulk copy whose source are registers: it belongs
// to the agent of its mbarrier, and takes effect when the mbarrier's bytes do.

#include "codegen/nvidia/ptx/Access.h"
#include "codegen/nvidia/ptx/Atomic.h"

#include <cstring>

namespace heddle::ptx {

namespace {

enum AsyncStoreMode : uint8_t {
  WideAddress = 1,
  WideBarrier = 2,
  Reduces = 4,
};

/// Rows of `op.detail`: the elements, `op.count` of `op.bytes` bytes. Row `b`
/// and `op.immediate` hold the mbarrier, row `a` and `op.target` the place.
void storeAsync(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  uint32_t total = uint32_t(op.bytes) * op.count;
  LaneTargets to, barriers;
  laneAddresses(warp, op.a, op.mode & WideAddress, uint64_t(int32_t(op.target)),
                lanes, to);
  laneAddresses(warp, op.b, op.mode & WideBarrier, op.immediate, lanes,
                barriers);
  auto space = [&](uint8_t wide) {
    return op.mode & wide ? Space::Generic : Space::Shared;
  };
  resolveLanes(warp, op, lanes, {space(WideAddress), total, total, true}, to);
  resolveLanes(warp, op, lanes, {space(WideBarrier), 8, 8, true}, barriers);
  Lanes undefined = machine.checks ? undefinedLanes(warp, op) : 0;
  const Row *rows = machine.program.rows.data() + op.detail;
  for (Lanes left = to.valid & barriers.valid; left != 0; left &= left - 1) {
    unsigned lane = unsigned(std::countr_zero(left));
    Memory &memory = *to.target[lane].memory;
    if (memory.kind != Memory::Kind::Shared ||
        barriers.target[lane].memory != &memory) {
      machine.find(FindingKind::MbarrierMisuse, warp, op, lane,
                   to.address[lane],
                   "expects an address and an mbarrier in the shared memory of "
                   "one block");
      continue;
    }
    BulkCopy copy;
    copy.kind =
        op.mode & Reduces ? BulkCopy::Kind::ReduceValue : BulkCopy::Kind::Value;
    copy.warp = &warp;
    copy.op = machine.indexOf(op);
    copy.lane = uint8_t(lane);
    copy.reduction = op.mode2 & 15;
    copy.type = op.bytes == 8   ? Type::U64
                : op.mode2 >> 4 ? Type::S32
                                : Type::U32;
    copy.block = copy.barrierBlock = memory.block;
    copy.shared = uint32_t(to.target[lane].offset);
    copy.barrier = uint32_t(barriers.target[lane].offset);
    copy.bytes = total;
    copy.wasRead = true;
    copy.defined = !(undefined >> lane & 1);
    copy.snapshot.resize(total);
    for (unsigned e = 0; e < op.count; ++e) {
      uint64_t value = op.bytes == 8 ? warp.row<uint64_t>(rows[e])[lane]
                                     : warp.row<uint32_t>(rows[e])[lane];
      std::memcpy(&copy.snapshot[e * op.bytes], &value, op.bytes);
    }
    machine.issueLoad(std::move(copy));
  }
}

void takeReduction(Builder &b, Type type) {
  int kind = b.takeOneOf(
      {"and", "or", "xor", "exch", "add", "inc", "dec", "min", "max"});
  auto operation = AtomicKind(kind);
  bool fits =
      kind >= 0 && operation != AtomicKind::Exchange &&
      isAtomic(operation, type) && type != Type::B64 &&
      (operation == AtomicKind::Add ? type != Type::S64 : bitWidth(type) == 32);
  if (!fits || type == Type::F32 || type == Type::F64)
    b.refuse("this reduction of type '." + std::string(spelling(type)) +
             "' is not covered");
  b.op.mode |= Reduces;
  b.op.mode2 = uint8_t(kind | (type == Type::S32) << 4);
}

/// `st.async [a], value, [mbarrier]`, and `red.async` alike.
void buildRemote(Builder &b, bool reduces) {
  if (reduces) {
    b.require("relaxed");
    b.require("cluster");
  } else {
    b.take("weak");
  }
  b.take("shared::cluster");
  b.require("mbarrier::complete_tx::bytes");
  unsigned count = b.in.mnemonic->vectorWidth;
  if (count > 1)
    b.take("v" + std::to_string(count));
  Type type = b.takeType();
  unsigned bits = bitWidth(type);
  if ((bits != 32 && bits != 64) || !isWord(type) || bits * count > 128)
    b.refuse("type '." + std::string(spelling(type)) + "' is not covered");
  if (reduces)
    takeReduction(b, type);
  b.requireOperands(3, 3);
  bool wide = false;
  uint64_t offset = 0;
  b.op.a = b.address(b.operand(0), offset, wide);
  b.op.mode |= wide ? WideAddress : 0;
  b.op.target = uint32_t(offset);
  if (int64_t(offset) != int32_t(offset))
    b.refuse("expected a place in shared memory");
  b.op.b = b.address(b.operand(2), b.op.immediate, wide);
  b.op.mode |= wide ? WideBarrier : 0;
  const Operand &value = b.operand(1);
  bool isVector = value.kind == Operand::Kind::Vector;
  size_t elements = isVector ? value.elements.size() : 1;
  if (elements != count || (reduces && count != 1) || count > 4)
    b.refuse("expected " + std::to_string(reduces ? 1 : count) +
             " elements of at most 4, got " + std::to_string(elements));
  std::vector<Row> rows;
  for (size_t e = 0; e < elements; ++e)
    rows.push_back(b.source(isVector ? value.elements[e] : value, type));
  b.op.detail = b.addRows(rows);
  b.op.bytes = uint8_t(bits / 8);
  b.op.count = uint8_t(count);
  b.op.run = storeAsync;
}

/// st.bulk: `row b` bytes of zeros, at once.
void storeBulk(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  LaneTargets targets;
  laneAddresses(warp, op.a, op.mode & WideAddress, op.immediate, lanes,
                targets);
  const auto *size = warp.row<uint64_t>(op.b);
  for (Lanes left = lanes; left != 0; left &= left - 1) {
    unsigned lane = unsigned(std::countr_zero(left));
    if (size[lane] == 0 || size[lane] % 8 != 0 || size[lane] > UINT32_MAX) {
      machine.find(FindingKind::Misaligned, warp, op, lane,
                   targets.address[lane],
                   "stores " + std::to_string(size[lane]) +
                       " bytes, which is no multiple of 8");
      continue;
    }
    AccessRequest request{Space(op.target), uint32_t(size[lane]), 8, true};
    resolveLanes(warp, op, Lanes(1) << lane, request, targets);
    if (!targets.valid)
      continue;
    if (machine.checks)
      noteAccesses(warp, op, targets, size[lane], true, 0);
    std::memset(targets.target[lane].data(), 0, size[lane]);
  }
  ++machine.epoch;
}

void buildBulk(Builder &b) {
  b.take("weak");
  Space space = b.takeSpace();
  if (space != Space::Generic && space != Space::Shared)
    b.refuse("expected shared memory");
  b.requireOperands(3, 3);
  bool wide = false;
  b.op.a = b.address(b.operand(0), b.op.immediate, wide);
  b.op.mode = wide ? WideAddress : 0;
  b.op.target = uint32_t(space);
  b.op.b = b.source(1, Type::B64, true);
  if (b.immediate(2) != 0)
    b.refuse("expected 0 as the value stored");
  b.op.run = storeBulk;
}

} // namespace

void buildAsyncStore(Builder &b) {
  if (b.take("bulk"))
    return buildBulk(b);
  b.require("async");
  buildRemote(b, b.in.opcode() == Opcode::Red);
}

} // namespace heddle::ptx
