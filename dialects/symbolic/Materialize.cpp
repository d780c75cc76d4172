//===- Materialize.cpp - expressions as index arithmetic ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/symbolic/Materialize.h"

#include "dialects/symbolic/SymContext.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace heddle;

SymMaterializer::SymMaterializer(
    OpBuilder &builder, Location loc,
    std::function<Value(const SymAtom &)> symbolValues)
    : builder(builder), loc(loc), symbolValues(std::move(symbolValues)) {}

Value SymMaterializer::constant(int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

Value SymMaterializer::materialize(SymExpr expr) {
  if (Value known = values.lookup(expr))
    return known;
  Value sum;
  for (const SymTerm &term : expr.terms()) {
    // A term is subtracted rather than negated and added, where it can be.
    bool subtract = sum && term.coefficient < 0 &&
                    term.coefficient != std::numeric_limits<int64_t>::min();
    SymTerm positive{subtract ? -term.coefficient : term.coefficient,
                     term.factors};
    Value value = materializeTerm(positive);
    if (!value)
      return nullptr;
    if (!sum)
      sum = value;
    else if (subtract)
      sum = arith::SubIOp::create(builder, loc, sum, value);
    else
      sum = arith::AddIOp::create(builder, loc, sum, value);
  }
  if (!sum)
    sum = constant(0);
  values[expr] = sum;
  return sum;
}

Value SymMaterializer::materializeTerm(const SymTerm &term) {
  Value result;
  for (const SymAtom *factor : term.factors) {
    Value value = materializeAtom(*factor);
    if (!value)
      return nullptr;
    result =
        result ? arith::MulIOp::create(builder, loc, result, value) : value;
  }
  if (!result)
    return constant(term.coefficient);
  if (term.coefficient == 1)
    return result;
  return arith::MulIOp::create(builder, loc, result,
                               constant(term.coefficient));
}

Value SymMaterializer::materializeAtom(const SymAtom &atom) {
  if (Value known = atomValues.lookup(&atom))
    return known;
  Value value = atom.isSymbol() ? symbolValues(atom) : operation(atom);
  if (value)
    atomValues[&atom] = value;
  return value;
}

Value SymMaterializer::operation(const SymAtom &atom) {
  SmallVector<Value, 4> operands;
  for (SymExpr operand : atom.operands()) {
    operands.push_back(materialize(operand));
    if (!operands.back())
      return nullptr;
  }
  switch (atom.kind()) {
  case SymAtomKind::FloorDiv:
  case SymAtomKind::Mod:
    return division(atom, operands[0], operands[1]);
  case SymAtomKind::Min:
  case SymAtomKind::Max: {
    Value result = operands.front();
    for (Value operand : ArrayRef<Value>(operands).drop_front())
      result =
          atom.kind() == SymAtomKind::Min
              ? Value(arith::MinSIOp::create(builder, loc, result, operand))
              : Value(arith::MaxSIOp::create(builder, loc, result, operand));
    return result;
  }
  case SymAtomKind::Select: {
    Value condition =
        compare(arith::CmpIPredicate::ne, operands[0], constant(0));
    return arith::SelectOp::create(builder, loc, condition, operands[1],
                                   operands[2]);
  }
  case SymAtomKind::Equal:
  case SymAtomKind::LessEqual: {
    Value flag =
        compare(atom.kind() == SymAtomKind::Equal ? arith::CmpIPredicate::eq
                                                  : arith::CmpIPredicate::sle,
                operands[0], operands[1]);
    return arith::IndexCastUIOp::create(builder, loc, builder.getIndexType(),
                                        flag);
  }
  case SymAtomKind::Symbol:
  case SymAtomKind::Unknown:
    break;
  }
  return nullptr;
}

Value SymMaterializer::compare(arith::CmpIPredicate predicate, Value lhs,
                               Value rhs) {
  return arith::CmpIOp::create(builder, loc, predicate, lhs, rhs);
}

Value SymMaterializer::division(const SymAtom &atom, Value dividend,
                                Value divisor) {
  SymExpr a = atom.operands()[0], b = atom.operands()[1];
  SymContext &context = a.context();
  // A zero divisor counts as one, so that no size given at run time traps.
  if (!context.provablyAtLeast(b, 1))
    divisor = arith::MaxSIOp::create(builder, loc, divisor, constant(1));
  bool truncates = context.provablyAtLeast(a, 0);
  if (atom.kind() == SymAtomKind::Mod && truncates)
    return arith::RemSIOp::create(builder, loc, dividend, divisor);
  Value quotient =
      truncates
          ? Value(arith::DivSIOp::create(builder, loc, dividend, divisor))
          : Value(arith::FloorDivSIOp::create(builder, loc, dividend, divisor));
  if (atom.kind() == SymAtomKind::FloorDiv)
    return quotient;
  Value multiple = arith::MulIOp::create(builder, loc, quotient, divisor);
  return arith::SubIOp::create(builder, loc, dividend, multiple);
}
