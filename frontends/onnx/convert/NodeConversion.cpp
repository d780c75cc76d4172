//===- NodeConversion.cpp - one ONNX node under conversion ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/convert/NodeConversion.h"

using namespace mlir;
using namespace heddle;

std::string NodeConversion::describe() {
  return ("node '" + op.getNodeName() + "'").str();
}

InFlightDiagnostic NodeConversion::emitError() {
  return mlir::emitError(op.getLoc()) << "operator '" << op.getOpType() << "' ";
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

int64_t NodeConversion::intAttr(StringRef name, int64_t defaultValue) {
  auto attr = dyn_cast_or_null<IntegerAttr>(op.getNodeAttr(name));
  return attr ? attr.getInt() : defaultValue;
}

double NodeConversion::floatAttr(StringRef name, double defaultValue) {
  auto attr = dyn_cast_or_null<FloatAttr>(op.getNodeAttr(name));
  return attr ? attr.getValueAsDouble() : defaultValue;
}

StringRef NodeConversion::stringAttr(StringRef name, StringRef defaultValue) {
  auto attr = dyn_cast_or_null<StringAttr>(op.getNodeAttr(name));
  return attr ? attr.getValue() : defaultValue;
}

std::optional<SmallVector<int64_t>> NodeConversion::intsAttr(StringRef name) {
  auto attr = dyn_cast_or_null<DenseI64ArrayAttr>(op.getNodeAttr(name));
  if (!attr)
    return std::nullopt;
  return SmallVector<int64_t>(attr.asArrayRef());
}

std::optional<TypedAttr> NodeConversion::scalarAttr(StringRef name) {
  auto elements = dyn_cast_or_null<DenseElementsAttr>(op.getNodeAttr(name));
  if (!elements || elements.getNumElements() != 1)
    return std::nullopt;
  return signlessScalar(*elements.value_begin<Attribute>());
}

FailureOr<int64_t> NodeConversion::normalizeAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return emitError() << "expects an axis in " << -rank << " .. " << rank - 1
                       << ", got " << axis;
  return axis < 0 ? axis + rank : axis;
}

FailureOr<int64_t>
NodeConversion::axisAttr(StringRef name, int64_t defaultValue, int64_t rank) {
  return normalizeAxis(intAttr(name, defaultValue), rank);
}

FailureOr<std::optional<SmallVector<int64_t>>>
NodeConversion::axes(unsigned index, int64_t rank) {
  std::optional<SmallVector<int64_t>> axes = intsAttr("axes");
  if (!axes && hasInput(index)) {
    axes = inputConstants(index);
    if (!axes)
      // unreachable: the size of the result would not be known
      return emitError() << "expects axes that are constant";
  }
  if (!axes)
    return axes;
  for (int64_t &axis : *axes) {
    FailureOr<int64_t> normalized = normalizeAxis(axis, rank);
    if (failed(normalized))
      return failure();
    axis = *normalized;
  }
  llvm::sort(*axes);
  axes->erase(llvm::unique(*axes), axes->end());
  return axes;
}

//===----------------------------------------------------------------------===//
// Operands and results
//===----------------------------------------------------------------------===//

bool NodeConversion::hasInput(unsigned index) {
  return index < op.getInputs().size() &&
         !isa<NoneType>(op.getInputs()[index].getType());
}

Type NodeConversion::inputElementType(unsigned index) {
  return values.analysis.lookup(onnxInput(index)).elementType;
}

std::optional<ArrayRef<SymExpr>> NodeConversion::inputValues(unsigned index) {
  std::optional<ArrayRef<SymExpr>> known =
      values.analysis.valuesOf(onnxInput(index));
  if (known &&
      !llvm::all_of(*known, [](SymExpr e) { return e.isComputable(); }))
    return std::nullopt;
  return known;
}

std::optional<SmallVector<int64_t>>
NodeConversion::inputConstants(unsigned index) {
  return values.analysis.constantsOf(onnxInput(index));
}

Type NodeConversion::onnxResultElementType(unsigned index) {
  return values.analysis.lookup(op->getResult(index)).elementType;
}

Type NodeConversion::resultElementType(unsigned index) {
  return signless(onnxResultElementType(index));
}

void NodeConversion::setResult(unsigned index, SymTensor tensor) {
  values.set(op->getResult(index), build.withShape(tensor, resultShape(index)));
}

void NodeConversion::setSplatResult(unsigned index, SymTensor tensor,
                                    TypedAttr value) {
  setResult(index, std::move(tensor));
  values.setSplat(op->getResult(index), value);
}
