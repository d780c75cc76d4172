// status.h - the thread's last error.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_SRC_STATUS_H_
#define HEDDLE_SRC_STATUS_H_

#include "heddle/runtime.h"

/// Stores the sentence that `format` makes as the calling thread's last error
/// and returns `status`. A sentence longer than the buffer is cut.
heddle_status_t heddle_fail(heddle_status_t status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/// As heddle_fail, with ": <what errno says>" appended.
heddle_status_t heddle_fail_errno(heddle_status_t status, const char *format,
                                  ...) __attribute__((format(printf, 2, 3)));

#endif // HEDDLE_SRC_STATUS_H_
