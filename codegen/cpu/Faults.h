//===- Faults.h - run-time errors that kernels can report -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_CPU_FAULTS_H
#define HEDDLE_CODEGEN_CPU_FAULTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include "llvm/ADT/StringMap.h"

#include <string>
#include <vector>

namespace heddle {

/// The sentences of a program's faults, each once, in program order. The number
/// of a sentence is what a kernel stores in the call's status (docs/abi.md,
/// `heddle_call_t::fault`) and the row of the manifest that holds it.
class FaultTable {
public:
  /// Collects the texts of every heddle.checked_index in `program`.
  explicit FaultTable(mlir::Operation *program);

  /// The number of `sentence`, which is in the table.
  unsigned indexOf(llvm::StringRef sentence) const;

  const std::vector<std::string> &getSentences() const { return sentences; }

private:
  llvm::StringMap<unsigned> indices;
  std::vector<std::string> sentences;
};

/// Turns every heddle.checked_index in `func` into a comparison and, for an
/// index outside, a call of a cold function of `func`'s module that stores the
/// fault in the heddle_call_t behind `call`.
void lowerCheckedIndex(mlir::func::FuncOp func, mlir::Value call,
                       const FaultTable &faults);

} // namespace heddle

#endif // HEDDLE_CODEGEN_CPU_FAULTS_H
