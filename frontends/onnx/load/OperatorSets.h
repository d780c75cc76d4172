//===- OperatorSets.h - which operators a model may use ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_LOAD_OPERATORSETS_H
#define HEDDLE_FRONTENDS_ONNX_LOAD_OPERATORSETS_H

#include "frontends/onnx/load/Locations.h"

#include "llvm/Support/LogicalResult.h"

namespace heddle {

/// Moves the operators of ONNX Runtime that its own tools write in the default
/// domain (SimplifiedLayerNormalization, and LayerNormalization before version
/// 17) to their own domain, com.microsoft.
void moveContribOperators(pb::ModelProto &model);

/// Checks the IR version, the imported operator sets, and that every operator
/// of the default domain exists in the version that the model imports. Which of
/// them have a conversion is decided later. Fails after a diagnostic.
llvm::LogicalResult checkOperatorSets(pb::ModelProto &model,
                                      const ModelLocations &locations);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_LOAD_OPERATORSETS_H
