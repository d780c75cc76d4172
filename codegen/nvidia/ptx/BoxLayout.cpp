// BoxLayout.cpp - the boxes that tensor copies leave in shared memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/BoxLayout.h"

#include <algorithm>

namespace heddle::ptx {

uint32_t swizzled(uint32_t address, TensorSwizzle swizzle) {
  // 16-byte units are exchanged by the number of the 128-byte line (5.5.6).
  constexpr uint32_t masks[] = {0, 1, 3, 7};
  return address ^ (address >> 7 & masks[uint8_t(swizzle)]) << 4;
}

void BoxMap::place(const BoxLayout &box, uint64_t memoryBytes) {
  boxOf.resize(memoryBytes / 16);
  // A pipeline repeats few copies: the same op to the same few places.
  auto known = std::find(boxes.begin(), boxes.end(), box);
  if (known == boxes.end())
    known = boxes.insert(boxes.end(), box);
  uint32_t id = uint32_t(known - boxes.begin()) + 1;
  auto first = boxOf.begin() + box.start / 16;
  std::fill_n(first, box.rowBytes / 16 * box.rows, id);
}

void BoxMap::erase(uint64_t offset, uint64_t bytes) {
  uint64_t last = std::min<uint64_t>((offset + bytes + 15) / 16, boxOf.size());
  for (uint64_t unit = offset / 16; unit < last; ++unit)
    boxOf[unit] = 0;
}

BoxPlace BoxMap::at(uint32_t offset) const {
  uint32_t id = offset / 16 < boxOf.size() ? boxOf[offset / 16] : 0;
  if (id == 0)
    return {};
  BoxPlace place;
  place.box = &boxes[id - 1];
  place.plain = swizzled(offset, place.box->swizzle);
  uint32_t inside = place.plain - place.box->start;
  place.row = inside / place.box->rowBytes;
  place.column = inside % place.box->rowBytes / 16;
  return place;
}

} // namespace heddle::ptx
