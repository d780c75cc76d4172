//===- DimRanges.h - sizes of inputs as options say them --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_CONVERT_DIMRANGES_H
#define HEDDLE_FRONTENDS_ONNX_CONVERT_DIMRANGES_H

#include "frontends/onnx/shapes/ShapeAnalysis.h"

#include "llvm/Support/Error.h"

namespace heddle {

/// Reads `NAME=SIZE`, `NAME=MIN..MAX` or `NAME=MIN..MAX%DIVISOR` for each text,
/// as the option `--dim` has them. Fails with a sentence on any other form, an
/// empty range, or a name that occurs twice.
llvm::Expected<ShapeAnalysis::DimRanges>
parseDimRanges(llvm::ArrayRef<std::string> texts);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_CONVERT_DIMRANGES_H
