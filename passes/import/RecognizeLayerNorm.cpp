//===- RecognizeLayerNorm.cpp - spelled-out layer norm as one op ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/HeddleDialect.h"
#include "passes/Passes.h"
#include "passes/analysis/ElementwiseMatch.h"
#include "passes/analysis/OpRoles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;

namespace heddle {
#define GEN_PASS_DEF_RECOGNIZELAYERNORM
#include "passes/Passes.h.inc"
} // namespace heddle

using namespace heddle;

namespace {

/// (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon) [* scale] [+ bias]
struct LayerNorm {
  Value input;
  double epsilon = 0;
  linalg::GenericOp result; ///< the last op of the pattern
  Value scale, bias;
};

} // namespace

/// The tensor under reshapes that only add or drop axes of size 1.
static Value stripUnitAxes(Value tensor) {
  while (auto expand = tensor.getDefiningOp<tensor::ExpandShapeOp>())
    tensor = expand.getSrc();
  return tensor;
}

/// Matches sum over the last axis, and gives the summed tensor.
static bool matchRowSum(Value tensor, Value &summed) {
  auto generic = tensor.getDefiningOp<linalg::GenericOp>();
  if (!generic || getOpRole(generic) != OpRole::row ||
      generic.getNumDpsInputs() != 1)
    return false;
  auto yield = cast<linalg::YieldOp>(generic.getBody()->getTerminator());
  auto add = yield.getOperand(0).getDefiningOp<arith::AddFOp>();
  auto fill =
      generic.getDpsInitOperand(0)->get().getDefiningOp<linalg::FillOp>();
  if (!add || !fill || getFloatConstant(fill.getInputs()[0]) != 0.0 ||
      !llvm::is_contained(add->getOperands(),
                          generic.getBody()->getArgument(0)) ||
      !llvm::is_contained(add->getOperands(),
                          generic.getBody()->getArgument(1)))
    return false;
  summed = generic.getDpsInputOperand(0)->get();
  return true;
}

/// Matches the mean over the last axis, which has a static size, and gives the
/// averaged tensor.
static bool matchRowMean(Value tensor, Value &averaged) {
  Value sum;
  double factor;
  if (!matchScaled(stripUnitAxes(tensor), sum, factor) ||
      !matchRowSum(stripUnitAxes(sum), averaged))
    return false;
  int64_t size = cast<RankedTensorType>(averaged.getType()).getShape().back();
  return !ShapedType::isDynamic(size) &&
         std::abs(factor * static_cast<double>(size) - 1) < 1e-6;
}

/// Whether `operand` is one number per row: it is indexed by the leading loops,
/// in order, and at 0 in axes of size 1.
static bool isPerRow(const ScalarOperand &operand) {
  if (!operand.tensor)
    return false;
  auto type = cast<RankedTensorType>(operand.tensor.getType());
  unsigned next = 0;
  for (auto [expr, size] :
       llvm::zip_equal(operand.map.getResults(), type.getShape())) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim && size == 1)
      continue;
    if (!dim || dim.getPosition() < next ||
        dim.getPosition() == operand.map.getNumDims() - 1)
      return false;
    next = dim.getPosition() + 1;
  }
  return true;
}

/// Matches x - mean(x).
static bool matchCentred(Value tensor, Value &x) {
  ScalarOperand a, b;
  Value averaged;
  if (!matchBinary<arith::SubFOp>(tensor, a, b) || !a.isIdentity() ||
      !isPerRow(b) || !matchRowMean(b.tensor, averaged) || averaged != a.tensor)
    return false;
  x = a.tensor;
  return true;
}

/// Matches x^2, by a power or a product.
static bool matchSquare(Value tensor, Value &x) {
  ScalarOperand a, b;
  if (matchBinary<arith::MulFOp>(tensor, a, b) && a.isIdentity() &&
      b.isIdentity() && a.tensor == b.tensor) {
    x = a.tensor;
    return true;
  }
  if (!matchBinary<math::PowFOp>(tensor, a, b) || !a.isIdentity() ||
      b.constant != 2.0)
    return false;
  x = a.tensor;
  return true;
}

/// Matches sqrt(mean(centred^2) + epsilon).
static bool matchDeviation(Value tensor, Value centred, double &epsilon) {
  Value sum, averaged, base;
  ScalarOperand a, b;
  if (!matchUnary<math::SqrtOp>(stripUnitAxes(tensor), sum) ||
      !matchBinary<arith::AddFOp>(stripUnitAxes(sum), a, b))
    return false;
  if (a.constant)
    std::swap(a, b);
  if (!a.isIdentity() || !b.constant || !matchRowMean(a.tensor, averaged) ||
      !matchSquare(averaged, base) || base != centred)
    return false;
  epsilon = *b.constant;
  return true;
}

/// The vector along the last axis by which the one reader of `op` multiplies
/// (`Op` = mulf) or to which it adds (`Op` = addf) the result; null if it does
/// not. Moves `op` on to that reader.
template <typename Op>
static Value takeVector(linalg::GenericOp &op) {
  Value result = op.getResult(0);
  if (!result.hasOneUse())
    return {};
  auto reader = dyn_cast<linalg::GenericOp>(*result.getUsers().begin());
  ScalarOperand a, b;
  if (!reader || reader.getNumResults() != 1 ||
      !matchBinary<Op>(reader.getResult(0), a, b))
    return {};
  if (b.tensor == result)
    std::swap(a, b);
  if (a.tensor != result || !a.isIdentity() || !b.tensor)
    return {};
  unsigned loops = b.map.getNumDims();
  auto vector =
      AffineMap::get(loops, 0, getAffineDimExpr(loops - 1, op.getContext()));
  if (b.map != vector)
    return {};
  op = reader;
  return b.tensor;
}

static std::optional<LayerNorm> matchLayerNorm(linalg::GenericOp divide) {
  LayerNorm found;
  ScalarOperand centred, deviation;
  if (divide.getNumResults() != 1 ||
      !matchBinary<arith::DivFOp>(divide.getResult(0), centred, deviation) ||
      !centred.isIdentity() || !isPerRow(deviation) ||
      !matchCentred(centred.tensor, found.input) ||
      !matchDeviation(deviation.tensor, centred.tensor, found.epsilon) ||
      found.epsilon < 0)
    return std::nullopt;
  found.result = divide;
  found.scale = takeVector<arith::MulFOp>(found.result);
  found.bias = takeVector<arith::AddFOp>(found.result);
  return found;
}

namespace {
struct RecognizeLayerNorm final
    : heddle::impl::RecognizeLayerNormBase<RecognizeLayerNorm> {
  using Base::Base;
  void runOnOperation() override;
};
} // namespace

void RecognizeLayerNorm::runOnOperation() {
  auto options = remark::RemarkOpts::name("recognize-layer-norm")
                     .category("heddle-recognize-layer-norm")
                     .function(getOperation().getSymName());
  IRRewriter rewriter(&getContext());
  SmallVector<linalg::GenericOp> candidates;
  getOperation().walk([&](linalg::GenericOp op) { candidates.push_back(op); });
  for (linalg::GenericOp op : candidates) {
    std::optional<LayerNorm> found = matchLayerNorm(op);
    if (!found)
      continue;
    linalg::GenericOp last = found->result;
    rewriter.setInsertionPoint(last);
    Location loc = op.getLoc();
    auto norm = LayerNormOp::create(rewriter, loc, last.getResult(0).getType(),
                                    found->input, found->scale, found->bias,
                                    last.getDpsInitOperand(0)->get(),
                                    rewriter.getF32FloatAttr(found->epsilon));
    rewriter.replaceAllUsesWith(last.getResult(0), norm.getResult());
    remark::passed(loc, options) << "moments, division, scale and bias";
  }
}
