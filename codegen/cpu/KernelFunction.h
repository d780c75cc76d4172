//===- KernelFunction.h - the function that a kernel becomes ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_CPU_KERNELFUNCTION_H
#define HEDDLE_CODEGEN_CPU_KERNELFUNCTION_H

#include "codegen/cpu/Facts.h"
#include "dialects/heddle/HeddleDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"

namespace heddle {

/// The type that memory of `element` has in a kernel function: i8, each 0 or 1,
/// for i1; i16 for bf16, whose masked accesses LLVM turns into library calls.
/// Else `element` itself.
mlir::Type getMemoryType(mlir::Type element);

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
  /// The function's value for a scalar of the body (an index argument, a
  /// constant, a size, arithmetic on those), or null if there is none.
  mlir::Value getScalar(mlir::Value bodyValue);
  /// The memref of output `index`.
  mlir::Value getOutput(unsigned index);

  mlir::Value getWorker() { return getArgument(numArguments); }
  mlir::Value getWorkers() { return getArgument(numArguments + 1); }
  mlir::Value getScratch() { return getArgument(numArguments + 2); }
  mlir::Value getCall() { return getArgument(numArguments + 3); }

  /// Reserves `bytes` of scratch memory, aligned to 64, and returns the offset.
  int64_t reserveScratch(int64_t bytes);
  /// Records in the function what was reserved, and by whom.
  void finish(llvm::StringRef family);

private:
  void cloneScalars();

  KernelDefOp def;
  const CpuFacts &facts;
  mlir::func::FuncOp func;
  mlir::IRMapping scalars;
  unsigned numArguments;
  int64_t scratchBytes = 0;
};

/// Builders of the kernel families: each fills in the body of `kernel` from the
/// body of its definition. They fail with a reason, and may then leave anything
/// behind, if the body is not of their form (docs/architecture.md, "tiling").
llvm::Error buildReference(KernelFunction &kernel);
llvm::Error buildContraction(KernelFunction &kernel);
llvm::Error buildAttention(KernelFunction &kernel);
llvm::Error buildElementwise(KernelFunction &kernel);
llvm::Error buildRows(KernelFunction &kernel);
llvm::Error buildAxisReduction(KernelFunction &kernel);

/// The reason that a builder fails with.
llvm::Error unsupported(const llvm::Twine &what);

} // namespace heddle

#endif // HEDDLE_CODEGEN_CPU_KERNELFUNCTION_H
