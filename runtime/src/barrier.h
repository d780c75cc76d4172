// barrier.h - a barrier for workers that meet every few microseconds.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_SRC_BARRIER_H_
#define HEDDLE_SRC_BARRIER_H_

#include <stdint.h>

#define HEDDLE_CACHE_LINE 64

/// A central barrier. The last worker to arrive advances the phase; the others
/// watch the phase for a while and then sleep on it (a futex). `arrived` and
/// `phase` lie in lines of their own: workers write one while others read the
/// other.
typedef struct heddle_barrier {
  _Alignas(HEDDLE_CACHE_LINE) _Atomic uint32_t arrived;
  _Alignas(HEDDLE_CACHE_LINE) _Atomic uint32_t phase;
  int32_t verdict; // written before the phase advances, read after
  _Alignas(HEDDLE_CACHE_LINE) _Atomic uint32_t sleepers;
  _Atomic uint32_t workers;
  uint32_t spin_ns; // how long to watch before sleeping
} heddle_barrier_t;

/// `spin_ns` is 0 where workers outnumber processors: whoever watches then
/// keeps the one that is waited for from running.
void heddle_barrier_init(heddle_barrier_t *barrier, uint32_t workers,
                         uint32_t spin_ns);

/// Waits until all workers have come. Memory written by any of them before is
/// seen by all of them after. The last one to arrive reads `*stop`, and all
/// return that value, so that they decide alike whatever happens to `*stop`
/// meanwhile.
int32_t heddle_barrier_wait(heddle_barrier_t *barrier, const int32_t *stop);

#endif // HEDDLE_SRC_BARRIER_H_
