// fixture.h - a module for the tests: code made by the system's C compiler, and
// a manifest written in C, so that the runtime is tested without the compiler.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_TEST_RUNTIME_FIXTURE_H_
#define HEDDLE_TEST_RUNTIME_FIXTURE_H_

#include <stddef.h>
#include <stdint.h>

#include "heddle/module_abi.h"

/// Indices of the entry's symbols and of its plan's results.
enum { FIXTURE_ROWS, FIXTURE_COLUMNS };
enum {
  FIXTURE_GUARD_ROWS,
  FIXTURE_GUARD_COLUMNS,
  FIXTURE_TOTAL_SIZE,
  FIXTURE_SCALED_BYTES,
  FIXTURE_RESULTS,
};

#define FIXTURE_SCALE_OFFSET 64
#define FIXTURE_SCALE 1.5f
#define FIXTURE_WEIGHTS_SIZE 128

/// A file in memory.
typedef struct fixture_bytes {
  uint8_t *data;
  size_t size;
} fixture_bytes_t;

/// The module around the shared object `code_path`. It names a weights file
/// "fixture.weights".
fixture_bytes_t fixture_module(const char *code_path);

/// The weights file that belongs to it.
fixture_bytes_t fixture_weights(void);

/// The trailer and the manifest's first record of a module.
heddle_abi_trailer_t *fixture_trailer(fixture_bytes_t module);
heddle_abi_manifest_t *fixture_manifest(fixture_bytes_t module);

/// Computes the digest of a module anew, after a change.
void fixture_seal(fixture_bytes_t module);

/// A new empty folder, removed when the program ends.
const char *fixture_folder(void);

/// `folder`/`name`, kept until the program ends.
const char *fixture_path(const char *folder, const char *name);

/// Writes a file.
void fixture_write(const char *path, const void *data, size_t size);

/// Writes module and weights into `folder` and returns the module's path.
const char *fixture_install(const char *folder, const char *code_path);

#endif // HEDDLE_TEST_RUNTIME_FIXTURE_H_
