//===- ScalarToVector.cpp - scalar ops on the lanes of a vector -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/cpu/ScalarToVector.h"

#include "codegen/cpu/KernelFunction.h"
#include "codegen/cpu/VectorMath.h"
#include "dialects/heddle/HeddleDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include "llvm/ADT/STLExtras.h"

#include <limits>
#include <numeric>

using namespace mlir;
using namespace heddle;

VectorType LaneBuilder::vectorType(Type element) {
  return VectorType::get({width}, element);
}

Value LaneBuilder::allLanes() {
  if (mask)
    return mask;
  auto type = vectorType(b.getI1Type());
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, true));
}

/// A constant vector of `type` with `value` in every lane.
static Value splat(ImplicitLocOpBuilder &b, VectorType type, int64_t value) {
  return arith::ConstantOp::create(
      b, DenseElementsAttr::get(
             type, b.getIntegerAttr(type.getElementType(), value)));
}

Value LaneBuilder::toVector(Lanes lanes) {
  if (lanes.kind == Lanes::Kind::Varying)
    return lanes.value;
  Value vector = vector::BroadcastOp::create(
      b, vectorType(lanes.value.getType()), lanes.value);
  if (lanes.isUniform())
    return vector;
  Value steps = vector::StepOp::create(b, vectorType(b.getIndexType()));
  return arith::AddIOp::create(b, vector, steps);
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

/// The sum or difference of a linear index and a uniform one stays linear, so
/// that memory read with it is a vector load.
Lanes LaneBuilder::applyIndex(Operation *op, ArrayRef<Lanes> operands) {
  auto isLinear = [](Lanes lanes) { return lanes.kind == Lanes::Kind::Linear; };
  if (isa<arith::AddIOp, arith::SubIOp>(op) && operands[1].isUniform() &&
      isLinear(operands[0])) {
    IRMapping mapping;
    mapping.map(op->getOperands(),
                SmallVector<Value>{operands[0].value, operands[1].value});
    return Lanes::linear(b.clone(*op, mapping)->getResult(0));
  }
  if (isa<arith::AddIOp>(op) && operands[0].isUniform() &&
      isLinear(operands[1]))
    return Lanes::linear(
        arith::AddIOp::create(b, operands[0].value, operands[1].value));
  return {};
}

/// All lanes are checked at once; one that is outside, if any, is checked again
/// as a scalar, which reports it.
Lanes LaneBuilder::checkIndex(Operation *op, ArrayRef<Lanes> operands) {
  auto check = cast<CheckedIndexOp>(op);
  Value size = operands[1].value;
  auto indexType = vectorType(b.getIndexType());
  Value given = toVector(operands[0]);
  if (given.getType() != indexType)
    given = arith::IndexCastOp::create(b, indexType, given);
  Value zero = splat(b, indexType, 0);
  if (mask)
    given = arith::SelectOp::create(b, mask, given, zero);
  Value sizes = vector::BroadcastOp::create(b, indexType, size);
  Value negative =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, given, zero);
  Value index = arith::SelectOp::create(
      b, negative, arith::AddIOp::create(b, given, sizes), given);
  Value outside =
      arith::CmpIOp::create(b, arith::CmpIPredicate::uge, index, sizes);
  Value any =
      vector::ReductionOp::create(b, vector::CombiningKind::OR, outside);
  auto ifAny = scf::IfOp::create(b, any, /*withElseRegion=*/false);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(ifAny.thenBlock());
    Value lowest = splat(b, indexType, std::numeric_limits<int64_t>::min());
    Value wrong = vector::ReductionOp::create(
        b, vector::CombiningKind::MAXSI,
        arith::SelectOp::create(b, outside, given, lowest));
    wrong = arith::IndexCastOp::create(b, b.getI64Type(), wrong);
    CheckedIndexOp::create(b, b.getIndexType(), wrong, size, check.getText());
  }
  return Lanes::varying(arith::SelectOp::create(b, outside, zero, index));
}

FailureOr<SmallVector<Lanes>> LaneBuilder::apply(Operation *op,
                                                 ArrayRef<Lanes> operands) {
  b.setLoc(op->getLoc());
  bool uniform = llvm::all_of(operands, [](Lanes l) { return l.isUniform(); });
  if (isa<CheckedIndexOp>(op) && !uniform) {
    if (!operands[1].isUniform())
      return failure();
    return SmallVector<Lanes>{checkIndex(op, operands)};
  }
  if (!uniform)
    if (Lanes linear = applyIndex(op, operands); linear.value)
      return SmallVector<Lanes>{linear};

  SmallVector<Value> values;
  for (Lanes operand : operands)
    values.push_back(uniform ? operand.value : toVector(operand));
  auto make = uniform ? Lanes::uniform : Lanes::varying;
  if (Value expanded = expandMath(b, op, values))
    return SmallVector<Lanes>{make(expanded)};

  IRMapping mapping;
  mapping.map(op->getOperands(), values);
  if (uniform) {
    SmallVector<Lanes> results;
    for (Value result : b.clone(*op, mapping)->getResults())
      results.push_back(make(result));
    return results;
  }
  if (!OpTrait::hasElementwiseMappableTraits(op))
    return failure();
  // A lane that does not exist must not divide by what it happens to hold.
  if (mask &&
      isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp,
          arith::CeilDivSIOp, arith::CeilDivUIOp, arith::FloorDivSIOp>(op))
    values[1] = arith::SelectOp::create(
        b, mask, values[1], splat(b, cast<VectorType>(values[1].getType()), 1));
  SmallVector<Type> types;
  for (Type type : op->getResultTypes())
    types.push_back(vectorType(type));
  OperationState state(op->getLoc(), op->getName(), values, types,
                       op->getAttrs());
  SmallVector<Lanes> results;
  for (Value result : b.create(state)->getResults())
    results.push_back(make(result));
  return results;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value heddle::flattenMemory(ImplicitLocOpBuilder &b, Value memref) {
  auto metadata = memref::ExtractStridedMetadataOp::create(b, memref);
  auto source = cast<MemRefType>(memref.getType());
  auto layout =
      StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic, {1});
  auto type = MemRefType::get({std::numeric_limits<int64_t>::max()},
                              source.getElementType(), layout);
  return memref::ReinterpretCastOp::create(
      b, type, metadata.getBaseBuffer(), OpFoldResult(metadata.getOffset()),
      ArrayRef<OpFoldResult>{
          b.getIndexAttr(std::numeric_limits<int64_t>::max())},
      ArrayRef<OpFoldResult>{b.getIndexAttr(1)});
}

/// The indices of lane 0, none of which varies.
static SmallVector<Value> toScalars(ArrayRef<Lanes> indices) {
  return llvm::map_to_vector(indices, [](Lanes index) { return index.value; });
}

/// The offset of every lane's element from the first element, in elements.
Value LaneBuilder::offsets(Value memref, ArrayRef<Lanes> indices) {
  auto metadata = memref::ExtractStridedMetadataOp::create(b, memref);
  auto indexType = vectorType(b.getIndexType());
  Value sum;
  for (auto [index, stride] : llvm::zip_equal(indices, metadata.getStrides())) {
    Value strides = vector::BroadcastOp::create(b, indexType, stride);
    Value term = arith::MulIOp::create(b, toVector(index), strides);
    sum = sum ? arith::AddIOp::create(b, sum, term).getResult() : term;
  }
  return sum;
}

/// `memref`, whose last axis has stride 1, with a type that says so.
static Value withUnitInner(ImplicitLocOpBuilder &b, Value memref) {
  auto source = cast<MemRefType>(memref.getType());
  auto [known, offset] = source.getStridesAndOffset();
  if (known.back() == 1)
    return memref;
  auto metadata = memref::ExtractStridedMetadataOp::create(b, memref);
  SmallVector<int64_t> strides(source.getRank(), ShapedType::kDynamic);
  strides.back() = 1;
  auto type = MemRefType::get(
      source.getShape(), source.getElementType(),
      StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic, strides));
  SmallVector<OpFoldResult> mixedStrides(metadata.getStrides());
  mixedStrides.back() = b.getIndexAttr(1);
  return memref::ReinterpretCastOp::create(
      b, type, metadata.getBaseBuffer(), OpFoldResult(metadata.getOffset()),
      memref::getMixedSizes(b, b.getLoc(), memref), mixedStrides);
}

/// Lane i at the last index plus i.
Value LaneBuilder::load(Value memref, ArrayRef<Lanes> indices) {
  SmallVector<Value> at = toScalars(indices);
  memref = withUnitInner(b, memref);
  auto type = vectorType(cast<MemRefType>(memref.getType()).getElementType());
  if (!mask)
    return vector::LoadOp::create(b, type, memref, at);
  Value nothing =
      arith::ConstantOp::create(b, cast<TypedAttr>(b.getZeroAttr(type)));
  return vector::MaskedLoadOp::create(b, type, memref, at, mask, nothing);
}

Value LaneBuilder::gather(Value memref, ArrayRef<Lanes> indices) {
  auto type = vectorType(cast<MemRefType>(memref.getType()).getElementType());
  Value nothing =
      arith::ConstantOp::create(b, cast<TypedAttr>(b.getZeroAttr(type)));
  Value zero = arith::ConstantIndexOp::create(b, 0);
  return vector::GatherOp::create(b, type, flattenMemory(b, memref),
                                  ValueRange{zero}, offsets(memref, indices),
                                  allLanes(), nothing);
}

/// `type`, or the vector of it with the shape of `like`.
static Type withShapeOf(Type like, Type type) {
  auto vector = dyn_cast<VectorType>(like);
  return vector ? Type(vector.clone(type)) : type;
}

/// `value`, loaded from memory of `element`, as an element.
static Value fromMemory(ImplicitLocOpBuilder &b, Value value, Type element) {
  Type type = withShapeOf(value.getType(), element);
  if (type == value.getType())
    return value;
  if (!element.isInteger(1))
    return arith::BitcastOp::create(b, type, value);
  Value zero = arith::ConstantOp::create(
      b, cast<TypedAttr>(b.getZeroAttr(value.getType())));
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, value, zero);
}

/// The reverse of fromMemory.
static Value toMemory(ImplicitLocOpBuilder &b, Value value) {
  Type element = getElementTypeOrSelf(value);
  Type type = withShapeOf(value.getType(), getMemoryType(element));
  if (type == value.getType())
    return value;
  if (element.isInteger(1))
    return arith::ExtUIOp::create(b, type, value);
  return arith::BitcastOp::create(b, type, value);
}

/// Whether lanes at `indices` lie one behind the other in memory.
static bool isContiguous(ArrayRef<Lanes> indices, bool unitInner) {
  return unitInner && indices.back().kind == Lanes::Kind::Linear &&
         llvm::all_of(indices.drop_back(),
                      [](Lanes index) { return index.isUniform(); });
}

Lanes LaneBuilder::read(Value memref, ArrayRef<Lanes> indices, Type element,
                        bool unitInner) {
  Lanes lanes;
  if (llvm::all_of(indices, [](Lanes index) { return index.isUniform(); })) {
    lanes =
        Lanes::uniform(memref::LoadOp::create(b, memref, toScalars(indices)));
  } else {
    lanes = Lanes::varying(isContiguous(indices, unitInner)
                               ? load(memref, indices)
                               : gather(memref, indices));
  }
  lanes.value = fromMemory(b, lanes.value, element);
  return lanes;
}

void LaneBuilder::write(Lanes value, Value memref, ArrayRef<Lanes> indices,
                        bool unitInner) {
  if (llvm::all_of(indices, [](Lanes index) { return index.isUniform(); })) {
    memref::StoreOp::create(b, toMemory(b, value.value), memref,
                            toScalars(indices));
    return;
  }
  Value vector = toMemory(b, toVector(value));
  if (!isContiguous(indices, unitInner)) {
    Value zero = arith::ConstantIndexOp::create(b, 0);
    vector::ScatterOp::create(b, /*result=*/Type(), flattenMemory(b, memref),
                              ValueRange{zero}, offsets(memref, indices),
                              allLanes(), vector);
    return;
  }
  SmallVector<Value> at = toScalars(indices);
  memref = withUnitInner(b, memref);
  if (mask)
    vector::MaskedStoreOp::create(b, memref, at, mask, vector);
  else
    vector::StoreOp::create(b, vector, memref, at);
}
