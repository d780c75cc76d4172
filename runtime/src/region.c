// region.c - page-aligned memory from the operating system.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "region.h"

#include <sys/mman.h>

#define PAGE ((uint64_t)4096)
#define HUGE_PAGE ((uint64_t)1 << 21)

/// More than any address space holds.
#define MAX_SIZE (UINT64_C(1) << 47)

static uint64_t round_up(uint64_t value, uint64_t step) {
  return (value + step - 1) / step * step;
}

/// Maps `size` bytes (a multiple of HUGE_PAGE) at a multiple of HUGE_PAGE: maps
/// one huge page more, and gives back what lies before and behind.
static uint8_t *map_huge(uint64_t size) {
  uint8_t *raw = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED)
    return NULL;
  uint64_t before = round_up((uintptr_t)raw, HUGE_PAGE) - (uintptr_t)raw;
  if (before)
    munmap(raw, before);
  if (before < HUGE_PAGE)
    munmap(raw + before + size, HUGE_PAGE - before);
  // Advice only: without huge pages everything works, slower.
  madvise(raw + before, size, MADV_HUGEPAGE);
  return raw + before;
}

int heddle_region_reserve(heddle_region_t *region, uint64_t size) {
  if (size <= region->size)
    return 1;
  heddle_region_release(region);
  if (size > MAX_SIZE)
    return 0;
  uint8_t *base;
  if (size >= HUGE_PAGE) {
    size = round_up(size, HUGE_PAGE);
    base = map_huge(size);
  } else {
    size = round_up(size, PAGE);
    base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
    if (base == MAP_FAILED)
      base = NULL;
  }
  if (!base)
    return 0;
  region->base = base;
  region->size = size;
  return 1;
}

void heddle_region_release(heddle_region_t *region) {
  if (region->base)
    munmap(region->base, region->size);
  region->base = NULL;
  region->size = 0;
}
