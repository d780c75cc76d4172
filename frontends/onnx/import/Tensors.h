//===- Tensors.h - ONNX tensors as attributes -------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_IMPORT_TENSORS_H
#define HEDDLE_FRONTENDS_ONNX_IMPORT_TENSORS_H

#include "frontends/onnx/load/ExternalData.h"

#include "mlir/IR/BuiltinAttributeInterfaces.h"

namespace heddle {

/// Turns tensors of one loaded model into attributes: elements for small ones,
/// so that the shape analysis sees them, `#heddle.weight` for the others.
class TensorImporter {
public:
  TensorImporter(WeightStore &weights, llvm::ArrayRef<WeightSpan> spans,
                 llvm::StringRef modelName)
      : weights(weights), spans(spans), modelName(modelName) {}

  /// The attribute of `tensor`, which diagnostics call `what`. Fails after one
  /// where the tensor's data do not fit its type and sizes.
  mlir::FailureOr<mlir::TypedAttr> importTensor(const pb::TensorProto &tensor,
                                                llvm::StringRef what,
                                                mlir::Location location);

private:
  WeightStore &weights;
  llvm::ArrayRef<WeightSpan> spans;
  llvm::StringRef modelName;
  unsigned numBlobs = 0;
};

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_IMPORT_TENSORS_H
