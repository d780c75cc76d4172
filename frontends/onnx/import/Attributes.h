//===- Attributes.h - attributes of ONNX nodes ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_IMPORT_ATTRIBUTES_H
#define HEDDLE_FRONTENDS_ONNX_IMPORT_ATTRIBUTES_H

#include "frontends/onnx/import/Tensors.h"

#include "mlir/IR/BuiltinAttributes.h"

namespace heddle {

/// The attributes of `node` in the forms of `onnx.node`. Fails, after a
/// diagnostic, for kinds that the dialect does not have: graphs, types, lists
/// of tensors, sparse tensors.
mlir::FailureOr<mlir::DictionaryAttr>
importAttributes(const pb::NodeProto &node, TensorImporter &tensors,
                 mlir::Location location);

/// The value of a Constant node. Fails, after a diagnostic, where it has no
/// value or a text.
mlir::FailureOr<mlir::TypedAttr> importConstant(const pb::NodeProto &node,
                                                TensorImporter &tensors,
                                                mlir::Location location);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_IMPORT_ATTRIBUTES_H
