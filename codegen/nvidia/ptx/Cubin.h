// Cubin.h - kernels and their resources in a cubin
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A cubin is an ELF64 file for machine 190 (EM_CUDA). The layout is described
// by "CUDA Binary Utilities" only in part; the attribute numbers of .nv.info
// are those that `cuobjdump -elf` prints by name (EIATTR_*), and were checked
// against what ptxas 13.0 reports for the same kernels.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_CUBIN_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_CUBIN_H

#include "codegen/nvidia/ptx/FileAccess.h"

#include <array>
#include <optional>

namespace heddle::ptx {

/// One kernel parameter as the constant bank holds it.
struct CubinParameter {
  unsigned offset = 0;
  unsigned size = 0;
};

/// One kernel of a cubin. What the file does not state is absent.
struct CubinKernel {
  std::string name;
  /// 32-bit registers of one thread.
  std::optional<unsigned> registers;
  /// Local memory of one thread's frame, in bytes, spills included.
  std::optional<unsigned> frameBytes;
  /// The least stack of one thread with its calls, in bytes.
  std::optional<unsigned> stackBytes;
  /// Shared memory declared with a size, in bytes, without what the system
  /// reserves. Of a relocatable cubin: before the linker aligns it.
  uint64_t staticSharedBytes = 0;
  /// Named barriers used.
  std::optional<unsigned> barriers;
  /// The `.reqntid` and `.maxntid` of the PTX.
  std::optional<std::array<uint32_t, 3>> requiredBlock;
  std::optional<std::array<uint32_t, 3>> maxBlock;
  /// Machine code, in bytes.
  uint64_t codeBytes = 0;
  /// In order of declaration.
  std::vector<CubinParameter> parameters;
};

struct Cubin {
  /// The number of the sm_NN that the code is for.
  unsigned sm = 0;
  /// The exact target, such as `sm_90a`; empty if the file does not record it.
  std::string architecture;
  /// The assembler's own version sentence; empty if not recorded.
  std::string assembler;
  std::vector<CubinKernel> kernels;
};

/// Whether `file` starts as an ELF file for an NVIDIA GPU does.
bool isCubin(std::span<const uint8_t> file);

/// Decodes a cubin. Every offset and size in the file is checked; a file that
/// lies is refused.
Result<Cubin> parseCubin(std::span<const uint8_t> file);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_CUBIN_H
