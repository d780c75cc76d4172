// TensorMapLayout.h - this library's 128 bytes of a tensor map; private.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_TENSORMAPLAYOUT_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_TENSORMAPLAYOUT_H

#include "codegen/nvidia/ptx/TensorMap.h"

namespace heddle::ptx {

/// Fields as `tensormap.replace` names them (PTX ISA 5.5.8). Kernels may build
/// a map from zeroed bytes, so no field may need a value that none can set.
struct TensorMapBytes {
  uint8_t element, swizzle, interleave, fillNan, rankMinusOne, reserved[3];
  uint64_t base;
  uint64_t dims[5];
  uint64_t strides[4];
  uint16_t box[5];
  uint16_t elementStrides[5];
  uint8_t padding[20];
};
static_assert(sizeof(TensorMapBytes) == 128);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_TENSORMAPLAYOUT_H
