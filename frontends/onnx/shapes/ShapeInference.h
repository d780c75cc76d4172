//===- ShapeInference.h - the rounds of the shape analysis ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Private to the sources of this folder: how a ShapeAnalysis is made.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_SHAPES_SHAPEINFERENCE_H
#define HEDDLE_FRONTENDS_ONNX_SHAPES_SHAPEINFERENCE_H

#include "frontends/onnx/shapes/RuleContext.h"

namespace heddle {

/// Evaluates a function's operations in order, in rounds: what a guard in one
/// round establishes simplifies everything in the next, from the inputs on. The
/// last round learns nothing new.
class ShapeInference {
public:
  ShapeInference(ShapeAnalysis &analysis, mlir::func::FuncOp function,
                 const ShapeAnalysis::DimRanges &ranges)
      : analysis(analysis), function(function), ranges(ranges) {}

  mlir::LogicalResult run();

private:
  friend class RuleContext;

  void bindArguments();
  SymExpr bindDim(unsigned argument, unsigned axis, llvm::StringRef text);
  SymExpr bindLoneSymbol(unsigned argument, unsigned axis,
                         llvm::StringRef name);
  std::optional<SymExpr> bindSum(unsigned argument, unsigned axis,
                                 llvm::StringRef text);

  std::optional<SymExpr> parseTrial(SymContext &scratch, llvm::StringRef text);

  mlir::LogicalResult runRound();
  mlir::LogicalResult evaluate(mlir::Operation &op);
  mlir::LogicalResult checkResults(onnx::NodeOp node);
  void sortGuards();

  ShapeAnalysis &analysis;
  mlir::func::FuncOp function;
  const ShapeAnalysis::DimRanges &ranges;

  /// The declared shapes of the arguments, before any fact is known.
  llvm::SmallVector<std::optional<SymShape>> argumentShapes;
  llvm::SmallPtrSet<const SymAtom *, 8> boundSymbols;
  /// Unknown sizes by the node that made them and their number in it.
  llvm::DenseMap<std::pair<mlir::Operation *, unsigned>, SymExpr> unknowns;
  /// The node of each guard, as its position in the function.
  llvm::SmallVector<size_t> guardPositions;
  size_t position = 0;
  bool learnt = false;
};

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_SHAPES_SHAPEINFERENCE_H
