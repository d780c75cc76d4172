//===- ShapeAnalysis.cpp - symbolic shapes of an onnx function ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/shapes/ShapeAnalysis.h"

#include "frontends/onnx/shapes/ShapeInference.h"

using namespace mlir;
using namespace heddle;

FailureOr<std::unique_ptr<ShapeAnalysis>>
ShapeAnalysis::run(func::FuncOp function, const DimRanges &ranges) {
  auto context = std::make_unique<SymContext>();
  for (const auto &entry : ranges)
    if (!context->setRange(entry.getKey(), entry.getValue()))
      return function.emitError("the range of dimension '")
             << entry.getKey() << "' holds no size";
  auto analysis =
      std::unique_ptr<ShapeAnalysis>(new ShapeAnalysis(std::move(context)));
  if (failed(ShapeInference(*analysis, function, ranges).run()))
    return failure();
  return analysis;
}

const AbstractTensor &ShapeAnalysis::lookup(Value value) const {
  static const AbstractTensor nothing;
  auto found = tensors.find(value);
  return found == tensors.end() ? nothing : *found->second;
}

std::optional<ArrayRef<SymExpr>> ShapeAnalysis::valuesOf(Value value) const {
  const AbstractTensor &tensor = lookup(value);
  if (!tensor.values)
    return std::nullopt;
  return ArrayRef<SymExpr>(*tensor.values);
}

std::optional<SmallVector<int64_t>>
ShapeAnalysis::constantsOf(Value value) const {
  const AbstractTensor &tensor = lookup(value);
  if (!tensor.values)
    return std::nullopt;
  SmallVector<int64_t> constants;
  for (SymExpr element : *tensor.values) {
    std::optional<int64_t> constant = element.constant();
    if (!constant)
      return std::nullopt;
    constants.push_back(*constant);
  }
  return constants;
}

std::optional<ArrayRef<double>> ShapeAnalysis::floatsOf(Value value) const {
  const AbstractTensor &tensor = lookup(value);
  if (!tensor.floats)
    return std::nullopt;
  return ArrayRef<double>(*tensor.floats);
}

BroadcastKind ShapeAnalysis::broadcast(SymExpr operandDim,
                                       SymExpr resultDim) const {
  if (symContext->provablyEqual(operandDim, resultDim))
    return BroadcastKind::Same;
  if (operandDim.isConstant(1))
    return BroadcastKind::Stretch;
  return BroadcastKind::Ambiguous;
}
