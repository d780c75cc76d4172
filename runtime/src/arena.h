// arena.h - where an entry's buffers lie in the arena.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_SRC_ARENA_H_
#define HEDDLE_SRC_ARENA_H_

#include <stddef.h>
#include <stdint.h>

/// A buffer to place: live in the dispatches `first` to `last`, both included.
typedef struct heddle_arena_buffer {
  int64_t size; // in bytes
  uint32_t first;
  uint32_t last;
} heddle_arena_buffer_t;

/// Places `count` buffers such that two that are live in a common dispatch
/// never overlap. Writes the offset of each, a multiple of
/// HEDDLE_ABI_ALIGNMENT, and returns the size of the arena, or -1 when a size
/// is negative or the sizes are too large to be added. `order` and `placed` are
/// working memory of `count` elements each.
///
/// Greedy by size: the largest buffer first, each at the lowest offset where it
/// fits between those placed before it (Pisarchyk and Lee, "Efficient Memory
/// Management for Deep Neural Net Inference", 2020, section 5.2). Quadratic in
/// `count`, without allocation.
int64_t heddle_arena_pack(const heddle_arena_buffer_t *buffers, size_t count,
                          uint32_t *order, uint32_t *placed,
                          int64_t *out_offsets);

#endif // HEDDLE_SRC_ARENA_H_
