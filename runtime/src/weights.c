// weights.c - a module's weights file, mapped.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "weights.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sha256.h"
#include "status.h"

static heddle_status_t check_header(const char *path,
                                    const heddle_abi_manifest_t *root,
                                    const heddle_weights_t *weights) {
  const heddle_abi_weights_header_t *header =
      (const heddle_abi_weights_header_t *)weights->bytes;
  if (memcmp(header->magic, HEDDLE_ABI_WEIGHTS_MAGIC, HEDDLE_ABI_MAGIC_SIZE))
    return heddle_fail(HEDDLE_CORRUPT_FILE, "'%s' is not a heddle weights file",
                       path);
  if (header->major != HEDDLE_ABI_MAJOR)
    return heddle_fail(HEDDLE_INCOMPATIBLE,
                       "'%s' was made for module ABI %u, this runtime "
                       "expects %u",
                       path, header->major, HEDDLE_ABI_MAJOR);
  if (header->file_size != weights->size ||
      memcmp(&header->id, &root->weights_id, sizeof header->id))
    return heddle_fail(HEDDLE_CORRUPT_FILE,
                       "'%s' belongs to another module: the build ids differ",
                       path);
  return HEDDLE_OK;
}

static int all_zero(const uint8_t *begin, const uint8_t *end) {
  for (; begin != end; ++begin)
    if (*begin)
      return 0;
  return 1;
}

static heddle_status_t check_digests(const char *path,
                                     const heddle_manifest_t *manifest,
                                     const heddle_weights_t *weights) {
  heddle_abi_table_t table = heddle_manifest_root(manifest)->weights;
  // All of the header but its reserved fields has been checked already.
  const uint8_t *checked =
      weights->bytes + offsetof(heddle_abi_weights_header_t, reserved);
  for (size_t i = 0; i < table.count; ++i) {
    const heddle_abi_weight_t *weight =
        heddle_manifest_record(manifest, table, i);
    const uint8_t *data = weights->bytes + weight->offset;
    heddle_abi_digest_t digest;
    heddle_sha256_of(data, weight->size, digest.bytes);
    if (memcmp(&digest, &weight->sha256, sizeof digest))
      return heddle_fail(HEDDLE_CORRUPT_FILE,
                         "weight '%s' in '%s' was altered: its SHA-256 is not "
                         "the one in the module",
                         heddle_manifest_text(manifest, weight->name), path);
    if (!all_zero(checked, data))
      return heddle_fail(HEDDLE_CORRUPT_FILE,
                         "'%s' was altered before weight '%s'", path,
                         heddle_manifest_text(manifest, weight->name));
    checked = data + weight->size;
  }
  if (!all_zero(checked, weights->bytes + weights->size))
    return heddle_fail(HEDDLE_CORRUPT_FILE,
                       "'%s' was altered after the last weight", path);
  return HEDDLE_OK;
}

static heddle_status_t map_file(const char *path, uint64_t expected_size,
                                heddle_weights_t *weights) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return heddle_fail_errno(HEDDLE_IO_ERROR,
                             "cannot open the weights file '%s'", path);
  struct stat file;
  heddle_status_t status = HEDDLE_OK;
  if (fstat(fd, &file) != 0)
    status = heddle_fail_errno(HEDDLE_IO_ERROR, "cannot read '%s'", path);
  else if (!S_ISREG(file.st_mode))
    status = heddle_fail(HEDDLE_IO_ERROR, "'%s' is not a regular file", path);
  else if ((uint64_t)file.st_size != expected_size)
    status = heddle_fail(HEDDLE_CORRUPT_FILE,
                         "'%s' is not the module's weights file: expects %llu "
                         "bytes, got %llu",
                         path, (unsigned long long)expected_size,
                         (unsigned long long)file.st_size);
  if (status == HEDDLE_OK) {
    void *bytes = mmap(NULL, expected_size, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED) {
      status =
          heddle_fail_errno(HEDDLE_OUT_OF_RESOURCES, "cannot map '%s'", path);
    } else {
      weights->bytes = bytes;
      weights->size = expected_size;
    }
  }
  close(fd);
  return status;
}

static heddle_status_t map_and_check(const char *path, int digests,
                                     const heddle_manifest_t *manifest,
                                     heddle_weights_t *out_weights) {
  const heddle_abi_manifest_t *root = heddle_manifest_root(manifest);
  heddle_weights_t weights = {0};
  heddle_status_t status = map_file(path, root->weights_size, &weights);
  if (status == HEDDLE_OK)
    status = check_header(path, root, &weights);
  if (status == HEDDLE_OK && digests)
    status = check_digests(path, manifest, &weights);
  if (status != HEDDLE_OK) {
    heddle_weights_unmap(&weights);
    return status;
  }
  *out_weights = weights;
  return HEDDLE_OK;
}

heddle_status_t heddle_weights_map(const char *module_path,
                                   const char *weights_path, int digests,
                                   const heddle_manifest_t *manifest,
                                   heddle_weights_t *out_weights) {
  heddle_abi_string_t name = heddle_manifest_root(manifest)->weights_name;
  if (name.length == 0)
    return HEDDLE_OK;
  if (weights_path)
    return map_and_check(weights_path, digests, manifest, out_weights);

  // The file of that name in the module's folder.
  const char *slash = strrchr(module_path, '/');
  size_t folder = slash ? (size_t)(slash - module_path) + 1 : 0;
  char *path = malloc(folder + name.length + 1);
  if (!path)
    return heddle_fail(HEDDLE_OUT_OF_RESOURCES, "no memory for a path");
  memcpy(path, module_path, folder);
  memcpy(path + folder, heddle_manifest_text(manifest, name), name.length + 1);
  heddle_status_t status = map_and_check(path, digests, manifest, out_weights);
  free(path);
  return status;
}

void heddle_weights_unmap(heddle_weights_t *weights) {
  if (weights->bytes)
    munmap((void *)weights->bytes, weights->size);
}
