// RegisterPool.h - registers that setmaxnreg moves between warps; private.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_REGISTERPOOL_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_REGISTERPOOL_H

#include "codegen/nvidia/ptx/Program.h"

namespace heddle::ptx {

/// Registers of a multiprocessor, the most that one block can hold.
constexpr uint32_t registersOfBlock = 65536;

/// Registers of each thread when a kernel with setmaxnreg starts, in whole
/// units of allocation: what `Options::registersPerThread` says, else what
/// ptxas derives from the directives; 0 where nothing tells.
uint32_t registersAtLaunch(const Program &program, const Options &options);

/// The n-th setmaxnreg of a warpgroup.
struct RegisterChange {
  uint32_t op = 0;                   ///< of the warp that came first
  uint32_t warps = 0;                ///< that have executed it, one bit each
  uint32_t clocks[4] = {0, 0, 0, 0}; ///< of those warps at that time
};

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_REGISTERPOOL_H
