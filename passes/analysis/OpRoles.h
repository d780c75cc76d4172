//===- OpRoles.h - what an op is to kernel formation ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_PASSES_ANALYSIS_OPROLES_H
#define HEDDLE_PASSES_ANALYSIS_OPROLES_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Operation.h"

namespace heddle {

/// What an op of the program on tensors is to kernel formation.
enum class OpRole {
  /// Sizes, symbols, weights, constants, views, concatenations, empty tensors,
  /// return: what the host program keeps.
  host,
  /// heddle.contraction
  contraction,
  /// heddle.attention
  attention,
  /// heddle.layer_norm, linalg.softmax over the last axis, or a linalg.generic
  /// whose one reduction is over the last axis of its first operand.
  row,
  /// A linalg.generic that reduces other axes of its first operand, or several.
  reduction,
  /// A linalg.generic that only has parallel loops and writes each element of
  /// its results once, in order.
  elementwise,
  /// Fills the initial value of a reduction.
  fill,
  /// Any other computation.
  other,
};

/// The role of `op`.
OpRole getOpRole(mlir::Operation *op);

/// Whether `op` only gives another view of a tensor: transpose, reshape, slice,
/// cast or broadcast.
bool isView(mlir::Operation *op);

/// Whether every element of `use`'s tensor is read by `op` at the loop indices
/// themselves, and results are written at them, so that the op can run where
/// the tensor is produced.
bool readsElementwise(mlir::linalg::GenericOp op, mlir::OpOperand &use);

} // namespace heddle

#endif // HEDDLE_PASSES_ANALYSIS_OPROLES_H
