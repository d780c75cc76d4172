//===- ElementTypes.cpp - element types of the values of a graph ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/import/ElementTypes.h"

#include <onnx/defs/schema.h>
#include <onnx/shape_inference/implementation.h>

using namespace heddle;

void ElementTypes::declare(const std::string &name, int32_t dataType) {
  pb::TypeProto &type = storage.emplace_back();
  type.mutable_tensor_type()->set_elem_type(dataType);
  types[name] = &type;
}

std::vector<pb::TypeProto> ElementTypes::infer(pb::NodeProto &node) {
  std::vector<pb::TypeProto> outputs(node.output_size());
  std::optional<int64_t> version = versionOf(node.domain(), sets);
  const pb::OpSchema *schema =
      version
          ? pb::OpSchemaRegistry::Schema(node.op_type(), *version,
                                         normalisedDomain(node.domain()).str())
          : nullptr;
  if (!schema || !schema->has_type_and_shape_inference_function())
    return outputs;
  pb::shape_inference::InferenceContextImpl context(
      node, types, /*inputDataByName=*/{}, /*inputSparseDataByName=*/{},
      pb::ShapeInferenceOptions());
  try {
    schema->GetTypeAndShapeInferenceFunction()(context);
  } catch (const pb::InferenceError &) {
    // An unknown input, or a wrong node: what the function found before stays.
  }
  for (int i = 0; i < node.output_size(); ++i)
    outputs[i] = *context.getOutputType(i);
  return outputs;
}

static bool isFloat(int32_t dataType) {
  return dataType == pb::TensorProto::FLOAT ||
         dataType == pb::TensorProto::DOUBLE ||
         dataType == pb::TensorProto::FLOAT16 ||
         dataType == pb::TensorProto::BFLOAT16;
}

int32_t ElementTypes::guess(const pb::NodeProto &node) const {
  int32_t first = pb::TensorProto::UNDEFINED;
  for (const std::string &input : node.input()) {
    auto known = types.find(input);
    if (known == types.end())
      continue;
    int32_t dataType = known->second->tensor_type().elem_type();
    if (isFloat(dataType))
      return dataType;
    if (first == pb::TensorProto::UNDEFINED)
      first = dataType;
  }
  return first == pb::TensorProto::UNDEFINED ? pb::TensorProto::FLOAT : first;
}
