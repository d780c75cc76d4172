// manifest.h - checked reading of a module's manifest.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_SRC_MANIFEST_H_
#define HEDDLE_SRC_MANIFEST_H_

#include "heddle/module_abi.h"
#include "heddle/runtime.h"

/// A manifest whose every offset, count, index and enumerator has been checked,
/// so that the accessors below cannot fail. Lends the bytes.
typedef struct heddle_manifest {
  const uint8_t *bytes;
  uint64_t size;
} heddle_manifest_t;

/// Checks the `size` bytes at `bytes` (aligned to 8) and everything that they
/// hold. `path` is the module's, for error texts.
heddle_status_t heddle_manifest_check(const char *path, const uint8_t *bytes,
                                      uint64_t size,
                                      heddle_manifest_t *out_manifest);

static inline const heddle_abi_manifest_t *
heddle_manifest_root(const heddle_manifest_t *manifest) {
  return (const heddle_abi_manifest_t *)manifest->bytes;
}

static inline const char *
heddle_manifest_text(const heddle_manifest_t *manifest,
                     heddle_abi_string_t string) {
  return (const char *)manifest->bytes + string.offset;
}

/// Record `index` (below the table's count) of a checked table.
static inline const void *
heddle_manifest_record(const heddle_manifest_t *manifest,
                       heddle_abi_table_t table, size_t index) {
  return manifest->bytes + table.offset + index * table.stride;
}

static inline const heddle_abi_entry_t *
heddle_manifest_entry(const heddle_manifest_t *manifest, size_t index) {
  return heddle_manifest_record(manifest,
                                heddle_manifest_root(manifest)->entries, index);
}

static inline const heddle_abi_tensor_t *
heddle_manifest_tensor(const heddle_manifest_t *manifest,
                       heddle_abi_table_t table, size_t index) {
  return heddle_manifest_record(manifest, table, index);
}

static inline const heddle_abi_dim_t *
heddle_manifest_dim(const heddle_manifest_t *manifest,
                    const heddle_abi_tensor_t *tensor, size_t index) {
  return heddle_manifest_record(manifest, tensor->dims, index);
}

static inline const heddle_abi_symbol_t *
heddle_manifest_symbol(const heddle_manifest_t *manifest,
                       const heddle_abi_entry_t *entry, size_t index) {
  return heddle_manifest_record(manifest, entry->symbols, index);
}

#endif // HEDDLE_SRC_MANIFEST_H_
