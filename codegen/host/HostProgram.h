//===- HostProgram.h - plan and run functions of an entry -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_HOST_HOSTPROGRAM_H
#define HEDDLE_CODEGEN_HOST_HOSTPROGRAM_H

#include "codegen/artefact/Manifest.h"
#include "codegen/host/WeightsPlan.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace heddle {

/// The types of the kernel functions that a host program calls, by name.
using KernelTypes = llvm::StringMap<mlir::FunctionType>;

/// The two functions of an entry (docs/abi.md, "An entry"), in `func`,
/// `memref`, `arith`, `cf` and LLVM ops, and what the manifest says of the
/// entry.
struct HostProgram {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  ModuleEntry entry;
};

/// Makes the host program of `main`, which is as the outline stage leaves it.
/// Faults and scratch size of the entry are left to the caller. Fails with a
/// diagnostic at the op that cannot be said in the module ABI.
mlir::FailureOr<HostProgram> buildHostProgram(mlir::func::FuncOp main,
                                              const KernelTypes &kernels,
                                              const WeightsPlan &weights);

} // namespace heddle

#endif // HEDDLE_CODEGEN_HOST_HOSTPROGRAM_H
