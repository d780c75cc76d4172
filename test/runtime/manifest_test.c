// manifest_test.c - each check of a manifest, by the sentence it ends with.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// usage: manifest_test FIXTURE_CODE.so

#include "manifest.h"

#include "check.h"
#include "fixture.h"

static fixture_bytes_t module;

static void *record(heddle_abi_table_t table) {
  return (uint8_t *)fixture_manifest(module) + table.offset;
}

static heddle_abi_entry_t *entry(void) {
  return record(fixture_manifest(module)->entries);
}

static heddle_abi_tensor_t *input(void) { return record(entry()->inputs); }

static heddle_abi_dim_t *input_dim(void) { return record(input()->dims); }

static heddle_abi_dim_t *output_dim(void) {
  heddle_abi_tensor_t *output = record(entry()->outputs);
  return record(output->dims);
}

static heddle_abi_symbol_t *symbol(void) { return record(entry()->symbols); }

static heddle_abi_guard_t *guard(void) { return record(entry()->guards); }

static heddle_abi_buffer_t *buffer(void) { return record(entry()->buffers); }

static heddle_abi_weight_t *weight(void) {
  return record(fixture_manifest(module)->weights);
}

static void expect(const char *text) {
  heddle_manifest_t manifest;
  heddle_abi_trailer_t *trailer = fixture_trailer(module);
  const uint8_t *bytes = (const uint8_t *)fixture_manifest(module);
  if (!text) {
    heddle_status_t status =
        heddle_manifest_check("m.so", bytes, trailer->manifest_size, &manifest);
    CHECK(status == HEDDLE_OK, "%s", heddle_last_error());
    return;
  }
  char sentence[256];
  snprintf(sentence, sizeof sentence,
           "'m.so' is not a valid module: in its manifest, %s", text);
  CHECK_INT(
      heddle_manifest_check("m.so", bytes, trailer->manifest_size, &manifest),
      HEDDLE_CORRUPT_FILE);
  CHECK(!strcmp(heddle_last_error(), sentence), "expected '%s', got '%s'",
        sentence, heddle_last_error());
}

/// With `place` set to `value` the check ends with `text`; then puts back what
/// was there.
#define EXPECT_WITH(place, value, text)                                        \
  do {                                                                         \
    __typeof__(place) good = place;                                            \
    place = value;                                                             \
    expect(text);                                                              \
    place = good;                                                              \
  } while (0)

static void test_structure(void) {
  heddle_abi_manifest_t *root = fixture_manifest(module);
  EXPECT_WITH(root->size, 8, "it has no room for its first record");
  EXPECT_WITH(root->size, UINT32_MAX, "it has no room for its first record");
  EXPECT_WITH(root->compiler.offset, UINT32_MAX, "a text lies outside");
  EXPECT_WITH(root->options.length, UINT32_MAX, "a text lies outside");
  EXPECT_WITH(root->compiler.length, 3,
              "a text does not end where its length says");
  EXPECT_WITH(root->entries.count, UINT32_MAX, "a table lies outside");
  EXPECT_WITH(root->entries.stride, UINT32_MAX - 7, "a table lies outside");
  EXPECT_WITH(root->entries.offset, 12,
              "a table is misaligned or has short records");
  EXPECT_WITH(root->entries.stride, 8,
              "a table is misaligned or has short records");
}

static void test_entry(void) {
  EXPECT_WITH(entry()->scratch_size, UINT64_MAX,
              "an entry wants an impossible amount of scratch");
  EXPECT_WITH(entry()->result_count, UINT32_MAX,
              "an entry has an impossible number of results");
  EXPECT_WITH(symbol()->min, -1, "a symbol has an impossible range");
  EXPECT_WITH(symbol()->max, -1, "a symbol has an impossible range");
  EXPECT_WITH(symbol()->divisor, 0, "a symbol has an impossible range");
  EXPECT_WITH(input_dim()[1].value, FIXTURE_ROWS,
              "a symbol occurs in no input");
  EXPECT_WITH(guard()->lhs_result, FIXTURE_RESULTS,
              "a guard names a result that does not exist");
  EXPECT_WITH(guard()->rhs_result, FIXTURE_RESULTS,
              "a guard names a result that does not exist");
  EXPECT_WITH(buffer()->size_result, FIXTURE_RESULTS,
              "a buffer names a result that does not exist");
  EXPECT_WITH(buffer()->first_dispatch, 3,
              "a buffer has an impossible lifetime");
  EXPECT_WITH(buffer()->last_dispatch, 3,
              "a buffer has an impossible lifetime");
}

static void test_tensors(void) {
  EXPECT_WITH(input()->dtype, 0, "an input or output has an unknown dtype");
  EXPECT_WITH(input()->dtype, HEDDLE_BOOL + 1,
              "an input or output has an unknown dtype");
  EXPECT_WITH(input()->dims.count, HEDDLE_ABI_MAX_RANK + 1,
              "an input or output has too many dimensions");
  EXPECT_WITH(input_dim()->kind, HEDDLE_DIM_RESULT,
              "an input's dimension is a result");
  EXPECT_WITH(input_dim()->kind, 3, "a dimension is of an unknown kind");
  EXPECT_WITH(input_dim()->value, 2,
              "a dimension names a symbol that does not exist");
  EXPECT_WITH(input_dim()->value, -1,
              "a dimension names a symbol that does not exist");
  heddle_abi_dim_t result = {HEDDLE_DIM_RESULT, 0, FIXTURE_RESULTS};
  EXPECT_WITH(*output_dim(), result,
              "a dimension names a result that does not exist");
  heddle_abi_dim_t negative = {HEDDLE_DIM_FIXED, 0, -1};
  EXPECT_WITH(*output_dim(), negative, "a dimension is negative");
}

static void test_weights(void) {
  heddle_abi_manifest_t *root = fixture_manifest(module);
  char *name = (char *)root + root->weights_name.offset;
  EXPECT_WITH(root->weights_name, root->options,
              "there are weights without a file");
  EXPECT_WITH(name[0], '/', "the weights file is not a plain file name");
  EXPECT_WITH(root->weights_size, 8,
              "the weights file has no room for its header");
  EXPECT_WITH(weight()->dtype, 99, "a weight has an unknown dtype");
  const char *outside = "a weight lies outside its file or in another";
  EXPECT_WITH(weight()->offset, 65, outside);
  EXPECT_WITH(weight()->offset, 0, outside);
  EXPECT_WITH(weight()->offset, UINT64_MAX - 63, outside);
  EXPECT_WITH(weight()->size, UINT64_MAX, outside);
}

/// What a later minor version appends to records is stepped over.
static void test_longer_records(void) {
  heddle_abi_manifest_t *root = fixture_manifest(module);
  EXPECT_WITH(root->size, sizeof *root + 8, NULL);
  // One record of the longer size fits before the tables behind it end.
  EXPECT_WITH(root->sources.stride, root->sources.stride + 8, NULL);
}

/// Entries whose names are all the same eight megabytes.
static void test_shared_bytes(void) {
  enum { ENTRIES = 20000, TEXT = 8 << 20 };
  heddle_abi_manifest_t root = *fixture_manifest(module);
  size_t entries = sizeof root + TEXT;
  size_t size = entries + ENTRIES * sizeof(heddle_abi_entry_t);
  uint8_t *bytes = calloc(1, size);
  CHECK(bytes, "no memory");
  heddle_abi_string_t text = {sizeof root, TEXT - 1};
  heddle_abi_string_t empty = {sizeof root + TEXT - 1, 0};
  heddle_abi_table_t none = {0};
  memset(bytes + text.offset, 'a', text.length);
  root.compiler = root.options = root.target = root.weights_name = empty;
  root.sources = root.weights = root.kernels = none;
  root.entries.offset = (uint32_t)entries;
  root.entries.count = ENTRIES;
  memcpy(bytes, &root, sizeof root);
  heddle_abi_entry_t many = {
      .name = text, .plan_symbol = text, .run_symbol = text};
  for (size_t i = 0; i < ENTRIES; ++i)
    memcpy(bytes + entries + i * sizeof many, &many, sizeof many);
  heddle_manifest_t manifest;
  CHECK_FAILS(heddle_manifest_check("m.so", bytes, size, &manifest),
              HEDDLE_CORRUPT_FILE, "too many records share their bytes");
  free(bytes);
}

int main(int argc, char **argv) {
  CHECK_INT(argc, 2);
  module = fixture_module(argv[1]);
  expect(NULL);
  test_structure();
  test_entry();
  test_tensors();
  test_weights();
  test_longer_records();
  test_shared_bytes();
  expect(NULL);
  free(module.data);
  return 0;
}
