//===- WeightsPlan.cpp - what goes into the weights file ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/host/WeightsPlan.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;
using namespace heddle;

std::optional<heddle_dtype_t> heddle::getDtype(Type type) {
  if (type.isF32())
    return HEDDLE_F32;
  if (type.isF64())
    return HEDDLE_F64;
  if (type.isF16())
    return HEDDLE_F16;
  if (type.isBF16())
    return HEDDLE_BF16;
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return std::nullopt;
  bool isUnsigned = integer.isUnsigned();
  switch (integer.getWidth()) {
  case 1:
    return HEDDLE_BOOL;
  case 8:
    return isUnsigned ? HEDDLE_U8 : HEDDLE_I8;
  case 16:
    return isUnsigned ? HEDDLE_U16 : HEDDLE_I16;
  case 32:
    return isUnsigned ? HEDDLE_U32 : HEDDLE_I32;
  case 64:
    return isUnsigned ? HEDDLE_U64 : HEDDLE_I64;
  default:
    return std::nullopt;
  }
}

/// The row-major bytes of a constant, one byte per bool.
static std::vector<char> getBytes(DenseElementsAttr value) {
  Type element = value.getElementType();
  std::vector<char> bytes;
  if (element.isInteger(1)) {
    for (bool bit : value.getValues<bool>())
      bytes.push_back(bit);
    return bytes;
  }
  ArrayRef<char> raw = value.getRawData();
  int64_t copies = value.isSplat() ? value.getNumElements() : 1;
  for (int64_t i = 0; i < copies; ++i)
    bytes.insert(bytes.end(), raw.begin(), raw.end());
  return bytes;
}

WeightsPlan::Key WeightsPlan::getKey(WeightOp op) {
  int64_t panel = op.getPanel().value_or(0);
  return {op.getValue(), {panel, op.getTransposed()}};
}

LogicalResult WeightsPlan::add(WeightOp op, const WeightStore &store) {
  auto [it, isNew] = indices.try_emplace(getKey(op), weights.size());
  if (!isNew)
    return success();
  auto type = cast<RankedTensorType>(op.getValue().getType());
  std::optional<heddle_dtype_t> dtype = getDtype(type.getElementType());
  if (!dtype)
    // unreachable: the frontend refuses other element types.
    return op.emitOpError("expects an element type of the module ABI, got ")
           << type;
  WeightToStore weight;
  weight.name = "w" + std::to_string(weights.size());
  weight.dtype = *dtype;
  if (auto reference = dyn_cast<WeightAttr>(op.getValue())) {
    FailureOr<ArrayRef<char>> bytes =
        store.bytes(reference, [&] { return op.emitError(); });
    if (failed(bytes))
      return failure();
    weight.name =
        (reference.getFile() + "@" + Twine(reference.getOffset())).str();
    weight.source = *bytes;
  } else if (auto dense = dyn_cast<DenseElementsAttr>(op.getValue())) {
    weight.source = constants.emplace_back(getBytes(dense));
  } else {
    // unreachable: the frontend makes no other kind of constant.
    return op.emitOpError("expects a weight or a dense constant, got ")
           << op.getValue();
  }
  if (std::optional<uint64_t> panel = op.getPanel()) {
    bool transposed = op.getTransposed();
    weight.panels = PanelLayout{type.getDimSize(transposed ? 1 : 0),
                                type.getDimSize(transposed ? 0 : 1),
                                static_cast<int64_t>(*panel), transposed};
  }
  weights.push_back(std::move(weight));
  return success();
}

FailureOr<WeightsPlan> WeightsPlan::create(ModuleOp program,
                                           const WeightStore &store) {
  WeightsPlan plan;
  WalkResult result = program.walk([&](WeightOp op) {
    return isa<MemRefType>(op.getResult().getType()) &&
                   failed(plan.add(op, store))
               ? WalkResult::interrupt()
               : WalkResult::advance();
  });
  if (result.wasInterrupted())
    return failure();
  llvm::Expected<std::vector<uint64_t>> offsets = layOutWeights(plan.weights);
  if (!offsets)
    return program.emitError(llvm::toString(offsets.takeError()));
  plan.offsets = std::move(*offsets);
  return plan;
}

uint64_t WeightsPlan::getOffset(WeightOp op) const {
  return offsets[indices.lookup(getKey(op))];
}
