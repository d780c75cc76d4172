//===- MicroKernel.cpp - a tile of a matrix product in registers ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/cpu/MicroKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace heddle;

Value MicroKernel::splat(ImplicitLocOpBuilder &b, float value) const {
  auto type = VectorType::get({width}, b.getF32Type());
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, value));
}

/// One step of the contracted axis: the new sums, row by row.
SmallVector<Value> MicroKernel::buildStep(ImplicitLocOpBuilder &b,
                                          const Operands &operands,
                                          ArrayRef<Value> rowIndices,
                                          Value step, ValueRange sums) const {
  auto type = VectorType::get({width}, b.getF32Type());
  Value rhsRow = arith::SubIOp::create(b, step, operands.firstRhsRow);
  SmallVector<Value> vectors;
  for (int64_t column = 0; column < columns; column += width) {
    SmallVector<Value> at(operands.rhsIndices);
    at.append({rhsRow, indexConstant(b, column)});
    vectors.push_back(vector::LoadOp::create(b, type, operands.rhs, at));
  }
  SmallVector<Value> next;
  for (Value row : rowIndices) {
    SmallVector<Value> at = {row, step};
    if (operands.lhsTransposed)
      std::swap(at[0], at[1]);
    Value element = memref::LoadOp::create(b, operands.lhs, at);
    Value factor = vector::BroadcastOp::create(b, type, element);
    for (Value vector : vectors)
      next.push_back(
          vector::FMAOp::create(b, factor, vector, sums[next.size()]));
  }
  return next;
}

void MicroKernel::buildTile(ImplicitLocOpBuilder &b, const Operands &operands,
                            int64_t height) const {
  auto type = VectorType::get({width}, b.getF32Type());
  SmallVector<Value> rowIndices, initial, resultRows;
  for (int64_t row : llvm::seq(height)) {
    rowIndices.push_back(addIndex(b, operands.firstRow, row));
    resultRows.push_back(addIndex(b, operands.firstResultRow, row));
    llvm::append_range(initial, operands.initial);
    for (int64_t column = 0; operands.initial.empty() && column < columns;
         column += width)
      initial.push_back(vector::LoadOp::create(
          b, type, operands.results,
          ValueRange{resultRows.back(), indexConstant(b, column)}));
  }
  SmallVector<Value> sums = buildLoop(
      b, operands.depth, indexConstant(b, unroll), initial,
      [&](Value step, ValueRange values) {
        SmallVector<Value> next = llvm::to_vector(values);
        for (int64_t i : llvm::seq(unroll))
          next = buildStep(b, operands, rowIndices, addIndex(b, step, i), next);
        return next;
      });
  int64_t perRow = columns / width;
  for (auto [i, sum] : llvm::enumerate(sums))
    vector::StoreOp::create(b, sum, operands.results,
                            ValueRange{resultRows[i / perRow],
                                       indexConstant(b, i % perRow * width)});
}

void MicroKernel::buildBlocks(ImplicitLocOpBuilder &b, IndexRange range,
                              function_ref<void(Value, Value)> body) const {
  Value count = arith::SubIOp::create(b, range.end, range.begin);
  Value blocks = ceilDivIndex(b, count, indexConstant(b, rows));
  Value one = indexConstant(b, 1);
  // Without rows there are no blocks, and nothing divides.
  Value divisor = arith::MaxUIOp::create(b, blocks, one);
  Value base = arith::DivUIOp::create(b, count, divisor);
  Value longer = arith::RemUIOp::create(b, count, divisor);
  buildLoop(b, {indexConstant(b, 0), blocks}, one, [&](Value block) {
    Value before = arith::MinUIOp::create(b, block, longer);
    Value first = addIndex(b, range.begin,
                           addIndex(b, multiplyIndex(b, block, base), before));
    Value isLonger =
        arith::CmpIOp::create(b, arith::CmpIPredicate::ult, block, longer);
    Value extra = arith::IndexCastUIOp::create(b, b.getIndexType(), isLonger);
    body(first, addIndex(b, base, extra));
  });
}

void MicroKernel::build(ImplicitLocOpBuilder &b, const Operands &operands,
                        Value count) const {
  SmallVector<int64_t> heights = llvm::to_vector(llvm::seq<int64_t>(1, rows));
  auto choice = scf::IndexSwitchOp::create(b, TypeRange(), count, heights,
                                           /*caseRegionsCount=*/rows - 1);
  OpBuilder::InsertionGuard guard(b);
  for (int64_t height = 1; height <= rows; ++height) {
    Region &region = height == rows ? choice.getDefaultRegion()
                                    : choice.getCaseRegions()[height - 1];
    b.createBlock(&region);
    buildTile(b, operands, height);
    scf::YieldOp::create(b);
  }
}
