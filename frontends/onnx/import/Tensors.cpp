//===- Tensors.cpp - ONNX tensors as attributes ---------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/import/Tensors.h"

#include "dialects/onnx/ElementType.h"
#include "frontends/onnx/load/TensorSize.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace heddle;

/// Tensors below this size are elements in the program.
static constexpr uint64_t maxElementBytes = 1024;
/// So are all tensors of integers up to this size: shapes are computed from
/// them (`AbstractTensor::maxKnownElements`).
static constexpr uint64_t maxIntegerElements = 4096;

/// Appends the low `bytes` bytes of every value, little-endian.
template <typename Values>
static void appendLowBytes(const Values &values, unsigned bytes,
                           std::vector<char> &out) {
  out.reserve(out.size() + static_cast<size_t>(values.size()) * bytes);
  for (auto value : values) {
    char buffer[sizeof(value)];
    llvm::support::endian::write<decltype(value), llvm::endianness::little>(
        buffer, value);
    out.insert(out.end(), buffer, buffer + bytes);
  }
}

/// The bytes that the tensor would have as raw data, from whichever field of
/// the message its type uses (onnx.proto, TensorProto).
static std::vector<char> rawBytes(const pb::TensorProto &tensor) {
  std::vector<char> bytes;
  unsigned bits = storedBits(tensor.data_type());
  switch (tensor.data_type()) {
  case pb::TensorProto::FLOAT:
    appendLowBytes(tensor.float_data(), 4, bytes);
    break;
  case pb::TensorProto::DOUBLE:
    appendLowBytes(tensor.double_data(), 8, bytes);
    break;
  case pb::TensorProto::INT64:
    appendLowBytes(tensor.int64_data(), 8, bytes);
    break;
  case pb::TensorProto::UINT32:
  case pb::TensorProto::UINT64:
    appendLowBytes(tensor.uint64_data(), bits / 8, bytes);
    break;
  default:
    // An entry of int32_data holds one element, or one byte of packed ones.
    appendLowBytes(tensor.int32_data(), std::max(bits / 8, 1u), bytes);
    break;
  }
  return bytes;
}

/// The elements of a tensor whose data have the right length.
static DenseElementsAttr denseElements(ArrayRef<char> bytes,
                                       RankedTensorType type, unsigned bits) {
  Type elementType = type.getElementType();
  if (elementType.isInteger(1)) {
    SmallVector<bool> values;
    for (char byte : bytes)
      values.push_back(byte != 0);
    return DenseElementsAttr::get(type, values);
  }
  if (bits >= 8)
    return DenseElementsAttr::getFromRawBuffer(type, bytes);

  // Elements of less than a byte: the first is in the low bits.
  SmallVector<APInt> values;
  unsigned perByte = 8 / bits;
  for (int64_t i = 0, e = type.getNumElements(); i < e; ++i) {
    auto byte = static_cast<uint8_t>(bytes[i / perByte]);
    uint64_t value = (byte >> (i % perByte * bits)) & ((1u << bits) - 1);
    values.push_back(APInt(bits, value));
  }
  auto floatType = dyn_cast<FloatType>(elementType);
  if (!floatType)
    return DenseElementsAttr::get(type, values);
  auto floats = llvm::map_to_vector(values, [&](const APInt &value) {
    return APFloat(floatType.getFloatSemantics(), value);
  });
  return DenseElementsAttr::get(type, floats);
}

FailureOr<TypedAttr> TensorImporter::importTensor(const pb::TensorProto &tensor,
                                                  StringRef what,
                                                  Location location) {
  FailureOr<uint64_t> size = storedBytes(tensor, what, location);
  if (failed(size))
    return failure();
  Type elementType =
      convertElementType(tensor.data_type(), location.getContext());
  SmallVector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  auto type = RankedTensorType::get(shape, elementType);
  bool keepElements =
      *size < maxElementBytes ||
      (elementType.isInteger() &&
       static_cast<uint64_t>(type.getNumElements()) <= maxIntegerElements);

  std::vector<char> own;
  ArrayRef<char> bytes;
  const WeightSpan *span = spanOf(tensor, spans);
  if (span) {
    if (!keepElements)
      return TypedAttr(
          WeightAttr::get(span->file, span->offset, span->length, type));
    bytes = weights.contents(span->file).slice(span->offset, span->length);
  } else if (tensor.has_raw_data()) {
    bytes = ArrayRef<char>(tensor.raw_data().data(), tensor.raw_data().size());
  } else {
    own = rawBytes(tensor);
    bytes = own;
  }
  if (bytes.size() != *size)
    return emitError(location) << what << " expects " << *size
                               << " bytes of data, got " << bytes.size();
  if (keepElements)
    return TypedAttr(
        denseElements(bytes, type, storedBits(tensor.data_type())));

  // Typed fields of large tensors: no file holds their bytes as they are.
  std::string name = (modelName + "#" + Twine(numBlobs++)).str();
  weights.addBytes(name, own.empty()
                             ? std::vector<char>(bytes.begin(), bytes.end())
                             : std::move(own));
  return TypedAttr(WeightAttr::get(name, 0, *size, type));
}
