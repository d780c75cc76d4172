//===- Attributes.cpp - attributes of ONNX nodes --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/import/Attributes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace heddle;

static std::string kindName(const pb::AttributeProto &attribute) {
  if (!attribute.ref_attr_name().empty())
    return "reference";
  if (!pb::AttributeProto::AttributeType_IsValid(attribute.type()))
    return std::to_string(attribute.type());
  return StringRef(pb::AttributeProto::AttributeType_Name(attribute.type()))
      .lower();
}

static ArrayRef<int64_t> ints(const pb::AttributeProto &attribute) {
  return {attribute.ints().data(), static_cast<size_t>(attribute.ints_size())};
}

static ArrayRef<float> floats(const pb::AttributeProto &attribute) {
  return {attribute.floats().data(),
          static_cast<size_t>(attribute.floats_size())};
}

/// Null for kinds that `onnx.node` does not have.
static FailureOr<Attribute> importValue(const pb::AttributeProto &attribute,
                                        TensorImporter &tensors,
                                        Location location) {
  Builder builder(location.getContext());
  // An enumeration of an open file may hold any number.
  int kind = attribute.ref_attr_name().empty()
                 ? static_cast<int>(attribute.type())
                 : static_cast<int>(pb::AttributeProto::UNDEFINED);
  switch (kind) {
  case pb::AttributeProto::INT:
    return Attribute(builder.getI64IntegerAttr(attribute.i()));
  case pb::AttributeProto::FLOAT:
    return Attribute(builder.getF32FloatAttr(attribute.f()));
  case pb::AttributeProto::STRING:
    return Attribute(builder.getStringAttr(attribute.s()));
  case pb::AttributeProto::INTS:
    return Attribute(builder.getDenseI64ArrayAttr(ints(attribute)));
  case pb::AttributeProto::FLOATS:
    return Attribute(builder.getDenseF32ArrayAttr(floats(attribute)));
  case pb::AttributeProto::STRINGS: {
    SmallVector<StringRef> strings(attribute.strings().begin(),
                                   attribute.strings().end());
    return Attribute(builder.getStrArrayAttr(strings));
  }
  case pb::AttributeProto::TENSOR: {
    FailureOr<TypedAttr> tensor = tensors.importTensor(
        attribute.t(), "attribute " + inQuotes(attribute.name()), location);
    if (failed(tensor))
      return failure();
    return Attribute(*tensor);
  }
  default:
    return Attribute();
  }
}

FailureOr<DictionaryAttr> heddle::importAttributes(const pb::NodeProto &node,
                                                   TensorImporter &tensors,
                                                   Location location) {
  NamedAttrList attributes;
  for (const pb::AttributeProto &attribute : node.attribute()) {
    FailureOr<Attribute> value = importValue(attribute, tensors, location);
    if (failed(value))
      return failure();
    if (!*value)
      return emitError(location)
             << "expects attributes of numbers, strings or tensors, got "
             << inQuotes(attribute.name()) << " of operator "
             << inQuotes(node.op_type()) << " of kind " << kindName(attribute);
    attributes.append(attribute.name(), *value);
  }
  return attributes.getDictionary(location.getContext());
}

FailureOr<TypedAttr> heddle::importConstant(const pb::NodeProto &node,
                                            TensorImporter &tensors,
                                            Location location) {
  if (node.attribute_size() != 1)
    return emitError(location) << "expects a constant to have one value, got "
                               << node.attribute_size();
  const pb::AttributeProto &value = node.attribute(0);
  Builder builder(location.getContext());
  Type i64 = builder.getI64Type();
  Type f32 = builder.getF32Type();
  switch (static_cast<int>(value.type())) {
  case pb::AttributeProto::TENSOR:
    return tensors.importTensor(
        value.t(), "attribute " + inQuotes(value.name()), location);
  case pb::AttributeProto::INT:
    return TypedAttr(DenseElementsAttr::get(RankedTensorType::get({}, i64),
                                            ArrayRef<int64_t>(value.i())));
  case pb::AttributeProto::FLOAT:
    return TypedAttr(DenseElementsAttr::get(RankedTensorType::get({}, f32),
                                            ArrayRef<float>(value.f())));
  case pb::AttributeProto::INTS:
    return TypedAttr(DenseElementsAttr::get(
        RankedTensorType::get(value.ints_size(), i64), ints(value)));
  case pb::AttributeProto::FLOATS:
    return TypedAttr(DenseElementsAttr::get(
        RankedTensorType::get(value.floats_size(), f32), floats(value)));
  default:
    return emitError(location)
           << "expects a constant of numbers, got " << inQuotes(value.name())
           << " of kind " << kindName(value);
  }
}
