// BulkCopy.cpp - cp.async.bulk, cp.reduce.async.bulk (PTX ISA 9.7.9.25 to .27).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Atomic.h"
#include "codegen/nvidia/ptx/Builder.h"
#include "codegen/nvidia/ptx/BulkMove.h"

#include <cstring>

namespace heddle::ptx {

namespace {

enum BulkMode : uint8_t {
  HasMulticast = 1,
  IsReduction = 2,
  ToGlobal = 4,
  FromShared = 8, ///< from this block's shared memory to another's
};

uint64_t addressOf(const Warp &warp, const OpDetail &detail, unsigned which,
                   unsigned lane) {
  // `extra` holds triples: row, width, and the offset's two halves in `inputs`.
  Row row = detail.extra[2 * which];
  uint64_t offset =
      uint64_t(detail.inputs[2 * which + 1]) << 32 | detail.inputs[2 * which];
  if (detail.extra[2 * which + 1])
    return warp.row<uint64_t>(row)[lane] + offset;
  return uint32_t(warp.row<uint32_t>(row)[lane] + uint32_t(offset));
}

/// Resolves a shared address of `bytes` bytes aligned to `align`.
bool sharedTarget(Warp &warp, const Op &op, unsigned lane, uint64_t address,
                  uint64_t bytes, uint32_t align, bool isWrite,
                  Target &target) {
  AccessRequest request{(address & windowMask) == sharedWindow ? Space::Generic
                                                               : Space::Shared,
                        uint32_t(bytes), align, isWrite};
  return warp.machine->resolve(warp, op, lane, address, request, target);
}

/// The tensor map a lane names, or none after a finding.
std::optional<TensorMap> tensorMapAt(Warp &warp, const Op &op, unsigned lane,
                                     uint64_t address) {
  Machine &machine = *warp.machine;
  // A parameter named in the instruction itself, not through cvta.
  if (address >> 32 == 0)
    address |= paramWindow;
  Target target;
  if (!machine.resolve(warp, op, lane, address,
                       {Space::Generic, 128, 64, false}, target))
    return std::nullopt;
  if (machine.checks && target.memory->kind == Memory::Kind::Global) {
    uint32_t access =
        machine.accessOf(warp, op, warp.agent, warp.clock.of(warp.agent), 0);
    machine.noteRead(warp, op, lane, target, 128);
    machine.raceRead(warp, op, lane, target, 128, access);
    machine.checkMapUse(warp, op, lane, target);
  }
  std::optional<TensorMap> map = decode(target.data());
  if (!map)
    machine.find(FindingKind::TensorMapInvalid, warp, op, lane, address,
                 "names 128 bytes that are no valid tensor map");
  return map;
}

/// The blocks a load writes: the one addressed, or those of the mask.
void issueToBlocks(Warp &warp, const Op &op, const OpDetail &detail,
                   unsigned lane, BulkCopy copy) {
  Machine &machine = *warp.machine;
  if (!(op.mode & HasMulticast))
    return machine.issueLoad(std::move(copy));
  uint32_t mask = warp.row<uint32_t>(detail.a[0])[lane];
  Cluster &cluster = *warp.block->cluster;
  if (mask == 0 || mask >> cluster.blocks.size() != 0) {
    machine.find(FindingKind::OutOfBounds, warp, op, lane, 0,
                 "multicasts to blocks " + std::to_string(mask) +
                     " (a mask), where the cluster has " +
                     std::to_string(cluster.blocks.size()));
    return;
  }
  for (auto &block : cluster.blocks) {
    if (!(mask >> block->rank & 1))
      continue;
    BulkCopy one = copy;
    one.block = one.barrierBlock = block.get();
    machine.issueLoad(std::move(one));
  }
}

bool fillTensor(Warp &warp, const Op &op, const OpDetail &detail, unsigned lane,
                uint64_t mapAddress, BulkCopy &copy) {
  std::optional<TensorMap> map = tensorMapAt(warp, op, lane, mapAddress);
  if (!map)
    return false;
  if (map->rank != op.count) {
    warp.machine->find(FindingKind::TensorMapInvalid, warp, op, lane,
                       mapAddress,
                       "has " + std::to_string(op.count) +
                           " coordinates for a tensor map of rank " +
                           std::to_string(map->rank));
    return false;
  }
  copy.map = *map;
  for (unsigned d = 0; d < op.count; ++d)
    copy.coordinates[d] = int32_t(warp.row<uint32_t>(detail.c[d])[lane]);
  copy.bytes = BoxShape(*map).bytes();
  return true;
}

bool fillBarrier(Warp &warp, const Op &op, unsigned lane, uint64_t address,
                 BulkCopy &copy) {
  Target barrier;
  if (!sharedTarget(warp, op, lane, address, 8, 8, true, barrier))
    return false;
  copy.barrierBlock = barrier.memory->block;
  copy.barrier = uint32_t(barrier.offset);
  return true;
}

BulkCopy startCopy(Warp &warp, const Op &op, unsigned lane) {
  BulkCopy copy;
  copy.warp = &warp;
  copy.op = warp.machine->indexOf(op);
  copy.lane = uint8_t(lane);
  copy.reduction = op.mode2;
  copy.type = Type(op.bytes);
  return copy;
}

/// Addresses: 0 shared memory, 1 tensor map, 2 mbarrier.
void tensorCopy(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  const OpDetail &detail = machine.program.details[op.detail];
  for (Lanes left = lanes; left != 0; left &= left - 1) {
    unsigned lane = unsigned(std::countr_zero(left));
    BulkCopy copy = startCopy(warp, op, lane);
    bool stores = op.mode & ToGlobal;
    copy.kind = !stores                 ? BulkCopy::Kind::TensorLoad
                : op.mode & IsReduction ? BulkCopy::Kind::TensorReduce
                                        : BulkCopy::Kind::TensorStore;
    if (!fillTensor(warp, op, detail, lane, addressOf(warp, detail, 1, lane),
                    copy))
      continue;
    Target shared;
    if (!sharedTarget(warp, op, lane, addressOf(warp, detail, 0, lane),
                      copy.bytes, 128, !stores, shared))
      continue;
    copy.block = shared.memory->block;
    copy.shared = uint32_t(shared.offset);
    if (stores) {
      copy.type = [&] {
        switch (copy.map.element) {
        case TensorElement::F16:
          return Type::F16;
        case TensorElement::BF16:
          return Type::BF16;
        case TensorElement::F32:
        case TensorElement::F32Ftz:
          return Type::F32;
        case TensorElement::F64:
          return Type::F64;
        case TensorElement::S32:
          return Type::S32;
        case TensorElement::S64:
          return Type::S64;
        case TensorElement::U64:
          return Type::U64;
        default:
          return Type::U32;
        }
      }();
      machine.issueStore(std::move(copy));
    } else if (fillBarrier(warp, op, lane, addressOf(warp, detail, 2, lane),
                           copy)) {
      issueToBlocks(warp, op, detail, lane, std::move(copy));
    }
  }
}

/// Addresses: 0 destination, 1 source, 2 mbarrier; row `b` the size, row `c`
/// the byte mask.
void bulkCopy(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  const OpDetail &detail = machine.program.details[op.detail];
  for (Lanes left = lanes; left != 0; left &= left - 1) {
    unsigned lane = unsigned(std::countr_zero(left));
    BulkCopy copy = startCopy(warp, op, lane);
    copy.bytes = warp.row<uint32_t>(op.b)[lane];
    uint64_t to = addressOf(warp, detail, 0, lane);
    uint64_t from = addressOf(warp, detail, 1, lane);
    if (copy.bytes == 0 || copy.bytes % 16 != 0) {
      machine.find(FindingKind::Misaligned, warp, op, lane, to,
                   "copies " + std::to_string(copy.bytes) +
                       " bytes, which is no multiple of 16");
      continue;
    }
    Target shared, other;
    AccessRequest global{Space::Global, uint32_t(copy.bytes), 16,
                         bool(op.mode & ToGlobal)};
    bool fine;
    if (op.mode & ToGlobal) {
      fine = machine.resolve(warp, op, lane, to, global, other) &&
             sharedTarget(warp, op, lane, from, copy.bytes, 16, false, shared);
      copy.kind = op.mode & IsReduction ? BulkCopy::Kind::Reduce
                                        : BulkCopy::Kind::Store;
    } else if (op.mode & FromShared) {
      fine = sharedTarget(warp, op, lane, to, copy.bytes, 16, true, other) &&
             sharedTarget(warp, op, lane, from, copy.bytes, 16, false, shared);
      copy.kind = BulkCopy::Kind::ReduceShared;
      if (!(op.mode & IsReduction)) {
        copy.kind = BulkCopy::Kind::Load;
        std::swap(shared, other);
      }
    } else {
      fine = sharedTarget(warp, op, lane, to, copy.bytes, 16, true, shared) &&
             machine.resolve(warp, op, lane, from, global, other);
    }
    if (!fine)
      continue;
    copy.block = shared.memory->block;
    copy.shared = uint32_t(shared.offset);
    copy.other = other;
    if (op.c != noRow)
      copy.byteMask = uint16_t(warp.row<uint32_t>(op.c)[lane]);
    if (op.mode & ToGlobal)
      machine.issueStore(std::move(copy));
    else if (fillBarrier(warp, op, lane, addressOf(warp, detail, 2, lane),
                         copy))
      issueToBlocks(warp, op, detail, lane, std::move(copy));
  }
}

void commitBulk(Warp &warp, const Op &, Lanes) {
  ++warp.bulkGroups;
  for (BulkCopy &copy : warp.bulkStores)
    if (copy.group == 0)
      copy.group = warp.bulkGroups;
}

void waitBulk(Warp &warp, const Op &op, Lanes) {
  warp.machine->waitBulkStores(warp, uint32_t(op.immediate), op.mode != 0);
}

void nothing(Warp &, const Op &, Lanes) {}

void addAddress(Builder &b, const Operand &operand) {
  uint64_t offset = 0;
  bool wide = false;
  Row row = b.address(operand, offset, wide);
  OpDetail &detail = b.detail();
  detail.extra.push_back(row);
  detail.extra.push_back(wide);
  detail.inputs.push_back(uint32_t(offset));
  detail.inputs.push_back(uint32_t(offset >> 32));
}

/// Takes destination and source space, in that order.
void takeDirection(Builder &b, bool reduces) {
  std::vector<std::string_view> spaces;
  for (const std::string &word : b.in.mnemonic->modifiers)
    if (word == "global" || word == "shared::cta" || word == "shared::cluster")
      spaces.push_back(word);
  if (spaces.size() != 2)
    b.refuse("expected a destination and a source space");
  for (std::string_view space : spaces)
    b.take(space);
  bool toGlobal = spaces[0] == "global", fromGlobal = spaces[1] == "global";
  // What leaves this block, or does not come from global memory, starts here.
  bool isPath = fromGlobal
                    ? !toGlobal && !reduces
                    : spaces[0] != "shared::cta" && spaces[1] == "shared::cta";
  if (!isPath)
    b.refuse("no copy goes from '." + std::string(spaces[1]) + "' to '." +
             std::string(spaces[0]) + "'");
  b.op.mode |= toGlobal ? ToGlobal : fromGlobal ? 0 : FromShared;
  b.require(toGlobal ? "bulk_group" : "mbarrier::complete_tx::bytes");
  if (spaces[0] == "shared::cluster" && fromGlobal &&
      b.take("multicast::cluster"))
    b.op.mode |= HasMulticast;
}

/// In shared memory of other blocks only sums have 64 bits.
void takeReductionType(Builder &b, AtomicKind kind) {
  Type type = b.takeType();
  bool isSum = kind == AtomicKind::Add, isHalf = bitWidth(type) == 16;
  bool isSmall = bitWidth(type) == 32 && type != Type::F32;
  if (!isAtomic(kind, type) || (isSum && type == Type::S64) ||
      ((b.op.mode & FromShared) && !isSmall && !(isSum && type == Type::U64)))
    b.refuse("this reduction of type '." + std::string(spelling(type)) +
             "' is not covered");
  if (isSum && isHalf)
    b.require("noftz");
  b.op.bytes = uint8_t(type);
}

void takeReduction(Builder &b, bool isTensor) {
  int kind = b.takeOneOf(
      {"and", "or", "xor", "exch", "add", "inc", "dec", "min", "max"});
  if (kind < 0 || AtomicKind(kind) == AtomicKind::Exchange)
    b.refuse("expected a reduction");
  b.op.mode |= IsReduction;
  b.op.mode2 = uint8_t(kind);
  if (!isTensor)
    takeReductionType(b, AtomicKind(kind));
}

/// The operands after the addresses: multicast mask, cache policy.
void takeTail(Builder &b, size_t next) {
  if (b.op.mode & HasMulticast) {
    Row mask = b.source(next++, Type::B16, true);
    b.detail().a.push_back(mask);
  }
  if (!(b.op.mode & FromShared) && b.take("L2::cache_hint"))
    b.source(next++, Type::B64);
  bool stores = (b.op.mode & ToGlobal) && !(b.op.mode & IsReduction);
  if (stores && b.op.run == bulkCopy && b.take("cp_mask"))
    b.op.c = b.source(next++, Type::B16, true);
  b.requireOperands(next, next);
}

void buildTensorCopy(Builder &b, bool reduces) {
  int dims = b.takeOneOf({"1d", "2d", "3d", "4d", "5d"});
  if (dims < 0)
    b.refuse("expected '.1d' to '.5d'");
  takeDirection(b, reduces);
  if (b.op.mode & FromShared)
    b.refuse("expected global and shared memory");
  if (reduces)
    takeReduction(b, true);
  b.take("tile");
  b.addDetail();
  bool stores = b.op.mode & ToGlobal;
  const Operand &tensor = b.operand(stores ? 0 : 1);
  const Operand &shared = b.operand(stores ? 1 : 0);
  addAddress(b, shared);
  addAddress(b, tensor);
  if (tensor.elements.size() != 2 ||
      tensor.elements[1].kind != Operand::Kind::Vector ||
      tensor.elements[1].elements.size() != size_t(dims) + 1)
    b.refuse("expected '[map, {coordinates}]' with " +
             std::to_string(dims + 1) + " coordinates");
  for (const Operand &coordinate : tensor.elements[1].elements) {
    Row row = b.source(coordinate, Type::B32, true);
    b.detail().c.push_back(row);
  }
  b.op.count = uint8_t(dims + 1);
  size_t next = 2;
  if (!stores)
    addAddress(b, b.operand(next++));
  b.op.run = tensorCopy;
  takeTail(b, next);
}

void buildPlainCopy(Builder &b, bool reduces) {
  takeDirection(b, reduces);
  if (reduces)
    takeReduction(b, false);
  b.addDetail();
  addAddress(b, b.operand(0));
  addAddress(b, b.operand(1));
  b.op.b = b.source(2, Type::B32, true);
  size_t next = 3;
  if (!(b.op.mode & ToGlobal))
    addAddress(b, b.operand(next++));
  b.op.run = bulkCopy;
  takeTail(b, next);
}

} // namespace

void buildBulkCopy(Builder &b) {
  bool reduces = b.take("reduce");
  b.require("async");
  b.require("bulk");
  if (b.take("commit_group")) {
    b.requireOperands(0, 0);
    b.op.run = commitBulk;
    return;
  }
  if (b.take("wait_group")) {
    b.op.mode = b.take("read");
    b.requireOperands(1, 1);
    b.op.immediate = b.immediate(0);
    if (b.op.immediate > UINT16_MAX)
      b.refuse("expected a number of groups below 65536");
    b.op.run = waitBulk;
    return;
  }
  if (b.take("prefetch")) {
    b.require("L2");
    b.require("global");
    if (b.take("tensor")) {
      b.takeOneOf({"1d", "2d", "3d", "4d", "5d"});
      b.takeOneOf(
          {"tile", "tile::gather4", "im2col", "im2col::w", "im2col::w::128"});
    }
    b.take("L2::cache_hint");
    b.op.run = nothing;
    return;
  }
  if (b.take("tensor"))
    return buildTensorCopy(b, reduces);
  buildPlainCopy(b, reduces);
}

} // namespace heddle::ptx
