// processors.h - the processors that this process may use.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_SRC_PROCESSORS_H_
#define HEDDLE_SRC_PROCESSORS_H_

#include <pthread.h>
#include <sched.h>
#include <stdint.h>

typedef struct heddle_processors {
  cpu_set_t allowed;
  cpu_set_t first; // of each core, the lowest numbered allowed processor
  uint32_t count;  // of allowed processors, at least 1
  uint32_t cores;  // among them, at least 1
} heddle_processors_t;

/// Reads the calling thread's affinity and the kernel's view of which
/// processors share a core. Where that cannot be read, every processor counts
/// as a core.
void heddle_processors_find(heddle_processors_t *out_processors);

/// Makes threads created with `attributes` run on the processor of worker
/// `index`: the first processor of each core in turn, and the others after
/// them.
void heddle_processors_pin(const heddle_processors_t *processors,
                           uint32_t index, pthread_attr_t *attributes);

#endif // HEDDLE_SRC_PROCESSORS_H_
