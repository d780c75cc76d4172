//===- ContribRules.cpp - quantised and expert operators of com.microsoft -===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/shapes/ShapeRules.h"

using namespace mlir;
using namespace heddle;

LogicalResult heddle::inferMatMulNBits(RuleContext &node) {
  AbstractTensor result;
  result.elementType = node.elementType(0);
  if (const SymShape *source = node.shape(0); source && !source->empty()) {
    result.shape = *source;
    result.shape->back() = node.constant(node.intAttr("N", 0));
  }
  node.setResult(0, std::move(result));
  return success();
}

LogicalResult heddle::inferGatherBlockQuantized(RuleContext &node) {
  const SymShape *data = node.shape(0), *indices = node.shape(1);
  AbstractTensor result;
  result.elementType = node.elementType(2);
  if (data && indices && !data->empty()) {
    SymShape sizes = *data;
    // Bytes hold two elements of four bits.
    int64_t bits = node.intAttr("bits", 4);
    bool packed = node.elementType(0) && node.elementType(0).isInteger(8);
    if (packed && (bits == 4 || bits == 2))
      sizes.back() = sizes.back() * (8 / bits);
    FailureOr<unsigned> axis =
        node.normalizeAxis(node.intAttr("gather_axis", 0), sizes.size());
    if (failed(axis))
      return failure();
    SymShape shape(ArrayRef<SymExpr>(sizes).take_front(*axis));
    llvm::append_range(shape, *indices);
    shape.append(sizes.begin() + *axis + 1, sizes.end());
    result.shape = std::move(shape);
  }
  node.setResult(0, std::move(result));
  return success();
}
