//===- Compiler.h - from a model file to an artefact ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_TOOLS_HEDDLE_COMPILER_H
#define HEDDLE_TOOLS_HEDDLE_COMPILER_H

#include "tools/heddle/Command.h"

#include "llvm/ADT/ArrayRef.h"

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
  /// Compile threads; 0: one per core.
  unsigned threads = 0;
};

enum class EmitKind { Shared, Executable, Object, Assembly };

/// What becomes of it.
struct CompileOutput {
  std::string path;
  EmitKind kind = EmitKind::Shared;
  /// If not empty, the stage after which the program is written as text: one
  /// of docs/architecture.md.
  std::string stopAfter;
  /// If not empty, a regular expression: remarks of the passes whose names
  /// match go to standard error.
  std::string remarks;
};

/// Compiles a model; prints a diagnostic on failure, and never leaves a
/// half-written file.
ExitCode compileModel(const CompileRequest &request,
                      const CompileOutput &output);

/// Prints the passes that follow the stage `onnx`, up to the stage `stopAfter`
/// (empty: all), as the text that `heddle-opt --pass-pipeline=` takes.
ExitCode printPipeline(llvm::ArrayRef<std::string> dims,
                       llvm::StringRef stopAfter);

} // namespace heddle::cli

#endif // HEDDLE_TOOLS_HEDDLE_COMPILER_H
