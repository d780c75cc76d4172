//===- TensorSize.cpp - how many bytes a tensor has -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/load/TensorSize.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CheckedArithmetic.h"

using namespace mlir;
using namespace heddle;

std::string heddle::dataTypeName(int32_t dataType) {
  if (!pb::TensorProto::DataType_IsValid(dataType))
    return std::to_string(dataType);
  return StringRef(pb::TensorProto::DataType_Name(dataType)).lower();
}

unsigned heddle::storedBits(int32_t dataType) {
  switch (dataType) {
  case pb::TensorProto::DOUBLE:
  case pb::TensorProto::INT64:
  case pb::TensorProto::UINT64:
    return 64;
  case pb::TensorProto::FLOAT:
  case pb::TensorProto::INT32:
  case pb::TensorProto::UINT32:
    return 32;
  case pb::TensorProto::FLOAT16:
  case pb::TensorProto::BFLOAT16:
  case pb::TensorProto::INT16:
  case pb::TensorProto::UINT16:
    return 16;
  case pb::TensorProto::BOOL:
  case pb::TensorProto::INT8:
  case pb::TensorProto::UINT8:
  case pb::TensorProto::FLOAT8E4M3FN:
  case pb::TensorProto::FLOAT8E4M3FNUZ:
  case pb::TensorProto::FLOAT8E5M2:
  case pb::TensorProto::FLOAT8E5M2FNUZ:
  case pb::TensorProto::FLOAT8E8M0:
    return 8;
  case pb::TensorProto::INT4:
  case pb::TensorProto::UINT4:
  case pb::TensorProto::FLOAT4E2M1:
    return 4;
  case pb::TensorProto::INT2:
  case pb::TensorProto::UINT2:
    return 2;
  default:
    return 0;
  }
}

FailureOr<uint64_t> heddle::elementCount(const pb::TensorProto &tensor,
                                         StringRef what, Location location) {
  int64_t count = 1;
  for (int64_t size : tensor.dims()) {
    std::optional<int64_t> product = llvm::checkedMul(count, size);
    if (size < 0 || !product)
      return emitError(location)
             << what << " expects sizes of 0 or more and a product below 2^63, "
             << "got an axis of " << size;
    count = *product;
  }
  return count;
}

FailureOr<uint64_t> heddle::storedBytes(const pb::TensorProto &tensor,
                                        StringRef what, Location location) {
  FailureOr<uint64_t> count = elementCount(tensor, what, location);
  if (failed(count))
    return failure();
  unsigned bits = storedBits(tensor.data_type());
  if (bits == 0)
    return emitError(location)
           << what << " expects numbers, got elements of type "
           << dataTypeName(tensor.data_type());
  std::optional<uint64_t> total =
      llvm::checkedMulUnsigned<uint64_t>(*count, bits);
  if (!total)
    return emitError(location)
           << what << " expects fewer than 2^64 bits, got " << *count
           << " elements of type " << dataTypeName(tensor.data_type());
  return llvm::divideCeil(*total, 8);
}
