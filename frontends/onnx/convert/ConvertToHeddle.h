//===- ConvertToHeddle.h - onnx dialect to the import form -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_CONVERT_CONVERTTOHEDDLE_H
#define HEDDLE_FRONTENDS_ONNX_CONVERT_CONVERTTOHEDDLE_H

#include "frontends/onnx/shapes/ShapeAnalysis.h"

#include "mlir/IR/BuiltinOps.h"

namespace heddle {

/// Replaces every function of `onnx` operations in `module` by one in the form
/// of the stage `import` (docs/architecture.md). `ranges` narrows the symbols
/// of the inputs. Fails, after a diagnostic at the node at fault, where an
/// operator, an attribute or a shape is not supported.
mlir::LogicalResult convertToHeddle(mlir::ModuleOp module,
                                    const ShapeAnalysis::DimRanges &ranges);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_CONVERT_CONVERTTOHEDDLE_H
