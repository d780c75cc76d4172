// module_file.h - a module's bytes: read, sealed, checked, loaded as code.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_SRC_MODULE_FILE_H_
#define HEDDLE_SRC_MODULE_FILE_H_

#include "manifest.h"

/// A module in memory. Zero-initialise before use.
typedef struct heddle_module_file {
  uint8_t *bytes; // the manifest after heddle_module_file_read
  heddle_manifest_t manifest;
  int code_fd; // anonymous file with the code, meaningful with `code`
  void *code;  // from dlopen; NULL when the code was not loaded
} heddle_module_file_t;

/// Reads the module at the end of the file `path`, checks its seal, version,
/// manifest and target, and loads its code unless `info_only`. On failure
/// nothing is held.
heddle_status_t heddle_module_file_open(const char *path, int info_only,
                                        heddle_module_file_t *out_file);

/// Unloads the code and frees the memory.
void heddle_module_file_close(heddle_module_file_t *file);

#endif // HEDDLE_SRC_MODULE_FILE_H_
