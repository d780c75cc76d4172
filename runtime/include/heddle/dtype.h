// dtype.h - element types of tensors, shared by runtime.h and module_abi.h.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_DTYPE_H_
#define HEDDLE_DTYPE_H_

#ifdef __cplusplus
extern "C" {
#endif

/// Element types. Values are part of the ABI: append, never renumber.
typedef enum heddle_dtype {
  HEDDLE_F32 = 1,
  HEDDLE_F64 = 2,
  HEDDLE_F16 = 3,  // IEEE 754 binary16
  HEDDLE_BF16 = 4, // the upper half of a binary32
  HEDDLE_I8 = 5,
  HEDDLE_I16 = 6,
  HEDDLE_I32 = 7,
  HEDDLE_I64 = 8,
  HEDDLE_U8 = 9,
  HEDDLE_U16 = 10,
  HEDDLE_U32 = 11,
  HEDDLE_U64 = 12,
  HEDDLE_BOOL = 13, // one byte, 0 or 1
} heddle_dtype_t;

#ifdef __cplusplus
} // extern "C"
#endif

#endif // HEDDLE_DTYPE_H_
