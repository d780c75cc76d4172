// Machine.h - a running grid; private to the library.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_MACHINE_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_MACHINE_H

#include "codegen/nvidia/ptx/Block.h"
#include "codegen/nvidia/ptx/Random.h"

#include <list>
#include <map>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

namespace heddle::ptx {

/// A clock that `blocks` blocks released (2 stands for more), the first of
/// which has this rank and cluster.
struct ReleasedClock {
  Clock clock;
  uint32_t cluster = 0, rank = 0, blocks = 0;
};

/// What the last writes of an address released, and to whom (PTX ISA 8.8).
struct Released {
  ReleasedClock toDevice;
  std::map<uint32_t, ReleasedClock> inCluster;
  std::map<std::pair<uint32_t, uint32_t>, Clock> inBlock; ///< cluster and rank
};

/// A write to a tensor map that an agent has acquired for the tensor-map proxy.
struct AcquiredWrite {
  uint32_t access = 0; ///< the write
  Access by;           ///< the fence
};

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
  /// Adds to the output of the kernel, up to its limit (DeviceCalls.cpp).
  void print(const std::string &text);
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
  /// Takes local memory on top of the lane's stack and returns its offset. What
  /// it holds is undefined. None if the host has no room for it.
  std::optional<uint64_t> pushStack(Warp &warp, unsigned lane, uint64_t bytes,
                                    uint64_t align);
  /// Gives back what is above `top`.
  void popStack(Warp &warp, unsigned lane, uint64_t top);
  /// The lowest `stackTop` of the function that the lane is in.
  uint64_t stackBase(const Warp &warp, unsigned lane) const;
  void poison(std::byte *data, uint64_t bytes);
  /// Byte states: a read reports undefined bytes, a write defines them.
  const Op *firstReader(const Op &op, uint32_t reg) const;
  bool isHarmlessLocalRead(Warp &warp, const Op &op, unsigned lane,
                           const Target &target, uint64_t bytes);
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
  /// `repeats`: the bytes that are there already are written again.
  void raceWrite(Warp &warp, const Op &op, unsigned lane, const Target &target,
                 uint64_t bytes, uint32_t access, bool repeats = false);
  void reportConflict(Warp &warp, const Op &op, unsigned lane,
                      const Target &target, const Conflict &conflict,
                      bool isWrite);
  /// Whether a block of the cluster has started, and still runs, when another
  /// reaches `offset` of its shared memory (BlockLifetime.cpp). `isDirect`: at
  /// once, not by a copy that the block waits for.
  void noteRemote(Warp &warp, const Op &op, unsigned lane, Block &block,
                  uint64_t offset, bool isDirect);
  /// Whether a block that exits knows that all others are done with it.
  void checkRemoteUses(const Block &block);
  /// Ends the current epoch of the warp, after it gave or got a clock.
  void tick(Warp &warp);
  /// `key` is the `Target::key` of the address.
  void acquire(Warp &warp, uint64_t key, bool isRelaxed, Scope scope);
  void release(Warp &warp, uint64_t key, bool isRelaxed, bool isUpdate,
               Scope scope);
  void fence(Warp &warp, Scope scope);
  void proxyFence(Warp &warp, bool ofShared, bool ofGlobal);

  // The tensor-map proxy (TensorMapProxy.cpp)
  void releaseMaps(Warp &warp);
  void acquireMap(Warp &warp, const Op &op, const Target &map, Scope scope);
  /// A tensor copy reads the 128 bytes.
  void checkMapUse(Warp &warp, const Op &op, unsigned lane, const Target &map);

  // Barriers and mbarriers
  void checkBarriers(Block &block);
  void checkClusterBarrier(Cluster &cluster);
  /// Lets a sleeping group go on.
  void wake(Warp &warp, LaneGroup &group);
  /// The mbarrier there, or none after a finding.
  Mbarrier *findMbarrier(Warp &warp, const Op &op, unsigned lane, Block &block,
                         uint32_t offset);
  /// As `findMbarrier`, and notes that the warp uses it now.
  Mbarrier *mbarrierAt(Warp &warp, const Op &op, unsigned lane, Block &block,
                       uint32_t offset);
  void arrive(Warp &warp, const Op &op, unsigned lane, Block &block,
              uint32_t offset, Mbarrier &barrier, uint32_t count,
              const Clock *released);
  void completePhaseIfDone(Block &block, uint32_t offset, Mbarrier &barrier);
  void wakeMbarrier(Block &block, uint32_t offset);

  // Registers that move between warps (RegisterPool.cpp)
  void startRegisterPool();
  void fillRegisterPool(Block &block);
  /// At the end of a block: reports changes that a warp has left out.
  void checkRegisterChanges(const Block &block);
  std::string describeRegisterWait(const Warp &warp, const Op &op) const;

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
  std::map<uint64_t, std::vector<AcquiredWrite>> acquiredMaps; ///< by key
  /// Rises with everything another warp could see: stops spin detection.
  uint64_t epoch = 0;
  uint64_t failedPolls = 0; ///< waits on mbarriers since a phase was over
  std::vector<std::unique_ptr<Memory>> globals; ///< by address
  Memory params;
  std::vector<std::byte> constantBank;
  std::vector<std::unique_ptr<Cluster>> resident;
  std::vector<Warp *> runnable;
  bool usesWgmma = false;
  uint64_t budgetUsed = 0; ///< beside the instructions themselves
  /// Host memory of calls and of local memory beyond `Program::localBytes`.
  uint64_t stackBytes = 0;

private:
  // Setup and end of blocks (Machine.cpp)
  void placeBuffers();
  void placeVariables();
  void placeWorkspace(); // DriverMemory.cpp
  void placeReservedShared(Block &block);
  uint64_t driverSpecial(std::string_view name) const;
  uint32_t residentClusters() const;
  std::unique_ptr<Cluster> startCluster(uint32_t number);
  void startBlock(Cluster &cluster, Block &block);
  void startWarp(Block &block, uint32_t index);
  void fillSpecials(Warp &warp);
  uint64_t specialValue(const Warp &warp, const std::string &name,
                        unsigned lane) const;
  void endWarp(Warp &warp);
  void releaseStacks(Warp &warp);
  void endBlock(Block &block);
  void enqueue(Warp &warp);

  // Stepping (Step.cpp)
  void runWarp(Warp &warp, uint64_t quantum);
  bool chooseGroup(Warp &warp);
  void favour(Warp &warp);
  void mergeGroups(Warp &warp);
  bool converges(Warp &warp, const Op &op, Lanes lanes);
  // Calls (Calls.cpp)
  void callSubroutine(Warp &warp, const Op &op, Lanes lanes);
  void enter(Warp &warp, const Op &op, unsigned lane);
  void returnFromSubroutine(Warp &warp, Lanes lanes);
  void leave(Warp &warp, unsigned lane);
  uint32_t launchRegisters = 0; ///< of a thread; 0 where not known
  void splitOff(Warp &warp, Lanes lanes, uint32_t pc);
  void branch(Warp &warp, const Op &op, Lanes lanes);
  void branchTable(Warp &warp, const Op &op, Lanes lanes);
  void exitLanes(Warp &warp, Lanes lanes);
  void checkOperands(Warp &warp, const Op &op, Lanes group, Lanes lanes);
  void checkInFlight(Warp &warp, const Op &op, Lanes lanes);
  uint32_t lineOfWgmma(const Warp &warp, uint32_t reg) const;
  void noteBackward(Warp &warp);

  // No warp can run (Scheduler.cpp)
  bool findWork();
  bool wakeStuck();
  bool pollWaiters();
  uint64_t stateHash(const Warp &warp) const;
  [[noreturn]] void reportDeadlock();
  void reportWaiting(Warp &warp, const LaneGroup &group);

  bool isOutputFull = false;
  uint64_t pollHash = 0, pollEpoch = ~uint64_t(0);
  Memory *lastGlobal = nullptr;
  std::map<std::tuple<FindingKind, uint32_t, uint32_t>, size_t> findingIndex;
};

/// The op behind a call of a subroutine: hands the results to the caller.
void takeResults(Warp &warp, const Op &op, Lanes lanes);

/// stacksave and stackrestore: row `d` or `a` of `op.bytes` bytes.
void saveStack(Warp &warp, const Op &op, Lanes lanes);
void restoreStack(Warp &warp, const Op &op, Lanes lanes);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_MACHINE_H
