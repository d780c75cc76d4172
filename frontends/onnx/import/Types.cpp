//===- Types.cpp - ONNX types as MLIR types -------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/import/Types.h"

#include "dialects/onnx/ElementType.h"
#include "frontends/onnx/load/TensorSize.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace heddle;

static StringRef kindName(const pb::TypeProto &type) {
  switch (type.value_case()) {
  case pb::TypeProto::kTensorType:
    return "a tensor";
  case pb::TypeProto::kSequenceType:
    return "a sequence";
  case pb::TypeProto::kMapType:
    return "a map";
  case pb::TypeProto::kOptionalType:
    return "an optional";
  case pb::TypeProto::kSparseTensorType:
    return "a sparse tensor";
  default:
    return "a value of unknown type";
  }
}

FailureOr<TensorType> heddle::convertValueType(const pb::ValueInfoProto &value,
                                               Location location) {
  if (!value.type().has_tensor_type())
    return emitError(location)
           << "expects " << inQuotes(value.name()) << " to be a tensor, got "
           << kindName(value.type());
  const pb::TypeProto::Tensor &declared = value.type().tensor_type();
  Type elementType =
      convertElementType(declared.elem_type(), location.getContext());
  if (!elementType)
    return emitError(location)
           << "expects " << inQuotes(value.name())
           << " to be a tensor of numbers, got elements of type "
           << dataTypeName(declared.elem_type());
  if (!declared.has_shape())
    return UnrankedTensorType::get(elementType);
  SmallVector<int64_t> shape;
  for (const auto &dim : declared.shape().dim()) {
    // Some exporters write -1 for a size that they do not know.
    bool isKnown = dim.has_dim_value() && dim.dim_value() >= 0;
    if (dim.has_dim_value() && dim.dim_value() < -1)
      return emitError(location)
             << "expects " << inQuotes(value.name())
             << " to have axes of size 0 or more, got " << dim.dim_value();
    shape.push_back(isKnown ? dim.dim_value() : ShapedType::kDynamic);
  }
  return RankedTensorType::get(shape, elementType);
}

ArrayAttr heddle::declaredDims(const pb::ValueInfoProto &value,
                               MLIRContext *context) {
  if (!value.type().tensor_type().has_shape())
    return {};
  Builder builder(context);
  SmallVector<StringRef> dims;
  SmallVector<std::string> sizes;
  const auto &declared = value.type().tensor_type().shape().dim();
  sizes.reserve(declared.size());
  for (const auto &dim : declared) {
    if (dim.has_dim_value() && dim.dim_value() >= 0)
      dims.push_back(sizes.emplace_back(std::to_string(dim.dim_value())));
    else if (dim.has_dim_param() && !dim.dim_param().empty())
      dims.push_back(dim.dim_param());
    else
      dims.push_back("?");
  }
  return builder.getStrArrayAttr(dims);
}
