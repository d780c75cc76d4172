//===- TensorBuilder.h - tensors of symbolic size --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Builds `linalg` and `tensor` operations on tensors whose sizes are known as
// expressions. Broadcasts, views and the operands of dynamic sizes follow from
// the expressions; nothing asks a tensor for its size at run time.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_CONVERT_TENSORBUILDER_H
#define HEDDLE_FRONTENDS_ONNX_CONVERT_TENSORBUILDER_H

#include "dialects/symbolic/Materialize.h"
#include "frontends/onnx/shapes/ShapeAnalysis.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace heddle {

/// A tensor of the program and its sizes. An axis is static in the type where
/// its size is a constant expression.
struct SymTensor {
  mlir::Value value;
  SymShape shape;

  int64_t rank() const { return shape.size(); }
  mlir::RankedTensorType type() const {
    return mlir::cast<mlir::RankedTensorType>(value.getType());
  }
  mlir::Type elementType() const { return type().getElementType(); }
};

/// What an elementwise operation reads: a tensor, or one scalar that stands for
/// a tensor of any shape and is written into the body.
struct ElementwiseOperand {
  ElementwiseOperand(SymTensor tensor) : tensor(std::move(tensor)) {}
  ElementwiseOperand(mlir::TypedAttr constant) : constant(constant) {}
  ElementwiseOperand(SymExpr size, mlir::Type type) : size(size), type(type) {}

  SymTensor tensor;         ///< a null value if this is a scalar
  mlir::TypedAttr constant; ///< a number, or null
  SymExpr size;             ///< an integer of element type `type`, or null
  mlir::Type type;
};

class TensorBuilder {
public:
  /// Computes one element of the result from the elements of the operands.
  using Body = llvm::function_ref<mlir::Value(mlir::ImplicitLocOpBuilder &,
                                              mlir::ValueRange)>;
  /// Takes one element into an accumulator and returns the new accumulator.
  using Combine = llvm::function_ref<mlir::Value(mlir::ImplicitLocOpBuilder &,
                                                 mlir::Value element,
                                                 mlir::Value accumulator)>;

  /// Tensor operations go where `builder` points, index arithmetic where
  /// `sizes` writes it, which must dominate that point.
  TensorBuilder(const ShapeAnalysis &analysis, mlir::OpBuilder &builder,
                SymMaterializer &sizes)
      : builder(builder), loc(builder.getUnknownLoc()), analysis(analysis),
        sizes(sizes) {}

  /// The location of what is built from here on.
  void setLoc(mlir::Location newLoc) { loc = newLoc; }
  mlir::Location getLoc() const { return loc; }
  mlir::OpBuilder &getBuilder() { return builder; }
  SymContext &context() const { return analysis.context(); }
  SymExpr constant(int64_t value) { return context().constant(value); }

  //===--------------------------------------------------------------------===//
  // Sizes
  //===--------------------------------------------------------------------===//

  /// The `index` value of `expr`. An expression that the sizes of the inputs do
  /// not give is remembered for `takeUnresolved`, and the value is then 0.
  mlir::Value index(SymExpr expr);
  mlir::OpFoldResult mixed(SymExpr expr);
  llvm::SmallVector<mlir::OpFoldResult> mixed(llvm::ArrayRef<SymExpr> exprs);
  llvm::SmallVector<mlir::Value> dynamicSizes(llvm::ArrayRef<SymExpr> shape);

  /// The first expression since the last call that had no value, if any.
  SymExpr takeUnresolved() { return std::exchange(unresolved, SymExpr()); }

  static mlir::RankedTensorType type(llvm::ArrayRef<SymExpr> shape,
                                     mlir::Type elementType);

  //===--------------------------------------------------------------------===//
  // Computation
  //===--------------------------------------------------------------------===//

  SymTensor empty(llvm::ArrayRef<SymExpr> shape, mlir::Type elementType);

  /// A tensor with `value` everywhere.
  SymTensor fill(llvm::ArrayRef<SymExpr> shape, mlir::TypedAttr value);

  /// A tensor of a shape that has a size of 0.
  SymTensor noElements(llvm::ArrayRef<SymExpr> shape, mlir::Type elementType);

  /// One `linalg.generic` that computes every element of `shape` from the
  /// operands, which broadcast to it as numpy's do. Without operands the body
  /// computes from `linalg.index`.
  SymTensor map(llvm::ArrayRef<SymExpr> shape, mlir::Type elementType,
                llvm::ArrayRef<ElementwiseOperand> operands, Body body);

  /// One `linalg.generic` that combines the elements of `input` over `axes`,
  /// starting from `identity`, whose type is the accumulator's. The axes are
  /// not in the shape of the result.
  SymTensor reduce(const SymTensor &input, llvm::ArrayRef<int64_t> axes,
                   mlir::TypedAttr identity, Combine combine);

  //===--------------------------------------------------------------------===//
  // Views
  //===--------------------------------------------------------------------===//

  /// The same elements in row-major order; the number of elements is equal.
  SymTensor reshape(const SymTensor &input, llvm::ArrayRef<SymExpr> shape);

  /// result[i_0, ..] = input with axis `permutation[k]` of it at place k.
  SymTensor transpose(const SymTensor &input,
                      llvm::ArrayRef<int64_t> permutation);

  /// result[i] = input[offset + step * i] along `axis`; steps are positive.
  SymTensor slice(const SymTensor &input, int64_t axis, SymExpr offset,
                  SymExpr size, int64_t step = 1);

  SymTensor concat(int64_t axis, llvm::ArrayRef<SymTensor> inputs);

  /// A view of `shape` in which `input` is repeated, as numpy broadcasts.
  SymTensor broadcastTo(const SymTensor &input, llvm::ArrayRef<SymExpr> shape);

  /// `input` with a type in which every constant size of `shape` is static.
  SymTensor withShape(const SymTensor &input, llvm::ArrayRef<SymExpr> shape);

private:
  mlir::Value castTo(mlir::Value value, mlir::RankedTensorType type);
  mlir::AffineMap operandMap(SymTensor &operand, llvm::ArrayRef<SymExpr> shape);
  mlir::Value scalarIn(mlir::ImplicitLocOpBuilder &body,
                       const ElementwiseOperand &operand, mlir::Value size);
  SymTensor collapse(const SymTensor &input,
                     llvm::ArrayRef<mlir::ReassociationIndices> groups,
                     llvm::ArrayRef<SymExpr> groupSizes);
  SymTensor expand(const SymTensor &input, llvm::ArrayRef<SymExpr> shape,
                   llvm::ArrayRef<mlir::ReassociationIndices> groups);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  const ShapeAnalysis &analysis;
  SymMaterializer &sizes;
  SymExpr unresolved;
};

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_CONVERT_TENSORBUILDER_H
