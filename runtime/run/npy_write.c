// npy_write.c - writes arrays in NumPy's .npy format.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "npy.h"
#include "npy_dtypes.h"

/// NumPy pads so that the data starts at a multiple of this.
#define HEADER_ALIGNMENT 64
#define MAX_HEADER_SIZE 512

static int fail(heddle_npy_error_t *error) {
  snprintf(error->text, sizeof error->text, "cannot be written: %s",
           strerror(errno));
  return 0;
}

/// Writes magic, version, length and dictionary of format 1.0 to `out` and
/// returns their size.
static size_t make_header(const heddle_tensor_t *tensor,
                          char out[MAX_HEADER_SIZE]) {
  const char *code = "";
  for (int i = 0; i < HEDDLE_NPY_DTYPE_COUNT; ++i)
    if (heddle_npy_dtypes[i].dtype == tensor->dtype)
      code = heddle_npy_dtypes[i].code;
  char shape[32 * HEDDLE_MAX_RANK] = "";
  size_t used = 0;
  for (int32_t i = 0; i < tensor->rank; ++i)
    used += (size_t)snprintf(shape + used, sizeof shape - used, "%lld,%s",
                             (long long)tensor->shape[i],
                             i + 1 < tensor->rank ? " " : "");
  // A tuple of several elements ends without a comma.
  if (tensor->rank > 1)
    shape[used - 1] = 0;

  size_t start = 10;
  size_t size =
      start + (size_t)snprintf(out + start, MAX_HEADER_SIZE - start,
                               "{'descr': '%c%s', 'fortran_order': False, "
                               "'shape': (%s), }",
                               heddle_dtype_size(tensor->dtype) > 1 ? '<' : '|',
                               code, shape);
  while ((size + 1) % HEADER_ALIGNMENT)
    out[size++] = ' ';
  out[size++] = '\n';
  memcpy(out, "\x93NUMPY\x01\x00", 8);
  out[8] = (char)((size - start) & 0xff);
  out[9] = (char)((size - start) >> 8);
  return size;
}

static int write_all(int fd, const void *data, size_t size) {
  const char *next = data;
  while (size) {
    ssize_t count = write(fd, next, size);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return 0;
    next += count;
    size -= (size_t)count;
  }
  return 1;
}

static int write_array(int fd, const heddle_tensor_t *tensor) {
  char header[MAX_HEADER_SIZE];
  size_t header_size = make_header(tensor, header);
  size_t size = heddle_dtype_size(tensor->dtype);
  for (int32_t i = 0; i < tensor->rank; ++i)
    size *= (size_t)tensor->shape[i];
  return write_all(fd, header, header_size) &&
         write_all(fd, tensor->data, size);
}

int heddle_npy_write(const char *path, const heddle_tensor_t *tensor,
                     heddle_npy_error_t *out_error) {
  size_t size = strlen(path) + 32;
  char *temporary = malloc(size);
  if (!temporary)
    return fail(out_error);
  snprintf(temporary, size, "%s.tmp-%ld", path, (long)getpid());
  int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) {
    fail(out_error);
    free(temporary);
    return 0;
  }
  int good = write_array(fd, tensor) || fail(out_error);
  if (close(fd) != 0 && good)
    good = fail(out_error);
  if (good && rename(temporary, path) != 0)
    good = fail(out_error);
  if (!good)
    unlink(temporary);
  free(temporary);
  return good;
}
