// Memory.h - allocations of a running grid; private to the library.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_MEMORY_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_MEMORY_H

#include "codegen/nvidia/ptx/BoxLayout.h"
#include "codegen/nvidia/ptx/Races.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace heddle::ptx {

struct Block;

/// Bytes of one allocation with what the checks know of each.
struct Memory {
  enum class Kind : uint8_t { Global, Shared, Local, Param };
  enum State : uint8_t { Initialised = 1, HoldsMbarrier = 2 };

  Kind kind = Kind::Global;
  std::string name;
  std::byte *data = nullptr;
  uint64_t bytes = 0;
  uint64_t address = 0; ///< of byte 0, generic
  bool readOnly = false;
  Block *block = nullptr; ///< owner of shared memory
  std::vector<std::byte> owned;
  /// State per byte; empty when every byte is initialised or nothing is
  /// checked.
  std::vector<uint8_t> state;
  ShadowCells cells;
  BoxMap boxes; ///< of shared memory
};

/// Where a lane's address leads.
struct Target {
  Memory *memory = nullptr;
  uint64_t offset = 0;
  std::byte *data() const { return memory->data + offset; }
  /// Tells apart equal offsets in the shared memory of different blocks.
  uint64_t key() const { return reinterpret_cast<uintptr_t>(data()); }
};

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_MEMORY_H
