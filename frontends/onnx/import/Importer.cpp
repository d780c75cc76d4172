//===- Importer.cpp - from an ONNX model to the onnx dialect --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/onnx/OnnxDialect.h"
#include "frontends/onnx/Onnx.h"
#include "frontends/onnx/import/Attributes.h"
#include "frontends/onnx/import/ElementTypes.h"
#include "frontends/onnx/import/Types.h"
#include "frontends/onnx/load/Loader.h"
#include "frontends/onnx/load/TensorSize.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Path.h"

#include <new>

using namespace mlir;
using namespace heddle;

namespace {

/// Builds the function of one graph. The checker has accepted the model: nodes
/// are sorted and every name is defined once.
class GraphImporter {
public:
  GraphImporter(LoadedModel &model, WeightStore &weights,
                const ModelLocations &locations, OpBuilder &builder)
      : graph(*model.proto.mutable_graph()), sets(model.proto.opset_import()),
        locations(locations), builder(builder),
        modelName(llvm::sys::path::filename(locations.getPath())),
        tensors(weights, model.spans, modelName), elementTypes(sets) {}

  LogicalResult importGraph();

private:
  LogicalResult importInputs();
  LogicalResult importInitialisers();
  LogicalResult importNode(pb::NodeProto &node);
  LogicalResult importConstantNode(pb::NodeProto &node, Location location);
  void importOutputs();
  FailureOr<Type> outputType(const pb::NodeProto &node, int index,
                             const pb::TypeProto &inferred, Location location);
  Value absentInput();

  pb::GraphProto &graph;
  const OperatorSets &sets;
  const ModelLocations &locations;
  OpBuilder &builder;
  StringRef modelName;
  TensorImporter tensors;
  ElementTypes elementTypes;

  func::FuncOp function;
  llvm::StringMap<Value> values;
  /// What the model declares of the results of nodes.
  llvm::StringMap<const pb::ValueInfoProto *> declared;
  Value absent;
};

} // namespace

/// True where the inference functions found something.
static bool isKnown(const pb::TypeProto &type) {
  return type.value_case() != pb::TypeProto::VALUE_NOT_SET &&
         (!type.has_tensor_type() ||
          type.tensor_type().elem_type() != pb::TensorProto::UNDEFINED);
}

/// Inputs with an initialiser are constants: the initialiser is a default that
/// nobody overrides in a compiled model.
LogicalResult GraphImporter::importInputs() {
  llvm::StringSet<> initialised;
  for (const pb::TensorProto &tensor : graph.initializer())
    initialised.insert(tensor.name());
  SmallVector<Type> types;
  SmallVector<const pb::ValueInfoProto *> inputs;
  for (const pb::ValueInfoProto &input : graph.input()) {
    if (initialised.contains(input.name()))
      continue;
    FailureOr<TensorType> type = convertValueType(input, locations.file());
    if (failed(type))
      return failure();
    types.push_back(*type);
    inputs.push_back(&input);
    elementTypes.declare(input.name(), input.type().tensor_type().elem_type());
  }

  Location location =
      FileLineColLoc::get(builder.getContext(), modelName, 0, 0);
  function = func::FuncOp::create(builder, location, "main",
                                  builder.getFunctionType(types, {}));
  Block *body = function.addEntryBlock();
  for (auto [index, input] : llvm::enumerate(inputs)) {
    values[input->name()] = body->getArgument(index);
    function.setArgAttr(index, "onnx.name",
                        builder.getStringAttr(input->name()));
    if (ArrayAttr dims = declaredDims(*input, builder.getContext()))
      function.setArgAttr(index, "onnx.dims", dims);
  }
  builder.setInsertionPointToStart(body);
  return success();
}

LogicalResult GraphImporter::importInitialisers() {
  for (const pb::TensorProto &tensor : graph.initializer()) {
    FailureOr<TypedAttr> value = tensors.importTensor(
        tensor, "initialiser " + inQuotes(tensor.name()), locations.file());
    if (failed(value))
      return failure();
    Location location = NameLoc::get(builder.getStringAttr(tensor.name()));
    values[tensor.name()] = heddle::onnx::ConstantOp::create(
        builder, location, value->getType(), *value);
    elementTypes.declare(tensor.name(), tensor.data_type());
  }
  return success();
}

Value GraphImporter::absentInput() {
  if (!absent) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&function.getBody().front());
    absent = heddle::onnx::NoneOp::create(builder, function.getLoc());
  }
  return absent;
}

/// The type of a node's output: what the model declares, or else a tensor of
/// unknown rank with the element type that follows from the inputs.
FailureOr<Type> GraphImporter::outputType(const pb::NodeProto &node, int index,
                                          const pb::TypeProto &inferred,
                                          Location location) {
  const std::string &name = node.output(index);
  pb::ValueInfoProto value;
  value.set_name(name);
  if (const pb::ValueInfoProto *declaration = declared.lookup(name)) {
    value = *declaration;
    int32_t declaredType = value.type().tensor_type().elem_type();
    int32_t inferredType = inferred.tensor_type().elem_type();
    if (isKnown(inferred) && value.type().has_tensor_type() &&
        declaredType != inferredType)
      return emitError(location)
             << "expects output " << inQuotes(name)
             << " to have elements of type " << dataTypeName(inferredType)
             << ", got the declared type " << dataTypeName(declaredType);
  } else if (isKnown(inferred)) {
    *value.mutable_type() = inferred;
    if (inferred.has_tensor_type())
      value.mutable_type()->mutable_tensor_type()->clear_shape();
  } else {
    value.mutable_type()->mutable_tensor_type()->set_elem_type(
        elementTypes.guess(node));
  }
  FailureOr<TensorType> type = convertValueType(value, location);
  if (failed(type))
    return failure();
  if (!name.empty())
    elementTypes.declare(name, value.type().tensor_type().elem_type());
  return Type(*type);
}

LogicalResult GraphImporter::importConstantNode(pb::NodeProto &node,
                                                Location location) {
  FailureOr<TypedAttr> value = importConstant(node, tensors, location);
  if (failed(value))
    return failure();
  auto constant = heddle::onnx::ConstantOp::create(builder, location,
                                                   value->getType(), *value);
  values[node.output(0)] = constant;
  elementTypes.declare(
      node.output(0),
      elementTypes.infer(node).front().tensor_type().elem_type());
  return success();
}

LogicalResult GraphImporter::importNode(pb::NodeProto &node) {
  Location location = locations.node(node);
  StringRef domain = normalisedDomain(node.domain());
  if (domain.empty() && node.op_type() == "Constant")
    return importConstantNode(node, location);

  std::vector<pb::TypeProto> inferred = elementTypes.infer(node);
  SmallVector<Type> types;
  for (int i = 0; i < node.output_size(); ++i) {
    FailureOr<Type> type = outputType(node, i, inferred[i], location);
    if (failed(type))
      return failure();
    types.push_back(*type);
  }

  FailureOr<DictionaryAttr> attributes =
      importAttributes(node, tensors, location);
  if (failed(attributes))
    return failure();
  SmallVector<Value> operands;
  for (const std::string &input : node.input())
    operands.push_back(input.empty() ? absentInput() : values.lookup(input));
  int64_t version = *versionOf(domain, sets);
  auto created =
      heddle::onnx::NodeOp::create(builder, location, types, node.op_type(),
                                   domain, version, *attributes, operands);
  for (auto [name, result] : llvm::zip(node.output(), created.getOutputs()))
    if (!name.empty())
      values[name] = result;
  return success();
}

void GraphImporter::importOutputs() {
  SmallVector<Value> results;
  for (const pb::ValueInfoProto &output : graph.output())
    results.push_back(values.lookup(output.name()));
  func::ReturnOp::create(builder, function.getLoc(), results);
  function.setFunctionType(builder.getFunctionType(
      function.getArgumentTypes(), ValueRange(results).getTypes()));
  for (auto [index, output] : llvm::enumerate(graph.output())) {
    function.setResultAttr(index, "onnx.name",
                           builder.getStringAttr(output.name()));
    if (ArrayAttr dims = declaredDims(output, builder.getContext()))
      function.setResultAttr(index, "onnx.dims", dims);
  }
}

LogicalResult GraphImporter::importGraph() {
  for (const pb::ValueInfoProto &value : graph.value_info())
    declared[value.name()] = &value;
  for (const pb::ValueInfoProto &output : graph.output())
    declared[output.name()] = &output;
  if (failed(importInputs()) || failed(importInitialisers()))
    return failure();
  for (pb::NodeProto &node : *graph.mutable_node())
    if (failed(importNode(node)))
      return failure();
  importOutputs();
  return success();
}

static LogicalResult importInto(ModuleOp module, WeightStore &weights,
                                const LoadOptions &options,
                                const ModelLocations &locations) {
  FailureOr<LoadedModel> model = loadModel(weights, options, locations);
  if (failed(model))
    return failure();
  auto builder = OpBuilder::atBlockEnd(module.getBody());
  return GraphImporter(*model, weights, locations, builder).importGraph();
}

namespace {
/// Programs of LLVM end when memory does (llvm::InitLLVM installs a handler for
/// `new`). While a model is read, `new` throws, so that the model is refused.
class ThrowingNew {
public:
  ThrowingNew() : previous(std::set_new_handler(nullptr)) {}
  ~ThrowingNew() { std::set_new_handler(previous); }

private:
  std::new_handler previous;
};
} // namespace

OwningOpRef<ModuleOp> heddle::importModel(StringRef path, MLIRContext &context,
                                          WeightStore &weights,
                                          const LoadOptions &options) {
  context.loadDialect<HeddleDialect, heddle::onnx::OnnxDialect,
                      func::FuncDialect>();
  ModelLocations locations(context, path);
  OwningOpRef<ModuleOp> module = ModuleOp::create(FileLineColLoc::get(
      &context, llvm::sys::path::filename(path), /*line=*/0, /*column=*/0));
  ThrowingNew throwingNew;
  // The ONNX library reports by exceptions; none gets further than this.
  try {
    if (succeeded(importInto(*module, weights, options, locations)))
      return module;
  } catch (const std::bad_alloc &) {
    emitError(locations.file())
        << "expects a model that fits into memory, got one that does not";
  } catch (const std::exception &error) {
    emitError(locations.file())
        << "expects a model that the ONNX library can read, it says: "
        << error.what();
  }
  return {};
}
