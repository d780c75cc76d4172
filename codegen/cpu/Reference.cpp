//===- Reference.cpp - any kernel, as plain loops -------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/cpu/KernelFunction.h"
#include "passes/transforms/ReferenceLowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace heddle;

/// `memref` as a memref of the elements of `tensor`: the same bytes.
static Value viewAs(ImplicitLocOpBuilder &b, Value memref,
                    RankedTensorType tensor) {
  auto type = cast<MemRefType>(memref.getType());
  if (type.getElementType() == tensor.getElementType())
    return memref;
  MemRefType view =
      MemRefType::Builder(type).setElementType(tensor.getElementType());
  return UnrealizedConversionCastOp::create(b, view, memref).getResult(0);
}

/// Copies the body of the kernel into a branch of worker 0, reading its tensors
/// from the arguments and writing the yielded ones to the outputs.
static void cloneBody(KernelFunction &kernel) {
  KernelDefOp def = kernel.getDef();
  Block &body = def.getBody().front();
  ImplicitLocOpBuilder b(def.getLoc(),
                         kernel.getFunc().front().getTerminator());
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value first = arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                                      kernel.getWorker(), zero);
  auto branch = scf::IfOp::create(b, first, /*withElseRegion=*/false);
  b.setInsertionPointToStart(branch.thenBlock());

  IRMapping mapping;
  unsigned firstOutput = body.getNumArguments() - def.getNumOutputs();
  SmallVector<Value> outputs;
  for (BlockArgument argument : body.getArguments()) {
    Value value = kernel.getArgument(argument);
    auto tensor = dyn_cast<RankedTensorType>(argument.getType());
    if (tensor) {
      bool isOutput = argument.getArgNumber() >= firstOutput;
      value = viewAs(b, value, tensor);
      if (isOutput)
        outputs.push_back(value);
      value = bufferization::ToTensorOp::create(b, tensor, value,
                                                /*restrict=*/true, isOutput);
    }
    mapping.map(argument, value);
  }
  for (Operation &op : body.without_terminator())
    b.clone(op, mapping);
  for (auto [value, output] :
       llvm::zip_equal(body.getTerminator()->getOperands(), outputs)) {
    auto store = bufferization::MaterializeInDestinationOp::create(
        b, mapping.lookup(value), output);
    store.setRestrict(true);
    store.setWritable(true);
  }
}

/// Replaces the ops that linalg's own lowering to loops does not know.
static LogicalResult decompose(IRRewriter &rewriter, func::FuncOp func) {
  lowerHeddleOps(rewriter, func);
  WalkResult result = func.walk([&](Operation *op) {
    FailureOr<SmallVector<Value>> values;
    rewriter.setInsertionPoint(op);
    if (auto softmax = dyn_cast<linalg::SoftmaxOp>(op))
      values = softmax.decomposeOperation(rewriter);
    else if (auto concat = dyn_cast<tensor::ConcatOp>(op))
      values = concat.decomposeOperation(rewriter);
    else
      return WalkResult::advance();
    if (failed(values))
      return WalkResult::interrupt();
    rewriter.replaceOp(op, *values);
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// Turns tensors into buffers. A buffer that is allocated for a value between
/// two ops is freed at the end of its block, which no buffer leaves.
static LogicalResult bufferize(func::FuncOp func) {
  bufferization::OneShotBufferizationOptions options;
  options.allowUnknownOps = true;
  bufferization::BufferizationState state;
  if (failed(bufferization::runOneShotBufferize(func, options, state)))
    return failure();
  func.walk([](memref::AllocOp alloc) {
    OpBuilder builder(alloc->getBlock()->getTerminator());
    memref::DeallocOp::create(builder, alloc.getLoc(), alloc);
  });
  return success();
}

/// Turns linalg ops and copies into loops. A copy becomes a loop too, because
/// memref.copy of strided memory is a call into MLIR's own runtime.
static LogicalResult lowerToLoops(IRRewriter &rewriter, func::FuncOp func) {
  func.walk([&](memref::CopyOp copy) {
    rewriter.setInsertionPoint(copy);
    linalg::makeMemRefCopyOp(rewriter, copy.getLoc(), copy.getSource(),
                             copy.getTarget());
    rewriter.eraseOp(copy);
  });
  SmallVector<linalg::LinalgOp> ops;
  func.walk([&](linalg::LinalgOp op) { ops.push_back(op); });
  for (linalg::LinalgOp op : ops) {
    rewriter.setInsertionPoint(op);
    if (failed(linalg::linalgOpToLoops(rewriter, op)))
      return failure();
    rewriter.eraseOp(op);
  }
  return success();
}

/// An op that still gives a tensor, or null.
static Operation *findTensorOp(func::FuncOp func) {
  Operation *found = nullptr;
  func.walk([&](Operation *op) {
    if (llvm::any_of(op->getResultTypes(), llvm::IsaPred<TensorType>))
      found = op;
  });
  return found;
}

llvm::Error heddle::buildReference(KernelFunction &kernel) {
  cloneBody(kernel);
  func::FuncOp func = kernel.getFunc();
  IRRewriter rewriter(func.getContext());
  if (failed(decompose(rewriter, func)) || failed(bufferize(func)) ||
      failed(lowerToLoops(rewriter, func)))
    return unsupported("an op without a reference lowering");
  Operation *onTensors = findTensorOp(func);
  if (onTensors)
    return unsupported("the op '" + onTensors->getName().getStringRef() + "'");
  return llvm::Error::success();
}
