// TensorMap.h - tensor maps (PTX ISA 5.5): how a bulk tensor copy walks memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_TENSORMAP_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_TENSORMAP_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace heddle::ptx {

/// Element types, numbered as CUtensorMapDataType (`tensormap.replace` numbers
/// them another way).
enum class TensorElement : uint8_t {
  U8 = 0,
  U16 = 1,
  U32 = 2,
  S32 = 3,
  U64 = 4,
  S64 = 5,
  F16 = 6,
  F32 = 7,
  F64 = 8,
  BF16 = 9,
  F32Ftz = 10,
  TF32 = 11,
  TF32Ftz = 12,
};

/// Shared-memory swizzle, numbered as CUtensorMapSwizzle.
enum class TensorSwizzle : uint8_t {
  None = 0,
  Bytes32 = 1,
  Bytes64 = 2,
  Bytes128 = 3,
};

/// A tiled tensor map without interleave. Dimension 0 is the contiguous one.
struct TensorMap {
  TensorElement element = TensorElement::U8;
  TensorSwizzle swizzle = TensorSwizzle::None;
  bool fillNan = false; ///< out-of-bounds elements read as NaN, not zero
  uint32_t rank = 1;    ///< 1 to 5
  uint64_t base = 0;    ///< device address of element 0
  std::array<uint64_t, 5> dims = {1, 1, 1, 1, 1};
  std::array<uint64_t, 4> strides = {0, 0, 0, 0}; ///< bytes, of dims 1 to 4
  std::array<uint32_t, 5> box = {1, 1, 1, 1, 1};
  std::array<uint32_t, 5> elementStrides = {1, 1, 1, 1, 1};
};

/// Bytes of one element.
unsigned elementBytes(TensorElement element);

/// What the driver's encode call would refuse, as a sentence: alignment of base
/// and strides, box over 256 or wider than the swizzle, rank; empty if fine.
std::optional<std::string> whyInvalid(const TensorMap &map);

/// The 128 bytes a kernel gets as a parameter. The layout is this library's own
/// (the hardware's is not documented): kernels must treat it as opaque.
std::array<std::byte, 128> encode(const TensorMap &map);

/// Reads what `encode`, or a kernel with `tensormap.replace`, has written.
/// Returns none for bytes that are no tensor map.
std::optional<TensorMap> decode(const std::byte *bytes);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_TENSORMAP_H
