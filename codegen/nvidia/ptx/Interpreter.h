// Interpreter.h - runs a kernel of a PTX module on the host and checks it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is modelled, and how each check decides, is docs/ptx/run.md.

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_INTERPRETER_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_INTERPRETER_H

#include "codegen/nvidia/ptx/Module.h"
#include "codegen/nvidia/ptx/TensorMap.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace heddle::ptx {

/// When asynchronous copies, wgmma and bulk stores take effect.
enum class AsyncMode : uint8_t {
  Late,   ///< as late as the waits allow
  Early,  ///< where they are issued
  Random, ///< anywhere between, drawn from the seed
};

/// A buffer of device memory. The caller owns the bytes and keeps them alive
/// until `run` returns; the kernel sees them at `address`.
struct Buffer {
  std::string name;
  std::byte *data = nullptr;
  uint64_t bytes = 0;
  /// Device address, from `AddressSpace::allocate`.
  uint64_t address = 0;
  bool readOnly = false;
  /// False for memory that a kernel must write before it reads it.
  bool initialised = true;
};

/// Hands out device addresses: 256-byte aligned like cuMemAlloc, far enough
/// apart that an index which leaves one buffer does not land in the next.
class AddressSpace {
public:
  uint64_t allocate(uint64_t bytes);

private:
  uint64_t next = 0x0000'0010'0000'0000;
};

struct Options {
  AsyncMode async = AsyncMode::Late;
  /// Draws warp order, poison, and completion order.
  uint64_t seed = 1;
  /// Off: only what would leave a buffer or cannot go on is reported.
  bool checks = true;
  /// Warp instructions after which the run ends with `Status::OutOfBudget`.
  uint64_t maxInstructions = 1'000'000'000;
  /// Blocks that are resident together: multiprocessors of the device, and the
  /// resources of each (defaults: H100 SXM, `sm_90`).
  uint32_t multiprocessors = 132;
  uint32_t threadsPerMultiprocessor = 2048;
  uint64_t sharedPerMultiprocessor = 228 * 1024;
  uint64_t maxSharedPerBlock = 227 * 1024;
  /// Registers of each thread when the kernel starts; 0 where only the
  /// directives of the entry can tell. Matters to setmaxnreg alone.
  uint32_t registersPerThread = 0;
  /// Host memory that resident warps may take for registers.
  uint64_t registerFileBudget = uint64_t(512) << 20;
};

/// One kernel launch.
struct Launch {
  const Module *module = nullptr;
  std::string entry;
  uint32_t grid[3] = {1, 1, 1};
  uint32_t block[3] = {1, 1, 1};
  /// Zeros: the entry's directive, or no cluster.
  uint32_t cluster[3] = {0, 0, 0};
  uint64_t dynamicShared = 0;
  /// The parameter block, `Function::paramBytes` long, laid out by
  /// `Param::offset`. Tensor maps are `encode`d into it.
  std::vector<std::byte> params;
  std::vector<Buffer> buffers;
  Options options;
};

enum class FindingKind : uint8_t {
  OutOfBounds,
  Misaligned,
  UninitialisedMemory,
  UninitialisedRegister,
  Race,
  ProxyFence,          ///< generic and async proxy without the proxy fence
  AccumulatorInFlight, ///< wgmma registers touched before their wait
  AsyncNotAwaited,     ///< block left while a bulk copy still uses its memory
  MbarrierBytes,       ///< transaction count does not match the copies
  MbarrierMisuse,      ///< not initialised, count overrun, memory overwritten
  Divergence,          ///< not all named lanes reach a warp-synchronous op
  Deadlock,
  Descriptor,    ///< wgmma descriptor leaves the allocation
  RegisterCount, ///< setmaxnreg that disagrees with what warps hold
  Layout,        ///< read with another swizzle or stride than copied with
  TensorMapInvalid,
  ReadOnlyWrite,
  Trap,
};

/// The kebab-case name of the kind, stable for `--json`.
std::string_view spelling(FindingKind kind);

/// A fault of the kernel.
struct Finding {
  FindingKind kind = FindingKind::Trap;
  Location where; ///< PTX line of the instruction
  uint32_t block[3] = {0, 0, 0};
  uint32_t thread[3] = {0, 0, 0};
  uint64_t address = 0; ///< 0 where none is meant
  std::string text;     ///< one sentence in the form of a diagnostic
  uint64_t count = 1;   ///< how often the same fault of that line was seen
};

/// What the run did.
struct Statistics {
  uint64_t warpInstructions = 0;
  uint64_t threadInstructions = 0;
  uint64_t globalLoads = 0, globalStores = 0; ///< warp instructions
  uint64_t sharedLoads = 0, sharedStores = 0; ///< warp instructions
  uint64_t localAccesses = 0;
  uint64_t atomics = 0;
  uint64_t asyncCopies = 0; ///< cp.async and bulk copies
  uint64_t asyncBytes = 0;
  uint64_t tensorCore = 0; ///< mma, wmma.mma and wgmma warp instructions
  uint64_t barriers = 0;   ///< bar, barrier and mbarrier warp instructions
  uint64_t sharedWavefronts = 0; ///< shared-memory passes needed
  uint64_t bankConflicts = 0;    ///< passes over the fewest possible
  uint64_t branches = 0, divergentBranches = 0;
  uint32_t residentBlocks = 0;
  uint64_t sharedPerBlock = 0; ///< static and dynamic bytes
};

enum class Status : uint8_t {
  Done,        ///< every block ended; findings may exist
  Refused,     ///< `diagnostics` says why; what buffers hold means nothing
  Stopped,     ///< a finding after which the run cannot go on
  OutOfBudget, ///< `maxInstructions` reached
};

struct Report {
  Status status = Status::Done;
  std::vector<Diagnostic> diagnostics;
  std::vector<Finding> findings;
  Statistics statistics;
  /// Remarks on what was not checked, for instance a full race table.
  std::vector<std::string> notes;
  /// What the kernel printed, in the order of the run.
  std::string output;
};

/// Runs the launch to its end on the calling thread. Never throws on account of
/// the kernel or the launch: a bad one is `Refused` with a diagnostic.
Report run(const Launch &launch);

/// Everything in the functions of the module that `run` would refuse, with the
/// name and the line of each instruction that is not covered.
std::vector<Diagnostic> checkCoverage(const Module &module);

/// Bytes of static shared memory that `run` gives a block of the entry, laid
/// out in the order of declaration.
uint64_t staticSharedBytes(const Module &module, const Function &entry);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_INTERPRETER_H
