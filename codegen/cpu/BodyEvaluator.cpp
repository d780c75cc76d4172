//===- BodyEvaluator.cpp - elementwise ops at a place ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/cpu/BodyEvaluator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace heddle;

bool heddle::isElementwise(Operation *op) {
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic || generic.getNumParallelLoops() != generic.getNumLoops())
    return false;
  return llvm::all_of(generic.getDpsInitsMutable(), [&](OpOperand &init) {
    return generic.getMatchingIndexingMap(&init).isIdentity();
  });
}

Value heddle::getUniformElement(KernelFunction &kernel, ImplicitLocOpBuilder &b,
                                Value tensor) {
  if (auto fill = tensor.getDefiningOp<linalg::FillOp>())
    return kernel.getScalar(fill.getDpsInputOperand(0)->get());
  DenseElementsAttr elements;
  if (matchPattern(tensor, m_Constant(&elements)) && elements.isSplat())
    return arith::ConstantOp::create(
        b, cast<TypedAttr>(elements.getSplatValue<Attribute>()));
  return {};
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// `memref` with all axes but the last as one.
static Value collapseRows(ImplicitLocOpBuilder &b, Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  if (type.getRank() <= 2)
    return memref;
  SmallVector<ReassociationIndices> groups(2);
  for (int64_t axis = 0; axis + 1 < type.getRank(); ++axis)
    groups[0].push_back(axis);
  groups[1] = {type.getRank() - 1};
  return memref::CollapseShapeOp::create(b, memref, groups);
}

/// Where the element at `position` is in `memref`.
static std::pair<Value, SmallVector<Lanes>> locate(ImplicitLocOpBuilder &b,
                                                   Value memref,
                                                   const Position &position,
                                                   Access access) {
  auto type = cast<MemRefType>(memref.getType());
  if (access == Access::Flat && type.getRank() > 0)
    return {flattenMemory(b, memref), position.indices};
  if (position.row && type.getRank() > 1 && type.getLayout().isIdentity())
    return {collapseRows(b, memref),
            {Lanes::uniform(position.row), position.indices.back()}};
  return {memref, position.indices};
}

bool BodyEvaluator::isUnitInner(Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  if (access != Access::Strided || type.getRank() == 0)
    return true;
  auto [strides, offset] = type.getStridesAndOffset();
  return strides.back() == 1;
}

Lanes BodyEvaluator::readMemory(Value tensor, ArrayRef<Lanes> indices) {
  Value memref = kernel.getArgument(tensor);
  return lanes.read(memref, indices, getElementTypeOrSelf(tensor),
                    isUnitInner(memref));
}

llvm::Expected<Lanes> BodyEvaluator::evaluateExpr(AffineExpr expr) {
  ImplicitLocOpBuilder &b = lanes.getBuilder();
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return position.indices[dim.getPosition()];
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return Lanes::uniform(
        arith::ConstantIndexOp::create(b, constant.getValue()));
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return unsupported("an indexing map with symbols");
  auto lhs = evaluateExpr(binary.getLHS());
  if (!lhs)
    return lhs;
  auto rhs = evaluateExpr(binary.getRHS());
  if (!rhs)
    return rhs;
  // Loop indices and factors are not negative, so the unsigned ops do.
  Value left =
      lhs->isUniform() && rhs->isUniform() ? lhs->value : lanes.toVector(*lhs);
  Value right =
      lhs->isUniform() && rhs->isUniform() ? rhs->value : lanes.toVector(*rhs);
  Value result;
  if (expr.getKind() == AffineExprKind::Add)
    result = arith::AddIOp::create(b, left, right);
  else if (expr.getKind() == AffineExprKind::Mul)
    result = arith::MulIOp::create(b, left, right);
  else if (expr.getKind() == AffineExprKind::FloorDiv)
    result = arith::DivUIOp::create(b, left, right);
  else if (expr.getKind() == AffineExprKind::Mod)
    result = arith::RemUIOp::create(b, left, right);
  else
    return unsupported("an indexing map with ceildiv");
  return lhs->isUniform() && rhs->isUniform() ? Lanes::uniform(result)
                                              : Lanes::varying(result);
}

llvm::Expected<Lanes> BodyEvaluator::read(Value tensor, AffineMap map) {
  ImplicitLocOpBuilder &b = lanes.getBuilder();
  if (map.isIdentity())
    if (auto it = known.find(tensor); it != known.end())
      return it->second;
  if (Value element = getUniformElement(kernel, b, tensor))
    return Lanes::uniform(element);
  if (!isa<BlockArgument>(tensor))
    return unsupported("an intermediate value that is read out of order");
  Value memref = kernel.getArgument(tensor);
  if (map.isIdentity()) {
    auto [view, indices] = locate(b, memref, position, access);
    return lanes.read(view, indices, getElementTypeOrSelf(tensor),
                      isUnitInner(view));
  }
  SmallVector<Lanes> indices;
  for (AffineExpr expr : map.getResults()) {
    auto index = evaluateExpr(expr);
    if (!index)
      return index;
    indices.push_back(*index);
  }
  return readMemory(tensor, indices);
}

llvm::Expected<Lanes> BodyEvaluator::get(Value tensor) {
  unsigned rank = cast<RankedTensorType>(tensor.getType()).getRank();
  return read(tensor,
              AffineMap::getMultiDimIdentityMap(rank, tensor.getContext()));
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

llvm::Expected<Lanes> BodyEvaluator::extract(Value tensor,
                                             ArrayRef<Lanes> indices) {
  if (isa<BlockArgument>(tensor))
    return readMemory(tensor, indices);
  if (Value element = getUniformElement(kernel, lanes.getBuilder(), tensor))
    return Lanes::uniform(element);
  return unsupported("a gather from an intermediate value");
}

/// The value of a scalar that a body uses: its own or one from outside.
llvm::Expected<Lanes> BodyEvaluator::lookup(Value value, const Values &values) {
  if (auto it = values.find(value); it != values.end())
    return it->second;
  if (Value scalar = kernel.getScalar(value))
    return Lanes::uniform(scalar);
  return unsupported("a scalar that is computed from tensors");
}

/// Computes the results of one op of a generic's body into `values`.
llvm::Error BodyEvaluator::evaluateOp(Operation *op, Values &values) {
  if (auto index = dyn_cast<linalg::IndexOp>(op)) {
    values[index] = position.indices[index.getDim()];
    return llvm::Error::success();
  }
  SmallVector<Lanes> operands;
  for (Value operand : op->getOperands()) {
    if (isa<TensorType>(operand.getType()))
      continue;
    auto value = lookup(operand, values);
    if (!value)
      return value.takeError();
    operands.push_back(*value);
  }
  if (auto gather = dyn_cast<tensor::ExtractOp>(op)) {
    auto element = extract(gather.getTensor(), operands);
    if (!element)
      return element.takeError();
    values[gather] = *element;
    return llvm::Error::success();
  }
  if (operands.size() != op->getNumOperands())
    return unsupported("the op '" + op->getName().getStringRef() + "'");
  auto results = lanes.apply(op, operands);
  if (failed(results))
    return unsupported("the op '" + op->getName().getStringRef() + "'");
  for (auto [result, value] : llvm::zip_equal(op->getResults(), *results))
    values[result] = value;
  return llvm::Error::success();
}

/// Computes all values of the body of `op` but the results of `combiner`.
llvm::Error BodyEvaluator::evaluateBody(linalg::GenericOp op,
                                        Operation *combiner, Values &values) {
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = op.getMatchingBlockArgument(&operand);
    bool isRead = llvm::any_of(
        argument.getUsers(), [&](Operation *user) { return user != combiner; });
    if (!isRead && !(combiner && op.isDpsInput(&operand)))
      continue;
    auto value = read(operand.get(), op.getMatchingIndexingMap(&operand));
    if (!value)
      return value.takeError();
    values[argument] = *value;
  }
  for (Operation &inner : op.getBlock()->without_terminator())
    if (&inner != combiner)
      if (llvm::Error error = evaluateOp(&inner, values))
        return error;
  return llvm::Error::success();
}

llvm::Expected<Lanes> BodyEvaluator::evaluateTerm(linalg::GenericOp op,
                                                  Operation *combiner,
                                                  Value term) {
  Values values;
  if (llvm::Error error = evaluateBody(op, combiner, values))
    return error;
  return lookup(term, values);
}

llvm::Error BodyEvaluator::evaluate(linalg::GenericOp op) {
  Values values;
  if (llvm::Error error = evaluateBody(op, /*combiner=*/nullptr, values))
    return error;
  for (auto [result, yielded] : llvm::zip_equal(
           op->getResults(), op.getBlock()->getTerminator()->getOperands())) {
    auto value = lookup(yielded, values);
    if (!value)
      return value.takeError();
    set(result, *value);
  }
  return llvm::Error::success();
}

void BodyEvaluator::storeOutputs() {
  ImplicitLocOpBuilder &b = lanes.getBuilder();
  Operation *yield = kernel.getDef().getBody().front().getTerminator();
  for (auto [i, tensor] : llvm::enumerate(yield->getOperands())) {
    auto it = known.find(tensor);
    if (it == known.end())
      continue;
    auto [memref, indices] = locate(b, kernel.getOutput(i), position, access);
    lanes.write(it->second, memref, indices, isUnitInner(memref));
  }
}
