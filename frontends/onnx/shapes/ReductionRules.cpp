//===- ReductionRules.cpp - operators that fold axes ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/shapes/ShapeRules.h"

#include "frontends/onnx/shapes/ValueMap.h"

using namespace mlir;
using namespace heddle;

using Fold = SymExpr (*)(SymExpr, SymExpr);

/// The axes a reduction folds, as one flag per axis; nothing if the axes are
/// not constant.
static FailureOr<std::optional<SmallVector<bool>>>
reducedAxes(RuleContext &node, unsigned rank) {
  auto axes = node.intsInputOrAttr(1, "axes");
  if (!axes && node.hasInput(1))
    return std::optional<SmallVector<bool>>();
  if (!axes || axes->empty())
    return std::optional<SmallVector<bool>>(
        SmallVector<bool>(rank, node.intAttr("noop_with_empty_axes", 0) == 0));
  SmallVector<bool> reduced(rank, false);
  for (int64_t axis : *axes) {
    FailureOr<unsigned> normalized = node.normalizeAxis(axis, rank);
    if (failed(normalized))
      return failure();
    reduced[*normalized] = true;
  }
  return std::optional<SmallVector<bool>>(std::move(reduced));
}

/// Folds the elements of input 0 over the reduced axes, starting from
/// `initial`; unknown where there is no such start and no element.
static KnownValues reducedValues(RuleContext &node, ArrayRef<bool> reduced,
                                 const SymShape &shape, Fold fold,
                                 SymExpr initial) {
  std::optional<SmallVector<int64_t>> sizes = node.input(0).constantShape();
  AbstractTensor result;
  result.shape = shape;
  std::optional<int64_t> count = result.smallElementCount();
  if (!sizes || !node.values(0) || !count)
    return std::nullopt;
  std::vector<SymExpr> folded(*count, initial);
  size_t source = 0;
  forEachCoordinate(*sizes, [&](ArrayRef<int64_t> coordinates) {
    int64_t position = 0;
    for (auto [axis, coordinate] : llvm::enumerate(coordinates))
      if (!reduced[axis])
        position = position * (*sizes)[axis] + coordinate;
    SymExpr element = (*node.values(0))[source++];
    folded[position] =
        folded[position] ? fold(folded[position], element) : element;
  });
  if (llvm::any_of(folded, [](SymExpr element) { return !element; }))
    return std::nullopt;
  return folded;
}

static LogicalResult inferReduction(RuleContext &node, Fold fold,
                                    SymExpr initial) {
  const SymShape *source = node.shape(0);
  AbstractTensor result;
  result.elementType = node.elementType(0);
  if (!source) {
    node.setResult(0, std::move(result));
    return success();
  }
  auto axes = reducedAxes(node, source->size());
  if (failed(axes))
    return failure();
  bool keep = node.intAttr("keepdims", 1) != 0;
  if (!*axes) {
    if (keep)
      result.shape =
          node.unknownShape(source->size(), "a reduction of computed axes");
    node.setResult(0, std::move(result));
    return success();
  }
  result.shape.emplace();
  for (auto [size, reduced] : llvm::zip_equal(*source, **axes)) {
    if (!reduced)
      result.shape->push_back(size);
    else if (keep)
      result.shape->push_back(node.constant(1));
  }
  if (fold)
    result.values = reducedValues(node, **axes, *result.shape, fold, initial);
  node.setResult(0, std::move(result));
  return success();
}

LogicalResult heddle::inferReduce(RuleContext &node) {
  return inferReduction(node, nullptr, SymExpr());
}

LogicalResult heddle::inferReduceSum(RuleContext &node) {
  return inferReduction(
      node, [](SymExpr a, SymExpr b) { return a + b; }, node.constant(0));
}

LogicalResult heddle::inferReduceProd(RuleContext &node) {
  return inferReduction(
      node, [](SymExpr a, SymExpr b) { return a * b; }, node.constant(1));
}

LogicalResult heddle::inferReduceMin(RuleContext &node) {
  return inferReduction(node, heddle::min, SymExpr());
}

LogicalResult heddle::inferReduceMax(RuleContext &node) {
  return inferReduction(node, heddle::max, SymExpr());
}

LogicalResult heddle::inferArgReduce(RuleContext &node) {
  const SymShape *source = node.shape(0);
  AbstractTensor result;
  result.elementType = IntegerType::get(node.mlirContext(), 64);
  if (source) {
    FailureOr<unsigned> axis =
        node.normalizeAxis(node.intAttr("axis", 0), source->size());
    if (failed(axis))
      return failure();
    result.shape = *source;
    if (node.intAttr("keepdims", 1))
      (*result.shape)[*axis] = node.constant(1);
    else
      result.shape->erase(result.shape->begin() + *axis);
  }
  node.setResult(0, std::move(result));
  return success();
}

LogicalResult heddle::inferCumSum(RuleContext &node) {
  AbstractTensor result = node.input(0);
  bool plain = result.shape && result.shape->size() == 1 &&
               node.intAttr("exclusive", 0) == 0 &&
               node.intAttr("reverse", 0) == 0;
  if (!plain)
    result.values.reset();
  if (result.values) {
    SymExpr sum = node.constant(0);
    for (SymExpr &element : *result.values)
      element = sum = sum + element;
  }
  result.floats.reset();
  node.setResult(0, std::move(result));
  return success();
}
