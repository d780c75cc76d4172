// fixture_code.c - stands for generated code: an entry with two dispatches.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   inputs   x: float32 [rows, columns]     picks: int64 [rows]
//   weight   scale: float32 [1]
//   outputs  picked: float32 [rows], picked[r] = scale * x[r, picks[r]]
//            total: float32 [2 * columns], twice the column sums of scale * x
//   guard    rows <= columns
//   fault    a pick that is no column

#include "fixture.h"
#include "heddle/module_abi.h"

int32_t fixture_plan(const int64_t *symbols, int64_t *results) {
  int64_t rows = symbols[FIXTURE_ROWS];
  int64_t columns = symbols[FIXTURE_COLUMNS];
  results[FIXTURE_GUARD_ROWS] = rows;
  results[FIXTURE_GUARD_COLUMNS] = columns;
  results[FIXTURE_TOTAL_SIZE] = 2 * columns;
  results[FIXTURE_SCALED_BYTES] = rows * columns * (int64_t)sizeof(float);
  return rows > columns ? 1 : 0;
}

static void scale_rows(const heddle_call_t *call) {
  int64_t rows = call->symbols[FIXTURE_ROWS];
  int64_t columns = call->symbols[FIXTURE_COLUMNS];
  const float *x = call->inputs[0];
  float scale = *(const float *)(call->weights + FIXTURE_SCALE_OFFSET);
  float *scaled = (float *)(call->arena + call->offsets[0]);
  for (int64_t r = call->worker; r < rows; r += call->workers)
    for (int64_t c = 0; c < columns; ++c)
      scaled[r * columns + c] = scale * x[r * columns + c];
}

static void pick_elements(const heddle_call_t *call) {
  int64_t rows = call->symbols[FIXTURE_ROWS];
  int64_t columns = call->symbols[FIXTURE_COLUMNS];
  const float *scaled = (const float *)(call->arena + call->offsets[0]);
  const int64_t *picks = call->inputs[1];
  float *picked = call->outputs[0];
  for (int64_t r = call->worker; r < rows; r += call->workers) {
    if (picks[r] >= 0 && picks[r] < columns) {
      picked[r] = scaled[r * columns + picks[r]];
      continue;
    }
    int32_t none = 0;
    if (__atomic_compare_exchange_n(call->fault, &none, 1, 0, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
      *call->fault_detail = picks[r];
  }
}

static void sum_columns(const heddle_call_t *call) {
  int64_t rows = call->symbols[FIXTURE_ROWS];
  int64_t columns = call->symbols[FIXTURE_COLUMNS];
  const float *scaled = (const float *)(call->arena + call->offsets[0]);
  float *total = call->outputs[1];
  float *sum = (float *)call->scratch;
  for (int64_t c = call->worker; c < columns; c += call->workers) {
    *sum = 0;
    for (int64_t r = 0; r < rows; ++r)
      *sum += scaled[r * columns + c];
    total[c] = total[columns + c] = *sum;
  }
}

void fixture_run(heddle_call_t *call) {
  scale_rows(call);
  if (call->barrier(call))
    return;
  pick_elements(call);
  if (call->barrier(call))
    return;
  sum_columns(call);
}
