//===- ElementwiseRules.cpp - operators that work element by element ------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/shapes/ShapeRules.h"

#include "dialects/onnx/ElementType.h"
#include "frontends/onnx/shapes/ValueMap.h"

#include <cmath>

using namespace mlir;
using namespace heddle;

static Type boolType(RuleContext &node) {
  return IntegerType::get(node.mlirContext(), 1);
}

//===----------------------------------------------------------------------===//
// One operand
//===----------------------------------------------------------------------===//

LogicalResult heddle::inferSameShape(RuleContext &node) {
  AbstractTensor result = node.input(0);
  result.values.reset();
  result.floats.reset();
  node.setResult(0, std::move(result));
  return success();
}

LogicalResult heddle::inferIdentity(RuleContext &node) {
  node.setResult(0, node.input(0));
  return success();
}

/// Applies `function` to every element of input 0.
static void setUnary(RuleContext &node, Type type,
                     llvm::function_ref<SymExpr(ArrayRef<SymExpr>)> function) {
  const AbstractTensor &operand = node.input(0);
  AbstractTensor result;
  result.elementType = type;
  result.shape = operand.shape;
  if (operand.shape)
    result.values = mapValues({&operand}, *operand.shape, function);
  node.setResult(0, std::move(result));
}

LogicalResult heddle::inferNeg(RuleContext &node) {
  setUnary(node, node.elementType(0),
           [](ArrayRef<SymExpr> x) { return -x[0]; });
  return success();
}

LogicalResult heddle::inferAbs(RuleContext &node) {
  setUnary(node, node.elementType(0),
           [](ArrayRef<SymExpr> x) { return max(x[0], -x[0]); });
  return success();
}

LogicalResult heddle::inferSign(RuleContext &node) {
  setUnary(node, node.elementType(0), [&](ArrayRef<SymExpr> x) {
    SymExpr zero = node.constant(0);
    return less(zero, x[0]) - less(x[0], zero);
  });
  return success();
}

LogicalResult heddle::inferNot(RuleContext &node) {
  setUnary(node, boolType(node),
           [](ArrayRef<SymExpr> x) { return logicalNot(x[0]); });
  return success();
}

LogicalResult heddle::inferFloatTest(RuleContext &node) {
  setUnary(node, boolType(node), [](ArrayRef<SymExpr>) { return SymExpr(); });
  return success();
}

/// Integral elements of a float array; nothing if one is not integral, or so
/// large that the array may have rounded it.
static KnownValues integralValues(SymContext &symbols,
                                  ArrayRef<double> floats) {
  constexpr double largestExact = 1ull << 53;
  std::vector<SymExpr> values;
  for (double value : floats) {
    if (!(std::fabs(value) <= largestExact))
      return std::nullopt;
    // Casts truncate.
    values.push_back(symbols.constant(static_cast<int64_t>(value)));
  }
  return values;
}

static LogicalResult inferCastTo(RuleContext &node, Type type) {
  const AbstractTensor &operand = node.input(0);
  AbstractTensor result;
  result.elementType = type;
  result.shape = operand.shape;
  bool toInteger = isa_and_nonnull<IntegerType>(type);
  if (toInteger && type.isInteger(1) && operand.values)
    result.values =
        mapValues({&operand}, *operand.shape, [&](ArrayRef<SymExpr> x) {
          return logicalNot(equal(x[0], node.constant(0)));
        });
  else if (toInteger && operand.values)
    result.values = operand.values;
  else if (toInteger && !type.isInteger(1) && operand.floats)
    result.values = integralValues(node.symbols(), *operand.floats);
  else if (isa_and_nonnull<FloatType>(type) && type == operand.elementType)
    result.floats = operand.floats;
  node.setResult(0, std::move(result));
  return success();
}

LogicalResult heddle::inferCast(RuleContext &node) {
  return inferCastTo(
      node, convertElementType(node.intAttr("to", 0), node.mlirContext()));
}

LogicalResult heddle::inferCastLike(RuleContext &node) {
  return inferCastTo(node, node.elementType(1));
}

LogicalResult heddle::inferClip(RuleContext &node) {
  const AbstractTensor &operand = node.input(0);
  AbstractTensor result;
  result.elementType = operand.elementType;
  result.shape = operand.shape;
  result.values = operand.values;
  // The bounds are scalars: applied one after the other, the upper one wins.
  for (unsigned bound : {1, 2}) {
    if (const SymShape *shape = node.shape(bound);
        shape && failed(node.requireBroadcastTo(*shape, {node.constant(1)},
                                                "the size of a bound and 1")))
      return failure();
    if (!result.values || !node.hasInput(bound))
      continue;
    result.values = mapValues(
        {&result, &node.input(bound)}, *result.shape, [&](ArrayRef<SymExpr> x) {
          return bound == 1 ? max(x[0], x[1]) : min(x[0], x[1]);
        });
  }
  node.setResult(0, std::move(result));
  return success();
}

//===----------------------------------------------------------------------===//
// Two operands and more
//===----------------------------------------------------------------------===//

/// Broadcasts the inputs, of which there are `count`, and applies `function` to
/// their elements.
static LogicalResult
setBroadcast(RuleContext &node, Type type, unsigned count,
             llvm::function_ref<SymExpr(ArrayRef<SymExpr>)> function) {
  if (node.numInputs() != count || count == 0)
    return node.error() << "expects " << std::max(count, 1u) << " inputs, got "
                        << node.numInputs();
  AbstractTensor result;
  result.elementType = type;
  SmallVector<const AbstractTensor *, 3> operands;
  SymShape shape;
  bool known = true;
  for (unsigned i = 0; i < node.numInputs(); ++i) {
    operands.push_back(&node.input(i));
    if (!node.shape(i)) {
      known = false;
      break;
    }
    FailureOr<SymShape> joined = node.broadcastShapes(shape, *node.shape(i));
    if (failed(joined))
      return failure();
    shape = *joined;
  }
  if (known) {
    result.values = mapValues(operands, shape, function);
    result.shape = std::move(shape);
  }
  node.setResult(0, std::move(result));
  return success();
}

static SymExpr noValue(ArrayRef<SymExpr>) { return SymExpr(); }

/// The quotient of integers as C rounds it; unknown for a divisor that may be
/// zero or whose sign is open.
static SymExpr divide(ArrayRef<SymExpr> x) {
  SymContext &symbols = x[0].context();
  bool nonZero =
      symbols.provablyAtLeast(x[1], 1) || x[1].constant().value_or(0) < 0;
  return nonZero ? truncDiv(x[0], x[1]) : SymExpr();
}

static SymExpr power(ArrayRef<SymExpr> x) {
  std::optional<int64_t> exponent = x[1].constant();
  if (!exponent || *exponent < 0 || *exponent > 64)
    return SymExpr();
  SymExpr result = x[0].context().constant(1);
  for (int64_t i = 0; i < *exponent; ++i)
    result = result * x[0];
  return result;
}

LogicalResult heddle::inferBroadcast(RuleContext &node) {
  return setBroadcast(node, node.elementType(0), node.numInputs(), noValue);
}

LogicalResult heddle::inferAdd(RuleContext &node) {
  return setBroadcast(node, node.elementType(0), 2,
                      [](ArrayRef<SymExpr> x) { return x[0] + x[1]; });
}

LogicalResult heddle::inferSub(RuleContext &node) {
  return setBroadcast(node, node.elementType(0), 2,
                      [](ArrayRef<SymExpr> x) { return x[0] - x[1]; });
}

LogicalResult heddle::inferMul(RuleContext &node) {
  return setBroadcast(node, node.elementType(0), 2,
                      [](ArrayRef<SymExpr> x) { return x[0] * x[1]; });
}

LogicalResult heddle::inferDiv(RuleContext &node) {
  return setBroadcast(node, node.elementType(0), 2, divide);
}

LogicalResult heddle::inferPow(RuleContext &node) {
  return setBroadcast(node, node.elementType(0), 2, power);
}

LogicalResult heddle::inferMod(RuleContext &node) {
  // fmod = 1 gives the sign of the dividend, fmod = 0 that of the divisor.
  bool truncates = node.intAttr("fmod", 0) != 0;
  return setBroadcast(
      node, node.elementType(0), 2, [&](ArrayRef<SymExpr> x) -> SymExpr {
        SymExpr quotient = divide(x);
        if (!quotient)
          return SymExpr();
        return truncates ? x[0] - quotient * x[1] : mod(x[0], x[1]);
      });
}

/// Folds the inputs with `function`, which may be one or many.
static LogicalResult setVariadic(RuleContext &node,
                                 SymExpr (*function)(SymExpr, SymExpr)) {
  return setBroadcast(node, node.elementType(0), node.numInputs(),
                      [&](ArrayRef<SymExpr> x) {
                        SymExpr result = x[0];
                        for (SymExpr element : x.drop_front())
                          result = function(result, element);
                        return result;
                      });
}

LogicalResult heddle::inferMin(RuleContext &node) {
  return setVariadic(node, heddle::min);
}

LogicalResult heddle::inferMax(RuleContext &node) {
  return setVariadic(node, heddle::max);
}

LogicalResult heddle::inferSum(RuleContext &node) {
  return setVariadic(node, [](SymExpr a, SymExpr b) { return a + b; });
}

LogicalResult heddle::inferEqual(RuleContext &node) {
  return setBroadcast(node, boolType(node), 2,
                      [](ArrayRef<SymExpr> x) { return equal(x[0], x[1]); });
}

LogicalResult heddle::inferLess(RuleContext &node) {
  return setBroadcast(node, boolType(node), 2,
                      [](ArrayRef<SymExpr> x) { return less(x[0], x[1]); });
}

LogicalResult heddle::inferLessOrEqual(RuleContext &node) {
  return setBroadcast(node, boolType(node), 2, [](ArrayRef<SymExpr> x) {
    return lessEqual(x[0], x[1]);
  });
}

LogicalResult heddle::inferGreater(RuleContext &node) {
  return setBroadcast(node, boolType(node), 2,
                      [](ArrayRef<SymExpr> x) { return less(x[1], x[0]); });
}

LogicalResult heddle::inferGreaterOrEqual(RuleContext &node) {
  return setBroadcast(node, boolType(node), 2, [](ArrayRef<SymExpr> x) {
    return lessEqual(x[1], x[0]);
  });
}

LogicalResult heddle::inferAnd(RuleContext &node) {
  return setBroadcast(node, boolType(node), 2, [](ArrayRef<SymExpr> x) {
    return logicalAnd(x[0], x[1]);
  });
}

LogicalResult heddle::inferOr(RuleContext &node) {
  return setBroadcast(node, boolType(node), 2, [](ArrayRef<SymExpr> x) {
    return logicalOr(x[0], x[1]);
  });
}

LogicalResult heddle::inferXor(RuleContext &node) {
  return setBroadcast(node, boolType(node), 2, [](ArrayRef<SymExpr> x) {
    return x[0] + x[1] - x[0] * x[1] * 2;
  });
}

LogicalResult heddle::inferWhere(RuleContext &node) {
  return setBroadcast(node, node.elementType(1), 3, [](ArrayRef<SymExpr> x) {
    return select(x[0], x[1], x[2]);
  });
}
