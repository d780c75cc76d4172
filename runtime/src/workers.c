// workers.c - the threads of a context.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "workers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "processors.h"
#include "status.h"

/// Long enough to bridge a short serial stretch, short enough to give the
/// processor back between calls.
#define SPIN_NS 50000

/// One worker. The call comes first: a barrier gets a pointer to it.
typedef struct worker {
  _Alignas(HEDDLE_CACHE_LINE) heddle_call_t call;
  heddle_workers_t *workers;
  heddle_region_t scratch;
  pthread_t thread;
} worker_t;

struct heddle_workers {
  heddle_barrier_t barrier;
  // The call under way, written by worker 0 before the barrier that starts it.
  heddle_run_fn_t run; // NULL tells the threads to end
  const heddle_call_t *call;
  _Alignas(HEDDLE_CACHE_LINE) int32_t fault;
  int64_t fault_detail;
  uint32_t count;
  uint32_t started; // threads to be joined
  worker_t *worker; // `count` of them
};

static const int32_t no_stop = 0;

static int32_t call_barrier(heddle_call_t *call) {
  heddle_workers_t *workers = ((worker_t *)call)->workers;
  return heddle_barrier_wait(&workers->barrier, &workers->fault);
}

static void run_share(worker_t *worker) {
  heddle_workers_t *workers = worker->workers;
  worker->call = *workers->call;
  worker->call.size = sizeof worker->call;
  worker->call.worker = (uint32_t)(worker - workers->worker);
  worker->call.workers = workers->count;
  worker->call.scratch = worker->scratch.base;
  worker->call.barrier = call_barrier;
  worker->call.fault = &workers->fault;
  worker->call.fault_detail = &workers->fault_detail;
  workers->run(&worker->call);
}

static void *serve(void *argument) {
  worker_t *worker = argument;
  heddle_workers_t *workers = worker->workers;
  for (;;) {
    heddle_barrier_wait(&workers->barrier, &no_stop);
    if (!workers->run)
      return NULL;
    run_share(worker);
    heddle_barrier_wait(&workers->barrier, &no_stop);
  }
}

static heddle_status_t start_thread(worker_t *worker,
                                    const heddle_processors_t *processors,
                                    uint32_t index, int pin) {
  pthread_attr_t attributes;
  int error = pthread_attr_init(&attributes);
  if (!error) {
    if (pin)
      heddle_processors_pin(processors, index, &attributes);
    error = pthread_create(&worker->thread, &attributes, serve, worker);
    pthread_attr_destroy(&attributes);
  }
  if (error)
    return heddle_fail(HEDDLE_OUT_OF_RESOURCES, "cannot start thread %u: %s",
                       index, strerror(error));
  return HEDDLE_OK;
}

static heddle_status_t start_workers(heddle_workers_t *workers,
                                     const heddle_processors_t *processors,
                                     uint64_t scratch_size, int pin) {
  for (uint32_t i = 0; i < workers->count; ++i) {
    workers->worker[i].workers = workers;
    if (!heddle_region_reserve(&workers->worker[i].scratch, scratch_size))
      return heddle_fail(HEDDLE_OUT_OF_RESOURCES,
                         "no memory for the scratch space of worker %u", i);
  }
  for (uint32_t i = 1; i < workers->count; ++i) {
    heddle_status_t status =
        start_thread(&workers->worker[i], processors, i, pin);
    if (status != HEDDLE_OK)
      return status;
    ++workers->started;
  }
  return HEDDLE_OK;
}

heddle_status_t heddle_workers_create(const heddle_context_options_t *options,
                                      uint64_t scratch_size,
                                      heddle_workers_t **out_workers) {
  heddle_processors_t processors;
  heddle_processors_find(&processors);
  uint32_t count = options ? options->threads : 0;
  if (count == 0)
    count = processors.workers;
  if (count > HEDDLE_MAX_THREADS)
    return heddle_fail(HEDDLE_INVALID_ARGUMENT,
                       "expects at most %u threads, got %u",
                       (unsigned)HEDDLE_MAX_THREADS, count);

  size_t size = sizeof(heddle_workers_t);
  heddle_workers_t *workers = aligned_alloc(HEDDLE_CACHE_LINE, size);
  worker_t *worker = aligned_alloc(HEDDLE_CACHE_LINE, count * sizeof *worker);
  if (!workers || !worker) {
    free(workers);
    free(worker);
    return heddle_fail(HEDDLE_OUT_OF_RESOURCES, "no memory for %u workers",
                       count);
  }
  memset(workers, 0, size);
  memset(worker, 0, count * sizeof *worker);
  workers->count = count;
  workers->worker = worker;
  heddle_barrier_init(&workers->barrier, count,
                      count > processors.count ? 0 : SPIN_NS);

  heddle_status_t status = start_workers(workers, &processors, scratch_size,
                                         options && options->pin);
  if (status != HEDDLE_OK) {
    heddle_workers_release(workers);
    return status;
  }
  *out_workers = workers;
  return HEDDLE_OK;
}

void heddle_workers_release(heddle_workers_t *workers) {
  // When not all threads could be started, those that wait are met with a
  // barrier of their number.
  workers->run = NULL;
  workers->barrier.workers = workers->started + 1;
  heddle_barrier_wait(&workers->barrier, &no_stop);
  for (uint32_t i = 1; i <= workers->started; ++i)
    pthread_join(workers->worker[i].thread, NULL);
  for (uint32_t i = 0; i < workers->count; ++i)
    heddle_region_release(&workers->worker[i].scratch);
  free(workers->worker);
  free(workers);
}

uint32_t heddle_workers_count(const heddle_workers_t *workers) {
  return workers->count;
}

int32_t heddle_workers_run(heddle_workers_t *workers, heddle_run_fn_t run,
                           const heddle_call_t *call, int64_t *out_detail) {
  workers->run = run;
  workers->call = call;
  workers->fault = 0;
  workers->fault_detail = 0;
  heddle_barrier_wait(&workers->barrier, &no_stop);
  run_share(&workers->worker[0]);
  heddle_barrier_wait(&workers->barrier, &no_stop);
  *out_detail = workers->fault_detail;
  return workers->fault;
}
