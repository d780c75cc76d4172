//===- ElementwiseMatch.h - look into elementwise ops -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Importers make one linalg.generic per operator of the model. These matchers
// see such an op as what it was: one scalar op on tensors and constants.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_PASSES_ANALYSIS_ELEMENTWISEMATCH_H
#define HEDDLE_PASSES_ANALYSIS_ELEMENTWISEMATCH_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <optional>

namespace heddle {

/// An operand of the scalar op of an elementwise op.
struct ScalarOperand {
  /// The tensor that the element comes from, or null for a constant.
  mlir::Value tensor;
  /// How the tensor is indexed by the loops.
  mlir::AffineMap map;
  /// The constant; floats only.
  std::optional<double> constant;

  /// Whether the element is read at the loop indices themselves.
  bool isIdentity() const { return tensor && map.isIdentity(); }
};

/// An elementwise linalg.generic whose body is one scalar op.
struct ElementwiseOp {
  mlir::linalg::GenericOp generic;
  mlir::Operation *scalar = nullptr;

  explicit operator bool() const { return scalar != nullptr; }

  /// Operand `index` of the scalar op; neither tensor nor constant if it is
  /// something else.
  ScalarOperand getOperand(unsigned index);
};

/// The elementwise op with one scalar op that makes `tensor`, if there is one.
ElementwiseOp getElementwise(mlir::Value tensor);

/// The value of a float constant, scalar or splat.
std::optional<double> getFloatConstant(mlir::Value value);

/// Matches `tensor` = x * factor or x / (1 / factor), and gives x and the
/// factor; x is read in place.
bool matchScaled(mlir::Value tensor, mlir::Value &x, double &factor);

/// Matches `tensor` = a op b, both read in some way, for a commutative or other
/// scalar op `Op`.
template <typename Op>
bool matchBinary(mlir::Value tensor, ScalarOperand &a, ScalarOperand &b) {
  ElementwiseOp op = getElementwise(tensor);
  if (!op || !mlir::isa<Op>(op.scalar))
    return false;
  a = op.getOperand(0);
  b = op.getOperand(1);
  return true;
}

/// Matches `tensor` = op(x), with x read in place.
template <typename Op>
bool matchUnary(mlir::Value tensor, mlir::Value &x) {
  ElementwiseOp op = getElementwise(tensor);
  if (!op || !mlir::isa<Op>(op.scalar) || !op.getOperand(0).isIdentity())
    return false;
  x = op.getOperand(0).tensor;
  return true;
}

} // namespace heddle

#endif // HEDDLE_PASSES_ANALYSIS_ELEMENTWISEMATCH_H
