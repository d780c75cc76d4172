//===- Rows.cpp - the row kernel family -----------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Ops along the last axis: one pass over a row for every reduction and one that
// writes. What comes before the row op is computed anew in every pass: the row
// is in the first-level cache, and no memory is needed between the passes.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/AnchoredBody.h"
#include "codegen/cpu/BodyEvaluator.h"
#include "codegen/cpu/Loops.h"
#include "codegen/cpu/RowReduction.h"
#include "codegen/cpu/VectorMath.h"
#include "passes/transforms/LinalgNest.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>
#include <numbers>

using namespace mlir;
using namespace heddle;

namespace {

/// Builds the loops of one row op and the elementwise ops around it.
class RowBuilder {
public:
  explicit RowBuilder(KernelFunction &kernel)
      : kernel(kernel),
        b(kernel.getDef().getLoc(), kernel.getFunc().front().getTerminator()),
        width(kernel.getFacts().lanes(32)) {}

  llvm::Error build();

private:
  llvm::Error collect();
  void buildRow(Value row);
  void buildLayerNorm(LayerNormOp op);
  void buildSoftmax(linalg::SoftmaxOp op);
  void buildReduction(linalg::GenericOp op);

  BodyEvaluator evaluateBefore(LaneBuilder &lanes, Value column);
  Value loadInput(LaneBuilder &lanes, Value column);
  Value firstElement();
  void writeRow(function_ref<Value(LaneBuilder &, BodyEvaluator &)> element);
  SmallVector<Value> reduceRow(ArrayRef<RowReduction> reductions,
                               RowTerms terms);
  Value divideByColumns(Value sum);
  void check(llvm::Error error);
  Lanes check(llvm::Expected<Lanes> value, Type element);

  KernelFunction &kernel;
  ImplicitLocOpBuilder b;
  int64_t width;
  /// The row op with the elementwise ops before and after it, and its input.
  AnchoredBody body;
  Operation *op = nullptr;
  Value input;
  std::string failure;

  SmallVector<Value> leadingSizes;
  Value columns;
  /// The row that is being built, without a column.
  Position position;
};

} // namespace

//===----------------------------------------------------------------------===//
// The form of the body
//===----------------------------------------------------------------------===//

llvm::Error RowBuilder::collect() {
  llvm::Expected<AnchoredBody> matched = matchAnchoredBody(kernel);
  if (!matched)
    return matched.takeError();
  body = *matched;
  op = body.op;
  input = body.getInput();
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (generic && failed(matchRowReduction(generic)))
    return unsupported("a reduction that is not along the last axis");
  if (generic && body.yieldsBefore())
    return unsupported("a result over the reduced axes");
  if (!generic && !isa<LayerNormOp, linalg::SoftmaxOp>(op))
    return unsupported("the op '" + op->getName().getStringRef() + "'");
  auto softmax = dyn_cast<linalg::SoftmaxOp>(op);
  if (softmax && static_cast<int64_t>(softmax.getDimension()) + 1 !=
                     softmax.getInputOperandRank())
    return unsupported("a softmax that is not along the last axis");
  if (!generic && getElementTypeOrSelf(input).isF64())
    return unsupported("a row op on f64");
  return llvm::Error::success();
}

void RowBuilder::check(llvm::Error error) {
  if (error)
    failure = llvm::toString(std::move(error));
}

/// The value, or any value of type `element` after a failure.
Lanes RowBuilder::check(llvm::Expected<Lanes> value, Type element) {
  if (value)
    return *value;
  check(value.takeError());
  return Lanes::uniform(arith::ConstantOp::create(b, b.getZeroAttr(element)));
}

//===----------------------------------------------------------------------===//
// Passes over a row
//===----------------------------------------------------------------------===//

/// An evaluator at `column` that has computed what comes before the row op.
BodyEvaluator RowBuilder::evaluateBefore(LaneBuilder &lanes, Value column) {
  Position here = position;
  here.indices.push_back(Lanes::linear(column));
  BodyEvaluator evaluator(kernel, lanes, here, Access::UnitInner);
  for (linalg::GenericOp generic : body.before)
    check(evaluator.evaluate(generic));
  return evaluator;
}

/// The elements of the row op's input, as f32.
Value RowBuilder::loadInput(LaneBuilder &lanes, Value column) {
  BodyEvaluator evaluator = evaluateBefore(lanes, column);
  Lanes value = check(evaluator.get(input), getElementTypeOrSelf(input));
  return convertFloat(b, b.getLoc(), lanes.toVector(value),
                      VectorType::get({width}, b.getF32Type()));
}

SmallVector<Value> RowBuilder::reduceRow(ArrayRef<RowReduction> reductions,
                                         RowTerms terms) {
  return heddle::reduceRow(b, reductions, {indexConstant(b, 0), columns}, width,
                           terms);
}

/// Stores what `element` makes of every vector of the row, and what comes
/// after.
void RowBuilder::writeRow(
    function_ref<Value(LaneBuilder &, BodyEvaluator &)> element) {
  Type type = getElementTypeOrSelf(op->getResult(0));
  buildVectorLoop(b, {indexConstant(b, 0), columns}, width,
                  [&](LaneBuilder &lanes, Value column) {
                    BodyEvaluator evaluator = evaluateBefore(lanes, column);
                    Value value = element(lanes, evaluator);
                    value = convertFloat(b, b.getLoc(), value,
                                         VectorType::get({width}, type));
                    evaluator.set(op->getResult(0), Lanes::varying(value));
                    for (linalg::GenericOp generic : body.after)
                      check(evaluator.evaluate(generic));
                    evaluator.storeOutputs();
                  });
}

//===----------------------------------------------------------------------===//
// Row ops
//===----------------------------------------------------------------------===//

/// The first element of the row, as f32.
Value RowBuilder::firstElement() {
  Value present = arith::MinUIOp::create(b, columns, indexConstant(b, 1));
  Value mask = vector::CreateMaskOp::create(
      b, VectorType::get({width}, b.getI1Type()), ValueRange{present});
  LaneBuilder lanes(b, width, mask);
  return vector::ExtractOp::create(b, loadInput(lanes, indexConstant(b, 0)), 0);
}

Value RowBuilder::divideByColumns(Value sum) {
  Value integer = arith::IndexCastOp::create(b, b.getI64Type(), columns);
  Value count = arith::SIToFPOp::create(b, b.getF32Type(), integer);
  return arith::DivFOp::create(b, sum, count);
}

/// Both moments come from one pass, over differences to the first element:
/// squares of the elements themselves cancel when their mean is large.
void RowBuilder::buildLayerNorm(LayerNormOp norm) {
  Value origin = firstElement();
  auto vectorType = VectorType::get({width}, b.getF32Type());
  Value origins = vector::BroadcastOp::create(b, vectorType, origin);
  RowReduction sum(arith::AtomicRMWKind::addf, b.getF32Type());
  SmallVector<Value> sums =
      reduceRow({sum, sum}, [&](LaneBuilder &lanes, Value column) {
        Value difference =
            arith::SubFOp::create(b, loadInput(lanes, column), origins);
        Value square = arith::MulFOp::create(b, difference, difference);
        return SmallVector<Value>{difference, square};
      });
  Value shift = divideByColumns(sums[0]);
  Value variance = arith::SubFOp::create(
      b, divideByColumns(sums[1]), arith::MulFOp::create(b, shift, shift));
  Value zero = floatConstant(b, b.getLoc(), b.getF32Type(), 0.0);
  variance = arith::MaximumFOp::create(b, variance, zero);
  Value epsilon = floatConstant(b, b.getLoc(), b.getF32Type(),
                                norm.getEpsilon().convertToFloat());
  Value deviation =
      math::SqrtOp::create(b, arith::AddFOp::create(b, variance, epsilon));
  Value one = floatConstant(b, b.getLoc(), b.getF32Type(), 1.0);
  Value inverse = vector::BroadcastOp::create(
      b, vectorType, arith::DivFOp::create(b, one, deviation));
  Value mean = vector::BroadcastOp::create(
      b, vectorType, arith::AddFOp::create(b, origin, shift));

  unsigned rank = norm.getInput().getType().getRank();
  AffineMap lastAxis =
      AffineMap::get(rank, 0, b.getAffineDimExpr(rank - 1), b.getContext());
  Type element = getElementTypeOrSelf(input);
  writeRow([&](LaneBuilder &lanes, BodyEvaluator &evaluator) {
    auto read = [&](llvm::Expected<Lanes> value) {
      Lanes found = check(std::move(value), element);
      return convertFloat(b, b.getLoc(), lanes.toVector(found), vectorType);
    };
    Value value = arith::SubFOp::create(b, read(evaluator.get(input)), mean);
    value = arith::MulFOp::create(b, value, inverse);
    if (Value scale = norm.getScale())
      value = arith::MulFOp::create(b, value,
                                    read(evaluator.read(scale, lastAxis)));
    if (Value bias = norm.getBias())
      value =
          arith::AddFOp::create(b, value, read(evaluator.read(bias, lastAxis)));
    return value;
  });
}

void RowBuilder::buildSoftmax(linalg::SoftmaxOp softmax) {
  auto vectorType = VectorType::get({width}, b.getF32Type());
  RowReduction greatest(arith::AtomicRMWKind::maximumf, b.getF32Type());
  Value maximum = reduceRow({greatest}, [&](LaneBuilder &lanes, Value column) {
                    return SmallVector<Value>{loadInput(lanes, column)};
                  }).front();
  Value maxima = vector::BroadcastOp::create(b, vectorType, maximum);
  Value factor = arith::ConstantOp::create(
      b, DenseElementsAttr::get(vectorType, std::numbers::log2e_v<float>));
  auto power = [&](Value value) {
    Value difference = arith::SubFOp::create(b, value, maxima);
    return VectorMath(b).exp2NonPositive(
        arith::MulFOp::create(b, difference, factor));
  };
  RowReduction sum(arith::AtomicRMWKind::addf, b.getF32Type());
  Value total = reduceRow({sum}, [&](LaneBuilder &lanes, Value column) {
                  return SmallVector<Value>{power(loadInput(lanes, column))};
                }).front();
  Value one = floatConstant(b, b.getLoc(), b.getF32Type(), 1.0);
  Value inverse = vector::BroadcastOp::create(
      b, vectorType, arith::DivFOp::create(b, one, total));
  Type element = getElementTypeOrSelf(input);
  writeRow([&](LaneBuilder &lanes, BodyEvaluator &evaluator) -> Value {
    Lanes found = check(evaluator.get(input), element);
    Value value =
        convertFloat(b, b.getLoc(), lanes.toVector(found), vectorType);
    return arith::MulFOp::create(b, power(value), inverse);
  });
}

/// A reduction gives one element per row; what comes after it is scalar.
void RowBuilder::buildReduction(linalg::GenericOp generic) {
  RowReduction reduction = *matchRowReduction(generic);
  Type element = reduction.getElementType();
  Value value = reduceRow({reduction}, [&](LaneBuilder &lanes, Value column) {
                  BodyEvaluator evaluator = evaluateBefore(lanes, column);
                  auto term = evaluator.evaluateTerm(
                      generic, reduction.getCombiner(), reduction.getTerm());
                  return SmallVector<Value>{
                      lanes.toVector(check(std::move(term), element))};
                }).front();
  LaneBuilder lanes(b, width);
  BodyEvaluator evaluator(kernel, lanes, {position.indices, {}},
                          Access::UnitInner);
  Value start =
      check(evaluator.get(generic.getDpsInitOperand(0)->get()), element).value;
  evaluator.set(generic.getResult(0),
                Lanes::uniform(reduction.combine(b, start, value)));
  for (linalg::GenericOp op : body.after)
    check(evaluator.evaluate(op));
  evaluator.storeOutputs();
}

void RowBuilder::buildRow(Value row) {
  position.row = row;
  position.indices.clear();
  for (Value index : delinearize(b, row, leadingSizes))
    position.indices.push_back(Lanes::uniform(index));
  if (auto norm = dyn_cast<LayerNormOp>(op))
    buildLayerNorm(norm);
  else if (auto softmax = dyn_cast<linalg::SoftmaxOp>(op))
    buildSoftmax(softmax);
  else
    buildReduction(cast<linalg::GenericOp>(op));
}

llvm::Error RowBuilder::build() {
  if (llvm::Error error = collect())
    return error;
  Value shape = body.findShape();
  if (!shape)
    return unsupported("a row op on a value of unknown size");
  leadingSizes = getSizes(b, kernel.getArgument(shape));
  columns = leadingSizes.pop_back_val();
  Value rows = multiplySizes(b, leadingSizes);
  buildLoop(b, splitWork(b, kernel, rows), indexConstant(b, 1),
            [&](Value row) { buildRow(row); });
  return failure.empty() ? llvm::Error::success() : unsupported(failure);
}

llvm::Error heddle::buildRows(KernelFunction &kernel) {
  return RowBuilder(kernel).build();
}
