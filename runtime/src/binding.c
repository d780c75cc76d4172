// binding.c - checks what a caller passes and finds the sizes of the symbols.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "binding.h"

#include <string.h>

#include "status.h"

/// The inputs or the outputs of an entry, beside what the caller passed.
typedef struct side {
  const heddle_manifest_t *manifest;
  const heddle_abi_entry_t *entry;
  heddle_abi_table_t table;
  const char *kind; // "input" or "output"
  const heddle_tensor_t *given;
  size_t count;
} side_t;

static const heddle_abi_tensor_t *wanted(const side_t *side, size_t index) {
  return heddle_manifest_tensor(side->manifest, side->table, index);
}

static const char *wanted_name(const side_t *side, size_t index) {
  return heddle_manifest_text(side->manifest, wanted(side, index)->name);
}

static heddle_status_t fail_name(const side_t *side, const char *name) {
  char names[512];
  size_t used = 0;
  names[0] = 0;
  for (size_t i = 0; i < side->table.count; ++i) {
    const char *next = wanted_name(side, i);
    size_t length = strlen(next);
    if (used + length + 8 > sizeof names) {
      memcpy(names + used, ", ...", 6);
      break;
    }
    const char *separator = i ? ", '" : "'";
    memcpy(names + used, separator, strlen(separator));
    used += strlen(separator);
    memcpy(names + used, next, length);
    used += length;
    memcpy(names + used++, "'", 2);
  }
  return heddle_fail(HEDDLE_INVALID_ARGUMENT, "there is no %s '%s': expects %s",
                     side->kind, name, names);
}

/// The given tensor for input or output `index`.
static const heddle_tensor_t *given(const side_t *side, size_t index) {
  const char *name = wanted_name(side, index);
  for (size_t i = 0; i < side->count; ++i) {
    const heddle_tensor_t *tensor = &side->given[i];
    if (tensor->name ? strcmp(tensor->name, name) == 0 : i == index)
      return tensor;
  }
  return NULL;
}

/// Checks that each given tensor is for one of the entry's, and each of those
/// has one.
static heddle_status_t check_names(const side_t *side) {
  if (side->count != side->table.count)
    return heddle_fail(HEDDLE_INVALID_ARGUMENT, "expects %u %s%s, got %zu",
                       side->table.count, side->kind,
                       side->table.count == 1 ? "" : "s", side->count);
  for (size_t i = 0; i < side->count; ++i) {
    const char *name = side->given[i].name;
    if (!name)
      continue;
    size_t match = 0;
    while (match < side->count && strcmp(name, wanted_name(side, match)))
      ++match;
    if (match == side->count)
      return fail_name(side, name);
  }
  // As many given as wanted, each for one that exists: one that is missing
  // means that another is there twice.
  for (size_t i = 0; i < side->count; ++i)
    if (!given(side, i))
      return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                         "%s '%s' is missing, another is given twice",
                         side->kind, wanted_name(side, i));
  return HEDDLE_OK;
}

/// Checks dtype and rank, and that no size is negative and the number of bytes
/// can be counted.
static heddle_status_t check_type(const side_t *side, size_t index,
                                  const heddle_tensor_t *tensor) {
  const heddle_abi_tensor_t *expected = wanted(side, index);
  const char *name = wanted_name(side, index);
  heddle_dtype_t dtype = (heddle_dtype_t)expected->dtype;
  if (tensor->dtype != dtype)
    return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                       "%s '%s': expects dtype %s, got %s", side->kind, name,
                       heddle_dtype_name(dtype),
                       heddle_dtype_name(tensor->dtype));
  if (tensor->rank < 0 || (uint32_t)tensor->rank != expected->dims.count)
    return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                       "%s '%s': expects rank %u, got %d", side->kind, name,
                       expected->dims.count, tensor->rank);
  int64_t bytes = (int64_t)heddle_dtype_size(dtype);
  for (int32_t i = 0; i < tensor->rank; ++i) {
    int64_t size = tensor->shape[i];
    if (size < 0)
      return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                         "%s '%s': expects no negative size, got %lld in "
                         "dimension %d",
                         side->kind, name, (long long)size, i);
    if (__builtin_mul_overflow(bytes, size ? size : 1, &bytes))
      return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                         "%s '%s': the shape has more bytes than memory",
                         side->kind, name);
  }
  return HEDDLE_OK;
}

static heddle_status_t check_data(const side_t *side, size_t index,
                                  const heddle_tensor_t *tensor) {
  size_t element = heddle_dtype_size(tensor->dtype);
  if ((uintptr_t)tensor->data % element)
    return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                       "%s '%s': expects data aligned to %zu bytes", side->kind,
                       wanted_name(side, index), element);
  if (tensor->data)
    return HEDDLE_OK;
  for (int32_t i = 0; i < tensor->rank; ++i)
    if (tensor->shape[i] == 0)
      return HEDDLE_OK;
  return heddle_fail(HEDDLE_INVALID_ARGUMENT, "%s '%s': has no data",
                     side->kind, wanted_name(side, index));
}

/// Checks a symbol's size in dimension `axis` of an input against its range.
static heddle_status_t check_range(const side_t *side, size_t index, int axis,
                                   const heddle_abi_symbol_t *symbol,
                                   int64_t size) {
  const char *input = wanted_name(side, index);
  const char *name = heddle_manifest_text(side->manifest, symbol->name);
  if (size < symbol->min || size > symbol->max) {
    if (symbol->max == INT64_MAX)
      return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                         "input '%s': expects %s (dimension %d) to be at least "
                         "%lld, got %lld",
                         input, name, axis, (long long)symbol->min,
                         (long long)size);
    return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                       "input '%s': expects %s (dimension %d) to be %lld to "
                       "%lld, got %lld",
                       input, name, axis, (long long)symbol->min,
                       (long long)symbol->max, (long long)size);
  }
  if (size % symbol->divisor)
    return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                       "input '%s': expects %s (dimension %d) to be a multiple "
                       "of %lld, got %lld",
                       input, name, axis, (long long)symbol->divisor,
                       (long long)size);
  return HEDDLE_OK;
}

/// The first input that has a dimension with the symbol.
static const char *defining_input(const side_t *side, int64_t symbol) {
  for (size_t i = 0; i < side->table.count; ++i) {
    const heddle_abi_tensor_t *tensor = wanted(side, i);
    for (size_t j = 0; j < tensor->dims.count; ++j) {
      const heddle_abi_dim_t *dim =
          heddle_manifest_dim(side->manifest, tensor, j);
      if (dim->kind == HEDDLE_DIM_SYMBOL && dim->value == symbol)
        return wanted_name(side, i);
    }
  }
  return "";
}

/// Marks a symbol whose size no input has told yet.
#define UNBOUND (-1)

static heddle_status_t bind_dim(const side_t *side, size_t index, int axis,
                                int64_t size, int64_t *symbols) {
  const heddle_abi_dim_t *dim =
      heddle_manifest_dim(side->manifest, wanted(side, index), (size_t)axis);
  if (dim->kind == HEDDLE_DIM_FIXED) {
    if (size == dim->value)
      return HEDDLE_OK;
    return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                       "input '%s': expects size %lld in dimension %d, got "
                       "%lld",
                       wanted_name(side, index), (long long)dim->value, axis,
                       (long long)size);
  }
  const heddle_abi_symbol_t *symbol =
      heddle_manifest_symbol(side->manifest, side->entry, (size_t)dim->value);
  int64_t *bound = &symbols[dim->value];
  if (*bound == UNBOUND) {
    *bound = size;
    return check_range(side, index, axis, symbol, size);
  }
  if (*bound == size)
    return HEDDLE_OK;
  return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                     "input '%s': expects %s (dimension %d) to be %lld as in "
                     "input '%s', got %lld",
                     wanted_name(side, index),
                     heddle_manifest_text(side->manifest, symbol->name), axis,
                     (long long)*bound, defining_input(side, dim->value),
                     (long long)size);
}

heddle_status_t heddle_bind_inputs(heddle_bound_entry_t entry,
                                   const heddle_tensor_t *inputs, size_t count,
                                   int64_t *symbols, void **data) {
  side_t side = {entry.manifest, entry.entry, entry.entry->inputs,
                 "input",        inputs,      count};
  heddle_status_t status = check_names(&side);
  if (status != HEDDLE_OK)
    return status;
  for (size_t i = 0; i < entry.entry->symbols.count; ++i)
    symbols[i] = UNBOUND;
  for (size_t i = 0; i < count; ++i) {
    const heddle_tensor_t *tensor = given(&side, i);
    status = check_type(&side, i, tensor);
    for (int j = 0; status == HEDDLE_OK && j < tensor->rank; ++j)
      status = bind_dim(&side, i, j, tensor->shape[j], symbols);
    if (status == HEDDLE_OK && data)
      status = check_data(&side, i, tensor);
    if (status != HEDDLE_OK)
      return status;
    if (data)
      data[i] = tensor->data;
  }
  return HEDDLE_OK;
}

int64_t heddle_dim_size(const heddle_abi_dim_t *dim, const int64_t *symbols,
                        const int64_t *results) {
  switch (dim->kind) {
  case HEDDLE_DIM_SYMBOL:
    return symbols[dim->value];
  case HEDDLE_DIM_RESULT:
    return results[dim->value];
  }
  return dim->value;
}

heddle_status_t heddle_bind_outputs(heddle_bound_entry_t entry,
                                    const heddle_tensor_t *outputs,
                                    size_t count, const int64_t *symbols,
                                    const int64_t *results, void **data) {
  side_t side = {entry.manifest, entry.entry, entry.entry->outputs,
                 "output",       outputs,     count};
  heddle_status_t status = check_names(&side);
  if (status != HEDDLE_OK)
    return status;
  for (size_t i = 0; i < count; ++i) {
    const heddle_tensor_t *tensor = given(&side, i);
    status = check_type(&side, i, tensor);
    for (int j = 0; status == HEDDLE_OK && j < tensor->rank; ++j) {
      int64_t size = heddle_dim_size(
          heddle_manifest_dim(side.manifest, wanted(&side, i), (size_t)j),
          symbols, results);
      if (tensor->shape[j] != size)
        status = heddle_fail(HEDDLE_INVALID_ARGUMENT,
                             "output '%s': expects size %lld in dimension %d, "
                             "got %lld",
                             wanted_name(&side, i), (long long)size, j,
                             (long long)tensor->shape[j]);
    }
    if (status == HEDDLE_OK)
      status = check_data(&side, i, tensor);
    if (status != HEDDLE_OK)
      return status;
    data[i] = tensor->data;
  }
  return HEDDLE_OK;
}

heddle_status_t heddle_plan(heddle_bound_entry_t entry, heddle_plan_fn_t plan,
                            const int64_t *symbols, int64_t *results) {
  int32_t broken = plan(symbols, results);
  if (broken == 0)
    return HEDDLE_OK;
  uint32_t index = (uint32_t)broken - 1;
  if (index >= entry.entry->guards.count)
    return heddle_fail(HEDDLE_CORRUPT_FILE,
                       "the module reports guard %u, it has %u", index,
                       entry.entry->guards.count);
  const heddle_abi_guard_t *guard =
      heddle_manifest_record(entry.manifest, entry.entry->guards, index);
  return heddle_fail(HEDDLE_GUARD_FAILED, "%s, got %lld and %lld",
                     heddle_manifest_text(entry.manifest, guard->sentence),
                     (long long)results[guard->lhs_result],
                     (long long)results[guard->rhs_result]);
}
