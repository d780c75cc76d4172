//===- FormKernels.cpp - group ops into heddle.kernel regions -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "passes/Passes.h"
#include "passes/analysis/OpRoles.h"
#include "passes/transforms/KernelRegion.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;

namespace heddle {
#define GEN_PASS_DEF_FORMKERNELS
#include "passes/Passes.h.inc"
} // namespace heddle

using namespace heddle;

static StringRef nameOf(OpRole role) {
  switch (role) {
  case OpRole::contraction:
    return "contraction";
  case OpRole::attention:
    return "attention";
  case OpRole::row:
    return "row";
  case OpRole::reduction:
    return "reduction";
  case OpRole::elementwise:
    return "elementwise";
  default:
    return "single op";
  }
}

/// The elementwise op that alone reads the one result of `op`, or null with the
/// reason why there is none.
static linalg::GenericOp findEpilogue(Operation *op, StringRef &why) {
  if (op->getNumResults() != 1) {
    why = "several results";
    return {};
  }
  Value result = op->getResult(0);
  if (!result.hasOneUse()) {
    why = "several readers, or none";
    return {};
  }
  OpOperand &use = *result.getUses().begin();
  auto reader = dyn_cast<linalg::GenericOp>(use.getOwner());
  if (!reader || !readsElementwise(reader, use)) {
    why = "the reader is not elementwise over the same shape";
    return {};
  }
  return reader;
}

/// The elementwise op whose one result `op` alone reads as its first operand,
/// or null.
static linalg::GenericOp findPrologue(Operation *op) {
  Value input = op->getOperand(0);
  auto producer = input.getDefiningOp<linalg::GenericOp>();
  if (!producer || producer->getNumResults() != 1 || !input.hasOneUse() ||
      getOpRole(producer) != OpRole::elementwise)
    return {};
  return producer;
}

/// The ops that go into one kernel with `anchor`, in block order.
static SmallVector<Operation *> collectGroup(Operation *anchor,
                                             remark::RemarkOpts options) {
  OpRole role = getOpRole(anchor);
  SmallVector<Operation *> group = {anchor};
  bool alongAxes = role == OpRole::row || role == OpRole::reduction;
  if (alongAxes)
    if (Operation *producer = findPrologue(anchor))
      group.insert(group.begin(), producer);
  if (role != OpRole::contraction && !alongAxes)
    return group;
  StringRef why;
  while (Operation *reader = findEpilogue(group.back(), why))
    group.push_back(reader);
  remark::missed(anchor->getLoc(), options)
      << remark::reason("no further reader taken: {0}", why);
  return group;
}

namespace {
struct FormKernels final : heddle::impl::FormKernelsBase<FormKernels> {
  using Base::Base;
  void runOnOperation() override;

private:
  /// Makes a kernel for every op of the entry whose role `wanted` accepts.
  LogicalResult formAround(llvm::function_ref<bool(OpRole)> wanted);
};
} // namespace

LogicalResult FormKernels::formAround(llvm::function_ref<bool(OpRole)> wanted) {
  auto options = remark::RemarkOpts::name("form-kernels")
                     .category("heddle-form-kernels")
                     .function(getOperation().getSymName());
  IRRewriter rewriter(&getContext());
  SmallVector<Operation *> anchors;
  for (Operation &op : getOperation().getBody().front())
    if (wanted(getOpRole(&op)))
      anchors.push_back(&op);
  for (Operation *anchor : anchors) {
    SmallVector<Operation *> group = collectGroup(anchor, options);
    std::string reason = nameOf(getOpRole(anchor)).str();
    if (group.size() > 1)
      reason += " + " + std::to_string(group.size() - 1) + " elementwise";
    Location loc = anchor->getLoc();
    if (failed(createKernel(rewriter, group, reason)))
      return emitError(loc, "expects the results of '")
             << anchor->getName() << "' to be written to empty tensors";
    remark::passed(loc, options) << reason;
  }
  return success();
}

void FormKernels::runOnOperation() {
  if (getOperation().isDeclaration())
    return;
  // What has the least choice goes first; elementwise ops that nobody took are
  // kernels of their own.
  if (failed(formAround([](OpRole role) {
        return role == OpRole::contraction || role == OpRole::attention;
      })) ||
      failed(formAround([](OpRole role) {
        return role == OpRole::row || role == OpRole::reduction;
      })) ||
      failed(formAround([](OpRole role) {
        return role == OpRole::elementwise || role == OpRole::other;
      })))
    return signalPassFailure();
  // Fills are remade where they are used; those left stand for themselves only
  // if something outside kernels reads them.
  IRRewriter rewriter(&getContext());
  for (Operation &op : llvm::make_early_inc_range(
           llvm::reverse(getOperation().getBody().front())))
    if (isOpTriviallyDead(&op))
      rewriter.eraseOp(&op);
  if (failed(formAround([](OpRole role) { return role == OpRole::fill; })))
    signalPassFailure();
}
