// runtime.h - the public C API of the runtime. The only header a host includes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conventions
//   Ownership  *_load and *_create give the caller one reference; end it with
//              *_release. Names, infos and the manifest are lent by the model
//              and live as long as it does. Tensors are owned by the caller.
//   Results    Every call that can fail returns heddle_status_t, and
//              heddle_last_error() then says why. Outputs come last, are named
//              out_*, and are written only on success.
//   Threads    A model is immutable and may be used from any number of threads
//              at once. A context does one call at a time.
//   Indices    Entries, inputs and outputs are numbered from 0 in the order of
//              the model. An index out of range is HEDDLE_INVALID_ARGUMENT.

#ifndef HEDDLE_RUNTIME_H_
#define HEDDLE_RUNTIME_H_

#include <stddef.h>
#include <stdint.h>

#include "heddle/dtype.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HEDDLE_EXPORT __attribute__((visibility("default")))

typedef struct heddle_model heddle_model_t;
typedef struct heddle_context heddle_context_t;

//===----------------------------------------------------------------------===//
// Status
//===----------------------------------------------------------------------===//

/// Values are part of the ABI: append, never renumber.
typedef enum heddle_status {
  HEDDLE_OK = 0,
  HEDDLE_INVALID_ARGUMENT = 1, // a name, count, dtype, rank or shape
  HEDDLE_IO_ERROR = 2,         // a file cannot be opened, read or written
  HEDDLE_CORRUPT_FILE = 3,     // truncated, altered, or not of this format
  HEDDLE_INCOMPATIBLE = 4,     // made for another major version of the ABI
  HEDDLE_NO_DEVICE = 5,        // this machine lacks a feature the code needs
  HEDDLE_GUARD_FAILED = 6,     // shapes that the model was not compiled for
  HEDDLE_DATA_FAULT = 7,       // input data that a kernel cannot compute with
  HEDDLE_OUT_OF_RESOURCES = 8, // memory, threads or file descriptors
} heddle_status_t;

/// The sentence about the last failure on the calling thread: what was
/// expected, what was got, where. Never NULL, empty before the first failure;
/// valid until the next heddle call on this thread.
HEDDLE_EXPORT const char *heddle_last_error(void);

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

#define HEDDLE_MAX_RANK 8

/// The size in bytes of one element, 0 for a value that is no dtype.
HEDDLE_EXPORT size_t heddle_dtype_size(heddle_dtype_t dtype);

/// The name of a dtype as in "float32" or "int64"; "unknown" for others.
HEDDLE_EXPORT const char *heddle_dtype_name(heddle_dtype_t dtype);

/// A dense row-major view. Owns nothing: `data` outlives the call that it is
/// given to, and is aligned to the element size. It may be NULL when a size is
/// 0.
typedef struct heddle_tensor {
  const char *name; // of the input or output; NULL takes the one at this index
  void *data;
  int64_t shape[HEDDLE_MAX_RANK]; // entries from `rank` on are not read
  int32_t rank;
  heddle_dtype_t dtype;
} heddle_tensor_t;

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

enum {
  /// Compare the SHA-256 of every weight with the module's (reads them all).
  /// Without it the weights are checked by size and build id.
  HEDDLE_LOAD_CHECK_WEIGHTS = 1u << 0,
  /// Read and check the module, but neither map weights (unless they are to be
  /// checked) nor execute anything. No context can be created.
  HEDDLE_LOAD_INFO_ONLY = 1u << 1,
};

/// Zero-initialise, then set what is wanted.
typedef struct heddle_load_options {
  uint32_t flags;           // HEDDLE_LOAD_*
  const char *weights_path; // NULL: the file named by the module, beside it
} heddle_load_options_t;

/// Loads the compiled module in `path` (a shared object or an executable that
/// `heddle compile` wrote). The module's seal, version, target and weights are
/// checked before any of its code runs. `options` may be NULL.
HEDDLE_EXPORT heddle_status_t
heddle_model_load(const char *path, const heddle_load_options_t *options,
                  heddle_model_t **out_model);

/// Ends the caller's reference; contexts keep their own. NULL is ignored.
HEDDLE_EXPORT void heddle_model_release(heddle_model_t *model);

/// One dimension of an input or output.
typedef struct heddle_dim_info {
  int64_t size;       // -1 when it depends on the call
  const char *symbol; // the dimension's symbol, NULL for none
  int64_t min;        // range and divisor of the symbol; for a fixed size
  int64_t max;        //   min = max = size, and 0..INT64_MAX when neither
  int64_t divisor;    // 1 or more
} heddle_dim_info_t;

/// An input or output of an entry.
typedef struct heddle_tensor_info {
  const char *name;
  heddle_dtype_t dtype;
  int32_t rank;
  heddle_dim_info_t dims[HEDDLE_MAX_RANK];
} heddle_tensor_info_t;

HEDDLE_EXPORT size_t heddle_model_entry_count(const heddle_model_t *model);

/// The index of the entry called `name`.
HEDDLE_EXPORT heddle_status_t heddle_model_find_entry(
    const heddle_model_t *model, const char *name, size_t *out_entry);

/// The name of an entry, NULL for an index out of range.
HEDDLE_EXPORT const char *heddle_model_entry_name(const heddle_model_t *model,
                                                  size_t entry);

/// The number of inputs or outputs, 0 for an entry out of range.
HEDDLE_EXPORT size_t heddle_model_input_count(const heddle_model_t *model,
                                              size_t entry);
HEDDLE_EXPORT size_t heddle_model_output_count(const heddle_model_t *model,
                                               size_t entry);

HEDDLE_EXPORT heddle_status_t
heddle_model_input_info(const heddle_model_t *model, size_t entry, size_t index,
                        heddle_tensor_info_t *out_info);
HEDDLE_EXPORT heddle_status_t
heddle_model_output_info(const heddle_model_t *model, size_t entry,
                         size_t index, heddle_tensor_info_t *out_info);

/// The checked manifest of the module (see module_abi.h) and its size in bytes.
HEDDLE_EXPORT const void *heddle_model_manifest(const heddle_model_t *model,
                                                size_t *out_size);

/// Computes the outputs' names, dtypes, ranks and shapes from the inputs'
/// shapes without running the model. Inputs need no data here;
/// `out_outputs[i]` is output i, its data pointer is left alone.
HEDDLE_EXPORT heddle_status_t heddle_model_output_shapes(
    const heddle_model_t *model, size_t entry, const heddle_tensor_t *inputs,
    size_t input_count, heddle_tensor_t *out_outputs, size_t output_count);

//===----------------------------------------------------------------------===//
// Contexts
//===----------------------------------------------------------------------===//

/// Zero-initialise, then set what is wanted.
typedef struct heddle_context_options {
  uint32_t threads; // workers, the calling thread included; 0: one per core
                    //   that the process may use
  uint32_t pin;     // not 0: bind each pool thread to one processor
} heddle_context_options_t;

/// The most workers that a context may have.
#define HEDDLE_MAX_THREADS 1024

/// Creates what calls need besides the model: working memory and threads.
/// `options` may be NULL.
HEDDLE_EXPORT heddle_status_t heddle_context_create(
    heddle_model_t *model, const heddle_context_options_t *options,
    heddle_context_t **out_context);

/// Ends the context and its threads. No call may be under way. NULL is ignored.
HEDDLE_EXPORT void heddle_context_release(heddle_context_t *context);

/// The number of workers, the calling thread included.
HEDDLE_EXPORT uint32_t
heddle_context_thread_count(const heddle_context_t *context);

/// Runs an entry. Fails before anything is computed if a name, count, dtype,
/// rank or shape is not one that the entry takes, and leaves undefined values
/// in the outputs on HEDDLE_DATA_FAULT. Outputs have the shapes that
/// heddle_model_output_shapes gives, and overlap nothing.
HEDDLE_EXPORT heddle_status_t heddle_model_run(
    heddle_context_t *context, size_t entry, const heddle_tensor_t *inputs,
    size_t input_count, const heddle_tensor_t *outputs, size_t output_count);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // HEDDLE_RUNTIME_H_
