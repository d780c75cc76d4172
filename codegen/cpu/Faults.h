//===- Faults.h - how kernels report run-time errors ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_CPU_FAULTS_H
#define HEDDLE_CODEGEN_CPU_FAULTS_H

#include "codegen/FaultTable.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace heddle {

/// Turns every heddle.checked_index in `func` into a comparison and, for an
/// index outside, a call of a cold function of `func`'s module that stores the
/// fault in the heddle_call_t behind `call`.
void lowerCheckedIndex(mlir::func::FuncOp func, mlir::Value call,
                       const FaultTable &faults);

} // namespace heddle

#endif // HEDDLE_CODEGEN_CPU_FAULTS_H
