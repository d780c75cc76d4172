// DriverMemory.cpp - memory that the driver, not the kernel, sets aside: the
// workspace of a cooperative launch and the reserved part of shared memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cooperative groups find their barriers here: those of the grid through
// %envreg1 (upper word of an address) and %envreg2 (lower word), those of tiles
// larger than a warp through %reserved_smem_offset_1. Both start as zeros.

#include "codegen/nvidia/ptx/Machine.h"

namespace heddle::ptx {

/// Two words, the size and the barrier; with room for more.
static constexpr uint64_t workspaceBytes = 64;
static constexpr uint64_t workspaceAddress =
    variableWindow | 0x0000'0FFF'FFFF'0000;

static bool usesSpecial(const Program &program, std::string_view prefix) {
  for (const SpecialRow &special : program.specials)
    if (std::string_view(special.name).starts_with(prefix))
      return true;
  return false;
}

void Machine::placeWorkspace() {
  if (!usesSpecial(program, "%envreg"))
    return;
  auto memory = std::make_unique<Memory>();
  memory->name = "the workspace of the cooperative launch";
  memory->bytes = workspaceBytes;
  memory->address = workspaceAddress;
  memory->owned.resize(memory->bytes);
  memory->data = memory->owned.data();
  if (checks)
    memory->cells.resize(memory->bytes);
  globals.push_back(std::move(memory));
}

void Machine::placeReservedShared(Block &block) {
  if (!usesSpecial(program, "%reserved_smem"))
    return;
  Memory &memory = block.reservedShared;
  memory.kind = Memory::Kind::Shared;
  memory.name = "reserved shared memory";
  memory.bytes = reservedSharedBytes;
  memory.address = block.shared.address + reservedSharedOffset;
  memory.block = &block;
  memory.owned.resize(memory.bytes);
  memory.data = memory.owned.data();
  if (checks)
    memory.cells.resize(memory.bytes);
}

uint64_t Machine::driverSpecial(std::string_view name) const {
  if (name == "%envreg1")
    return workspaceAddress >> 32;
  if (name == "%envreg2")
    return workspaceAddress & 0xFFFF'FFFF;
  if (name == "%reserved_smem_offset_begin" ||
      name == "%reserved_smem_offset_0")
    return reservedSharedOffset;
  if (name == "%reserved_smem_offset_1")
    return reservedSharedOffset + reservedSharedBytes / 2;
  if (name == "%reserved_smem_offset_end")
    return reservedSharedOffset + reservedSharedBytes;
  if (name == "%reserved_smem_offset_cap")
    return reservedSharedBytes;
  return 0; // other %envreg, %gridid, %pm; sinks
}

} // namespace heddle::ptx
