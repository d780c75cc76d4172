//===- Types.h - ONNX types as MLIR types -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_IMPORT_TYPES_H
#define HEDDLE_FRONTENDS_ONNX_IMPORT_TYPES_H

#include "frontends/onnx/load/Locations.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

namespace heddle {

/// The tensor type that a model declares for a graph input, output or other
/// value: unranked if it gives no shape. Fails, after a diagnostic, for what is
/// no tensor or has an element type that is not read.
mlir::FailureOr<mlir::TensorType>
convertValueType(const pb::ValueInfoProto &value, mlir::Location location);

/// The `onnx.dims` of a declared type, null if it gives no shape.
mlir::ArrayAttr declaredDims(const pb::ValueInfoProto &value,
                             mlir::MLIRContext *context);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_IMPORT_TYPES_H
