//===- TensorViews.cpp - views of tensors of symbolic size ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/HeddleDialect.h"
#include "frontends/onnx/convert/TensorBuilder.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace heddle;

Value TensorBuilder::castTo(Value value, RankedTensorType type) {
  if (value.getType() == type)
    return value;
  return tensor::CastOp::create(builder, loc, type, value);
}

SymTensor TensorBuilder::withShape(const SymTensor &input,
                                   ArrayRef<SymExpr> shape) {
  return {castTo(input.value, type(shape, input.elementType())),
          SymShape(shape)};
}

//===----------------------------------------------------------------------===//
// Reshape
//===----------------------------------------------------------------------===//

namespace {

/// Runs of axes of two shapes that hold the same elements, run by run.
struct Regrouping {
  SmallVector<ReassociationIndices> inputGroups, resultGroups;
  SymShape sizes;
};

} // namespace

/// Appends `count` axes from `first` on to `group`.
static void extend(ReassociationIndices &group, int64_t first, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    group.push_back(first + i);
}

/// Cuts two shapes of one number of elements into as many runs as the
/// expressions allow: walks both, taking from the side whose product divides
/// the other's until the products agree. Where neither divides, the rest is one
/// run. Neither shape is empty.
static Regrouping regroup(SymContext &context, ArrayRef<SymExpr> input,
                          ArrayRef<SymExpr> result) {
  Regrouping groups;
  size_t i = 0, j = 0;
  while (i < input.size() && j < result.size()) {
    size_t firstInput = i, firstResult = j;
    SymExpr a = input[i++], b = result[j++];
    while (!context.provablyEqual(a, b)) {
      if (i < input.size() && exactQuotient(b, a)) {
        a = a * input[i++];
      } else if (j < result.size() && exactQuotient(a, b)) {
        b = b * result[j++];
      } else {
        i = input.size(), j = result.size();
        break;
      }
    }
    extend(groups.inputGroups.emplace_back(), firstInput, i - firstInput);
    extend(groups.resultGroups.emplace_back(), firstResult, j - firstResult);
    groups.sizes.push_back(
        product(context, input.slice(firstInput, i - firstInput)));
  }
  // What is left over on one side has the product 1.
  extend(groups.inputGroups.back(), i, input.size() - i);
  extend(groups.resultGroups.back(), j, result.size() - j);
  return groups;
}

/// Whether every axis in `group` has a constant size.
static bool isStatic(ArrayRef<SymExpr> shape, ArrayRef<int64_t> group) {
  return llvm::all_of(group,
                      [&](int64_t axis) { return shape[axis].constant(); });
}

SymTensor TensorBuilder::collapse(const SymTensor &input,
                                  ArrayRef<ReassociationIndices> groups,
                                  ArrayRef<SymExpr> groupSizes) {
  if (groups.size() == static_cast<size_t>(input.rank()))
    return input;
  Value value =
      tensor::CollapseShapeOp::create(builder, loc, input.value, groups);
  return {value, SymShape(groupSizes)};
}

SymTensor TensorBuilder::expand(const SymTensor &input, ArrayRef<SymExpr> shape,
                                ArrayRef<ReassociationIndices> groups) {
  if (groups.size() == shape.size() && !groups.empty())
    return withShape(input, shape);
  // The operation wants an axis of its operand to be static exactly where all
  // axes that it becomes are.
  SmallVector<int64_t> dims;
  for (const ReassociationIndices &group : groups) {
    int64_t size = 1;
    for (int64_t axis : group)
      size *= shape[axis].constant().value_or(1);
    dims.push_back(isStatic(shape, group) ? size : ShapedType::kDynamic);
  }
  Type elementType = input.elementType();
  Value source = castTo(input.value, RankedTensorType::get(dims, elementType));
  Value value = tensor::ExpandShapeOp::create(
      builder, loc, type(shape, elementType), source, groups, mixed(shape));
  return {value, SymShape(shape)};
}

SymTensor TensorBuilder::reshape(const SymTensor &input,
                                 ArrayRef<SymExpr> shape) {
  if (ArrayRef(input.shape) == shape)
    return input;
  if (product(context(), shape).isConstant(0))
    return noElements(shape, input.elementType());
  if (input.shape.empty() || shape.empty()) {
    // All sizes are 1: no groups on the side that has no axes.
    SymTensor scalar = input;
    SmallVector<int64_t> ones(input.rank(), 1);
    if (!ones.empty()) {
      scalar.value =
          castTo(input.value, RankedTensorType::get(ones, input.elementType()));
      scalar.value = tensor::CollapseShapeOp::create(
          builder, loc, scalar.value, ArrayRef<ReassociationIndices>());
      scalar.shape.clear();
    }
    return shape.empty() ? scalar : expand(scalar, shape, {});
  }
  Regrouping groups = regroup(context(), input.shape, shape);
  SymTensor collapsed = collapse(input, groups.inputGroups, groups.sizes);
  return expand(collapsed, shape, groups.resultGroups);
}

//===----------------------------------------------------------------------===//
// Other views
//===----------------------------------------------------------------------===//

SymTensor TensorBuilder::transpose(const SymTensor &input,
                                   ArrayRef<int64_t> permutation) {
  if (llvm::is_sorted(permutation))
    return input;
  SymShape shape;
  for (int64_t axis : permutation)
    shape.push_back(input.shape[axis]);
  SymTensor init = empty(shape, input.elementType());
  SymTensor typed = withShape(input, input.shape);
  auto op = linalg::TransposeOp::create(builder, loc, typed.value, init.value,
                                        permutation);
  return {op->getResult(0), shape};
}

SymTensor TensorBuilder::slice(const SymTensor &input, int64_t axis,
                               SymExpr offset, SymExpr size, int64_t step) {
  if (offset.isConstant(0) && step == 1 && size == input.shape[axis])
    return input;
  SymShape shape = input.shape;
  shape[axis] = size;
  // The offset of no elements may lie beyond the last one.
  if (size.isConstant(0))
    return noElements(shape, input.elementType());
  SmallVector<OpFoldResult> offsets(input.rank(), builder.getIndexAttr(0));
  SmallVector<OpFoldResult> steps(input.rank(), builder.getIndexAttr(1));
  offsets[axis] = mixed(offset);
  steps[axis] = builder.getIndexAttr(step);
  Value value = tensor::ExtractSliceOp::create(
      builder, loc, type(shape, input.elementType()), input.value, offsets,
      mixed(shape), steps);
  return {value, shape};
}

SymTensor TensorBuilder::concat(int64_t axis, ArrayRef<SymTensor> inputs) {
  SymShape shape = inputs.front().shape;
  for (const SymTensor &input : inputs.drop_front())
    shape[axis] = shape[axis] + input.shape[axis];
  SmallVector<Value> values;
  for (const SymTensor &input : inputs)
    if (!input.shape[axis].isConstant(0))
      values.push_back(input.value);
  Type elementType = inputs.front().elementType();
  if (values.empty())
    return noElements(shape, elementType);
  if (values.size() == 1)
    return withShape({values.front(), shape}, shape);
  Value value = tensor::ConcatOp::create(builder, loc, type(shape, elementType),
                                         axis, values);
  return {value, shape};
}

SymTensor TensorBuilder::broadcastTo(const SymTensor &input,
                                     ArrayRef<SymExpr> shape) {
  SymShape aligned(shape.size() - input.rank(), constant(1));
  llvm::append_range(aligned, input.shape);
  SymTensor view = reshape(input, aligned);
  if (ArrayRef(aligned) == shape)
    return view;
  RankedTensorType resultType = type(shape, input.elementType());
  Value value = BroadcastOp::create(builder, loc, resultType, view.value,
                                    dynamicSizes(shape));
  return {value, SymShape(shape)};
}
