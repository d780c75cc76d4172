//===- Placement.cpp - where the tensors of a program live ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "passes/memory/Placement.h"

#include "passes/analysis/OpRoles.h"
#include "passes/analysis/TensorSizes.h"
#include "passes/memory/MemRefViews.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace heddle;

/// The one use of `tensor`, not counting heddle.bind_shape, or null.
static OpOperand *getOnlyUse(Value tensor) {
  OpOperand *only = nullptr;
  for (OpOperand &use : tensor.getUses()) {
    if (isa<BindShapeOp>(use.getOwner()))
      continue;
    if (only)
      return nullptr;
    only = &use;
  }
  return only;
}

FailureOr<Value> Placement::createBuffer(Value tensor) {
  FailureOr<SmallVector<OpFoldResult>> sizes = getTensorSizes(rewriter, tensor);
  if (failed(sizes))
    return failure();
  MemRefType type = getContiguousType(cast<RankedTensorType>(tensor.getType()));
  SmallVector<Value> dynamic;
  for (auto [size, value] : llvm::zip_equal(type.getShape(), *sizes))
    if (ShapedType::isDynamic(size))
      dynamic.push_back(
          getValueOrCreateConstantIndexOp(rewriter, tensor.getLoc(), value));
  return memref::AllocOp::create(rewriter, tensor.getLoc(), type, dynamic)
      .getResult();
}

FailureOr<Value> Placement::getConcatPart(tensor::ConcatOp concat,
                                          unsigned index) {
  if (Value part = concatParts.lookup({concat, index}))
    return part;
  FailureOr<Value> whole = getDestination(concat.getResult(), Layout::strided);
  if (failed(whole))
    return failure();
  SmallVector<SmallVector<OpFoldResult>> sizes;
  for (Value input : concat.getInputs()) {
    FailureOr<SmallVector<OpFoldResult>> size = getTensorSizes(rewriter, input);
    if (failed(size))
      return failure();
    sizes.push_back(*size);
  }
  Value part = createConcatPart(rewriter, concat, index, *whole, sizes);
  concatParts[{concat, index}] = part;
  return part;
}

/// The view that is the one reader of `tensor`, or null.
static Operation *getOnlyView(Value tensor) {
  OpOperand *use = getOnlyUse(tensor);
  return use && isView(use->getOwner()) && use->getOperandNumber() == 0
             ? use->getOwner()
             : nullptr;
}

void Placement::forgetViews(Value tensor) {
  while (Operation *view = getOnlyView(tensor)) {
    tensor = view->getResult(0);
    memrefs.erase(tensor);
  }
}

FailureOr<Value> Placement::findWanted(Value tensor) {
  for (OpOperand &use : tensor.getUses())
    if (isa<func::ReturnOp>(use.getOwner()))
      return Value(outputs[use.getOperandNumber()]);
  OpOperand *use = getOnlyUse(tensor);
  if (!use)
    return Value();
  Operation *reader = use->getOwner();
  if (auto concat = dyn_cast<tensor::ConcatOp>(reader))
    return getConcatPart(concat, use->getOperandNumber());
  if (!getOnlyView(tensor))
    return Value();
  FailureOr<Value> result =
      getDestination(reader->getResult(0), Layout::strided);
  FailureOr<SmallVector<OpFoldResult>> sizes = getTensorSizes(rewriter, tensor);
  if (failed(result) || failed(sizes))
    return failure();
  return createSourceOfView(rewriter, reader, *result, *sizes);
}

FailureOr<Value> Placement::getDestination(Value tensor, Layout layout) {
  if (Value known = memrefs.lookup(tensor))
    return known;
  FailureOr<Value> wanted = findWanted(tensor);
  if (failed(wanted))
    return failure();
  Value memref = *wanted;
  if (!memref || !satisfiesLayout(cast<MemRefType>(memref.getType()), layout)) {
    forgetViews(tensor);
    FailureOr<Value> buffer = createBuffer(tensor);
    if (failed(buffer))
      return failure();
    memref = *buffer;
  }
  memrefs[tensor] = memref;
  return memref;
}
