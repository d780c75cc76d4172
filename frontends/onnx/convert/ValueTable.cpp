//===- ValueTable.cpp - constants and known values as tensors -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/HeddleDialect.h"
#include "frontends/onnx/convert/NodeConversion.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace heddle;

Type heddle::signless(Type elementType) {
  if (auto integer = dyn_cast<IntegerType>(elementType))
    return IntegerType::get(integer.getContext(), integer.getWidth());
  return elementType;
}

TypedAttr heddle::signlessScalar(Attribute number) {
  if (auto integer = dyn_cast<IntegerAttr>(number))
    return IntegerAttr::get(signless(integer.getType()), integer.getValue());
  return cast<FloatAttr>(number);
}

static TypedAttr integerScalar(Type type, int64_t value) {
  return IntegerAttr::get(type, APInt(type.getIntOrFloatBitWidth(), value,
                                      /*isSigned=*/true,
                                      /*implicitTrunc=*/true));
}

static APFloat floatOf(Type type, double value) {
  APFloat result(value);
  bool losesInfo = false;
  result.convert(cast<FloatType>(type).getFloatSemantics(),
                 APFloat::rmNearestTiesToEven, &losesInfo);
  return result;
}

static bool areComputable(ArrayRef<SymExpr> values) {
  return llvm::all_of(values, [](SymExpr e) { return e.isComputable(); });
}

bool heddle::isKnown(const ShapeAnalysis &analysis, Value onnxValue) {
  if (std::optional<ArrayRef<SymExpr>> known = analysis.valuesOf(onnxValue))
    return areComputable(*known);
  return analysis.floatsOf(onnxValue).has_value();
}

Value ValueTable::makeConstant(onnx::ConstantOp constant,
                               RankedTensorType type) {
  OpBuilder &builder = build.getBuilder();
  if (auto weight = dyn_cast<WeightAttr>(constant.getValue())) {
    auto typed = WeightAttr::get(weight.getFile(), weight.getOffset(),
                                 weight.getLength(), type);
    return WeightOp::create(builder, constant.getLoc(), type, typed,
                            /*panel=*/nullptr);
  }
  auto dense = cast<ElementsAttr>(constant.getValue());
  if (auto elements = dyn_cast<DenseElementsAttr>(dense))
    if (elements.getElementType() != type.getElementType())
      dense = elements.bitcast(type.getElementType());
  return arith::ConstantOp::create(builder, constant.getLoc(), dense);
}

Value ValueTable::makeKnown(Value onnxValue, RankedTensorType type) {
  OpBuilder &builder = build.getBuilder();
  Location loc = build.getLoc();
  Type elementType = type.getElementType();
  SmallVector<Attribute> constants;
  if (std::optional<ArrayRef<double>> floats = analysis.floatsOf(onnxValue)) {
    for (double value : *floats)
      constants.push_back(
          FloatAttr::get(elementType, floatOf(elementType, value)));
  } else if (std::optional<SmallVector<int64_t>> integers =
                 analysis.constantsOf(onnxValue)) {
    for (int64_t value : *integers)
      constants.push_back(integerScalar(elementType, value));
  } else {
    SmallVector<Value> elements;
    std::optional<ArrayRef<SymExpr>> values = analysis.valuesOf(onnxValue);
    for (SymExpr element : *values)
      elements.push_back(arith::IndexCastOp::create(builder, loc, elementType,
                                                    build.index(element)));
    return tensor::FromElementsOp::create(builder, loc, type, elements);
  }
  return arith::ConstantOp::create(builder, loc,
                                   DenseElementsAttr::get(type, constants));
}

SymTensor ValueTable::tensor(Value onnxValue) {
  auto known = tensors.find(onnxValue);
  if (known != tensors.end())
    return known->second;
  SymShape shape(analysis.shapeOf(onnxValue));
  RankedTensorType type = TensorBuilder::type(
      shape, signless(analysis.lookup(onnxValue).elementType));
  Value value;
  if (auto constant = onnxValue.getDefiningOp<onnx::ConstantOp>())
    value = makeConstant(constant, type);
  else
    value = makeKnown(onnxValue, type);
  return tensors[onnxValue] = {value, shape};
}

ElementwiseOperand ValueTable::operand(Value onnxValue) {
  if (TypedAttr splat = splats.lookup(onnxValue))
    return splat;
  if (auto constant = onnxValue.getDefiningOp<onnx::ConstantOp>()) {
    auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (dense && dense.isSplat())
      return signlessScalar(dense.getSplatValue<Attribute>());
    return tensor(onnxValue);
  }
  Type elementType = analysis.lookup(onnxValue).elementType;
  if (std::optional<ArrayRef<SymExpr>> known = analysis.valuesOf(onnxValue)) {
    if (!known->empty() && llvm::all_equal(*known) && areComputable(*known)) {
      SymExpr value = known->front();
      if (std::optional<int64_t> number = value.constant())
        return integerScalar(signless(elementType), *number);
      return ElementwiseOperand(value, signless(elementType));
    }
  } else if (std::optional<ArrayRef<double>> floats =
                 analysis.floatsOf(onnxValue)) {
    if (floats->size() == 1)
      return TypedAttr(
          FloatAttr::get(elementType, floatOf(elementType, floats->front())));
  }
  return tensor(onnxValue);
}
