//===- ValueMap.cpp - symbolic evaluation of whole arrays -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/shapes/ValueMap.h"

using namespace mlir;
using namespace heddle;

/// The constant sizes of an array small enough to be evaluated.
static std::optional<SmallVector<int64_t>>
smallConstantShape(const SymShape &shape) {
  AbstractTensor tensor;
  tensor.shape = shape;
  if (!tensor.smallElementCount())
    return std::nullopt;
  return tensor.constantShape();
}

/// The position in `tensor`, of sizes `sizes`, of the element that broadcasts
/// to `coordinates`.
static int64_t broadcastPosition(ArrayRef<int64_t> sizes,
                                 ArrayRef<int64_t> coordinates) {
  int64_t position = 0;
  ArrayRef<int64_t> inner = coordinates.take_back(sizes.size());
  for (auto [size, coordinate] : llvm::zip_equal(sizes, inner))
    position = position * size + (size == 1 ? 0 : coordinate);
  return position;
}

KnownValues
heddle::mapValues(ArrayRef<const AbstractTensor *> operands,
                  const SymShape &resultShape,
                  llvm::function_ref<SymExpr(ArrayRef<SymExpr>)> function) {
  std::optional<SmallVector<int64_t>> sizes = smallConstantShape(resultShape);
  if (!sizes)
    return std::nullopt;
  SmallVector<KnownValues, 3> expanded;
  for (const AbstractTensor *operand : operands) {
    expanded.push_back(expandValues(*operand, resultShape));
    if (!expanded.back())
      return std::nullopt;
  }
  std::vector<SymExpr> result;
  SmallVector<SymExpr, 3> elements(operands.size());
  int64_t count = *smallProduct(*sizes);
  for (int64_t position = 0; position < count; ++position) {
    for (auto [element, values] : llvm::zip_equal(elements, expanded))
      element = (*values)[position];
    SymExpr value = function(elements);
    if (!value)
      return std::nullopt;
    result.push_back(value);
  }
  return result;
}

KnownValues
heddle::gatherValues(const AbstractTensor &tensor, const SymShape &resultShape,
                     llvm::function_ref<int64_t(ArrayRef<int64_t>)> sourceOf) {
  std::optional<SmallVector<int64_t>> sizes = smallConstantShape(resultShape);
  if (!tensor.values || !sizes)
    return std::nullopt;
  std::vector<SymExpr> result;
  bool inRange = true;
  forEachCoordinate(*sizes, [&](ArrayRef<int64_t> coordinates) {
    int64_t source = sourceOf(coordinates);
    inRange &=
        source >= 0 && source < static_cast<int64_t>(tensor.values->size());
    if (inRange)
      result.push_back((*tensor.values)[source]);
  });
  if (!inRange)
    return std::nullopt;
  return result;
}

KnownValues heddle::reshapeValues(const AbstractTensor &tensor,
                                  const SymShape &resultShape) {
  std::optional<SmallVector<int64_t>> sizes = smallConstantShape(resultShape);
  if (!tensor.values || !sizes ||
      *smallProduct(*sizes) != static_cast<int64_t>(tensor.values->size()))
    return std::nullopt;
  return tensor.values;
}

KnownValues heddle::expandValues(const AbstractTensor &tensor,
                                 const SymShape &resultShape) {
  std::optional<SmallVector<int64_t>> sizes = tensor.constantShape();
  if (!sizes || sizes->size() > resultShape.size())
    return std::nullopt;
  return gatherValues(tensor, resultShape, [&](ArrayRef<int64_t> coordinates) {
    return broadcastPosition(*sizes, coordinates);
  });
}
