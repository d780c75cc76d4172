//===- ElementType.cpp - ONNX data types as MLIR types --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/onnx/ElementType.h"

#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;

Type heddle::convertElementType(int64_t dataType, MLIRContext *context) {
  auto signless = [&](unsigned width) {
    return IntegerType::get(context, width);
  };
  auto unsignedInt = [&](unsigned width) {
    return IntegerType::get(context, width, IntegerType::Unsigned);
  };
  // The numbers of onnx.proto's TensorProto.DataType, which are part of the
  // file format.
  switch (dataType) {
  case 1:
    return Float32Type::get(context);
  case 2:
    return unsignedInt(8);
  case 3:
    return signless(8);
  case 4:
    return unsignedInt(16);
  case 5:
    return signless(16);
  case 6:
    return signless(32);
  case 7:
    return signless(64);
  case 9:
    return signless(1);
  case 10:
    return Float16Type::get(context);
  case 11:
    return Float64Type::get(context);
  case 12:
    return unsignedInt(32);
  case 13:
    return unsignedInt(64);
  case 16:
    return BFloat16Type::get(context);
  case 17:
    return Float8E4M3FNType::get(context);
  case 18:
    return Float8E4M3FNUZType::get(context);
  case 19:
    return Float8E5M2Type::get(context);
  case 20:
    return Float8E5M2FNUZType::get(context);
  case 21:
    return unsignedInt(4);
  case 22:
    return signless(4);
  case 23:
    return Float4E2M1FNType::get(context);
  case 24:
    return Float8E8M0FNUType::get(context);
  case 25:
    return unsignedInt(2);
  case 26:
    return signless(2);
  default:
    return nullptr;
  }
}
