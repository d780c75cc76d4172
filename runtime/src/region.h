// region.h - page-aligned memory from the operating system.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_SRC_REGION_H_
#define HEDDLE_SRC_REGION_H_

#include <stddef.h>
#include <stdint.h>

/// A piece of zeroed memory. Zero-initialise before use.
typedef struct heddle_region {
  uint8_t *base; // NULL when empty
  size_t size;
} heddle_region_t;

/// Makes the region at least `size` bytes large; its contents are lost when it
/// has to grow. A region of 2 MiB or more starts at a multiple of 2 MiB and
/// asks for huge pages. Returns 0, and leaves the region empty, when there is
/// no memory.
int heddle_region_reserve(heddle_region_t *region, uint64_t size);

void heddle_region_release(heddle_region_t *region);

#endif // HEDDLE_SRC_REGION_H_
