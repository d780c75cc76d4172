// Memory.cpp - where addresses lead, and the state of each byte.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Machine.h"

#include <algorithm>
#include <cstring>

namespace heddle::ptx {

static std::string hex(uint64_t value) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  do
    text.insert(text.begin(), digits[value & 15]);
  while ((value >>= 4) != 0);
  return "0x" + text;
}

Block *Machine::sharedBlock(const Warp &warp, uint32_t address) const {
  uint32_t rank = address >> sharedRankShift;
  if (rank == 0)
    return warp.block;
  Cluster &cluster = *warp.block->cluster;
  return rank <= cluster.blocks.size() ? cluster.blocks[rank - 1].get()
                                       : nullptr;
}

Memory *Machine::globalAt(uint64_t address) {
  if (lastGlobal && address - lastGlobal->address < lastGlobal->bytes)
    return lastGlobal;
  auto after = std::upper_bound(
      globals.begin(), globals.end(), address,
      [](uint64_t at, const auto &memory) { return at < memory->address; });
  if (after == globals.begin())
    return nullptr;
  Memory *memory = std::prev(after)->get();
  if (address - memory->address >= memory->bytes)
    return nullptr;
  return lastGlobal = memory;
}

Memory &Machine::localOf(Warp &warp, unsigned lane) {
  warp.local.resize(warpSize);
  Memory &memory = warp.local[lane];
  uint64_t before = memory.owned.size(), bytes = warp.stackTop[lane];
  if (before == 0) {
    memory.kind = Memory::Kind::Local;
    memory.name = "local memory";
    memory.address = localWindow;
  }
  memory.bytes = bytes;
  if (bytes > before) {
    memory.owned.resize(bytes);
    memory.data = memory.owned.data();
    poison(memory.data + before, bytes - before);
    if (checks)
      memory.state.resize(bytes);
  }
  return memory;
}

std::optional<uint64_t> Machine::pushStack(Warp &warp, unsigned lane,
                                           uint64_t bytes, uint64_t align) {
  uint64_t &top = warp.stackTop[lane];
  uint64_t offset = (top + align - 1) / align * align;
  // The lane keeps the host's memory when it gives back its own.
  uint64_t held =
      std::max<uint64_t>(localOf(warp, lane).owned.size(), program.localBytes);
  uint64_t growth = offset + bytes > held ? offset + bytes - held : 0;
  if (stackBytes + growth > launch.options.registerFileBudget)
    return std::nullopt;
  stackBytes += growth;
  top = offset + bytes;
  Memory &memory = localOf(warp, lane);
  if (checks)
    std::fill_n(memory.state.begin() + ptrdiff_t(offset), bytes, uint8_t(0));
  return offset;
}

void Machine::popStack(Warp &warp, unsigned lane, uint64_t top) {
  warp.stackTop[lane] = top;
  localOf(warp, lane);
}

void Machine::poison(std::byte *data, uint64_t bytes) {
  // Signalling-NaN-like patterns are as likely as any: wrong use of poison
  // should not look like a plausible zero.
  uint64_t pattern = random.next() | 0x7FA1'0000'7FA1'0000;
  for (uint64_t i = 0; i < bytes; i += 8)
    std::memcpy(data + i, &pattern, std::min<uint64_t>(8, bytes - i));
}

static std::string nearest(const std::vector<std::unique_ptr<Memory>> &globals,
                           uint64_t address) {
  auto after = std::upper_bound(
      globals.begin(), globals.end(), address,
      [](uint64_t at, const auto &memory) { return at < memory->address; });
  const Memory *above = after == globals.end() ? nullptr : after->get();
  const Memory *below =
      after == globals.begin() ? nullptr : std::prev(after)->get();
  if (below && (!above || address - below->address - below->bytes <
                              above->address - address))
    return std::to_string(address - below->address - below->bytes) +
           " bytes past the end of " + below->name + " (" +
           std::to_string(below->bytes) + " bytes)";
  if (above)
    return std::to_string(above->address - address) +
           " bytes before the start of " + above->name;
  return "where no buffer is";
}

bool Machine::resolve(Warp &warp, const Op &op, unsigned lane, uint64_t address,
                      const AccessRequest &request, Target &target) {
  // Parameters of the kernel are addressed by their offset in their own space.
  if (request.space == Space::Param && (address & windowMask) == 0)
    address |= paramWindow;
  uint64_t window = address & windowMask;
  bool isShared = request.space == Space::Shared ||
                  (request.space == Space::Generic && window == sharedWindow);
  Memory *memory = nullptr;
  uint64_t offset = 0;
  std::string verb = request.isWrite ? "writes " : "reads ";
  auto outside = [&](const std::string &where) {
    find(FindingKind::OutOfBounds, warp, op, lane, address,
         verb + std::to_string(request.bytes) + " bytes at " + hex(address) +
             ", " + where);
    return false;
  };
  if (isShared) {
    Block *block = sharedBlock(warp, uint32_t(address));
    if (!block)
      return outside("in a block that the cluster does not have");
    memory = &block->shared;
    offset = address & sharedOffsetMask;
    if (offset >= reservedSharedOffset && block->reservedShared.bytes != 0) {
      memory = &block->reservedShared;
      offset -= reservedSharedOffset;
    }
    if (request.space == Space::Shared && (address >> 32) != 0)
      return outside("which is no shared address");
  } else if (window == localWindow && request.space != Space::Global) {
    memory = &localOf(warp, lane);
    offset = address - localWindow;
  } else if (window == paramWindow && request.space != Space::Global &&
             request.space != Space::Local) {
    memory = &params;
    offset = address - paramWindow;
    if (request.isWrite)
      return outside("a parameter of the kernel");
  } else if (request.space == Space::Local || request.space == Space::Param) {
    return outside("outside that state space");
  } else {
    memory = globalAt(address);
    if (!memory)
      return outside(nearest(globals, address));
    offset = address - memory->address;
  }
  if (offset >= memory->bytes || request.bytes > memory->bytes - offset)
    return outside("past the end of " + memory->name + " (" +
                   std::to_string(memory->bytes) + " bytes)");
  if (address % request.align != 0) {
    find(FindingKind::Misaligned, warp, op, lane, address,
         "address " + hex(address) + " is not a multiple of " +
             std::to_string(request.align));
    return false;
  }
  if (request.isWrite && memory->readOnly) {
    find(FindingKind::ReadOnlyWrite, warp, op, lane, address,
         "writes to read-only " + memory->name);
    return false;
  }
  target = {memory, offset};
  return true;
}

bool Machine::isDefined(const Memory &memory, uint64_t offset,
                        uint64_t bytes) const {
  if (memory.state.empty())
    return true;
  for (uint64_t i = offset; i < offset + bytes; ++i)
    if (!(memory.state[i] & Memory::Initialised))
      return false;
  return true;
}

/// The next op of the straight line that reads a register as a plain value;
/// null if none does, or if the value decides there.
const Op *Machine::firstReader(const Op &op, uint32_t reg) const {
  const Op *end = program.code.data() + program.code.size();
  for (const Op *next = &op + 1; next != end; ++next) {
    for (unsigned u = 0; u < next->useCount; ++u)
      if (const Use &use = program.uses[next->firstUse + u]; use.reg == reg)
        return use.strict ? nullptr : next;
    if (next->flow != Flow::Next)
      return nullptr;
  }
  return nullptr;
}

/// Unoptimised code keeps structs in local memory. It copies them with their
/// padding, and sets a bit field in a word that nothing has written before.
bool Machine::isHarmlessLocalRead(Warp &warp, const Op &op, unsigned lane,
                                  const Target &target, uint64_t bytes) {
  const Opcode opcode = program.sources[op.source]->opcode();
  if (opcode != Opcode::Ld || op.count != 1)
    return false;
  for (uint64_t i = 0; i < bytes; ++i)
    if (target.memory->state[target.offset + i] & Memory::Initialised)
      return true;
  if (op.defCount != 1)
    return false;
  uint32_t reg = program.uses[op.firstDef].reg;
  const Op *reader = firstReader(op, reg);
  if (!reader)
    return false;
  switch (program.sources[reader->source]->opcode()) {
  case Opcode::And:
  case Opcode::Bfi:
    return true;
  case Opcode::Cvt:
  case Opcode::Mov:
  case Opcode::St:
    warp.undefined[reg].set(Lanes(1) << lane, true); // and so is the copy
    return true;
  default:
    return false;
  }
}

void Machine::noteRead(Warp &warp, const Op &op, unsigned lane,
                       const Target &target, uint64_t bytes) {
  const Memory &memory = *target.memory;
  if (isDefined(memory, target.offset, bytes))
    return;
  if (memory.kind == Memory::Kind::Local &&
      isHarmlessLocalRead(warp, op, lane, target, bytes))
    return;
  uint64_t at = target.offset;
  while (memory.state[at] & Memory::Initialised)
    ++at;
  find(FindingKind::UninitialisedMemory, warp, op, lane, memory.address + at,
       "reads byte " + std::to_string(at) + " of " + memory.name +
           ", which nothing has written");
}

void Machine::noteWrite(Warp &warp, const Op &op, unsigned lane,
                        const Target &target, uint64_t bytes, bool defined) {
  Memory &memory = *target.memory;
  if (memory.state.empty())
    return;
  if (!memory.boxes.empty())
    memory.boxes.erase(target.offset, bytes);
  bool overBarrier = false;
  uint8_t *state = &memory.state[target.offset];
  for (uint64_t i = 0; i < bytes; ++i)
    overBarrier |= (state[i] & Memory::HoldsMbarrier) != 0;
  if (overBarrier)
    find(FindingKind::MbarrierMisuse, warp, op, lane,
         memory.address + target.offset,
         "writes over an mbarrier in " + memory.name +
             " that has not been invalidated");
  if (defined && !overBarrier) {
    std::memset(state, Memory::Initialised, bytes);
    return;
  }
  for (uint64_t i = 0; i < bytes; ++i)
    state[i] = uint8_t((state[i] & Memory::HoldsMbarrier) |
                       (defined ? Memory::Initialised : 0));
}

} // namespace heddle::ptx
