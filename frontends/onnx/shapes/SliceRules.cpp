//===- SliceRules.cpp - operators that cut, join and pad along axes -------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/shapes/ShapeRules.h"

#include "frontends/onnx/shapes/ValueMap.h"

#include <limits>

using namespace mlir;
using namespace heddle;

//===----------------------------------------------------------------------===//
// Slice
//===----------------------------------------------------------------------===//

/// Exporters write the largest or smallest 32- or 64-bit integer for "to the
/// end"; no axis is that long.
static constexpr int64_t farEnd = std::numeric_limits<int32_t>::max();

namespace {
/// What one axis of a Slice asks for.
struct AxisSlice {
  SymExpr start;
  SymExpr end;
  int64_t step;
};
} // namespace

/// `index` counted from the front of an axis of `size`, clamped to
/// `[0, size]`.
static SymExpr clampForward(SymExpr index, SymExpr size) {
  SymContext &symbols = size.context();
  SymExpr zero = symbols.constant(0);
  if (std::optional<int64_t> value = index.constant()) {
    if (*value >= farEnd)
      return size;
    if (*value <= -farEnd)
      return zero;
  }
  if (symbols.provablyAtLeast(index, 0))
    return min(index, size);
  SymExpr fromEnd = max(size + index, zero);
  if (symbols.provablyAtLeast(-index, 1))
    return fromEnd;
  return select(lessEqual(zero, index), min(index, size), fromEnd);
}

/// The first index of a Slice that runs backwards, clamped to `[0, size - 1]`,
/// and the one past the last, clamped to `[-1, size - 1]`.
static SymExpr clampBackward(SymExpr index, SymExpr size, int64_t lowest) {
  SymContext &symbols = size.context();
  SymExpr last = size - 1;
  if (std::optional<int64_t> value = index.constant()) {
    if (*value >= farEnd)
      return last;
    if (*value <= -farEnd)
      return symbols.constant(lowest);
  }
  SymExpr wrapped =
      select(lessEqual(symbols.constant(0), index), index, index + size);
  return min(max(wrapped, symbols.constant(lowest)), last);
}

/// How far the end of a forward Slice is from its start; negative where the
/// Slice is empty.
static SymExpr forwardDistance(const AxisSlice &slice, SymExpr size) {
  SymContext &symbols = size.context();
  SymExpr end = clampForward(slice.end, size);
  // A start beyond the axis makes the distance negative, clamped or not.
  if (symbols.provablyAtLeast(slice.start, 0) &&
      slice.start.constant().value_or(0) < farEnd)
    return end - slice.start;
  SymExpr start = clampForward(slice.start, size);
  // size - max(0, size - 3) is min(size, 3).
  if (const SymAtom *atom = start.atom();
      atom && atom->kind() == SymAtomKind::Max) {
    SymExpr distance = end - atom->operands().front();
    for (SymExpr operand : atom->operands().drop_front())
      distance = min(distance, end - operand);
    return distance;
  }
  return end - start;
}

static SymExpr sliceLength(const AxisSlice &slice, SymExpr size) {
  SymContext &symbols = size.context();
  SymExpr length;
  if (slice.step > 0)
    length =
        ceilDiv(forwardDistance(slice, size), symbols.constant(slice.step));
  else
    length = ceilDiv(clampBackward(slice.start, size, 0) -
                         clampBackward(slice.end, size, -1),
                     symbols.constant(-slice.step));
  return max(length, symbols.constant(0));
}

/// The elements that remain, where all indices are constants.
static KnownValues
sliceValues(RuleContext &node, const SymShape &shape,
            const llvm::DenseMap<unsigned, AxisSlice> &slices) {
  std::optional<SmallVector<int64_t>> sizes = node.input(0).constantShape();
  if (!sizes)
    return std::nullopt;
  SmallVector<int64_t> starts(sizes->size(), 0), steps(sizes->size(), 1);
  for (const auto &[axis, slice] : slices) {
    SymExpr size = node.constant((*sizes)[axis]);
    SymExpr start = slice.step > 0 ? clampForward(slice.start, size)
                                   : clampBackward(slice.start, size, 0);
    if (!start.constant())
      return std::nullopt;
    starts[axis] = *start.constant();
    steps[axis] = slice.step;
  }
  SmallVector<int64_t> strides = rowMajorStrides(*sizes);
  return gatherValues(node.input(0), shape, [&](ArrayRef<int64_t> coordinates) {
    int64_t position = 0;
    for (auto [axis, coordinate] : llvm::enumerate(coordinates))
      position += strides[axis] * (starts[axis] + steps[axis] * coordinate);
    return position;
  });
}

/// A list of symbolic integers from input `index` or the attribute `name`.
static std::optional<SymShape> symbolicInts(RuleContext &node, unsigned index,
                                            StringRef name) {
  SymShape result;
  if (const std::vector<SymExpr> *values = node.values(index)) {
    result.assign(values->begin(), values->end());
    return result;
  }
  auto attribute = node.intsAttr(name);
  if (node.hasInput(index) || !attribute)
    return std::nullopt;
  for (int64_t value : *attribute)
    result.push_back(node.constant(value));
  return result;
}

/// The number of axes that a Slice names.
static std::optional<int64_t> slicedAxisCount(RuleContext &node,
                                              const SymShape *starts) {
  if (starts)
    return starts->size();
  for (unsigned index : {1, 2, 3})
    if (const SymShape *shape = node.shape(index); shape && shape->size() == 1)
      return (*shape)[0].constant();
  return std::nullopt;
}

/// The axes that a Slice names; the first ones by default.
static std::optional<SmallVector<int64_t>> slicedAxes(RuleContext &node,
                                                      const SymShape *starts) {
  if (node.hasInput(3) || node.intsAttr("axes"))
    return node.intsInputOrAttr(3, "axes");
  std::optional<int64_t> count = slicedAxisCount(node, starts);
  if (!count || *count > maxTensorRank)
    return std::nullopt;
  return llvm::to_vector(llvm::seq<int64_t>(0, *count));
}

LogicalResult heddle::inferSlice(RuleContext &node) {
  const SymShape *source = node.shape(0);
  if (!source)
    return node.setTypeOnly(node.elementType(0));
  std::optional<SymShape> starts = symbolicInts(node, 1, "starts");
  std::optional<SymShape> ends = symbolicInts(node, 2, "ends");
  auto axes = slicedAxes(node, starts ? &*starts : nullptr);
  AbstractTensor result;
  result.elementType = node.elementType(0);
  if (!axes) {
    result.shape = node.unknownShape(source->size(), "a Slice of unknown axes");
    node.setResult(0, std::move(result));
    return success();
  }
  SmallVector<int64_t> steps(axes->size(), 1);
  bool known = starts && ends && starts->size() == axes->size() &&
               ends->size() == axes->size();
  if (node.hasInput(4)) {
    auto given = node.constants(4);
    known &= given && given->size() == axes->size() &&
             llvm::none_of(*given, [](int64_t step) {
               return step == 0 || step <= -farEnd;
             });
    if (known)
      steps = *given;
  }
  result.shape = *source;
  llvm::DenseMap<unsigned, AxisSlice> slices;
  for (auto [position, given] : llvm::enumerate(*axes)) {
    FailureOr<unsigned> axis = node.normalizeAxis(given, source->size());
    if (failed(axis))
      return failure();
    if (!known) {
      (*result.shape)[*axis] = node.unknown("a Slice between computed indices");
      continue;
    }
    AxisSlice slice{(*starts)[position], (*ends)[position], steps[position]};
    (*result.shape)[*axis] = sliceLength(slice, (*source)[*axis]);
    slices[*axis] = slice;
  }
  if (known)
    result.values = sliceValues(node, *result.shape, slices);
  node.setResult(0, std::move(result));
  return success();
}

//===----------------------------------------------------------------------===//
// Split
//===----------------------------------------------------------------------===//

/// The sizes of the parts of an axis of `size`.
static SymShape splitSizes(RuleContext &node, SymExpr size) {
  if (std::optional<SymShape> given = symbolicInts(node, 1, "split"))
    return *given;
  unsigned count = node.numResults();
  if (node.hasInput(1))
    return node.unknownShape(count, "a Split into computed sizes");
  // Equal parts; from version 18 on the last one may be smaller.
  SymExpr part = ceilDiv(size, node.constant(count));
  SymShape sizes(count, part);
  sizes.back() = size - part * (count - 1);
  return sizes;
}

LogicalResult heddle::inferSplit(RuleContext &node) {
  const SymShape *source = node.shape(0);
  if (!source || node.numResults() == 0)
    return success();
  FailureOr<unsigned> axis =
      node.normalizeAxis(node.intAttr("axis", 0), source->size());
  if (failed(axis))
    return failure();
  SymShape parts = splitSizes(node, (*source)[*axis]);
  if (parts.size() != node.numResults())
    return node.error() << "expects a size for each of its "
                        << node.numResults() << " results, got "
                        << parts.size();
  SymExpr sum = node.constant(0);
  for (SymExpr part : parts)
    sum = sum + part;
  if (failed(node.unify((*source)[*axis], sum,
                        "the size of the axis and the sum of its parts")))
    return failure();

  std::optional<SmallVector<int64_t>> sizes = node.input(0).constantShape();
  SymExpr offset = node.constant(0);
  for (auto [index, part] : llvm::enumerate(parts)) {
    AbstractTensor result;
    result.elementType = node.elementType(0);
    result.shape = *source;
    (*result.shape)[*axis] = part;
    if (sizes && offset.constant()) {
      SmallVector<int64_t> strides = rowMajorStrides(*sizes);
      result.values = gatherValues(
          node.input(0), *result.shape, [&](ArrayRef<int64_t> coordinates) {
            int64_t position = strides[*axis] * *offset.constant();
            for (auto [stride, coordinate] : llvm::zip(strides, coordinates))
              position += stride * coordinate;
            return position;
          });
    }
    node.setResult(index, std::move(result));
    offset = offset + part;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Concat
//===----------------------------------------------------------------------===//

/// The elements of all inputs joined along `axis`.
static KnownValues concatValues(RuleContext &node, unsigned axis,
                                const SymShape &shape) {
  AbstractTensor result;
  result.shape = shape;
  if (!result.smallElementCount())
    return std::nullopt;
  SmallVector<int64_t> sizes = *result.constantShape();
  ArrayRef<int64_t> outerSizes = ArrayRef<int64_t>(sizes).take_front(axis);
  // An empty axis makes any number of rows a small array.
  int64_t outer = smallProduct(sizes) == 0 ? 0 : *smallProduct(outerSizes);
  SmallVector<size_t> chunks;
  for (unsigned i = 0; i < node.numInputs(); ++i) {
    if (!node.values(i))
      return std::nullopt;
    chunks.push_back(outer ? node.values(i)->size() / outer : 0);
  }
  std::vector<SymExpr> values;
  for (int64_t row = 0; row < outer; ++row)
    for (auto [i, chunk] : llvm::enumerate(chunks)) {
      auto begin = node.values(i)->begin() + row * chunk;
      values.insert(values.end(), begin, begin + chunk);
    }
  return values;
}

LogicalResult heddle::inferConcat(RuleContext &node) {
  AbstractTensor result;
  result.elementType = node.elementType(0);
  for (unsigned i = 0; i < node.numInputs(); ++i) {
    if (!node.shape(i)) {
      node.setResult(0, std::move(result));
      return success();
    }
    if (node.shape(i)->size() != node.shape(0)->size())
      return node.error() << "expects inputs of equal rank, got "
                          << node.shape(0)->size() << " and "
                          << node.shape(i)->size();
  }
  if (node.numInputs() == 0)
    return success();
  SymShape shape = *node.shape(0);
  FailureOr<unsigned> axis =
      node.normalizeAxis(node.intAttr("axis", 0), shape.size());
  if (failed(axis))
    return failure();
  for (unsigned i = 1; i < node.numInputs(); ++i) {
    for (auto [k, size] : llvm::enumerate(*node.shape(i))) {
      if (k == *axis) {
        shape[k] = shape[k] + size;
        continue;
      }
      FailureOr<SymExpr> joined =
          node.unify(shape[k], size, "the axes that are not joined");
      if (failed(joined))
        return failure();
      shape[k] = *joined;
    }
  }
  result.values = concatValues(node, *axis, shape);
  result.shape = std::move(shape);
  node.setResult(0, std::move(result));
  return success();
}

//===----------------------------------------------------------------------===//
// Pad
//===----------------------------------------------------------------------===//

LogicalResult heddle::inferPad(RuleContext &node) {
  const SymShape *source = node.shape(0);
  if (!source)
    return node.setTypeOnly(node.elementType(0));
  unsigned rank = source->size();
  std::optional<SymShape> pads = symbolicInts(node, 1, "pads");
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  bool known = pads.has_value();
  if (node.hasInput(3)) {
    auto given = node.constants(3);
    known &= given.has_value();
    if (given)
      axes = *given;
  }
  SymShape shape = *source;
  if (!known) {
    shape = node.unknownShape(rank, "a Pad by computed amounts");
  } else {
    if (pads->size() != 2 * axes.size())
      return node.error() << "expects " << 2 * axes.size() << " pads, got "
                          << pads->size();
    for (auto [i, given] : llvm::enumerate(axes)) {
      FailureOr<unsigned> axis = node.normalizeAxis(given, rank);
      if (failed(axis))
        return failure();
      shape[*axis] = shape[*axis] + (*pads)[i] + (*pads)[i + axes.size()];
    }
  }
  node.setResult(0, node.elementType(0), std::move(shape));
  return success();
}
