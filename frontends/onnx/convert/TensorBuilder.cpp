//===- TensorBuilder.cpp - computation on tensors of symbolic size --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/convert/TensorBuilder.h"

#include "dialects/heddle/HeddleDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/AffineExpr.h"

using namespace mlir;
using namespace heddle;

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

Value TensorBuilder::index(SymExpr expr) {
  if (Value value = sizes.materialize(expr))
    return value;
  if (!unresolved)
    unresolved = expr;
  return sizes.materialize(constant(0));
}

OpFoldResult TensorBuilder::mixed(SymExpr expr) {
  if (std::optional<int64_t> value = expr.constant())
    return builder.getIndexAttr(*value);
  return index(expr);
}

SmallVector<OpFoldResult> TensorBuilder::mixed(ArrayRef<SymExpr> exprs) {
  return llvm::map_to_vector(exprs, [&](SymExpr e) { return mixed(e); });
}

SmallVector<Value> TensorBuilder::dynamicSizes(ArrayRef<SymExpr> shape) {
  SmallVector<Value> values;
  for (SymExpr size : shape)
    if (!size.constant())
      values.push_back(index(size));
  return values;
}

RankedTensorType TensorBuilder::type(ArrayRef<SymExpr> shape,
                                     Type elementType) {
  SmallVector<int64_t> dims;
  for (SymExpr size : shape)
    dims.push_back(size.constant().value_or(ShapedType::kDynamic));
  return RankedTensorType::get(dims, elementType);
}

//===----------------------------------------------------------------------===//
// Computation
//===----------------------------------------------------------------------===//

SymTensor TensorBuilder::empty(ArrayRef<SymExpr> shape, Type elementType) {
  RankedTensorType resultType = type(shape, elementType);
  Value value =
      tensor::EmptyOp::create(builder, loc, resultType, dynamicSizes(shape));
  return {value, SymShape(shape)};
}

SymTensor TensorBuilder::fill(ArrayRef<SymExpr> shape, TypedAttr value) {
  SymTensor init = empty(shape, value.getType());
  Value scalar = arith::ConstantOp::create(builder, loc, value);
  auto op = linalg::FillOp::create(builder, loc, scalar, init.value);
  return {op.getResult(0), init.shape};
}

SymTensor TensorBuilder::noElements(ArrayRef<SymExpr> shape, Type elementType) {
  return fill(shape, builder.getZeroAttr(elementType));
}

/// The map from the loops of `shape` to the axes of `operand`, which is
/// replaced by a broadcast view where only the run time knows its sizes.
AffineMap TensorBuilder::operandMap(SymTensor &operand,
                                    ArrayRef<SymExpr> shape) {
  MLIRContext *mlirContext = builder.getContext();
  int64_t first = shape.size() - operand.rank();
  SymShape viewShape = operand.shape;
  bool ambiguous = false;
  SmallVector<AffineExpr> axes;
  for (auto [axis, size] : llvm::enumerate(operand.shape)) {
    SymExpr target = shape[first + axis];
    BroadcastKind kind = analysis.broadcast(size, target);
    if (size.isConstant(1) || kind == BroadcastKind::Stretch) {
      axes.push_back(getAffineConstantExpr(0, mlirContext));
      continue;
    }
    axes.push_back(getAffineDimExpr(first + axis, mlirContext));
    if (kind == BroadcastKind::Ambiguous) {
      ambiguous = true;
      viewShape[axis] = target;
    }
  }
  if (ambiguous)
    operand = broadcastTo(operand, viewShape);
  return AffineMap::get(shape.size(), 0, axes, mlirContext);
}

/// The scalar that `operand` stands for, as a value of the body.
Value TensorBuilder::scalarIn(ImplicitLocOpBuilder &body,
                              const ElementwiseOperand &operand, Value size) {
  if (operand.constant)
    return arith::ConstantOp::create(body, operand.constant);
  return arith::IndexCastOp::create(body, operand.type, size);
}

SymTensor TensorBuilder::map(ArrayRef<SymExpr> shape, Type elementType,
                             ArrayRef<ElementwiseOperand> operands, Body body) {
  SmallVector<Value> inputs, scalarSizes(operands.size());
  SmallVector<AffineMap> maps;
  for (auto [i, operand] : llvm::enumerate(operands)) {
    if (operand.size)
      scalarSizes[i] = index(operand.size);
    if (!operand.tensor.value)
      continue;
    SymTensor tensor = operand.tensor;
    maps.push_back(operandMap(tensor, shape));
    inputs.push_back(tensor.value);
  }
  maps.push_back(builder.getMultiDimIdentityMap(shape.size()));
  SmallVector<utils::IteratorType> loops(shape.size(),
                                         utils::IteratorType::parallel);

  SymTensor init = empty(shape, elementType);
  auto op = linalg::GenericOp::create(
      builder, loc, init.value.getType(), inputs, init.value, maps, loops,
      [&](OpBuilder &nested, Location nestedLoc, ValueRange blockArgs) {
        ImplicitLocOpBuilder b(nestedLoc, nested);
        SmallVector<Value> args;
        size_t next = 0;
        for (auto [i, operand] : llvm::enumerate(operands))
          args.push_back(operand.tensor.value
                             ? blockArgs[next++]
                             : scalarIn(b, operand, scalarSizes[i]));
        linalg::YieldOp::create(b, body(b, args));
      });
  return {op.getResult(0), init.shape};
}

SymTensor TensorBuilder::reduce(const SymTensor &input, ArrayRef<int64_t> axes,
                                TypedAttr identity, Combine combine) {
  MLIRContext *mlirContext = builder.getContext();
  SmallVector<utils::IteratorType> loops(input.rank(),
                                         utils::IteratorType::parallel);
  for (int64_t axis : axes)
    loops[axis] = utils::IteratorType::reduction;
  SymShape shape;
  SmallVector<AffineExpr> kept;
  for (auto [axis, size] : llvm::enumerate(input.shape)) {
    if (loops[axis] == utils::IteratorType::reduction)
      continue;
    shape.push_back(size);
    kept.push_back(getAffineDimExpr(axis, mlirContext));
  }
  AffineMap maps[] = {builder.getMultiDimIdentityMap(input.rank()),
                      AffineMap::get(input.rank(), 0, kept, mlirContext)};

  SymTensor init = fill(shape, identity);
  auto op = linalg::GenericOp::create(
      builder, loc, init.value.getType(), input.value, init.value, maps, loops,
      [&](OpBuilder &nested, Location nestedLoc, ValueRange args) {
        ImplicitLocOpBuilder b(nestedLoc, nested);
        linalg::YieldOp::create(b, combine(b, args[0], args[1]));
      });
  return {op.getResult(0), shape};
}
