// Ptxas.h - NVIDIA's assembler as a library call
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_PTXAS_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_PTXAS_H

#include "codegen/nvidia/ptx/FileAccess.h"
#include "codegen/nvidia/ptx/PtxVersion.h"

#include <optional>

namespace heddle::ptx {

/// An assembler that was found and asked for its version.
struct Ptxas {
  std::string path;
  /// The CUDA toolkit it belongs to.
  VersionNumber toolkit;

  /// The newest `.version` it accepts.
  VersionNumber newestPtx() const { return ptxOfToolkit(toolkit); }
};

/// Finds ptxas as `findProgram` does and reads its version.
Result<Ptxas> findPtxas(const std::string &option);

/// One line of what ptxas said.
struct PtxasMessage {
  /// Line of the PTX, counted from 1; 0 where it names none.
  unsigned line = 0;
  /// `fatal`, `error`, `warning` or `info`.
  std::string severity;
  std::string text;
};

/// What `ptxas -v` reports of one function. What it does not print is 0.
struct PtxasUsage {
  std::string function;
  unsigned registers = 0;
  unsigned barriers = 0;
  uint64_t stackBytes = 0;
  uint64_t spillStoreBytes = 0;
  uint64_t spillLoadBytes = 0;
  uint64_t sharedBytes = 0;
};

struct PtxasOutput {
  /// Empty if ptxas refused the text; `messages` then say why.
  Bytes cubin;
  std::vector<PtxasMessage> messages;
  std::vector<PtxasUsage> usage;
};

/// Splits what ptxas printed into messages and resource usage.
PtxasOutput parsePtxasOutput(const std::string &text);

/// Assembles PTX text for `architecture` (such as `sm_90a`; empty means the
/// text's own `.target`). The cubin depends on nothing but the text, the
/// architecture, `extraOptions` and the assembler. Fails, before ptxas is
/// called, on a `.version` that it does not accept.
Result<PtxasOutput> assemble(const Ptxas &ptxas, const std::string &text,
                             const std::string &architecture,
                             const std::vector<std::string> &extraOptions);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_PTXAS_H
