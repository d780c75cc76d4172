//===- OutlineKernels.cpp - heddle.kernel regions into symbols ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/HeddleDialect.h"
#include "passes/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace heddle {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "passes/Passes.h.inc"
} // namespace heddle

using namespace heddle;

/// Whether a kernel and a definition do the same, whatever their locations.
static bool isSameKernel(KernelOp kernel, KernelDefOp definition) {
  return kernel.getScheduleAttr() == definition.getScheduleAttr() &&
         kernel.getLayoutsAttr() == definition.getLayoutsAttr() &&
         kernel.getOutputs().size() == definition.getNumOutputs() &&
         OperationEquivalence::isRegionEquivalentTo(
             &kernel.getBody(), &definition.getBody(),
             OperationEquivalence::IgnoreLocations);
}

namespace {
struct OutlineKernels final : heddle::impl::OutlineKernelsBase<OutlineKernels> {
  using Base::Base;
  void runOnOperation() override;

private:
  /// The definition that is equal to `kernel`, made if there is none.
  KernelDefOp getDefinition(RewriterBase &rewriter, KernelOp kernel);

  SmallVector<KernelDefOp> definitions;
};
} // namespace

KernelDefOp OutlineKernels::getDefinition(RewriterBase &rewriter,
                                          KernelOp kernel) {
  for (KernelDefOp definition : definitions)
    if (isSameKernel(kernel, definition))
      return definition;
  OpBuilder::InsertionGuard guard(rewriter);
  if (definitions.empty())
    rewriter.setInsertionPointToStart(getOperation().getBody());
  else
    rewriter.setInsertionPointAfter(definitions.back());
  std::string name = "k" + std::to_string(definitions.size()) + "_" +
                     kernel.getScheduleAttr().getFamily().str();
  auto definition =
      KernelDefOp::create(rewriter, kernel.getLoc(), name,
                          kernel.getOutputs().size(), kernel.getReasonAttr(),
                          kernel.getLayoutsAttr(), kernel.getScheduleAttr());
  definition.getBody().takeBody(kernel.getBody());
  definitions.push_back(definition);
  return definition;
}

void OutlineKernels::runOnOperation() {
  definitions.clear();
  IRRewriter rewriter(&getContext());
  SmallVector<KernelOp> kernels;
  getOperation().walk([&](KernelOp kernel) { kernels.push_back(kernel); });
  for (KernelOp kernel : kernels) {
    if (!kernel.getScheduleAttr() || !kernel.getLayoutsAttr() ||
        kernel.getNumResults() != 0) {
      kernel.emitOpError("expects a schedule, layouts and memref outputs "
                         "before outlining");
      return signalPassFailure();
    }
    KernelDefOp definition = getDefinition(rewriter, kernel);
    rewriter.setInsertionPoint(kernel);
    DispatchOp::create(rewriter, kernel.getLoc(), definition.getSymName(),
                       kernel.getInputs(), kernel.getOutputs());
    rewriter.eraseOp(kernel);
  }
}
