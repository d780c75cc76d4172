//===- HeddleDialect.h - transformer graphs ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_DIALECTS_HEDDLE_HEDDLEDIALECT_H
#define HEDDLE_DIALECTS_HEDDLE_HEDDLEDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/heddle/HeddleEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/heddle/HeddleAttrs.h.inc"

#include "dialects/heddle/HeddleDialect.h.inc"

#define GET_OP_CLASSES
#include "dialects/heddle/HeddleOps.h.inc"

#endif // HEDDLE_DIALECTS_HEDDLE_HEDDLEDIALECT_H
