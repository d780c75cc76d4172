// model.c - loads and releases models.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "model.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"

/// Finds the generated functions of entry `index`.
static heddle_status_t find_code(const char *path, heddle_model_t *model,
                                 size_t index) {
  const heddle_manifest_t *manifest = &model->file.manifest;
  const heddle_abi_entry_t *entry = heddle_manifest_entry(manifest, index);
  const char *names[2] = {heddle_manifest_text(manifest, entry->plan_symbol),
                          heddle_manifest_text(manifest, entry->run_symbol)};
  void *found[2];
  for (int i = 0; i < 2; ++i) {
    found[i] = dlsym(model->file.code, names[i]);
    if (!found[i])
      return heddle_fail(HEDDLE_CORRUPT_FILE, "'%s' has no function '%s'", path,
                         names[i]);
  }
  // POSIX allows what ISO C does not: an object pointer to a function.
  memcpy(&model->code[index].plan, &found[0], sizeof found[0]);
  memcpy(&model->code[index].run, &found[1], sizeof found[1]);
  return HEDDLE_OK;
}

static heddle_status_t complete(const char *path,
                                const heddle_load_options_t *options,
                                heddle_model_t *model) {
  int info_only = (options->flags & HEDDLE_LOAD_INFO_ONLY) != 0;
  int check = (options->flags & HEDDLE_LOAD_CHECK_WEIGHTS) != 0;
  if (!info_only || check) {
    heddle_status_t status =
        heddle_weights_map(path, options->weights_path, check,
                           &model->file.manifest, &model->weights);
    if (status != HEDDLE_OK)
      return status;
  }
  if (info_only)
    return HEDDLE_OK;
  for (size_t i = 0; i < heddle_model_entries(model); ++i) {
    heddle_status_t status = find_code(path, model, i);
    if (status != HEDDLE_OK)
      return status;
  }
  return HEDDLE_OK;
}

heddle_status_t heddle_model_load(const char *path,
                                  const heddle_load_options_t *options,
                                  heddle_model_t **out_model) {
  static const heddle_load_options_t defaults = {0};
  if (!path || !out_model)
    return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                       "heddle_model_load expects a path and an out_model");
  if (!options)
    options = &defaults;

  heddle_module_file_t file;
  heddle_status_t status = heddle_module_file_open(
      path, (options->flags & HEDDLE_LOAD_INFO_ONLY) != 0, &file);
  if (status != HEDDLE_OK)
    return status;
  size_t entries = heddle_manifest_root(&file.manifest)->entries.count;
  heddle_model_t *model =
      calloc(1, sizeof *model + entries * sizeof model->code[0]);
  if (!model) {
    heddle_module_file_close(&file);
    return heddle_fail(HEDDLE_OUT_OF_RESOURCES, "no memory for a model");
  }
  atomic_init(&model->references, 1);
  model->file = file;
  status = complete(path, options, model);
  if (status != HEDDLE_OK) {
    heddle_model_release(model);
    return status;
  }
  *out_model = model;
  return HEDDLE_OK;
}

void heddle_model_retain(heddle_model_t *model) {
  atomic_fetch_add_explicit(&model->references, 1, memory_order_relaxed);
}

void heddle_model_release(heddle_model_t *model) {
  if (!model || atomic_fetch_sub(&model->references, 1) != 1)
    return;
  heddle_weights_unmap(&model->weights);
  heddle_module_file_close(&model->file);
  free(model);
}

size_t heddle_model_entries(const heddle_model_t *model) {
  return heddle_manifest_root(&model->file.manifest)->entries.count;
}

heddle_bound_entry_t heddle_model_bound_entry(const heddle_model_t *model,
                                              size_t index) {
  const heddle_manifest_t *manifest = &model->file.manifest;
  heddle_bound_entry_t entry = {manifest,
                                heddle_manifest_entry(manifest, index)};
  return entry;
}

heddle_status_t heddle_model_check_entry(const heddle_model_t *model,
                                         size_t index) {
  size_t count = heddle_model_entries(model);
  if (index < count)
    return HEDDLE_OK;
  return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                     "there is no entry %zu: the model has %zu", index, count);
}
