// AsyncWork.h - mbarriers, copies and wgmma in flight; private to the library.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_ASYNCWORK_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_ASYNCWORK_H

#include "codegen/nvidia/ptx/Memory.h"
#include "codegen/nvidia/ptx/Program.h"
#include "codegen/nvidia/ptx/TensorMap.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace heddle::ptx {

class Warp;

/// The last time that an agent used something.
struct LastUse {
  uint32_t clock = 0; ///< of the agent; 0 for never
  uint32_t op = 0;
  uint64_t address = 0;
};

struct Mbarrier {
  uint32_t expected = 0, pending = 0;
  int64_t bytes = 0; ///< transaction count
  uint64_t phase = 0;
  /// Of the copies that complete on it. The clock goes on where the mbarrier is
  /// set up again in the same place.
  uint32_t agent = 0, agentClock = 0;
  Clock arriving, completed;
  uint32_t initAgent = 0, initClock = 0, initOp = 0;
  uint32_t expectOp = 0;         ///< that expected bytes last
  std::vector<LastUse> lastUses; ///< by agent
};

/// One bulk copy, in flight from its issue to `perform`.
struct BulkCopy {
  enum class Kind : uint8_t {
    TensorLoad,
    TensorStore,
    TensorReduce,
    Load,         ///< global or other block's shared memory to shared
    Store,        ///< shared to global
    Reduce,       ///< shared to global
    ReduceShared, ///< shared to another block's shared
    Value,        ///< st.async: registers to shared
    ReduceValue,  ///< red.async
  };
  Kind kind = Kind::Load;
  Warp *warp = nullptr;
  uint32_t op = 0;
  uint8_t lane = 0;
  uint8_t reduction = 0; ///< AtomicKind
  Type type = Type::B8;
  TensorMap map;
  int64_t coordinates[5] = {0, 0, 0, 0, 0};
  Block *block = nullptr; ///< whose shared memory is meant
  uint32_t shared = 0;    ///< offset in it
  Target other;           ///< the other side, unless a tensor map tells it
  uint64_t bytes = 0;
  Block *barrierBlock = nullptr;
  uint32_t barrier = 0;
  uint64_t barrierPhase = 0;
  uint32_t group = 0;         ///< of the issuing warp; 0 while not committed
  uint16_t byteMask = 0xFFFF; ///< which of each 16 bytes a store writes
  bool wasRead = false;
  bool defined = true;             ///< false for an undefined register
  std::vector<std::byte> snapshot; ///< of the source, once read

  /// Calls `visit(offset, bytes)` for each run of bytes that a store writes.
  template <class Visit>
  void forWrittenRuns(Visit visit) const {
    if (byteMask == 0xFFFF)
      return visit(uint64_t(0), bytes);
    for (uint64_t at = 0; at < bytes; ++at)
      if (byteMask >> at % 16 & 1)
        visit(at, uint64_t(1));
  }

  bool hasMemorySource() const {
    return kind != Kind::Value && kind != Kind::ReduceValue;
  }
};

/// One cp.async instruction of a warp.
struct AsyncCopy {
  uint32_t op = 0;
  Lanes lanes = 0;
  uint32_t group[warpSize] = {}; ///< per lane; 0 while not committed
  Target from[warpSize], to[warpSize];
  uint8_t bytes = 0;
  uint8_t sourceBytes[warpSize] = {};
  bool isArrive = false; ///< cp.async.mbarrier.arrive instead of a copy
  bool increments = false;
  std::shared_ptr<const Clock> released; ///< by an arrive
};

/// One wgmma.mma_async of a warp.
struct PendingWgmma {
  uint32_t op = 0;
  uint32_t group = 0; ///< 0 while not committed
  uint64_t descriptorA = 0, descriptorB = 0;
  bool accumulate = true;
  bool done = false; ///< has taken effect; its registers stay in flight
};

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_ASYNCWORK_H
