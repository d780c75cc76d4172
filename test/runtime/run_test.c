// run_test.c - calls compute, and refuse what does not fit with a sentence.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// usage: run_test FIXTURE_CODE.so

#include <pthread.h>

#include "check.h"
#include "fixture.h"
#include "heddle/runtime.h"

#define MAX_ROWS 64
#define MAX_COLUMNS 1024

/// A call's data and tensors.
typedef struct call {
  float x[MAX_ROWS * MAX_COLUMNS];
  int64_t picks[MAX_ROWS];
  float picked[MAX_ROWS];
  float total[2 * MAX_COLUMNS];
  heddle_tensor_t inputs[2];
  heddle_tensor_t outputs[2];
} call_t;

static void set_up(call_t *call, int64_t rows, int64_t columns) {
  for (int64_t i = 0; i < rows * columns; ++i)
    call->x[i] = (float)(i % 101) - 50;
  for (int64_t r = 0; r < rows; ++r)
    call->picks[r] = (7 * r + 3) % columns;
  heddle_tensor_t x = {"x", call->x, {rows, columns}, 2, HEDDLE_F32};
  heddle_tensor_t picks = {"picks", call->picks, {rows}, 1, HEDDLE_I64};
  heddle_tensor_t picked = {NULL, call->picked, {rows}, 1, HEDDLE_F32};
  heddle_tensor_t total = {NULL, call->total, {2 * columns}, 1, HEDDLE_F32};
  call->inputs[0] = x;
  call->inputs[1] = picks;
  call->outputs[0] = picked;
  call->outputs[1] = total;
}

static heddle_status_t run(heddle_context_t *context, call_t *call) {
  return heddle_model_run(context, 0, call->inputs, 2, call->outputs, 2);
}

/// All values are small multiples of a half: sums are exact.
static void check_outputs(const call_t *call, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; ++r) {
    float expected = FIXTURE_SCALE * call->x[r * columns + call->picks[r]];
    CHECK(call->picked[r] == expected, "picked[%lld] is %f, not %f",
          (long long)r, (double)call->picked[r], (double)expected);
  }
  for (int64_t c = 0; c < 2 * columns; ++c) {
    float expected = 0;
    for (int64_t r = 0; r < rows; ++r)
      expected += FIXTURE_SCALE * call->x[r * columns + c % columns];
    CHECK(call->total[c] == expected, "total[%lld] is %f, not %f", (long long)c,
          (double)call->total[c], (double)expected);
  }
}

static void check_call(heddle_context_t *context, call_t *call, int64_t rows,
                       int64_t columns) {
  set_up(call, rows, columns);
  CHECK_OK(run(context, call));
  check_outputs(call, rows, columns);
}

static void test_shapes(heddle_model_t *model, call_t *call) {
  for (uint32_t threads = 1; threads <= 4; ++threads) {
    heddle_context_options_t options = {.threads = threads};
    heddle_context_t *context;
    CHECK_OK(heddle_context_create(model, &options, &context));
    CHECK_INT(heddle_context_thread_count(context), threads);
    check_call(context, call, 3, 4);
    check_call(context, call, 3, 4);
    check_call(context, call, 64, 1024); // the arena grows
    check_call(context, call, 1, 2);
    check_call(context, call, 0, 6); // tensors without elements
    heddle_context_release(context);
  }
}

static void test_names(heddle_context_t *context, call_t *call) {
  // By name, in any order.
  set_up(call, 4, 6);
  heddle_tensor_t first = call->inputs[0];
  call->inputs[0] = call->inputs[1];
  call->inputs[1] = first;
  CHECK_OK(run(context, call));
  check_outputs(call, 4, 6);

  set_up(call, 4, 6);
  call->inputs[0].name = "y";
  CHECK_FAILS(run(context, call), HEDDLE_INVALID_ARGUMENT,
              "there is no input 'y': expects 'x', 'picks'");
  call->inputs[0].name = "picks";
  CHECK_FAILS(run(context, call), HEDDLE_INVALID_ARGUMENT,
              "input 'x' is missing, another is given twice");
  CHECK_FAILS(heddle_model_run(context, 0, call->inputs, 1, call->outputs, 2),
              HEDDLE_INVALID_ARGUMENT, "expects 2 inputs, got 1");
  CHECK_FAILS(heddle_model_run(context, 1, call->inputs, 2, call->outputs, 2),
              HEDDLE_INVALID_ARGUMENT, "there is no entry 1: the model has 1");
}

static void test_types(heddle_context_t *context, call_t *call) {
  set_up(call, 4, 6);
  call->inputs[1].dtype = HEDDLE_I32;
  CHECK_FAILS(run(context, call), HEDDLE_INVALID_ARGUMENT,
              "input 'picks': expects dtype int64, got int32");
  set_up(call, 4, 6);
  call->inputs[0].rank = 3;
  CHECK_FAILS(run(context, call), HEDDLE_INVALID_ARGUMENT,
              "input 'x': expects rank 2, got 3");
  set_up(call, 4, 6);
  call->inputs[0].data = NULL;
  CHECK_FAILS(run(context, call), HEDDLE_INVALID_ARGUMENT,
              "input 'x': has no data");
  set_up(call, 4, 6);
  call->inputs[0].data = (char *)call->x + 1;
  CHECK_FAILS(run(context, call), HEDDLE_INVALID_ARGUMENT,
              "input 'x': expects data aligned to 4 bytes");
}

static void test_sizes(heddle_context_t *context, call_t *call) {
  set_up(call, 4, 6);
  call->inputs[1].shape[0] = 5;
  CHECK_FAILS(run(context, call), HEDDLE_INVALID_ARGUMENT,
              "input 'picks': expects rows (dimension 0) to be 4 as in input "
              "'x', got 5");
  set_up(call, 4, 6);
  call->inputs[0].shape[1] = -6;
  CHECK_FAILS(run(context, call), HEDDLE_INVALID_ARGUMENT,
              "input 'x': expects no negative size, got -6 in dimension 1");
  call->inputs[0].shape[1] = 0;
  CHECK_FAILS(run(context, call), HEDDLE_INVALID_ARGUMENT,
              "input 'x': expects columns (dimension 1) to be at least 1, got "
              "0");
  call->inputs[0].shape[1] = 5;
  CHECK_FAILS(run(context, call), HEDDLE_INVALID_ARGUMENT,
              "input 'x': expects columns (dimension 1) to be a multiple of 2, "
              "got 5");
  call->inputs[0].shape[1] = INT64_MAX - 1;
  CHECK_FAILS(run(context, call), HEDDLE_INVALID_ARGUMENT,
              "input 'x': the shape has more bytes than memory");
  set_up(call, 4, 6);
  call->inputs[0].shape[0] = 65;
  CHECK_FAILS(run(context, call), HEDDLE_INVALID_ARGUMENT,
              "input 'x': expects rows (dimension 0) to be 0 to 64, got 65");
  set_up(call, 4, 6);
  call->outputs[1].shape[0] = 6;
  CHECK_FAILS(run(context, call), HEDDLE_INVALID_ARGUMENT,
              "output 'total': expects size 12 in dimension 0, got 6");
}

static void test_guard_and_fault(heddle_context_t *context, call_t *call) {
  check_call(context, call, 4, 6);
  set_up(call, 6, 4);
  CHECK_FAILS(run(context, call), HEDDLE_GUARD_FAILED,
              "node 'Tril_2' expects rows <= columns, got 6 and 4");
  check_call(context, call, 4, 6);

  call->picks[2] = 77;
  CHECK_FAILS(run(context, call), HEDDLE_DATA_FAULT,
              "node 'Gather_3' expects an index of a column, got 77");
  check_call(context, call, 4, 6);
}

static void test_output_shapes(heddle_model_t *model, call_t *call) {
  set_up(call, 4, 6);
  call->inputs[0].data = call->inputs[1].data = NULL;
  heddle_tensor_t outputs[2] = {{.data = call->picked}, {.data = call->total}};
  CHECK_OK(heddle_model_output_shapes(model, 0, call->inputs, 2, outputs, 2));
  CHECK(!strcmp(outputs[0].name, "picked"), "%s", outputs[0].name);
  CHECK_INT(outputs[0].rank, 1);
  CHECK_INT(outputs[0].shape[0], 4);
  CHECK_INT(outputs[1].shape[0], 12);
  CHECK_INT(outputs[1].dtype, HEDDLE_F32);
  CHECK(outputs[1].data == call->total, "the data pointer was changed");
  CHECK_FAILS(heddle_model_output_shapes(model, 0, call->inputs, 2, outputs, 1),
              HEDDLE_INVALID_ARGUMENT, "expects 2 outputs, got 1");
  call->inputs[0].shape[0] = call->inputs[1].shape[0] = 8;
  CHECK_FAILS(heddle_model_output_shapes(model, 0, call->inputs, 2, outputs, 2),
              HEDDLE_GUARD_FAILED, "node 'Tril_2'");
}

/// Threads with a context each, on one model.
static void *call_often(void *argument) {
  heddle_model_t *model = argument;
  heddle_context_options_t options = {.threads = 2};
  heddle_context_t *context;
  call_t *call = malloc(sizeof *call);
  CHECK(call, "no memory");
  CHECK_OK(heddle_context_create(model, &options, &context));
  for (int64_t i = 0; i < 50; ++i)
    check_call(context, call, i % 9, 2 * (i % 5 + 5));
  heddle_context_release(context);
  free(call);
  return NULL;
}

static void test_concurrent_contexts(heddle_model_t *model) {
  pthread_t threads[4];
  for (int i = 0; i < 4; ++i)
    CHECK_INT(pthread_create(&threads[i], NULL, call_often, model), 0);
  for (int i = 0; i < 4; ++i)
    CHECK_INT(pthread_join(threads[i], NULL), 0);
}

/// A context keeps its model; two models of one file are independent.
static void test_lifetimes(const char *path, call_t *call) {
  heddle_model_t *models[2];
  heddle_context_t *context;
  CHECK_OK(heddle_model_load(path, NULL, &models[0]));
  CHECK_OK(heddle_model_load(path, NULL, &models[1]));
  CHECK_OK(heddle_context_create(models[1], NULL, &context));
  heddle_model_release(models[0]);
  heddle_model_release(models[1]);
  check_call(context, call, 2, 8);
  heddle_context_release(context);
  heddle_model_release(NULL);
  heddle_context_release(NULL);
}

int main(int argc, char **argv) {
  CHECK_INT(argc, 2);
  const char *path = fixture_install(fixture_folder(), argv[1]);
  call_t *call = malloc(sizeof *call);
  CHECK(call, "no memory");
  heddle_model_t *model;
  CHECK_OK(heddle_model_load(path, NULL, &model));
  test_shapes(model, call);
  heddle_context_options_t options = {.threads = 2};
  heddle_context_t *context;
  CHECK_OK(heddle_context_create(model, &options, &context));
  test_names(context, call);
  test_types(context, call);
  test_sizes(context, call);
  test_guard_and_fault(context, call);
  heddle_context_release(context);
  test_output_shapes(model, call);
  test_concurrent_contexts(model);
  heddle_model_release(model);
  test_lifetimes(path, call);
  free(call);
  return 0;
}
