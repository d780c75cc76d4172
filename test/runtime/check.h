// check.h - what the runtime's tests are made of.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_TEST_RUNTIME_CHECK_H_
#define HEDDLE_TEST_RUNTIME_CHECK_H_

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Ends the test with the place and `...`, a printf format and its arguments,
/// unless `condition` holds.
#define CHECK(condition, ...)                                                  \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: not true: %s: ", __FILE__, __LINE__,             \
              #condition);                                                     \
      fprintf(stderr, __VA_ARGS__);                                            \
      fprintf(stderr, "\n");                                                   \
      exit(1);                                                                 \
    }                                                                          \
  } while (0)

#define CHECK_INT(actual, expected)                                            \
  do {                                                                         \
    long long actual_value = (long long)(actual);                              \
    long long expected_value = (long long)(expected);                          \
    CHECK(actual_value == expected_value, "%s: expected %lld, got %lld",       \
          #actual, expected_value, actual_value);                              \
  } while (0)

/// The call fails with this status, and its sentence contains `text`.
#define CHECK_FAILS(call, expected_status, text)                               \
  do {                                                                         \
    CHECK_INT(call, expected_status);                                          \
    CHECK(strstr(heddle_last_error(), text), "expected '%s' in '%s'", text,    \
          heddle_last_error());                                                \
  } while (0)

#define CHECK_OK(call)                                                         \
  do {                                                                         \
    heddle_status_t call_status = (call);                                      \
    CHECK(call_status == HEDDLE_OK, "%s: %s", #call, heddle_last_error());     \
  } while (0)

#endif // HEDDLE_TEST_RUNTIME_CHECK_H_
