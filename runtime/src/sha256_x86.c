// sha256_x86.c - SHA-256 compression with the x86 SHA instructions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "sha256.h"

#ifdef __x86_64__

#include <immintrin.h>

#include "sha256_constants.h"

#define SHA_TARGET __attribute__((target("sha,sse4.1,ssse3")))

/// The instructions keep the eight variables in two registers, from the highest
/// lane down: `abef` holds A, B, E, F and `cdgh` holds C, D, G, H.
typedef struct variables {
  __m128i abef;
  __m128i cdgh;
} variables_t;

SHA_TARGET static variables_t load_state(const uint32_t state[8]) {
  __m128i dcba = _mm_loadu_si128((const __m128i *)state);
  __m128i hgfe = _mm_loadu_si128((const __m128i *)(state + 4));
  __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1); // lanes, highest first: C D A B
  __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b); // E F G H
  variables_t v = {_mm_alignr_epi8(cdab, efgh, 8),
                   _mm_blend_epi16(efgh, cdab, 0xf0)};
  return v;
}

SHA_TARGET static void store_state(uint32_t state[8], variables_t v) {
  __m128i feba = _mm_shuffle_epi32(v.abef, 0x1b);
  __m128i dchg = _mm_shuffle_epi32(v.cdgh, 0xb1);
  _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/// Words t..t+3 of the message schedule from the 16 before them, the oldest
/// four in `w0`.
SHA_TARGET static __m128i next_words(__m128i w0, __m128i w1, __m128i w2,
                                     __m128i w3) {
  __m128i sum =
      _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
  return _mm_sha256msg2_epu32(sum, w3);
}

SHA_TARGET static variables_t four_rounds(variables_t v, __m128i words,
                                          int round) {
  __m128i k = _mm_loadu_si128((const __m128i *)(heddle_sha256_k + round));
  __m128i sum = _mm_add_epi32(words, k);
  // Two rounds turn A, B, E, F into C, D, G, H, so the registers swap roles
  // twice.
  v.cdgh = _mm_sha256rnds2_epu32(v.cdgh, v.abef, sum);
  v.abef = _mm_sha256rnds2_epu32(v.abef, v.cdgh, _mm_shuffle_epi32(sum, 0x0e));
  return v;
}

SHA_TARGET void heddle_sha256_blocks_sha_ni(uint32_t state[8],
                                            const uint8_t *blocks,
                                            size_t count) {
  const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, //
                                          4, 5, 6, 7, 0, 1, 2, 3);
  variables_t v = load_state(state);
  for (size_t i = 0; i < count; ++i) {
    const uint8_t *block = blocks + i * HEDDLE_SHA256_BLOCK;
    variables_t before = v;
    __m128i w[4];
    for (int j = 0; j < 4; ++j) {
      __m128i bytes = _mm_loadu_si128((const __m128i *)(block + 16 * j));
      w[j] = _mm_shuffle_epi8(bytes, big_endian);
      v = four_rounds(v, w[j], 4 * j);
    }
    for (int j = 4; j < 16; ++j) {
      __m128i words = next_words(w[0], w[1], w[2], w[3]);
      w[0] = w[1];
      w[1] = w[2];
      w[2] = w[3];
      w[3] = words;
      v = four_rounds(v, words, 4 * j);
    }
    v.abef = _mm_add_epi32(v.abef, before.abef);
    v.cdgh = _mm_add_epi32(v.cdgh, before.cdgh);
  }
  store_state(state, v);
}

#endif // __x86_64__
