//===- Limits.cpp - refuses models that are too large ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/load/Limits.h"
#include "frontends/onnx/load/ModelWalk.h"

#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace heddle;

namespace {
class LimitCheck {
public:
  LimitCheck(const LoadLimits &limits, const ModelLocations &locations)
      : limits(limits), locations(locations) {}

  LogicalResult checkModel(pb::ModelProto &model);

private:
  LogicalResult checkGraph(const pb::GraphProto &graph, unsigned depth);
  LogicalResult checkNode(const pb::NodeProto &node);
  LogicalResult checkAttribute(const pb::AttributeProto &attribute,
                               Location location);
  LogicalResult checkName(StringRef name, Location location);
  LogicalResult checkRank(uint64_t rank, StringRef name, Location location);

  const LoadLimits &limits;
  const ModelLocations &locations;
};
} // namespace

LogicalResult LimitCheck::checkName(StringRef name, Location location) {
  if (name.size() <= limits.attributeSize)
    return success();
  return emitError(location)
         << "expects names of at most " << limits.attributeSize
         << " bytes, got one of " << name.size();
}

LogicalResult LimitCheck::checkRank(uint64_t rank, StringRef name,
                                    Location location) {
  if (rank <= limits.rank)
    return success();
  return emitError(location)
         << "expects tensors of at most " << limits.rank << " axes, got "
         << inQuotes(name) << " with " << rank;
}

LogicalResult LimitCheck::checkAttribute(const pb::AttributeProto &attribute,
                                         Location location) {
  uint64_t size = attribute.ints_size();
  for (uint64_t other :
       {uint64_t(attribute.floats_size()), uint64_t(attribute.strings_size()),
        uint64_t(attribute.tensors_size()), uint64_t(attribute.s().size())})
    size = std::max(size, other);
  for (const std::string &string : attribute.strings())
    size = std::max<uint64_t>(size, string.size());
  if (size > limits.attributeSize)
    return emitError(location)
           << "expects attributes of at most " << limits.attributeSize
           << " elements, got " << inQuotes(attribute.name()) << " with "
           << size;
  if (failed(checkRank(attribute.t().dims_size(), attribute.name(), location)))
    return failure();
  for (const pb::TensorProto &tensor : attribute.tensors())
    if (failed(checkRank(tensor.dims_size(), attribute.name(), location)))
      return failure();
  return checkName(attribute.name(), location);
}

LogicalResult LimitCheck::checkNode(const pb::NodeProto &node) {
  if (node.name().size() > limits.attributeSize)
    return checkName(node.name(), locations.file());
  Location location = locations.node(node);
  for (auto [what, count] : {std::pair("inputs", node.input_size()),
                             std::pair("outputs", node.output_size()),
                             std::pair("attributes", node.attribute_size())})
    if (static_cast<uint64_t>(count) > limits.perNode)
      return emitError(location) << "expects at most " << limits.perNode << ' '
                                 << what << " of a node, got " << count;
  if (failed(checkName(node.op_type(), location)) ||
      failed(checkName(node.domain(), location)))
    return failure();
  for (const std::string &name : node.input())
    if (failed(checkName(name, location)))
      return failure();
  for (const std::string &name : node.output())
    if (failed(checkName(name, location)))
      return failure();
  for (const pb::AttributeProto &attribute : node.attribute())
    if (failed(checkAttribute(attribute, location)))
      return failure();
  return success();
}

LogicalResult LimitCheck::checkGraph(const pb::GraphProto &graph,
                                     unsigned depth) {
  Location location = locations.file();
  if (depth > limits.nesting)
    return emitError(location) << "expects at most " << limits.nesting
                               << " graphs inside each other, got more";
  for (const pb::TensorProto &tensor : graph.initializer())
    if (failed(checkName(tensor.name(), location)) ||
        failed(checkRank(tensor.dims_size(), tensor.name(), location)))
      return failure();
  for (const auto *list :
       {&graph.input(), &graph.output(), &graph.value_info()}) {
    for (const pb::ValueInfoProto &value : *list) {
      const auto &dims = value.type().tensor_type().shape().dim();
      if (failed(checkName(value.name(), location)) ||
          failed(checkRank(dims.size(), value.name(), location)))
        return failure();
      for (const auto &dim : dims)
        if (failed(checkName(dim.dim_param(), location)))
          return failure();
    }
  }
  return success();
}

LogicalResult LimitCheck::checkModel(pb::ModelProto &model) {
  uint64_t nodes = 0;
  auto countNodes = [&](NodeList &list, const OperatorSets &) {
    nodes += list.size();
    return success();
  };
  if (failed(walkNodeLists(model, countNodes)))
    return failure();
  if (nodes > limits.nodes)
    return emitError(locations.file())
           << "expects a model of at most " << limits.nodes << " nodes, got "
           << nodes;
  if (failed(walkGraphs(model, [&](pb::GraphProto &graph, unsigned depth) {
        return checkGraph(graph, depth);
      })))
    return failure();
  return walkNodes(model, [&](pb::NodeProto &node, const OperatorSets &) {
    return checkNode(node);
  });
}

LogicalResult heddle::checkLimits(pb::ModelProto &model,
                                  const LoadLimits &limits,
                                  const ModelLocations &locations) {
  return LimitCheck(limits, locations).checkModel(model);
}
