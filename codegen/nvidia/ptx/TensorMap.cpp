// TensorMap.cpp - tensor maps and their 128 bytes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/TensorMapLayout.h"

#include <cstring>

namespace heddle::ptx {

unsigned elementBytes(TensorElement element) {
  switch (element) {
  case TensorElement::U8:
    return 1;
  case TensorElement::U16:
  case TensorElement::F16:
  case TensorElement::BF16:
    return 2;
  case TensorElement::U64:
  case TensorElement::S64:
  case TensorElement::F64:
    return 8;
  default:
    return 4;
  }
}

std::optional<std::string> whyInvalid(const TensorMap &map) {
  if (map.rank < 1 || map.rank > 5)
    return "expected a rank of 1 to 5, got " + std::to_string(map.rank);
  if (uint8_t(map.element) > uint8_t(TensorElement::TF32Ftz))
    return "unknown element type";
  if (uint8_t(map.swizzle) > uint8_t(TensorSwizzle::Bytes128))
    return "swizzle mode is not covered";
  if (map.base % 16 != 0)
    return "base address is not a multiple of 16 bytes";
  unsigned bytes = elementBytes(map.element);
  for (uint32_t d = 0; d < map.rank; ++d) {
    std::string which = " of dimension " + std::to_string(d) +
                        (d == 0 ? " (the innermost)" : "");
    if (map.dims[d] == 0 || map.dims[d] > uint64_t(1) << 32)
      return "expected an extent" + which + " of 1 to 2^32, got " +
             std::to_string(map.dims[d]);
    if (map.box[d] == 0 || map.box[d] > 256)
      return "expected a box" + which + " of 1 to 256, got " +
             std::to_string(map.box[d]);
    if (map.elementStrides[d] == 0 || map.elementStrides[d] > 8)
      return "expected an element stride" + which + " of 1 to 8, got " +
             std::to_string(map.elementStrides[d]);
    if (d > 0 && (map.strides[d - 1] % 16 != 0 ||
                  map.strides[d - 1] >= uint64_t(1) << 40))
      return "expected a stride" + which +
             " that is a multiple of 16 bytes and below 2^40, got " +
             std::to_string(map.strides[d - 1]);
  }
  uint64_t inner = uint64_t(map.box[0]) * bytes;
  if (inner % 16 != 0)
    return "expected an inner box that is a multiple of 16 bytes, got " +
           std::to_string(inner);
  constexpr uint64_t spans[] = {0, 32, 64, 128};
  uint64_t span = spans[uint8_t(map.swizzle)];
  if (span != 0 && inner > span)
    return "expected an inner box of at most the swizzle's " +
           std::to_string(span) + " bytes, got " + std::to_string(inner);
  return std::nullopt;
}

std::array<std::byte, 128> encode(const TensorMap &map) {
  TensorMapBytes bytes = {};
  bytes.element = uint8_t(map.element);
  bytes.swizzle = uint8_t(map.swizzle);
  bytes.fillNan = map.fillNan;
  bytes.rankMinusOne = uint8_t(map.rank - 1);
  bytes.base = map.base;
  for (unsigned d = 0; d < 5; ++d) {
    bytes.dims[d] = map.dims[d];
    bytes.box[d] = uint16_t(map.box[d]);
    bytes.elementStrides[d] = uint16_t(map.elementStrides[d]);
  }
  for (unsigned d = 0; d < 4; ++d)
    bytes.strides[d] = map.strides[d];
  std::array<std::byte, 128> result;
  std::memcpy(result.data(), &bytes, 128);
  return result;
}

std::optional<TensorMap> decode(const std::byte *from) {
  TensorMapBytes bytes;
  std::memcpy(&bytes, from, 128);
  TensorMap map;
  map.element = TensorElement(bytes.element);
  map.swizzle = TensorSwizzle(bytes.swizzle);
  map.fillNan = bytes.fillNan != 0;
  map.rank = bytes.rankMinusOne + 1u;
  map.base = bytes.base;
  for (unsigned d = 0; d < 5; ++d) {
    map.dims[d] = bytes.dims[d];
    map.box[d] = bytes.box[d];
    map.elementStrides[d] = bytes.elementStrides[d];
  }
  for (unsigned d = 0; d < 4; ++d)
    map.strides[d] = bytes.strides[d];
  if (bytes.interleave != 0 || whyInvalid(map))
    return std::nullopt;
  return map;
}

} // namespace heddle::ptx
