//===- LayoutRules.cpp - operators that rearrange or repeat elements ------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/shapes/ShapeRules.h"

#include "frontends/onnx/shapes/ValueMap.h"

#include "llvm/ADT/SmallSet.h"

using namespace mlir;
using namespace heddle;

/// Sets result 0 to the elements of input 0 in another shape.
static void setReshaped(RuleContext &node, SymShape shape) {
  AbstractTensor result;
  result.elementType = node.elementType(0);
  result.values = reshapeValues(node.input(0), shape);
  result.shape = std::move(shape);
  node.setResult(0, std::move(result));
}

/// The rank that a shape given as a tensor has, if its length is known.
static std::optional<int64_t> targetRank(RuleContext &node, unsigned index) {
  const SymShape *shape = node.shape(index);
  if (!shape || shape->size() != 1)
    return std::nullopt;
  std::optional<int64_t> rank = (*shape)[0].constant();
  return rank && *rank >= 0 ? rank : std::nullopt;
}

static LogicalResult checkRank(RuleContext &node, int64_t rank) {
  if (rank <= maxTensorRank)
    return success();
  return node.error() << "makes a tensor of rank " << rank << "; the limit is "
                      << maxTensorRank;
}

//===----------------------------------------------------------------------===//
// Reshape
//===----------------------------------------------------------------------===//

namespace {
/// The target of a Reshape with its zeros resolved; `inferred` is the axis that
/// was -1.
struct ReshapeTarget {
  SymShape shape;
  std::optional<unsigned> inferred;
};
} // namespace

/// Demands that a computed size is not 0, which would mean the input's size at
/// this axis; nothing is to be demanded where that is the same.
static LogicalResult requireNoCopy(RuleContext &node, unsigned axis,
                                   SymExpr size) {
  const SymShape *source = node.shape(0);
  if (source && axis < source->size() &&
      node.symbols().provablyEqual((*source)[axis], size))
    return success();
  return node.requireLessEqual(node.constant(1), size,
                               "a computed size that is not 0");
}

/// Replaces the zeros of `target` by sizes of the input and finds the -1.
static FailureOr<ReshapeTarget> resolveTarget(RuleContext &node,
                                              ArrayRef<SymExpr> target) {
  const SymShape *source = node.shape(0);
  bool zeroCopies = node.intAttr("allowzero", 0) == 0;
  ReshapeTarget result;
  for (auto [axis, size] : llvm::enumerate(target)) {
    SymExpr resolved = size;
    if (size.isConstant(-1)) {
      if (result.inferred)
        return node.error() << "expects at most one size of -1";
      result.inferred = axis;
    }
    if (size.isConstant(0) && zeroCopies) {
      if (source && axis >= source->size())
        return node.error() << "expects a size 0 to copy an axis of its input "
                               "of rank "
                            << source->size() << ", got one at axis " << axis;
      resolved = source ? (*source)[axis] : node.unknown("a copied axis");
    }
    if (zeroCopies && !size.constant() &&
        failed(requireNoCopy(node, axis, size)))
      return failure();
    result.shape.push_back(resolved);
  }
  return result;
}

/// The size that a -1 stands for: all elements by those of the other axes.
static FailureOr<SymExpr> remainingSize(RuleContext &node,
                                        const ReshapeTarget &target) {
  const SymShape *source = node.shape(0);
  if (!source)
    return node.unknown("a Reshape of a tensor of unknown shape");
  // Sizes that occur on both sides cancel, whatever they are.
  SymShape dividend(*source), divisor;
  for (auto [axis, size] : llvm::enumerate(target.shape)) {
    if (axis == *target.inferred)
      continue;
    auto found = llvm::find(dividend, size);
    if (found != dividend.end())
      dividend.erase(found);
    else
      divisor.push_back(size);
  }
  SymExpr elements = product(node.symbols(), dividend);
  SymExpr others = product(node.symbols(), divisor);
  if (others.isConstant(0))
    return node.unknown("the size of -1 beside an empty axis");
  if (std::optional<SymExpr> quotient = exactQuotient(elements, others))
    return *quotient;
  SymExpr remainder = mod(elements, others);
  if (failed(node.unify(remainder, node.constant(0),
                        "the remainder of the elements of a Reshape by its "
                        "sizes, and 0")))
    return failure();
  return floorDiv(elements, others);
}

LogicalResult heddle::inferReshape(RuleContext &node) {
  SymShape target;
  if (const std::vector<SymExpr> *values = node.values(1)) {
    target.assign(values->begin(), values->end());
  } else if (std::optional<SmallVector<int64_t>> sizes =
                 node.intsAttr("shape")) {
    for (int64_t size : *sizes)
      target.push_back(node.constant(size));
  } else {
    std::optional<int64_t> rank = targetRank(node, 1);
    if (!rank)
      return node.setTypeOnly(node.elementType(0));
    if (failed(checkRank(node, *rank)))
      return failure();
    node.setResult(0, node.elementType(0),
                   node.unknownShape(*rank, "a Reshape to computed sizes"));
    return success();
  }
  if (failed(checkRank(node, target.size())))
    return failure();
  FailureOr<ReshapeTarget> resolved = resolveTarget(node, target);
  if (failed(resolved))
    return failure();
  if (resolved->inferred) {
    FailureOr<SymExpr> size = remainingSize(node, *resolved);
    if (failed(size))
      return failure();
    resolved->shape[*resolved->inferred] = *size;
  } else if (const SymShape *source = node.shape(0)) {
    if (failed(node.unify(product(node.symbols(), *source),
                          product(node.symbols(), resolved->shape),
                          "the numbers of elements before and after")))
      return failure();
  }
  setReshaped(node, std::move(resolved->shape));
  return success();
}

LogicalResult heddle::inferFlatten(RuleContext &node) {
  const SymShape *source = node.shape(0);
  if (!source)
    return success();
  // The axis may be one past the last: everything goes into the first size.
  int64_t rank = source->size(), axis = node.intAttr("axis", 1);
  if (axis < -rank || axis > rank)
    return node.error() << "expects an axis of a tensor of rank " << rank
                        << ", got " << axis;
  if (axis < 0)
    axis += rank;
  ArrayRef<SymExpr> sizes(*source);
  setReshaped(node, {product(node.symbols(), sizes.take_front(axis)),
                     product(node.symbols(), sizes.drop_front(axis))});
  return success();
}

//===----------------------------------------------------------------------===//
// Axes of size one
//===----------------------------------------------------------------------===//

/// `axes` counted from the front of a tensor of this rank, without repetition.
static FailureOr<llvm::SmallSet<unsigned, 4>>
normalizeAxes(RuleContext &node, ArrayRef<int64_t> axes, unsigned rank) {
  llvm::SmallSet<unsigned, 4> result;
  for (int64_t axis : axes) {
    FailureOr<unsigned> normalized = node.normalizeAxis(axis, rank);
    if (failed(normalized))
      return failure();
    if (!result.insert(*normalized).second)
      return node.error() << "names axis " << axis << " twice";
  }
  return result;
}

LogicalResult heddle::inferUnsqueeze(RuleContext &node) {
  const SymShape *source = node.shape(0);
  auto axes = node.intsInputOrAttr(1, "axes");
  if (!source || !axes)
    return node.setTypeOnly(node.elementType(0));
  unsigned rank = source->size() + axes->size();
  if (failed(checkRank(node, rank)))
    return failure();
  auto inserted = normalizeAxes(node, *axes, rank);
  if (failed(inserted))
    return failure();
  SymShape shape;
  const SymExpr *next = source->begin();
  for (unsigned axis = 0; axis < rank; ++axis)
    shape.push_back(inserted->contains(axis) ? node.constant(1) : *next++);
  setReshaped(node, std::move(shape));
  return success();
}

LogicalResult heddle::inferSqueeze(RuleContext &node) {
  const SymShape *source = node.shape(0);
  auto axes = node.intsInputOrAttr(1, "axes");
  bool given = node.hasInput(1) || axes;
  if (!source || (given && !axes))
    return node.setTypeOnly(node.elementType(0));
  unsigned rank = source->size();
  llvm::SmallSet<unsigned, 4> removed;
  if (axes) {
    auto normalized = normalizeAxes(node, *axes, rank);
    if (failed(normalized))
      return failure();
    removed = *normalized;
  } else {
    // Without axes the rank of the result depends on the sizes; an axis that
    // only may be 1 is taken to stay.
    for (auto [axis, size] : llvm::enumerate(*source))
      if (size.isConstant(1))
        removed.insert(axis);
  }
  SymShape shape;
  for (auto [axis, size] : llvm::enumerate(*source)) {
    if (!removed.contains(axis))
      shape.push_back(size);
    else if (failed(
                 node.unify(size, node.constant(1), "the squeezed size and 1")))
      return failure();
  }
  setReshaped(node, std::move(shape));
  return success();
}

//===----------------------------------------------------------------------===//
// Order and repetition
//===----------------------------------------------------------------------===//

LogicalResult heddle::inferTranspose(RuleContext &node) {
  const SymShape *source = node.shape(0);
  if (!source)
    return node.setTypeOnly(node.elementType(0));
  unsigned rank = source->size();
  SmallVector<int64_t> permutation =
      llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, rank)));
  if (auto given = node.intsAttr("perm"))
    permutation = *given;
  SmallVector<int64_t> sorted(permutation);
  llvm::sort(sorted);
  if (!llvm::equal(sorted, llvm::seq<int64_t>(0, rank)))
    return node.error() << "expects perm to be a permutation of " << rank
                        << " axes";
  AbstractTensor result;
  result.elementType = node.elementType(0);
  result.shape.emplace();
  for (int64_t axis : permutation)
    result.shape->push_back((*source)[axis]);
  if (auto sizes = node.input(0).constantShape(); sizes && node.values(0)) {
    SmallVector<int64_t> strides = rowMajorStrides(*sizes);
    result.values = gatherValues(
        node.input(0), *result.shape, [&](ArrayRef<int64_t> coordinates) {
          int64_t position = 0;
          for (auto [axis, coordinate] : llvm::zip(permutation, coordinates))
            position += strides[axis] * coordinate;
          return position;
        });
  }
  node.setResult(0, std::move(result));
  return success();
}

LogicalResult heddle::inferExpand(RuleContext &node) {
  const SymShape *source = node.shape(0);
  const std::vector<SymExpr> *target = node.values(1);
  AbstractTensor result;
  result.elementType = node.elementType(0);
  if (source && target) {
    if (failed(checkRank(node, target->size())))
      return failure();
    FailureOr<SymShape> shape = node.broadcastShapes(*source, *target);
    if (failed(shape))
      return failure();
    result.values = expandValues(node.input(0), *shape);
    result.shape = *shape;
  } else if (auto rank = targetRank(node, 1); source && rank) {
    if (failed(checkRank(node, *rank)))
      return failure();
    result.shape = node.unknownShape(std::max<int64_t>(*rank, source->size()),
                                     "an Expand to computed sizes");
  }
  node.setResult(0, std::move(result));
  return success();
}

LogicalResult heddle::inferTile(RuleContext &node) {
  const SymShape *source = node.shape(0);
  const std::vector<SymExpr> *repeats = node.values(1);
  AbstractTensor result;
  result.elementType = node.elementType(0);
  if (source && repeats && source->size() == repeats->size()) {
    result.shape.emplace();
    for (auto [size, repeat] : llvm::zip_equal(*source, *repeats))
      result.shape->push_back(size * repeat);
    if (auto sizes = node.input(0).constantShape()) {
      SmallVector<int64_t> strides = rowMajorStrides(*sizes);
      result.values = gatherValues(
          node.input(0), *result.shape, [&](ArrayRef<int64_t> coordinates) {
            int64_t position = 0;
            for (auto [axis, coordinate] : llvm::enumerate(coordinates))
              position += strides[axis] * (coordinate % (*sizes)[axis]);
            return position;
          });
    }
  } else if (source) {
    result.shape =
        node.unknownShape(source->size(), "a Tile by computed counts");
  }
  node.setResult(0, std::move(result));
  return success();
}
