//===- OnnxDialect.cpp - faithful image of an ONNX graph ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/onnx/OnnxDialect.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace heddle::onnx;

#include "dialects/onnx/OnnxDialect.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/onnx/OnnxOps.cpp.inc"

void OnnxDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/onnx/OnnxOps.cpp.inc"
      >();
}

llvm::StringRef NodeOp::getNodeName() {
  if (auto name = dyn_cast<NameLoc>(getLoc()))
    return name.getName().getValue();
  return {};
}
