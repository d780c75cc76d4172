// Warp.h - the state of one warp; private to the library.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_WARP_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_WARP_H

#include "codegen/nvidia/ptx/AsyncWork.h"

#include <bit>
#include <list>
#include <vector>

namespace heddle::ptx {

class Machine;

/// Calls `body(lane)` for each lane of the mask. The full mask is a loop the
/// compiler can vectorise: rows either coincide or do not overlap.
template <class Body>
inline void forLanes(Lanes lanes, Body body) {
  if (lanes == allLanes) {
#ifdef __clang__
#pragma clang loop vectorize(assume_safety)
#else
#pragma GCC ivdep
#endif
    for (unsigned lane = 0; lane < warpSize; ++lane)
      body(lane);
    return;
  }
  for (; lanes != 0; lanes &= lanes - 1)
    body(unsigned(std::countr_zero(lanes)));
}

enum class Waiting : uint8_t {
  No,
  Barrier, ///< bar / barrier, `object` is its number
  ClusterBarrier,
  Mbarrier, ///< `object` is its offset
  Convergence,
  Registers, ///< the pool of the block has too few for a setmaxnreg
  Warpgroup, ///< other warps have not yet issued the wgmma waited for
};

/// Lanes in which the halves of a register have no defined value. Compilers
/// leave a half of packed pairs undefined and never use what comes of it.
struct UndefinedLanes {
  Lanes low = allLanes, high = allLanes;
  Lanes any() const { return low | high; }
  void set(Lanes lanes, bool isUndefined) {
    low = isUndefined ? low | lanes : low & ~lanes;
    high = isUndefined ? high | lanes : high & ~lanes;
  }
};

/// A call of a subroutine by one lane that has not returned.
struct Activation {
  uint32_t returnTo = 0; ///< op that takes the results
  uint32_t site = 0;
  uint64_t frame = 0;              ///< offset of its local memory
  uint64_t stackBefore = 0;        ///< `Warp::stackTop` before the call
  std::vector<uint64_t> registers; ///< values before the call
  std::vector<bool> undefined;
  /// Host memory of `registers`.
  uint64_t savedBytes() const { return 8 * registers.size(); }
};

/// A value on its way to or from a subroutine, byte by byte.
struct Transferred {
  std::vector<std::byte> bytes;
  std::vector<uint8_t> state; ///< `Memory::State` of each byte
};

/// Lanes of a warp that are at the same place.
struct LaneGroup {
  uint32_t pc = 0;
  Lanes lanes = 0;
  Waiting waiting = Waiting::No;
  bool again = false;  ///< runs its op once more when woken
  bool polls = false;  ///< woken to see its wait fail, not to wait again
  bool gaveUp = false; ///< its last wait on an mbarrier failed
  uint32_t object = 0;
  Block *objectBlock = nullptr;
};

class Warp {
public:
  Machine *machine = nullptr;
  Block *block = nullptr;
  uint32_t index = 0; ///< in its block
  Lanes live = 0;
  std::byte *bases[2] = {nullptr, nullptr};

  template <class Word>
  Word *row(Row row) const {
    return reinterpret_cast<Word *>(bases[row >> 31] + (row & ~constantRow));
  }
  Lanes &predicate(Row at) const { return *row<Lanes>(at); }

  Lanes carry = 0; ///< CC.CF per lane (PTX ISA 9.7.2)

  /// The group that runs, valid inside handlers.
  LaneGroup *group = nullptr;
  std::vector<LaneGroup> groups;

  /// Puts the running group to sleep. `again`: it runs the same op once more
  /// when woken, else it goes on behind it.
  void sleep(Waiting why, bool again, uint32_t object,
             Block *objectBlock = nullptr);

  // Asynchronous work.
  std::vector<AsyncCopy> copies;
  uint32_t copyGroups[warpSize] = {}; ///< committed groups per lane
  uint32_t copyClock = 0;             ///< of the warp's cp.async agent
  // Subroutines.
  std::vector<Activation> activations[warpSize];
  std::vector<Transferred> results[warpSize]; ///< of the last return
  uint64_t stackTop[warpSize] = {}; ///< bytes of local memory in use, by lane
  std::list<BulkCopy> bulkStores;
  uint32_t bulkGroups = 0;
  std::vector<PendingWgmma> wgmmas;
  uint32_t wgmmaGroups = 0;

  // Checks.
  std::vector<UndefinedLanes> undefined; ///< by register
  UndefinedLanes undefinedExchanged;     ///< of the op's exchanged source
  std::vector<uint8_t> inFlight; ///< by register: 1 accumulator, 2 A fragment
  enum Touched : uint8_t { IsRead = 1, IsWritten = 2 };
  std::vector<uint8_t> touched; ///< by register, since the last wgmma.fence
  bool hasWgmmaFence = false;
  uint32_t inFlightCount = 0;
  Clock clock;
  // By scope: what relaxed loads have seen, joined at a fence that reaches so
  // far, and the clock at the last fence, released by stores.
  Clock acquired[3], fence[3];
  bool hasFence[3] = {false, false, false};
  uint32_t initFence = 0; ///< own clock at the last fence.mbarrier_init
  uint32_t agent = 0;
  std::vector<Memory> local; ///< per lane, made when touched
  std::vector<std::byte> registers;

  // setmaxnreg
  uint32_t registerCount = 0;   ///< of a thread; 0 while not known
  uint32_t registerChanges = 0; ///< executed so far

  // Progress.
  bool isQueued = false;
  bool slept = false;         ///< the op that runs has put its group to sleep
  uint32_t patience = 0;      ///< backward branches while other lanes could run
  Lanes favoured = 0;         ///< the lane whose group had the last stretch
  uint32_t favouredSteps = 0; ///< what is left of it
  uint32_t repeats = 0;       ///< looks in a row that found nothing changed
  uint64_t backwardBranches = 0;
  uint64_t stuckHash = 0, stuckEpoch = 0;
  uint32_t stuckPc = 0;
  bool isStuck = false;
  bool clusterArrived = false;
  uint64_t clusterPhase = 0;

  /// Clock at the last fence; each clears the narrower ones.
  const Clock &lastFence() const {
    return fence[hasFence[0] ? 0 : hasFence[1] ? 1 : 2];
  }
  uint32_t agentOf(unsigned kind) const;
  uint32_t threadOf(unsigned lane) const { return index * warpSize + lane; }
};

/// Agents of a warp: itself, and what it issues to run beside it. Reading and
/// writing of a bulk store complete by different waits.
enum AgentKind : unsigned {
  WarpAgent,
  CopyAgent,
  StoreReadAgent,
  WgmmaAgent,
  StoreWriteAgent,
  agentKinds
};

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_WARP_H
