//===- HeddleDialect.cpp - registration of the heddle dialect -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/HeddleDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace heddle;

#include "dialects/heddle/HeddleDialect.cpp.inc"

void HeddleDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/heddle/HeddleOps.cpp.inc"
      >();
  registerAttributes();
}
