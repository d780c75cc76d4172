//===- AnchoredBody.cpp - one op among elementwise ops --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/cpu/AnchoredBody.h"

#include "codegen/cpu/BodyEvaluator.h"

using namespace mlir;
using namespace heddle;

Value AnchoredBody::findShape() const {
  if (isa<BlockArgument>(getInput()))
    return getInput();
  for (linalg::GenericOp generic : before)
    for (OpOperand &operand : generic->getOpOperands())
      if (isa<BlockArgument>(operand.get()) &&
          generic.getMatchingIndexingMap(&operand).isIdentity())
        return operand.get();
  return {};
}

bool AnchoredBody::yieldsBefore() const {
  return llvm::any_of(
      op->getBlock()->getTerminator()->getOperands(), [&](Value value) {
        auto producer = value.getDefiningOp<linalg::GenericOp>();
        return producer && llvm::is_contained(before, producer);
      });
}

llvm::Expected<AnchoredBody> heddle::matchAnchoredBody(KernelFunction &kernel) {
  AnchoredBody body;
  for (Operation &inner :
       kernel.getDef().getBody().front().without_terminator()) {
    if (!isa<DestinationStyleOpInterface>(inner) || isa<linalg::FillOp>(inner))
      continue;
    if (isElementwise(&inner))
      (body.op ? body.after : body.before)
          .push_back(cast<linalg::GenericOp>(inner));
    else if (body.op)
      return unsupported("two ops that are not elementwise");
    else
      body.op = &inner;
  }
  if (!body.op)
    return unsupported("a body of elementwise ops only");
  return body;
}
