//===- Tensor.cpp - tensors in host memory, and their files ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "tools/heddle/Tensor.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <onnx/onnx_pb.h>

#include <cstring>
#include <optional>

using namespace llvm;
using namespace heddle::cli;

int64_t Tensor::getElementCount() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

heddle_tensor_t Tensor::getView() {
  heddle_tensor_t view = {};
  view.name = name.empty() ? nullptr : name.c_str();
  view.data = data.data();
  llvm::copy(shape, view.shape);
  view.rank = static_cast<int32_t>(shape.size());
  view.dtype = dtype;
  return view;
}

const fltSemantics *heddle::cli::getFloatSemantics(heddle_dtype_t dtype) {
  switch (dtype) {
  case HEDDLE_F32:
    return &APFloat::IEEEsingle();
  case HEDDLE_F64:
    return &APFloat::IEEEdouble();
  case HEDDLE_F16:
    return &APFloat::IEEEhalf();
  case HEDDLE_BF16:
    return &APFloat::BFloat();
  default:
    return nullptr;
  }
}

std::string heddle::cli::describeType(heddle_dtype_t dtype,
                                      ArrayRef<int64_t> shape) {
  std::string text = heddle_dtype_name(dtype);
  raw_string_ostream os(text);
  os << '[';
  llvm::interleave(shape, os, "x");
  os << ']';
  return text;
}

//===----------------------------------------------------------------------===//
// TensorProto
//===----------------------------------------------------------------------===//

static std::optional<heddle_dtype_t> getDtype(int onnxType) {
  switch (onnxType) {
  case onnx::TensorProto::FLOAT:
    return HEDDLE_F32;
  case onnx::TensorProto::DOUBLE:
    return HEDDLE_F64;
  case onnx::TensorProto::FLOAT16:
    return HEDDLE_F16;
  case onnx::TensorProto::BFLOAT16:
    return HEDDLE_BF16;
  case onnx::TensorProto::INT8:
    return HEDDLE_I8;
  case onnx::TensorProto::INT16:
    return HEDDLE_I16;
  case onnx::TensorProto::INT32:
    return HEDDLE_I32;
  case onnx::TensorProto::INT64:
    return HEDDLE_I64;
  case onnx::TensorProto::UINT8:
    return HEDDLE_U8;
  case onnx::TensorProto::UINT16:
    return HEDDLE_U16;
  case onnx::TensorProto::UINT32:
    return HEDDLE_U32;
  case onnx::TensorProto::UINT64:
    return HEDDLE_U64;
  case onnx::TensorProto::BOOL:
    return HEDDLE_BOOL;
  default:
    return std::nullopt;
  }
}

/// Stores each value of a typed field in the `size` low bytes of an element.
template <typename Field>
static std::vector<char> packField(const Field &field, size_t size) {
  std::vector<char> bytes(field.size() * size);
  char *next = bytes.data();
  for (auto value : field) {
    std::memcpy(next, &value, size); // Little-endian: the low bytes are first.
    next += size;
  }
  return bytes;
}

/// The elements, wherever the ONNX specification puts them for this type.
static std::vector<char> getElements(const onnx::TensorProto &proto,
                                     size_t size) {
  if (proto.has_raw_data())
    return std::vector<char>(proto.raw_data().begin(), proto.raw_data().end());
  switch (proto.data_type()) {
  case onnx::TensorProto::FLOAT:
    return packField(proto.float_data(), size);
  case onnx::TensorProto::DOUBLE:
    return packField(proto.double_data(), size);
  case onnx::TensorProto::INT64:
    return packField(proto.int64_data(), size);
  case onnx::TensorProto::UINT32:
  case onnx::TensorProto::UINT64:
    return packField(proto.uint64_data(), size);
  default: // Every narrower type, 16-bit floats as their bits.
    return packField(proto.int32_data(), size);
  }
}

/// The size in bytes, or none for a negative size or an overflow.
static std::optional<uint64_t> getByteSize(ArrayRef<int64_t> shape,
                                           uint64_t elementSize) {
  uint64_t size = elementSize;
  for (int64_t dim : shape) {
    bool overflowed = false;
    if (dim < 0)
      return std::nullopt;
    size = SaturatingMultiply(size, static_cast<uint64_t>(dim), &overflowed);
    if (overflowed)
      return std::nullopt;
  }
  return size;
}

Expected<Tensor> heddle::cli::readTensorProto(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> file = MemoryBuffer::getFile(path);
  if (!file)
    return createStringError(file.getError(), "cannot read '" + path + "': " +
                                                  file.getError().message());
  auto fail = [&](const Twine &what) {
    return createStringError(inconvertibleErrorCode(), path + ": " + what);
  };
  onnx::TensorProto proto;
  StringRef bytes = (*file)->getBuffer();
  if (bytes.size() > INT32_MAX ||
      !proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail("expected a serialised TensorProto");

  Tensor tensor;
  tensor.name = proto.name();
  tensor.shape.assign(proto.dims().begin(), proto.dims().end());
  std::optional<heddle_dtype_t> dtype = getDtype(proto.data_type());
  if (!dtype)
    return fail("unsupported element type " + Twine(proto.data_type()));
  if (tensor.shape.size() > HEDDLE_MAX_RANK)
    return fail("expected rank " + Twine(HEDDLE_MAX_RANK) + " or less, got " +
                Twine(tensor.shape.size()));
  tensor.dtype = *dtype;
  tensor.data = getElements(proto, heddle_dtype_size(*dtype));
  std::optional<uint64_t> expected =
      getByteSize(tensor.shape, heddle_dtype_size(*dtype));
  if (!expected || *expected != tensor.data.size())
    return fail(describeType(tensor.dtype, tensor.shape) + " holds " +
                Twine(tensor.data.size()) + " bytes of data");
  return tensor;
}

Expected<std::vector<Tensor>> heddle::cli::readTensorProtos(StringRef folder,
                                                            StringRef prefix) {
  std::vector<Tensor> tensors;
  while (true) {
    SmallString<256> path(folder);
    sys::path::append(path, prefix + Twine(tensors.size()) + ".pb");
    if (!sys::fs::exists(path))
      return tensors;
    Expected<Tensor> tensor = readTensorProto(path);
    if (!tensor)
      return tensor.takeError();
    tensors.push_back(std::move(*tensor));
  }
}
