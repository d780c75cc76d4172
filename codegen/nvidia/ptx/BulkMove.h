// BulkMove.h - how a bulk tensor copy walks its box; private.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_BULKMOVE_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_BULKMOVE_H

#include "codegen/nvidia/ptx/Machine.h"

namespace heddle::ptx {

/// A box in shared memory: dense rows of dimension 0.
struct BoxShape {
  explicit BoxShape(const TensorMap &map);
  uint32_t element;
  uint32_t count[5];
  uint32_t rowBytes, rows;
  uint64_t bytes() const { return uint64_t(rowBytes) * rows; }
};

/// The part of a row that lies in the tensor: elements `first` to before
/// `last`, the first of them at `address`.
struct BoxRow {
  uint64_t address = 0;
  uint32_t first = 0, last = 0;
};
BoxRow boxRow(const TensorMap &map, const BoxShape &shape,
              const int64_t *coordinates, uint32_t row);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_BULKMOVE_H
