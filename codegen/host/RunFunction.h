//===- RunFunction.h - the host program of an entry -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_HOST_RUNFUNCTION_H
#define HEDDLE_CODEGEN_HOST_RUNFUNCTION_H

#include "codegen/host/HostProgram.h"

namespace heddle {

/// Adds the run function of `main` to `module`, with declarations of the kernel
/// functions it calls. `entry` gives its name and the numbers of inputs,
/// outputs and symbols.
mlir::LogicalResult buildRunFunction(mlir::func::FuncOp main,
                                     mlir::ModuleOp module,
                                     const ModuleEntry &entry,
                                     const KernelTypes &kernels,
                                     const WeightsPlan &weights);

} // namespace heddle

#endif // HEDDLE_CODEGEN_HOST_RUNFUNCTION_H
