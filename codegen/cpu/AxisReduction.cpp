//===- AxisReduction.cpp - the reduction kernel family --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Reductions over any axes. Where the last axis stays, vectors lie along it and
// the sums of several stay in registers while the reduced axes are walked: each
// element is read once, in lines of memory. Where the last axis is reduced,
// each of its rows is, and the other axes are loops around that.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/AnchoredBody.h"
#include "codegen/cpu/BodyEvaluator.h"
#include "codegen/cpu/Loops.h"
#include "codegen/cpu/RowReduction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace heddle;

/// Vectors of sums that one walk over the reduced axes keeps: 64 f32 of AVX-512
/// are 4 lines of memory per step.
static constexpr int64_t kVectors = 4;

namespace {

/// Builds the loops of one reduction and the elementwise ops around it.
class AxisReductionBuilder {
public:
  explicit AxisReductionBuilder(KernelFunction &kernel)
      : kernel(kernel),
        b(kernel.getDef().getLoc(), kernel.getFunc().front().getTerminator()),
        width(kernel.getFacts().lanes(32)) {}

  llvm::Error build();

private:
  llvm::Error collect();
  void buildColumns();
  void buildElements();
  void reduceColumns(LaneBuilder &lanes, ArrayRef<Value> row, Value column,
                     int64_t vectors);
  Value reduceElement(ArrayRef<Value> result);
  SmallVector<Value>
  buildWalk(ArrayRef<unsigned> axes, ValueRange sums,
            function_ref<SmallVector<Value>(ValueRange)> step);
  Value evaluateTerm(LaneBuilder &lanes, Value last);
  void finish(LaneBuilder &lanes, ArrayRef<Lanes> indices, Value sum);
  Lanes check(llvm::Expected<Lanes> value);

  KernelFunction &kernel;
  ImplicitLocOpBuilder b;
  int64_t width;
  AnchoredBody body;
  linalg::GenericOp op;
  std::optional<RowReduction> reduction;
  /// The axes of the input that are reduced and that stay, without the last.
  SmallVector<unsigned> reduced, kept;
  SmallVector<Value> sizes;
  /// Where the walk is on every axis but the last.
  SmallVector<Value> position;
  std::string failure;
};

} // namespace

llvm::Error AxisReductionBuilder::collect() {
  llvm::Expected<AnchoredBody> matched = matchAnchoredBody(kernel);
  if (!matched)
    return matched.takeError();
  body = *matched;
  op = dyn_cast<linalg::GenericOp>(body.op);
  if (!op || failed(matchReduction(op)))
    return unsupported("the op '" + body.op->getName().getStringRef() + "'");
  if (body.yieldsBefore())
    return unsupported("a result over the reduced axes");
  reduction = *matchReduction(op);
  Value shape = body.findShape();
  if (!shape)
    return unsupported("a reduction of a value of unknown size");
  sizes = getSizes(b, kernel.getArgument(shape));
  for (unsigned axis = 0; axis + 1 < op.getNumLoops(); ++axis)
    (op.getIteratorTypesArray()[axis] == utils::IteratorType::reduction
         ? reduced
         : kept)
        .push_back(axis);
  position.resize(sizes.size() - 1);
  return llvm::Error::success();
}

/// The value, or any value of the type of the sums after a failure.
Lanes AxisReductionBuilder::check(llvm::Expected<Lanes> value) {
  if (value)
    return *value;
  failure = llvm::toString(value.takeError());
  return Lanes::uniform(
      arith::ConstantOp::create(b, b.getZeroAttr(reduction->getElementType())));
}

//===----------------------------------------------------------------------===//
// Parts of both forms
//===----------------------------------------------------------------------===//

/// A loop nest over `axes`, which sets `position`, around `step`.
SmallVector<Value> AxisReductionBuilder::buildWalk(
    ArrayRef<unsigned> axes, ValueRange sums,
    function_ref<SmallVector<Value>(ValueRange)> step) {
  if (axes.empty())
    return step(sums);
  return buildLoop(b, {indexConstant(b, 0), sizes[axes.front()]},
                   indexConstant(b, 1), sums,
                   [&](Value index, ValueRange carried) {
                     position[axes.front()] = index;
                     return buildWalk(axes.drop_front(), carried, step);
                   });
}

/// What is combined for the elements from `last` of the last axis on.
Value AxisReductionBuilder::evaluateTerm(LaneBuilder &lanes, Value last) {
  Position here;
  for (Value index : position)
    here.indices.push_back(Lanes::uniform(index));
  here.indices.push_back(Lanes::linear(last));
  BodyEvaluator evaluator(kernel, lanes, here, Access::UnitInner);
  for (linalg::GenericOp generic : body.before)
    if (llvm::Error error = evaluator.evaluate(generic))
      failure = llvm::toString(std::move(error));
  return lanes.toVector(check(evaluator.evaluateTerm(
      op, reduction->getCombiner(), reduction->getTerm())));
}

/// Combines `sum` with the init, and stores it and what comes after.
void AxisReductionBuilder::finish(LaneBuilder &lanes, ArrayRef<Lanes> indices,
                                  Value sum) {
  BodyEvaluator evaluator(kernel, lanes, {SmallVector<Lanes>(indices), {}},
                          Access::UnitInner);
  Lanes start = check(evaluator.get(op.getDpsInitOperand(0)->get()));
  bool isVector = isa<VectorType>(sum.getType());
  Value init = isVector ? lanes.toVector(start) : start.value;
  Value result = reduction->combine(b, init, sum);
  evaluator.set(op.getResult(0),
                isVector ? Lanes::varying(result) : Lanes::uniform(result));
  for (linalg::GenericOp generic : body.after)
    if (llvm::Error error = evaluator.evaluate(generic))
      failure = llvm::toString(std::move(error));
  evaluator.storeOutputs();
}

//===----------------------------------------------------------------------===//
// The last axis stays
//===----------------------------------------------------------------------===//

/// The results of `vectors` vectors from `column` on, at `row` of the other
/// axes that stay.
void AxisReductionBuilder::reduceColumns(LaneBuilder &lanes,
                                         ArrayRef<Value> row, Value column,
                                         int64_t vectors) {
  for (auto [axis, index] : llvm::zip_equal(kept, row))
    position[axis] = index;
  SmallVector<Value> sums(vectors, reduction->neutral(b, width));
  sums = buildWalk(reduced, sums, [&](ValueRange carried) {
    SmallVector<Value> next;
    for (auto [i, sum] : llvm::enumerate(carried)) {
      Value term = evaluateTerm(lanes, addIndex(b, column, i * width));
      next.push_back(reduction->combine(b, sum, term));
    }
    return next;
  });
  for (auto [i, sum] : llvm::enumerate(sums)) {
    SmallVector<Lanes> indices;
    for (Value index : row)
      indices.push_back(Lanes::uniform(index));
    indices.push_back(Lanes::linear(addIndex(b, column, i * width)));
    finish(lanes, indices, sum);
  }
}

/// Workers share blocks of columns, not rows only: a pooling has one row per
/// batch.
void AxisReductionBuilder::buildColumns() {
  SmallVector<Value> rowSizes;
  for (unsigned axis : kept)
    rowSizes.push_back(sizes[axis]);
  Value columns = sizes.back();
  Value block = indexConstant(b, kVectors * width);
  Value blocks = ceilDivIndex(b, columns, block);
  Value items = multiplyIndex(b, multiplySizes(b, rowSizes), blocks);
  buildLoop(
      b, splitWork(b, kernel, items), indexConstant(b, 1), [&](Value item) {
        Value number = arith::DivUIOp::create(b, item, blocks);
        SmallVector<Value> row = delinearize(b, number, rowSizes);
        Value begin =
            multiplyIndex(b, arith::RemUIOp::create(b, item, blocks), block);
        Value blockEnd = addIndex(b, begin, kVectors * width);
        Value isWhole = arith::CmpIOp::create(b, arith::CmpIPredicate::ule,
                                              blockEnd, columns);
        buildIf(
            b, isWhole,
            [&] {
              LaneBuilder lanes(b, width);
              reduceColumns(lanes, row, begin, kVectors);
            },
            [&] {
              buildVectorLoop(b, {begin, columns}, width,
                              [&](LaneBuilder &lanes, Value column) {
                                reduceColumns(lanes, row, column, 1);
                              });
            });
      });
}

//===----------------------------------------------------------------------===//
// The last axis is reduced
//===----------------------------------------------------------------------===//

/// The sum of everything at `result` of the axes that stay.
Value AxisReductionBuilder::reduceElement(ArrayRef<Value> result) {
  for (auto [axis, index] : llvm::zip_equal(kept, result))
    position[axis] = index;
  TypedAttr identity = arith::getIdentityValueAttr(
      reduction->getKind(), reduction->getElementType(), b, b.getLoc());
  Value start = arith::ConstantOp::create(b, identity);
  return buildWalk(reduced, start,
                   [&](ValueRange carried) {
                     Value row =
                         reduceRow(b, {*reduction},
                                   {indexConstant(b, 0), sizes.back()}, width,
                                   [&](LaneBuilder &lanes, Value last) {
                                     return SmallVector<Value>{
                                         evaluateTerm(lanes, last)};
                                   })
                             .front();
                     return SmallVector<Value>{
                         reduction->combine(b, carried.front(), row)};
                   })
      .front();
}

void AxisReductionBuilder::buildElements() {
  SmallVector<Value> resultSizes;
  for (unsigned axis : kept)
    resultSizes.push_back(sizes[axis]);
  buildLoop(b, splitWork(b, kernel, multiplySizes(b, resultSizes)),
            indexConstant(b, 1), [&](Value number) {
              SmallVector<Value> result = delinearize(b, number, resultSizes);
              Value sum = reduceElement(result);
              SmallVector<Lanes> indices;
              for (Value index : result)
                indices.push_back(Lanes::uniform(index));
              LaneBuilder lanes(b, width);
              finish(lanes, indices, sum);
            });
}

llvm::Error AxisReductionBuilder::build() {
  if (llvm::Error error = collect())
    return error;
  if (op.getIteratorTypesArray().back() == utils::IteratorType::reduction)
    buildElements();
  else
    buildColumns();
  return failure.empty() ? llvm::Error::success() : unsupported(failure);
}

llvm::Error heddle::buildAxisReduction(KernelFunction &kernel) {
  return AxisReductionBuilder(kernel).build();
}
