// InstructionMix.h - what kinds of instructions a kernel has
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_INSTRUCTIONMIX_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_INSTRUCTIONMIX_H

#include "codegen/nvidia/ptx/Module.h"
#include "codegen/nvidia/ptx/Result.h"

#include <map>

namespace heddle::ptx {

/// Static counts, by kind and then by name. Names are sorted, so that two
/// reports of one kernel are the same text.
struct InstructionMix {
  using Counts = std::map<std::string, uint64_t>;

  uint64_t total = 0;
  /// Matrix products, by mnemonic.
  Counts tensorCore;
  /// Loads, stores, atomics and asynchronous copies. In PTX by operation, space
  /// and bits per thread, such as `ld.global.128`.
  Counts memory;
  /// Barriers, fences and waits.
  Counts synchronisation;
};

/// The mix of one PTX function, calls not followed.
InstructionMix countInstructions(const Function &function);

/// The mix of every function in what `nvdisasm -c` prints, by function name.
std::map<std::string, InstructionMix>
countMachineInstructions(const std::string &disassembly);

/// Disassembles the cubin in the file `cubin` with the program `nvdisasm`.
Result<std::map<std::string, InstructionMix>>
disassembleAndCount(const std::string &nvdisasm, const std::string &cubin);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_INSTRUCTIONMIX_H
