//===- KernelBuilder.h - from a kernel to a function ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_CPU_KERNELBUILDER_H
#define HEDDLE_CODEGEN_CPU_KERNELBUILDER_H

#include "codegen/cpu/Facts.h"
#include "codegen/cpu/Faults.h"
#include "dialects/heddle/HeddleDialect.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace heddle {

/// The attribute of a kernel function that says how many bytes of scratch
/// memory a worker needs (an i64; 0 if none).
inline constexpr llvm::StringLiteral kScratchBytesAttr = "heddle.scratch_bytes";

/// The attribute of a kernel function that names the family that built it.
inline constexpr llvm::StringLiteral kFamilyAttr = "heddle.family";

/// Builds the code of one kernel: a module with the function
///
///     func.func @k(arguments..., %worker: index, %workers: index,
///                  %scratch: memref<?xi8>, %call: !llvm.ptr)
///         attributes {heddle.family = "F", heddle.scratch_bytes = N}
///
/// as docs/architecture.md describes it ("Kernel functions"), in `vector`,
/// `scf`, `memref`, `arith` and `math` on native vectors of `facts`. The family
/// of `def`'s schedule chooses the builder. `faults` numbers the texts of its
/// heddle.checked_index ops.
///
/// `def` is not changed; kernels may be built in parallel, each in a context of
/// its own or in one with multithreading. A body that its family cannot build
/// gets the reference lowering, with a remark. Fails with a diagnostic at `def`
/// if the family is unknown or there is no reference lowering either.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>>
buildKernel(KernelDefOp def, const CpuFacts &facts, const FaultTable &faults);

} // namespace heddle

#endif // HEDDLE_CODEGEN_CPU_KERNELBUILDER_H
