// sha256.c - SHA-256: padding, portable compression, choice of the fast path.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "sha256.h"

#include <string.h>

#include "cpu_features.h"
#include "sha256_constants.h"

static uint32_t rotate_right(uint32_t value, unsigned count) {
  return value >> count | value << (32 - count);
}

static uint32_t load_big_endian(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
         (uint32_t)bytes[2] << 8 | bytes[3];
}

/// Round t on the working variables a..h. Instead of moving each variable to
/// the next one's place, the next round takes them in rotated order: afterwards
/// `h` holds the new a and `d` the new e.
#define ROUND(a, b, c, d, e, f, g, h, t)                                       \
  do {                                                                         \
    uint32_t sum1 =                                                            \
        rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);        \
    uint32_t sum0 =                                                            \
        rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);        \
    uint32_t choice = (e & f) ^ (~e & g);                                      \
    uint32_t majority = (a & b) ^ (a & c) ^ (b & c);                           \
    uint32_t first = h + sum1 + choice + heddle_sha256_k[t] + w[t];            \
    d += first;                                                                \
    h = first + sum0 + majority;                                               \
  } while (0)

static void compress(uint32_t state[8], const uint8_t *block) {
  // 1. The message schedule.
  uint32_t w[64];
  for (int t = 0; t < 16; ++t)
    w[t] = load_big_endian(block + 4 * t);
  for (int t = 16; t < 64; ++t) {
    uint32_t low = rotate_right(w[t - 15], 7) ^ rotate_right(w[t - 15], 18) ^
                   w[t - 15] >> 3;
    uint32_t high = rotate_right(w[t - 2], 17) ^ rotate_right(w[t - 2], 19) ^
                    w[t - 2] >> 10;
    w[t] = high + w[t - 7] + low + w[t - 16];
  }

  // 2. 64 rounds.
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
  uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
  for (int t = 0; t < 64; t += 8) {
    ROUND(a, b, c, d, e, f, g, h, t);
    ROUND(h, a, b, c, d, e, f, g, t + 1);
    ROUND(g, h, a, b, c, d, e, f, t + 2);
    ROUND(f, g, h, a, b, c, d, e, t + 3);
    ROUND(e, f, g, h, a, b, c, d, t + 4);
    ROUND(d, e, f, g, h, a, b, c, t + 5);
    ROUND(c, d, e, f, g, h, a, b, t + 6);
    ROUND(b, c, d, e, f, g, h, a, t + 7);
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

void heddle_sha256_blocks_portable(uint32_t state[8], const uint8_t *blocks,
                                   size_t count) {
  for (size_t i = 0; i < count; ++i)
    compress(state, blocks + i * HEDDLE_SHA256_BLOCK);
}

static void compress_blocks(uint32_t state[8], const uint8_t *blocks,
                            size_t count) {
#ifdef __x86_64__
  if (heddle_cpu_has_sha()) {
    heddle_sha256_blocks_sha_ni(state, blocks, count);
    return;
  }
#endif
  heddle_sha256_blocks_portable(state, blocks, count);
}

void heddle_sha256_init(heddle_sha256_t *sha) {
  static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
                                      0xa54ff53a, 0x510e527f, 0x9b05688c,
                                      0x1f83d9ab, 0x5be0cd19};
  memcpy(sha->state, initial, sizeof initial);
  sha->length = 0;
}

void heddle_sha256_update(heddle_sha256_t *sha, const void *data, size_t size) {
  const uint8_t *bytes = data;
  size_t filled = sha->length % HEDDLE_SHA256_BLOCK;
  sha->length += size;
  if (filled) {
    size_t missing = HEDDLE_SHA256_BLOCK - filled;
    size_t taken = size < missing ? size : missing;
    memcpy(sha->pending + filled, bytes, taken);
    bytes += taken;
    size -= taken;
    if (taken < missing)
      return;
    compress_blocks(sha->state, sha->pending, 1);
  }
  size_t blocks = size / HEDDLE_SHA256_BLOCK;
  if (blocks)
    compress_blocks(sha->state, bytes, blocks);
  size_t rest = size % HEDDLE_SHA256_BLOCK;
  if (rest)
    memcpy(sha->pending, bytes + blocks * HEDDLE_SHA256_BLOCK, rest);
}

void heddle_sha256_final(heddle_sha256_t *sha,
                         uint8_t out[HEDDLE_SHA256_SIZE]) {
  uint64_t bits = sha->length * 8;
  uint8_t padding[2 * HEDDLE_SHA256_BLOCK] = {0x80};
  size_t filled = sha->length % HEDDLE_SHA256_BLOCK;
  size_t end = filled < 56 ? 64 : 128; // room for the one bit and the length
  size_t size = end - filled;
  for (int i = 0; i < 8; ++i)
    padding[size - 1 - i] = (uint8_t)(bits >> 8 * i);
  heddle_sha256_update(sha, padding, size);
  for (int i = 0; i < HEDDLE_SHA256_SIZE; ++i)
    out[i] = (uint8_t)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
}

void heddle_sha256_of(const void *data, size_t size,
                      uint8_t out[HEDDLE_SHA256_SIZE]) {
  heddle_sha256_t sha;
  heddle_sha256_init(&sha);
  heddle_sha256_update(&sha, data, size);
  heddle_sha256_final(&sha, out);
}
