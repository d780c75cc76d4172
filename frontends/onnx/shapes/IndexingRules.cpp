//===- IndexingRules.cpp - operators that read or write by index ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/shapes/ShapeRules.h"

#include "frontends/onnx/shapes/ValueMap.h"

using namespace mlir;
using namespace heddle;

static Type int64Type(RuleContext &node) {
  return IntegerType::get(node.mlirContext(), 64);
}

//===----------------------------------------------------------------------===//
// Gather
//===----------------------------------------------------------------------===//

/// The elements of input 0 that constant indices pick along `axis`.
static KnownValues gatheredValues(RuleContext &node, unsigned axis,
                                  const SymShape &shape) {
  std::optional<SmallVector<int64_t>> sizes = node.input(0).constantShape();
  std::optional<SmallVector<int64_t>> indices = node.constants(1);
  std::optional<SmallVector<int64_t>> indexSizes =
      node.input(1).constantShape();
  if (!sizes || !indices || !indexSizes)
    return std::nullopt;
  SmallVector<int64_t> strides = rowMajorStrides(*sizes);
  SmallVector<int64_t> indexStrides = rowMajorStrides(*indexSizes);
  size_t indexRank = indexSizes->size();
  return gatherValues(
      node.input(0), shape, [&](ArrayRef<int64_t> coordinates) -> int64_t {
        int64_t position = 0, indexPosition = 0;
        for (auto [k, coordinate] : llvm::enumerate(coordinates)) {
          if (k < axis)
            position += strides[k] * coordinate;
          else if (k < axis + indexRank)
            indexPosition += indexStrides[k - axis] * coordinate;
          else
            position += strides[k - indexRank + 1] * coordinate;
        }
        int64_t index = (*indices)[indexPosition];
        if (index < 0)
          index += (*sizes)[axis];
        // A position out of range makes the whole result unknown.
        if (index < 0 || index >= (*sizes)[axis])
          return -1;
        return position + strides[axis] * index;
      });
}

/// Demands that there is something to pick along an axis of `size` elements
/// where the result has elements at all.
static LogicalResult requirePickable(RuleContext &node, SymExpr size,
                                     const SymShape &result) {
  SymExpr one = node.constant(1);
  if (node.symbols().provablyAtLeast(size, 1))
    return success();
  return node.requireLessEqual(min(product(node.symbols(), result), one), size,
                               "an axis with elements to pick from");
}

LogicalResult heddle::inferGather(RuleContext &node) {
  const SymShape *source = node.shape(0), *indices = node.shape(1);
  if (!source || !indices)
    return node.setTypeOnly(node.elementType(0));
  FailureOr<unsigned> axis =
      node.normalizeAxis(node.intAttr("axis", 0), source->size());
  if (failed(axis))
    return failure();
  AbstractTensor result;
  result.elementType = node.elementType(0);
  SymShape shape(ArrayRef<SymExpr>(*source).take_front(*axis));
  shape.append(indices->begin(), indices->end());
  shape.append(source->begin() + *axis + 1, source->end());
  if (failed(requirePickable(node, (*source)[*axis], shape)))
    return failure();
  result.values = gatheredValues(node, *axis, shape);
  result.shape = std::move(shape);
  node.setResult(0, std::move(result));
  return success();
}

LogicalResult heddle::inferGatherElements(RuleContext &node) {
  AbstractTensor result;
  result.elementType = node.elementType(0);
  result.shape = node.input(1).shape;
  if (const SymShape *source = node.shape(0); source && result.shape) {
    if (source->size() != result.shape->size())
      return node.error() << "expects data and indices of one rank, got "
                          << source->size() << " and " << result.shape->size();
    FailureOr<unsigned> axis =
        node.normalizeAxis(node.intAttr("axis", 0), source->size());
    if (failed(axis) ||
        failed(requirePickable(node, (*source)[*axis], *result.shape)))
      return failure();
    for (unsigned k = 0; k < source->size(); ++k)
      if (k != *axis &&
          failed(node.requireLessEqual((*result.shape)[k], (*source)[k],
                                       "no more indices than data along axis " +
                                           std::to_string(k))))
        return failure();
  }
  node.setResult(0, std::move(result));
  return success();
}

LogicalResult heddle::inferGatherND(RuleContext &node) {
  const SymShape *source = node.shape(0), *indices = node.shape(1);
  AbstractTensor result;
  result.elementType = node.elementType(0);
  std::optional<int64_t> depth;
  if (indices && !indices->empty())
    depth = indices->back().constant();
  int64_t batchDims = node.intAttr("batch_dims", 0);
  if (source && depth) {
    int64_t rank = source->size();
    if (batchDims < 0 || *depth < 0 || *depth > rank ||
        batchDims + *depth > rank)
      return node.error() << "expects indices into a tensor of rank " << rank
                          << ", got " << *depth << " after " << batchDims
                          << " batch axes";
    result.shape = SymShape(ArrayRef<SymExpr>(*indices).drop_back());
    result.shape->append(source->begin() + batchDims + *depth, source->end());
    for (int64_t k = 0; k < batchDims; ++k)
      if (failed(node.unify((*source)[k], (*indices)[k], "the batch axes")))
        return failure();
    for (int64_t k = batchDims; k < batchDims + *depth; ++k)
      if (failed(requirePickable(node, (*source)[k], *result.shape)))
        return failure();
  }
  node.setResult(0, std::move(result));
  return success();
}

//===----------------------------------------------------------------------===//
// Search
//===----------------------------------------------------------------------===//

LogicalResult heddle::inferTopK(RuleContext &node) {
  const SymShape *source = node.shape(0);
  AbstractTensor values, indices;
  values.elementType = node.elementType(0);
  indices.elementType = int64Type(node);
  if (source) {
    FailureOr<unsigned> axis =
        node.normalizeAxis(node.intAttr("axis", -1), source->size());
    if (failed(axis))
      return failure();
    const std::vector<SymExpr> *count = node.values(1);
    values.shape = *source;
    (*values.shape)[*axis] = count && count->size() == 1
                                 ? count->front()
                                 : node.unknown("a TopK of a computed number");
    indices.shape = values.shape;
  }
  node.setResult(0, std::move(values));
  node.setResult(1, std::move(indices));
  return success();
}

/// The coordinates of the elements that are not 0, one axis after the other.
static AbstractTensor nonZeroOfConstants(RuleContext &node,
                                         ArrayRef<int64_t> elements,
                                         ArrayRef<int64_t> sizes) {
  std::vector<std::vector<SymExpr>> columns(sizes.size());
  size_t position = 0;
  forEachCoordinate(sizes, [&](ArrayRef<int64_t> coordinates) {
    if (elements[position++] == 0)
      return;
    for (auto [axis, coordinate] : llvm::enumerate(coordinates))
      columns[axis].push_back(node.constant(coordinate));
  });
  AbstractTensor result;
  size_t found = columns.front().size();
  result.shape = {node.constant(sizes.size()), node.constant(found)};
  if (found * sizes.size() <=
      static_cast<size_t>(AbstractTensor::maxKnownElements)) {
    result.values.emplace();
    for (std::vector<SymExpr> &column : columns)
      llvm::append_range(*result.values, column);
  }
  return result;
}

LogicalResult heddle::inferNonZero(RuleContext &node) {
  const SymShape *source = node.shape(0);
  AbstractTensor result;
  if (source) {
    auto elements = node.constants(0);
    auto sizes = node.input(0).constantShape();
    if (elements && sizes && !sizes->empty())
      result = nonZeroOfConstants(node, *elements, *sizes);
    else
      // ONNX Runtime treats a scalar as an array of one element.
      result.shape = {node.constant(std::max<size_t>(source->size(), 1)),
                      node.unknown("the number of elements that are not zero")};
  }
  result.elementType = int64Type(node);
  node.setResult(0, std::move(result));
  return success();
}

/// The elements of a OneHot whose indices and depth are constants; input 2
/// holds the elements for off and on.
static KnownValues oneHotValues(RuleContext &node, unsigned axis,
                                const SymShape &shape) {
  std::optional<SmallVector<int64_t>> indices = node.constants(0);
  std::optional<SmallVector<int64_t>> sizes = node.input(0).constantShape();
  if (!indices || !sizes || !shape[axis].constant())
    return std::nullopt;
  int64_t depth = *shape[axis].constant();
  SmallVector<int64_t> strides = rowMajorStrides(*sizes);
  return gatherValues(node.input(2), shape, [&](ArrayRef<int64_t> coordinates) {
    SmallVector<int64_t> outer(coordinates);
    outer.erase(outer.begin() + axis);
    int64_t position = 0;
    for (auto [stride, coordinate] : llvm::zip_equal(strides, outer))
      position += stride * coordinate;
    int64_t index = (*indices)[position];
    if (index < 0)
      index += depth;
    return index == coordinates[axis] ? 1 : 0;
  });
}

LogicalResult heddle::inferOneHot(RuleContext &node) {
  const SymShape *indices = node.shape(0);
  AbstractTensor result;
  result.elementType = node.elementType(2);
  if (!indices) {
    node.setResult(0, std::move(result));
    return success();
  }
  FailureOr<unsigned> axis =
      node.normalizeAxis(node.intAttr("axis", -1), indices->size() + 1);
  if (failed(axis))
    return failure();
  if (const SymShape *choices = node.shape(2)) {
    if (choices->size() != 1)
      return node.error() << "expects a list of two values, off and on";
    if (failed(node.unify(choices->front(), node.constant(2),
                          "the number of values and 2")))
      return failure();
  }
  const std::vector<SymExpr> *depth = node.values(1);
  SymShape shape = *indices;
  shape.insert(shape.begin() + *axis,
               depth && depth->size() == 1
                   ? depth->front()
                   : node.unknown("a OneHot of a computed depth"));
  result.values = oneHotValues(node, *axis, shape);
  result.shape = std::move(shape);
  node.setResult(0, std::move(result));
  return success();
}
