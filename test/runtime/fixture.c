// fixture.c - writes the tests' module.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

#include "check.h"
#include "sha256.h"

//===----------------------------------------------------------------------===//
// Bytes
//===----------------------------------------------------------------------===//

static void append(fixture_bytes_t *bytes, const void *data, size_t size) {
  bytes->data = realloc(bytes->data, bytes->size + size + 1);
  CHECK(bytes->data, "no memory");
  if (size)
    memcpy(bytes->data + bytes->size, data, size);
  bytes->size += size;
}

static void pad(fixture_bytes_t *bytes) {
  while (bytes->size % 8)
    append(bytes, "", 1);
}

static heddle_abi_string_t text(fixture_bytes_t *manifest, const char *value) {
  heddle_abi_string_t string = {(uint32_t)manifest->size,
                                (uint32_t)strlen(value)};
  append(manifest, value, string.length + 1);
  return string;
}

static heddle_abi_table_t table(fixture_bytes_t *manifest, const void *records,
                                uint32_t count, uint32_t stride) {
  pad(manifest);
  heddle_abi_table_t result = {(uint32_t)manifest->size, count, stride, 0};
  append(manifest, records, (size_t)count * stride);
  return result;
}

//===----------------------------------------------------------------------===//
// Manifest
//===----------------------------------------------------------------------===//

static heddle_abi_table_t inputs(fixture_bytes_t *manifest) {
  heddle_abi_dim_t rows = {HEDDLE_DIM_SYMBOL, 0, FIXTURE_ROWS};
  heddle_abi_dim_t matrix[2] = {rows, {HEDDLE_DIM_SYMBOL, 0, FIXTURE_COLUMNS}};
  heddle_abi_tensor_t tensors[2] = {
      {text(manifest, "x"), HEDDLE_F32, 0,
       table(manifest, matrix, 2, sizeof matrix[0])},
      {text(manifest, "picks"), HEDDLE_I64, 0,
       table(manifest, &rows, 1, sizeof rows)},
  };
  return table(manifest, tensors, 2, sizeof tensors[0]);
}

static heddle_abi_table_t outputs(fixture_bytes_t *manifest) {
  heddle_abi_dim_t rows = {HEDDLE_DIM_SYMBOL, 0, FIXTURE_ROWS};
  heddle_abi_dim_t size = {HEDDLE_DIM_RESULT, 0, FIXTURE_TOTAL_SIZE};
  heddle_abi_tensor_t tensors[2] = {
      {text(manifest, "picked"), HEDDLE_F32, 0,
       table(manifest, &rows, 1, sizeof rows)},
      {text(manifest, "total"), HEDDLE_F32, 0,
       table(manifest, &size, 1, sizeof size)},
  };
  return table(manifest, tensors, 2, sizeof tensors[0]);
}

static heddle_abi_entry_t entry(fixture_bytes_t *manifest) {
  heddle_abi_symbol_t symbols[2] = {
      {text(manifest, "rows"), 0, 64, 1},
      {text(manifest, "columns"), 1, INT64_MAX, 2},
  };
  heddle_abi_guard_t guard = {
      text(manifest, "node 'Tril_2' expects rows <= columns"),
      FIXTURE_GUARD_ROWS, FIXTURE_GUARD_COLUMNS};
  heddle_abi_fault_t fault = {
      text(manifest, "node 'Gather_3' expects an index of a column")};
  heddle_abi_buffer_t buffer = {FIXTURE_SCALED_BYTES, 0, 2, 0};
  heddle_abi_entry_t result = {
      .name = text(manifest, "main"),
      .plan_symbol = text(manifest, "fixture_plan"),
      .run_symbol = text(manifest, "fixture_run"),
      .symbols = table(manifest, symbols, 2, sizeof symbols[0]),
      .inputs = inputs(manifest),
      .outputs = outputs(manifest),
      .guards = table(manifest, &guard, 1, sizeof guard),
      .faults = table(manifest, &fault, 1, sizeof fault),
      .buffers = table(manifest, &buffer, 1, sizeof buffer),
      .result_count = FIXTURE_RESULTS,
      .dispatch_count = 3,
      .scratch_size = 64,
  };
  return result;
}

static heddle_abi_weight_t weight(fixture_bytes_t *manifest) {
  float scale = FIXTURE_SCALE;
  heddle_abi_weight_t result = {.name = text(manifest, "scale"),
                                .offset = FIXTURE_SCALE_OFFSET,
                                .size = sizeof scale,
                                .dtype = HEDDLE_F32};
  heddle_sha256_of(&scale, sizeof scale, result.sha256.bytes);
  return result;
}

/// docs/abi.md: each weight's digest, offset and size.
static heddle_abi_digest_t weights_id(const heddle_abi_weight_t *record) {
  uint64_t place[2] = {record->offset, record->size};
  heddle_sha256_t sha;
  heddle_abi_digest_t id;
  heddle_sha256_init(&sha);
  heddle_sha256_update(&sha, &record->sha256, sizeof record->sha256);
  heddle_sha256_update(&sha, place, sizeof place);
  heddle_sha256_final(&sha, id.bytes);
  return id;
}

static fixture_bytes_t manifest(void) {
  fixture_bytes_t bytes = {0};
  heddle_abi_manifest_t root = {.size = sizeof root,
#ifdef __x86_64__
                                .machine = HEDDLE_MACHINE_X86_64,
#else
                                .machine = HEDDLE_MACHINE_AARCH64,
#endif
                                .weights_size = FIXTURE_WEIGHTS_SIZE};
  append(&bytes, &root, sizeof root);
  root.compiler = text(&bytes, "fixture");
  root.options = text(&bytes, "");
  root.target = text(&bytes, "cpu");
  root.weights_name = text(&bytes, "fixture.weights");
  heddle_abi_source_t source = {text(&bytes, "model.onnx"), 1, {{0}}};
  root.sources = table(&bytes, &source, 1, sizeof source);
  heddle_abi_weight_t scale = weight(&bytes);
  root.weights_id = weights_id(&scale);
  root.weights = table(&bytes, &scale, 1, sizeof scale);
  heddle_abi_entry_t main_entry = entry(&bytes);
  root.entries = table(&bytes, &main_entry, 1, sizeof main_entry);
  heddle_abi_kernel_t kernel = {text(&bytes, "scale_rows")};
  root.kernels = table(&bytes, &kernel, 1, sizeof kernel);
  memcpy(bytes.data, &root, sizeof root);
  pad(&bytes);
  return bytes;
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

heddle_abi_trailer_t *fixture_trailer(fixture_bytes_t module) {
  return (heddle_abi_trailer_t *)(module.data + module.size -
                                  sizeof(heddle_abi_trailer_t));
}

heddle_abi_manifest_t *fixture_manifest(fixture_bytes_t module) {
  return (heddle_abi_manifest_t *)(module.data +
                                   fixture_trailer(module)->manifest_offset);
}

void fixture_seal(fixture_bytes_t module) {
  heddle_sha256_of(module.data, module.size - HEDDLE_ABI_DIGEST_SIZE,
                   fixture_trailer(module)->sha256.bytes);
}

fixture_bytes_t fixture_module(const char *code_path) {
  fixture_bytes_t module = {0};
  FILE *file = fopen(code_path, "rb");
  CHECK(file, "cannot open %s", code_path);
  char piece[4096];
  size_t count;
  while ((count = fread(piece, 1, sizeof piece, file)) > 0)
    append(&module, piece, count);
  fclose(file);
  pad(&module);

  fixture_bytes_t records = manifest();
  heddle_abi_trailer_t trailer = {.major = HEDDLE_ABI_MAJOR,
                                  .minor = HEDDLE_ABI_MINOR,
                                  .manifest_offset = module.size,
                                  .manifest_size = records.size};
  memcpy(trailer.magic, HEDDLE_ABI_TRAILER_MAGIC, sizeof trailer.magic);
  append(&module, records.data, records.size);
  free(records.data);
  trailer.module_size = module.size + sizeof trailer;
  append(&module, &trailer, sizeof trailer);
  fixture_seal(module);
  return module;
}

fixture_bytes_t fixture_weights(void) {
  fixture_bytes_t names = {0};
  heddle_abi_weight_t record = weight(&names);
  free(names.data);
  heddle_abi_weights_header_t header = {.file_size = FIXTURE_WEIGHTS_SIZE,
                                        .id = weights_id(&record),
                                        .major = HEDDLE_ABI_MAJOR};
  memcpy(header.magic, HEDDLE_ABI_WEIGHTS_MAGIC, sizeof header.magic);
  float scale = FIXTURE_SCALE;
  fixture_bytes_t weights = {calloc(1, FIXTURE_WEIGHTS_SIZE),
                             FIXTURE_WEIGHTS_SIZE};
  CHECK(weights.data, "no memory");
  memcpy(weights.data, &header, sizeof header);
  memcpy(weights.data + FIXTURE_SCALE_OFFSET, &scale, sizeof scale);
  return weights;
}

static char folders[16][32];
static int folder_count;

static int remove_path(const char *path, const struct stat *status, int type,
                       struct FTW *where) {
  (void)status;
  (void)type;
  (void)where;
  return remove(path);
}

static void remove_folders(void) {
  for (int i = 0; i < folder_count; ++i)
    nftw(folders[i], remove_path, 8, FTW_DEPTH | FTW_PHYS);
}

const char *fixture_folder(void) {
  CHECK(folder_count < 16, "too many folders");
  if (folder_count == 0)
    atexit(remove_folders);
  char *name = folders[folder_count];
  strcpy(name, "/tmp/heddle-test-XXXXXX");
  CHECK(mkdtemp(name), "cannot create %s", name);
  ++folder_count;
  return name;
}

const char *fixture_path(const char *folder, const char *name) {
  static char paths[64][128];
  static int used;
  CHECK(used < 64, "too many paths");
  char *path = paths[used++];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

void fixture_write(const char *path, const void *data, size_t size) {
  // Written over, not emptied first: file systems flush a file that was emptied
  // when it is closed, and the tests write thousands.
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  CHECK(fd >= 0, "cannot open %s", path);
  CHECK(write(fd, data, size) == (ssize_t)size, "cannot write %s", path);
  CHECK(ftruncate(fd, (off_t)size) == 0, "cannot write %s", path);
  CHECK(close(fd) == 0, "cannot write %s", path);
}

const char *fixture_install(const char *folder, const char *code_path) {
  fixture_bytes_t module = fixture_module(code_path);
  fixture_bytes_t weights = fixture_weights();
  const char *path = fixture_path(folder, "fixture.so");
  fixture_write(path, module.data, module.size);
  fixture_write(fixture_path(folder, "fixture.weights"), weights.data,
                weights.size);
  free(module.data);
  free(weights.data);
  return path;
}
