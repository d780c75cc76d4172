// Occupancy.h - how many blocks of a kernel fit on a multiprocessor
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_OCCUPANCY_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_OCCUPANCY_H

#include "codegen/nvidia/ptx/Result.h"

#include <cstdint>
#include <span>

namespace heddle::ptx {

/// What one streaming multiprocessor can hold, for one compute capability.
/// From "CUDA Programming Guide", appendix "Compute Capabilities", table
/// "Memory Information per Compute Capability" and the one before it.
struct MultiprocessorLimits {
  /// The number in `sm_NN`.
  unsigned sm;
  unsigned maxWarps;
  unsigned maxBlocks;
  /// 32-bit registers.
  unsigned registers;
  /// Shared memory of the multiprocessor, in bytes.
  uint64_t sharedBytes;
  /// The largest that one block may ask for, in bytes. More than 48 KiB must
  /// be asked for explicitly.
  uint64_t sharedBytesPerBlock;
};

/// Limits of threads and registers that all supported capabilities share.
inline constexpr unsigned warpSize = 32;
inline constexpr unsigned maxBlockThreads = 1024;
inline constexpr unsigned maxThreadRegisters = 255;

/// All compute capabilities whose limits are known, ascending.
std::span<const MultiprocessorLimits> knownMultiprocessors();

/// The limits of `sm`, or null where they are not known.
const MultiprocessorLimits *findMultiprocessor(unsigned sm);

/// What a kernel asks for.
struct KernelDemand {
  /// Threads in a block, 1 to 1024.
  unsigned threads;
  /// Registers of one thread.
  unsigned registers;
  /// Static plus dynamic shared memory of a block, in bytes.
  uint64_t sharedBytes;
};

struct Occupancy {
  /// Blocks that are resident at once. 0 if a single one does not fit.
  unsigned blocks = 0;
  unsigned warps = 0;
  /// Resident warps as a share of the most that can be, 0 to 1.
  double share = 0;
  /// Which demands set the number: `warps`, `blocks`, `registers` or `shared
  /// memory`, or several of them with a comma between.
  std::string limit;
};

/// Blocks per multiprocessor by the rules of NVIDIA's occupancy calculator:
/// registers are given to a warp in units of 256 and to the four schedulers
/// evenly, shared memory to a block in units of 128 bytes plus 1 KiB that the
/// system keeps (256 bytes and nothing before sm_80).
Result<Occupancy> computeOccupancy(const MultiprocessorLimits &limits,
                                   const KernelDemand &demand);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_OCCUPANCY_H
