//===- FuseElementwise.cpp - merge elementwise ops ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/HeddleDialect.h"
#include "passes/Passes.h"
#include "passes/analysis/OpRoles.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace heddle {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "passes/Passes.h.inc"
} // namespace heddle

using namespace heddle;

/// Whether a producer may be made part of its reader: one reader, both
/// elementwise, and the reader has as many loops, so that nothing is computed
/// twice.
static bool mayFuse(OpOperand *use) {
  auto producer = use->get().getDefiningOp<linalg::GenericOp>();
  auto reader = dyn_cast<linalg::GenericOp>(use->getOwner());
  return producer && reader && use->get().hasOneUse() &&
         getOpRole(producer) == OpRole::elementwise &&
         getOpRole(reader) == OpRole::elementwise &&
         producer.getNumLoops() == reader.getNumLoops() &&
         reader.getMatchingIndexingMap(use).isPermutation();
}

/// Whether an elementwise op is moved before the reshape of a contraction that
/// it reads, so that it can become the contraction's epilogue.
static bool mayMoveBeforeReshape(OpOperand *use) {
  auto expand = use->get().getDefiningOp<tensor::ExpandShapeOp>();
  return expand && use->get().hasOneUse() && expand.getSrc().hasOneUse() &&
         expand.getSrc().getDefiningOp<ContractionOp>();
}

namespace {
struct FuseElementwise final
    : heddle::impl::FuseElementwiseBase<FuseElementwise> {
  using Base::Base;
  void runOnOperation() override;
};
} // namespace

void FuseElementwise::runOnOperation() {
  MLIRContext *context = &getContext();
  RewritePatternSet patterns(context);
  linalg::populateElementwiseOpsFusionPatterns(patterns, mayFuse);
  linalg::populateFoldReshapeOpsByCollapsingPatterns(patterns,
                                                     mayMoveBeforeReshape);
  tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
  tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
  tensor::EmptyOp::getCanonicalizationPatterns(patterns, context);
  GreedyRewriteConfig config;
  config.setUseTopDownTraversal(true);
  if (failed(
          applyPatternsGreedily(getOperation(), std::move(patterns), config)))
    signalPassFailure();
}
