//===- ScheduleKernels.cpp - family, tiles and layouts of kernels ---------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/HeddleDialect.h"
#include "passes/Passes.h"
#include "passes/analysis/OpRoles.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace heddle {
#define GEN_PASS_DEF_SCHEDULEKERNELS
#include "passes/Passes.h.inc"
} // namespace heddle

using namespace heddle;

namespace {

/// Tile sizes of f32 contractions: `mr` rows by `nr` columns of accumulators.
struct ContractionTile {
  int64_t mr, nr;
};

/// The family chosen for a kernel, and why.
struct Choice {
  StringRef family;
  StringRef why;
};

} // namespace

/// The tile that measured best for a vector width: with 32 registers of 512
/// bits 24 accumulators, 3 columns and a broadcast; with 16 of 256 bits 12.
static ContractionTile getContractionTile(int64_t vectorBits) {
  return vectorBits >= 512 ? ContractionTile{8, 48} : ContractionTile{4, 24};
}

/// The computing ops of a kernel's body.
static SmallVector<Operation *> getComputingOps(KernelOp kernel) {
  SmallVector<Operation *> ops;
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    OpRole role = getOpRole(&op);
    if (role != OpRole::host && role != OpRole::fill)
      ops.push_back(&op);
  }
  return ops;
}

/// Whether all of `ops` but the op `anchor` are elementwise.
static bool restIsElementwise(ArrayRef<Operation *> ops, Operation *anchor) {
  return llvm::all_of(ops, [&](Operation *op) {
    return op == anchor || getOpRole(op) == OpRole::elementwise;
  });
}

static bool hasStaticHeads(AttentionOp op) {
  return !ShapedType::isDynamic(op.getQuery().getType().getDimSize(3)) &&
         !ShapedType::isDynamic(op.getValue().getType().getDimSize(3));
}

/// Chooses the family by what is in the body.
static Choice chooseFamily(KernelOp kernel) {
  SmallVector<Operation *> ops = getComputingOps(kernel);
  auto find = [&](OpRole role) {
    auto it = llvm::find_if(
        ops, [&](Operation *op) { return getOpRole(op) == role; });
    return it == ops.end() ? nullptr : *it;
  };
  if (ops.empty())
    return {"reference", "the body has no structured op"};
  if (Operation *op = find(OpRole::contraction)) {
    if (!restIsElementwise(ops, op))
      return {"reference", "a contraction with ops that are not elementwise"};
    if (!cast<ContractionOp>(op).getResult().getType().getElementType().isF32())
      return {"reference", "a contraction of an element type other than f32"};
    return {"contraction", ""};
  }
  if (Operation *op = find(OpRole::attention)) {
    auto attention = cast<AttentionOp>(op);
    if (ops.size() != 1 ||
        !attention.getResult().getType().getElementType().isF32())
      return {"reference", "attention of an element type other than f32"};
    if (!hasStaticHeads(attention))
      return {"reference", "attention with a head size that is not static"};
    return {"attention", ""};
  }
  if (Operation *op = find(OpRole::row))
    return restIsElementwise(ops, op)
               ? Choice{"row", ""}
               : Choice{"reference", "several row ops in one kernel"};
  if (Operation *op = find(OpRole::reduction))
    return restIsElementwise(ops, op)
               ? Choice{"reduction", ""}
               : Choice{"reference", "several reductions in one kernel"};
  if (ops.size() == 1 && find(OpRole::elementwise))
    return {"elementwise", ""};
  return {"reference", "no kernel family fits the body"};
}

/// The layout a family demands of operand `index`.
static Layout chooseLayout(KernelOp kernel, StringRef family, unsigned index) {
  if (llvm::is_contained({"contraction", "row", "reduction"}, family))
    return Layout::contiguous;
  if (family != "attention")
    return Layout::strided;
  auto attention = *kernel.getBody().getOps<AttentionOp>().begin();
  return kernel.getBody().getArgument(index) == attention.getMask()
             ? Layout::strided
             : Layout::unit_inner;
}

/// Packs the weight that the contraction reads into panels of `nr` columns, if
/// it is a weight. The pack happens when the weights file is written.
static bool packWeight(RewriterBase &rewriter, KernelOp kernel, int64_t nr) {
  auto contraction = *kernel.getBody().getOps<ContractionOp>().begin();
  auto argument = dyn_cast<BlockArgument>(contraction.getRhs());
  if (!argument || !argument.hasOneUse())
    return false;
  OpOperand &operand = kernel->getOpOperand(argument.getArgNumber());
  auto type = dyn_cast<RankedTensorType>(argument.getType());
  Operation *definer = operand.get().getDefiningOp();
  bool constant = definer && (isa<WeightOp>(definer) ||
                              definer->hasTrait<OpTrait::ConstantLike>());
  if (!constant || type.getRank() != 2 || !type.hasStaticShape())
    return false;
  bool transposed = contraction.getTransposeRhs();
  int64_t k = type.getDimSize(transposed ? 1 : 0);
  int64_t n = type.getDimSize(transposed ? 0 : 1);
  auto packedType = RankedTensorType::get(
      {llvm::divideCeilSigned(n, nr), k, nr}, type.getElementType());
  rewriter.setInsertionPoint(kernel);
  auto pack = PackOp::create(rewriter, kernel.getLoc(), packedType,
                             operand.get(), nr, transposed);
  rewriter.modifyOpInPlace(kernel, [&] { operand.set(pack); });
  argument.setType(packedType);
  rewriter.modifyOpInPlace(contraction, [&] {
    contraction.setTransposeRhs(false);
    contraction.setPanel(nr);
  });
  return true;
}

namespace {
struct ScheduleKernels final
    : heddle::impl::ScheduleKernelsBase<ScheduleKernels> {
  using Base::Base;
  void runOnOperation() override;

private:
  void schedule(RewriterBase &rewriter, KernelOp kernel, TargetAttr target);
};
} // namespace

void ScheduleKernels::schedule(RewriterBase &rewriter, KernelOp kernel,
                               TargetAttr target) {
  auto options = remark::RemarkOpts::name("schedule-kernels")
                     .category("heddle-schedule-kernels");
  Choice choice = target.getName() == "cpu:reference"
                      ? Choice{"reference", "the target asks for it"}
                      : chooseFamily(kernel);
  SmallVector<NamedAttribute> parameters;
  auto add = [&](StringRef name, int64_t value) {
    parameters.push_back(
        rewriter.getNamedAttr(name, rewriter.getI64IntegerAttr(value)));
  };
  auto bits = target.getFacts().getAs<IntegerAttr>("vector_bits");
  ContractionTile tile = getContractionTile(bits ? bits.getInt() : 256);
  if (choice.family == "contraction") {
    add("mr", tile.mr);
    add("nr", tile.nr);
    if (packWeight(rewriter, kernel, tile.nr))
      add("panel", tile.nr);
  }
  SmallVector<Attribute> layouts;
  for (unsigned i = 0; i < kernel.getNumOperands(); ++i)
    layouts.push_back(
        LayoutAttr::get(&getContext(), chooseLayout(kernel, choice.family, i)));
  rewriter.modifyOpInPlace(kernel, [&] {
    kernel.setScheduleAttr(ScheduleAttr::get(
        &getContext(), choice.family, rewriter.getDictionaryAttr(parameters)));
    kernel.setLayoutsAttr(rewriter.getArrayAttr(layouts));
  });
  if (choice.family == "reference")
    remark::missed(kernel.getLoc(), options)
        << "reference lowering" << remark::reason("{0}", choice.why);
  else
    remark::passed(kernel.getLoc(), options) << choice.family.str();
}

void ScheduleKernels::runOnOperation() {
  auto target = getOperation()->getAttrOfType<TargetAttr>("heddle.target");
  if (!target) {
    getOperation().emitError("expects the module attribute 'heddle.target'");
    return signalPassFailure();
  }
  IRRewriter rewriter(&getContext());
  SmallVector<KernelOp> kernels;
  getOperation().walk([&](KernelOp kernel) { kernels.push_back(kernel); });
  for (KernelOp kernel : kernels)
    schedule(rewriter, kernel, target);
}
