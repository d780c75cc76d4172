// workers_test.c - barriers hold for 1 to 64 workers, also when they outnumber
// the processors, and all workers leave a call together.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "workers.h"

#include <time.h>

#include "check.h"
#include "processors.h"

#define MAX_WORKERS 64

/// What the functions below share; the call's arena points to it.
typedef struct shared {
  uint32_t rounds;
  uint32_t fault_round; // where worker 0 finds a fault; `rounds` for none
  uint32_t marks[MAX_WORKERS];
  uint32_t left[MAX_WORKERS];
  uint32_t errors;
} shared_t;

/// In each round every worker writes its mark and then reads all marks: plain
/// memory, which only the barriers order.
static void mark_and_read(heddle_call_t *call) {
  shared_t *shared = (shared_t *)call->arena;
  uint32_t wrong = 0;
  for (uint32_t round = 1; round <= shared->rounds; ++round) {
    shared->marks[call->worker] = round;
    if (call->worker == 0 && round == shared->fault_round)
      __atomic_store_n(call->fault, 5, __ATOMIC_RELEASE);
    if (call->barrier(call)) {
      shared->left[call->worker] = round;
      break;
    }
    for (uint32_t i = 0; i < call->workers; ++i)
      wrong += shared->marks[i] != round;
    if (call->barrier(call)) {
      shared->left[call->worker] = round;
      break;
    }
  }
  __atomic_add_fetch(&shared->errors, wrong, __ATOMIC_RELAXED);
}

static void test_rounds(uint32_t threads, uint32_t rounds) {
  heddle_context_options_t options = {.threads = threads, .pin = threads & 1};
  heddle_workers_t *workers;
  CHECK_OK(heddle_workers_create(&options, 0, &workers));
  CHECK_INT(heddle_workers_count(workers), threads);
  for (uint32_t call_number = 0; call_number < 20; ++call_number) {
    shared_t shared = {.rounds = rounds, .fault_round = rounds + 1};
    heddle_call_t call = {.arena = (uint8_t *)&shared};
    int64_t detail;
    CHECK_INT(heddle_workers_run(workers, mark_and_read, &call, &detail), 0);
    CHECK_INT(shared.errors, 0);
  }
  heddle_workers_release(workers);
}

static void test_fault(uint32_t threads) {
  heddle_context_options_t options = {.threads = threads};
  heddle_workers_t *workers;
  CHECK_OK(heddle_workers_create(&options, 0, &workers));
  for (uint32_t at = 1; at <= 30; ++at) {
    shared_t shared = {.rounds = 30, .fault_round = at};
    heddle_call_t call = {.arena = (uint8_t *)&shared};
    int64_t detail;
    CHECK_INT(heddle_workers_run(workers, mark_and_read, &call, &detail), 5);
    for (uint32_t i = 0; i < threads; ++i)
      CHECK_INT(shared.left[i], at);
  }
  // The next call starts without a fault.
  shared_t shared = {.rounds = 2, .fault_round = 3};
  heddle_call_t call = {.arena = (uint8_t *)&shared};
  int64_t detail;
  CHECK_INT(heddle_workers_run(workers, mark_and_read, &call, &detail), 0);
  heddle_workers_release(workers);
}

/// Threads that sleep since long are woken by a call.
static void test_sleepers(void) {
  heddle_context_options_t options = {.threads = 4};
  heddle_workers_t *workers;
  CHECK_OK(heddle_workers_create(&options, 0, &workers));
  for (int i = 0; i < 20; ++i) {
    struct timespec pause = {0, 2000000};
    nanosleep(&pause, NULL);
    shared_t shared = {.rounds = 3, .fault_round = 4};
    heddle_call_t call = {.arena = (uint8_t *)&shared};
    int64_t detail;
    CHECK_INT(heddle_workers_run(workers, mark_and_read, &call, &detail), 0);
    CHECK_INT(shared.errors, 0);
  }
  heddle_workers_release(workers);
}

static void test_quota(void) {
  CHECK_INT(heddle_processors_quota("max 100000\n"), 0);
  CHECK_INT(heddle_processors_quota("200000 100000\n"), 2);
  CHECK_INT(heddle_processors_quota("150000 100000\n"), 2);
  CHECK_INT(heddle_processors_quota("10000 100000\n"), 1);
  CHECK_INT(heddle_processors_quota("0 100000\n"), 0);
  CHECK_INT(heddle_processors_quota("100000 0\n"), 0);
  CHECK_INT(heddle_processors_quota("99999999999999999999 1\n"), 0);
  CHECK_INT(heddle_processors_quota(""), 0);
}

static void test_limits(void) {
  heddle_workers_t *workers;
  heddle_context_options_t many = {.threads = HEDDLE_MAX_THREADS + 1};
  CHECK_FAILS(heddle_workers_create(&many, 0, &workers),
              HEDDLE_INVALID_ARGUMENT,
              "expects at most 1024 threads, got 1025");
  heddle_context_options_t two = {.threads = 2};
  CHECK_FAILS(heddle_workers_create(&two, UINT64_MAX, &workers),
              HEDDLE_OUT_OF_RESOURCES, "no memory for the scratch space");
  CHECK_OK(heddle_workers_create(NULL, 0, &workers));
  CHECK(heddle_workers_count(workers) >= 1, "no worker");
  heddle_workers_release(workers);
}

int main(void) {
  for (uint32_t threads = 1; threads <= 8; ++threads) {
    test_rounds(threads, threads <= 2 ? 400 : 100);
    test_fault(threads);
  }
  test_rounds(MAX_WORKERS, 10);
  test_sleepers();
  test_quota();
  test_limits();
  return 0;
}
