//===- FaultTable.cpp - the run-time errors of a program ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/FaultTable.h"

#include "dialects/heddle/HeddleDialect.h"

using namespace mlir;
using namespace heddle;

FaultTable::FaultTable(Operation *program) {
  program->walk([&](CheckedIndexOp op) {
    if (indices.try_emplace(op.getText(), sentences.size()).second)
      sentences.push_back(op.getText().str());
  });
}

unsigned FaultTable::indexOf(StringRef sentence) const {
  return indices.at(sentence);
}
