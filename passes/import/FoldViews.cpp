//===- FoldViews.cpp - views of views become one --------------------------===//
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
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace heddle {
#define GEN_PASS_DEF_FOLDVIEWS
#include "passes/Passes.h.inc"
} // namespace heddle

using namespace heddle;

namespace {

/// expand(transpose(collapse(x))) -> transpose(x), where the axes that were
/// collapsed are the first ones, stay in place and are expanded as they were.
struct FoldTransposeBetweenReshapes final
    : OpRewritePattern<tensor::ExpandShapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ExpandShapeOp expand,
                                PatternRewriter &rewriter) const override {
    auto transpose = expand.getSrc().getDefiningOp<linalg::TransposeOp>();
    if (!transpose)
      return rewriter.notifyMatchFailure(expand, "no transpose is expanded");
    auto collapse =
        transpose.getInput().getDefiningOp<tensor::CollapseShapeOp>();
    if (!collapse ||
        collapse.getSrcType().getRank() != expand.getResultType().getRank())
      return rewriter.notifyMatchFailure(expand, "no collapse is transposed");
    SmallVector<ReassociationIndices> groups =
        collapse.getReassociationIndices();
    int64_t merged = groups.front().size();
    bool onlyFirst =
        llvm::all_of(llvm::drop_begin(groups),
                     [](ArrayRef<int64_t> group) { return group.size() == 1; });
    if (!onlyFirst || transpose.getPermutation().front() != 0 ||
        groups != expand.getReassociationIndices())
      return rewriter.notifyMatchFailure(expand, "other axes are reshaped");

    FailureOr<SmallVector<OpFoldResult>> sizes =
        getTensorSizes(rewriter, collapse.getSrc());
    SmallVector<OpFoldResult> wanted = expand.getMixedOutputShape();
    if (failed(sizes) ||
        !isEqualConstantIntOrValueArray(ArrayRef(wanted).take_front(merged),
                                        ArrayRef(*sizes).take_front(merged)))
      return rewriter.notifyMatchFailure(expand, "expanded to other sizes");

    SmallVector<int64_t> permutation(merged);
    std::iota(permutation.begin(), permutation.end(), 0);
    for (int64_t axis : transpose.getPermutation().drop_front())
      permutation.push_back(axis + merged - 1);
    Value init =
        tensor::EmptyOp::create(rewriter, expand.getLoc(), wanted,
                                expand.getResultType().getElementType());
    rewriter.replaceOpWithNewOp<linalg::TransposeOp>(expand, collapse.getSrc(),
                                                     init, permutation);
    return success();
  }
};

/// contraction(a, transpose(b)) with the last two axes of b exchanged reads b
/// itself.
struct FoldTransposeIntoContraction final : OpRewritePattern<ContractionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ContractionOp op,
                                PatternRewriter &rewriter) const override {
    auto transpose = op.getRhs().getDefiningOp<linalg::TransposeOp>();
    if (!transpose || op.getPanel())
      return rewriter.notifyMatchFailure(op, "rhs is not transposed");
    ArrayRef<int64_t> permutation = transpose.getPermutation();
    int64_t rank = permutation.size();
    for (int64_t i = 0; i < rank - 2; ++i)
      if (permutation[i] != i)
        return rewriter.notifyMatchFailure(op, "leading axes are transposed");
    if (permutation[rank - 2] != rank - 1)
      return rewriter.notifyMatchFailure(op, "the transpose changes nothing");
    rewriter.modifyOpInPlace(op, [&] {
      op.getRhsMutable().assign(transpose.getInput());
      op.setTransposeRhs(!op.getTransposeRhs());
    });
    return success();
  }
};

/// contraction(a, b) + bias -> contraction(a, b) bias, for a vector along the
/// last axis.
struct FoldBias final : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const override {
    ScalarOperand a, b;
    if (op.getNumResults() != 1 ||
        !matchBinary<arith::AddFOp>(op.getResult(0), a, b))
      return rewriter.notifyMatchFailure(op, "not an addition");
    if (!a.isIdentity() || !a.tensor.getDefiningOp<ContractionOp>())
      std::swap(a, b);
    auto contraction =
        a.tensor ? a.tensor.getDefiningOp<ContractionOp>() : ContractionOp();
    if (!contraction || !a.isIdentity() || !a.tensor.hasOneUse() ||
        contraction.getBias() || !b.tensor)
      return rewriter.notifyMatchFailure(op, "no contraction without bias");
    unsigned loops = b.map.getNumDims();
    auto vector =
        AffineMap::get(loops, 0, getAffineDimExpr(loops - 1, op.getContext()));
    if (b.map != vector)
      return rewriter.notifyMatchFailure(op, "not a vector along the columns");
    auto type = cast<RankedTensorType>(op.getResult(0).getType());
    rewriter.replaceOpWithNewOp<ContractionOp>(
        op, type, contraction.getLhs(), contraction.getRhs(), b.tensor,
        op.getDpsInitOperand(0)->get(), contraction.getTransposeRhs(),
        contraction.getPanelAttr());
    return success();
  }
};

struct FoldViews final : heddle::impl::FoldViewsBase<FoldViews> {
  using Base::Base;
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    patterns.add<FoldTransposeBetweenReshapes, FoldTransposeIntoContraction,
                 FoldBias>(context);
    linalg::TransposeOp::getCanonicalizationPatterns(patterns, context);
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
