// module_abi.h - the contract between the compiler and the runtime: the bytes
// of a compiled module and the two functions that each of its entries exports.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A module file is
//
//   ELF shared object | manifest (8-byte aligned) | trailer (last bytes)
//
// and an executable is the runner program followed by exactly those bytes.
// Everything is little-endian. Offsets in the trailer count from the module's
// first byte, offsets in the manifest from the manifest's first byte. The
// manifest is one heddle_abi_manifest_t followed by the records, dimensions
// and strings that it points to. A reader checks every offset before use.
//
// Append only: a new field goes to the end of its record (readers step over
// tables by their `stride`), a new enumerator to the end of its list, and the
// minor version grows. Anything else is a new major version.

#ifndef HEDDLE_MODULE_ABI_H_
#define HEDDLE_MODULE_ABI_H_

#include <stddef.h>
#include <stdint.h>

#include "heddle/dtype.h"

#ifdef __cplusplus
#define HEDDLE_ABI_ASSERT(condition) static_assert(condition, #condition)
extern "C" {
#else
#define HEDDLE_ABI_ASSERT(condition) _Static_assert(condition, #condition)
#endif

/// A module is refused when its major version is not the runtime's. A module
/// with a larger minor version is accepted: what was appended is not needed.
#define HEDDLE_ABI_MAJOR 1u
#define HEDDLE_ABI_MINOR 0u

/// The first bytes of a trailer and of a weights file.
#define HEDDLE_ABI_TRAILER_MAGIC "HEDDLEMD"
#define HEDDLE_ABI_WEIGHTS_MAGIC "HEDDLEWT"
#define HEDDLE_ABI_MAGIC_SIZE 8

#define HEDDLE_ABI_DIGEST_SIZE 32

/// The largest rank of an entry's input or output.
#define HEDDLE_ABI_MAX_RANK 8

/// Alignment in bytes of every arena buffer, of each worker's scratch memory
/// and of every weight in the weights file.
#define HEDDLE_ABI_ALIGNMENT 64

//===----------------------------------------------------------------------===//
// Building blocks
//===----------------------------------------------------------------------===//

/// Text inside the manifest; the byte at `offset + length` is zero.
typedef struct heddle_abi_string {
  uint32_t offset;
  uint32_t length;
} heddle_abi_string_t;
HEDDLE_ABI_ASSERT(sizeof(heddle_abi_string_t) == 8);

/// `count` records inside the manifest, `stride` bytes apart, the first at
/// `offset` (a multiple of 8, as is the stride).
typedef struct heddle_abi_table {
  uint32_t offset;
  uint32_t count;
  uint32_t stride;
  uint32_t reserved;
} heddle_abi_table_t;
HEDDLE_ABI_ASSERT(sizeof(heddle_abi_table_t) == 16);

/// A SHA-256 digest.
typedef struct heddle_abi_digest {
  uint8_t bytes[HEDDLE_ABI_DIGEST_SIZE];
} heddle_abi_digest_t;
HEDDLE_ABI_ASSERT(sizeof(heddle_abi_digest_t) == 32);

//===----------------------------------------------------------------------===//
// Target requirements
//===----------------------------------------------------------------------===//

typedef enum heddle_abi_machine {
  HEDDLE_MACHINE_X86_64 = 1,
  HEDDLE_MACHINE_AARCH64 = 2,
} heddle_abi_machine_t;

/// Bits of heddle_abi_manifest_t::cpu_features. The code of a module uses
/// nothing beyond its machine's baseline and what these bits name; the names
/// are LLVM's feature names with '-' for '_'.
typedef enum heddle_abi_x86_feature {
  HEDDLE_X86_SSE4_2 = 0,
  HEDDLE_X86_POPCNT = 1,
  HEDDLE_X86_AVX = 2,
  HEDDLE_X86_AVX2 = 3,
  HEDDLE_X86_FMA = 4,
  HEDDLE_X86_F16C = 5,
  HEDDLE_X86_BMI = 6,
  HEDDLE_X86_BMI2 = 7,
  HEDDLE_X86_LZCNT = 8,
  HEDDLE_X86_MOVBE = 9,
  HEDDLE_X86_AVX512F = 10,
  HEDDLE_X86_AVX512BW = 11,
  HEDDLE_X86_AVX512CD = 12,
  HEDDLE_X86_AVX512DQ = 13,
  HEDDLE_X86_AVX512VL = 14,
  HEDDLE_X86_AVX512VBMI = 15,
  HEDDLE_X86_AVX512VNNI = 16,
  HEDDLE_X86_AVX512BF16 = 17,
  HEDDLE_X86_AVX512FP16 = 18,
  HEDDLE_X86_AVXVNNI = 19,
  HEDDLE_X86_AMX_TILE = 20,
  HEDDLE_X86_AMX_BF16 = 21,
  HEDDLE_X86_AMX_INT8 = 22,
  HEDDLE_X86_FEATURE_COUNT = 23,
} heddle_abi_x86_feature_t;

//===----------------------------------------------------------------------===//
// Manifest records
//===----------------------------------------------------------------------===//

/// What a dimension's `value` is.
typedef enum heddle_abi_dim_kind {
  HEDDLE_DIM_FIXED = 0,  // the size itself, 0 or more
  HEDDLE_DIM_SYMBOL = 1, // an index into the entry's symbols
  HEDDLE_DIM_RESULT = 2, // an index into the plan's results; outputs only
} heddle_abi_dim_kind_t;

typedef struct heddle_abi_dim {
  uint32_t kind; // heddle_abi_dim_kind_t
  uint32_t reserved;
  int64_t value;
} heddle_abi_dim_t;
HEDDLE_ABI_ASSERT(sizeof(heddle_abi_dim_t) == 16);

/// A dimension known when an entry is called. Every symbol occurs in the
/// dimensions of at least one input.
typedef struct heddle_abi_symbol {
  heddle_abi_string_t name;
  int64_t min;     // smallest size that is accepted, 0 or more
  int64_t max;     // largest size, INT64_MAX for none
  int64_t divisor; // sizes are multiples of it; 1 or more
} heddle_abi_symbol_t;
HEDDLE_ABI_ASSERT(sizeof(heddle_abi_symbol_t) == 32);

/// An input or output: dense, row-major.
typedef struct heddle_abi_tensor {
  heddle_abi_string_t name;
  uint32_t dtype; // heddle_dtype_t
  uint32_t reserved;
  heddle_abi_table_t dims; // of heddle_abi_dim_t; count is the rank
} heddle_abi_tensor_t;
HEDDLE_ABI_ASSERT(sizeof(heddle_abi_tensor_t) == 32);

/// A condition on the symbols that the plan function checks. The runtime tells
/// the user `sentence` ("node 'Add_3' expects sequence == 64") and both sides.
typedef struct heddle_abi_guard {
  heddle_abi_string_t sentence;
  uint32_t lhs_result; // indices into the plan's results
  uint32_t rhs_result;
} heddle_abi_guard_t;
HEDDLE_ABI_ASSERT(sizeof(heddle_abi_guard_t) == 16);

/// A fault that a kernel can find in its data. The runtime tells the user
/// `sentence` ("node 'Gather_7': index out of range") and the detail that the
/// kernel stored.
typedef struct heddle_abi_fault {
  heddle_abi_string_t sentence;
} heddle_abi_fault_t;
HEDDLE_ABI_ASSERT(sizeof(heddle_abi_fault_t) == 8);

/// An arena buffer: live from dispatch `first_dispatch` to `last_dispatch`,
/// both included. Buffers that are live in a common dispatch never overlap.
typedef struct heddle_abi_buffer {
  uint32_t size_result; // the plan result that is its size in bytes
  uint32_t first_dispatch;
  uint32_t last_dispatch;
  uint32_t reserved;
} heddle_abi_buffer_t;
HEDDLE_ABI_ASSERT(sizeof(heddle_abi_buffer_t) == 16);

/// One callable function of the model.
typedef struct heddle_abi_entry {
  heddle_abi_string_t name;
  heddle_abi_string_t plan_symbol; // of type heddle_plan_fn_t
  heddle_abi_string_t run_symbol;  // of type heddle_run_fn_t
  heddle_abi_table_t symbols;      // of heddle_abi_symbol_t
  heddle_abi_table_t inputs;       // of heddle_abi_tensor_t
  heddle_abi_table_t outputs;      // of heddle_abi_tensor_t
  heddle_abi_table_t guards;       // of heddle_abi_guard_t
  heddle_abi_table_t faults;       // of heddle_abi_fault_t
  heddle_abi_table_t buffers;      // of heddle_abi_buffer_t
  uint32_t result_count;           // int64 values that the plan writes
  uint32_t dispatch_count;         // every dispatch index is below it
  uint64_t scratch_size;           // bytes of scratch memory per worker
} heddle_abi_entry_t;
HEDDLE_ABI_ASSERT(sizeof(heddle_abi_entry_t) == 136);

/// A kernel, for people who inspect a module.
typedef struct heddle_abi_kernel {
  heddle_abi_string_t name;
} heddle_abi_kernel_t;
HEDDLE_ABI_ASSERT(sizeof(heddle_abi_kernel_t) == 8);

/// A file that the compiler read.
typedef struct heddle_abi_source {
  heddle_abi_string_t name; // relative to the model's folder
  uint64_t size;
  heddle_abi_digest_t sha256;
} heddle_abi_source_t;
HEDDLE_ABI_ASSERT(sizeof(heddle_abi_source_t) == 48);

/// A weight as stored in the weights file. The bytes between weights are zero.
typedef struct heddle_abi_weight {
  heddle_abi_string_t name;
  uint64_t offset; // in the weights file, a multiple of HEDDLE_ABI_ALIGNMENT
  uint64_t size;   // in bytes, as stored
  heddle_abi_digest_t sha256;
  uint32_t dtype; // heddle_dtype_t, as stored
  uint32_t reserved;
} heddle_abi_weight_t;
HEDDLE_ABI_ASSERT(sizeof(heddle_abi_weight_t) == 64);

/// The first record of a manifest.
typedef struct heddle_abi_manifest {
  uint32_t size;    // of this record as written
  uint32_t machine; // heddle_abi_machine_t
  uint64_t cpu_features;
  heddle_abi_string_t compiler; // name and version
  heddle_abi_string_t options;  // as given to the compiler
  heddle_abi_string_t target;
  heddle_abi_string_t weights_name; // file beside the module; empty for none
  uint64_t weights_size;            // of the file in bytes, header included
  heddle_abi_digest_t weights_id;   // equal to the one in the file's header
  heddle_abi_digest_t model;        // SHA-256 of the model file
  heddle_abi_table_t sources;       // of heddle_abi_source_t
  heddle_abi_table_t weights;       // of heddle_abi_weight_t, by offset
  heddle_abi_table_t entries;       // of heddle_abi_entry_t
  heddle_abi_table_t kernels;       // of heddle_abi_kernel_t
} heddle_abi_manifest_t;
HEDDLE_ABI_ASSERT(sizeof(heddle_abi_manifest_t) == 184);

//===----------------------------------------------------------------------===//
// Ends of the files
//===----------------------------------------------------------------------===//

/// The last bytes of a module.
typedef struct heddle_abi_trailer {
  uint8_t magic[HEDDLE_ABI_MAGIC_SIZE];
  uint32_t major;
  uint32_t minor;
  uint64_t manifest_offset;
  uint64_t manifest_size;
  uint64_t module_size;       // this trailer included
  heddle_abi_digest_t sha256; // of all bytes of the module before this field
} heddle_abi_trailer_t;
HEDDLE_ABI_ASSERT(sizeof(heddle_abi_trailer_t) == 72);

/// The first bytes of a weights file.
typedef struct heddle_abi_weights_header {
  uint8_t magic[HEDDLE_ABI_MAGIC_SIZE];
  uint64_t file_size;
  heddle_abi_digest_t id; // derived from the contents; see docs/abi.md
  uint32_t major;
  uint32_t reserved[3]; // 0
} heddle_abi_weights_header_t;
HEDDLE_ABI_ASSERT(sizeof(heddle_abi_weights_header_t) == 64);

//===----------------------------------------------------------------------===//
// Generated functions
//===----------------------------------------------------------------------===//

/// Evaluates everything about a call that depends on shapes alone. `symbols`
/// holds one size per symbol of the entry; `results` takes `result_count`
/// values, laid out as the manifest says. Returns 0, or 1 + the index of the
/// first guard that does not hold; that guard's two sides are written even
/// then. Touches no memory but `results`.
typedef int32_t (*heddle_plan_fn_t)(const int64_t *symbols, int64_t *results);

typedef struct heddle_call heddle_call_t;

/// What one worker sees of a call. Each worker has its own copy; the arrays
/// behind the pointers are shared unless said otherwise.
struct heddle_call {
  uint32_t size;          //   0: of this record, in bytes
  uint32_t worker;        //   4: this worker, below `workers`
  uint32_t workers;       //   8: at least 1
  uint32_t reserved;      //  12
  const int64_t *symbols; //  16: one size per symbol
  void *const *inputs;    //  24: data of each input
  void *const *outputs;   //  32: data of each output
  uint8_t *arena;         //  40: base of the arena buffers
  const int64_t *offsets; //  48: arena offset of each buffer
  const uint8_t *weights; //  56: first byte of the mapped weights file
  uint8_t *scratch;       //  64: this worker's own scratch memory
  int32_t (*barrier)(heddle_call_t *call); // 72: see below
  int32_t *fault;        //  80: 0, or 1 + the index of the first fault
  int64_t *fault_detail; //  88: a number for the fault's sentence
};
HEDDLE_ABI_ASSERT(sizeof(void *) != 8 || sizeof(heddle_call_t) == 96);
HEDDLE_ABI_ASSERT(sizeof(void *) != 8 ||
                  offsetof(heddle_call_t, symbols) == 16);
HEDDLE_ABI_ASSERT(sizeof(void *) != 8 || offsetof(heddle_call_t, fault) == 80);

/// Runs an entry. Every worker calls it once per call with the same arguments
/// except `worker` and `scratch`; kernels divide their work by `worker` and
/// `workers`, and scalar arithmetic is done by each worker for itself. Between
/// two dispatches that depend on each other every worker calls
/// `call->barrier(call)` and returns at once when that is not 0: a fault was
/// recorded, and all workers get the same answer at the same barrier.
///
/// A kernel records a fault by changing `*fault` from 0 to 1 + its index with
/// an atomic compare-and-exchange; whoever succeeds stores `*fault_detail`.
typedef void (*heddle_run_fn_t)(heddle_call_t *call);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // HEDDLE_MODULE_ABI_H_
