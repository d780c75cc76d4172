// embed.c - runs a compiled model from C, on zeros of the smallest sizes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cc embed.c -lheddle_rt -o embed && ./embed model.so

#include <heddle/runtime.h>
#include <stdio.h>
#include <stdlib.h>

static void check(heddle_status_t status) {
  if (status != HEDDLE_OK) {
    fprintf(stderr, "error: %s\n", heddle_last_error());
    exit(1);
  }
}

static void allocate(heddle_tensor_t *tensor) {
  size_t size = heddle_dtype_size(tensor->dtype);
  for (int i = 0; i < tensor->rank; ++i)
    size *= (size_t)tensor->shape[i];
  tensor->data = calloc(1, size + 1);
}

int main(int argc, char **argv) {
  heddle_model_t *model;
  heddle_context_t *context;
  static heddle_tensor_t inputs[64], outputs[64];
  check(heddle_model_load(argc > 1 ? argv[1] : "model.so", NULL, &model));
  check(heddle_context_create(model, NULL, &context));
  size_t n = heddle_model_input_count(model, 0);
  size_t m = heddle_model_output_count(model, 0);
  for (size_t i = 0; i < n; ++i) {
    heddle_tensor_info_t info;
    check(heddle_model_input_info(model, 0, i, &info));
    inputs[i].rank = info.rank;
    inputs[i].dtype = info.dtype;
    for (int j = 0; j < info.rank; ++j) // one, or the first size in the range
      while (inputs[i].shape[j] < info.dims[j].min || !inputs[i].shape[j])
        inputs[i].shape[j] += info.dims[j].divisor;
    allocate(&inputs[i]);
  }
  check(heddle_model_output_shapes(model, 0, inputs, n, outputs, m));
  for (size_t i = 0; i < m; ++i)
    allocate(&outputs[i]);
  check(heddle_model_run(context, 0, inputs, n, outputs, m));
  for (size_t i = 0; i < m; ++i)
    printf("%s: %d dimensions\n", outputs[i].name, outputs[i].rank);
  heddle_context_release(context);
  heddle_model_release(model);
}
