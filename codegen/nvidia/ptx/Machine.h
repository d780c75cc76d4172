// Machine.h - the state of a running grid; private to the library.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_MACHINE_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_MACHINE_H

#include "codegen/nvidia/ptx/BoxLayout.h"
#include "codegen/nvidia/ptx/Program.h"
#include "codegen/nvidia/ptx/Races.h"

#include <bit>
#include <deque>
#include <functional>
#include <list>
#include <set>

namespace heddle::ptx {

class Machine;
struct Block;
struct Cluster;

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

/// xoshiro256** (Blackman and Vigna 2018): the same numbers on every host.
class Random {
public:
  explicit Random(uint64_t seed);
  uint64_t next();
  /// 0 to bound - 1.
  uint64_t below(uint64_t bound) { return bound < 2 ? 0 : next() % bound; }

private:
  uint64_t state[4];
};

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

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

/// Addresses whose last write released something (PTX ISA 8.8).
struct Released {
  Clock clock;
  uint32_t cluster = 0;
};

//===----------------------------------------------------------------------===//
// Asynchronous work
//===----------------------------------------------------------------------===//

struct Mbarrier {
  uint32_t expected = 0, pending = 0;
  int64_t bytes = 0; ///< transaction count
  uint64_t phase = 0;
  /// Of the copies that complete on it. The clock goes on where the mbarrier is
  /// set up again in the same place.
  uint32_t agent = 0, agentClock = 0;
  Clock arriving, completed;
  uint32_t initAgent = 0, initClock = 0, initOp = 0;
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

//===----------------------------------------------------------------------===//
// Warps, blocks, clusters
//===----------------------------------------------------------------------===//

enum class Waiting : uint8_t {
  No,
  Barrier, ///< bar / barrier, `object` is its number
  ClusterBarrier,
  Mbarrier, ///< `object` is its offset
  Convergence,
  Warpgroup, ///< other warps have not yet issued the wgmma waited for
};

/// A call of a subroutine by one lane that has not returned.
struct Activation {
  uint32_t returnTo = 0; ///< op that takes the results
  uint32_t site = 0;
  uint64_t frame = 0;              ///< address of its local memory
  std::vector<uint64_t> registers; ///< values before the call
  std::vector<bool> undefined;
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
  bool again = false; ///< runs its op once more when woken
  bool polls = false; ///< woken to see its wait fail, not to wait again
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
  std::list<BulkCopy> bulkStores;
  uint32_t bulkGroups = 0;
  std::vector<PendingWgmma> wgmmas;
  uint32_t wgmmaGroups = 0;

  // Checks.
  std::vector<Lanes> undefined;  ///< by register
  std::vector<uint8_t> inFlight; ///< by register: 1 accumulator, 2 A fragment
  std::vector<uint8_t> dirty;    ///< registers written since wgmma.fence
  uint32_t inFlightCount = 0;
  Clock clock;
  Clock acquired; ///< seen by relaxed loads, joined at a fence
  Clock fence;    ///< at the last fence, released by stores
  bool hasFence = false;
  uint32_t agent = 0;
  std::vector<Memory> local; ///< per lane, made when touched
  std::vector<std::byte> registers;

  // Progress.
  bool isQueued = false;
  bool slept = false;    ///< the op that runs has put its group to sleep
  uint32_t patience = 0; ///< backward branches while other lanes could run
  uint64_t backwardBranches = 0;
  uint64_t stuckHash = 0, stuckEpoch = 0;
  uint32_t stuckPc = 0;
  bool isStuck = false;
  bool clusterArrived = false;
  uint64_t clusterPhase = 0;

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
  std::vector<std::unique_ptr<Warp>> warps;
  uint32_t liveWarps = 0;
  uint32_t liveThreads = 0;
  NamedBarrier barriers[16];
  std::map<uint32_t, Mbarrier> mbarriers;
  /// Agent and clock of mbarriers invalidated since, by offset.
  std::map<uint32_t, std::pair<uint32_t, uint32_t>> retiredAgents;
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

//===----------------------------------------------------------------------===//
// Machine
//===----------------------------------------------------------------------===//

/// Thrown, and caught in `run`, after a finding it cannot go on from.
struct Stop {
  Status status;
};

struct AccessRequest {
  Space space = Space::Generic;
  uint32_t bytes = 4;
  uint32_t align = 4;
  bool isWrite = false;
};

class Machine {
public:
  Machine(const Program &program, const Launch &launch, Report &report);
  void run();

  const Program &program;
  const Launch &launch;
  Report &report;
  Statistics &statistics;
  const bool checks;
  Random random;

  // Findings (Findings.cpp)
  void find(FindingKind kind, const Warp &warp, const Op &op, unsigned lane,
            uint64_t address, std::string text);
  std::string describe(const Access &access) const;
  const Location &locationOf(const Op &op) const;
  uint32_t indexOf(const Op &op) const {
    return uint32_t(&op - &program.code[0]);
  }

  // Memory (Memory.cpp)
  bool resolve(Warp &warp, const Op &op, unsigned lane, uint64_t address,
               const AccessRequest &request, Target &target);
  Block *sharedBlock(const Warp &warp, uint32_t address) const;
  Memory *globalAt(uint64_t address);
  Memory &localOf(Warp &warp, unsigned lane);
  /// Local memory of at least that size; what is new is undefined.
  Memory &growLocal(Warp &warp, unsigned lane, uint64_t bytes);
  void poison(std::byte *data, uint64_t bytes);
  /// Byte states: a read reports undefined bytes, a write defines them.
  void noteRead(Warp &warp, const Op &op, unsigned lane, const Target &target,
                uint64_t bytes);
  void noteWrite(Warp &warp, const Op &op, unsigned lane, const Target &target,
                 uint64_t bytes, bool defined = true);
  bool isDefined(const Memory &memory, uint64_t offset, uint64_t bytes) const;

  // Races (Ordering.cpp)
  uint32_t accessOf(const Warp &warp, const Op &op, uint32_t agent,
                    uint32_t clock, uint8_t flags);
  void raceRead(Warp &warp, const Op &op, unsigned lane, const Target &target,
                uint64_t bytes, uint32_t access);
  void raceWrite(Warp &warp, const Op &op, unsigned lane, const Target &target,
                 uint64_t bytes, uint32_t access);
  void reportConflict(Warp &warp, const Op &op, unsigned lane,
                      const Target &target, const Conflict &conflict,
                      bool isWrite);
  /// Ends the current epoch of the warp, after it gave or got a clock.
  void tick(Warp &warp);
  /// `key` is the `Target::key` of the address.
  void acquire(Warp &warp, uint64_t key, bool isRelaxed);
  void release(Warp &warp, uint64_t key, bool isRelaxed, bool isUpdate);
  void fence(Warp &warp);
  void proxyFence(Warp &warp);

  // Barriers and mbarriers
  void checkBarriers(Block &block);
  void checkClusterBarrier(Cluster &cluster);
  /// Lets a sleeping group go on.
  void wake(Warp &warp, LaneGroup &group);
  Mbarrier *mbarrierAt(Warp &warp, const Op &op, unsigned lane, Block &block,
                       uint32_t offset);
  void arrive(Warp &warp, const Op &op, unsigned lane, Block &block,
              uint32_t offset, Mbarrier &barrier, uint32_t count,
              const Clock *released);
  void completePhaseIfDone(Block &block, uint32_t offset, Mbarrier &barrier);
  void wakeMbarrier(Block &block, uint32_t offset);

  // Asynchronous work
  void issueLoad(BulkCopy copy);
  void issueStore(BulkCopy copy);
  void performBulk(BulkCopy &copy);
  void readSource(BulkCopy &copy);
  void writeTarget(BulkCopy &copy);
  void completeLoad(std::list<BulkCopy>::iterator copy);
  void completeLoad(BulkCopy &copy);
  bool completeSomeAsync(bool onlyOne);
  void performAsyncCopy(Warp &warp, AsyncCopy &copy, Lanes lanes);
  void waitAsyncCopies(Warp &warp, Lanes lanes, uint32_t keep);
  bool completeArrivals(Warp &warp);
  void waitBulkStores(Warp &warp, uint32_t keep, bool onlyReads);
  void runWgmma(Warp &warp, const PendingWgmma &pending);
  /// wgmma are operations of four warps: one that waits sees all four done.
  bool warpgroupCommitted(Warp &warp, uint32_t groups) const;
  void completeWgmma(Warp &warp, uint32_t groups);
  void wakeWarpgroup(Warp &warp);
  void waitWgmma(Warp &warp, uint32_t keep);
  bool chance(); ///< whether an async step happens now (AsyncMode::Random)

  std::list<BulkCopy> loads;
  RaceTable races;
  std::map<uint64_t, Released> released;
  /// Rises with everything another warp could see: stops spin detection.
  uint64_t epoch = 0;
  std::vector<std::unique_ptr<Memory>> globals; ///< by address
  Memory params;
  std::vector<std::byte> constantBank;
  std::vector<std::unique_ptr<Cluster>> resident;
  std::vector<Warp *> runnable;
  bool usesWgmma = false;
  uint64_t budgetUsed = 0; ///< beside the instructions themselves

private:
  // Setup and end of blocks (Machine.cpp)
  void placeBuffers();
  void placeVariables();
  uint32_t residentClusters() const;
  std::unique_ptr<Cluster> startCluster(uint32_t number);
  void startBlock(Cluster &cluster, Block &block);
  void startWarp(Block &block, uint32_t index);
  void fillSpecials(Warp &warp);
  uint64_t specialValue(const Warp &warp, const std::string &name,
                        unsigned lane) const;
  void endWarp(Warp &warp);
  void endBlock(Block &block);
  void enqueue(Warp &warp);

  // Stepping (Step.cpp)
  void runWarp(Warp &warp, uint64_t quantum);
  bool chooseGroup(Warp &warp);
  void mergeGroups(Warp &warp);
  bool converges(Warp &warp, const Op &op, Lanes lanes);
  // Calls (Calls.cpp)
  void callSubroutine(Warp &warp, const Op &op, Lanes lanes);
  void enter(Warp &warp, const Op &op, unsigned lane);
  void returnFromSubroutine(Warp &warp, Lanes lanes);
  void leave(Warp &warp, unsigned lane);
  uint64_t activationBytes = 0;
  void splitOff(Warp &warp, Lanes lanes, uint32_t pc);
  void branch(Warp &warp, const Op &op, Lanes lanes);
  void branchTable(Warp &warp, const Op &op, Lanes lanes);
  void exitLanes(Warp &warp, Lanes lanes);
  void checkOperands(Warp &warp, const Op &op, Lanes group, Lanes lanes);
  void checkInFlight(Warp &warp, const Op &op, Lanes lanes);
  void noteBackward(Warp &warp);

  // No warp can run (Scheduler.cpp)
  bool findWork();
  bool wakeStuck();
  bool pollWaiters();
  uint64_t stateHash(const Warp &warp) const;
  [[noreturn]] void reportDeadlock();
  void reportWaiting(Warp &warp, const LaneGroup &group);

  uint64_t pollHash = 0, pollEpoch = ~uint64_t(0);
  Memory *lastGlobal = nullptr;
  std::map<std::tuple<FindingKind, uint32_t, uint32_t>, size_t> findingIndex;
};

/// The op behind a call of a subroutine: hands the results to the caller.
void takeResults(Warp &warp, const Op &op, Lanes lanes);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_MACHINE_H
