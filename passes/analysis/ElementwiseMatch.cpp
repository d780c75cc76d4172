//===- ElementwiseMatch.cpp - look into elementwise ops -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "passes/analysis/ElementwiseMatch.h"

#include "passes/analysis/OpRoles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace heddle;

std::optional<double> heddle::getFloatConstant(Value value) {
  FloatAttr number;
  if (matchPattern(value, m_Constant(&number)))
    return number.getValueAsDouble();
  SplatElementsAttr splat;
  if (matchPattern(value, m_Constant(&splat)) &&
      isa<FloatType>(splat.getElementType()))
    return splat.getSplatValue<APFloat>().convertToDouble();
  return std::nullopt;
}

ScalarOperand ElementwiseOp::getOperand(unsigned index) {
  ScalarOperand operand;
  Value value = scalar->getOperand(index);
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (argument.getArgNumber() >= generic.getNumDpsInputs())
      return operand;
    OpOperand *input = generic.getDpsInputOperand(argument.getArgNumber());
    operand.constant = getFloatConstant(input->get());
    if (!operand.constant) {
      operand.tensor = input->get();
      operand.map = generic.getMatchingIndexingMap(input);
    }
    return operand;
  }
  operand.constant = getFloatConstant(value);
  return operand;
}

ElementwiseOp heddle::getElementwise(Value tensor) {
  auto generic = tensor.getDefiningOp<linalg::GenericOp>();
  if (!generic || generic.getNumResults() != 1 ||
      getOpRole(generic) != OpRole::elementwise)
    return {};
  auto yield = cast<linalg::YieldOp>(generic.getBody()->getTerminator());
  Operation *scalar = yield.getOperand(0).getDefiningOp();
  if (!scalar || scalar->getBlock() != generic.getBody())
    return {};
  for (Operation &op : generic.getBody()->without_terminator())
    if (&op != scalar && !op.hasTrait<OpTrait::ConstantLike>())
      return {};
  return {generic, scalar};
}

bool heddle::matchScaled(Value tensor, Value &x, double &factor) {
  ScalarOperand a, b;
  bool divides = matchBinary<arith::DivFOp>(tensor, a, b);
  if (!divides && !matchBinary<arith::MulFOp>(tensor, a, b))
    return false;
  if (!divides && a.constant)
    std::swap(a, b);
  if (!a.isIdentity() || !b.constant || (divides && *b.constant == 0))
    return false;
  x = a.tensor;
  factor = divides ? 1 / *b.constant : *b.constant;
  return true;
}
