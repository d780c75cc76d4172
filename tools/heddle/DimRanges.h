//===- DimRanges.h - the option --dim ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_TOOLS_HEDDLE_DIMRANGES_H
#define HEDDLE_TOOLS_HEDDLE_DIMRANGES_H

#include "frontends/onnx/shapes/ShapeAnalysis.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace heddle::cli {

/// Reads `NAME=RANGE` texts; a range is SIZE or FIRST..LAST, LAST may be left
/// out, and %N after it allows multiples of N only. A name must be a symbolic
/// dimension of an input of `main`, a function of `onnx` operations.
llvm::Expected<ShapeAnalysis::DimRanges>
parseDimRanges(llvm::ArrayRef<std::string> texts, mlir::func::FuncOp main);

} // namespace heddle::cli

#endif // HEDDLE_TOOLS_HEDDLE_DIMRANGES_H
