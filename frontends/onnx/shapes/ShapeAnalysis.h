//===- ShapeAnalysis.h - symbolic shapes of an onnx function ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Finds the shape of every value of a function of `onnx` operations as
// expressions over the symbols of the function's inputs, by evaluating the
// integer part of the graph symbolically: what a Shape, Gather, Concat, ...
// chain computes is known element by element, so a Reshape to it is too.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_SHAPES_SHAPEANALYSIS_H
#define HEDDLE_FRONTENDS_ONNX_SHAPES_SHAPEANALYSIS_H

#include "dialects/symbolic/SymContext.h"
#include "frontends/onnx/shapes/AbstractTensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringMap.h"

namespace heddle {

/// A condition on the sizes of the inputs that the shapes take for granted. It
/// must be checked when the model runs, before anything else does.
struct ShapeGuard {
  enum class Predicate {
    Equal,     ///< lhs == rhs
    LessEqual, ///< lhs <= rhs
  };
  Predicate predicate;
  SymExpr lhs;
  SymExpr rhs;
  /// What to say when it is broken: which node expects what.
  std::string sentence;
};

/// How the value of a symbol is found from the inputs: it is the size of `axis`
/// of `argument`, less `offset` (0 unless only a sum such as `past_seq + seq`
/// names the symbol). The symbols of `offset` are bound by earlier bindings.
struct SymbolBinding {
  const SymAtom *symbol;
  unsigned argument;
  unsigned axis;
  SymExpr offset;
};

/// How an operand's axis relates to the axis of the result it broadcasts to.
enum class BroadcastKind {
  Same,      ///< provably the size of the result (perhaps by a guard)
  Stretch,   ///< provably 1, while the result is not
  Ambiguous, ///< 1 or the size of the result: decide when the model runs
};

/// The result of the analysis; refers to the function's values, so it is stale
/// once they are erased.
class ShapeAnalysis {
public:
  /// Ranges of input symbols by name, as given by `--dim`.
  using DimRanges = llvm::StringMap<SymRange>;

  /// Analyses `function`. Fails, after a diagnostic at the operation at fault,
  /// where the shapes are provably inconsistent or an attribute is malformed.
  /// An operation without a rule is no failure: its results are of unknown
  /// shape. Rules look at the shapes and element types that they compute, never
  /// at the result types of the operations.
  static mlir::FailureOr<std::unique_ptr<ShapeAnalysis>>
  run(mlir::func::FuncOp function, const DimRanges &ranges);

  /// Everything known of `value`.
  const AbstractTensor &lookup(mlir::Value value) const;

  bool hasShape(mlir::Value value) const {
    return lookup(value).shape.has_value();
  }
  /// The sizes of `value`, which has a shape.
  llvm::ArrayRef<SymExpr> shapeOf(mlir::Value value) const {
    return *lookup(value).shape;
  }
  /// The elements of an integer or boolean tensor, if they are known.
  std::optional<llvm::ArrayRef<SymExpr>> valuesOf(mlir::Value value) const;
  /// The same where every element is a constant.
  std::optional<llvm::SmallVector<int64_t>>
  constantsOf(mlir::Value value) const;
  /// The elements of a small floating-point tensor, if they are known.
  std::optional<llvm::ArrayRef<double>> floatsOf(mlir::Value value) const;

  /// How an axis of size `operandDim` is read as one of size `resultDim`.
  BroadcastKind broadcast(SymExpr operandDim, SymExpr resultDim) const;

  /// Where to read each symbol of the inputs when the model runs.
  llvm::ArrayRef<SymbolBinding> bindings() const { return bindingList; }

  /// The conditions to check at run time, in the order of the nodes that need
  /// them. Besides these, each input must have the shape that `shapeOf` its
  /// argument gives, with every symbol in its range. A guard whose sides are
  /// not computable is about sizes that only the data decide.
  llvm::ArrayRef<ShapeGuard> guards() const { return guardList; }

  /// The context of all expressions above.
  SymContext &context() const { return *symContext; }

private:
  friend class RuleContext;
  friend class ShapeInference;
  explicit ShapeAnalysis(std::unique_ptr<SymContext> context)
      : symContext(std::move(context)) {}

  std::unique_ptr<SymContext> symContext;
  /// Behind pointers: a rule reads its inputs while it sets its results.
  llvm::DenseMap<mlir::Value, std::unique_ptr<AbstractTensor>> tensors;
  std::vector<SymbolBinding> bindingList;
  std::vector<ShapeGuard> guardList;
};

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_SHAPES_SHAPEANALYSIS_H
