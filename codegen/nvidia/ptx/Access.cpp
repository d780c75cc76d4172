// Access.cpp - ld and st (PTX ISA 9.7.9.8 to 9.7.9.12).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Access.h"

#include <algorithm>
#include <cstring>

namespace heddle::ptx {

uint8_t accessFlags(Semantics semantics, Scope scope) {
  if (semantics == Weak)
    return 0;
  return uint8_t(Access::Strong |
                 (scope == Scope::Block     ? Access::BlockScope
                  : scope == Scope::Cluster ? Access::ClusterScope
                                            : 0));
}

void laneAddresses(const Warp &warp, Row base, bool isWide, uint64_t offset,
                   Lanes lanes, LaneTargets &targets) {
  if (isWide) {
    const auto *row = warp.row<uint64_t>(base);
    forLanes(lanes, [&](unsigned i) { targets.address[i] = row[i] + offset; });
    return;
  }
  // A 32-bit base wraps as 32 bits do.
  const auto *row = warp.row<uint32_t>(base);
  forLanes(lanes, [&](unsigned i) {
    targets.address[i] = uint32_t(row[i] + uint32_t(offset));
  });
}

/// The memory of all lanes if they share one and nothing is wrong; else null.
static Memory *commonMemory(Warp &warp, Lanes lanes,
                            const AccessRequest &request,
                            const LaneTargets &targets, uint64_t &origin) {
  uint64_t low = ~uint64_t(0), high = 0, bits = 0;
  forLanes(lanes, [&](unsigned i) {
    low = std::min(low, targets.address[i]);
    high = std::max(high, targets.address[i]);
    bits |= targets.address[i];
  });
  if (bits & (request.align - 1))
    return nullptr;
  Memory *memory = nullptr;
  bool generic = request.space == Space::Generic;
  if (request.space == Space::Shared) {
    if (high >> sharedRankShift != 0)
      return nullptr;
    memory = &warp.block->shared;
    origin = 0;
  } else if (generic && (low & windowMask) == sharedWindow) {
    if ((high - sharedWindow) >> sharedRankShift != 0)
      return nullptr;
    memory = &warp.block->shared;
    origin = sharedWindow;
  } else if (generic || request.space == Space::Global) {
    memory = warp.machine->globalAt(low);
    if (!memory || (request.isWrite && memory->readOnly))
      return nullptr;
    origin = memory->address;
  } else {
    return nullptr;
  }
  uint64_t end = high - origin;
  return end < memory->bytes && request.bytes <= memory->bytes - end ? memory
                                                                     : nullptr;
}

void resolveLanes(Warp &warp, const Op &op, Lanes lanes,
                  const AccessRequest &request, LaneTargets &targets) {
  uint64_t origin = 0;
  Memory *memory = commonMemory(warp, lanes, request, targets, origin);
  if (memory) {
    targets.valid = lanes;
    forLanes(lanes, [&](unsigned i) {
      targets.target[i] = {memory, targets.address[i] - origin};
    });
    return;
  }
  targets.valid = 0;
  for (Lanes left = lanes; left != 0; left &= left - 1) {
    unsigned lane = unsigned(std::countr_zero(left));
    if (warp.machine->resolve(warp, op, lane, targets.address[lane], request,
                              targets.target[lane]))
      targets.valid |= Lanes(1) << lane;
  }
}

Lanes undefinedLanes(const Warp &warp, const Op &op) {
  Lanes undefined = 0;
  const std::vector<Use> &uses = warp.machine->program.uses;
  for (unsigned u = 0; u < op.useCount; ++u)
    if (!uses[op.firstUse + u].strict)
      undefined |= warp.undefined[uses[op.firstUse + u].reg].any();
  return undefined;
}

void noteAccesses(Warp &warp, const Op &op, const LaneTargets &targets,
                  uint64_t bytes, bool isWrite, uint8_t flags, Lanes undefined,
                  bool repeats) {
  Machine &machine = *warp.machine;
  uint32_t access = 0;
  for (Lanes left = targets.valid; left != 0;) {
    unsigned lane = unsigned(std::countr_zero(left));
    left &= left - 1;
    Target target = targets.target[lane];
    if (target.memory->kind == Memory::Kind::Param)
      continue;
    if (target.memory->kind == Memory::Kind::Local) {
      if (isWrite)
        machine.noteWrite(warp, op, lane, target, bytes,
                          !(undefined >> lane & 1));
      else
        machine.noteRead(warp, op, lane, target, bytes);
      continue;
    }
    if (target.memory->block && target.memory->block != warp.block)
      machine.noteRemote(warp, op, lane, *target.memory->block, target.offset,
                         true);
    // Lanes that follow on are one range.
    uint64_t total = bytes;
    bool defined = !(undefined >> lane & 1);
    unsigned next = lane + 1;
    while (next < warpSize && (left >> next & 1) &&
           targets.target[next].memory == target.memory &&
           targets.target[next].offset == target.offset + total &&
           bool(undefined >> next & 1) == !defined) {
      left &= ~(Lanes(1) << next);
      total += bytes;
      ++next;
    }
    if (access == 0)
      access = machine.accessOf(warp, op, warp.agent, warp.clock.of(warp.agent),
                                flags);
    if (isWrite) {
      machine.noteWrite(warp, op, lane, target, total, defined);
      machine.raceWrite(warp, op, lane, target, total, access, repeats);
    } else {
      machine.noteRead(warp, op, lane, target, total);
      machine.raceRead(warp, op, lane, target, total, access);
    }
  }
}

void countBanks(Machine &machine, const LaneTargets &targets, unsigned bytes) {
  unsigned lanesPerPass = std::min(warpSize, 128 / std::max(bytes, 4u));
  for (unsigned first = 0; first < warpSize; first += lanesPerPass) {
    uint64_t words[32][32];
    unsigned count[32] = {}, most = 0;
    for (unsigned lane = first; lane < first + lanesPerPass; ++lane) {
      if (!(targets.valid >> lane & 1))
        continue;
      uint64_t begin = targets.target[lane].offset / 4;
      uint64_t end = (targets.target[lane].offset + bytes + 3) / 4;
      for (uint64_t word = begin; word < end; ++word) {
        unsigned bank = word & 31;
        if (std::find(words[bank], words[bank] + count[bank], word) ==
            words[bank] + count[bank]) {
          words[bank][count[bank]++] = word;
          most = std::max(most, count[bank]);
        }
      }
    }
    machine.statistics.sharedWavefronts += most;
    machine.statistics.bankConflicts += most > 1 ? most - 1 : 0;
  }
}

namespace {

enum AccessMode : uint8_t {
  SignExtends = 1,
  WideElement = 2, ///< registers of 64 bits
  WideAddress = 4,
  HalfElement = 8, ///< registers of 16 bits: rows hold zeros above
};
/// Above the mode: the scope.
constexpr unsigned scopeShift = 4;

Scope scopeOf(const Op &op) { return Scope(op.mode >> scopeShift); }

void countAccess(Machine &machine, const LaneTargets &targets, bool isWrite,
                 unsigned bytes) {
  if (targets.valid == 0)
    return;
  Statistics &statistics = machine.statistics;
  switch (targets.target[std::countr_zero(targets.valid)].memory->kind) {
  case Memory::Kind::Global:
    ++(isWrite ? statistics.globalStores : statistics.globalLoads);
    break;
  case Memory::Kind::Shared:
    ++(isWrite ? statistics.sharedStores : statistics.sharedLoads);
    if (machine.checks)
      countBanks(machine, targets, bytes);
    break;
  case Memory::Kind::Local:
    ++statistics.localAccesses;
    break;
  case Memory::Kind::Param:
    break;
  }
}

template <class Signed>
uint64_t loadAs(const std::byte *from, bool isSigned) {
  Signed value;
  std::memcpy(&value, from, sizeof(value));
  return isSigned ? uint64_t(int64_t(value))
                  : uint64_t(std::make_unsigned_t<Signed>(value));
}

uint64_t loadElement(const std::byte *from, unsigned bytes, bool isSigned) {
  switch (bytes) {
  case 1:
    return loadAs<int8_t>(from, isSigned);
  case 2:
    return loadAs<int16_t>(from, isSigned);
  case 4:
    return loadAs<int32_t>(from, isSigned);
  default:
    return loadAs<int64_t>(from, isSigned);
  }
}

/// Calls `visit(to, value)` for each element that the lanes store.
template <class Visit>
void forStored(Warp &warp, const Op &op, const LaneTargets &targets,
               Visit visit) {
  const Row *rows = warp.machine->program.rows.data() + op.detail;
  for (unsigned e = 0; e < op.count; ++e) {
    bool wide = op.mode & WideElement;
    forLanes(targets.valid, [&](unsigned i) {
      uint64_t value = wide ? warp.row<uint64_t>(rows[e])[i]
                            : warp.row<uint32_t>(rows[e])[i];
      visit(targets.target[i].data() + e * op.bytes, value);
    });
  }
}

/// Whether a store of the low `bytes` bytes of `value` changes what is there.
bool changes(const std::byte *to, uint64_t value, unsigned bytes) {
  uint64_t unused = bytes < 8 ? 8 * (8 - bytes) : 0;
  return (loadElement(to, bytes, false) ^ value) << unused != 0;
}

bool storeChanges(Warp &warp, const Op &op, const LaneTargets &targets) {
  bool changed = false;
  forStored(warp, op, targets, [&](const std::byte *to, uint64_t value) {
    changed |= changes(to, value, op.bytes);
  });
  return changed;
}

/// Where the lanes of a load or store lead, counted and checked. The state
/// space is in `op.target`.
LaneTargets access(Warp &warp, const Op &op, Lanes lanes, bool isWrite) {
  Machine &machine = *warp.machine;
  LaneTargets targets;
  laneAddresses(warp, op.a, op.mode & WideAddress, op.immediate, lanes,
                targets);
  // Local addresses of 32 bits are offsets in the window.
  if (!(op.mode & WideAddress) && Space(op.target) == Space::Local)
    forLanes(lanes, [&](unsigned i) { targets.address[i] |= localWindow; });
  unsigned total = unsigned(op.bytes) * op.count;
  resolveLanes(warp, op, lanes, {Space(op.target), total, total, isWrite},
               targets);
  countAccess(machine, targets, isWrite, total);
  if (machine.checks)
    noteAccesses(warp, op, targets, total, isWrite,
                 accessFlags(Semantics(op.mode2), scopeOf(op)),
                 isWrite ? undefinedLanes(warp, op) : 0,
                 isWrite && !storeChanges(warp, op, targets));
  return targets;
}

void load(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  LaneTargets targets = access(warp, op, lanes, false);
  Semantics semantics = Semantics(op.mode2);
  const Row *rows = machine.program.rows.data() + op.detail;
  unsigned bytes = op.bytes;
  for (unsigned e = 0; e < op.count; ++e) {
    bool isSigned = op.mode & SignExtends;
    if (op.mode & WideElement) {
      auto *d = warp.row<uint64_t>(rows[e]);
      forLanes(targets.valid, [&](unsigned i) {
        d[i] =
            loadElement(targets.target[i].data() + e * bytes, bytes, isSigned);
      });
    } else {
      auto *d = warp.row<uint32_t>(rows[e]);
      uint32_t mask = op.mode & HalfElement ? 0xFFFF : ~0u;
      forLanes(targets.valid, [&](unsigned i) {
        d[i] = mask & uint32_t(loadElement(targets.target[i].data() + e * bytes,
                                           bytes, isSigned));
      });
    }
  }
  if (semantics != Weak && machine.checks)
    for (Lanes left = targets.valid; left != 0; left &= left - 1)
      machine.acquire(warp, targets.target[std::countr_zero(left)].key(),
                      semantics != Acquire, scopeOf(op));
}

void store(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  LaneTargets targets = access(warp, op, lanes, true);
  Semantics semantics = Semantics(op.mode2);
  if (semantics != Weak && machine.checks)
    for (Lanes left = targets.valid; left != 0; left &= left - 1)
      machine.release(warp, targets.target[std::countr_zero(left)].key(),
                      semantics != Release, false, scopeOf(op));
  bool changed = false;
  forStored(warp, op, targets, [&](std::byte *to, uint64_t value) {
    changed |= changes(to, value, op.bytes);
    std::memcpy(to, &value, op.bytes);
  });
  machine.epoch += changed;
}

} // namespace

void buildMemory(Builder &b) {
  bool isLoad = b.in.opcode() != Opcode::St;
  AccessModifiers modifiers = takeAccessModifiers(b);
  auto [semantics, scope, space] = modifiers;
  unsigned count = b.in.mnemonic->vectorWidth;
  if (count > 1)
    b.take("v" + std::to_string(count));
  Type type = b.takeType();
  if (!isWord(type))
    b.refuse("type '." + std::string(spelling(type)) + "' is not covered");
  if ((type == Type::B128 && count > 1) || (count == 8 && bitWidth(type) != 32))
    b.refuse("vectors of this length and type are not covered");
  takeCacheModifiers(b, modifiers, count * bitWidth(type));
  // The last operand may be a cache policy, which changes no result.
  bool hasPolicy = b.in.has("L2::cache_hint");
  b.requireOperands(2 + hasPolicy, 2 + hasPolicy);
  const Operand &value = b.operand(isLoad ? 0 : 1);
  const Operand &address = b.operand(isLoad ? 1 : 0);
  bool wide = false;
  b.op.a = b.address(address, b.op.immediate, wide);
  b.op.mode = uint8_t((wide ? WideAddress : 0) | uint8_t(scope) << scopeShift);
  if (!wide && space != Space::Shared && space != Space::Local &&
      space != Space::Param)
    b.refuse("expected a 64-bit address");

  // `{ %r1 }` is how inline assembly writes a single element.
  bool isVector = value.kind == Operand::Kind::Vector;
  size_t elements = isVector ? value.elements.size() : 1;
  if (elements != count)
    b.refuse("expected " + std::to_string(count) + " elements, got " +
             std::to_string(elements));
  std::vector<Row> rows;
  if (type == Type::B128) {
    const Operand &element = isVector ? value.elements[0] : value;
    Row row = isLoad ? b.destination(element, type) : b.source(element, type);
    rows = {row, row + upperHalf};
    b.op.mode |= WideElement;
    elements = 0;
    count = 2;
  }
  for (size_t e = 0; e < elements; ++e) {
    const Operand &element = isVector ? value.elements[e] : value;
    bool wideElement = false;
    rows.push_back(isLoad ? b.wideDestination(element, type, wideElement)
                          : b.wideSource(element, type, wideElement));
    if (element.kind == Operand::Kind::Sink && !isLoad)
      b.refuse("expected a value, got '_'");
    if (e > 0 && wideElement != bool(b.op.mode & WideElement))
      b.refuse("elements of different width");
    b.op.mode |= wideElement ? WideElement : 0;
    if (element.kind == Operand::Kind::Register &&
        bitWidth(b.registerType(element)) <= 16)
      b.op.mode |= HalfElement;
  }
  b.op.detail = b.addRows(rows);
  b.op.bytes = uint8_t(bitWidth(type) / 8 / (type == Type::B128 ? 2 : 1));
  b.op.count = uint8_t(count);
  b.op.mode |= type >= Type::S8 && type <= Type::S64 ? SignExtends : 0;
  b.op.mode2 = semantics;
  b.op.target = uint32_t(space);
  if (hasPolicy)
    b.source(2, Type::B64);
  b.op.run = isLoad ? load : store;
}

} // namespace heddle::ptx
