// processors.h - the processors that this process may use.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_SRC_PROCESSORS_H_
#define HEDDLE_SRC_PROCESSORS_H_

#include <pthread.h>
#include <sched.h>
#include <stdint.h>

typedef struct heddle_processors {
  cpu_set_t allowed;
  cpu_set_t first;  // of each core, the lowest numbered allowed processor
  uint32_t count;   // of allowed processors, at least 1
  uint32_t cores;   // among them, at least 1
  uint32_t workers; // that can run at once: cores, or fewer by a quota
} heddle_processors_t;

/// Reads the calling thread's affinity, the kernel's view of which processors
/// share a core, and the control group's quota. Where the second cannot be
/// read, every processor counts as a core; where the third cannot, there is
/// none.
void heddle_processors_find(heddle_processors_t *out_processors);

/// The number of processors that the text of a control group's `cpu.max` file
/// ("200000 100000": microseconds of processor time per microseconds of time)
/// allows, rounded up; 0 for no limit. See the kernel's cgroup-v2.rst.
uint32_t heddle_processors_quota(const char *text);

/// Makes threads created with `attributes` run on the processor of worker
/// `index`: the first processor of each core in turn, and the others after
/// them.
void heddle_processors_pin(const heddle_processors_t *processors,
                           uint32_t index, pthread_attr_t *attributes);

#endif // HEDDLE_SRC_PROCESSORS_H_
