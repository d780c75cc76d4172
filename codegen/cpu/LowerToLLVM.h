//===- LowerToLLVM.h - kernel functions to machine code ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_CPU_LOWERTOLLVM_H
#define HEDDLE_CODEGEN_CPU_LOWERTOLLVM_H

#include "codegen/cpu/Facts.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

#include "llvm/ADT/SmallVector.h"

namespace heddle {

/// Appends the passes that take a kernel module to the LLVM dialect to a
/// manager of builtin.module.
void addLowerToLLVMPasses(mlir::OpPassManager &manager);

/// The file format that compileModule makes.
enum class CodeFormat { Object, Assembly };

/// Compiles a module in the LLVM dialect for the CPU of `facts`: LLVM's O3
/// pipeline and code generator, position-independent, with floating-point
/// contraction. Fails with a diagnostic at the module. LLVM's targets must be
/// initialised (initializeCpuTarget).
mlir::FailureOr<llvm::SmallVector<char, 0>>
compileModule(mlir::ModuleOp module, const CpuFacts &facts, CodeFormat format);

/// Registers LLVM's X86 code generator with LLVM, once per process, and the
/// translation of the dialects that compileModule reads with `context`.
void initializeCpuTarget(mlir::MLIRContext &context);

} // namespace heddle

#endif // HEDDLE_CODEGEN_CPU_LOWERTOLLVM_H
