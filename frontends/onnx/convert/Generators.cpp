//===- Generators.cpp - ConstantOfShape, OneHot, Range, Trilu -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/HeddleDialect.h"
#include "frontends/onnx/convert/Conversions.h"
#include "frontends/onnx/convert/Elementwise.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace heddle;

LogicalResult heddle::convertConstantOfShape(NodeConversion &node) {
  Type type = node.resultElementType(0);
  TypedAttr value = node.build.getBuilder().getZeroAttr(type);
  if (std::optional<TypedAttr> given = node.scalarAttr("value"))
    value = *given;
  node.setSplatResult(0, node.build.fill(node.resultShape(0), value), value);
  return success();
}

/// The position along loop `axis` as a number of the type `type`.
static Value position(ImplicitLocOpBuilder &b, int64_t axis, Type type) {
  Value index = linalg::IndexOp::create(b, axis);
  Value integer = arith::IndexCastOp::create(b, b.getI64Type(), index);
  return castScalar(b, integer, false, type, false);
}

/// result[i] = start + i * delta
LogicalResult heddle::convertRange(NodeConversion &node) {
  Type type = node.resultElementType(0);
  ElementwiseOperand operands[] = {node.operand(0), node.operand(2)};
  SymTensor result =
      node.build.map(node.resultShape(0), type, operands,
                     [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                       Value i = position(b, 0, type);
                       if (isa<FloatType>(type))
                         return arith::AddFOp::create(
                             b, x[0], arith::MulFOp::create(b, i, x[1]));
                       return arith::AddIOp::create(
                           b, x[0], arith::MulIOp::create(b, i, x[1]));
                     });
  node.setResult(0, result);
  return success();
}

/// result[.., i, j] = input[.., i, j] where j - i >= k (upper) or j - i <= k,
/// else 0
LogicalResult heddle::convertTrilu(NodeConversion &node) {
  TensorBuilder &build = node.build;
  int64_t rank = node.resultShape(0).size();
  if (rank < 2)
    return node.emitError()
           << "expects an input of rank 2 or more, got " << rank;
  arith::CmpIPredicate inside = node.intAttr("upper", 1) != 0
                                    ? arith::CmpIPredicate::sge
                                    : arith::CmpIPredicate::sle;
  Type type = node.resultElementType(0);
  Type i64 = build.getBuilder().getI64Type();
  TypedAttr noShift = build.getBuilder().getI64IntegerAttr(0);
  ElementwiseOperand operands[] = {
      node.operand(0), node.hasInput(1) ? node.operand(1) : noShift};
  SymTensor result =
      build.map(node.resultShape(0), type, operands,
                [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                  Value row = position(b, rank - 2, i64);
                  Value column = position(b, rank - 1, i64);
                  Value diagonal = arith::SubIOp::create(b, column, row);
                  Value keep = arith::CmpIOp::create(b, inside, diagonal, x[1]);
                  Value zero =
                      arith::ConstantOp::create(b, b.getZeroAttr(type));
                  return arith::SelectOp::create(b, keep, x[0], zero);
                });
  node.setResult(0, result);
  return success();
}

/// result[a.., k, b..] = values[1] where k is indices[a.., b..], else
/// values[0]; an index outside of -depth .. depth-1 is at no k.
LogicalResult heddle::convertOneHot(NodeConversion &node) {
  TensorBuilder &build = node.build;
  ArrayRef<SymExpr> shape = node.resultShape(0);
  FailureOr<int64_t> axis = node.axisAttr("axis", -1, shape.size());
  if (failed(axis))
    return failure();
  SymTensor indices = node.input(0);
  SymTensor values = node.input(2);
  SymShape aligned = indices.shape;
  aligned.insert(aligned.begin() + *axis, build.constant(1));
  Type i64 = build.getBuilder().getI64Type();
  ElementwiseOperand operands[] = {build.reshape(indices, aligned),
                                   ElementwiseOperand(shape[*axis], i64)};
  bool isUnsigned = node.isUnsigned(0);
  SymTensor result = build.map(
      shape, node.resultElementType(0), operands,
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        Value index = castScalar(b, x[0], isUnsigned, i64, false);
        Value fromEnd = arith::AddIOp::create(b, index, x[1]);
        Value zero = arith::ConstantOp::create(b, b.getI64IntegerAttr(0));
        Value negative =
            arith::CmpIOp::create(b, arith::CmpIPredicate::slt, index, zero);
        Value wanted = arith::SelectOp::create(b, negative, fromEnd, index);
        Value here = position(b, *axis, i64);
        Value hot =
            arith::CmpIOp::create(b, arith::CmpIPredicate::eq, here, wanted);
        Value choice = arith::IndexCastUIOp::create(b, b.getIndexType(), hot);
        return tensor::ExtractOp::create(b, values.value, choice);
      });
  node.setResult(0, result);
  return success();
}
