//===- Loader.h - a checked model, its weights still in files ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_LOAD_LOADER_H
#define HEDDLE_FRONTENDS_ONNX_LOAD_LOADER_H

#include "frontends/onnx/Onnx.h"
#include "frontends/onnx/load/ExternalData.h"
#include "frontends/onnx/load/Locations.h"

namespace heddle {

/// A model that the ONNX checker accepts, without functions, every node named.
struct LoadedModel {
  pb::ModelProto proto;
  /// What `spanOf` finds the bytes of large tensors in.
  std::vector<WeightSpan> spans;
};

/// Loads the model at the path of `locations`, ONNX text if it ends in
/// `.onnxtxt`. Fails after a diagnostic; may throw what the ONNX library throws
/// (std::exception).
mlir::FailureOr<LoadedModel> loadModel(WeightStore &weights,
                                       const LoadOptions &options,
                                       const ModelLocations &locations);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_LOAD_LOADER_H
