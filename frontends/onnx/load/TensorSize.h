//===- TensorSize.h - how many bytes a tensor has ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_LOAD_TENSORSIZE_H
#define HEDDLE_FRONTENDS_ONNX_LOAD_TENSORSIZE_H

#include "frontends/onnx/load/Locations.h"

#include "mlir/IR/Diagnostics.h"

namespace heddle {

/// The name of a TensorProto data type, as `float16`; of an unknown one, its
/// number.
std::string dataTypeName(int32_t dataType);

/// Bits of an element as a file holds it (a bool has 8), or 0 where elements of
/// this type are not read: strings, complex numbers, 6-bit floats, and types
/// that do not exist.
unsigned storedBits(int32_t dataType);

/// The number of elements of `tensor`; fails, after a diagnostic that calls the
/// tensor `what`, where an axis has a negative size or the product overflows.
mlir::FailureOr<uint64_t> elementCount(const pb::TensorProto &tensor,
                                       llvm::StringRef what,
                                       mlir::Location location);

/// Bytes of `tensor` as a file holds it: elements of less than a byte are
/// packed. Fails like `elementCount`, and where its type is not read.
mlir::FailureOr<uint64_t> storedBytes(const pb::TensorProto &tensor,
                                      llvm::StringRef what,
                                      mlir::Location location);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_LOAD_TENSORSIZE_H
