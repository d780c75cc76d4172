//===- GeneratorRules.cpp - operators that make tensors from sizes --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/shapes/ShapeRules.h"

#include "dialects/onnx/ElementType.h"

#include <cmath>

using namespace mlir;
using namespace heddle;

LogicalResult heddle::inferShape(RuleContext &node) {
  AbstractTensor result;
  result.elementType = IntegerType::get(node.mlirContext(), 64);
  if (const SymShape *source = node.shape(0)) {
    int64_t rank = source->size();
    // Indices out of range are clamped, not refused.
    auto clamp = [&](int64_t index) {
      return std::clamp<int64_t>(index < 0 ? index + rank : index, 0, rank);
    };
    int64_t start = clamp(node.intAttr("start", 0));
    int64_t end = std::max(start, clamp(node.intAttr("end", rank)));
    ArrayRef<SymExpr> sizes(*source);
    sizes = sizes.slice(start, end - start);
    result.values = std::vector<SymExpr>(sizes.begin(), sizes.end());
    result.shape = {node.constant(sizes.size())};
  }
  node.setResult(0, std::move(result));
  return success();
}

LogicalResult heddle::inferSize(RuleContext &node) {
  AbstractTensor result;
  result.elementType = IntegerType::get(node.mlirContext(), 64);
  result.shape.emplace();
  if (const SymShape *source = node.shape(0))
    result.values = {product(node.symbols(), *source)};
  node.setResult(0, std::move(result));
  return success();
}

LogicalResult heddle::inferConstantOfShape(RuleContext &node) {
  AbstractTensor fill = node.tensorAttr("value");
  AbstractTensor result;
  result.elementType = fill.elementType
                           ? fill.elementType
                           : Type(Float32Type::get(node.mlirContext()));
  if (const std::vector<SymExpr> *sizes = node.values(0)) {
    if (sizes->size() > static_cast<size_t>(maxTensorRank))
      return node.error() << "makes a tensor of rank " << sizes->size()
                          << "; the limit is " << maxTensorRank;
    result.shape = SymShape(sizes->begin(), sizes->end());
    std::optional<int64_t> count = result.smallElementCount();
    if (count && fill.values && fill.values->size() == 1)
      result.values = std::vector<SymExpr>(*count, fill.values->front());
  } else if (const SymShape *target = node.shape(0);
             target && target->size() == 1) {
    std::optional<int64_t> rank = (*target)[0].constant();
    if (rank && *rank >= 0 && *rank <= maxTensorRank)
      result.shape =
          node.unknownShape(*rank, "a ConstantOfShape of computed sizes");
  }
  node.setResult(0, std::move(result));
  return success();
}

//===----------------------------------------------------------------------===//
// Range
//===----------------------------------------------------------------------===//

/// The length of a range of floats, as ONNX Runtime computes it.
static std::optional<SymExpr> floatRangeLength(RuleContext &node) {
  double bounds[3];
  for (unsigned i = 0; i < 3; ++i) {
    const std::optional<std::vector<double>> &floats = node.input(i).floats;
    if (!floats || floats->size() != 1)
      return std::nullopt;
    bounds[i] = floats->front();
  }
  double length = std::ceil((bounds[1] - bounds[0]) / bounds[2]);
  if (!(length < 1e15))
    return std::nullopt;
  return node.constant(length > 0 ? static_cast<int64_t>(length) : 0);
}

LogicalResult heddle::inferRange(RuleContext &node) {
  AbstractTensor result;
  result.elementType = node.elementType(0);
  const std::vector<SymExpr> *bounds[3];
  bool known = true;
  for (unsigned i = 0; i < 3; ++i) {
    bounds[i] = node.values(i);
    known &= bounds[i] && bounds[i]->size() == 1;
  }
  std::optional<int64_t> step;
  if (known)
    step = bounds[2]->front().constant();
  if (!step || *step == 0) {
    std::optional<SymExpr> length = floatRangeLength(node);
    result.shape = {length ? *length
                           : node.unknown("a Range of computed ends")};
    node.setResult(0, std::move(result));
    return success();
  }
  SymExpr start = bounds[0]->front(), limit = bounds[1]->front();
  SymExpr length =
      max(ceilDiv(limit - start, node.constant(*step)), node.constant(0));
  result.shape = {length};
  if (std::optional<int64_t> count = result.smallElementCount()) {
    result.values.emplace();
    SymExpr element = start;
    for (int64_t i = 0; i < *count; ++i, element = element + *step)
      result.values->push_back(element);
  }
  node.setResult(0, std::move(result));
  return success();
}

//===----------------------------------------------------------------------===//
// Patterns and random numbers
//===----------------------------------------------------------------------===//

LogicalResult heddle::inferEyeLike(RuleContext &node) {
  AbstractTensor result;
  result.shape = node.input(0).shape;
  Type given = convertElementType(node.intAttr("dtype", 0), node.mlirContext());
  result.elementType = given ? given : node.elementType(0);
  node.setResult(0, std::move(result));
  return success();
}
