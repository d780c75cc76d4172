//===- ElementType.h - ONNX data types as MLIR types ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_DIALECTS_ONNX_ELEMENTTYPE_H
#define HEDDLE_DIALECTS_ONNX_ELEMENTTYPE_H

#include "mlir/IR/Types.h"

#include <cstdint>

namespace heddle {

/// The element type that stands for a `TensorProto.DataType`, as the `onnx`
/// dialect maps them: `bool` is `i1`, signed integers are signless, unsigned
/// ones `uiN`. Null for strings, complex numbers and numbers that are no type.
mlir::Type convertElementType(int64_t dataType, mlir::MLIRContext *context);

} // namespace heddle

#endif // HEDDLE_DIALECTS_ONNX_ELEMENTTYPE_H
