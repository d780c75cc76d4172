//===- Functions.cpp - functions of a model, inlined ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/load/Functions.h"
#include "frontends/onnx/load/ModelWalk.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

#include <onnx/defs/schema.h>
#include <onnx/inliner/inliner.h>

using namespace mlir;
using namespace heddle;

namespace {
/// Counts the nodes that calls stand for; saturates.
class InlinedSize {
public:
  explicit InlinedSize(const pb::ModelProto &model) {
    for (const pb::FunctionProto &function : model.functions())
      functions[key(function.domain(), function.name(), function.overload())] =
          &function;
  }

  uint64_t of(const NodeList &nodes) {
    uint64_t total = 0;
    for (const pb::NodeProto &node : nodes)
      total = llvm::SaturatingAdd(total, of(node));
    return total;
  }

private:
  static std::string key(StringRef domain, StringRef name, StringRef overload) {
    return (normalisedDomain(domain) + "\n" + name + "\n" + overload).str();
  }

  uint64_t of(const pb::NodeProto &node) {
    uint64_t total = ofCall(node);
    for (const pb::AttributeProto &attribute : node.attribute()) {
      if (attribute.has_g())
        total = llvm::SaturatingAdd(total, of(attribute.g().node()));
      for (const pb::GraphProto &graph : attribute.graphs())
        total = llvm::SaturatingAdd(total, of(graph.node()));
    }
    return total;
  }

  uint64_t ofCall(const pb::NodeProto &node) {
    std::string name = key(node.domain(), node.op_type(), node.overload());
    auto function = functions.find(name);
    if (function == functions.end())
      return 1;
    if (auto known = sizes.find(name); known != sizes.end())
      return known->second;
    uint64_t size = of(function->second->node());
    sizes[name] = size;
    return size;
  }

  llvm::StringMap<const pb::FunctionProto *> functions;
  llvm::StringMap<uint64_t> sizes;
};
} // namespace

/// True if an operator is the same in two versions of its operator set.
static bool hasSameMeaning(const pb::NodeProto &node, int64_t version,
                           int64_t otherVersion) {
  std::string domain = normalisedDomain(node.domain()).str();
  const auto *schema =
      pb::OpSchemaRegistry::Schema(node.op_type(), version, domain);
  const auto *other =
      pb::OpSchemaRegistry::Schema(node.op_type(), otherVersion, domain);
  return schema && other && schema->SinceVersion() == other->SinceVersion();
}

/// The inliner takes only functions that import the versions of the model.
/// Where the operators in use are the same in both, the function may as well
/// import the model's.
static LogicalResult unifyOperatorSets(pb::ModelProto &model,
                                       const ModelLocations &locations) {
  for (pb::FunctionProto &function : *model.mutable_functions())
    for (const pb::OperatorSetIdProto &set : function.opset_import())
      if (!versionOf(set.domain(), model.opset_import()))
        *model.add_opset_import() = set;

  auto checkNode = [&](pb::NodeProto &node, const OperatorSets &sets) {
    std::optional<int64_t> own = versionOf(node.domain(), sets);
    std::optional<int64_t> models =
        versionOf(node.domain(), model.opset_import());
    if (own == models || hasSameMeaning(node, *own, *models))
      return success();
    return LogicalResult(emitError(locations.node(node))
                         << "expects operator " << inQuotes(node.op_type())
                         << " to mean the same in opset " << *own
                         << ", which its function imports, and opset "
                         << *models << ", which the model imports");
  };
  if (failed(walkNodes(model, checkNode)))
    return failure();
  for (pb::FunctionProto &function : *model.mutable_functions())
    for (pb::OperatorSetIdProto &set : *function.mutable_opset_import())
      set.set_version(*versionOf(set.domain(), model.opset_import()));
  return success();
}

LogicalResult heddle::inlineFunctions(pb::ModelProto &model,
                                      const LoadLimits &limits,
                                      const ModelLocations &locations) {
  uint64_t size = InlinedSize(model).of(model.graph().node());
  if (size > limits.nodes)
    return emitError(locations.file())
           << "expects at most " << limits.nodes
           << " nodes once functions are inlined, got " << size;
  if (failed(unifyOperatorSets(model, locations)))
    return failure();
  pb::inliner::InlineLocalFunctions(model, /*convert_version=*/false);
  return success();
}
