//===- Views.cpp - Reshape and its kin, Expand, Tile, Transpose -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/convert/Conversions.h"

using namespace mlir;
using namespace heddle;

/// Reshape, Flatten, Squeeze and Unsqueeze: the shape analysis has worked out
/// the shape of the result, whatever form the operator gives it in.
LogicalResult heddle::convertReshape(NodeConversion &node) {
  node.setResult(0, node.build.reshape(node.input(0), node.resultShape(0)));
  return success();
}

LogicalResult heddle::convertTranspose(NodeConversion &node) {
  SymTensor input = node.input(0);
  int64_t rank = input.rank();
  SmallVector<int64_t> permutation =
      node.intsAttr("perm").value_or(SmallVector<int64_t>());
  if (!node.hasAttr("perm"))
    permutation = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(rank)));
  if (permutation.size() != static_cast<size_t>(rank) ||
      !isPermutationVector(permutation))
    // unreachable: the shape analysis has checked it
    return node.emitError()
           << "expects perm to be a permutation of " << rank << " axes";
  node.setResult(0, node.build.transpose(input, permutation));
  return success();
}

LogicalResult heddle::convertExpand(NodeConversion &node) {
  ArrayRef<SymExpr> shape = node.resultShape(0);
  ElementwiseOperand operand = node.operand(0);
  if (operand.constant) {
    node.setSplatResult(0, node.build.fill(shape, operand.constant),
                        operand.constant);
    return success();
  }
  if (operand.tensor.value && ArrayRef(operand.tensor.shape) == shape) {
    node.setResult(0, operand.tensor);
    return success();
  }
  node.setResult(0, node.build.map(shape, node.resultElementType(0), operand,
                                   [](ImplicitLocOpBuilder &, ValueRange x) {
                                     return x[0];
                                   }));
  return success();
}

/// Tile writes every axis of size n as [repeats, n], of which only n is read.
LogicalResult heddle::convertTile(NodeConversion &node) {
  TensorBuilder &build = node.build;
  SymTensor input = node.input(0);
  std::optional<ArrayRef<SymExpr>> repeats = node.inputValues(1);
  if (!repeats || repeats->size() != static_cast<size_t>(input.rank()))
    // unreachable: the size of the result would not be known
    return node.emitError()
           << "expects repeats that follow from the sizes of the inputs";
  SymShape single, repeated;
  for (auto [size, count] : llvm::zip(input.shape, *repeats)) {
    if (!count.isConstant(1)) {
      single.push_back(build.constant(1));
      repeated.push_back(count);
    }
    single.push_back(size);
    repeated.push_back(size);
  }
  SymTensor view = build.reshape(input, single);
  if (single != repeated)
    view = build.map(repeated, input.elementType(), {view},
                     [](ImplicitLocOpBuilder &, ValueRange x) { return x[0]; });
  node.setResult(0, build.reshape(view, node.resultShape(0)));
  return success();
}

/// Shape and Size: their values always follow from the sizes of the inputs
/// unless those do not, which is what is said here.
LogicalResult heddle::convertKnownInteger(NodeConversion &node) {
  // unreachable: the size of the result would not be known
  return node.emitError()
         << "reads a size that only the data decide, which is not supported";
}
