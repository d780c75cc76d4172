//===- Pipelines.h - the stages of a compile --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_PASSES_PIPELINES_H
#define HEDDLE_PASSES_PIPELINES_H

#include "mlir/Pass/PassManager.h"

namespace heddle {

/// A stage between the frontend and code generation: its name, as given to
/// `--stop-after`, and the function that adds its passes.
struct Stage {
  llvm::StringRef name;
  llvm::StringRef summary;
  void (*build)(mlir::OpPassManager &);
};

/// The stages in the order in which they run: import, fusion, tiling, memory,
/// outline. docs/architecture.md says what the program is after each.
llvm::ArrayRef<Stage> getStages();

/// Registers every stage as a pass pipeline `heddle-stage-<name>`.
void registerStages();

} // namespace heddle

#endif // HEDDLE_PASSES_PIPELINES_H
