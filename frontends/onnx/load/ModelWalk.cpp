//===- ModelWalk.cpp - over all graphs and nodes of a model ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/load/ModelWalk.h"

using namespace mlir;
using namespace heddle;

namespace {
/// Recursion is bounded: protobuf refuses deep nesting.
struct ModelWalk {
  llvm::function_ref<LogicalResult(NodeList &, const OperatorSets &)> onNodes;
  llvm::function_ref<LogicalResult(pb::GraphProto &, unsigned)> onGraph;

  LogicalResult nodes(NodeList &list, const OperatorSets &sets,
                      unsigned depth) {
    if (onNodes && failed(onNodes(list, sets)))
      return failure();
    for (pb::NodeProto &node : list) {
      for (pb::AttributeProto &attribute : *node.mutable_attribute()) {
        if (attribute.has_g() &&
            failed(graph(*attribute.mutable_g(), sets, depth)))
          return failure();
        for (pb::GraphProto &nested : *attribute.mutable_graphs())
          if (failed(graph(nested, sets, depth)))
            return failure();
      }
    }
    return success();
  }

  LogicalResult graph(pb::GraphProto &graph, const OperatorSets &sets,
                      unsigned depth) {
    if (onGraph && failed(onGraph(graph, depth)))
      return failure();
    return nodes(*graph.mutable_node(), sets, depth + 1);
  }

  LogicalResult model(pb::ModelProto &model) {
    if (failed(graph(*model.mutable_graph(), model.opset_import(), 0)))
      return failure();
    for (pb::FunctionProto &function : *model.mutable_functions())
      if (failed(nodes(*function.mutable_node(), function.opset_import(), 1)))
        return failure();
    return success();
  }
};
} // namespace

LogicalResult heddle::walkNodeLists(
    pb::ModelProto &model,
    llvm::function_ref<LogicalResult(NodeList &, const OperatorSets &)> visit) {
  return ModelWalk{visit, nullptr}.model(model);
}

LogicalResult heddle::walkNodes(
    pb::ModelProto &model,
    llvm::function_ref<LogicalResult(pb::NodeProto &, const OperatorSets &)>
        visit) {
  return walkNodeLists(model, [&](NodeList &nodes, const OperatorSets &sets) {
    for (pb::NodeProto &node : nodes)
      if (failed(visit(node, sets)))
        return failure();
    return success();
  });
}

LogicalResult heddle::walkGraphs(
    pb::ModelProto &model,
    llvm::function_ref<LogicalResult(pb::GraphProto &, unsigned)> visit) {
  return ModelWalk{nullptr, visit}.model(model);
}

StringRef heddle::normalisedDomain(StringRef domain) {
  return domain == "ai.onnx" ? StringRef() : domain;
}

std::optional<int64_t> heddle::versionOf(StringRef domain,
                                         const OperatorSets &sets) {
  for (const pb::OperatorSetIdProto &set : sets)
    if (normalisedDomain(set.domain()) == normalisedDomain(domain))
      return set.version();
  return std::nullopt;
}
