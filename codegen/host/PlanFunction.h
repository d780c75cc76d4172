//===- PlanFunction.h - sizes of a call, from its symbols -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_HOST_PLANFUNCTION_H
#define HEDDLE_CODEGEN_HOST_PLANFUNCTION_H

#include "codegen/artefact/Manifest.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"

namespace heddle {

/// Adds the plan function of `main` to `module` and describes symbols, inputs,
/// outputs, guards and buffers in `entry`, whose `planSymbol` is its name.
mlir::LogicalResult buildPlanFunction(mlir::func::FuncOp main,
                                      mlir::ModuleOp module,
                                      ModuleEntry &entry);

/// Whether `op` of a host program computes with sizes alone, all of which
/// `mapping` knows. It may divide by a size: see `makeDivisionsSafe`.
bool isSizeOp(mlir::Operation *op, const mlir::IRMapping &mapping);

/// Makes divisions that sizes might do by zero do them by one instead: a guard
/// that such sizes break is found all the same, and nothing traps.
void makeDivisionsSafe(mlir::func::FuncOp func);

} // namespace heddle

#endif // HEDDLE_CODEGEN_HOST_PLANFUNCTION_H
