// weights.h - a module's weights file, mapped.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_SRC_WEIGHTS_H_
#define HEDDLE_SRC_WEIGHTS_H_

#include "manifest.h"

/// The mapping of a weights file. Zero-initialise before use.
typedef struct heddle_weights {
  const uint8_t *bytes; // NULL when the module has no weights
  uint64_t size;
} heddle_weights_t;

/// Maps the weights file of the module at `module_path`, read-only and shared
/// with other processes; `weights_path` overrides its place when not NULL.
/// Checks size, version and build id, and every weight's SHA-256 and the zeros
/// between weights when `check_digests`.
heddle_status_t heddle_weights_map(const char *module_path,
                                   const char *weights_path, int check_digests,
                                   const heddle_manifest_t *manifest,
                                   heddle_weights_t *out_weights);

void heddle_weights_unmap(heddle_weights_t *weights);

#endif // HEDDLE_SRC_WEIGHTS_H_
