//===- ElementTypes.h - element types of the values of a graph --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_IMPORT_ELEMENTTYPES_H
#define HEDDLE_FRONTENDS_ONNX_IMPORT_ELEMENTTYPES_H

#include "frontends/onnx/load/ModelWalk.h"

#include <deque>
#include <unordered_map>

namespace heddle {

/// Models may leave out the types of the values between their nodes. Finds the
/// element types, node by node, with the inference functions of the ONNX
/// library; these see no shapes, so they do no more than that.
class ElementTypes {
public:
  explicit ElementTypes(const OperatorSets &sets) : sets(sets) {}

  /// Sets the data type of a graph input, an initialiser or a declared value.
  void declare(const std::string &name, int32_t dataType);

  /// Finds the types of the outputs of a node whose inputs are known, in order;
  /// a type without value case where nothing is known.
  std::vector<pb::TypeProto> infer(pb::NodeProto &node);

  /// What an operator without an inference function most likely gives: the data
  /// type of the first floating-point input, else of the first one, else float.
  /// Conversions compute the types of their results themselves.
  int32_t guess(const pb::NodeProto &node) const;

private:
  const OperatorSets &sets;
  std::deque<pb::TypeProto> storage;
  std::unordered_map<std::string, pb::TypeProto *> types;
};

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_IMPORT_ELEMENTTYPES_H
