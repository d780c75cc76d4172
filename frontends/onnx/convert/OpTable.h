//===- OpTable.h - the supported ONNX operators ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_CONVERT_OPTABLE_H
#define HEDDLE_FRONTENDS_ONNX_CONVERT_OPTABLE_H

#include "frontends/onnx/convert/NodeConversion.h"

namespace heddle {

/// The operator sets that models may import.
constexpr int64_t oldestOpset = 11;
constexpr int64_t newestOpset = 24;

/// A row of the table: an operator in a range of operator sets, for which its
/// meaning is the same or `function` knows the differences.
struct OpRow {
  llvm::StringLiteral domain;
  llvm::StringLiteral opType;
  int64_t firstVersion;
  int64_t lastVersion;
  NodeConversionFunction function;
};

/// Every row, sorted by domain, operator and version. tools/dev/op_table.py
/// makes the page docs/ops.md of them.
llvm::ArrayRef<OpRow> opTable();

/// The row for an operator of operator set `version`, null if there is none.
const OpRow *lookupOp(llvm::StringRef domain, llvm::StringRef opType,
                      int64_t version);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_CONVERT_OPTABLE_H
