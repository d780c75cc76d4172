// processors.c - the processors that this process may use.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "processors.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/// The lowest numbered processor that shares a core with `processor`, itself
/// when unknown. The kernel's file holds a list such as "3,67" or "6-7".
static int first_sibling(int processor) {
  char path[96];
  snprintf(path, sizeof path,
           "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list",
           processor);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return processor;
  char text[32];
  ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  if (size <= 0)
    return processor;
  text[size] = 0;
  char *end;
  long first = strtol(text, &end, 10);
  if (end == text || first < 0 || first >= CPU_SETSIZE)
    return processor;
  return (int)first;
}

void heddle_processors_find(heddle_processors_t *out_processors) {
  heddle_processors_t found;
  CPU_ZERO(&found.allowed);
  CPU_ZERO(&found.first);
  if (sched_getaffinity(0, sizeof found.allowed, &found.allowed) != 0 ||
      CPU_COUNT(&found.allowed) == 0)
    CPU_SET(0, &found.allowed);

  cpu_set_t seen; // cores, each by its first sibling
  CPU_ZERO(&seen);
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (!CPU_ISSET(i, &found.allowed))
      continue;
    int core = first_sibling(i);
    if (!CPU_ISSET(core, &seen))
      CPU_SET(i, &found.first);
    CPU_SET(core, &seen);
  }
  found.count = (uint32_t)CPU_COUNT(&found.allowed);
  found.cores = (uint32_t)CPU_COUNT(&found.first);
  *out_processors = found;
}

void heddle_processors_pin(const heddle_processors_t *processors,
                           uint32_t index, pthread_attr_t *attributes) {
  uint32_t wanted = index % processors->count;
  uint32_t seen = 0;
  for (int others = 0; others <= 1; ++others)
    for (int i = 0; i < CPU_SETSIZE; ++i) {
      int is_other = !CPU_ISSET(i, &processors->first);
      if (!CPU_ISSET(i, &processors->allowed) || is_other != others)
        continue;
      if (seen++ == wanted) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(i, &one);
        // Best effort: an unpinned thread computes the same.
        pthread_attr_setaffinity_np(attributes, sizeof one, &one);
        return;
      }
    }
}
