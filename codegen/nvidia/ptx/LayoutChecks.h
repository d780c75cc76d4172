// LayoutChecks.h - readers of shared memory against what tensor copies left
// there; private. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each reports `FindingKind::Layout`, and nothing where bytes are not from a
// tensor copy.

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_LAYOUTCHECKS_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_LAYOUTCHECKS_H

#include "codegen/nvidia/ptx/Access.h"
#include "codegen/nvidia/ptx/Wgmma.h"

namespace heddle::ptx {

/// The part of a wgmma operand that a warp reads. Lines are rows of the pattern
/// of the descriptor, units are 16 bytes along them.
struct OperandUnits {
  bool transposed;
  uint32_t firstLine, lastLine;
  uint32_t firstUnit, lastUnit;
};

/// The place in its box at which an operand starts along K, in elements.
struct OperandStart {
  const BoxLayout *box = nullptr; ///< null: not from a tensor copy
  uint32_t k = 0;
  uint32_t extent = 0; ///< of the box along K
};

/// Where the operand starts of which `units` is a part. `outer` and `k` are its
/// elements of `bytes` bytes along M or N and along K: boxes are cut into tiles
/// and steps of these sizes, so that it may not start in the middle of one.
OperandStart checkOperandStart(Warp &warp, const Op &op, const char *what,
                               const MatrixDescriptor &descriptor,
                               const OperandUnits &units, uint32_t outer,
                               uint32_t k, uint32_t bytes);

/// Whether A and B start at the same step of K in their boxes.
void checkContraction(Warp &warp, const Op &op, const OperandStart &a,
                      const OperandStart &b);

/// Whether the swizzle of the descriptor undoes that of the copy, and whether
/// its strides lead from row to row and from column to column as the box does.
/// `what` names the operand.
void checkOperandLayout(Warp &warp, const Op &op, const char *what,
                        const MatrixDescriptor &descriptor,
                        const OperandUnits &units);

/// Whether each eight of the rows of an ldmatrix lie in one column of the box.
void checkMatrixRows(Warp &warp, const Op &op, const LaneTargets &targets,
                     unsigned rows);

/// Whether a tensor store undoes the swizzle of the load that brought its box.
void checkStoredBox(Warp &warp, const Op &op, const BulkCopy &copy);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_LAYOUTCHECKS_H
