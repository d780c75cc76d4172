// Subprocess.h - run a program and keep what it prints
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_SUBPROCESS_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_SUBPROCESS_H

#include "codegen/nvidia/ptx/Result.h"

#include <chrono>
#include <vector>

namespace heddle::ptx {

struct ProcessOutput {
  /// The exit status, or 128 plus the signal that ended the program.
  int status = 0;
  /// Standard output and standard error in the order they were written.
  std::string text;

  /// `ended with status 3: TEXT`, with the first line of what it printed.
  std::string describeEnd() const;
};

/// Runs `program` (a path) with `arguments`, without a shell and with an empty
/// standard input, and waits for it. Fails if it cannot be started, and ends it
/// and fails if it runs for more than `limit` or prints more than 256 MiB.
Result<ProcessOutput> runProgram(const std::string &program,
                                 const std::vector<std::string> &arguments,
                                 std::chrono::seconds limit);

/// The path of the executable `name`, searched in this order: `option` (a file
/// or a folder that holds it; if not empty, nothing else is searched), PATH,
/// and the `bin` folders of CUDA_HOME, CUDA_PATH and CUDA_ROOT. Fails with the
/// list of places that were searched.
Result<std::string> findProgram(const std::string &name,
                                const std::string &option);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_SUBPROCESS_H
