// Npy.h - NumPy array files
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads versions 1, 2 and 3 of the .npy format (NEP 1 and numpy.lib.format) and
// writes version 1. Arrays are little-endian and C-ordered. Files may come from
// anywhere: every field is checked before it is used, and nothing is executed.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_NPY_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_NPY_H

#include "codegen/nvidia/ptx/FileAccess.h"

namespace heddle::ptx {

/// The element type of an array, as NumPy spells it.
struct NpyType {
  /// 'f' float, 'i' signed, 'u' unsigned, 'b' boolean.
  char kind = 'f';
  /// Bytes of one element: 1, 2, 4 or 8.
  unsigned size = 4;

  /// NumPy's name, such as `float32` or `uint16`.
  std::string name() const;
  bool operator==(const NpyType &) const = default;
};

/// A dense C-ordered array in host memory.
struct NpyArray {
  NpyType type;
  /// Outermost dimension first. Empty for a scalar.
  std::vector<int64_t> shape;
  /// `type.size` times the product of `shape` bytes.
  Bytes data;

  /// The number of elements.
  uint64_t elementCount() const { return data.size() / type.size; }
};

/// `2x3x4`, or `scalar`.
std::string formatShape(std::span<const int64_t> shape);

/// Decodes the contents of a .npy file. Refuses pickled objects, structured and
/// big-endian types, Fortran order, and sizes that disagree with the header.
Result<NpyArray> parseNpy(std::span<const uint8_t> file);

/// Reads and decodes `path`; messages name it.
Result<NpyArray> readNpy(const std::string &path);

/// Encodes `array` as a version-1 .npy file.
Bytes formatNpy(const NpyArray &array);

/// Writes `array` to `path`, atomically.
Result<Done> writeNpy(const std::string &path, const NpyArray &array);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_NPY_H
