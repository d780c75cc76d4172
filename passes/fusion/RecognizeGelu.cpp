//===- RecognizeGelu.cpp - spelled-out GELU as one scalar op --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/HeddleDialect.h"
#include "passes/Passes.h"
#include "passes/analysis/ElementwiseMatch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"

#include <cmath>

using namespace mlir;

namespace heddle {
#define GEN_PASS_DEF_RECOGNIZEGELU
#include "passes/Passes.h.inc"
} // namespace heddle

using namespace heddle;

namespace {

/// A product taken apart: a constant times values, each as often as it occurs.
struct Product {
  double coefficient = 1;
  SmallVector<Value> factors;
};

} // namespace

/// Constants of a model are rounded to f32 at best.
static bool isClose(double a, double b) {
  return std::abs(a - b) <= 1e-5 * std::abs(b);
}

/// Takes products and quotients apart, as far as the formulas go: what is left
/// when there are more factors than any of them has stays whole.
static Product takeApart(Value value) {
  constexpr size_t mostFactors = 4;
  Product product;
  SmallVector<Value> pending = {value};
  while (!pending.empty()) {
    Value next = pending.pop_back_val();
    auto mul = next.getDefiningOp<arith::MulFOp>();
    auto div = next.getDefiningOp<arith::DivFOp>();
    auto pow = next.getDefiningOp<math::PowFOp>();
    bool full = product.factors.size() + pending.size() >= mostFactors;
    if (std::optional<double> constant = getFloatConstant(next)) {
      product.coefficient *= *constant;
    } else if (mul && !full) {
      pending.append({mul.getLhs(), mul.getRhs()});
    } else if (div && getFloatConstant(div.getRhs()).value_or(0) != 0) {
      product.coefficient /= *getFloatConstant(div.getRhs());
      pending.push_back(div.getLhs());
    } else if (pow && (getFloatConstant(pow.getRhs()) == 2.0 ||
                       getFloatConstant(pow.getRhs()) == 3.0)) {
      product.factors.append(
          static_cast<size_t>(*getFloatConstant(pow.getRhs())), pow.getLhs());
    } else {
      product.factors.push_back(next);
    }
  }
  return product;
}

/// Matches `value` = a + 1 in either order, and gives a.
static bool matchPlusOne(Value value, Value &a) {
  auto add = value.getDefiningOp<arith::AddFOp>();
  if (!add)
    return false;
  for (auto [x, one] : {std::pair(add.getLhs(), add.getRhs()),
                        std::pair(add.getRhs(), add.getLhs())})
    if (getFloatConstant(one) == 1.0) {
      a = x;
      return true;
    }
  return false;
}

/// Whether `value` is 0.044715 * x^power.
static bool isCubicTerm(Value value, Value x, size_t power) {
  Product product = takeApart(value);
  return isClose(product.coefficient, 0.044715) &&
         product.factors.size() == power &&
         llvm::all_of(product.factors, [&](Value f) { return f == x; });
}

/// Whether `value` is sqrt(2 / pi) * (x + 0.044715 x^3), or the same with x
/// taken out of the sum.
static bool isTanhArgument(Value value, Value x) {
  Product product = takeApart(value);
  if (!isClose(product.coefficient, std::sqrt(2 / M_PI)))
    return false;
  if (product.factors.size() == 1) {
    auto add = product.factors[0].getDefiningOp<arith::AddFOp>();
    return add && ((add.getLhs() == x && isCubicTerm(add.getRhs(), x, 3)) ||
                   (add.getRhs() == x && isCubicTerm(add.getLhs(), x, 3)));
  }
  if (product.factors.size() != 2)
    return false;
  for (unsigned i : {0, 1}) {
    Value rest;
    if (product.factors[i] == x && matchPlusOne(product.factors[1 - i], rest) &&
        isCubicTerm(rest, x, 2))
      return true;
  }
  return false;
}

/// Whether `value` is x * 0.5 * (1 + erf(x / sqrt(2))) or its tanh form; gives
/// x and the form.
static bool matchGelu(Value value, Value &x, GeluApproximation &form) {
  if (!value.getDefiningOp<arith::MulFOp>() &&
      !value.getDefiningOp<arith::DivFOp>())
    return false;
  Product product = takeApart(value);
  if (product.factors.size() != 2 || !isClose(product.coefficient, 0.5))
    return false;
  for (unsigned i : {0, 1}) {
    x = product.factors[i];
    Value inner;
    if (!matchPlusOne(product.factors[1 - i], inner))
      continue;
    if (auto erf = inner.getDefiningOp<math::ErfOp>()) {
      Product argument = takeApart(erf.getOperand());
      form = GeluApproximation::none;
      if (argument.factors.size() == 1 && argument.factors[0] == x &&
          isClose(argument.coefficient, std::sqrt(0.5)))
        return true;
    }
    if (auto tanh = inner.getDefiningOp<math::TanhOp>()) {
      form = GeluApproximation::tanh;
      if (isTanhArgument(tanh.getOperand(), x))
        return true;
    }
  }
  return false;
}

namespace {
struct RecognizeGelu final : heddle::impl::RecognizeGeluBase<RecognizeGelu> {
  using Base::Base;
  void runOnOperation() override;
};
} // namespace

void RecognizeGelu::runOnOperation() {
  auto options = remark::RemarkOpts::name("recognize-gelu")
                     .category("heddle-recognize-gelu")
                     .function(getOperation().getSymName());
  IRRewriter rewriter(&getContext());
  SmallVector<Operation *> products;
  getOperation().walk([&](linalg::GenericOp generic) {
    for (Operation &op : *generic.getBody())
      if (isa<arith::MulFOp, arith::DivFOp>(op))
        products.push_back(&op);
  });
  // The last product is the whole of the formula: from the end.
  for (Operation *op : llvm::reverse(products)) {
    Value x;
    GeluApproximation form;
    if (!matchGelu(op->getResult(0), x, form))
      continue;
    rewriter.setInsertionPoint(op);
    auto gelu = GeluOp::create(rewriter, op->getLoc(), x, form);
    rewriter.replaceAllUsesWith(op->getResult(0), gelu.getResult());
    remark::passed(op->getLoc(), options)
        << ("GELU, approximate = " + stringifyGeluApproximation(form)).str();
  }
  // What the formula was made of has no reader now.
  getOperation().walk([&](linalg::GenericOp generic) {
    for (Operation &op :
         llvm::make_early_inc_range(llvm::reverse(*generic.getBody())))
      if (isOpTriviallyDead(&op))
        rewriter.eraseOp(&op);
  });
}
