// manifest.c - checked reading of a module's manifest.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "manifest.h"

#include <string.h>

#include "status.h"

/// A check under way. The checks return 1 when all is well; the first one that
/// finds something names it in `problem` and returns 0.
typedef struct reader {
  const uint8_t *bytes;
  uint64_t size;
  uint64_t budget; // bytes that may still be looked at
  const char *problem;
} reader_t;

/// What a manifest of tables and texts that lie in each other may cost beyond
/// its own size: enough for every real one, which looks at each byte once.
#define BUDGET (UINT64_C(1) << 26)

static int found(reader_t *reader, const char *problem) {
  reader->problem = problem;
  return 0;
}

/// Takes `bytes` from the budget. A few records that all point to the same
/// large table could otherwise keep a reader busy for years.
static int spend(reader_t *reader, uint64_t bytes) {
  if (bytes > reader->budget)
    return found(reader, "too many records share their bytes");
  reader->budget -= bytes;
  return 1;
}

static int check_string(reader_t *reader, heddle_abi_string_t string) {
  // One byte more than the text, for the zero behind it.
  uint64_t end = (uint64_t)string.offset + string.length;
  if (end >= reader->size)
    return found(reader, "a text lies outside");
  if (!spend(reader, (uint64_t)string.length + 1))
    return 0;
  if (memchr(reader->bytes + string.offset, 0, (size_t)string.length + 1) !=
      reader->bytes + end)
    return found(reader, "a text does not end where its length says");
  return 1;
}

static int check_table(reader_t *reader, heddle_abi_table_t table,
                       size_t record_size) {
  if (table.count == 0)
    return 1;
  if (table.offset % 8 || table.stride % 8 || table.stride < record_size)
    return found(reader, "a table is misaligned or has short records");
  uint64_t end = table.offset + (uint64_t)table.count * table.stride;
  if (end > reader->size)
    return found(reader, "a table lies outside");
  return spend(reader, (uint64_t)table.count * table.stride);
}

static int is_dtype(uint32_t dtype) {
  return heddle_dtype_size((heddle_dtype_t)dtype) != 0;
}

static const void *record(const reader_t *reader, heddle_abi_table_t table,
                          uint32_t index) {
  return reader->bytes + table.offset + (uint64_t)index * table.stride;
}

static int check_dim(reader_t *reader, const heddle_abi_entry_t *entry,
                     const heddle_abi_dim_t *dim, int is_input) {
  switch (dim->kind) {
  case HEDDLE_DIM_FIXED:
    return dim->value >= 0 || found(reader, "a dimension is negative");
  case HEDDLE_DIM_SYMBOL:
    return (uint64_t)dim->value < entry->symbols.count ||
           found(reader, "a dimension names a symbol that does not exist");
  case HEDDLE_DIM_RESULT:
    if (is_input)
      return found(reader, "an input's dimension is a result");
    return (uint64_t)dim->value < entry->result_count ||
           found(reader, "a dimension names a result that does not exist");
  }
  return found(reader, "a dimension is of an unknown kind");
}

static int check_tensors(reader_t *reader, const heddle_abi_entry_t *entry,
                         heddle_abi_table_t table, int is_input) {
  if (!check_table(reader, table, sizeof(heddle_abi_tensor_t)))
    return 0;
  for (uint32_t i = 0; i < table.count; ++i) {
    const heddle_abi_tensor_t *tensor = record(reader, table, i);
    if (!check_string(reader, tensor->name) ||
        !check_table(reader, tensor->dims, sizeof(heddle_abi_dim_t)))
      return 0;
    if (!is_dtype(tensor->dtype))
      return found(reader, "an input or output has an unknown dtype");
    if (tensor->dims.count > HEDDLE_ABI_MAX_RANK)
      return found(reader, "an input or output has too many dimensions");
    for (uint32_t j = 0; j < tensor->dims.count; ++j)
      if (!check_dim(reader, entry, record(reader, tensor->dims, j), is_input))
        return 0;
  }
  return 1;
}

/// Checks that some input's shape tells the size of symbol `index`.
static int check_bound(reader_t *reader, const heddle_abi_entry_t *entry,
                       uint32_t index) {
  for (uint32_t i = 0; i < entry->inputs.count; ++i) {
    const heddle_abi_tensor_t *tensor = record(reader, entry->inputs, i);
    if (!spend(reader, sizeof *tensor))
      return 0;
    for (uint32_t j = 0; j < tensor->dims.count; ++j) {
      const heddle_abi_dim_t *dim = record(reader, tensor->dims, j);
      if (dim->kind == HEDDLE_DIM_SYMBOL && dim->value == index)
        return 1;
    }
  }
  return found(reader, "a symbol occurs in no input");
}

static int check_symbols(reader_t *reader, const heddle_abi_entry_t *entry) {
  for (uint32_t i = 0; i < entry->symbols.count; ++i) {
    const heddle_abi_symbol_t *symbol = record(reader, entry->symbols, i);
    if (!check_string(reader, symbol->name))
      return 0;
    if (symbol->min < 0 || symbol->max < symbol->min || symbol->divisor < 1)
      return found(reader, "a symbol has an impossible range");
    if (!check_bound(reader, entry, i))
      return 0;
  }
  return 1;
}

static int check_guards(reader_t *reader, const heddle_abi_entry_t *entry) {
  if (!check_table(reader, entry->guards, sizeof(heddle_abi_guard_t)))
    return 0;
  for (uint32_t i = 0; i < entry->guards.count; ++i) {
    const heddle_abi_guard_t *guard = record(reader, entry->guards, i);
    if (!check_string(reader, guard->sentence))
      return 0;
    if (guard->lhs_result >= entry->result_count ||
        guard->rhs_result >= entry->result_count)
      return found(reader, "a guard names a result that does not exist");
  }
  return 1;
}

static int check_faults(reader_t *reader, const heddle_abi_entry_t *entry) {
  if (!check_table(reader, entry->faults, sizeof(heddle_abi_fault_t)))
    return 0;
  for (uint32_t i = 0; i < entry->faults.count; ++i) {
    const heddle_abi_fault_t *fault = record(reader, entry->faults, i);
    if (!check_string(reader, fault->sentence))
      return 0;
  }
  return 1;
}

static int check_buffers(reader_t *reader, const heddle_abi_entry_t *entry) {
  if (!check_table(reader, entry->buffers, sizeof(heddle_abi_buffer_t)))
    return 0;
  for (uint32_t i = 0; i < entry->buffers.count; ++i) {
    const heddle_abi_buffer_t *buffer = record(reader, entry->buffers, i);
    if (buffer->size_result >= entry->result_count)
      return found(reader, "a buffer names a result that does not exist");
    if (buffer->first_dispatch > buffer->last_dispatch ||
        buffer->last_dispatch >= entry->dispatch_count)
      return found(reader, "a buffer has an impossible lifetime");
  }
  return 1;
}

/// No module needs more, and sums of sizes stay far from overflow.
#define MAX_SCRATCH_SIZE (UINT64_C(1) << 40)
#define MAX_RESULT_COUNT (UINT32_C(1) << 24)

static int check_entry(reader_t *reader, const heddle_abi_entry_t *entry) {
  if (!check_string(reader, entry->name) ||
      !check_string(reader, entry->plan_symbol) ||
      !check_string(reader, entry->run_symbol))
    return 0;
  if (entry->scratch_size > MAX_SCRATCH_SIZE)
    return found(reader, "an entry wants an impossible amount of scratch");
  if (entry->result_count > MAX_RESULT_COUNT)
    return found(reader, "an entry has an impossible number of results");
  return check_table(reader, entry->symbols, sizeof(heddle_abi_symbol_t)) &&
         check_tensors(reader, entry, entry->inputs, 1) &&
         check_tensors(reader, entry, entry->outputs, 0) &&
         check_symbols(reader, entry) && check_guards(reader, entry) &&
         check_faults(reader, entry) && check_buffers(reader, entry);
}

static int check_weights(reader_t *reader, const heddle_abi_manifest_t *root) {
  if (!check_table(reader, root->weights, sizeof(heddle_abi_weight_t)))
    return 0;
  if (root->weights_name.length == 0)
    return root->weights.count == 0 ||
           found(reader, "there are weights without a file");
  // The name goes into a path: it must stay in the module's folder.
  const char *name = (const char *)reader->bytes + root->weights_name.offset;
  if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
    return found(reader, "the weights file is not a plain file name");
  if (root->weights_size < sizeof(heddle_abi_weights_header_t))
    return found(reader, "the weights file has no room for its header");

  uint64_t end = sizeof(heddle_abi_weights_header_t);
  for (uint32_t i = 0; i < root->weights.count; ++i) {
    const heddle_abi_weight_t *weight = record(reader, root->weights, i);
    if (!check_string(reader, weight->name))
      return 0;
    if (!is_dtype(weight->dtype))
      return found(reader, "a weight has an unknown dtype");
    if (weight->offset % HEDDLE_ABI_ALIGNMENT || weight->offset < end ||
        weight->offset > root->weights_size ||
        weight->size > root->weights_size - weight->offset)
      return found(reader, "a weight lies outside its file or in another");
    end = weight->offset + weight->size;
  }
  return 1;
}

static int check_sources(reader_t *reader, const heddle_abi_manifest_t *root) {
  if (!check_table(reader, root->sources, sizeof(heddle_abi_source_t)))
    return 0;
  for (uint32_t i = 0; i < root->sources.count; ++i) {
    const heddle_abi_source_t *source = record(reader, root->sources, i);
    if (!check_string(reader, source->name))
      return 0;
  }
  return 1;
}

static int check_kernels(reader_t *reader, const heddle_abi_manifest_t *root) {
  if (!check_table(reader, root->kernels, sizeof(heddle_abi_kernel_t)))
    return 0;
  for (uint32_t i = 0; i < root->kernels.count; ++i) {
    const heddle_abi_kernel_t *kernel = record(reader, root->kernels, i);
    if (!check_string(reader, kernel->name))
      return 0;
  }
  return 1;
}

static int check_root(reader_t *reader) {
  const heddle_abi_manifest_t *root =
      (const heddle_abi_manifest_t *)reader->bytes;
  if (reader->size < sizeof *root || root->size < sizeof *root ||
      root->size > reader->size)
    return found(reader, "it has no room for its first record");
  if (!check_string(reader, root->compiler) ||
      !check_string(reader, root->options) ||
      !check_string(reader, root->target) ||
      !check_string(reader, root->weights_name) ||
      !check_table(reader, root->entries, sizeof(heddle_abi_entry_t)))
    return 0;
  for (uint32_t i = 0; i < root->entries.count; ++i)
    if (!check_entry(reader, record(reader, root->entries, i)))
      return 0;
  return check_weights(reader, root) && check_sources(reader, root) &&
         check_kernels(reader, root);
}

heddle_status_t heddle_manifest_check(const char *path, const uint8_t *bytes,
                                      uint64_t size,
                                      heddle_manifest_t *out_manifest) {
  reader_t reader = {bytes, size, size + BUDGET, NULL};
  if (!check_root(&reader))
    return heddle_fail(HEDDLE_CORRUPT_FILE,
                       "'%s' is not a valid module: in its manifest, %s", path,
                       reader.problem);
  out_manifest->bytes = bytes;
  out_manifest->size = size;
  return HEDDLE_OK;
}
