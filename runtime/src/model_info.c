// model_info.c - what a model says about itself.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "status.h"

size_t heddle_model_entry_count(const heddle_model_t *model) {
  return model ? heddle_model_entries(model) : 0;
}

const char *heddle_model_entry_name(const heddle_model_t *model, size_t entry) {
  if (!model || entry >= heddle_model_entries(model))
    return NULL;
  heddle_bound_entry_t bound = heddle_model_bound_entry(model, entry);
  return heddle_manifest_text(bound.manifest, bound.entry->name);
}

heddle_status_t heddle_model_find_entry(const heddle_model_t *model,
                                        const char *name, size_t *out_entry) {
  if (!model || !name || !out_entry)
    return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                       "heddle_model_find_entry expects a model, a name and an "
                       "out_entry");
  for (size_t i = 0; i < heddle_model_entries(model); ++i)
    if (strcmp(name, heddle_model_entry_name(model, i)) == 0) {
      *out_entry = i;
      return HEDDLE_OK;
    }
  return heddle_fail(HEDDLE_INVALID_ARGUMENT, "there is no entry '%s'", name);
}

size_t heddle_model_input_count(const heddle_model_t *model, size_t entry) {
  if (!model || entry >= heddle_model_entries(model))
    return 0;
  return heddle_model_bound_entry(model, entry).entry->inputs.count;
}

size_t heddle_model_output_count(const heddle_model_t *model, size_t entry) {
  if (!model || entry >= heddle_model_entries(model))
    return 0;
  return heddle_model_bound_entry(model, entry).entry->outputs.count;
}

static heddle_dim_info_t describe_dim(heddle_bound_entry_t entry,
                                      const heddle_abi_dim_t *dim) {
  heddle_dim_info_t info = {-1, NULL, 0, INT64_MAX, 1};
  if (dim->kind == HEDDLE_DIM_FIXED) {
    info.size = info.min = info.max = dim->value;
  } else if (dim->kind == HEDDLE_DIM_SYMBOL) {
    const heddle_abi_symbol_t *symbol =
        heddle_manifest_symbol(entry.manifest, entry.entry, (size_t)dim->value);
    info.symbol = heddle_manifest_text(entry.manifest, symbol->name);
    info.min = symbol->min;
    info.max = symbol->max;
    info.divisor = symbol->divisor;
  }
  return info;
}

static heddle_status_t describe_tensor(const heddle_model_t *model,
                                       size_t entry, int is_input, size_t index,
                                       heddle_tensor_info_t *out_info) {
  if (!model || !out_info)
    return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                       "expects a model and an out_info");
  heddle_status_t status = heddle_model_check_entry(model, entry);
  if (status != HEDDLE_OK)
    return status;
  heddle_bound_entry_t bound = heddle_model_bound_entry(model, entry);
  heddle_abi_table_t table =
      is_input ? bound.entry->inputs : bound.entry->outputs;
  if (index >= table.count)
    return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                       "there is no %s %zu: the entry has %u",
                       is_input ? "input" : "output", index, table.count);
  const heddle_abi_tensor_t *tensor =
      heddle_manifest_tensor(bound.manifest, table, index);
  heddle_tensor_info_t info = {0};
  info.name = heddle_manifest_text(bound.manifest, tensor->name);
  info.dtype = (heddle_dtype_t)tensor->dtype;
  info.rank = (int32_t)tensor->dims.count;
  for (size_t i = 0; i < tensor->dims.count; ++i)
    info.dims[i] =
        describe_dim(bound, heddle_manifest_dim(bound.manifest, tensor, i));
  *out_info = info;
  return HEDDLE_OK;
}

heddle_status_t heddle_model_input_info(const heddle_model_t *model,
                                        size_t entry, size_t index,
                                        heddle_tensor_info_t *out_info) {
  return describe_tensor(model, entry, 1, index, out_info);
}

heddle_status_t heddle_model_output_info(const heddle_model_t *model,
                                         size_t entry, size_t index,
                                         heddle_tensor_info_t *out_info) {
  return describe_tensor(model, entry, 0, index, out_info);
}

const void *heddle_model_manifest(const heddle_model_t *model,
                                  size_t *out_size) {
  *out_size = model->file.manifest.size;
  return model->file.manifest.bytes;
}

/// Fills in output tensors from the shapes of a call.
static void describe_outputs(heddle_bound_entry_t entry, const int64_t *symbols,
                             const int64_t *results,
                             heddle_tensor_t *out_outputs) {
  for (size_t i = 0; i < entry.entry->outputs.count; ++i) {
    const heddle_abi_tensor_t *tensor =
        heddle_manifest_tensor(entry.manifest, entry.entry->outputs, i);
    heddle_tensor_t *output = &out_outputs[i];
    output->name = heddle_manifest_text(entry.manifest, tensor->name);
    output->dtype = (heddle_dtype_t)tensor->dtype;
    output->rank = (int32_t)tensor->dims.count;
    memset(output->shape, 0, sizeof output->shape);
    for (size_t j = 0; j < tensor->dims.count; ++j)
      output->shape[j] = heddle_dim_size(
          heddle_manifest_dim(entry.manifest, tensor, j), symbols, results);
  }
}

heddle_status_t
heddle_model_output_shapes(const heddle_model_t *model, size_t entry,
                           const heddle_tensor_t *inputs, size_t input_count,
                           heddle_tensor_t *out_outputs, size_t output_count) {
  if (!model || (!inputs && input_count) || (!out_outputs && output_count))
    return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                       "heddle_model_output_shapes expects a model, inputs and "
                       "out_outputs");
  heddle_status_t status = heddle_model_check_entry(model, entry);
  if (status != HEDDLE_OK)
    return status;
  heddle_bound_entry_t bound = heddle_model_bound_entry(model, entry);
  if (output_count != bound.entry->outputs.count)
    return heddle_fail(HEDDLE_INVALID_ARGUMENT, "expects %u outputs, got %zu",
                       bound.entry->outputs.count, output_count);
  if (!model->code[entry].plan)
    return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                       "the model was loaded with HEDDLE_LOAD_INFO_ONLY");

  size_t symbol_count = bound.entry->symbols.count;
  size_t count = symbol_count + bound.entry->result_count;
  int64_t *values = calloc(count ? count : 1, sizeof *values);
  if (!values)
    return heddle_fail(HEDDLE_OUT_OF_RESOURCES, "no memory for a plan");
  int64_t *results = values + symbol_count;
  status = heddle_bind_inputs(bound, inputs, input_count, values, NULL);
  if (status == HEDDLE_OK)
    status = heddle_plan(bound, model->code[entry].plan, values, results);
  if (status == HEDDLE_OK)
    describe_outputs(bound, values, results, out_outputs);
  free(values);
  return status;
}
