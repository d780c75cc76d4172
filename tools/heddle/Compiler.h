//===- Compiler.h - from a model file to an artefact ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_TOOLS_HEDDLE_COMPILER_H
#define HEDDLE_TOOLS_HEDDLE_COMPILER_H

#include "tools/heddle/Command.h"

#include "llvm/Support/Error.h"

#include <optional>
#include <string>
#include <vector>

namespace heddle::cli {

/// What to compile, and for what.
struct CompileRequest {
  std::string model;
  std::string target = "cpu";
  /// `NAME=RANGE` as `--dim` takes it.
  std::vector<std::string> dims;
  std::vector<std::string> externalFolders;
  /// 0: one per core.
  unsigned threads = 0;
};

/// What becomes of it.
enum class EmitKind { Shared, Executable, Object, Assembly };

/// The stages of docs/architecture.md, in order.
enum class Stage { Onnx, Import, Fusion, Tiling, Memory, Outline, Llvm };

struct CompileOutput {
  std::string path;
  EmitKind kind = EmitKind::Shared;
  /// Write the program after this stage as text instead.
  std::optional<Stage> stopAfter;
};

/// Compiles a model; prints a diagnostic on failure, and never leaves a
/// half-written file.
ExitCode compileModel(const CompileRequest &request,
                      const CompileOutput &output);

/// Prints the pipeline of every stage after Import, up to `stopAfter`, as one
/// text that `heddle-opt --pass-pipeline=` accepts.
ExitCode printPipeline(const CompileRequest &request,
                       std::optional<Stage> stopAfter);

/// True for a file name that is to be compiled first.
bool isModelFile(llvm::StringRef path);

/// The module for `request`: `request.model` itself if it is compiled already,
/// else one from the cache, compiled now if it is not there or stale. The cache
/// is `modules/` in HEDDLE_CACHE, or in heddle/ of the user's cache folder.
/// Returns the exit code of the compile in `code` on failure.
std::optional<std::string> getModule(const CompileRequest &request,
                                     ExitCode &code);

} // namespace heddle::cli

#endif // HEDDLE_TOOLS_HEDDLE_COMPILER_H
