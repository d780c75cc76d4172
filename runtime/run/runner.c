// runner.c - runs a compiled model on .npy files.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "heddle/runtime.h"
#include "npy.h"

/// File systems allow 255 bytes, suffixes included.
#define MAX_NAME 180

/// A run under way: what has to be released in the end.
typedef struct run {
  const heddle_run_request_t *request;
  heddle_model_t *model;
  heddle_context_t *context;
  size_t entry;
  heddle_tensor_t *inputs;
  heddle_tensor_t *outputs;
  size_t output_count;
} run_t;

/// Reports the runtime's last error.
static int report(heddle_status_t status) {
  fprintf(stderr, "error: %s\n", heddle_last_error());
  return status == HEDDLE_NO_DEVICE ? HEDDLE_EXIT_NO_DEVICE : HEDDLE_EXIT_INPUT;
}

static int report_memory(void) {
  fprintf(stderr, "error: not enough memory\n");
  return HEDDLE_EXIT_INPUT;
}

static int load(run_t *run) {
  const heddle_run_request_t *request = run->request;
  heddle_load_options_t load = {.weights_path = request->weights_path};
  heddle_status_t status =
      heddle_model_load(request->model_path, &load, &run->model);
  if (status == HEDDLE_OK && request->entry)
    status = heddle_model_find_entry(run->model, request->entry, &run->entry);
  heddle_context_options_t options = {.threads = request->threads};
  if (status == HEDDLE_OK)
    status = heddle_context_create(run->model, &options, &run->context);
  return status == HEDDLE_OK ? HEDDLE_EXIT_OK : report(status);
}

static int read_inputs(run_t *run) {
  size_t count = run->request->input_count;
  run->inputs = calloc(count ? count : 1, sizeof *run->inputs);
  if (!run->inputs)
    return report_memory();
  for (size_t i = 0; i < count; ++i) {
    const heddle_run_input_t *input = &run->request->inputs[i];
    heddle_npy_error_t error;
    if (!heddle_npy_read(input->path, &run->inputs[i], &error)) {
      fprintf(stderr, "error: '%s' %s\n", input->path, error.text);
      return HEDDLE_EXIT_INPUT;
    }
    run->inputs[i].name = input->name;
  }
  return HEDDLE_EXIT_OK;
}

static int allocate_outputs(run_t *run) {
  run->output_count = heddle_model_output_count(run->model, run->entry);
  run->outputs =
      calloc(run->output_count ? run->output_count : 1, sizeof *run->outputs);
  if (!run->outputs)
    return report_memory();
  heddle_status_t status = heddle_model_output_shapes(
      run->model, run->entry, run->inputs, run->request->input_count,
      run->outputs, run->output_count);
  if (status != HEDDLE_OK)
    return report(status);
  for (size_t i = 0; i < run->output_count; ++i) {
    heddle_tensor_t *output = &run->outputs[i];
    size_t size = heddle_dtype_size(output->dtype);
    int fits = 1;
    for (int32_t j = 0; j < output->rank; ++j)
      fits &= !__builtin_mul_overflow(size, (size_t)output->shape[j], &size);
    // Zeroed, so that no bytes of this process reach a file whatever runs.
    output->data = fits ? calloc(1, size ? size : 1) : NULL;
    if (!output->data)
      return report_memory();
  }
  return HEDDLE_EXIT_OK;
}

static int compute(run_t *run) {
  heddle_status_t status = heddle_model_run(
      run->context, run->entry, run->inputs, run->request->input_count,
      run->outputs, run->output_count);
  return status == HEDDLE_OK ? HEDDLE_EXIT_OK : report(status);
}

/// A file name for output `index`: an output's name may hold anything, a slash
/// or ".." among it. A name that is changed ends in "+" and the index, which no
/// other file name does.
static void make_file_name(const run_t *run, size_t index, char *out,
                           size_t size) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  const char *name = run->outputs[index].name;
  size_t length = strlen(name);
  int changed = length == 0 || length > MAX_NAME || *name == '.' ||
                strspn(name, allowed) != length;
  if (!changed) {
    snprintf(out, size, "%s", name);
    return;
  }
  size_t used = 0;
  for (; used < length && used < MAX_NAME; ++used) {
    int keep = strchr(allowed, name[used]) && !(used == 0 && *name == '.');
    out[used] = keep ? name[used] : '_';
  }
  snprintf(out + used, size - used, "+%zu", index);
}

static void describe(const heddle_tensor_t *output) {
  printf("%s %s [", output->name, heddle_dtype_name(output->dtype));
  for (int32_t i = 0; i < output->rank; ++i)
    printf("%s%lld", i ? ", " : "", (long long)output->shape[i]);
  printf("]");
}

static int write_outputs(const run_t *run) {
  const char *folder = run->request->output_folder;
  if (folder && mkdir(folder, 0777) != 0 && errno != EEXIST) {
    fprintf(stderr, "error: cannot create the folder '%s': %s\n", folder,
            strerror(errno));
    return HEDDLE_EXIT_INPUT;
  }
  for (size_t i = 0; i < run->output_count; ++i) {
    describe(&run->outputs[i]);
    if (folder) {
      char name[MAX_NAME + 32];
      char path[4096];
      heddle_npy_error_t error;
      make_file_name(run, i, name, sizeof name);
      snprintf(path, sizeof path, "%s/%s.npy", folder, name);
      if (!heddle_npy_write(path, &run->outputs[i], &error)) {
        printf("\n");
        fprintf(stderr, "error: '%s' %s\n", path, error.text);
        return HEDDLE_EXIT_INPUT;
      }
      printf(" -> %s", path);
    }
    printf("\n");
  }
  return HEDDLE_EXIT_OK;
}

static void release(run_t *run) {
  for (size_t i = 0; run->inputs && i < run->request->input_count; ++i)
    free(run->inputs[i].data);
  for (size_t i = 0; run->outputs && i < run->output_count; ++i)
    free(run->outputs[i].data);
  free(run->inputs);
  free(run->outputs);
  heddle_context_release(run->context);
  heddle_model_release(run->model);
}

int heddle_run(const heddle_run_request_t *request) {
  run_t run = {.request = request};
  int code = load(&run);
  if (code == HEDDLE_EXIT_OK)
    code = read_inputs(&run);
  if (code == HEDDLE_EXIT_OK)
    code = allocate_outputs(&run);
  if (code == HEDDLE_EXIT_OK)
    code = compute(&run);
  if (code == HEDDLE_EXIT_OK)
    code = write_outputs(&run);
  release(&run);
  return code;
}
