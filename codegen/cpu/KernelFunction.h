//===- KernelFunction.h - the function that a kernel becomes ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_CPU_KERNELFUNCTION_H
#define HEDDLE_CODEGEN_CPU_KERNELFUNCTION_H

#include "codegen/cpu/Facts.h"
#include "dialects/heddle/HeddleDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace heddle {

/// A kernel function under construction: its signature stands, its body is
/// being filled in.
///
/// A tensor argument is a memref with the strides that its layout allows.
/// Memory has no bits: an i1 tensor is a memref of i8, each 0 or 1.
class KernelFunction {
public:
  /// Adds the function of `def` to `module`, with an entry block that returns.
  KernelFunction(mlir::ModuleOp module, KernelDefOp def, const CpuFacts &facts);

  KernelDefOp getDef() { return def; }
  const CpuFacts &getFacts() { return facts; }
  mlir::func::FuncOp getFunc() { return func; }

  /// The function's value for a block argument of the kernel's body.
  mlir::Value getArgument(unsigned index);
  mlir::Value getArgument(mlir::Value bodyArgument);
  /// The memref of output `index`.
  mlir::Value getOutput(unsigned index);

  mlir::Value getWorker() { return getArgument(numArguments); }
  mlir::Value getWorkers() { return getArgument(numArguments + 1); }
  mlir::Value getScratch() { return getArgument(numArguments + 2); }
  mlir::Value getCall() { return getArgument(numArguments + 3); }

  /// Reserves `bytes` of scratch memory, aligned to 64, and returns the offset.
  int64_t reserveScratch(int64_t bytes);
  /// Records in the function what was reserved.
  void finish();

private:
  KernelDefOp def;
  const CpuFacts &facts;
  mlir::func::FuncOp func;
  unsigned numArguments;
  int64_t scratchBytes = 0;
};

/// Builders of the kernel families: each fills in the body of `kernel` from the
/// body of its definition. They fail with a diagnostic at the definition if it
/// is not of their form (docs/architecture.md, "tiling").
mlir::LogicalResult buildReference(KernelFunction &kernel);

} // namespace heddle

#endif // HEDDLE_CODEGEN_CPU_KERNELFUNCTION_H
