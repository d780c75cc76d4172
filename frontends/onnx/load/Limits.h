//===- Limits.h - refuses models that are too large -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_LOAD_LIMITS_H
#define HEDDLE_FRONTENDS_ONNX_LOAD_LIMITS_H

#include "frontends/onnx/Onnx.h"
#include "frontends/onnx/load/Locations.h"

namespace heddle {

/// Checks a model against the limits before anything works on it that takes
/// more time or memory than the model itself. Fails after a diagnostic.
llvm::LogicalResult checkLimits(pb::ModelProto &model, const LoadLimits &limits,
                                const ModelLocations &locations);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_LOAD_LIMITS_H
