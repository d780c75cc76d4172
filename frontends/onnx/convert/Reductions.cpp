//===- Reductions.cpp - Reduce*, ArgMax, ArgMin, CumSum -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/convert/Conversions.h"
#include "frontends/onnx/convert/Elementwise.h"
#include "frontends/onnx/convert/FloatTensors.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"

using namespace mlir;
using namespace heddle;

namespace {

/// A Reduce operator: its input in the accumulator's type, and where its result
/// goes.
struct Reduction {
  NodeConversion &node;
  SymTensor input;
  SmallVector<int64_t> axes;

  /// Gives the node's result, which is `reduced` without the axes.
  LogicalResult finish(const SymTensor &reduced) {
    SymTensor result = node.build.reshape(reduced, node.resultShape(0));
    node.setResult(0,
                   castFloats(node.build, result, node.resultElementType(0)));
    return success();
  }

  /// `function` of every element.
  SymTensor map(const SymTensor &tensor,
                function_ref<Value(ImplicitLocOpBuilder &, Value)> function) {
    return node.build.map(tensor.shape, tensor.elementType(), {tensor},
                          [&](ImplicitLocOpBuilder &b, ValueRange x) {
                            return function(b, x[0]);
                          });
  }
};

} // namespace

/// The reduction that `node` asks for; its input is passed on where no axis is
/// reduced and the operator says so (`noop_with_empty_axes`).
static FailureOr<Reduction> startReduction(NodeConversion &node) {
  int64_t rank = node.inputShape(0).size();
  FailureOr<std::optional<SmallVector<int64_t>>> axes = node.axes(1, rank);
  if (failed(axes))
    return failure();
  SmallVector<int64_t> reduced = (*axes).value_or(SmallVector<int64_t>());
  if (reduced.empty() && node.intAttr("noop_with_empty_axes", 0) == 0)
    reduced = llvm::to_vector(llvm::seq<int64_t>(rank));
  SymTensor input = node.input(0);
  return Reduction{
      node, castFloats(node.build, input, summationType(input.elementType())),
      reduced};
}

static bool isFloat(Value value) { return isa<FloatType>(value.getType()); }

static Value multiply(ImplicitLocOpBuilder &b, Value x, Value y) {
  if (isFloat(x))
    return arith::MulFOp::create(b, x, y);
  return arith::MulIOp::create(b, x, y);
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

LogicalResult heddle::convertReduceSum(NodeConversion &node) {
  FailureOr<Reduction> r = startReduction(node);
  if (failed(r))
    return failure();
  return r->finish(sumOver(node.build, r->input, r->axes));
}

LogicalResult heddle::convertReduceMean(NodeConversion &node) {
  FailureOr<Reduction> r = startReduction(node);
  if (failed(r))
    return failure();
  if (isa<FloatType>(r->input.elementType()))
    return r->finish(meanOver(node.build, r->input, r->axes));
  SymTensor sum = sumOver(node.build, r->input, r->axes);
  SymExpr count = countOver(node.build, r->input, r->axes);
  ElementwiseOperand divisor(max(count, node.build.constant(1)),
                             sum.elementType());
  bool isUnsigned = node.isUnsigned(0);
  return r->finish(
      node.build.map(sum.shape, sum.elementType(), {sum, divisor},
                     [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                       if (isUnsigned)
                         return arith::DivUIOp::create(b, x[0], x[1]);
                       return arith::DivSIOp::create(b, x[0], x[1]);
                     }));
}

/// The sum of `function` of every element.
static FailureOr<SymTensor>
sumOf(Reduction &r,
      function_ref<Value(ImplicitLocOpBuilder &, Value)> function) {
  return sumOver(r.node.build, r.map(r.input, function), r.axes);
}

static Value square(ImplicitLocOpBuilder &b, Value x) {
  return multiply(b, x, x);
}

LogicalResult heddle::convertReduceSumSquare(NodeConversion &node) {
  FailureOr<Reduction> r = startReduction(node);
  if (failed(r))
    return failure();
  return r->finish(*sumOf(*r, square));
}

LogicalResult heddle::convertReduceL1(NodeConversion &node) {
  FailureOr<Reduction> r = startReduction(node);
  if (failed(r))
    return failure();
  bool isUnsigned = node.isUnsigned(0);
  return r->finish(*sumOf(*r, [&](ImplicitLocOpBuilder &b, Value x) -> Value {
    if (isFloat(x))
      return math::AbsFOp::create(b, x);
    return isUnsigned ? x : Value(math::AbsIOp::create(b, x));
  }));
}

LogicalResult heddle::convertReduceL2(NodeConversion &node) {
  FailureOr<Reduction> r = startReduction(node);
  if (failed(r))
    return failure();
  Type type = r->input.elementType();
  bool isUnsigned = node.isUnsigned(0);
  Builder &builder = node.build.getBuilder();
  Type wide = isa<FloatType>(type) ? type : Type(builder.getF64Type());
  return r->finish(r->map(*sumOf(*r, square), [&](ImplicitLocOpBuilder &b,
                                                  Value sum) {
    Value root =
        math::SqrtOp::create(b, castScalar(b, sum, isUnsigned, wide, false));
    return castScalar(b, root, false, type, isUnsigned);
  }));
}

LogicalResult heddle::convertReduceLogSum(NodeConversion &node) {
  FailureOr<Reduction> r = startReduction(node);
  if (failed(r))
    return failure();
  SymTensor sum = sumOver(node.build, r->input, r->axes);
  return r->finish(r->map(sum, [](ImplicitLocOpBuilder &b, Value x) -> Value {
    return math::LogOp::create(b, x);
  }));
}

/// log(sum(exp(x - m))) + m with the largest element m, or 0 where that is
/// infinite: x - m would be NaN.
LogicalResult heddle::convertReduceLogSumExp(NodeConversion &node) {
  FailureOr<Reduction> r = startReduction(node);
  if (failed(r))
    return failure();
  TensorBuilder &build = node.build;
  Type type = r->input.elementType();
  SymTensor largest = maximumOver(build, r->input, r->axes);
  largest = r->map(largest, [&](ImplicitLocOpBuilder &b, Value x) -> Value {
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
    return arith::SelectOp::create(b, math::IsFiniteOp::create(b, x), x, zero);
  });
  SymTensor shift = keepAxes(build, largest, r->input.shape, r->axes);
  SymTensor powers = build.map(
      r->input.shape, type, {r->input, shift},
      [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        return math::ExpOp::create(b, arith::SubFOp::create(b, x[0], x[1]));
      });
  SymTensor sum = sumOver(build, powers, r->axes);
  return r->finish(
      build.map(sum.shape, type, {sum, largest},
                [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                  Value logarithm = math::LogOp::create(b, x[0]);
                  return arith::AddFOp::create(b, logarithm, x[1]);
                }));
}

//===----------------------------------------------------------------------===//
// Products and extremes
//===----------------------------------------------------------------------===//

LogicalResult heddle::convertReduceProd(NodeConversion &node) {
  FailureOr<Reduction> r = startReduction(node);
  if (failed(r))
    return failure();
  return r->finish(node.build.reduce(
      r->input, r->axes,
      node.build.getBuilder().getOneAttr(r->input.elementType()), multiply));
}

/// The least (or largest) number of the type `type`.
static TypedAttr extreme(Builder &builder, Type type, bool isUnsigned,
                         bool least) {
  if (isa<FloatType>(type)) {
    double infinity = std::numeric_limits<double>::infinity();
    return builder.getFloatAttr(type, least ? -infinity : infinity);
  }
  unsigned width = type.getIntOrFloatBitWidth();
  if (isUnsigned || width == 1)
    return builder.getIntegerAttr(type, least ? APInt::getMinValue(width)
                                              : APInt::getMaxValue(width));
  return builder.getIntegerAttr(type, least ? APInt::getSignedMinValue(width)
                                            : APInt::getSignedMaxValue(width));
}

/// The larger, or smaller, of two elements; NaN if one is.
static Value choose(ImplicitLocOpBuilder &b, Value x, Value y, bool isUnsigned,
                    bool larger) {
  if (isFloat(x)) {
    if (larger)
      return arith::MaximumFOp::create(b, x, y);
    return arith::MinimumFOp::create(b, x, y);
  }
  if (isUnsigned || x.getType().isInteger(1)) {
    if (larger)
      return arith::MaxUIOp::create(b, x, y);
    return arith::MinUIOp::create(b, x, y);
  }
  if (larger)
    return arith::MaxSIOp::create(b, x, y);
  return arith::MinSIOp::create(b, x, y);
}

static LogicalResult convertExtreme(NodeConversion &node, bool larger) {
  FailureOr<Reduction> r = startReduction(node);
  if (failed(r))
    return failure();
  bool isUnsigned = node.isUnsigned(0);
  TypedAttr identity = extreme(node.build.getBuilder(), r->input.elementType(),
                               isUnsigned, larger);
  return r->finish(node.build.reduce(
      r->input, r->axes, identity,
      [&](ImplicitLocOpBuilder &b, Value element, Value best) {
        return choose(b, element, best, isUnsigned, larger);
      }));
}

LogicalResult heddle::convertReduceMax(NodeConversion &node) {
  return convertExtreme(node, true);
}

LogicalResult heddle::convertReduceMin(NodeConversion &node) {
  return convertExtreme(node, false);
}

//===----------------------------------------------------------------------===//
// Positions of extremes
//===----------------------------------------------------------------------===//

/// Whether `candidate` takes the place of `best`; at a tie the later element
/// does if `last`.
static Value replaces(ImplicitLocOpBuilder &b, Value candidate, Value best,
                      bool isUnsigned, bool larger, bool last) {
  if (isFloat(candidate)) {
    auto strict =
        larger ? arith::CmpFPredicate::OGT : arith::CmpFPredicate::OLT;
    auto orEqual =
        larger ? arith::CmpFPredicate::OGE : arith::CmpFPredicate::OLE;
    return arith::CmpFOp::create(b, last ? orEqual : strict, candidate, best);
  }
  auto strict = larger ? arith::CmpIPredicate::sgt : arith::CmpIPredicate::slt;
  auto orEqual = larger ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sle;
  if (isUnsigned) {
    strict = larger ? arith::CmpIPredicate::ugt : arith::CmpIPredicate::ult;
    orEqual = larger ? arith::CmpIPredicate::uge : arith::CmpIPredicate::ule;
  }
  return arith::CmpIOp::create(b, last ? orEqual : strict, candidate, best);
}

static LogicalResult convertArgExtreme(NodeConversion &node, bool larger) {
  TensorBuilder &build = node.build;
  SymTensor input = node.input(0);
  FailureOr<int64_t> axis = node.axisAttr("axis", 0, input.rank());
  if (failed(axis))
    return failure();
  bool isUnsigned = node.isUnsigned(0);
  bool last = node.intAttr("select_last_index", 0) != 0;
  OpBuilder &builder = build.getBuilder();

  SymShape shape = reducedShape(build, input.shape, *axis, false);
  SymTensor best = build.fill(
      shape, extreme(builder, input.elementType(), isUnsigned, larger));
  SymTensor position = build.fill(shape, builder.getI64IntegerAttr(0));
  SmallVector<utils::IteratorType> loops(input.rank(),
                                         utils::IteratorType::parallel);
  loops[*axis] = utils::IteratorType::reduction;
  AffineMap all = builder.getMultiDimIdentityMap(input.rank());
  AffineMap kept = all.dropResult(*axis);
  auto op = linalg::GenericOp::create(
      builder, node.getLoc(),
      TypeRange{best.value.getType(), position.value.getType()}, input.value,
      ValueRange{best.value, position.value}, {all, kept, kept}, loops,
      [&](OpBuilder &nested, Location loc, ValueRange x) {
        ImplicitLocOpBuilder b(loc, nested);
        Value here = arith::IndexCastOp::create(
            b, b.getI64Type(), linalg::IndexOp::create(b, *axis));
        Value better = replaces(b, x[0], x[1], isUnsigned, larger, last);
        Value value = arith::SelectOp::create(b, better, x[0], x[1]);
        Value index = arith::SelectOp::create(b, better, here, x[2]);
        linalg::YieldOp::create(b, ValueRange{value, index});
      });
  SymTensor result{op.getResult(1), shape};
  node.setResult(0, build.reshape(result, node.resultShape(0)));
  return success();
}

LogicalResult heddle::convertArgMax(NodeConversion &node) {
  return convertArgExtreme(node, true);
}

LogicalResult heddle::convertArgMin(NodeConversion &node) {
  return convertArgExtreme(node, false);
}
