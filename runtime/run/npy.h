// npy.h - reads and writes arrays in NumPy's .npy format.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Format: numpy.lib.format in NumPy's documentation, versions 1.0 to 3.0. Type
// codes are those of the dtypes in dtype.h, little-endian. bfloat16, which
// NumPy has not, is stored as the two-byte void type "V2", as ml_dtypes does.

#ifndef HEDDLE_RUN_NPY_H_
#define HEDDLE_RUN_NPY_H_

#include "heddle/runtime.h"

/// Why a file could not be read or written: what was expected, what was got,
/// without the file's name.
typedef struct heddle_npy_error {
  char text[256];
} heddle_npy_error_t;

/// Reads the array in `path`. On success `out_tensor` is dense and row-major,
/// without a name, and its data is to be freed with free(). Returns 0 and fills
/// in `out_error` for whatever is not a well-formed file of a known dtype in
/// row-major order; never reads more than the file holds.
int heddle_npy_read(const char *path, heddle_tensor_t *out_tensor,
                    heddle_npy_error_t *out_error);

/// Writes an array to `path`, under a temporary name until it is complete.
/// Returns 0 and fills in `out_error` on failure, and then leaves no file.
int heddle_npy_write(const char *path, const heddle_tensor_t *tensor,
                     heddle_npy_error_t *out_error);

#endif // HEDDLE_RUN_NPY_H_
