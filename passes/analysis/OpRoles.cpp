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

/// Whether the last loop of `op` is its only reduction, its inputs are read at
/// the loop indices or broadcast along them, and its result drops that loop.
static bool reducesRows(linalg::GenericOp op) {
  unsigned loops = op.getNumLoops();
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  if (loops == 0 || op.getNumReductionLoops() != 1 ||
      kinds.back() != utils::IteratorType::reduction ||
      op.getNumDpsInits() != 1 || op.getNumDpsInputs() == 0)
    return false;
  AffineMap result = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  AffineMap rows =
      AffineMap::getMultiDimIdentityMap(loops - 1, op.getContext());
  AffineMap expected =
      AffineMap::get(loops, 0, rows.getResults(), op.getContext());
  AffineMap first = op.getMatchingIndexingMap(op.getDpsInputOperand(0));
  return result == expected && first.isIdentity();
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
    return reducesRows(generic) ? OpRole::row : OpRole::other;
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
