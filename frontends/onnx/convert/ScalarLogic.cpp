//===- ScalarLogic.cpp - comparisons and logic on elements ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/convert/Elementwise.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace heddle;

/// Compares floats, signed or unsigned integers. A bool counts as unsigned.
static Value compare(ScalarBuilder &b, ValueRange x,
                     arith::CmpFPredicate floats,
                     arith::CmpIPredicate signedIntegers,
                     arith::CmpIPredicate unsignedIntegers) {
  Type type = x[0].getType();
  if (isa<FloatType>(type))
    return arith::CmpFOp::create(b, floats, x[0], x[1]);
  bool isUnsigned = b.isUnsigned || type.isInteger(1);
  return arith::CmpIOp::create(
      b, isUnsigned ? unsignedIntegers : signedIntegers, x[0], x[1]);
}

Value scalar::equal(ScalarBuilder &b, Args x) {
  return compare(b, x, arith::CmpFPredicate::OEQ, arith::CmpIPredicate::eq,
                 arith::CmpIPredicate::eq);
}

Value scalar::less(ScalarBuilder &b, Args x) {
  return compare(b, x, arith::CmpFPredicate::OLT, arith::CmpIPredicate::slt,
                 arith::CmpIPredicate::ult);
}

Value scalar::lessOrEqual(ScalarBuilder &b, Args x) {
  return compare(b, x, arith::CmpFPredicate::OLE, arith::CmpIPredicate::sle,
                 arith::CmpIPredicate::ule);
}

Value scalar::greater(ScalarBuilder &b, Args x) {
  return compare(b, x, arith::CmpFPredicate::OGT, arith::CmpIPredicate::sgt,
                 arith::CmpIPredicate::ugt);
}

Value scalar::greaterOrEqual(ScalarBuilder &b, Args x) {
  return compare(b, x, arith::CmpFPredicate::OGE, arith::CmpIPredicate::sge,
                 arith::CmpIPredicate::uge);
}

Value scalar::bitwiseAnd(ScalarBuilder &b, Args x) {
  return arith::AndIOp::create(b, x[0], x[1]);
}

Value scalar::bitwiseOr(ScalarBuilder &b, Args x) {
  return arith::OrIOp::create(b, x[0], x[1]);
}

Value scalar::bitwiseXor(ScalarBuilder &b, Args x) {
  return arith::XOrIOp::create(b, x[0], x[1]);
}

Value scalar::bitwiseNot(ScalarBuilder &b, Args x) {
  Value ones = b.number(x[0].getType(), -1);
  return arith::XOrIOp::create(b, x[0], ones);
}

Value scalar::isNaN(ScalarBuilder &b, Args x) {
  return arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, x[0], x[0]);
}

Value scalar::isInf(ScalarBuilder &b, Args x) {
  Type type = x[0].getType();
  double infinity = std::numeric_limits<double>::infinity();
  Value result = b.number(b.getI1Type(), 0);
  for (auto [attribute, value] : {std::pair("detect_positive", infinity),
                                  {"detect_negative", -infinity}}) {
    if (b.node.intAttr(attribute, 1) == 0)
      continue;
    Value found = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, x[0],
                                        b.number(type, value));
    result = arith::OrIOp::create(b, result, found);
  }
  return result;
}

Value scalar::where(ScalarBuilder &b, Args x) {
  return arith::SelectOp::create(b, x[0], x[1], x[2]);
}
