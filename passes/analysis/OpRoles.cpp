//===- OpRoles.cpp - what an op is to kernel formation --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "passes/analysis/OpRoles.h"

#include "dialects/heddle/HeddleDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace heddle;

bool heddle::isView(Operation *op) {
  if (auto cast = dyn_cast<tensor::CastOp>(op))
    return isa<RankedTensorType>(cast.getSource().getType()) &&
           isa<RankedTensorType>(cast.getType());
  return isa<linalg::TransposeOp, tensor::ExpandShapeOp,
             tensor::CollapseShapeOp, tensor::ExtractSliceOp, BroadcastOp>(op);
}

/// Whether every result map of `op` is the identity over its first loops.
static bool writesInOrder(linalg::GenericOp op) {
  return llvm::all_of(op.getDpsInitsMutable(), [&](OpOperand &init) {
    AffineMap map = op.getMatchingIndexingMap(&init);
    return map ==
           AffineMap::getMultiDimIdentityMap(op.getNumLoops(), op.getContext());
  });
}

/// Whether `op` reads its first input at the loop indices and writes one result
/// over its parallel loops, in order, of which the others are reductions.
static bool reducesAxes(linalg::GenericOp op) {
  if (op.getNumReductionLoops() == 0 || op.getNumDpsInits() != 1 ||
      op.getNumDpsInputs() == 0)
    return false;
  SmallVector<AffineExpr> kept;
  for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    if (kind == utils::IteratorType::parallel)
      kept.push_back(getAffineDimExpr(loop, op.getContext()));
  AffineMap expected =
      AffineMap::get(op.getNumLoops(), 0, kept, op.getContext());
  return op.getMatchingIndexingMap(op.getDpsInitOperand(0)) == expected &&
         op.getMatchingIndexingMap(op.getDpsInputOperand(0)).isIdentity();
}

/// Whether the last loop of `op` is its only reduction.
static bool reducesLastAxisOnly(linalg::GenericOp op) {
  return op.getNumReductionLoops() == 1 &&
         op.getIteratorTypesArray().back() == utils::IteratorType::reduction;
}

OpRole heddle::getOpRole(Operation *op) {
  if (isView(op) || op->hasTrait<OpTrait::IsTerminator>() ||
      op->hasTrait<OpTrait::ConstantLike>())
    return OpRole::host;
  if (isa<ContractionOp>(op))
    return OpRole::contraction;
  if (isa<AttentionOp>(op))
    return OpRole::attention;
  if (isa<LayerNormOp>(op))
    return OpRole::row;
  if (isa<linalg::FillOp>(op))
    return OpRole::fill;
  if (auto softmax = dyn_cast<linalg::SoftmaxOp>(op)) {
    int64_t rank = softmax.getInputOperandRank();
    return static_cast<int64_t>(softmax.getDimension()) == rank - 1
               ? OpRole::row
               : OpRole::other;
  }
  if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
    if (generic.getNumLoops() == generic.getNumParallelLoops() &&
        writesInOrder(generic))
      return OpRole::elementwise;
    if (!reducesAxes(generic))
      return OpRole::other;
    return reducesLastAxisOnly(generic) ? OpRole::row : OpRole::reduction;
  }
  bool onTensors =
      llvm::any_of(op->getResultTypes(), llvm::IsaPred<TensorType>);
  bool keptByHost = isa<tensor::EmptyOp, tensor::ConcatOp, WeightOp, PackOp,
                        KernelOp, BindShapeOp>(op);
  return onTensors && !keptByHost ? OpRole::other : OpRole::host;
}

bool heddle::readsElementwise(linalg::GenericOp op, OpOperand &use) {
  return op.isDpsInput(&use) && getOpRole(op) == OpRole::elementwise &&
         op.getMatchingIndexingMap(&use).isIdentity();
}
