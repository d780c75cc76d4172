//===- FaultTable.h - the run-time errors of a program ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_FAULTTABLE_H
#define HEDDLE_CODEGEN_FAULTTABLE_H

#include "mlir/IR/Operation.h"

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

} // namespace heddle

#endif // HEDDLE_CODEGEN_FAULTTABLE_H
