// model.h - a loaded model.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_SRC_MODEL_H_
#define HEDDLE_SRC_MODEL_H_

#include "binding.h"
#include "module_file.h"
#include "weights.h"

/// The generated functions of an entry.
typedef struct heddle_entry_code {
  heddle_plan_fn_t plan;
  heddle_run_fn_t run;
} heddle_entry_code_t;

/// Immutable but for the reference count.
struct heddle_model {
  _Atomic uint32_t references;
  heddle_module_file_t file;
  heddle_weights_t weights;
  heddle_entry_code_t code[]; // per entry, zero when only info was loaded
};

void heddle_model_retain(heddle_model_t *model);

size_t heddle_model_entries(const heddle_model_t *model);

/// Entry `index` (below the number of entries) with its manifest.
heddle_bound_entry_t heddle_model_bound_entry(const heddle_model_t *model,
                                              size_t index);

/// Fails when `index` is no entry.
heddle_status_t heddle_model_check_entry(const heddle_model_t *model,
                                         size_t index);

#endif // HEDDLE_SRC_MODEL_H_
