// sha256_test.c - SHA-256 against published digests, and both compressions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "sha256.h"

#include "check.h"
#include "cpu_features.h"

static void expect_digest(const uint8_t digest[HEDDLE_SHA256_SIZE],
                          const char *expected) {
  char text[2 * HEDDLE_SHA256_SIZE + 1];
  for (int i = 0; i < HEDDLE_SHA256_SIZE; ++i)
    snprintf(text + 2 * i, 3, "%02x", digest[i]);
  CHECK(strcmp(text, expected) == 0, "expected %s, got %s", expected, text);
}

/// The examples of NIST's "Cryptographic Standards and Guidelines: Examples
/// with Intermediate Values", SHA-256.
static void test_published(void) {
  uint8_t digest[HEDDLE_SHA256_SIZE];
  heddle_sha256_of("", 0, digest);
  expect_digest(digest, "e3b0c44298fc1c149afbf4c8996fb924"
                        "27ae41e4649b934ca495991b7852b855");
  heddle_sha256_of("abc", 3, digest);
  expect_digest(digest, "ba7816bf8f01cfea414140de5dae2223"
                        "b00361a396177a9cb410ff61f20015ad");
  const char *two_blocks =
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  heddle_sha256_of(two_blocks, strlen(two_blocks), digest);
  expect_digest(digest, "248d6a61d20638b8e5c026930c3e6039"
                        "a33ce45964ff2167f6ecedd419db06c1");
}

/// A million letters a, taken in pieces of every size up to 300.
static void test_pieces(void) {
  char letters[300];
  memset(letters, 'a', sizeof letters);
  heddle_sha256_t sha;
  uint8_t digest[HEDDLE_SHA256_SIZE];
  heddle_sha256_init(&sha);
  size_t left = 1000000;
  for (size_t size = 0; left; size = size % sizeof letters + 1) {
    size_t taken = size < left ? size : left;
    heddle_sha256_update(&sha, letters, taken);
    left -= taken;
  }
  heddle_sha256_final(&sha, digest);
  expect_digest(digest, "cdc76e5c9914fb9281a1c7e284d73e67"
                        "f1809a48a497200e046d39ccc7112cd0");
}

static void test_instructions(void) {
#ifdef __x86_64__
  if (!heddle_cpu_has_sha()) {
    printf("skipped: no SHA instructions here\n");
    return;
  }
  uint8_t blocks[9 * HEDDLE_SHA256_BLOCK];
  uint32_t random = 1;
  for (size_t i = 0; i < sizeof blocks; ++i) {
    random = random * 1664525u + 1013904223u;
    blocks[i] = (uint8_t)(random >> 24);
  }
  uint32_t portable[8] = {1, 2, 3, 4, 5, 6, 7, 0xffffffff};
  uint32_t fast[8];
  memcpy(fast, portable, sizeof fast);
  heddle_sha256_blocks_portable(portable, blocks, 9);
  heddle_sha256_blocks_sha_ni(fast, blocks, 9);
  CHECK(memcmp(portable, fast, sizeof fast) == 0, "the states differ");
#endif
}

int main(void) {
  test_published();
  test_pieces();
  test_instructions();
  return 0;
}
