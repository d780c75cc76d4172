//===- ExternalData.h - where the bytes of a tensor are ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_LOAD_EXTERNALDATA_H
#define HEDDLE_FRONTENDS_ONNX_LOAD_EXTERNALDATA_H

#include "frontends/onnx/Onnx.h"
#include "frontends/onnx/load/Locations.h"

namespace heddle {

/// Bytes of a file of the weight store.
struct WeightSpan {
  std::string file;
  uint64_t offset;
  uint64_t length;
};

/// Finds the bytes of every tensor that is stored outside the skeleton, in the
/// model file or in another one, and opens these files in `weights`. A data
/// file is looked for in the folder of the model as given, then in the folder
/// of the model's resolved path; it must lie, links resolved, in one of them or
/// in a folder of `options.allowExternal`.
///
/// Afterwards the tensor's location is '#' and an index into the returned list,
/// which `spanOf` reads. Fails after a diagnostic.
mlir::FailureOr<std::vector<WeightSpan>>
resolveExternalData(pb::ModelProto &model, WeightStore &weights,
                    const LoadOptions &options,
                    const ModelLocations &locations);

/// The bytes of a tensor that `resolveExternalData` resolved; null of a tensor
/// that is stored in the message itself.
const WeightSpan *spanOf(const pb::TensorProto &tensor,
                         llvm::ArrayRef<WeightSpan> spans);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_LOAD_EXTERNALDATA_H
