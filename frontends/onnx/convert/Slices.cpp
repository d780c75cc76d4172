//===- Slices.cpp - Slice, Split, Concat, Pad -----------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/convert/Conversions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace heddle;

LogicalResult heddle::convertConcat(NodeConversion &node) {
  ArrayRef<SymExpr> shape = node.resultShape(0);
  FailureOr<int64_t> axis = node.axisAttr("axis", 0, shape.size());
  if (failed(axis))
    return failure();
  SmallVector<SymTensor> inputs;
  for (unsigned i = 0; i < node.numInputs(); ++i)
    inputs.push_back(node.input(i));
  node.setResult(0, node.build.concat(*axis, inputs));
  return success();
}

LogicalResult heddle::convertSplit(NodeConversion &node) {
  SymTensor input = node.input(0);
  FailureOr<int64_t> axis = node.axisAttr("axis", 0, input.rank());
  if (failed(axis))
    return failure();
  SymExpr offset = node.build.constant(0);
  for (unsigned i = 0; i < node.numResults(); ++i) {
    SymExpr size = node.resultShape(i)[*axis];
    if (node.isUsed(i))
      node.setResult(i, node.build.slice(input, *axis, offset, size));
    offset = offset + size;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Slice
//===----------------------------------------------------------------------===//

/// The element at which a slice of an axis of `size` elements begins: `start`
/// counts from the end where negative, and is clamped to the axis.
static SymExpr firstElement(TensorBuilder &build, SymExpr start, SymExpr size,
                            int64_t step) {
  SymExpr zero = build.constant(0);
  SymExpr limit = step > 0 ? size : size - 1;
  SymExpr fromFront = select(less(start, zero), start + size, start);
  return max(zero, min(fromFront, limit));
}

/// result[.., i, ..] = input[.., first + step * i, ..] for a negative step.
static SymTensor sliceBackwards(TensorBuilder &build, const SymTensor &input,
                                int64_t axis, SymExpr first, SymExpr size,
                                int64_t step) {
  SymShape shape = input.shape;
  shape[axis] = size;
  Value firstIndex = build.index(first);
  return build.map(shape, input.elementType(), {},
                   [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
                     SmallVector<Value> position;
                     for (int64_t i = 0; i < input.rank(); ++i)
                       position.push_back(linalg::IndexOp::create(b, i));
                     Value stride = arith::ConstantIndexOp::create(b, step);
                     Value distance =
                         arith::MulIOp::create(b, position[axis], stride);
                     position[axis] =
                         arith::AddIOp::create(b, firstIndex, distance);
                     return tensor::ExtractOp::create(b, input.value, position);
                   });
}

LogicalResult heddle::convertSlice(NodeConversion &node) {
  TensorBuilder &build = node.build;
  SymTensor input = node.input(0);
  ArrayRef<SymExpr> resultShape = node.resultShape(0);
  std::optional<ArrayRef<SymExpr>> starts = node.inputValues(1);
  if (!starts)
    // unreachable: the size of the result would not be known
    return node.emitError() << "expects starts that follow from the sizes of "
                               "the inputs";
  SmallVector<int64_t> axes =
      llvm::to_vector(llvm::seq<int64_t>(static_cast<int64_t>(starts->size())));
  SmallVector<int64_t> steps(starts->size(), 1);
  for (auto [index, list] : {std::pair(3u, &axes), {4u, &steps}}) {
    if (!node.hasInput(index))
      continue;
    std::optional<SmallVector<int64_t>> constants = node.inputConstants(index);
    if (!constants || constants->size() != starts->size())
      return node.emitError()
             << "expects " << starts->size() << " axes and steps, all constant";
    *list = *constants;
  }
  for (auto [start, axisInput, step] : llvm::zip(*starts, axes, steps)) {
    FailureOr<int64_t> axis = node.normalizeAxis(axisInput, input.rank());
    if (failed(axis))
      return failure();
    SymExpr first = firstElement(build, start, input.shape[*axis], step);
    SymExpr size = resultShape[*axis];
    input = step > 0 ? build.slice(input, *axis, first, size, step)
                     : sliceBackwards(build, input, *axis, first, size, step);
  }
  node.setResult(0, input);
  return success();
}

//===----------------------------------------------------------------------===//
// Pad
//===----------------------------------------------------------------------===//

namespace {

/// What is added before and after an axis; a negative amount takes away.
struct Padding {
  int64_t axis;
  SymExpr before, after;
};

} // namespace

static FailureOr<SmallVector<Padding>> readPadding(NodeConversion &node) {
  int64_t rank = node.inputShape(0).size();
  std::optional<ArrayRef<SymExpr>> pads = node.inputValues(1);
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(rank));
  if (node.hasInput(3))
    axes = node.inputConstants(3).value_or(SmallVector<int64_t>());
  if (!pads || pads->size() != 2 * axes.size())
    // unreachable: the size of the result would not be known
    return node.emitError() << "expects two pads for each axis, known from the "
                               "sizes of the inputs";
  SmallVector<Padding> paddings;
  for (auto [i, axisInput] : llvm::enumerate(axes)) {
    FailureOr<int64_t> axis = node.normalizeAxis(axisInput, rank);
    if (failed(axis))
      return failure();
    paddings.push_back({*axis, (*pads)[i], (*pads)[axes.size() + i]});
  }
  return paddings;
}

/// Takes away what negative pads say and leaves the positive ones.
static SymTensor crop(TensorBuilder &build, SymTensor input, Padding &padding) {
  SymExpr zero = build.constant(0);
  SymExpr cutBefore = max(-padding.before, zero);
  SymExpr cutAfter = max(-padding.after, zero);
  padding.before = max(padding.before, zero);
  padding.after = max(padding.after, zero);
  SymExpr size = input.shape[padding.axis] - cutBefore - cutAfter;
  return build.slice(input, padding.axis, cutBefore, size);
}

/// `input` between blocks of the one element of `filler`.
static SymTensor padConstant(TensorBuilder &build, const SymTensor &input,
                             const Padding &padding,
                             const ElementwiseOperand &filler) {
  SmallVector<SymTensor> parts;
  auto addBlock = [&](SymExpr size) {
    SymShape shape = input.shape;
    shape[padding.axis] = size;
    if (!size.isConstant(0))
      parts.push_back(
          build.map(shape, input.elementType(), filler,
                    [](ImplicitLocOpBuilder &, ValueRange x) { return x[0]; }));
  };
  addBlock(padding.before);
  parts.push_back(input);
  addBlock(padding.after);
  return build.concat(padding.axis, parts);
}

/// The element of an axis of `size` elements that the modes `edge`, `reflect`
/// and `wrap` repeat at the place `i`, which may lie outside. A reflection
/// repeats with the period 2 * (size - 1).
static Value sourceElement(ImplicitLocOpBuilder &b, StringRef mode, Value i,
                           Value size) {
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value one = arith::ConstantIndexOp::create(b, 1);
  Value last = arith::SubIOp::create(b, size, one);
  if (mode == "edge")
    return arith::MaxSIOp::create(b, zero, arith::MinSIOp::create(b, i, last));
  Value period = size;
  if (mode == "reflect")
    period =
        arith::MaxSIOp::create(b, one, arith::AddIOp::create(b, last, last));
  Value remainder = arith::RemSIOp::create(b, i, period);
  Value negative =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, remainder, zero);
  Value shifted = arith::AddIOp::create(b, remainder, period);
  Value position = arith::SelectOp::create(b, negative, shifted, remainder);
  if (mode == "wrap")
    return position;
  Value mirrored = arith::SubIOp::create(b, period, position);
  return arith::MinSIOp::create(b, position, mirrored);
}

/// Pads with elements of the tensor itself; the axis is not empty.
static SymTensor padByCopies(TensorBuilder &build, const SymTensor &input,
                             const Padding &padding, StringRef mode) {
  int64_t axis = padding.axis;
  SymShape shape = input.shape;
  shape[axis] = padding.before + shape[axis] + padding.after;
  Value before = build.index(padding.before);
  Value size = build.index(input.shape[axis]);
  return build.map(shape, input.elementType(), {},
                   [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
                     SmallVector<Value> position;
                     for (int64_t i = 0; i < input.rank(); ++i)
                       position.push_back(linalg::IndexOp::create(b, i));
                     Value inner =
                         arith::SubIOp::create(b, position[axis], before);
                     position[axis] = sourceElement(b, mode, inner, size);
                     return tensor::ExtractOp::create(b, input.value, position);
                   });
}

LogicalResult heddle::convertPad(NodeConversion &node) {
  TensorBuilder &build = node.build;
  StringRef mode = node.stringAttr("mode", "constant");
  if (!llvm::is_contained({"constant", "edge", "reflect", "wrap"}, mode))
    return node.emitError() << "expects mode constant, edge, reflect or wrap, "
                               "got '"
                            << mode << "'";
  FailureOr<SmallVector<Padding>> paddings = readPadding(node);
  if (failed(paddings))
    return failure();
  SymTensor result = node.input(0);
  TypedAttr zero = build.getBuilder().getZeroAttr(result.elementType());
  ElementwiseOperand filler = node.hasInput(2) ? node.operand(2) : zero;
  for (Padding &padding : *paddings) {
    result = crop(build, result, padding);
    if (padding.before.isConstant(0) && padding.after.isConstant(0))
      continue;
    if (mode == "constant") {
      result = padConstant(build, result, padding, filler);
      continue;
    }
    if (!build.context().provablyAtLeast(result.shape[padding.axis], 1))
      return node.emitError() << "cannot repeat the elements of axis "
                              << padding.axis << ", which may have none";
    result = padByCopies(build, result, padding, mode);
  }
  node.setResult(0, result);
  return success();
}
