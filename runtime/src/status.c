// status.c - the thread's last error, and names of the public enumerators.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_SIZE 1024

static _Thread_local char last_error[MESSAGE_SIZE];

const char *heddle_last_error(void) { return last_error; }

heddle_status_t heddle_fail(heddle_status_t status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(last_error, sizeof last_error, format, arguments);
  va_end(arguments);
  return status;
}

heddle_status_t heddle_fail_errno(heddle_status_t status, const char *format,
                                  ...) {
  int error = errno;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(last_error, sizeof last_error, format, arguments);
  va_end(arguments);
  size_t length = strlen(last_error);
  snprintf(last_error + length, sizeof last_error - length, ": %s",
           strerror(error));
  return status;
}

static const struct {
  size_t size;
  const char *name;
} dtypes[] = {
    [HEDDLE_F32] = {4, "float32"}, [HEDDLE_F64] = {8, "float64"},
    [HEDDLE_F16] = {2, "float16"}, [HEDDLE_BF16] = {2, "bfloat16"},
    [HEDDLE_I8] = {1, "int8"},     [HEDDLE_I16] = {2, "int16"},
    [HEDDLE_I32] = {4, "int32"},   [HEDDLE_I64] = {8, "int64"},
    [HEDDLE_U8] = {1, "uint8"},    [HEDDLE_U16] = {2, "uint16"},
    [HEDDLE_U32] = {4, "uint32"},  [HEDDLE_U64] = {8, "uint64"},
    [HEDDLE_BOOL] = {1, "bool"},
};
#define DTYPE_END (sizeof dtypes / sizeof dtypes[0])

size_t heddle_dtype_size(heddle_dtype_t dtype) {
  return (uint32_t)dtype < DTYPE_END ? dtypes[dtype].size : 0;
}

const char *heddle_dtype_name(heddle_dtype_t dtype) {
  return heddle_dtype_size(dtype) ? dtypes[dtype].name : "unknown";
}
