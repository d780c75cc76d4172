// barrier.c - a barrier for workers that meet every few microseconds.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "barrier.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/// Looks at the phase between two looks at the clock.
#define LOOKS_PER_CLOCK 64

static void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void heddle_barrier_init(heddle_barrier_t *barrier, uint32_t workers,
                         uint32_t spin_ns) {
  atomic_init(&barrier->arrived, 0);
  atomic_init(&barrier->phase, 0);
  atomic_init(&barrier->sleepers, 0);
  barrier->verdict = 0;
  atomic_init(&barrier->workers, workers);
  barrier->spin_ns = spin_ns;
}

/// Watches for a new phase for as long as it is worth. Returns whether it came.
static int watch(heddle_barrier_t *barrier, uint32_t phase) {
  uint64_t deadline = 0;
  do {
    for (int i = 0; i < LOOKS_PER_CLOCK; ++i) {
      if (atomic_load_explicit(&barrier->phase, memory_order_acquire) != phase)
        return 1;
      pause_briefly();
    }
    if (barrier->spin_ns && !deadline)
      deadline = now_ns() + barrier->spin_ns;
  } while (deadline && now_ns() < deadline);
  return 0;
}

static void sleep_until_new(heddle_barrier_t *barrier, uint32_t phase) {
  // Announced before the kernel looks at the phase: either the releaser sees a
  // sleeper and wakes, or the kernel sees the new phase and does not sleep.
  // Both orders need the sequentially consistent operations here and there.
  atomic_fetch_add(&barrier->sleepers, 1);
  while (atomic_load(&barrier->phase) == phase)
    syscall(SYS_futex, &barrier->phase, FUTEX_WAIT_PRIVATE, phase, NULL, NULL,
            0);
  atomic_fetch_sub(&barrier->sleepers, 1);
}

int32_t heddle_barrier_wait(heddle_barrier_t *barrier, const int32_t *stop) {
  uint32_t phase = atomic_load_explicit(&barrier->phase, memory_order_relaxed);
  uint32_t earlier =
      atomic_fetch_add_explicit(&barrier->arrived, 1, memory_order_acq_rel);
  if (earlier + 1 == barrier->workers) {
    barrier->verdict = __atomic_load_n(stop, __ATOMIC_RELAXED);
    atomic_store_explicit(&barrier->arrived, 0, memory_order_relaxed);
    atomic_store(&barrier->phase, phase + 1);
    if (atomic_load(&barrier->sleepers))
      syscall(SYS_futex, &barrier->phase, FUTEX_WAKE_PRIVATE, INT_MAX, NULL,
              NULL, 0);
  } else if (!watch(barrier, phase)) {
    sleep_until_new(barrier, phase);
  }
  return barrier->verdict;
}
