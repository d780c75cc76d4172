//===- RuleContext.h - what a shape rule sees of one node -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A shape rule is one function per ONNX operator: it reads what is known of the
// inputs, and sets what follows for the results. What a rule cannot tell it
// leaves unset. It fails, after a diagnostic, only where the node is provably
// wrong.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_SHAPES_RULECONTEXT_H
#define HEDDLE_FRONTENDS_ONNX_SHAPES_RULECONTEXT_H

#include "dialects/onnx/OnnxDialect.h"
#include "frontends/onnx/shapes/ShapeAnalysis.h"

#include "mlir/IR/Diagnostics.h"

namespace heddle {

class ShapeInference;

/// One node under analysis.
class RuleContext {
public:
  RuleContext(ShapeInference &inference, onnx::NodeOp op)
      : inference(inference), op(op) {}

  SymContext &symbols();
  SymExpr constant(int64_t value) { return symbols().constant(value); }
  mlir::MLIRContext *mlirContext() { return op->getContext(); }

  //===--------------------------------------------------------------------===//
  // The node
  //===--------------------------------------------------------------------===//

  llvm::StringRef opType() { return op.getOpType(); }
  int64_t version() { return op.getVersion(); }
  unsigned numInputs() { return op.getInputs().size(); }
  unsigned numResults() { return op->getNumResults(); }

  /// Whether input `index` exists and is not left out.
  bool hasInput(unsigned index);
  /// What is known of input `index`; nothing for one that is left out.
  const AbstractTensor &input(unsigned index);
  /// The shape of input `index`, null if not known.
  const SymShape *shape(unsigned index);
  /// The elements of input `index`, null if not known.
  const std::vector<SymExpr> *values(unsigned index);
  /// The elements of input `index` where all are constants.
  std::optional<llvm::SmallVector<int64_t>> constants(unsigned index);
  mlir::Type elementType(unsigned index) { return input(index).elementType; }

  int64_t intAttr(llvm::StringRef name, int64_t defaultValue);
  std::optional<llvm::SmallVector<int64_t>> intsAttr(llvm::StringRef name);
  llvm::StringRef stringAttr(llvm::StringRef name,
                             llvm::StringRef defaultValue);
  AbstractTensor tensorAttr(llvm::StringRef name);

  /// A list of integers that newer versions pass as input `index` and older
  /// ones as attribute `name`; nothing where both are absent or the input is
  /// not constant (`hasInput` tells which).
  std::optional<llvm::SmallVector<int64_t>>
  intsInputOrAttr(unsigned index, llvm::StringRef name);

  //===--------------------------------------------------------------------===//
  // Results
  //===--------------------------------------------------------------------===//

  /// Sets result `index`; nothing happens if the node has fewer results.
  void setResult(unsigned index, AbstractTensor tensor);
  void setResult(unsigned index, mlir::Type elementType, SymShape shape);

  /// Leaves everything about result 0 but its element type unset. Succeeds, so
  /// that a rule can return it where it cannot tell more.
  mlir::LogicalResult setTypeOnly(mlir::Type elementType);

  /// A size that the sizes of the inputs do not give. The same call in a later
  /// round of the analysis gives the same symbol.
  SymExpr unknown(llvm::StringRef reason);
  SymShape unknownShape(unsigned rank, llvm::StringRef reason);

  //===--------------------------------------------------------------------===//
  // Conditions
  //===--------------------------------------------------------------------===//

  /// `axis` counted from the front; fails with a diagnostic when it is not an
  /// axis of a tensor of this rank.
  mlir::FailureOr<unsigned> normalizeAxis(int64_t axis, unsigned rank);

  /// Demands `a == b` of two sizes, with a guard where that is not proved, and
  /// gives the simpler one. `what` names the sizes in diagnostics, for example
  /// "the contracted axes".
  mlir::FailureOr<SymExpr> unify(SymExpr a, SymExpr b, llvm::StringRef what);

  /// Demands `a <= b`, with a guard where that is not proved.
  mlir::LogicalResult requireLessEqual(SymExpr a, SymExpr b,
                                       llvm::StringRef what);

  /// The size that two axes broadcast to, with a guard where the sizes do not
  /// say that they fit.
  mlir::FailureOr<SymExpr> broadcastDims(SymExpr a, SymExpr b);
  mlir::FailureOr<SymShape> broadcastShapes(llvm::ArrayRef<SymExpr> a,
                                            llvm::ArrayRef<SymExpr> b);

  /// Demands that `operand` broadcasts to `target`, which it does not enlarge:
  /// counted from the last, every size is the target's or 1.
  mlir::LogicalResult requireBroadcastTo(llvm::ArrayRef<SymExpr> operand,
                                         llvm::ArrayRef<SymExpr> target,
                                         llvm::StringRef what);

  mlir::InFlightDiagnostic error();

private:
  bool oneTogether(SymExpr a, SymExpr b);
  void guard(ShapeGuard::Predicate predicate, SymExpr lhs, SymExpr rhs,
             const llvm::Twine &sentence);

  ShapeInference &inference;
  onnx::NodeOp op;
  unsigned unknowns = 0;
};

/// The signature of a rule.
using ShapeRule = mlir::LogicalResult (*)(RuleContext &node);

/// The rule for an operator, null if there is none.
ShapeRule lookupShapeRule(llvm::StringRef domain, llvm::StringRef opType);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_SHAPES_RULECONTEXT_H
