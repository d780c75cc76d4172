// binding.h - checks what a caller passes and finds the sizes of the symbols.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_SRC_BINDING_H_
#define HEDDLE_SRC_BINDING_H_

#include "manifest.h"

/// An entry with the manifest that its records lie in.
typedef struct heddle_bound_entry {
  const heddle_manifest_t *manifest;
  const heddle_abi_entry_t *entry;
} heddle_bound_entry_t;

/// Checks count, names, dtypes, ranks, fixed sizes and the symbols' agreement,
/// ranges and divisors. Writes the size of every symbol to `symbols`, and, when
/// `data` is not NULL, checks the data pointers and writes them to `data` in
/// the entry's order.
heddle_status_t heddle_bind_inputs(heddle_bound_entry_t entry,
                                   const heddle_tensor_t *inputs, size_t count,
                                   int64_t *symbols, void **data);

/// The same for outputs, whose shapes must be those that `symbols` and the
/// plan's `results` give.
heddle_status_t heddle_bind_outputs(heddle_bound_entry_t entry,
                                    const heddle_tensor_t *outputs,
                                    size_t count, const int64_t *symbols,
                                    const int64_t *results, void **data);

/// The size of a dimension in a call.
int64_t heddle_dim_size(const heddle_abi_dim_t *dim, const int64_t *symbols,
                        const int64_t *results);

/// Calls the plan function and checks what it returns.
heddle_status_t heddle_plan(heddle_bound_entry_t entry, heddle_plan_fn_t plan,
                            const int64_t *symbols, int64_t *results);

#endif // HEDDLE_SRC_BINDING_H_
