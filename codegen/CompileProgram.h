//===- CompileProgram.h - from kernels and host program to code -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_COMPILEPROGRAM_H
#define HEDDLE_CODEGEN_COMPILEPROGRAM_H

#include "codegen/Target.h"
#include "codegen/artefact/Manifest.h"
#include "codegen/host/WeightsPlan.h"

#include <functional>

namespace heddle {

/// A program as code, with what the manifest says of it.
struct CompiledProgram {
  /// The host program first, then the kernels in program order.
  std::vector<Code> code;
  /// Target, requirements, entries and kernels; the rest is the caller's.
  Manifest manifest;
  WeightsPlan weights;
};

/// Called when `done` of `total` modules are compiled; from any thread, one
/// call at a time.
using CompileProgress = std::function<void(size_t done, size_t total)>;

/// Compiles `program`, which is as the outline stage leaves it, for `target`,
/// whose facts the program carries. Kernels are compiled in parallel on the
/// threads of the context; the result does not depend on their number. Fails
/// with diagnostics.
mlir::FailureOr<CompiledProgram>
compileProgram(mlir::ModuleOp program, const Target &target,
               const WeightStore &store, CodeKind kind,
               const CompileProgress &progress);

} // namespace heddle

#endif // HEDDLE_CODEGEN_COMPILEPROGRAM_H
