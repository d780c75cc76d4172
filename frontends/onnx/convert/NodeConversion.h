//===- NodeConversion.h - one ONNX node under conversion -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// What a conversion function sees: the node's attributes with the defaults of
// ONNX, its operands as tensors of the new program, what the shape analysis
// knows of them, and the builder to make the results with.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_CONVERT_NODECONVERSION_H
#define HEDDLE_FRONTENDS_ONNX_CONVERT_NODECONVERSION_H

#include "dialects/onnx/OnnxDialect.h"
#include "frontends/onnx/convert/TensorBuilder.h"

#include "mlir/IR/Diagnostics.h"

namespace heddle {

/// Whether the elements of `onnxValue` follow from the sizes of the inputs, so
/// that nothing computes them at run time.
bool isKnown(const ShapeAnalysis &analysis, mlir::Value onnxValue);

/// The values of the new program that stand for those of the old one.
class ValueTable {
public:
  ValueTable(const ShapeAnalysis &analysis, TensorBuilder &build)
      : analysis(analysis), build(build) {}

  void set(mlir::Value onnxValue, SymTensor tensor) {
    tensors[onnxValue] = std::move(tensor);
  }

  /// Says that every element of `onnxValue` is `value`, so that elementwise
  /// readers need no tensor.
  void setSplat(mlir::Value onnxValue, mlir::TypedAttr value) {
    splats[onnxValue] = value;
  }

  /// The tensor; a constant or known one is made on first use.
  SymTensor tensor(mlir::Value onnxValue);

  /// The one scalar that stands for all elements if there is such, else the
  /// tensor.
  ElementwiseOperand operand(mlir::Value onnxValue);

  const ShapeAnalysis &analysis;

private:
  mlir::Value makeKnown(mlir::Value onnxValue, mlir::RankedTensorType type);
  mlir::Value makeConstant(onnx::ConstantOp constant,
                           mlir::RankedTensorType type);

  TensorBuilder &build;
  llvm::DenseMap<mlir::Value, SymTensor> tensors;
  llvm::DenseMap<mlir::Value, mlir::TypedAttr> splats;
};

/// The element type in the new program: integers are signless there.
mlir::Type signless(mlir::Type elementType);

/// A number without the sign of its type.
mlir::TypedAttr signlessScalar(mlir::Attribute number);

class NodeConversion {
public:
  NodeConversion(onnx::NodeOp op, ValueTable &values, TensorBuilder &build)
      : build(build), op(op), values(values) {}

  TensorBuilder &build;

  mlir::Location getLoc() { return op.getLoc(); }
  llvm::StringRef opType() { return op.getOpType(); }
  int64_t version() { return op.getVersion(); }

  /// "node 'NAME'", for the sentences of run-time errors.
  std::string describe();

  /// A diagnostic at the node that starts with its operator.
  mlir::InFlightDiagnostic emitError();

  //===--------------------------------------------------------------------===//
  // Attributes
  //===--------------------------------------------------------------------===//

  bool hasAttr(llvm::StringRef name) { return op.getNodeAttr(name) != nullptr; }
  int64_t intAttr(llvm::StringRef name, int64_t defaultValue);
  double floatAttr(llvm::StringRef name, double defaultValue);
  llvm::StringRef stringAttr(llvm::StringRef name,
                             llvm::StringRef defaultValue);
  std::optional<llvm::SmallVector<int64_t>> intsAttr(llvm::StringRef name);
  /// The one element of a tensor attribute, without the sign of its type.
  std::optional<mlir::TypedAttr> scalarAttr(llvm::StringRef name);

  /// Attribute `name` as an axis of a tensor of rank `rank`, counted from the
  /// front; fails, after a diagnostic, where there is no such axis.
  mlir::FailureOr<int64_t> axisAttr(llvm::StringRef name, int64_t defaultValue,
                                    int64_t rank);
  mlir::FailureOr<int64_t> normalizeAxis(int64_t axis, int64_t rank);

  /// Axes that newer versions of an operator take as input `index` and older
  /// ones as attribute "axes", counted from the front; nothing where the node
  /// has neither. Fails, after a diagnostic, where they are not constant.
  mlir::FailureOr<std::optional<llvm::SmallVector<int64_t>>>
  axes(unsigned index, int64_t rank);

  //===--------------------------------------------------------------------===//
  // Operands
  //===--------------------------------------------------------------------===//

  unsigned numInputs() { return op.getInputs().size(); }
  bool hasInput(unsigned index);
  SymTensor input(unsigned index) { return tensor(onnxInput(index)); }
  /// The tensor of any value that stands before the node.
  SymTensor tensor(mlir::Value onnxValue) { return values.tensor(onnxValue); }
  ElementwiseOperand operand(unsigned index) {
    return values.operand(onnxInput(index));
  }
  llvm::ArrayRef<SymExpr> inputShape(unsigned index) {
    return values.analysis.shapeOf(onnxInput(index));
  }
  /// The element type with its sign, as the model has it.
  mlir::Type inputElementType(unsigned index);
  bool isUnsigned(unsigned index) {
    return inputElementType(index).isUnsignedInteger();
  }

  /// The elements of an integer input that follow from the sizes of the inputs.
  std::optional<llvm::ArrayRef<SymExpr>> inputValues(unsigned index);
  /// The same where every element is a constant.
  std::optional<llvm::SmallVector<int64_t>> inputConstants(unsigned index);

  mlir::Value onnxInput(unsigned index) { return op.getInputs()[index]; }
  const ShapeAnalysis &analysis() { return values.analysis; }

  //===--------------------------------------------------------------------===//
  // Results
  //===--------------------------------------------------------------------===//

  unsigned numResults() { return op->getNumResults(); }
  bool isUsed(unsigned index) {
    return index < op->getNumResults() && !op->getResult(index).use_empty();
  }
  llvm::ArrayRef<SymExpr> resultShape(unsigned index) {
    return values.analysis.shapeOf(op->getResult(index));
  }
  /// The element type of a result in the new program.
  mlir::Type resultElementType(unsigned index);
  /// The element type of a result with its sign.
  mlir::Type onnxResultElementType(unsigned index);

  /// Sets a result that somebody uses; its type is made that of the analysis.
  void setResult(unsigned index, SymTensor tensor);
  void setSplatResult(unsigned index, SymTensor tensor, mlir::TypedAttr value);

private:
  onnx::NodeOp op;
  ValueTable &values;
};

/// Converts one node: sets every result of it that is used, or fails after a
/// diagnostic.
using NodeConversionFunction = mlir::LogicalResult (*)(NodeConversion &node);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_CONVERT_NODECONVERSION_H
