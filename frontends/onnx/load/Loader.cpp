//===- Loader.cpp - a checked model, its weights still in files -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/load/Loader.h"
#include "frontends/onnx/load/Functions.h"
#include "frontends/onnx/load/Limits.h"
#include "frontends/onnx/load/ModelWalk.h"
#include "frontends/onnx/load/OperatorSets.h"
#include "frontends/onnx/load/WireFormat.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Path.h"

#include <google/protobuf/stubs/logging.h>
#include <onnx/checker.h>
#include <onnx/defs/parser.h>
#include <onnx/proto_utils.h>

using namespace mlir;
using namespace heddle;

/// Reads ONNX text: for tests, and for models written by hand.
static LogicalResult parseText(ArrayRef<char> text, pb::ModelProto &model,
                               const ModelLocations &locations) {
  pb::OnnxParser parser(std::string_view(text.data(), text.size()));
  pb::Common::Status status = parser.Parse(model);
  if (!status.IsOK())
    return emitError(locations.file())
           << "expects ONNX text: " << status.ErrorMessage();
  return success();
}

static LogicalResult parseBinary(ArrayRef<char> bytes, uint64_t maxBytes,
                                 pb::ModelProto &model,
                                 const ModelLocations &locations) {
  llvm::Expected<std::string> skeleton = makeSkeleton(bytes, maxBytes);
  if (!skeleton)
    return emitError(locations.file())
           << "expects an ONNX model, got a file that is none: "
           << llvm::toString(skeleton.takeError());
  // The diagnostic below replaces protobuf's own on standard error.
  google::protobuf::LogSilencer silencer;
  if (!pb::ParseProtoFromBytes(&model, skeleton->data(), skeleton->size()))
    return emitError(locations.file())
           << "expects an ONNX model, got a file that protobuf cannot parse";
  return success();
}

static LogicalResult parseFile(WeightStore &weights, const LoadLimits &limits,
                               pb::ModelProto &model,
                               const ModelLocations &locations) {
  StringRef path = locations.getPath();
  StringRef name = llvm::sys::path::filename(path);
  if (llvm::Error error = weights.openFile(name, path))
    return emitError(locations.file())
           << "expects a readable file: " << llvm::toString(std::move(error));
  ArrayRef<char> bytes = weights.contents(name);
  if (path.ends_with(".onnxtxt"))
    return parseText(bytes, model, locations);
  if (failed(parseBinary(bytes, limits.skeletonBytes, model, locations)))
    return failure();
  if (!model.has_graph())
    return emitError(locations.file())
           << "expects an ONNX model with a graph, got none";
  return success();
}

/// Sparse tensors have no form in the onnx dialect, and what the checker does
/// with them trusts their indices.
static LogicalResult refuseSparse(pb::ModelProto &model,
                                  const ModelLocations &locations) {
  auto graph = [&](pb::GraphProto &graph, unsigned) {
    if (graph.sparse_initializer_size() == 0)
      return success();
    return LogicalResult(
        emitError(locations.file())
        << "expects dense tensors, got the sparse initialiser "
        << inQuotes(graph.sparse_initializer(0).values().name()));
  };
  auto node = [&](pb::NodeProto &node, const OperatorSets &) {
    for (const pb::AttributeProto &attribute : node.attribute())
      if (attribute.has_sparse_tensor() || attribute.sparse_tensors_size() > 0)
        return LogicalResult(emitError(locations.node(node))
                             << "expects dense tensors, got the sparse "
                             << "attribute " << inQuotes(attribute.name()));
    return success();
  };
  if (failed(walkGraphs(model, graph)))
    return failure();
  return walkNodes(model, node);
}

static bool holdsGraph(const pb::NodeProto &node) {
  return llvm::any_of(node.attribute(),
                      [](const pb::AttributeProto &attribute) {
                        return attribute.has_g() || attribute.graphs_size() > 0;
                      });
}

/// The first node that the checker refuses by itself, else the file. A graph
/// inside a node can only be checked with what is around it.
static Location refusedNode(const pb::ModelProto &model,
                            const ModelLocations &locations) {
  std::unordered_map<std::string, int> sets;
  for (const pb::OperatorSetIdProto &set : model.opset_import())
    sets[set.domain()] = set.version();
  pb::checker::CheckerContext context;
  context.set_ir_version(model.ir_version());
  context.set_opset_imports(sets);
  for (const pb::NodeProto &node : model.graph().node()) {
    if (holdsGraph(node))
      continue;
    try {
      pb::checker::check_node(node, context,
                              pb::checker::LexicalScopeContext());
    } catch (const std::exception &) {
      return locations.node(node);
    }
  }
  return locations.file();
}

static LogicalResult runChecker(const pb::ModelProto &model,
                                const ModelLocations &locations) {
  try {
    // `inlineFunctions` decides which mixes of opsets are compatible.
    pb::checker::check_model(model, /*full_check=*/false,
                             /*skip_opset_compatibility_check=*/true);
    return success();
  } catch (const pb::checker::ValidationError &error) {
    // What follows the message repeats the node's name.
    StringRef text = StringRef(error.what()).split("\n\n==> ").first;
    std::string line = text.trim().str();
    std::replace(line.begin(), line.end(), '\n', ' ');
    return emitError(refusedNode(model, locations))
           << "expects a model that the ONNX checker accepts, it says: "
           << line;
  }
}

FailureOr<LoadedModel> heddle::loadModel(WeightStore &weights,
                                         const LoadOptions &options,
                                         const ModelLocations &locations) {
  LoadedModel model;
  pb::ModelProto &proto = model.proto;
  if (failed(parseFile(weights, options.limits, proto, locations)))
    return failure();
  nameNodes(proto);
  moveContribOperators(proto);
  if (failed(checkLimits(proto, options.limits, locations)) ||
      failed(checkOperatorSets(proto, locations)) ||
      failed(refuseSparse(proto, locations)))
    return failure();
  FailureOr<std::vector<WeightSpan>> spans =
      resolveExternalData(proto, weights, options, locations);
  if (failed(spans))
    return failure();
  model.spans = std::move(*spans);
  if (failed(runChecker(proto, locations)))
    return failure();
  if (proto.functions_size() > 0) {
    // The checker cannot see what a call turns into.
    if (failed(inlineFunctions(proto, options.limits, locations)) ||
        failed(runChecker(proto, locations)))
      return failure();
  }
  return model;
}
