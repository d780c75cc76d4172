//===- HeddleProgramOps.cpp - verifiers of kernels and program ops --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/HeddleDialect.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace heddle;

LogicalResult SymbolOp::verify() {
  // (C1)
  int64_t min = getMin();
  if (min < 0 || (getMax() && static_cast<int64_t>(*getMax()) < min))
    return emitOpError("expects 0 <= min <= max, got ")
           << min << " and " << getMaxAttr();
  if (static_cast<int64_t>(getDivisor()) < 1)
    return emitOpError("expects a divisor of 1 or more, got ") << getDivisor();
  return success();
}

/// One size per dynamic axis of `type`.
static LogicalResult verifySizes(Operation *op, ShapedType type,
                                 ValueRange sizes) {
  if (sizes.size() != static_cast<size_t>(type.getNumDynamicDims()))
    return op->emitOpError("expects ")
           << type.getNumDynamicDims() << " sizes, one per dynamic axis of "
           << type << ", got " << sizes.size();
  return success();
}

LogicalResult BindShapeOp::verify() {
  // (C1)
  return verifySizes(*this, cast<ShapedType>(getValue().getType()), getSizes());
}

LogicalResult WeightOp::verify() {
  auto value = cast<ShapedType>(getValue().getType());
  auto result = cast<ShapedType>(getResult().getType());
  // (C1)
  if (isa<TensorType>(result)) {
    if (getPanel() || getTransposed() || result != value)
      return emitOpError("expects a tensor result of type ")
             << value << " without panel, got " << result;
    return success();
  }
  // (C2)
  SmallVector<int64_t> expected(value.getShape());
  if (std::optional<uint64_t> panel = getPanel()) {
    if (value.getRank() != 2 || *panel == 0)
      return emitOpError("expects a weight of rank 2 in panels, got ") << value;
    int64_t k = value.getDimSize(getTransposed() ? 1 : 0);
    int64_t n = value.getDimSize(getTransposed() ? 0 : 1);
    int64_t width = *panel;
    expected = {llvm::divideCeilSigned(n, width), k, width};
  }
  if (result.getShape() != ArrayRef(expected) ||
      result.getElementType() != value.getElementType())
    return emitOpError("expects a memref of the packed shape of ")
           << value << ", got " << result;
  return success();
}

LogicalResult ArenaBufferOp::verify() {
  // (C2)
  int64_t first = getFirst(), last = getLast();
  if (first < 0 || last < first)
    return emitOpError("expects 0 <= first <= last, got ")
           << first << " and " << last;
  // (C1)
  return verifySizes(*this, cast<ShapedType>(getResult().getType()),
                     getSizes());
}

/// The last `numOutputs` block arguments are outputs, and one tensor of the
/// same type is yielded for each.
static LogicalResult verifyYield(Operation *op, Block &body,
                                 size_t numOutputs) {
  auto yield = cast<YieldOp>(body.getTerminator());
  if (yield.getValues().size() != numOutputs)
    return op->emitOpError("expects one yielded tensor per output, got ")
           << yield.getValues().size() << " for " << numOutputs;
  auto outputs = body.getArguments().take_back(numOutputs);
  for (auto [value, output] : llvm::zip_equal(yield.getValues(), outputs))
    if (value.getType() != output.getType())
      return op->emitOpError("expects a yielded tensor of type ")
             << output.getType() << ", got " << value.getType();
  return success();
}

LogicalResult KernelOp::verify() {
  Block &body = getBody().front();
  // (C1)
  if (body.getNumArguments() != getNumOperands())
    return emitOpError("expects one block argument per operand, got ")
           << body.getNumArguments() << " for " << getNumOperands();
  for (auto [operand, argument] :
       llvm::zip_equal(getOperands(), body.getArguments())) {
    auto outer = dyn_cast<ShapedType>(operand.getType());
    auto inner = dyn_cast<RankedTensorType>(argument.getType());
    bool matches = outer ? inner && outer.getShape() == inner.getShape() &&
                               outer.getElementType() == inner.getElementType()
                         : operand.getType() == argument.getType();
    if (!matches)
      return emitOpError("expects a block argument like operand type ")
             << operand.getType() << ", got " << argument.getType();
  }
  // (C2)
  if (failed(verifyYield(*this, body, getOutputs().size())))
    return failure();
  // (C3)
  bool onTensors =
      llvm::all_of(getOutputs().getTypes(), llvm::IsaPred<RankedTensorType>);
  bool onMemrefs =
      llvm::all_of(getOutputs().getTypes(), llvm::IsaPred<MemRefType>);
  if (onTensors ? getResultTypes() != getOutputs().getTypes()
                : !onMemrefs || getNumResults() != 0)
    return emitOpError("expects one result per tensor output, or memref "
                       "outputs and no results");
  // (C4)
  if (getLayouts() && getLayouts()->size() != getNumOperands())
    return emitOpError("expects one layout per operand, got ")
           << getLayouts()->size() << " for " << getNumOperands();
  return success();
}

void KernelOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  for (OpOperand &input : getInputsMutable())
    if (isa<MemRefType>(input.get().getType()))
      effects.emplace_back(MemoryEffects::Read::get(), &input);
  for (OpOperand &output : getOutputsMutable())
    if (isa<MemRefType>(output.get().getType()))
      effects.emplace_back(MemoryEffects::Write::get(), &output);
}

LogicalResult KernelDefOp::verify() {
  Block &body = getBody().front();
  // (C1)
  if (getLayouts().size() != body.getNumArguments())
    return emitOpError("expects one layout per block argument, got ")
           << getLayouts().size() << " for " << body.getNumArguments();
  if (getNumOutputs() > body.getNumArguments())
    return emitOpError("expects at least ")
           << getNumOutputs() << " block arguments, got "
           << body.getNumArguments();
  // (C2)
  return verifyYield(*this, body, getNumOutputs());
}

LogicalResult DispatchOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  // (C1)
  auto kernel =
      symbolTable.lookupNearestSymbolFrom<KernelDefOp>(*this, getKernelAttr());
  if (!kernel)
    return emitOpError("expects a kernel named ") << getKernelAttr();
  if (kernel.getNumOutputs() != getOutputs().size() ||
      kernel.getBody().getNumArguments() != getNumOperands())
    return emitOpError("expects the inputs and outputs of ")
           << getKernelAttr() << ", got " << getInputs().size() << " and "
           << getOutputs().size();
  return success();
}
