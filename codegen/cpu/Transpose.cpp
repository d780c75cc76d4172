//===- Transpose.cpp - square blocks across memory ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Transpose.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace heddle;

// Halves, quarters and so on of the block change places across the diagonal:
// log2(n) rounds of n two-operand shuffles.
SmallVector<Value> heddle::transposeVectors(ImplicitLocOpBuilder &b,
                                            ArrayRef<Value> rows) {
  SmallVector<Value> vectors(rows);
  int64_t size = vectors.size();
  for (int64_t distance = size / 2; distance > 0; distance /= 2) {
    SmallVector<int64_t> upper, lower;
    for (int64_t lane = 0; lane < size; ++lane) {
      bool isSecond = lane & distance;
      upper.push_back(isSecond ? size + lane - distance : lane);
      lower.push_back(isSecond ? size + lane : lane + distance);
    }
    for (int64_t row = 0; row < size; ++row) {
      if (row & distance)
        continue;
      Value first = vectors[row], second = vectors[row + distance];
      vectors[row] = vector::ShuffleOp::create(b, first, second, upper);
      vectors[row + distance] =
          vector::ShuffleOp::create(b, first, second, lower);
    }
  }
  return vectors;
}

Value heddle::buildMask(ImplicitLocOpBuilder &b, int64_t width, Value count) {
  Value zero = arith::ConstantIndexOp::create(b, 0);
  return vector::CreateMaskOp::create(
      b, VectorType::get({width}, b.getI1Type()),
      ValueRange{arith::MaxSIOp::create(b, count, zero)});
}
