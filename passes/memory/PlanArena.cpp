//===- PlanArena.cpp - barriers and lives of buffers ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/HeddleDialect.h"
#include "passes/Passes.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;

namespace heddle {
#define GEN_PASS_DEF_PLANARENA
#include "passes/Passes.h.inc"
} // namespace heddle

using namespace heddle;

/// The buffer, argument or weight that `memref` is a view of.
static Value getRoot(Value memref) {
  while (Operation *op = memref.getDefiningOp()) {
    if (auto view = dyn_cast<ViewLikeOpInterface>(op))
      memref = view.getViewSource();
    else if (auto transpose = dyn_cast<memref::TransposeOp>(op))
      memref = transpose.getIn();
    else if (auto metadata = dyn_cast<memref::ExtractStridedMetadataOp>(op))
      memref = metadata.getSource();
    else
      break;
  }
  return memref;
}

namespace {

/// The phases in which a buffer is used.
struct Life {
  int64_t first, last;
};

struct PlanArena final : heddle::impl::PlanArenaBase<PlanArena> {
  using Base::Base;
  void runOnOperation() override;

private:
  /// Places a barrier before `kernel` if it needs one, and notes what it uses.
  void visit(RewriterBase &rewriter, KernelOp kernel);
  LogicalResult assignSlots(RewriterBase &rewriter);

  DenseMap<Value, Life> lives;
  /// What kernels wrote and read since the last barrier.
  DenseSet<Value> written, read;
  int64_t phase = 0;
};

} // namespace

void PlanArena::visit(RewriterBase &rewriter, KernelOp kernel) {
  SmallVector<Value> reads, writes;
  for (Value input : kernel.getInputs())
    if (isa<MemRefType>(input.getType()))
      reads.push_back(getRoot(input));
  for (Value output : kernel.getOutputs())
    writes.push_back(getRoot(output));
  bool conflict =
      llvm::any_of(reads, [&](Value v) { return written.contains(v); }) ||
      llvm::any_of(writes, [&](Value v) {
        return written.contains(v) || read.contains(v);
      });
  if (conflict) {
    rewriter.setInsertionPoint(kernel);
    BarrierOp::create(rewriter, kernel.getLoc());
    written.clear();
    read.clear();
    ++phase;
  }
  written.insert(writes.begin(), writes.end());
  read.insert(reads.begin(), reads.end());
  for (Value value : llvm::concat<Value>(reads, writes)) {
    auto [it, isNew] = lives.try_emplace(value, Life{phase, phase});
    it->second.last = phase;
  }
}

/// A buffer that no kernel touches (its only views are dead) is erased.
LogicalResult PlanArena::assignSlots(RewriterBase &rewriter) {
  SmallVector<memref::AllocOp> buffers(
      getOperation().getBody().getOps<memref::AllocOp>());
  int64_t slot = 0;
  for (memref::AllocOp buffer : buffers) {
    auto life = lives.find(buffer.getResult());
    if (life == lives.end()) {
      if (!buffer->use_empty())
        return buffer.emitOpError("expects only kernels and views to use it");
      rewriter.eraseOp(buffer);
      continue;
    }
    rewriter.setInsertionPoint(buffer);
    rewriter.replaceOpWithNewOp<ArenaBufferOp>(
        buffer, buffer.getType(), buffer.getDynamicSizes(), slot++,
        life->second.first, life->second.last);
  }
  return success();
}

void PlanArena::runOnOperation() {
  if (getOperation().isDeclaration())
    return;
  lives.clear();
  written.clear();
  read.clear();
  phase = 0;
  IRRewriter rewriter(&getContext());
  Block &body = getOperation().getBody().front();
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body)))
    if (isOpTriviallyDead(&op))
      rewriter.eraseOp(&op);
  SmallVector<KernelOp> kernels(body.getOps<KernelOp>());
  for (KernelOp kernel : kernels)
    visit(rewriter, kernel);
  if (failed(assignSlots(rewriter)))
    signalPassFailure();
}
