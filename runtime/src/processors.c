// processors.c - the processors that this process may use.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "processors.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/// Reads the start of a small file of the kernel as text. Returns 0 when it is
/// not there or empty.
static int read_text(const char *path, char *out, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return 0;
  ssize_t count = read(fd, out, size - 1);
  close(fd);
  if (count <= 0)
    return 0;
  out[count] = 0;
  return 1;
}

/// The lowest numbered processor that shares a core with `processor`, itself
/// when unknown. The kernel's file holds a list such as "3,67" or "6-7".
static int first_sibling(int processor) {
  char path[96];
  char text[32];
  snprintf(path, sizeof path,
           "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list",
           processor);
  if (!read_text(path, text, sizeof text))
    return processor;
  char *end;
  long first = strtol(text, &end, 10);
  if (end == text || first < 0 || first >= CPU_SETSIZE)
    return processor;
  return (int)first;
}

uint32_t heddle_processors_quota(const char *text) {
  char *end;
  unsigned long long quota = strtoull(text, &end, 10);
  if (end == text || *end != ' ' || quota == 0)
    return 0; // "max"
  unsigned long long period = strtoull(end, NULL, 10);
  if (period == 0 || quota / period >= CPU_SETSIZE)
    return 0;
  return (uint32_t)(quota / period + (quota % period != 0));
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

  // A container sees all processors of its machine, but may have the time of a
  // few. More workers than that stop all together when the time is used up.
  char text[64];
  found.workers = found.cores;
  if (read_text("/sys/fs/cgroup/cpu.max", text, sizeof text)) {
    uint32_t quota = heddle_processors_quota(text);
    if (quota && quota < found.workers)
      found.workers = quota;
  }
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
