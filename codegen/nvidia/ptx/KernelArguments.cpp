// KernelArguments.cpp - from arguments to a parameter block
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/KernelArguments.h"

#include "codegen/nvidia/ptx/FileAccess.h"

#include <cstring>
#include <filesystem>
#include <map>
#include <set>

using namespace heddle::ptx;

//===----------------------------------------------------------------------===//
// Slots
//===----------------------------------------------------------------------===//

static ParameterSlot::Type slotType(const Param &param) {
  if (param.isArray)
    return ParameterSlot::Type::Aggregate;
  switch (param.type) {
  case Type::U8:
  case Type::U16:
  case Type::U32:
  case Type::U64:
  case Type::S8:
  case Type::S16:
  case Type::S32:
  case Type::S64:
    return ParameterSlot::Type::Integer;
  case Type::F16:
  case Type::F32:
  case Type::F64:
    return ParameterSlot::Type::Float;
  default:
    return ParameterSlot::Type::Any;
  }
}

std::vector<ParameterSlot> heddle::ptx::parameterSlots(const Function &entry) {
  std::vector<ParameterSlot> slots;
  for (const Param &param : entry.params)
    slots.push_back({param.name, slotType(param), param.bytes, param.offset});
  return slots;
}

std::vector<ParameterSlot>
heddle::ptx::parameterSlots(const CubinKernel &kernel) {
  std::vector<ParameterSlot> slots;
  for (const CubinParameter &parameter : kernel.parameters)
    slots.push_back({"parameter " + std::to_string(slots.size()),
                     parameter.size > 8 ? ParameterSlot::Type::Aggregate
                                        : ParameterSlot::Type::Any,
                     parameter.size, parameter.offset});
  return slots;
}

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

namespace {

/// Collects buffers by name while arguments are read.
class BufferTable {
public:
  explicit BufferTable(std::vector<HostBuffer> &buffers) : buffers(buffers) {}

  /// Reads the file of `argument` and returns the buffer's index.
  Result<size_t> add(const BufferArgument &argument);
  /// The index of the buffer that the user named `name`.
  Result<size_t> find(const std::string &name) const;

private:
  std::vector<HostBuffer> &buffers;
  std::map<std::string, size_t> byName;
  std::set<std::string> outputs;
};

} // namespace

Result<size_t> BufferTable::add(const BufferArgument &argument) {
  size_t index = buffers.size();
  if (!argument.name.empty() &&
      !byName.try_emplace(argument.name, index).second)
    return refuse("the buffer name '", argument.name, "' is defined twice");
  std::error_code error;
  std::string file =
      std::filesystem::weakly_canonical(argument.path, error).string();
  if (argument.isOutput && !outputs.insert(file).second)
    return refuse("'", argument.path, "' is the file of two out: buffers; ",
                  "name the first one and pass it again with ptr:NAME");
  Result<NpyArray> array = readNpy(argument.path);
  if (!array)
    return array.failure();
  if (argument.isOutput)
    if (Result<Done> writable = checkWritable(argument.path); !writable)
      return writable.failure();
  buffers.push_back({argument.name.empty() ? argument.path : argument.name,
                     argument.path, argument.isOutput, std::move(*array)});
  return index;
}

Result<size_t> BufferTable::find(const std::string &name) const {
  auto found = byName.find(name);
  if (found != byName.end())
    return found->second;
  std::string known;
  for (const auto &[other, index] : byName)
    known += (known.empty() ? "" : ", ") + other;
  return refuse("no buffer is called '", name, "'; ",
                known.empty() ? "none has a name" : "named are: " + known);
}

/// The element type that an array's own type means, where it means one.
static Result<TensorElement> elementOfArray(NpyType type) {
  constexpr std::pair<NpyType, TensorElement> table[] = {
      {{'u', 1}, TensorElement::U8},  {{'i', 1}, TensorElement::U8},
      {{'b', 1}, TensorElement::U8},  {{'u', 2}, TensorElement::U16},
      {{'i', 2}, TensorElement::U16}, {{'u', 4}, TensorElement::U32},
      {{'i', 4}, TensorElement::S32}, {{'u', 8}, TensorElement::U64},
      {{'i', 8}, TensorElement::S64}, {{'f', 2}, TensorElement::F16},
      {{'f', 4}, TensorElement::F32}, {{'f', 8}, TensorElement::F64}};
  for (auto [candidate, element] : table)
    if (candidate == type)
      return element;
  return refuse("no tensor map has elements of type ", type.name());
}

/// Fills the dimensions of `map` from lists that are outermost first. Empty
/// `strides` mean a dense array.
static Result<Done> setMapExtents(TensorMap &map,
                                  const std::vector<uint64_t> &shape,
                                  const std::vector<uint64_t> &strides,
                                  const std::vector<uint64_t> &box) {
  size_t rank = shape.size();
  if (rank < 1 || rank > 5)
    return refuse("expected a tensor map of 1 to 5 dimensions, got ", rank);
  if (box.size() != rank)
    return refuse("expected a box of ", rank, " dimensions as the shape has, ",
                  "got ", box.size());
  if (!strides.empty() && strides.size() != rank)
    return refuse("expected ", rank, " strides as the shape has, got ",
                  strides.size());
  if (!strides.empty() && strides.back() != 1)
    return refuse("expected a stride of 1 for the last dimension, got ",
                  strides.back());
  map.rank = static_cast<uint32_t>(rank);
  uint64_t dense = elementBytes(map.element);
  for (size_t i = 0; i < rank; ++i) {
    size_t outer = rank - 1 - i;
    if (box[outer] > 256)
      return refuse("expected a box of at most 256 elements per dimension, ",
                    "got ", box[outer]);
    map.dims[i] = shape[outer];
    map.box[i] = static_cast<uint32_t>(box[outer]);
    bool overflows = false;
    if (i > 0) {
      uint64_t &stride = map.strides[i - 1];
      stride = dense;
      if (!strides.empty())
        overflows = __builtin_mul_overflow(
            strides[outer], uint64_t(elementBytes(map.element)), &stride);
    }
    if (overflows || __builtin_mul_overflow(dense, shape[outer], &dense))
      return refuse("the tensor map spans more than 2^64 bytes");
  }
  return Done{};
}

static Result<TensorMap> buildMap(const MapArgument &argument,
                                  const NpyArray &array) {
  TensorMap map;
  if (argument.element) {
    map.element = *argument.element;
    if (elementBytes(map.element) != array.type.size)
      return refuse("type= has elements of ", elementBytes(map.element),
                    " bytes, the buffer holds ", array.type.name());
  } else {
    Result<TensorElement> element = elementOfArray(array.type);
    if (!element)
      return element.failure();
    map.element = *element;
  }
  map.swizzle = argument.swizzle;
  map.fillNan = argument.fillNan;
  if (map.fillNan && map.element < TensorElement::F16)
    return refuse("oob=nan needs elements of a float type; name it with type=");
  std::vector<uint64_t> shape = argument.shape;
  if (shape.empty())
    shape.assign(array.shape.begin(), array.shape.end());
  if (Result<Done> set =
          setMapExtents(map, shape, argument.strides, argument.box);
      !set)
    return set.failure();
  return map;
}

/// Resolves one argument whose buffer, if it defines one, is `own`.
static Result<ParameterValue> resolve(const Argument &argument, size_t own,
                                      const BufferTable &table,
                                      const std::vector<HostBuffer> &buffers) {
  ParameterValue value;
  value.text = argument.text;
  if (auto *scalar = std::get_if<ScalarArgument>(&argument.value)) {
    value.scalar = *scalar;
    return value;
  }
  value.kind = ParameterValue::Kind::Address;
  if (std::holds_alternative<BufferArgument>(argument.value)) {
    value.buffer = own;
    return value;
  }
  auto *pointer = std::get_if<PointerArgument>(&argument.value);
  auto *map = std::get_if<MapArgument>(&argument.value);
  Result<size_t> buffer = table.find(pointer ? pointer->name : map->name);
  if (!buffer)
    return refuse("'", argument.text, "': ", buffer.failure().message);
  value.buffer = *buffer;
  const NpyArray &array = buffers[*buffer].array;
  if (pointer) {
    value.offset = pointer->offset;
    if (pointer->offset > array.data.size())
      return refuse("'", argument.text, "': the buffer has ", array.data.size(),
                    " bytes");
    return value;
  }
  Result<TensorMap> built = buildMap(*map, array);
  if (!built)
    return refuse("'", argument.text, "': ", built.failure().message);
  value.kind = ParameterValue::Kind::Map;
  value.map = *built;
  return value;
}

Result<KernelArguments>
heddle::ptx::loadArguments(const std::vector<Argument> &arguments,
                           const std::vector<BufferArgument> &buffers) {
  KernelArguments loaded;
  BufferTable table(loaded.buffers);
  for (const BufferArgument &buffer : buffers)
    if (Result<size_t> index = table.add(buffer); !index)
      return index.failure();
  std::vector<size_t> own(arguments.size(), 0);
  for (size_t i = 0; i < arguments.size(); ++i) {
    auto *buffer = std::get_if<BufferArgument>(&arguments[i].value);
    if (!buffer)
      continue;
    Result<size_t> index = table.add(*buffer);
    if (!index)
      return index.failure();
    own[i] = *index;
  }
  for (size_t i = 0; i < arguments.size(); ++i) {
    Result<ParameterValue> value =
        resolve(arguments[i], own[i], table, loaded.buffers);
    if (!value)
      return value.failure();
    loaded.values.push_back(std::move(*value));
  }
  return loaded;
}

//===----------------------------------------------------------------------===//
// Checking and packing
//===----------------------------------------------------------------------===//

/// Why `value` cannot go into `slot`, or nothing.
static std::optional<Failure> mismatch(const ParameterSlot &slot,
                                       const ParameterValue &value) {
  uint64_t size = value.kind == ParameterValue::Kind::Scalar
                      ? value.scalar.bytes.size()
                  : value.kind == ParameterValue::Kind::Map ? 128
                                                            : 8;
  if (size != slot.size)
    return refuse("expected ", slot.size, " bytes, got ", size);
  if (value.kind != ParameterValue::Kind::Scalar)
    return slot.type == ParameterSlot::Type::Float
               ? std::optional(refuse("expected a float, got an address"))
               : std::nullopt;
  if (slot.type == ParameterSlot::Type::Integer &&
      value.scalar.kind == ScalarArgument::Kind::Float)
    return refuse("expected an integer, got a float");
  if (slot.type == ParameterSlot::Type::Float &&
      value.scalar.kind == ScalarArgument::Kind::Integer)
    return refuse("expected a float, got an integer");
  return std::nullopt;
}

Result<Done>
heddle::ptx::checkParameters(const std::vector<ParameterSlot> &slots,
                             const KernelArguments &arguments) {
  if (arguments.values.size() != slots.size())
    return refuse("the kernel has ", slots.size(), " parameters, got ",
                  arguments.values.size(), " arguments");
  for (size_t i = 0; i < slots.size(); ++i)
    if (auto why = mismatch(slots[i], arguments.values[i]))
      return refuse("argument ", i + 1, " '", arguments.values[i].text,
                    "' for ", slots[i].name, ": ", why->message);
  return Done{};
}

Result<std::vector<std::byte>> heddle::ptx::packParameters(
    const std::vector<ParameterSlot> &slots, const KernelArguments &arguments,
    const std::vector<uint64_t> &addresses, const MapEncoder &encodeMap) {
  uint64_t size = 0;
  for (const ParameterSlot &slot : slots)
    size = std::max(size, slot.offset + slot.size);
  std::vector<std::byte> block(size);
  for (size_t i = 0; i < slots.size(); ++i) {
    const ParameterValue &value = arguments.values[i];
    std::byte *to = block.data() + slots[i].offset;
    if (value.kind == ParameterValue::Kind::Scalar) {
      std::memcpy(to, value.scalar.bytes.data(), value.scalar.bytes.size());
      continue;
    }
    uint64_t address = addresses[value.buffer] + value.offset;
    if (value.kind == ParameterValue::Kind::Address) {
      std::memcpy(to, &address, sizeof address);
      continue;
    }
    TensorMap map = value.map;
    map.base = address;
    if (std::optional<std::string> why = whyInvalid(map))
      return refuse("'", value.text, "': ", *why);
    auto encoded = encodeMap(map);
    if (!encoded)
      return refuse("'", value.text, "': ", encoded.failure().message);
    std::memcpy(to, encoded->data(), encoded->size());
  }
  return block;
}

Result<Done> heddle::ptx::writeOutputs(const KernelArguments &arguments) {
  for (const HostBuffer &buffer : arguments.buffers)
    if (buffer.isOutput)
      if (Result<Done> written = writeNpy(buffer.path, buffer.array); !written)
        return written.failure();
  return Done{};
}
