//===- NormalizationRules.cpp - norms and quantisation --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/shapes/ShapeRules.h"

#include "dialects/onnx/ElementType.h"

using namespace mlir;
using namespace heddle;

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

/// The result has the shape of input 0, to which the other inputs, scale and
/// bias or slope, broadcast.
LogicalResult heddle::inferScaledSameShape(RuleContext &node) {
  if (failed(inferSameShape(node)))
    return failure();
  const SymShape *source = node.shape(0);
  for (unsigned i = 1; source && i < node.numInputs(); ++i)
    if (const SymShape *shape = node.shape(i);
        shape && failed(node.requireBroadcastTo(*shape, *source,
                                                "the sizes of input " +
                                                    std::to_string(i) +
                                                    " and those of input 0")))
      return failure();
  return success();
}

LogicalResult heddle::inferLayerNormalization(RuleContext &node) {
  if (failed(inferScaledSameShape(node)))
    return failure();
  const SymShape *source = node.shape(0);
  if (!source)
    return success();
  FailureOr<unsigned> axis =
      node.normalizeAxis(node.intAttr("axis", -1), source->size());
  if (failed(axis))
    return failure();
  // Mean and inverse deviation keep the normalised axes as ones.
  SymShape statistics = *source;
  for (unsigned k = *axis; k < statistics.size(); ++k)
    statistics[k] = node.constant(1);
  Type type =
      convertElementType(node.intAttr("stash_type", 1), node.mlirContext());
  node.setResult(1, type, statistics);
  node.setResult(2, type, statistics);
  return success();
}

LogicalResult heddle::inferSkipLayerNormalization(RuleContext &node) {
  if (failed(inferSameShape(node)))
    return failure();
  const SymShape *source = node.shape(0);
  if (!source || source->empty())
    return success();
  SymShape statistics = *source;
  statistics.back() = node.constant(1);
  Type floatType = Float32Type::get(node.mlirContext());
  node.setResult(1, floatType, statistics);
  node.setResult(2, floatType, statistics);
  node.setResult(3, node.elementType(0), *source);
  return success();
}

LogicalResult heddle::inferEmbedLayerNormalization(RuleContext &node) {
  // Inputs: ids, segment ids, word embedding (its quantised form has the same
  // place), ...
  const SymShape *ids = node.shape(0), *words = node.shape(2);
  if (!ids || ids->size() != 2 || !words || words->size() != 2)
    return success();
  bool quantized = node.opType() == "QEmbedLayerNormalization";
  Type type = quantized ? Type(Float32Type::get(node.mlirContext()))
                        : node.elementType(2);
  SymShape embedded = {(*ids)[0], (*ids)[1], (*words)[1]};
  node.setResult(0, type, embedded);
  node.setResult(1, IntegerType::get(node.mlirContext(), 32), {(*ids)[0]});
  node.setResult(2, type, embedded);
  return success();
}

LogicalResult heddle::inferDropout(RuleContext &node) {
  node.setResult(0, node.input(0));
  AbstractTensor mask;
  mask.elementType = IntegerType::get(node.mlirContext(), 1);
  mask.shape = node.input(0).shape;
  node.setResult(1, std::move(mask));
  return success();
}

//===----------------------------------------------------------------------===//
// Quantisation
//===----------------------------------------------------------------------===//

LogicalResult heddle::inferQuantizeLinear(RuleContext &node) {
  AbstractTensor result;
  result.shape = node.input(0).shape;
  Type given =
      convertElementType(node.intAttr("output_dtype", 0), node.mlirContext());
  if (node.hasInput(2))
    result.elementType = node.elementType(2);
  else if (given)
    result.elementType = given;
  else
    result.elementType =
        IntegerType::get(node.mlirContext(), 8, IntegerType::Unsigned);
  node.setResult(0, std::move(result));
  return success();
}

LogicalResult heddle::inferDequantizeLinear(RuleContext &node) {
  AbstractTensor result;
  Type given =
      convertElementType(node.intAttr("output_dtype", 0), node.mlirContext());
  result.elementType = given ? given : node.elementType(1);
  result.shape = node.input(0).shape;
  node.setResult(0, std::move(result));
  return success();
}

LogicalResult heddle::inferDynamicQuantizeLinear(RuleContext &node) {
  Type byte = IntegerType::get(node.mlirContext(), 8, IntegerType::Unsigned);
  AbstractTensor result;
  result.elementType = byte;
  result.shape = node.input(0).shape;
  node.setResult(0, std::move(result));
  node.setResult(1, Float32Type::get(node.mlirContext()), {});
  node.setResult(2, byte, {});
  return success();
}
