// npy_dtypes.h - dtypes and the type codes of the .npy format.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_RUN_NPY_DTYPES_H_
#define HEDDLE_RUN_NPY_DTYPES_H_

#include "heddle/dtype.h"

/// A type code without its byte order, as in "f4".
typedef struct heddle_npy_dtype {
  heddle_dtype_t dtype;
  const char *code;
} heddle_npy_dtype_t;

#define HEDDLE_NPY_DTYPE_COUNT 13

static const heddle_npy_dtype_t heddle_npy_dtypes[HEDDLE_NPY_DTYPE_COUNT] = {
    {HEDDLE_F32, "f4"},  {HEDDLE_F64, "f8"}, {HEDDLE_F16, "f2"},
    {HEDDLE_BF16, "V2"}, {HEDDLE_I8, "i1"},  {HEDDLE_I16, "i2"},
    {HEDDLE_I32, "i4"},  {HEDDLE_I64, "i8"}, {HEDDLE_U8, "u1"},
    {HEDDLE_U16, "u2"},  {HEDDLE_U32, "u4"}, {HEDDLE_U64, "u8"},
    {HEDDLE_BOOL, "b1"},
};

#endif // HEDDLE_RUN_NPY_DTYPES_H_
