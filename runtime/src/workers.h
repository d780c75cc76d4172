// workers.h - the threads of a context.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_SRC_WORKERS_H_
#define HEDDLE_SRC_WORKERS_H_

#include "barrier.h"
#include "heddle/module_abi.h"
#include "heddle/runtime.h"
#include "region.h"

typedef struct heddle_workers heddle_workers_t;

/// Starts `options->threads - 1` threads (the caller is worker 0) with
/// `scratch_size` bytes of scratch memory each. `options` may be NULL.
heddle_status_t heddle_workers_create(const heddle_context_options_t *options,
                                      uint64_t scratch_size,
                                      heddle_workers_t **out_workers);

void heddle_workers_release(heddle_workers_t *workers);

uint32_t heddle_workers_count(const heddle_workers_t *workers);

/// Runs `run` on every worker with a copy of `call`, in which the fields about
/// the worker, its barrier and its fault are set, and waits for all. Returns
/// the fault, 0 for none, and its detail.
int32_t heddle_workers_run(heddle_workers_t *workers, heddle_run_fn_t run,
                           const heddle_call_t *call, int64_t *out_detail);

#endif // HEDDLE_SRC_WORKERS_H_
