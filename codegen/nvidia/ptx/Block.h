// Block.h - the state of blocks and clusters; private to the library.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_BLOCK_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_BLOCK_H

#include "codegen/nvidia/ptx/RegisterPool.h"
#include "codegen/nvidia/ptx/Warp.h"

#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace heddle::ptx {

struct Cluster;

struct NamedBarrier {
  uint32_t arrived = 0;  ///< threads
  uint32_t expected = 0; ///< threads; 0: every thread of the block
  Clock clock;
  uint32_t reduction = 0; ///< popc so far
  bool all = true, any = false;
  bool used = false;
  uint32_t op = 0;
};

struct Block {
  Machine *machine = nullptr;
  Cluster *cluster = nullptr;
  uint32_t rank = 0; ///< in the cluster
  uint32_t id[3] = {0, 0, 0};
  Memory shared;
  Memory reservedShared; ///< empty unless the kernel asks where it is
  std::vector<std::unique_ptr<Warp>> warps;
  uint32_t liveWarps = 0;
  uint32_t liveThreads = 0;
  NamedBarrier barriers[16];
  std::map<uint32_t, Mbarrier> mbarriers;
  /// Agent and clock of mbarriers invalidated since, by offset.
  std::map<uint32_t, std::pair<uint32_t, uint32_t>> retiredAgents;
  std::vector<LastUse> remoteUses; ///< by agent of another block
  // setmaxnreg
  int64_t freeRegisters = 0; ///< pool of those that no warp holds
  std::vector<std::vector<RegisterChange>> registerChanges; ///< by warpgroup
  uint32_t firstAgent = 0;
  uint32_t smid = 0;
};

struct Cluster {
  uint32_t number = 0;
  uint32_t id[3] = {0, 0, 0};
  std::vector<std::unique_ptr<Block>> blocks;
  uint32_t agents = 0;
  uint32_t liveBlocks = 0;
  // barrier.cluster
  uint32_t arrivedThreads = 0;
  uint64_t phase = 0;
  Clock arriving, completed;
};

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_BLOCK_H
