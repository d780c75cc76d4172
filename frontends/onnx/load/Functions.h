//===- Functions.h - functions of a model, inlined --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_LOAD_FUNCTIONS_H
#define HEDDLE_FRONTENDS_ONNX_LOAD_FUNCTIONS_H

#include "frontends/onnx/Onnx.h"
#include "frontends/onnx/load/Locations.h"

namespace heddle {

/// Replaces every call of a model-local function with the function's body. The
/// model has passed the ONNX checker, so no function calls itself. Fails, after
/// a diagnostic, where the result would have more nodes than `limits` allows (a
/// chain of small functions can stand for any number of nodes), or where a
/// function uses an operator whose meaning is another one in the version that
/// the model imports.
llvm::LogicalResult inlineFunctions(pb::ModelProto &model,
                                    const LoadLimits &limits,
                                    const ModelLocations &locations);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_LOAD_FUNCTIONS_H
