// runner.h - runs a compiled model on .npy files.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_RUN_RUNNER_H_
#define HEDDLE_RUN_RUNNER_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// An input by its name in the model and the .npy file that holds it.
typedef struct heddle_run_input {
  const char *name;
  const char *path;
} heddle_run_input_t;

/// What is to be run. Zero-initialise, then set what is wanted.
typedef struct heddle_run_request {
  const char *model_path;
  const char *weights_path; // NULL: the file that the module names
  const char *entry;        // NULL: the first
  const heddle_run_input_t *inputs;
  size_t input_count;
  const char *output_folder; // NULL: outputs are described, not kept
  uint32_t threads;          // 0: one per core
} heddle_run_request_t;

/// Exit codes of every heddle program, as far as the runner has them.
enum {
  HEDDLE_EXIT_OK = 0,
  HEDDLE_EXIT_INPUT = 1,      // the user's input is at fault
  HEDDLE_EXIT_NO_DEVICE = 77, // this machine cannot run the module
};

/// Runs the entry once, writes every output to `output_folder`/NAME.npy and
/// describes it in one line on standard output. In a NAME with characters other
/// than letters, digits, '.', '-' and '_' those become '_', and '+' and the
/// output's number are appended. What is wrong goes to standard error in
/// one line. Returns an exit code.
int heddle_run(const heddle_run_request_t *request);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // HEDDLE_RUN_RUNNER_H_
