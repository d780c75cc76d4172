//===- AbstractTensor.cpp - what is known of a tensor's contents ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/shapes/AbstractTensor.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace heddle;

std::optional<SmallVector<int64_t>> AbstractTensor::constantShape() const {
  if (!shape)
    return std::nullopt;
  SmallVector<int64_t> sizes;
  for (SymExpr dim : *shape) {
    std::optional<int64_t> size = dim.constant();
    if (!size)
      return std::nullopt;
    sizes.push_back(*size);
  }
  return sizes;
}

std::optional<int64_t> AbstractTensor::smallElementCount() const {
  std::optional<SmallVector<int64_t>> sizes = constantShape();
  return sizes ? smallProduct(*sizes) : std::nullopt;
}

std::optional<int64_t> heddle::smallProduct(ArrayRef<int64_t> sizes) {
  // An empty tensor is small, however large its other axes are.
  if (llvm::is_contained(sizes, 0))
    return 0;
  int64_t count = 1;
  for (int64_t size : sizes)
    if (size < 0 || llvm::MulOverflow(count, size, count) ||
        count > AbstractTensor::maxKnownElements)
      return std::nullopt;
  return count;
}

/// The value of an integer of `type`; nothing if 64 signed bits cannot hold it.
static std::optional<int64_t> integerValue(IntegerType type,
                                           const APInt &value) {
  if (type.getWidth() == 1 || type.isUnsigned()) {
    if (value.getActiveBits() > 63)
      return std::nullopt;
    return static_cast<int64_t>(value.getZExtValue());
  }
  return value.getSExtValue();
}

static std::optional<std::vector<SymExpr>>
integerElements(SymContext &symbols, DenseIntElementsAttr elements) {
  auto type = dyn_cast<IntegerType>(elements.getElementType());
  if (!type || type.getWidth() > 64)
    return std::nullopt;
  std::vector<SymExpr> values;
  for (const APInt &element : elements.getValues<APInt>()) {
    std::optional<int64_t> value = integerValue(type, element);
    if (!value)
      return std::nullopt;
    values.push_back(symbols.constant(*value));
  }
  return values;
}

static std::vector<double> floatElements(DenseFPElementsAttr elements) {
  std::vector<double> values;
  for (APFloat element : elements.getValues<APFloat>()) {
    bool losesInfo;
    element.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                    &losesInfo);
    values.push_back(element.convertToDouble());
  }
  return values;
}

AbstractTensor heddle::abstractConstant(SymContext &symbols, TypedAttr value) {
  AbstractTensor tensor;
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape())
    return tensor;
  tensor.elementType = type.getElementType();
  tensor.shape.emplace();
  for (int64_t size : type.getShape())
    tensor.shape->push_back(symbols.constant(size));
  if (!tensor.smallElementCount())
    return tensor;
  if (auto integers = dyn_cast<DenseIntElementsAttr>(value))
    tensor.values = integerElements(symbols, integers);
  else if (auto floats = dyn_cast<DenseFPElementsAttr>(value))
    tensor.floats = floatElements(floats);
  return tensor;
}

SmallVector<int64_t> heddle::rowMajorStrides(ArrayRef<int64_t> sizes) {
  SmallVector<int64_t> strides(sizes.size(), 1);
  for (size_t axis = sizes.size(); axis > 1; --axis)
    strides[axis - 2] = strides[axis - 1] * sizes[axis - 1];
  return strides;
}

void heddle::forEachCoordinate(
    ArrayRef<int64_t> sizes,
    llvm::function_ref<void(ArrayRef<int64_t>)> callback) {
  if (llvm::is_contained(sizes, 0))
    return;
  SmallVector<int64_t> coordinates(sizes.size(), 0);
  while (true) {
    callback(coordinates);
    size_t axis = sizes.size();
    while (axis > 0 && ++coordinates[axis - 1] == sizes[axis - 1])
      coordinates[--axis] = 0;
    if (axis == 0)
      return;
  }
}
