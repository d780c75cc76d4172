//===- ModelWalk.h - over all graphs and nodes of a model -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_LOAD_MODELWALK_H
#define HEDDLE_FRONTENDS_ONNX_LOAD_MODELWALK_H

#include "frontends/onnx/load/Locations.h"

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/LogicalResult.h"

namespace heddle {

using NodeList = google::protobuf::RepeatedPtrField<pb::NodeProto>;
using OperatorSets = google::protobuf::RepeatedPtrField<pb::OperatorSetIdProto>;

/// Calls `visit` with the nodes of the graph, of every function, and of every
/// graph that is an attribute, outer before inner, and the operator sets that
/// they are of. Stops at the first failure.
llvm::LogicalResult walkNodeLists(
    pb::ModelProto &model,
    llvm::function_ref<llvm::LogicalResult(NodeList &, const OperatorSets &)>
        visit);

/// The same for single nodes.
llvm::LogicalResult
walkNodes(pb::ModelProto &model,
          llvm::function_ref<llvm::LogicalResult(pb::NodeProto &,
                                                 const OperatorSets &)>
              visit);

/// Calls `visit` with the graph and every graph that is an attribute; `depth`
/// counts the graphs around it. Stops at the first failure.
llvm::LogicalResult walkGraphs(
    pb::ModelProto &model,
    llvm::function_ref<llvm::LogicalResult(pb::GraphProto &, unsigned depth)>
        visit);

/// `ai.onnx` and the empty name mean the same domain: the empty name.
llvm::StringRef normalisedDomain(llvm::StringRef domain);

/// The version of a domain among operator sets, if it is there.
std::optional<int64_t> versionOf(llvm::StringRef domain,
                                 const OperatorSets &sets);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_LOAD_MODELWALK_H
