// sha256.h - SHA-256 (FIPS 180-4), incremental.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_SRC_SHA256_H_
#define HEDDLE_SRC_SHA256_H_

#include <stddef.h>
#include <stdint.h>

#define HEDDLE_SHA256_BLOCK 64
#define HEDDLE_SHA256_SIZE 32

/// A digest under way.
typedef struct heddle_sha256 {
  uint32_t state[8];
  uint64_t length;                      // bytes taken so far
  uint8_t pending[HEDDLE_SHA256_BLOCK]; // the last, incomplete block
} heddle_sha256_t;

void heddle_sha256_init(heddle_sha256_t *sha);
void heddle_sha256_update(heddle_sha256_t *sha, const void *data, size_t size);

/// Writes the digest; `sha` must be initialised again before further use.
void heddle_sha256_final(heddle_sha256_t *sha, uint8_t out[HEDDLE_SHA256_SIZE]);

/// Digest of one piece of memory.
void heddle_sha256_of(const void *data, size_t size,
                      uint8_t out[HEDDLE_SHA256_SIZE]);

/// Compresses `count` blocks in portable C (FIPS 180-4, 6.2.2).
void heddle_sha256_blocks_portable(uint32_t state[8], const uint8_t *blocks,
                                   size_t count);

#ifdef __x86_64__
/// The same with the SHA instructions; call only where the processor has them.
void heddle_sha256_blocks_sha_ni(uint32_t state[8], const uint8_t *blocks,
                                 size_t count);
#endif

#endif // HEDDLE_SRC_SHA256_H_
