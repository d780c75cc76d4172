//===- AnchoredBody.h - one op among elementwise ops ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_CPU_ANCHOREDBODY_H
#define HEDDLE_CODEGEN_CPU_ANCHOREDBODY_H

#include "codegen/cpu/KernelFunction.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace heddle {

/// The body of a kernel whose family is about one op.
struct AnchoredBody {
  mlir::Operation *op = nullptr;
  /// The elementwise ops before it, over its loops, and after it, over its
  /// result.
  llvm::SmallVector<mlir::linalg::GenericOp> before, after;

  /// The first operand of `op`.
  mlir::Value getInput() const { return op->getOperand(0); }
  /// A tensor in memory of the shape of the input: itself, or what an op before
  /// reads without a change of axes; null if there is none.
  mlir::Value findShape() const;
  /// Whether the kernel gives what an op before computes, too.
  bool yieldsBefore() const;
};

/// Takes the body of `kernel` apart; fails with a reason if there is no such op
/// or more than one.
llvm::Expected<AnchoredBody> matchAnchoredBody(KernelFunction &kernel);

} // namespace heddle

#endif // HEDDLE_CODEGEN_CPU_ANCHOREDBODY_H
