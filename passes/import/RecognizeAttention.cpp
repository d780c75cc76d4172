//===- RecognizeAttention.cpp - spelled-out attention as one op -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/HeddleDialect.h"
#include "passes/Passes.h"
#include "passes/analysis/ElementwiseMatch.h"
#include "passes/analysis/TensorSizes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;

namespace heddle {
#define GEN_PASS_DEF_RECOGNIZEATTENTION
#include "passes/Passes.h.inc"
} // namespace heddle

using namespace heddle;

namespace {

/// The parts of softmax(scale * query key^T + mask) value.
struct Attention {
  ContractionOp scores, output;
  Value query, key;
  bool keyIsTransposed = false; ///< key is [B, G, D, T]
  ScalarOperand mask;           ///< none if its tensor is null
  double scale = 1;
  bool zeroMaskedRows = false;
};

} // namespace

/// Strips the guard of exporters against rows that are masked wholly:
/// where(isnan(p), 0, p).
static Value stripZeroedNaNs(Value probabilities, bool &stripped) {
  ElementwiseOp select = getElementwise(probabilities);
  if (!select || !isa<arith::SelectOp>(select.scalar))
    return probabilities;
  ScalarOperand condition = select.getOperand(0);
  ScalarOperand zero = select.getOperand(1), other = select.getOperand(2);
  if (!condition.isIdentity() || zero.constant != 0.0 || !other.isIdentity())
    return probabilities;
  ElementwiseOp isNaN = getElementwise(condition.tensor);
  auto compare = isNaN ? dyn_cast<arith::CmpFOp>(isNaN.scalar) : nullptr;
  if (!compare ||
      (compare.getPredicate() != arith::CmpFPredicate::UNO &&
       compare.getPredicate() != arith::CmpFPredicate::UNE) ||
      compare.getLhs() != compare.getRhs() ||
      isNaN.getOperand(0).tensor != other.tensor)
    return probabilities;
  stripped = true;
  return other.tensor;
}

/// Whether `scores` is query * key^T with scales and one mask; fills in
/// `found`. Goes from the softmax inwards.
static bool matchScores(Value scores, Attention &found) {
  if (auto contraction = scores.getDefiningOp<ContractionOp>()) {
    if (contraction.getBias() || contraction.getPanel() ||
        contraction.getRhs().getType().getRank() != 4)
      return false;
    found.scores = contraction;
    return true;
  }
  Value inner;
  double factor;
  if (matchScaled(scores, inner, factor)) {
    // A scale outside of the mask would have to scale the mask too.
    bool insideMask = found.mask.tensor != nullptr;
    found.scale *= factor;
    return matchScores(inner, found) && (insideMask || !found.mask.tensor);
  }
  if (found.mask.tensor)
    return false;
  ScalarOperand a, b;
  if (matchBinary<arith::AddFOp>(scores, a, b)) {
    for (auto [x, mask] : {std::pair(a, b), std::pair(b, a)}) {
      Attention attempt = found;
      if (!x.isIdentity() || !mask.tensor)
        continue;
      attempt.mask = mask;
      if (matchScores(x.tensor, attempt)) {
        found = attempt;
        return true;
      }
    }
    return false;
  }
  ElementwiseOp select = getElementwise(scores);
  if (!select || !isa<arith::SelectOp>(select.scalar))
    return false;
  ScalarOperand other = select.getOperand(2);
  if (!select.getOperand(1).isIdentity() || !select.getOperand(0).tensor ||
      other.constant != -std::numeric_limits<double>::infinity())
    return false;
  found.mask = select.getOperand(0);
  return matchScores(select.getOperand(1).tensor, found);
}

/// Whether the axes of `mask` are the last ones of the scores, in order; an
/// axis that is read at 0 has size 1, and is broadcast by the attention too.
static bool isTrailing(const ScalarOperand &mask) {
  auto type = cast<RankedTensorType>(mask.tensor.getType());
  int64_t rank = mask.map.getNumResults();
  if (rank == 0 || rank > 4)
    return false;
  for (auto [i, expr] : llvm::enumerate(mask.map.getResults())) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    auto constant = dyn_cast<AffineConstantExpr>(expr);
    if (!(dim && dim.getPosition() == 4 - rank + i) &&
        !(constant && constant.getValue() == 0 && type.getDimSize(i) == 1))
      return false;
  }
  return true;
}

static std::optional<Attention> matchAttention(ContractionOp output) {
  Attention found;
  found.output = output;
  if (output.getBias() || output.getPanel() ||
      output.getRhs().getType().getRank() != 4)
    return std::nullopt;
  Value probabilities = stripZeroedNaNs(output.getLhs(), found.zeroMaskedRows);
  auto softmax = probabilities.getDefiningOp<linalg::SoftmaxOp>();
  if (!softmax || softmax.getDimension() != 3 ||
      !matchScores(softmax.getInput(), found))
    return std::nullopt;
  found.query = found.scores.getLhs();
  found.key = found.scores.getRhs();
  found.keyIsTransposed = !found.scores.getTransposeRhs();
  double factor;
  while (matchScaled(found.query, found.query, factor))
    found.scale *= factor;
  while (matchScaled(found.key, found.key, factor))
    found.scale *= factor;
  if (found.mask.tensor && !isTrailing(found.mask))
    return std::nullopt;
  return found;
}

/// `tensor` with its last two axes exchanged.
static FailureOr<Value> swapLastAxes(RewriterBase &rewriter, Location loc,
                                     Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  FailureOr<SmallVector<OpFoldResult>> sizes = getTensorSizes(rewriter, tensor);
  if (failed(sizes))
    return failure();
  std::swap((*sizes)[2], (*sizes)[3]);
  Value init =
      tensor::EmptyOp::create(rewriter, loc, *sizes, type.getElementType());
  return linalg::TransposeOp::create(rewriter, loc, tensor, init,
                                     ArrayRef<int64_t>{0, 1, 3, 2})
      .getResult()[0];
}

/// The mask with leading axes of size 1 up to rank 4.
static FailureOr<Value> expandMask(RewriterBase &rewriter, Location loc,
                                   Value mask) {
  auto type = cast<RankedTensorType>(mask.getType());
  int64_t missing = 4 - type.getRank();
  if (missing == 0)
    return mask;
  FailureOr<SmallVector<OpFoldResult>> sizes = getTensorSizes(rewriter, mask);
  if (failed(sizes))
    return failure();
  SmallVector<int64_t> shape(missing, 1);
  llvm::append_range(shape, type.getShape());
  sizes->insert(sizes->begin(), missing, rewriter.getIndexAttr(1));
  SmallVector<ReassociationIndices> groups(type.getRank());
  for (int64_t axis = 0; axis < 4; ++axis)
    groups[std::max<int64_t>(0, axis - missing)].push_back(axis);
  return tensor::ExpandShapeOp::create(
             rewriter, loc, RankedTensorType::get(shape, type.getElementType()),
             mask, groups, *sizes)
      .getResult();
}

/// Replaces the second contraction of `found` by heddle.attention.
static LogicalResult replaceByAttention(RewriterBase &rewriter,
                                        Attention &found) {
  ContractionOp output = found.output;
  Location loc = output.getLoc();
  rewriter.setInsertionPoint(output);
  FailureOr<Value> key = found.key, value = Value(output.getRhs());
  FailureOr<Value> mask = found.mask.tensor;
  if (found.keyIsTransposed)
    key = swapLastAxes(rewriter, loc, found.key);
  if (output.getTransposeRhs())
    value = swapLastAxes(rewriter, loc, output.getRhs());
  if (*mask)
    mask = expandMask(rewriter, loc, *mask);
  if (failed(key) || failed(value) || failed(mask))
    return failure();
  rewriter.replaceOpWithNewOp<AttentionOp>(
      output, output.getType(), found.query, *key, *value, *mask, Value(),
      output.getInit(), rewriter.getF32FloatAttr(found.scale), FloatAttr(),
      /*causal=*/UnitAttr(),
      found.zeroMaskedRows ? rewriter.getUnitAttr() : UnitAttr());
  return success();
}

namespace {
struct RecognizeAttention final
    : heddle::impl::RecognizeAttentionBase<RecognizeAttention> {
  using Base::Base;
  void runOnOperation() override;
};
} // namespace

void RecognizeAttention::runOnOperation() {
  auto options = remark::RemarkOpts::name("recognize-attention")
                     .category("heddle-recognize-attention")
                     .function(getOperation().getSymName());
  IRRewriter rewriter(&getContext());
  SmallVector<ContractionOp> contractions;
  getOperation().walk([&](ContractionOp op) { contractions.push_back(op); });
  for (ContractionOp op : contractions) {
    std::optional<Attention> found = matchAttention(op);
    if (!found)
      continue;
    Location loc = op.getLoc();
    if (failed(replaceByAttention(rewriter, *found)))
      return signalPassFailure();
    remark::passed(loc, options) << "softmax between two contractions";
  }
}
