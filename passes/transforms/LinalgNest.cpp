//===- LinalgNest.cpp - building linalg ops over one nest -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "passes/transforms/LinalgNest.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace heddle;
using utils::IteratorType;

FloatType heddle::accumulatorType(Type element) {
  Builder builder(element.getContext());
  return element.isF64() ? builder.getF64Type() : builder.getF32Type();
}

Value heddle::convertFloat(OpBuilder &builder, Location loc, Value value,
                           Type type) {
  unsigned from = getElementTypeOrSelf(value).getIntOrFloatBitWidth();
  unsigned to = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  if (from < to)
    return arith::ExtFOp::create(builder, loc, type, value);
  if (from > to)
    return arith::TruncFOp::create(builder, loc, type, value);
  return value;
}

Value heddle::floatConstant(OpBuilder &builder, Location loc, Type type,
                            double value) {
  return arith::ConstantOp::create(builder, loc,
                                   builder.getFloatAttr(type, value));
}

Value heddle::emptyTensor(OpBuilder &builder, Location loc, Value like,
                          unsigned dropped, ArrayRef<OpFoldResult> extra,
                          Type element) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, like);
  sizes.truncate(sizes.size() - dropped);
  llvm::append_range(sizes, extra);
  return tensor::EmptyOp::create(builder, loc, sizes, element);
}

Value heddle::fill(OpBuilder &builder, Location loc, double value, Value init) {
  Type element = getElementTypeOrSelf(init);
  Value scalar = floatConstant(builder, loc, element, value);
  return linalg::FillOp::create(builder, loc, scalar, init).getResult(0);
}

AffineMap LinalgNest::pick(ArrayRef<unsigned> loops) const {
  return AffineMap::getMultiDimMapWithTargets(numLoops, loops,
                                              builder.getContext());
}

AffineMap LinalgNest::leading(unsigned count) const {
  SmallVector<unsigned> loops = llvm::to_vector(llvm::seq(0u, count));
  return pick(loops);
}

Value LinalgNest::build(ValueRange inputs, Value init, ArrayRef<AffineMap> maps,
                        ElementBody body) const {
  SmallVector<IteratorType> iterators(numLoops, IteratorType::parallel);
  std::fill(iterators.begin() + firstReduction, iterators.end(),
            IteratorType::reduction);
  auto generic = linalg::GenericOp::create(
      builder, loc, TypeRange{init.getType()}, inputs, ValueRange{init}, maps,
      iterators, [&](OpBuilder &nested, Location nestedLoc, ValueRange args) {
        linalg::YieldOp::create(nested, nestedLoc,
                                body(nested, nestedLoc, args));
      });
  return generic.getResult(0);
}

LinalgNest heddle::loopsOver(OpBuilder &builder, Location loc, Value value) {
  unsigned rank = cast<RankedTensorType>(value.getType()).getRank();
  return {builder, loc, rank, rank};
}

Value heddle::multiplyAdd(OpBuilder &builder, Location loc, Value a, Value b,
                          Value acc) {
  a = convertFloat(builder, loc, a, acc.getType());
  b = convertFloat(builder, loc, b, acc.getType());
  Value product = arith::MulFOp::create(builder, loc, a, b);
  return arith::AddFOp::create(builder, loc, acc, product);
}

Value heddle::mapElements(OpBuilder &builder, Location loc, Value value,
                          Value init, ElementBody body) {
  LinalgNest loops = loopsOver(builder, loc, value);
  AffineMap all = loops.leading(loops.numLoops);
  return loops.build({value}, init, {all, all}, body);
}

Value heddle::convertElements(OpBuilder &builder, Location loc, Value value,
                              Value init) {
  Type element = getElementTypeOrSelf(init);
  if (getElementTypeOrSelf(value) == element)
    return value;
  return mapElements(builder, loc, value, init,
                     [&](OpBuilder &b, Location l, ValueRange args) {
                       return convertFloat(b, l, args[0], element);
                     });
}
