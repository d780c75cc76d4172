// TritonArguments.cpp - the user's arguments as a Triton launch
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/KernelArguments.h"

using namespace heddle::ptx;

namespace {

constexpr uint64_t tensorMapSize = 128;
/// Every kernel of Triton 3.6 to 3.9 ends in the pointers global_scratch and
/// profile_scratch, whether it uses them or not.
constexpr size_t scratchPointers = 2;
/// The most scratch memory that a launch may ask for.
constexpr uint64_t scratchLimit = uint64_t(1) << 34;

/// One argument of the user and the entry's slots that it fills.
struct UserSlot {
  size_t first = 0;
  /// The host descriptor that fills it, or null.
  const TritonDescriptor *descriptor = nullptr;
  /// The argument of the .ttir if it is a descriptor taken apart, or null.
  const TritonArgument *flat = nullptr;
};

} // namespace

static ParameterValue integerValue(uint64_t value, size_t size,
                                   const std::string &text) {
  ParameterValue parameter;
  parameter.text = text;
  parameter.scalar.kind = ScalarArgument::Kind::Integer;
  for (size_t i = 0; i < size; ++i)
    parameter.scalar.bytes.push_back(static_cast<uint8_t>(value >> (8 * i)));
  return parameter;
}

/// Groups the entry's slots into user arguments: a tensor map is followed by
/// rank 32-bit sizes and rank 64-bit strides. What follows the pointer of a
/// descriptor that was taken apart, only the signature tells.
static Result<std::vector<UserSlot>>
groupSlots(const TritonKernel &kernel,
           const std::vector<TritonArgument> &signature,
           const std::vector<ParameterSlot> &slots) {
  if (slots.size() < scratchPointers || slots.end()[-1].size != 8 ||
      slots.end()[-2].size != 8)
    return refuse("expected the entry ", kernel.name,
                  " to end in two scratch pointers, as kernels of Triton 3.6 ",
                  "to 3.9 do");
  std::vector<UserSlot> groups;
  size_t used = 0, end = slots.size() - scratchPointers;
  for (size_t i = 0; i < end;) {
    UserSlot group{i++, nullptr, nullptr};
    if (groups.size() < signature.size() &&
        signature[groups.size()].flatRank > 0) {
      group.flat = &signature[groups.size()];
      i += group.flat->flatParameters();
      if (i > end)
        return refuse("expected ", group.flat->flatParameters(),
                      " parameters after ", slots[group.first].name,
                      " of the entry ", kernel.name);
    }
    if (slots[group.first].size == tensorMapSize) {
      if (used == kernel.descriptors.size())
        return refuse("the entry ", kernel.name, " has more tensor maps than ",
                      "the ", used, " of tensordesc_meta");
      group.descriptor = &kernel.descriptors[used++];
      size_t rank = group.descriptor->blockSize.size();
      for (size_t k = 0; k < 2 * rank; ++k, ++i)
        if (i >= end || slots[i].size != (k < rank ? 4u : 8u))
          return refuse("expected ", rank, " sizes and ", rank,
                        " strides after the tensor map ",
                        slots[group.first].name, " of the entry ", kernel.name);
    }
    groups.push_back(group);
  }
  if (used != kernel.descriptors.size())
    return refuse("tensordesc_meta describes ", kernel.descriptors.size(),
                  " tensor maps, the entry ", kernel.name, " has ", used);
  return groups;
}

static Result<Done> checkSignature(const TritonKernel &kernel,
                                   const std::vector<TritonArgument> &signature,
                                   const std::vector<ParameterSlot> &slots,
                                   const std::vector<UserSlot> &groups) {
  if (signature.size() != groups.size())
    return refuse("'", kernel.ttirPath, "' declares ", signature.size(),
                  " arguments, the entry ", kernel.name, " takes ",
                  groups.size());
  for (size_t i = 0; i < groups.size(); ++i) {
    const TritonArgument &argument = signature[i];
    const ParameterSlot &slot = slots[groups[i].first];
    uint64_t size = argument.isDescriptor() ? tensorMapSize : argument.size();
    if (slot.size != size)
      return refuse("'", kernel.ttirPath, "' declares ", argument.name, " as ",
                    argument.type, " of ", size, " bytes, the entry ",
                    kernel.name, " has ", slot.size, " bytes there");
  }
  return Done{};
}

/// Triton compiles a kernel for arguments that are multiples of a number, and
/// the code is wrong for others.
static Result<Done> checkDivisibility(const TritonArgument &argument,
                                      const ParameterValue &value) {
  uint64_t number = value.offset;
  if (value.kind == ParameterValue::Kind::Scalar) {
    if (value.scalar.kind != ScalarArgument::Kind::Integer)
      return Done{};
    number = 0;
    for (size_t i = 0; i < value.scalar.bytes.size(); ++i)
      number |= uint64_t(value.scalar.bytes[i]) << (8 * i);
  }
  if (argument.divisibility == 0 || number % argument.divisibility == 0)
    return Done{};
  return refuse("argument '", value.text, "' for ", argument.name,
                ": the kernel was compiled for multiples of ",
                argument.divisibility);
}

/// Refuses an array whose elements have another size than what the kernel's
/// pointer points to.
static Result<Done> checkPointee(const TritonArgument &argument,
                                 const ParameterValue &value,
                                 const KernelArguments &arguments) {
  if (value.kind != ParameterValue::Kind::Address)
    return Done{};
  unsigned expected = argument.pointeeSize();
  NpyType got = arguments.buffers[value.buffer].array.type;
  if (expected == 0 || expected == got.size)
    return Done{};
  return refuse("argument '", value.text, "' for ", argument.name,
                ": expected elements of ", expected, " bytes for ",
                argument.type, ", got ", got.name());
}

/// Appends the map, the sizes and the strides of one descriptor.
static Result<Done> appendDescriptor(const TritonDescriptor &descriptor,
                                     const ParameterValue &value,
                                     const HostBuffer &buffer,
                                     std::vector<ParameterValue> &out) {
  const NpyArray &array = buffer.array;
  size_t rank = descriptor.blockSize.size();
  unsigned size = elementBytes(descriptor.element);
  if (array.shape.size() != rank || array.type.size != size)
    return refuse("'", value.text, "': expected an array of ", rank,
                  " dimensions with elements of ", size, " bytes, got ",
                  array.type.name(), " ", formatShape(array.shape));
  ParameterValue map = value;
  map.kind = ParameterValue::Kind::Map;
  map.map.element = descriptor.element;
  map.map.swizzle = descriptor.swizzle;
  map.map.rank = static_cast<uint32_t>(rank);
  std::vector<uint64_t> strides(rank, 1);
  for (size_t i = 0; i < rank; ++i) {
    size_t outer = rank - 1 - i;
    map.map.dims[i] = static_cast<uint64_t>(array.shape[outer]);
    map.map.box[i] = descriptor.blockSize[outer];
    if (i > 0) {
      strides[outer] = strides[outer + 1] * map.map.dims[i - 1];
      map.map.strides[i - 1] = strides[outer] * size;
    }
  }
  out.push_back(map);
  for (int64_t extent : array.shape)
    out.push_back(integerValue(static_cast<uint64_t>(extent), 4, value.text));
  for (uint64_t stride : strides)
    out.push_back(integerValue(stride, 8, value.text));
  return Done{};
}

/// Appends pointer, shape, strides and flags of a descriptor taken apart:
/// zeros outside of the array, no rounding.
static Result<Done> appendFlatDescriptor(const TritonArgument &argument,
                                         const ParameterValue &value,
                                         const HostBuffer &buffer,
                                         std::vector<ParameterValue> &out) {
  const std::vector<int64_t> &shape = buffer.array.shape;
  size_t rank = argument.flatRank;
  if (shape.size() != rank)
    return refuse("'", value.text, "': expected an array of ", rank,
                  " dimensions for ", argument.name, ", got ",
                  formatShape(shape));
  std::vector<uint64_t> strides(rank, 1);
  for (size_t i = rank - 1; i > 0; --i)
    strides[i - 1] = strides[i] * static_cast<uint64_t>(shape[i]);
  out.push_back(value);
  auto append = [&](uint64_t number, size_t size) {
    out.push_back(integerValue(number, size, value.text));
  };
  for (size_t shapeSize : {8, 4}) {
    for (int64_t extent : shape)
      append(static_cast<uint64_t>(extent), shapeSize);
    for (uint64_t stride : strides)
      append(stride, 8);
    for (size_t flag = 0; shapeSize == 8 && flag < argument.flatFlags; ++flag)
      append(0, 1);
  }
  return Done{};
}

/// Appends a pointer to `bytesPerBlock` bytes for every block, or a null
/// pointer.
static Result<Done> appendScratch(const char *name, uint64_t bytesPerBlock,
                                  uint64_t blockCount,
                                  KernelArguments &arguments) {
  if (bytesPerBlock == 0) {
    arguments.values.push_back(integerValue(0, 8, name));
    return Done{};
  }
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(bytesPerBlock, blockCount, &bytes) ||
      bytes > scratchLimit)
    return refuse(name, " of ", bytesPerBlock, " bytes for ", blockCount,
                  " blocks is over the limit of ", scratchLimit, " bytes");
  HostBuffer scratch;
  scratch.name = name;
  scratch.array.type = {'u', 1};
  scratch.array.shape = {static_cast<int64_t>(bytes)};
  scratch.array.data.resize(bytes);
  ParameterValue value;
  value.kind = ParameterValue::Kind::Address;
  value.text = name;
  value.buffer = arguments.buffers.size();
  arguments.buffers.push_back(std::move(scratch));
  arguments.values.push_back(std::move(value));
  return Done{};
}

Result<Done>
heddle::ptx::checkTritonEntry(const TritonKernel &kernel,
                              const std::vector<TritonArgument> &signature,
                              const std::vector<ParameterSlot> &slots) {
  Result<std::vector<UserSlot>> groups = groupSlots(kernel, signature, slots);
  if (!groups)
    return groups.failure();
  if (kernel.ttirPath.empty())
    return Done{};
  return checkSignature(kernel, signature, slots, *groups);
}

static std::string
describeArguments(const std::vector<TritonArgument> &signature) {
  std::string text;
  for (const TritonArgument &argument : signature)
    text += (text.empty() ? ": " : ", ") + argument.name + " " + argument.type;
  return text;
}

Result<Done> heddle::ptx::bindTritonArguments(
    const TritonKernel &kernel, const std::vector<TritonArgument> &signature,
    const std::vector<ParameterSlot> &slots, uint64_t blockCount,
    KernelArguments &arguments) {
  Result<std::vector<UserSlot>> groups = groupSlots(kernel, signature, slots);
  if (!groups)
    return groups.failure();
  if (auto checked = checkTritonEntry(kernel, signature, slots); !checked)
    return checked;
  std::vector<ParameterValue> user = std::move(arguments.values);
  arguments.values.clear();
  if (user.size() != groups->size())
    return refuse("the Triton kernel ", kernel.name, " takes ", groups->size(),
                  " arguments, got ", user.size(),
                  describeArguments(signature));
  for (size_t i = 0; i < user.size(); ++i) {
    if (!signature.empty()) {
      if (auto checked = checkDivisibility(signature[i], user[i]); !checked)
        return checked;
      if (auto checked = checkPointee(signature[i], user[i], arguments);
          !checked)
        return checked;
    }
    const TritonDescriptor *descriptor = (*groups)[i].descriptor;
    bool isWholeBuffer =
        user[i].kind == ParameterValue::Kind::Address && user[i].offset == 0;
    const TritonArgument *flat = (*groups)[i].flat;
    if (!descriptor && !flat) {
      arguments.values.push_back(std::move(user[i]));
    } else if (!isWholeBuffer) {
      return refuse("'", user[i].text, "': a tensor descriptor takes in:, ",
                    "out: or ptr:NAME, and makes the tensor map by itself");
    } else if (flat) {
      if (auto added = appendFlatDescriptor(*flat, user[i],
                                            arguments.buffers[user[i].buffer],
                                            arguments.values);
          !added)
        return added;
    } else if (auto added = appendDescriptor(*descriptor, user[i],
                                             arguments.buffers[user[i].buffer],
                                             arguments.values);
               !added) {
      return added;
    }
  }
  if (auto added = appendScratch("global_scratch", kernel.globalScratchSize,
                                 blockCount, arguments);
      !added)
    return added;
  return appendScratch("profile_scratch", kernel.profileScratchSize, blockCount,
                       arguments);
}
