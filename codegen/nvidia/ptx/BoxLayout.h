// BoxLayout.h - which tensor copy laid out which bytes of shared memory;
// private. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tensor copy writes dense rows of dimension 0, then swizzles them. What
// reads the bytes later (wgmma, ldmatrix, a tensor store) has an idea of its
// own of the swizzle and of the distance of rows: these classes remember the
// first so that it can be compared with the second.

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_BOXLAYOUT_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_BOXLAYOUT_H

#include "codegen/nvidia/ptx/TensorMap.h"

#include <cstdint>
#include <vector>

namespace heddle::ptx {

/// Where the swizzle puts the byte that has `address` without it, and the other
/// way round.
uint32_t swizzled(uint32_t address, TensorSwizzle swizzle);

/// A box in shared memory, as one tensor copy laid it out.
struct BoxLayout {
  uint32_t op = 0;    ///< the copy
  uint32_t start = 0; ///< offset of its first byte
  uint32_t rowBytes = 0;
  uint32_t rows = 0;
  uint32_t planeRows = 0; ///< rows of dimension 1 alone
  TensorSwizzle swizzle = TensorSwizzle::None;
  bool operator==(const BoxLayout &) const = default;
};

/// The place in its box of 16 bytes of shared memory.
struct BoxPlace {
  const BoxLayout *box = nullptr; ///< null: not written by a tensor copy
  uint32_t plain = 0;             ///< offset without the swizzle
  uint32_t row = 0;
  uint32_t column = 0; ///< in units of 16 bytes
};

/// The boxes of one shared memory, by units of 16 bytes.
class BoxMap {
public:
  /// True if no copy has left a box here yet.
  bool empty() const { return boxOf.empty(); }
  /// `memoryBytes` is the size of the whole memory.
  void place(const BoxLayout &box, uint64_t memoryBytes);
  /// Something else has written here.
  void erase(uint64_t offset, uint64_t bytes);
  BoxPlace at(uint32_t offset) const;

private:
  std::vector<BoxLayout> boxes;
  std::vector<uint32_t> boxOf; ///< index into `boxes` plus 1; 0 for none
};

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_BOXLAYOUT_H
