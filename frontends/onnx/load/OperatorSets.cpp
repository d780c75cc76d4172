//===- OperatorSets.cpp - which operators a model may use -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/load/OperatorSets.h"
#include "frontends/onnx/load/ModelWalk.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/StringSet.h"

#include <onnx/common/constants.h>
#include <onnx/defs/schema.h>

using namespace mlir;
using namespace heddle;

static constexpr llvm::StringLiteral contribDomain = "com.microsoft";
/// The oldest version in use: opset 7 is of 2018.
static constexpr int64_t oldestVersion = 7;
static constexpr int64_t oldestIrVersion = 3;

static bool isMisplaced(const pb::NodeProto &node, const OperatorSets &sets) {
  if (!normalisedDomain(node.domain()).empty())
    return false;
  if (node.op_type() == "SimplifiedLayerNormalization")
    return true;
  return node.op_type() == "LayerNormalization" &&
         versionOf("", sets).value_or(17) < 17;
}

/// Imports the domain of ONNX Runtime's operators where that is missing.
static void importContrib(OperatorSets &sets) {
  if (versionOf(contribDomain, sets))
    return;
  pb::OperatorSetIdProto *added = sets.Add();
  added->set_domain(contribDomain.str());
  added->set_version(1);
}

void heddle::moveContribOperators(pb::ModelProto &model) {
  // The walk hands out the sets read-only: remember where one must be added.
  llvm::SmallPtrSet<const OperatorSets *, 4> users;
  auto move = [&](pb::NodeProto &node, const OperatorSets &sets) {
    if (isMisplaced(node, sets)) {
      node.set_domain(contribDomain.str());
      users.insert(&sets);
    }
    return success();
  };
  (void)walkNodes(model, move); // fails only where `move` does
  if (users.contains(&model.opset_import()))
    importContrib(*model.mutable_opset_import());
  for (pb::FunctionProto &function : *model.mutable_functions())
    if (users.contains(&function.opset_import()))
      importContrib(*function.mutable_opset_import());
}

static LogicalResult checkImports(const OperatorSets &sets, Location location) {
  const auto &newest = pb::OpSchemaRegistry::DomainToVersionRange::Instance()
                           .LastReleaseVersionMap();
  llvm::StringSet<> seen;
  for (const pb::OperatorSetIdProto &set : sets) {
    StringRef domain = normalisedDomain(set.domain());
    if (!seen.insert(domain).second)
      return emitError(location) << "expects one version per operator set, got "
                                 << inQuotes(set.domain()) << " twice";
    int64_t oldest = domain.empty() ? oldestVersion : 1;
    auto known = newest.find(domain.str());
    int64_t latest = known == newest.end() ? std::numeric_limits<int32_t>::max()
                                           : known->second;
    if (set.version() < oldest || set.version() > latest)
      return emitError(location)
             << "expects a version from " << oldest << " to " << latest
             << " of operator set " << inQuotes(set.domain()) << ", got "
             << set.version();
  }
  return success();
}

/// What a node calls a function of the model by.
static std::string functionKey(StringRef domain, StringRef name) {
  return (normalisedDomain(domain) + "::" + name).str();
}

static LogicalResult checkOperator(const pb::NodeProto &node,
                                   const OperatorSets &sets,
                                   const llvm::StringSet<> &functions,
                                   Location location) {
  std::optional<int64_t> version = versionOf(node.domain(), sets);
  if (!version)
    return emitError(location)
           << "expects operator set " << inQuotes(node.domain())
           << " to be imported, as operator " << inQuotes(node.op_type())
           << " is of it";
  bool isStandard = normalisedDomain(node.domain()).empty();
  if (!isStandard ||
      functions.contains(functionKey(node.domain(), node.op_type())))
    return success();
  const pb::OpSchema *schema =
      pb::OpSchemaRegistry::Schema(node.op_type(), *version, "");
  if (!schema || schema->Deprecated())
    return emitError(location) << "expects an operator of opset " << *version
                               << ", got " << inQuotes(node.op_type());
  return success();
}

LogicalResult heddle::checkOperatorSets(pb::ModelProto &model,
                                        const ModelLocations &locations) {
  if (model.ir_version() < oldestIrVersion ||
      model.ir_version() > pb::Version::IR_VERSION)
    return emitError(locations.file())
           << "expects an ONNX IR version from " << oldestIrVersion << " to "
           << static_cast<int64_t>(pb::Version::IR_VERSION) << ", got "
           << model.ir_version();
  if (failed(checkImports(model.opset_import(), locations.file())))
    return failure();
  llvm::StringSet<> functions;
  for (const pb::FunctionProto &function : model.functions()) {
    if (failed(checkImports(function.opset_import(), locations.file())))
      return failure();
    functions.insert(functionKey(function.domain(), function.name()));
  }
  return walkNodes(model, [&](pb::NodeProto &node, const OperatorSets &sets) {
    return checkOperator(node, sets, functions, locations.node(node));
  });
}
