//===- Matmul.cpp - MatMul and Gemm ---------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/HeddleDialect.h"
#include "frontends/onnx/convert/Conversions.h"
#include "frontends/onnx/convert/Elementwise.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"

using namespace mlir;
using namespace heddle;

namespace {

/// A product of matrices over the last two axes of its operands.
struct Product {
  SymTensor lhs, rhs;
  Value bias;
  bool transposeRhs = false;

  SymExpr columns() const {
    return rhs.shape[rhs.rank() - (transposeRhs ? 2 : 1)];
  }
};

} // namespace

/// The product of integers, which heddle.contraction does not know. The sum
/// wraps around in the type of the operands. Operands have one rank, or rhs is
/// a matrix for all of lhs.
static SymTensor multiplyIntegers(TensorBuilder &build, const Product &product,
                                  ArrayRef<SymExpr> shape) {
  OpBuilder &builder = build.getBuilder();
  int64_t rank = shape.size();
  // Loops: those of the result, then the contracted axis.
  SmallVector<AffineExpr> lhs, rhs, result;
  for (int64_t i = 0; i < rank; ++i)
    result.push_back(builder.getAffineDimExpr(i));
  lhs.assign(result.begin(), result.end() - 1);
  lhs.push_back(builder.getAffineDimExpr(rank));
  if (product.rhs.rank() == rank)
    rhs.assign(result.begin(), result.end() - 2);
  rhs.push_back(builder.getAffineDimExpr(rank));
  rhs.push_back(builder.getAffineDimExpr(rank - 1));
  if (product.transposeRhs)
    std::swap(rhs[rhs.size() - 1], rhs[rhs.size() - 2]);
  SmallVector<AffineMap> maps =
      AffineMap::inferFromExprList({lhs, rhs, result}, builder.getContext());
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  loops.push_back(utils::IteratorType::reduction);
  SymTensor init =
      build.fill(shape, builder.getZeroAttr(product.lhs.elementType()));
  auto op = linalg::GenericOp::create(
      builder, build.getLoc(), init.value.getType(),
      ValueRange{product.lhs.value, product.rhs.value}, init.value, maps, loops,
      [](OpBuilder &nested, Location loc, ValueRange x) {
        ImplicitLocOpBuilder b(loc, nested);
        Value term = arith::MulIOp::create(b, x[0], x[1]);
        linalg::YieldOp::create(b, Value(arith::AddIOp::create(b, x[2], term)));
      });
  return {op.getResult(0), init.shape};
}

/// `product`, whose lhs has rank 2 or more and whose rhs is a matrix or has the
/// rank and the leading axes of lhs.
static SymTensor multiply(TensorBuilder &build, const Product &product) {
  SymShape shape = product.lhs.shape;
  shape.back() = product.columns();
  if (!isa<FloatType>(product.lhs.elementType()))
    return multiplyIntegers(build, product, shape);
  SymTensor init = build.empty(shape, product.lhs.elementType());
  auto op = ContractionOp::create(build.getBuilder(), build.getLoc(),
                                  init.value.getType(), product.lhs.value,
                                  product.rhs.value, product.bias, init.value,
                                  product.transposeRhs, /*panel=*/nullptr);
  return {op.getResult(), shape};
}

//===----------------------------------------------------------------------===//
// MatMul
//===----------------------------------------------------------------------===//

/// Where input `index` is a constant matrix, transposed by a node of its own,
/// that matrix: the product reads it transposed.
static Value transposedConstant(NodeConversion &node, unsigned index) {
  auto transpose = node.onnxInput(index).getDefiningOp<onnx::NodeOp>();
  if (!transpose || transpose.getOpType() != "Transpose" ||
      !transpose.getDomain().empty())
    return nullptr;
  Value matrix = transpose.getInputs()[0];
  if (!matrix.getDefiningOp<onnx::ConstantOp>() ||
      node.analysis().shapeOf(matrix).size() != 2)
    return nullptr;
  auto perm =
      dyn_cast_or_null<DenseI64ArrayAttr>(transpose.getNodeAttr("perm"));
  if (perm && perm.asArrayRef() != ArrayRef<int64_t>{1, 0})
    return nullptr;
  return matrix;
}

/// Gives both operands the same leading axes, unless rhs is a matrix and lhs
/// has all of them.
static void broadcastBatches(TensorBuilder &build, Product &product,
                             ArrayRef<SymExpr> batches) {
  auto expand = [&](SymTensor &operand) {
    ArrayRef<SymExpr> own = ArrayRef(operand.shape).drop_back(2);
    if (llvm::equal(own, batches, [&](SymExpr a, SymExpr b) {
          return build.context().provablyEqual(a, b);
        }))
      return;
    SymShape shape(batches);
    shape.append({operand.shape[operand.rank() - 2], operand.shape.back()});
    operand = build.broadcastTo(operand, shape);
  };
  expand(product.lhs);
  if (product.rhs.rank() > 2)
    expand(product.rhs);
}

LogicalResult heddle::convertMatMul(NodeConversion &node) {
  TensorBuilder &build = node.build;
  Product product;
  product.lhs = node.input(0);
  if (Value matrix = transposedConstant(node, 1)) {
    product.rhs = node.tensor(matrix);
    product.transposeRhs = true;
  } else {
    product.rhs = node.input(1);
  }
  if (product.lhs.rank() == 0 || product.rhs.rank() == 0)
    return node.emitError() << "expects operands of rank 1 or more, got a "
                               "scalar";
  // A vector is a row on the left and a column on the right; the result does
  // not have that axis.
  SymExpr one = build.constant(1);
  bool isRow = product.lhs.rank() == 1, isColumn = product.rhs.rank() == 1;
  if (isRow)
    product.lhs = build.reshape(product.lhs, {one, product.lhs.shape[0]});
  if (isColumn)
    product.rhs = build.reshape(product.rhs, {product.rhs.shape[0], one});
  ArrayRef<SymExpr> batches =
      node.resultShape(0).drop_back(2 - isRow - isColumn);
  broadcastBatches(build, product, batches);
  SymTensor result = multiply(build, product);
  node.setResult(0, build.reshape(result, node.resultShape(0)));
  return success();
}

//===----------------------------------------------------------------------===//
// Gemm
//===----------------------------------------------------------------------===//

/// Input 2 of a Gemm as the bias of a contraction with `columns` columns; null
/// where it is none.
static Value gemmBias(NodeConversion &node, SymExpr columns) {
  if (!node.hasInput(2) || node.floatAttr("alpha", 1) != 1 ||
      node.floatAttr("beta", 1) != 1 ||
      !isa<FloatType>(node.resultElementType(0)))
    return nullptr;
  ArrayRef<SymExpr> shape = node.inputShape(2);
  bool isRow =
      shape.size() == 1 || (shape.size() == 2 && shape.front().isConstant(1));
  SymContext &context = node.build.context();
  if (!isRow || !context.provablyEqual(shape.back(), columns))
    return nullptr;
  return node.build.reshape(node.input(2), {shape.back()}).value;
}

/// `factor * value`; integers are scaled in f64, as factors may be fractions.
static Value scaled(ImplicitLocOpBuilder &b, Value value, double factor,
                    bool isUnsigned) {
  if (factor == 1)
    return value;
  Type type = value.getType();
  Type wide = isa<FloatType>(type) ? type : Type(b.getF64Type());
  Value number = castScalar(b, value, isUnsigned, wide, false);
  Value constant = arith::ConstantOp::create(b, b.getFloatAttr(wide, factor));
  return castScalar(b, arith::MulFOp::create(b, number, constant), false, type,
                    isUnsigned);
}

/// alpha * product + beta * input 2
static SymTensor combine(NodeConversion &node, const SymTensor &product) {
  double alpha = node.floatAttr("alpha", 1), beta = node.floatAttr("beta", 1);
  bool isUnsigned = node.isUnsigned(0);
  SmallVector<ElementwiseOperand> operands{product};
  if (node.hasInput(2) && beta != 0)
    operands.push_back(node.operand(2));
  if (operands.size() == 1 && alpha == 1)
    return product;
  return node.build.map(product.shape, product.elementType(), operands,
                        [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                          Value result = scaled(b, x[0], alpha, isUnsigned);
                          if (x.size() == 1)
                            return result;
                          Value addend = scaled(b, x[1], beta, isUnsigned);
                          if (isa<FloatType>(result.getType()))
                            return arith::AddFOp::create(b, result, addend);
                          return arith::AddIOp::create(b, result, addend);
                        });
}

LogicalResult heddle::convertGemm(NodeConversion &node) {
  TensorBuilder &build = node.build;
  Product product;
  product.lhs = node.input(0);
  product.rhs = node.input(1);
  product.transposeRhs = node.intAttr("transB", 0) != 0;
  if (product.lhs.rank() != 2 || product.rhs.rank() != 2)
    // unreachable: the shape analysis has checked it
    return node.emitError()
           << "expects matrices, got operands of rank " << product.lhs.rank()
           << " and " << product.rhs.rank();
  if (node.intAttr("transA", 0) != 0)
    product.lhs = build.transpose(product.lhs, {1, 0});
  product.bias = gemmBias(node, product.columns());
  SymTensor result = multiply(build, product);
  if (!product.bias)
    result = combine(node, result);
  node.setResult(0, result);
  return success();
}
