//===- CumSum.cpp - sums of prefixes --------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/convert/Conversions.h"
#include "frontends/onnx/convert/FloatTensors.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"

using namespace mlir;
using namespace heddle;

/// Which elements of the axis belong to the sum of an element.
static arith::CmpIPredicate membership(bool exclusive, bool reverse) {
  if (reverse)
    return exclusive ? arith::CmpIPredicate::ugt : arith::CmpIPredicate::uge;
  return exclusive ? arith::CmpIPredicate::ult : arith::CmpIPredicate::ule;
}

static Value addTo(ImplicitLocOpBuilder &b, Value sum, Value element) {
  if (isa<FloatType>(sum.getType()))
    return arith::AddFOp::create(b, sum, element);
  return arith::AddIOp::create(b, sum, element);
}

/// Every element sums its own prefix: work is quadratic in the size of the
/// axis, but all elements are independent.
LogicalResult heddle::convertCumSum(NodeConversion &node) {
  TensorBuilder &build = node.build;
  std::optional<SmallVector<int64_t>> axisInput = node.inputConstants(1);
  if (!axisInput || axisInput->size() != 1)
    return node.emitError() << "expects an axis that is constant";
  SymTensor input = node.input(0);
  FailureOr<int64_t> axis =
      node.normalizeAxis(axisInput->front(), input.rank());
  if (failed(axis))
    return failure();
  input = castFloats(build, input, summationType(input.elementType()));
  arith::CmpIPredicate predicate = membership(node.intAttr("exclusive", 0) != 0,
                                              node.intAttr("reverse", 0) != 0);

  // Loops: the axes of the result, then one over the prefix.
  OpBuilder &builder = build.getBuilder();
  int64_t rank = input.rank();
  SmallVector<AffineExpr> read, write;
  for (int64_t i = 0; i < rank; ++i) {
    write.push_back(builder.getAffineDimExpr(i));
    read.push_back(builder.getAffineDimExpr(i == *axis ? rank : i));
  }
  SmallVector<AffineMap> maps =
      AffineMap::inferFromExprList({read, write}, builder.getContext());
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  loops.push_back(utils::IteratorType::reduction);
  SymTensor init =
      build.fill(input.shape, builder.getZeroAttr(input.elementType()));
  auto op = linalg::GenericOp::create(
      builder, node.getLoc(), init.value.getType(), input.value, init.value,
      maps, loops, [&](OpBuilder &nested, Location loc, ValueRange x) {
        ImplicitLocOpBuilder b(loc, nested);
        Value source = linalg::IndexOp::create(b, rank);
        Value target = linalg::IndexOp::create(b, *axis);
        Value belongs = arith::CmpIOp::create(b, predicate, source, target);
        Value sum = addTo(b, x[1], x[0]);
        linalg::YieldOp::create(
            b, Value(arith::SelectOp::create(b, belongs, sum, x[1])));
      });
  SymTensor result{op.getResult(0), init.shape};
  node.setResult(0, castFloats(build, result, node.resultElementType(0)));
  return success();
}
