//===- WireFormat.cpp - a model without its weights -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/load/WireFormat.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Errc.h"

#include <optional>

using namespace heddle;
using llvm::ArrayRef;
using llvm::Error;
using llvm::StringRef;

namespace {

/// The messages of onnx.proto that lead to a tensor, and the tensor's own.
enum class Message {
  Model,
  Graph,
  Node,
  Attribute,
  SparseTensor,
  Function,
  Tensor,
  ExternalData, ///< StringStringEntryProto
  Other,        ///< anything without tensors, copied as it is
};

enum WireType : uint32_t { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

/// A length-delimited field that holds another message.
struct Edge {
  Message parent;
  uint32_t field;
  Message child;
};

constexpr Edge edges[] = {
    {Message::Model, 7, Message::Graph},
    {Message::Model, 25, Message::Function},
    {Message::Graph, 1, Message::Node},
    {Message::Graph, 5, Message::Tensor},
    {Message::Graph, 15, Message::SparseTensor},
    {Message::Node, 5, Message::Attribute},
    {Message::Attribute, 5, Message::Tensor},
    {Message::Attribute, 10, Message::Tensor},
    {Message::Attribute, 6, Message::Graph},
    {Message::Attribute, 11, Message::Graph},
    {Message::Attribute, 22, Message::SparseTensor},
    {Message::Attribute, 23, Message::SparseTensor},
    {Message::SparseTensor, 1, Message::Tensor},
    {Message::SparseTensor, 2, Message::Tensor},
    {Message::Function, 7, Message::Node},
    {Message::Function, 11, Message::Attribute},
    {Message::Tensor, 13, Message::ExternalData},
};

// Field numbers of onnx.proto.
constexpr uint32_t modelTrainingInfo = 20;
constexpr uint32_t tensorDataType = 2;
constexpr uint32_t tensorFloatData = 4;
constexpr uint32_t tensorRawData = 9;
constexpr uint32_t tensorDoubleData = 10;
constexpr uint32_t tensorExternalData = 13;
constexpr uint32_t tensorDataLocation = 14;
constexpr uint32_t entryKey = 1;
constexpr uint32_t entryValue = 2;
// Values of TensorProto.DataType and TensorProto.DataLocation.
constexpr uint64_t dataTypeFloat = 1;
constexpr uint64_t dataTypeDouble = 11;
constexpr uint64_t dataLocationExternal = 1;

/// Payloads below this size stay in the skeleton.
constexpr uint64_t minPayload = 1024;
/// Protobuf's own limit.
constexpr unsigned maxDepth = 100;

/// One field as it stands in the file, offsets from the file's begin.
struct Field {
  uint32_t number = 0;
  WireType type = Varint;
  uint64_t begin = 0; ///< of the tag
  uint64_t payload = 0;
  uint64_t end = 0;
  uint64_t value = 0; ///< of a varint
};

class SkeletonWriter {
public:
  SkeletonWriter(ArrayRef<char> file, uint64_t maxBytes)
      : file(file), maxBytes(maxBytes) {}

  /// Appends the skeleton of the message of kind `kind` in [begin, end).
  Error copyMessage(Message kind, uint64_t begin, uint64_t end,
                    std::string &out, unsigned depth);

private:
  Error readVarint(uint64_t &position, uint64_t end, uint64_t &value);
  Error readField(uint64_t &position, uint64_t end, Field &field);
  Error copyTensor(uint64_t begin, uint64_t end, std::string &out,
                   unsigned depth);
  Error copyField(Message kind, const Field &field, std::string &out,
                  unsigned depth);
  Error append(const Field &field, std::string &out);
  Error malformed(uint64_t position, const char *what);

  ArrayRef<char> file;
  uint64_t maxBytes;
  uint64_t copied = 0;
};

} // namespace

static Message childOf(Message parent, uint32_t field) {
  for (const Edge &edge : edges)
    if (edge.parent == parent && edge.field == field)
      return edge.child;
  return Message::Other;
}

static void putVarint(std::string &out, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

static void putBytes(std::string &out, uint32_t field, StringRef bytes) {
  putVarint(out, field << 3 | Bytes);
  putVarint(out, bytes.size());
  out.append(bytes.data(), bytes.size());
}

static void putExternalData(std::string &out, StringRef key, StringRef value) {
  std::string entry;
  putBytes(entry, entryKey, key);
  putBytes(entry, entryValue, value);
  putBytes(out, tensorExternalData, entry);
}

/// True where the encoding of `field` in a tensor of type `dataType` is that of
/// the tensor's raw data.
static bool isPlainPayload(const Field &field,
                           std::optional<uint64_t> dataType) {
  return field.number == tensorRawData ||
         (field.number == tensorFloatData && dataType == dataTypeFloat) ||
         (field.number == tensorDoubleData && dataType == dataTypeDouble);
}

Error SkeletonWriter::malformed(uint64_t position, const char *what) {
  return llvm::createStringError(llvm::errc::invalid_argument,
                                 "%s at byte %llu", what,
                                 static_cast<unsigned long long>(position));
}

Error SkeletonWriter::readVarint(uint64_t &position, uint64_t end,
                                 uint64_t &value) {
  value = 0;
  uint64_t begin = position;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (position == end)
      return malformed(begin, "a number is cut short");
    auto byte = static_cast<uint8_t>(file[position++]);
    value |= uint64_t(byte & 0x7f) << shift;
    if (!(byte & 0x80))
      return Error::success();
  }
  return malformed(begin, "a number has more than 64 bits");
}

Error SkeletonWriter::readField(uint64_t &position, uint64_t end,
                                Field &field) {
  field.begin = position;
  uint64_t tag;
  if (Error error = readVarint(position, end, tag))
    return error;
  if (tag >> 3 == 0 || tag >> 32 != 0)
    return malformed(field.begin, "a field number is out of range");
  field.number = tag >> 3;
  field.type = static_cast<WireType>(tag & 7);
  field.payload = position;
  uint64_t size;
  switch (tag & 7) {
  case Varint:
    if (Error error = readVarint(position, end, field.value))
      return error;
    field.end = position;
    return Error::success();
  case Fixed64:
    size = 8;
    break;
  case Fixed32:
    size = 4;
    break;
  case Bytes:
    if (Error error = readVarint(position, end, size))
      return error;
    field.payload = position;
    break;
  default:
    return malformed(field.begin, "a field has an unknown wire type");
  }
  if (size > end - position)
    return malformed(field.begin, "a field is cut short");
  position += size;
  field.end = position;
  return Error::success();
}

Error SkeletonWriter::append(const Field &field, std::string &out) {
  uint64_t size = field.end - field.begin;
  copied += size;
  if (copied > maxBytes)
    return malformed(field.begin, "the model without its weights is too large");
  out.append(file.data() + field.begin, size);
  return Error::success();
}

Error SkeletonWriter::copyField(Message kind, const Field &field,
                                std::string &out, unsigned depth) {
  Message child =
      field.type == Bytes ? childOf(kind, field.number) : Message::Other;
  if (child == Message::Other)
    return append(field, out);
  std::string nested;
  if (Error error =
          copyMessage(child, field.payload, field.end, nested, depth + 1))
    return error;
  putBytes(out, field.number, nested);
  return Error::success();
}

Error SkeletonWriter::copyMessage(Message kind, uint64_t begin, uint64_t end,
                                  std::string &out, unsigned depth) {
  if (depth > maxDepth)
    return malformed(begin, "messages are nested too deep");
  if (kind == Message::Tensor)
    return copyTensor(begin, end, out, depth);
  for (uint64_t position = begin; position < end;) {
    Field field;
    if (Error error = readField(position, end, field))
      return error;
    if (kind == Message::Model && field.number == modelTrainingInfo)
      continue;
    bool isValue = kind == Message::ExternalData && field.type == Bytes &&
                   field.number == entryValue;
    if (isValue && field.payload < field.end && file[field.payload] == '#')
      return malformed(field.payload,
                       "a value of external data starts with '#'");
    if (Error error = copyField(kind, field, out, depth))
      return error;
  }
  return Error::success();
}

Error SkeletonWriter::copyTensor(uint64_t begin, uint64_t end, std::string &out,
                                 unsigned depth) {
  llvm::SmallVector<Field, 1> large;
  std::optional<uint64_t> dataType;
  for (uint64_t position = begin; position < end;) {
    Field field;
    if (Error error = readField(position, end, field))
      return error;
    if (field.number == tensorDataType && field.type == Varint)
      dataType = field.value;
    bool mayBePayload = field.number == tensorRawData ||
                        field.number == tensorFloatData ||
                        field.number == tensorDoubleData;
    if (mayBePayload && field.type == Bytes &&
        field.end - field.payload >= minPayload)
      large.push_back(field);
    else if (Error error = copyField(Message::Tensor, field, out, depth))
      return error;
  }
  if (large.size() == 1 && isPlainPayload(large.front(), dataType)) {
    // Last, so that nothing of the model's own overrides it: some quantisers
    // write an explicit default location after the data.
    const Field &payload = large.front();
    putExternalData(out, "location", modelLocation);
    putExternalData(out, "offset", std::to_string(payload.payload));
    putExternalData(out, "length",
                    std::to_string(payload.end - payload.payload));
    putVarint(out, tensorDataLocation << 3 | Varint);
    putVarint(out, dataLocationExternal);
    return Error::success();
  }
  for (const Field &field : large)
    if (Error error = append(field, out))
      return error;
  return Error::success();
}

llvm::Expected<std::string> heddle::makeSkeleton(ArrayRef<char> model,
                                                 uint64_t maxBytes) {
  std::string skeleton;
  SkeletonWriter writer(model, maxBytes);
  if (Error error =
          writer.copyMessage(Message::Model, 0, model.size(), skeleton, 0))
    return error;
  return skeleton;
}
