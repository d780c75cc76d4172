// arena_test.c - packings of random buffers keep their promises.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "arena.h"

#include "check.h"
#include "heddle/module_abi.h"

#define MAX_BUFFERS 80

static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

static void check_packing(const heddle_arena_buffer_t *buffers, size_t count,
                          const int64_t *offsets, int64_t arena_size) {
  for (size_t i = 0; i < count; ++i) {
    CHECK_INT(offsets[i] % HEDDLE_ABI_ALIGNMENT, 0);
    CHECK(offsets[i] >= 0 && offsets[i] + buffers[i].size <= arena_size,
          "buffer %zu lies outside", i);
    for (size_t j = 0; j < i; ++j) {
      int together = buffers[i].first <= buffers[j].last &&
                     buffers[j].first <= buffers[i].last;
      int apart = offsets[i] + buffers[i].size <= offsets[j] ||
                  offsets[j] + buffers[j].size <= offsets[i];
      int empty = buffers[i].size == 0 || buffers[j].size == 0;
      CHECK(!together || apart || empty, "buffers %zu and %zu overlap", i, j);
    }
  }
}

static void test_random(void) {
  uint32_t random = 7;
  for (int round = 0; round < 20000; ++round) {
    heddle_arena_buffer_t buffers[MAX_BUFFERS];
    uint32_t order[MAX_BUFFERS];
    uint32_t placed[MAX_BUFFERS];
    int64_t offsets[MAX_BUFFERS];
    size_t count = next_random(&random) % (MAX_BUFFERS + 1);
    uint32_t dispatches = 1 + next_random(&random) % 40;
    uint32_t largest = 1u << next_random(&random) % 20;
    int64_t sum = 0;
    for (size_t i = 0; i < count; ++i) {
      buffers[i].size = next_random(&random) % (largest + 1);
      buffers[i].first = next_random(&random) % dispatches;
      uint32_t rest = dispatches - buffers[i].first;
      buffers[i].last = buffers[i].first + next_random(&random) % rest;
      sum += buffers[i].size + HEDDLE_ABI_ALIGNMENT;
    }
    int64_t size = heddle_arena_pack(buffers, count, order, placed, offsets);
    CHECK(size >= 0 && size <= sum, "an arena of %lld bytes", (long long)size);
    check_packing(buffers, count, offsets, size);
  }
}

/// A chain in which each buffer is read by the next dispatch needs room for two
/// of them, however long it is.
static void test_chain_reuses_memory(void) {
  heddle_arena_buffer_t buffers[MAX_BUFFERS];
  uint32_t order[MAX_BUFFERS];
  uint32_t placed[MAX_BUFFERS];
  int64_t offsets[MAX_BUFFERS];
  for (uint32_t i = 0; i < MAX_BUFFERS; ++i) {
    heddle_arena_buffer_t buffer = {4096, i, i + 1};
    buffers[i] = buffer;
  }
  CHECK_INT(heddle_arena_pack(buffers, MAX_BUFFERS, order, placed, offsets),
            2 * 4096);
}

static void test_impossible_sizes(void) {
  uint32_t order[2];
  uint32_t placed[2];
  int64_t offsets[2];
  heddle_arena_buffer_t negative[1] = {{-1, 0, 0}};
  CHECK_INT(heddle_arena_pack(negative, 1, order, placed, offsets), -1);
  heddle_arena_buffer_t huge[2] = {{INT64_MAX, 0, 0}, {INT64_MAX, 0, 0}};
  CHECK_INT(heddle_arena_pack(huge, 2, order, placed, offsets), -1);
  CHECK_INT(heddle_arena_pack(NULL, 0, NULL, NULL, NULL), 0);
}

int main(void) {
  test_random();
  test_chain_reuses_memory();
  test_impossible_sizes();
  return 0;
}
