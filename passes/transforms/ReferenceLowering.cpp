//===- ReferenceLowering.cpp - heddle ops as linalg -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "passes/transforms/ReferenceLowering.h"

#include "passes/Passes.h"
#include "passes/transforms/LinalgNest.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

#include <numbers>

using namespace mlir;

namespace heddle {
#define GEN_PASS_DEF_LOWERTOLINALG
#include "passes/Passes.h.inc"
} // namespace heddle

using namespace heddle;

//===----------------------------------------------------------------------===//
// Contraction
//===----------------------------------------------------------------------===//

/// What the sums start from: the bias of their column, or zero.
static Value initialSums(OpBuilder &builder, ContractionOp op, Type sumType) {
  Location loc = op.getLoc();
  Value sums = emptyTensor(builder, loc, op.getInit(), 0, {}, sumType);
  if (!op.getBias())
    return fill(builder, loc, 0.0, sums);
  LinalgNest loops = loopsOver(builder, loc, sums);
  unsigned rank = loops.numLoops;
  return loops.build({op.getBias()}, sums,
                     {loops.pick({rank - 1}), loops.leading(rank)},
                     [&](OpBuilder &b, Location l, ValueRange args) {
                       return convertFloat(b, l, args[0], sumType);
                     });
}

/// The sums when the rhs is in column panels, read at [n / panel, k, n %
/// panel].
static Value sumPanels(const LinalgNest &loops, ContractionOp op, Value sums,
                       AffineMap lhsMap, AffineMap initMap) {
  unsigned n = loops.numLoops - 2, k = loops.numLoops - 1;
  return loops.build(
      {op.getLhs()}, sums, {lhsMap, initMap},
      [&](OpBuilder &b, Location l, ValueRange args) {
        Value column = linalg::IndexOp::create(b, l, n);
        Value row = linalg::IndexOp::create(b, l, k);
        Value panel = arith::ConstantIndexOp::create(b, l, *op.getPanel());
        Value block = arith::DivUIOp::create(b, l, column, panel);
        Value lane = arith::RemUIOp::create(b, l, column, panel);
        Value weight = tensor::ExtractOp::create(b, l, op.getRhs(),
                                                 ValueRange{block, row, lane});
        return multiplyAdd(b, l, args[0], weight, args[1]);
      });
}

Value heddle::lowerToLinalg(RewriterBase &rewriter, ContractionOp op) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  Location loc = op.getLoc();
  unsigned rank = op.getInit().getType().getRank();
  Value sums = initialSums(
      rewriter, op, accumulatorType(op.getInit().getType().getElementType()));

  // Loops: leading axes, m, n, k.
  unsigned m = rank - 2, n = rank - 1, k = rank;
  LinalgNest loops{rewriter, loc, rank + 1, rank};
  SmallVector<unsigned> leading = llvm::to_vector(llvm::seq(0u, m));
  SmallVector<unsigned> lhsLoops(leading), rhsLoops;
  lhsLoops.append({m, k});
  if (op.getRhs().getType().getRank() == rank)
    rhsLoops = leading;
  if (op.getTransposeRhs())
    rhsLoops.append({n, k});
  else
    rhsLoops.append({k, n});

  AffineMap lhsMap = loops.pick(lhsLoops), initMap = loops.leading(rank);
  if (op.getPanel())
    sums = sumPanels(loops, op, sums, lhsMap, initMap);
  else
    sums = loops.build({op.getLhs(), op.getRhs()}, sums,
                       {lhsMap, loops.pick(rhsLoops), initMap},
                       [](OpBuilder &b, Location l, ValueRange args) {
                         return multiplyAdd(b, l, args[0], args[1], args[2]);
                       });
  return convertElements(rewriter, loc, sums, op.getInit());
}

//===----------------------------------------------------------------------===//
// Layer normalisation
//===----------------------------------------------------------------------===//

/// The sum over the last axis of what `term` makes of an element, divided by
/// the size of that axis. `perRow` are tensors with one element per row.
static Value meanOverRow(OpBuilder &builder, Location loc, Value input,
                         ValueRange perRow, Type type, ElementBody term) {
  unsigned rank = cast<RankedTensorType>(input.getType()).getRank();
  LinalgNest reduce{builder, loc, rank, rank - 1};
  SmallVector<Value> inputs = {input};
  SmallVector<AffineMap> maps = {reduce.leading(rank)};
  llvm::append_range(inputs, perRow);
  maps.append(perRow.size() + 1, reduce.leading(rank - 1));
  Value empty = emptyTensor(builder, loc, input, 1, {}, type);
  Value sums = reduce.build(inputs, fill(builder, loc, 0.0, empty), maps,
                            [&](OpBuilder &b, Location l, ValueRange args) {
                              return arith::AddFOp::create(b, l, args.back(),
                                                           term(b, l, args));
                            });
  Value axis = arith::ConstantIndexOp::create(builder, loc, rank - 1);
  Value size = tensor::DimOp::create(builder, loc, input, axis);
  return mapElements(
      builder, loc, sums, empty,
      [&](OpBuilder &b, Location l, ValueRange args) -> Value {
        Value integer = arith::IndexCastOp::create(b, l, b.getI64Type(), size);
        Value count = arith::SIToFPOp::create(b, l, type, integer);
        return arith::DivFOp::create(b, l, args[0], count);
      });
}

Value heddle::lowerToLinalg(RewriterBase &rewriter, LayerNormOp op) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  Location loc = op.getLoc();
  Value input = op.getInput();
  Type element = op.getInput().getType().getElementType();
  Type type = accumulatorType(element);
  unsigned rank = op.getInput().getType().getRank();

  Value means = meanOverRow(rewriter, loc, input, {}, type,
                            [&](OpBuilder &b, Location l, ValueRange args) {
                              return convertFloat(b, l, args[0], type);
                            });
  auto deviation = [&](OpBuilder &b, Location l, ValueRange args) -> Value {
    return arith::SubFOp::create(b, l, convertFloat(b, l, args[0], type),
                                 args[1]);
  };
  Value variances =
      meanOverRow(rewriter, loc, input, means, type,
                  [&](OpBuilder &b, Location l, ValueRange args) -> Value {
                    Value d = deviation(b, l, args);
                    return arith::MulFOp::create(b, l, d, d);
                  });

  LinalgNest loops{rewriter, loc, rank, rank};
  AffineMap all = loops.leading(rank), row = loops.leading(rank - 1);
  SmallVector<Value> inputs = {input, means, variances};
  SmallVector<AffineMap> maps = {all, row, row};
  for (Value vector : {op.getScale(), op.getBias()})
    if (vector) {
      inputs.push_back(vector);
      maps.push_back(loops.pick({rank - 1}));
    }
  maps.push_back(all);
  return loops.build(
      inputs, op.getInit(), maps,
      [&](OpBuilder &b, Location l, ValueRange args) {
        Value epsilon =
            floatConstant(b, l, type, op.getEpsilon().convertToFloat());
        Value inverse = math::RsqrtOp::create(
            b, l, arith::AddFOp::create(b, l, args[2], epsilon));
        Value value =
            arith::MulFOp::create(b, l, deviation(b, l, args), inverse);
        unsigned next = 3;
        if (op.getScale())
          value = arith::MulFOp::create(b, l, value,
                                        convertFloat(b, l, args[next++], type));
        if (op.getBias())
          value = arith::AddFOp::create(b, l, value,
                                        convertFloat(b, l, args[next], type));
        return convertFloat(b, l, value, element);
      });
}

//===----------------------------------------------------------------------===//
// Data movement and scalar ops
//===----------------------------------------------------------------------===//

Value heddle::lowerToLinalg(RewriterBase &rewriter, PackOp op) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  auto inputType = cast<RankedTensorType>(op.getInput().getType());
  auto type = cast<RankedTensorType>(op.getResult().getType());
  Value init = tensor::EmptyOp::create(rewriter, op.getLoc(), type.getShape(),
                                       type.getElementType());
  LinalgNest loops = loopsOver(rewriter, op.getLoc(), init);
  int64_t columns = inputType.getDimSize(op.getTransposed() ? 0 : 1);
  return loops.build(
      {}, init, {loops.leading(3)},
      [&](OpBuilder &b, Location l, ValueRange args) -> Value {
        Value width = arith::ConstantIndexOp::create(b, l, op.getPanel());
        Value limit = arith::ConstantIndexOp::create(b, l, columns);
        Value first = arith::MulIOp::create(
            b, l, linalg::IndexOp::create(b, l, 0), width);
        Value n = arith::AddIOp::create(b, l, first,
                                        linalg::IndexOp::create(b, l, 2));
        Value inside =
            arith::CmpIOp::create(b, l, arith::CmpIPredicate::ult, n, limit);
        // Where the panel sticks out, column 0 is read and not used.
        Value zero = arith::ConstantIndexOp::create(b, l, 0);
        n = arith::SelectOp::create(b, l, inside, n, zero);
        Value k = linalg::IndexOp::create(b, l, 1);
        SmallVector<Value> at = {k, n};
        if (op.getTransposed())
          std::swap(at[0], at[1]);
        Value element = tensor::ExtractOp::create(b, l, op.getInput(), at);
        Value padding = arith::ConstantOp::create(
            b, l, b.getZeroAttr(type.getElementType()));
        return arith::SelectOp::create(b, l, inside, element, padding);
      });
}

Value heddle::lowerToLinalg(RewriterBase &rewriter, BroadcastOp op) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  auto type = cast<RankedTensorType>(op.getResult().getType());
  Value init = tensor::EmptyOp::create(rewriter, op.getLoc(), type,
                                       ValueRange(op.getSizes()));
  LinalgNest loops = loopsOver(rewriter, op.getLoc(), init);
  return loops.build(
      {}, init, {loops.leading(type.getRank())},
      [&](OpBuilder &b, Location l, ValueRange args) -> Value {
        Value zero = arith::ConstantIndexOp::create(b, l, 0);
        Value one = arith::ConstantIndexOp::create(b, l, 1);
        SmallVector<Value> at;
        for (unsigned i : llvm::seq<unsigned>(type.getRank())) {
          Value axis = arith::ConstantIndexOp::create(b, l, i);
          Value size = tensor::DimOp::create(b, l, op.getInput(), axis);
          Value repeated =
              arith::CmpIOp::create(b, l, arith::CmpIPredicate::eq, size, one);
          at.push_back(arith::SelectOp::create(
              b, l, repeated, zero, linalg::IndexOp::create(b, l, i)));
        }
        return tensor::ExtractOp::create(b, l, op.getInput(), at);
      });
}

Value heddle::lowerToArith(RewriterBase &rewriter, GeluOp op) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  ImplicitLocOpBuilder b(op.getLoc(), rewriter);
  Type type = op.getType(),
       sumType = accumulatorType(getElementTypeOrSelf(type));
  if (auto shaped = dyn_cast<ShapedType>(type))
    sumType = shaped.clone(sumType);
  auto constant = [&](double value) -> Value {
    TypedAttr scalar = b.getFloatAttr(getElementTypeOrSelf(sumType), value);
    if (auto shaped = dyn_cast<ShapedType>(sumType))
      scalar = DenseElementsAttr::get(shaped, scalar);
    return arith::ConstantOp::create(b, scalar);
  };
  Value x = convertFloat(b, b.getLoc(), op.getInput(), sumType);
  Value bounded;
  if (op.getApproximate() == GeluApproximation::none) {
    bounded = math::ErfOp::create(
        b, arith::MulFOp::create(b, x, constant(std::numbers::sqrt2 / 2)));
  } else {
    Value square = arith::MulFOp::create(b, x, x);
    Value cube = arith::MulFOp::create(b, square, x);
    Value inner = arith::AddFOp::create(
        b, x, arith::MulFOp::create(b, cube, constant(0.044715)));
    double factor = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
    bounded = math::TanhOp::create(
        b, arith::MulFOp::create(b, inner, constant(factor)));
  }
  Value half = arith::MulFOp::create(b, x, constant(0.5));
  Value result = arith::MulFOp::create(
      b, half, arith::AddFOp::create(b, constant(1.0), bounded));
  return convertFloat(b, b.getLoc(), result, type);
}

void heddle::lowerHeddleOps(RewriterBase &rewriter, Operation *root) {
  root->walk([&](Operation *op) {
    llvm::TypeSwitch<Operation *>(op)
        .Case<ContractionOp, AttentionOp, LayerNormOp, PackOp, BroadcastOp>(
            [&](auto op) {
              rewriter.replaceOp(op, lowerToLinalg(rewriter, op));
            })
        .Case<GeluOp>([&](GeluOp op) {
          rewriter.replaceOp(op, lowerToArith(rewriter, op));
        });
  });
}

namespace {
struct LowerToLinalg final : heddle::impl::LowerToLinalgBase<LowerToLinalg> {
  using Base::Base;
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    lowerHeddleOps(rewriter, getOperation());
  }
};
} // namespace
