//===- Passes.h - passes of the ONNX front end ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_PASSES_H
#define HEDDLE_FRONTENDS_ONNX_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace heddle {

#define GEN_PASS_DECL
#include "frontends/onnx/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "frontends/onnx/Passes.h.inc"

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_PASSES_H
