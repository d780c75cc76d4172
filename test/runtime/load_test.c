// load_test.c - whole modules load, others are refused with a sentence.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// usage: load_test FIXTURE_CODE.so

#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "cpu_features.h"
#include "fixture.h"
#include "heddle/runtime.h"

static const char *code_path;

/// Writes `module` beside good weights, loads it with `flags`, and returns the
/// status. A model that loads is asked everything it can be asked.
static heddle_status_t load(fixture_bytes_t module, uint32_t flags) {
  static const char *path;
  if (!path)
    path = fixture_install(fixture_folder(), code_path);
  fixture_write(path, module.data, module.size);
  heddle_load_options_t options = {.flags = flags};
  heddle_model_t *model;
  heddle_status_t status = heddle_model_load(path, &options, &model);
  if (status != HEDDLE_OK)
    return status;
  for (size_t i = 0; i < heddle_model_entry_count(model); ++i) {
    CHECK(heddle_model_entry_name(model, i), "no name");
    heddle_tensor_info_t info;
    for (size_t j = 0; j < heddle_model_input_count(model, i); ++j)
      CHECK_OK(heddle_model_input_info(model, i, j, &info));
    for (size_t j = 0; j < heddle_model_output_count(model, i); ++j)
      CHECK_OK(heddle_model_output_info(model, i, j, &info));
  }
  heddle_model_release(model);
  return HEDDLE_OK;
}

static void test_info(const char *path) {
  heddle_load_options_t options = {.flags = HEDDLE_LOAD_INFO_ONLY};
  heddle_model_t *model;
  CHECK_OK(heddle_model_load(path, &options, &model));
  CHECK_INT(heddle_model_entry_count(model), 1);
  CHECK(!strcmp(heddle_model_entry_name(model, 0), "main"), "another name");
  CHECK(!heddle_model_entry_name(model, 1), "a second entry");
  size_t entry = 7;
  CHECK_OK(heddle_model_find_entry(model, "main", &entry));
  CHECK_INT(entry, 0);
  CHECK_FAILS(heddle_model_find_entry(model, "train", &entry),
              HEDDLE_INVALID_ARGUMENT, "there is no entry 'train'");

  heddle_tensor_info_t info;
  CHECK_INT(heddle_model_input_count(model, 0), 2);
  CHECK_OK(heddle_model_input_info(model, 0, 0, &info));
  CHECK(!strcmp(info.name, "x"), "%s", info.name);
  CHECK_INT(info.dtype, HEDDLE_F32);
  CHECK_INT(info.rank, 2);
  CHECK_INT(info.dims[1].size, -1);
  CHECK(!strcmp(info.dims[1].symbol, "columns"), "%s", info.dims[1].symbol);
  CHECK_INT(info.dims[1].min, 1);
  CHECK_INT(info.dims[1].max, INT64_MAX);
  CHECK_INT(info.dims[1].divisor, 2);
  CHECK_OK(heddle_model_output_info(model, 0, 1, &info));
  CHECK(!strcmp(info.name, "total") && !info.dims[0].symbol, "%s", info.name);
  CHECK_FAILS(heddle_model_input_info(model, 0, 2, &info),
              HEDDLE_INVALID_ARGUMENT, "there is no input 2: the entry has 2");
  CHECK_FAILS(heddle_model_output_info(model, 3, 0, &info),
              HEDDLE_INVALID_ARGUMENT, "there is no entry 3: the model has 1");

  size_t size;
  const heddle_abi_manifest_t *root = heddle_model_manifest(model, &size);
  CHECK(size >= sizeof *root && root->kernels.count == 1, "a short manifest");

  heddle_context_t *context;
  CHECK_FAILS(heddle_context_create(model, NULL, &context),
              HEDDLE_INVALID_ARGUMENT, "HEDDLE_LOAD_INFO_ONLY");
  heddle_tensor_t tensors[2] = {{0}};
  CHECK_FAILS(heddle_model_output_shapes(model, 0, tensors, 2, tensors, 2),
              HEDDLE_INVALID_ARGUMENT, "HEDDLE_LOAD_INFO_ONLY");
  heddle_model_release(model);
}

static void test_every_byte(fixture_bytes_t module) {
  size_t manifest = fixture_trailer(module)->manifest_offset;
  // Each byte of manifest and trailer; of the code, enough to meet each part.
  for (size_t i = 0; i < module.size; i += i < manifest ? 97 : 1) {
    module.data[i] ^= 0x55;
    heddle_status_t status = load(module, HEDDLE_LOAD_INFO_ONLY);
    CHECK(status == HEDDLE_CORRUPT_FILE || status == HEDDLE_INCOMPATIBLE,
          "byte %zu changed, status %d", i, status);
    module.data[i] ^= 0x55;
  }
}

static void test_every_length(fixture_bytes_t module) {
  fixture_bytes_t part = module;
  for (part.size = 0; part.size < module.size; part.size += 61)
    CHECK_INT(load(part, 0), HEDDLE_CORRUPT_FILE);
  part.size = module.size - 1;
  CHECK_FAILS(load(part, 0), HEDDLE_CORRUPT_FILE, "its end is missing");
}

/// Who can change a module can seal it again: the manifest's checks must hold
/// by themselves. Nothing is expected but an answer without a crash, and at
/// least some refusals.
static void test_sealed_changes(fixture_bytes_t module) {
  static const uint8_t changes[] = {0x07, 0x80};
  size_t manifest = fixture_trailer(module)->manifest_offset;
  size_t end = module.size - sizeof(heddle_abi_trailer_t);
  size_t refused = 0;
  for (size_t i = manifest; i < end; ++i)
    for (size_t j = 0; j < sizeof changes; ++j) {
      module.data[i] ^= changes[j];
      fixture_seal(module);
      heddle_status_t status = load(module, HEDDLE_LOAD_INFO_ONLY);
      CHECK(status == HEDDLE_OK || status == HEDDLE_CORRUPT_FILE,
            "byte %zu changed and sealed, status %d", i, status);
      refused += status != HEDDLE_OK;
      module.data[i] ^= changes[j];
    }
  CHECK(refused > (end - manifest) / 4, "only %zu refusals", refused);
  fixture_seal(module);
}

static void test_trailer(fixture_bytes_t module) {
  heddle_abi_trailer_t *trailer = fixture_trailer(module);
  heddle_abi_trailer_t good = *trailer;

  trailer->major = HEDDLE_ABI_MAJOR + 1;
  fixture_seal(module);
  CHECK_FAILS(load(module, 0), HEDDLE_INCOMPATIBLE,
              "was made for module ABI 2.0, this runtime expects 1.x");
  *trailer = good;

  // What a later minor version appends is stepped over.
  trailer->minor = HEDDLE_ABI_MINOR + 1;
  fixture_seal(module);
  CHECK_OK(load(module, 0));
  *trailer = good;

  trailer->manifest_size = UINT64_MAX - 7;
  fixture_seal(module);
  CHECK_FAILS(load(module, 0), HEDDLE_CORRUPT_FILE,
              "its manifest does not lie between code and trailer");
  *trailer = good;

  trailer->module_size = module.size + 8;
  fixture_seal(module);
  CHECK_FAILS(load(module, 0), HEDDLE_CORRUPT_FILE, "is truncated");
  *trailer = good;
}

static void test_target(fixture_bytes_t module) {
  heddle_abi_manifest_t *root = fixture_manifest(module);
  heddle_abi_manifest_t good = *root;

  root->cpu_features = UINT64_C(1) << 63;
  fixture_seal(module);
  CHECK_FAILS(load(module, 0), HEDDLE_NO_DEVICE,
              "needs processor feature number 63, which this runtime does not "
              "know");
  // It can be looked at, though.
  CHECK_OK(load(module, HEDDLE_LOAD_INFO_ONLY));

  for (uint32_t bit = 0; heddle_cpu_feature_name(bit); ++bit) {
    root->cpu_features = UINT64_C(1) << bit;
    fixture_seal(module);
    if (heddle_cpu_features() >> bit & 1)
      CHECK_OK(load(module, 0));
    else
      CHECK_FAILS(load(module, 0), HEDDLE_NO_DEVICE,
                  heddle_cpu_feature_name(bit));
  }

  root->cpu_features = 0;
  root->machine = HEDDLE_MACHINE_X86_64 + HEDDLE_MACHINE_AARCH64 - good.machine;
  fixture_seal(module);
  CHECK_FAILS(load(module, 0), HEDDLE_NO_DEVICE, "processor, this is");
  *root = good;
  fixture_seal(module);
}

static void test_code(fixture_bytes_t module) {
  heddle_abi_manifest_t *root = fixture_manifest(module);
  heddle_abi_entry_t *entry =
      (heddle_abi_entry_t *)((uint8_t *)root + root->entries.offset);
  heddle_abi_string_t good = entry->run_symbol;
  entry->run_symbol = root->compiler;
  fixture_seal(module);
  CHECK_FAILS(load(module, 0), HEDDLE_CORRUPT_FILE,
              "has no function 'fixture'");
  entry->run_symbol = good;

  module.data[0] ^= 1; // no ELF file any more
  fixture_seal(module);
  CHECK_FAILS(load(module, 0), HEDDLE_CORRUPT_FILE, "cannot load");
  module.data[0] ^= 1;
  fixture_seal(module);
}

static void test_files(const char *folder) {
  heddle_model_t *model;
  CHECK_FAILS(heddle_model_load(fixture_path(folder, "none.so"), NULL, &model),
              HEDDLE_IO_ERROR, "No such file");
  CHECK_FAILS(heddle_model_load(folder, NULL, &model), HEDDLE_IO_ERROR,
              "is not a regular file");
  const char *pipe = fixture_path(folder, "pipe");
  CHECK_INT(mkfifo(pipe, 0600), 0);
  CHECK_FAILS(heddle_model_load(pipe, NULL, &model), HEDDLE_IO_ERROR,
              "is not a regular file");
  const char *text = fixture_path(folder, "text.so");
  fixture_write(text, "hello", 5);
  CHECK_FAILS(heddle_model_load(text, NULL, &model), HEDDLE_CORRUPT_FILE,
              "is too short for a heddle module");
  CHECK_FAILS(heddle_model_load(code_path, NULL, &model), HEDDLE_CORRUPT_FILE,
              "is not a heddle module");
  CHECK_FAILS(heddle_model_load(NULL, NULL, &model), HEDDLE_INVALID_ARGUMENT,
              "expects a path");
}

/// An executable is any program with the module behind it.
static void test_behind_a_program(const char *folder, fixture_bytes_t module) {
  size_t size = module.size + 4096;
  uint8_t *bytes = calloc(1, size);
  CHECK(bytes, "no memory");
  memcpy(bytes + 4096, module.data, module.size);
  const char *path = fixture_path(folder, "program");
  fixture_write(path, bytes, size);
  free(bytes);
  heddle_model_t *model;
  CHECK_OK(heddle_model_load(path, NULL, &model));
  heddle_model_release(model);
}

static void test_weights(const char *folder, const char *module_path) {
  const char *path = fixture_path(folder, "fixture.weights");
  heddle_load_options_t check = {.flags = HEDDLE_LOAD_CHECK_WEIGHTS};
  heddle_load_options_t check_only = {.flags = HEDDLE_LOAD_CHECK_WEIGHTS |
                                               HEDDLE_LOAD_INFO_ONLY};
  fixture_bytes_t good = fixture_weights();
  heddle_model_t *model;
  CHECK_OK(heddle_model_load(module_path, &check, &model));
  heddle_model_release(model);

  for (size_t i = 0; i < good.size; ++i) {
    good.data[i] ^= 0x10;
    fixture_write(path, good.data, good.size);
    good.data[i] ^= 0x10;
    heddle_status_t status = heddle_model_load(module_path, &check, &model);
    CHECK(status == HEDDLE_CORRUPT_FILE || status == HEDDLE_INCOMPATIBLE,
          "byte %zu changed, status %d", i, status);
    CHECK_INT(heddle_model_load(module_path, &check_only, &model), status);
    // Without the check of the contents only the header is looked at.
    if (i >= FIXTURE_SCALE_OFFSET) {
      CHECK_OK(heddle_model_load(module_path, NULL, &model));
      heddle_model_release(model);
    }
  }
  good.data[FIXTURE_SCALE_OFFSET] ^= 1;
  fixture_write(path, good.data, good.size);
  CHECK_FAILS(heddle_model_load(module_path, &check, &model),
              HEDDLE_CORRUPT_FILE, "weight 'scale' in");
  good.data[FIXTURE_SCALE_OFFSET] ^= 1;

  fixture_write(path, good.data, good.size - 1);
  CHECK_FAILS(heddle_model_load(module_path, NULL, &model), HEDDLE_CORRUPT_FILE,
              "expects 128 bytes, got 127");
  CHECK_INT(unlink(path), 0);
  CHECK_FAILS(heddle_model_load(module_path, NULL, &model), HEDDLE_IO_ERROR,
              "cannot open the weights file");

  const char *elsewhere = fixture_path(folder, "elsewhere");
  fixture_write(elsewhere, good.data, good.size);
  heddle_load_options_t options = {.weights_path = elsewhere};
  CHECK_OK(heddle_model_load(module_path, &options, &model));
  heddle_model_release(model);
  free(good.data);
}

int main(int argc, char **argv) {
  CHECK_INT(argc, 2);
  code_path = argv[1];
  const char *folder = fixture_folder();
  const char *path = fixture_install(folder, code_path);
  fixture_bytes_t module = fixture_module(code_path);
  CHECK_OK(load(module, 0));
  test_info(path);
  test_every_byte(module);
  test_every_length(module);
  test_sealed_changes(module);
  test_trailer(module);
  test_target(module);
  test_code(module);
  test_files(folder);
  test_behind_a_program(folder, module);
  test_weights(folder, path);
  free(module.data);
  return 0;
}
