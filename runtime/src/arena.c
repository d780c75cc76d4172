// arena.c - where an entry's buffers lie in the arena.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "arena.h"

#include <string.h>

#include "heddle/module_abi.h"

/// Twice as much is still far from overflow.
#define MAX_ARENA_SIZE (INT64_C(1) << 47)

static int64_t aligned(int64_t size) {
  return (size + HEDDLE_ABI_ALIGNMENT - 1) & -(int64_t)HEDDLE_ABI_ALIGNMENT;
}

static int live_together(const heddle_arena_buffer_t *a,
                         const heddle_arena_buffer_t *b) {
  return a->first <= b->last && b->first <= a->last;
}

/// Fills `order` with the buffers from the largest to the smallest, equal ones
/// by index, so that a packing depends on nothing but sizes and lifetimes.
static void sort_by_size(const heddle_arena_buffer_t *buffers, size_t count,
                         uint32_t *order) {
  for (size_t i = 0; i < count; ++i) {
    size_t at = i;
    while (at > 0 && buffers[order[at - 1]].size < buffers[i].size) {
      order[at] = order[at - 1];
      --at;
    }
    order[at] = (uint32_t)i;
  }
}

/// The lowest offset for `buffer` between the `count` buffers in `placed`,
/// which are ordered by offset.
static int64_t find_gap(const heddle_arena_buffer_t *buffers,
                        const heddle_arena_buffer_t *buffer,
                        const uint32_t *placed, size_t count,
                        const int64_t *offsets) {
  int64_t candidate = 0;
  for (size_t i = 0; i < count; ++i) {
    const heddle_arena_buffer_t *other = &buffers[placed[i]];
    if (!live_together(buffer, other))
      continue;
    int64_t begin = offsets[placed[i]];
    if (begin - candidate >= buffer->size)
      break;
    int64_t end = aligned(begin + other->size);
    if (end > candidate)
      candidate = end;
  }
  return candidate;
}

/// Inserts buffer `index` into `placed` at its place by offset.
static void insert_placed(uint32_t *placed, size_t count, uint32_t index,
                          const int64_t *offsets) {
  size_t at = count;
  while (at > 0 && offsets[placed[at - 1]] > offsets[index])
    --at;
  memmove(placed + at + 1, placed + at, (count - at) * sizeof *placed);
  placed[at] = index;
}

int64_t heddle_arena_pack(const heddle_arena_buffer_t *buffers, size_t count,
                          uint32_t *order, uint32_t *placed,
                          int64_t *out_offsets) {
  int64_t total = 0;
  for (size_t i = 0; i < count; ++i) {
    if (buffers[i].size < 0 || buffers[i].size > MAX_ARENA_SIZE - total)
      return -1;
    total += aligned(buffers[i].size);
  }

  sort_by_size(buffers, count, order);
  size_t placed_count = 0;
  int64_t arena_size = 0;
  for (size_t i = 0; i < count; ++i) {
    uint32_t index = order[i];
    const heddle_arena_buffer_t *buffer = &buffers[index];
    out_offsets[index] = 0;
    if (buffer->size == 0)
      continue;
    out_offsets[index] =
        find_gap(buffers, buffer, placed, placed_count, out_offsets);
    insert_placed(placed, placed_count++, index, out_offsets);
    int64_t end = aligned(out_offsets[index] + buffer->size);
    if (end > arena_size)
      arena_size = end;
  }
  return arena_size;
}
