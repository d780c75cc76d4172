//===- KernelRegion.cpp - makes a heddle.kernel from ops ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "passes/transforms/KernelRegion.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace heddle;

namespace {

/// The ops of a kernel to be, and what they read and give.
struct KernelParts {
  llvm::SetVector<Operation *> ops;
  llvm::SetVector<Value> inputs;
  /// Values made outside that are cheaper to make again inside.
  llvm::SetVector<Operation *> remade;
  SmallVector<Value> results;
  /// The empty tensor that each result is written to.
  SmallVector<Value> outputs;
};

} // namespace

/// Whether `op` is made again inside a kernel instead of being read from
/// outside: scalars, splats and empty or filled tensors cost nothing there.
static bool isRemade(Operation *op) {
  if (isa<tensor::EmptyOp, linalg::FillOp>(op))
    return true;
  Attribute value;
  if (!matchPattern(op, m_Constant(&value)))
    return false;
  auto elements = dyn_cast<DenseElementsAttr>(value);
  return !elements || elements.isSplat();
}

/// The empty tensor that `result` is written to, or null. The initial value of
/// a reduction is a fill of it.
static Value findDestination(OpResult result) {
  auto op = dyn_cast<DestinationStyleOpInterface>(result.getOwner());
  if (!op)
    return {};
  Value init = op.getTiedOpOperand(result)->get();
  if (auto fill = init.getDefiningOp<linalg::FillOp>())
    init = fill.getDpsInitOperand(0)->get();
  return init.getDefiningOp<tensor::EmptyOp>() ? init : Value();
}

/// Adds what `value` needs to the kernel's inputs or to what is remade inside.
static void addOperand(KernelParts &parts, Value value) {
  Operation *definer = value.getDefiningOp();
  if (definer && parts.ops.contains(definer))
    return;
  if (!definer || !isRemade(definer)) {
    parts.inputs.insert(value);
    return;
  }
  if (parts.remade.contains(definer))
    return;
  for (Value operand : definer->getOperands())
    if (!llvm::is_contained(parts.outputs, operand))
      addOperand(parts, operand);
  parts.remade.insert(definer);
}

/// Whether two empty tensors have the same type and the same sizes.
static bool sameEmpty(Value a, Value b) {
  auto first = a.getDefiningOp<tensor::EmptyOp>();
  auto second = b.getDefiningOp<tensor::EmptyOp>();
  return first && second && first.getType() == second.getType() &&
         first.getDynamicSizes() == second.getDynamicSizes();
}

/// Finds results and their destinations; a tensor that is not written to an
/// empty tensor (tensor.from_elements) gets a destination of its own.
static LogicalResult findResults(RewriterBase &rewriter, KernelParts &parts) {
  for (Operation *op : parts.ops)
    for (OpResult result : op->getResults()) {
      bool escapes = llvm::any_of(result.getUsers(), [&](Operation *user) {
        while (user && user->getBlock() != op->getBlock())
          user = user->getParentOp();
        return !parts.ops.contains(user);
      });
      if (!escapes)
        continue;
      Value destination = findDestination(result);
      auto type = dyn_cast<RankedTensorType>(result.getType());
      if (!destination && type && type.hasStaticShape())
        destination = tensor::EmptyOp::create(
            rewriter, op->getLoc(), type.getShape(), type.getElementType());
      if (!destination)
        return rewriter.notifyMatchFailure(
            op, "a result is not written to an empty tensor");
      parts.results.push_back(result);
      parts.outputs.push_back(destination);
    }
  return success();
}

static void findInputs(KernelParts &parts) {
  for (Operation *op : parts.ops) {
    llvm::SetVector<Value> read(op->getOperands().begin(),
                                op->getOperands().end());
    getUsedValuesDefinedAbove(op->getRegions(), read);
    for (Value value : read)
      if (!llvm::is_contained(parts.outputs, value))
        addOperand(parts, value);
  }
}

/// Fills the body of `kernel` with copies of the kernel's ops.
static void buildBody(RewriterBase &rewriter, KernelOp kernel,
                      const KernelParts &parts) {
  SmallVector<Location> locs(kernel.getNumOperands(), kernel.getLoc());
  Block *body = rewriter.createBlock(&kernel.getBody(), {},
                                     kernel.getOperandTypes(), locs);
  IRMapping mapping;
  for (auto [value, argument] :
       llvm::zip_equal(kernel.getOperands(), body->getArguments()))
    mapping.map(value, argument);
  for (Operation *op : parts.remade) {
    // Empty tensors of the shape of an output need no memory of their own.
    for (auto [i, output] : llvm::enumerate(parts.outputs))
      if (op->getNumResults() == 1 && sameEmpty(op->getResult(0), output))
        mapping.map(op->getResult(0),
                    body->getArgument(parts.inputs.size() + i));
    if (!mapping.contains(op->getResult(0)))
      rewriter.clone(*op, mapping);
  }
  for (Operation *op : parts.ops)
    rewriter.clone(*op, mapping);
  SmallVector<Value> yielded;
  for (Value result : parts.results)
    yielded.push_back(mapping.lookup(result));
  YieldOp::create(rewriter, kernel.getLoc(), yielded);
}

FailureOr<KernelOp> heddle::createKernel(RewriterBase &rewriter,
                                         ArrayRef<Operation *> ops,
                                         StringRef reason) {
  OpBuilder::InsertionGuard guard(rewriter);
  KernelParts parts;
  parts.ops.insert(ops.begin(), ops.end());
  rewriter.setInsertionPoint(ops.back());
  if (failed(findResults(rewriter, parts)))
    return failure();
  findInputs(parts);

  SmallVector<Location> locs;
  for (Operation *op : ops)
    locs.push_back(op->getLoc());
  auto kernel = KernelOp::create(rewriter, rewriter.getFusedLoc(locs),
                                 ValueRange(parts.outputs).getTypes(),
                                 parts.inputs.getArrayRef(), parts.outputs,
                                 rewriter.getStringAttr(reason), ArrayAttr(),
                                 ScheduleAttr());
  buildBody(rewriter, kernel, parts);

  for (auto [result, replacement] :
       llvm::zip_equal(parts.results, kernel.getResults()))
    rewriter.replaceUsesWithIf(result, replacement, [&](OpOperand &use) {
      return use.getOwner() != kernel && !parts.ops.contains(use.getOwner()) &&
             !kernel->isAncestor(use.getOwner());
    });
  for (Operation *op : llvm::reverse(ops))
    rewriter.eraseOp(op);
  return kernel;
}
