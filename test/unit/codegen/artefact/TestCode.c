// TestCode.c - stands for generated code: y = exp(x * weight), one dispatch.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "heddle/module_abi.h"

float expf(float);

int32_t test_plan(const int64_t *symbols, int64_t *results) {
  results[0] = symbols[0] * (int64_t)sizeof(float);
  return 0;
}

/// Internal to the module: it must not be exported.
void test_kernel(const float *x, const float *weight, float *y, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    y[i] = expf(x[i] * weight[i % 4]);
}

void test_run(heddle_call_t *call) {
  if (call->worker != 0)
    return;
  const float *weight = (const float *)(call->weights + 64);
  test_kernel(call->inputs[0], weight, call->outputs[0], call->symbols[0]);
}
