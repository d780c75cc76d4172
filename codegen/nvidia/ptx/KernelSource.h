// KernelSource.h - files that hold kernels
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_KERNELSOURCE_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_KERNELSOURCE_H

#include "codegen/nvidia/ptx/Cubin.h"
#include "codegen/nvidia/ptx/KernelArguments.h"
#include "codegen/nvidia/ptx/Module.h"
#include "codegen/nvidia/ptx/TritonFolder.h"

#include <variant>

namespace heddle::ptx {

/// A .ptx file, parsed.
struct PtxSource {
  std::string path;
  std::string text;
  Module module;
};

/// A .cubin file, decoded.
struct CubinSource {
  std::string path;
  Bytes bytes;
  Cubin cubin;
};

using KernelSource = std::variant<PtxSource, CubinSource>;

/// Reads a .ptx or a .cubin file; which of the two it is, its first bytes tell.
/// The failure of a text that does not parse has a line per diagnostic.
Result<KernelSource> readKernelSource(const std::string &path);

/// The code of a Triton kernel; at least one of `ptx` and `cubin` is there.
struct TritonSource {
  std::optional<PtxSource> ptx;
  std::optional<CubinSource> cubin;
  /// Empty if there is no .ttir.
  std::vector<TritonArgument> signature;
};

/// Reads the code beside a Triton kernel's .json and refuses it if they
/// contradict each other: the symbol, the target, the block of `.reqntid`, and
/// the entry's parameters against the descriptors and the .ttir.
Result<TritonSource> readTritonSource(const TritonKernel &kernel);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_KERNELSOURCE_H
