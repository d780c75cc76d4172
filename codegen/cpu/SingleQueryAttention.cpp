//===- SingleQueryAttention.cpp - attention of one query per head ---------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A step of a decoder. Vectors lie along the features: a score is the product
// of the query, which stays in registers, and a row of the keys, and the result
// is the sum of rows of the values. Every row is read once, whole. The softmax
// is the running one of the kernel for many queries, along the keys of a block.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/AttentionKernel.h"
#include "codegen/cpu/RowReduction.h"
#include "codegen/cpu/Transpose.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace mlir;
using namespace heddle;

/// Vectors of the result that stay in registers while the values are read.
static constexpr int64_t kResultVectors = 8;
/// Keys whose products are under way at once.
static constexpr int64_t kKeys = 4;

namespace {

class SingleQueryBuilder {
public:
  explicit SingleQueryBuilder(AttentionKernel &attention)
      : a(attention), b(attention.b), width(attention.width) {}

  void build();

private:
  /// Maximum and sum of the scores so far.
  struct Running {
    Value maximum, sum;
  };

  void buildHead(Value item);
  Value visibleKeys();
  SmallVector<Value> loadQuery();
  Running addKeys(const Running &before, Value firstKey, Value count);
  void buildScores(Value firstKey, Value count);
  Value findMaximum(Value firstKey, Value count);
  Value exponentiate(Value count, Value reference);
  void addValues(Value firstKey, Value count, Value factor);
  void storeResult(Value sum);

  Value loadFeatures(Value memref, Value row, int64_t first, int64_t size);
  Value readScores(LaneBuilder &lanes, Value key);
  void writeScores(LaneBuilder &lanes, Value key, Value value);
  Value scalar(float value);
  Value broadcast(Value value);

  AttentionKernel &a;
  ImplicitLocOpBuilder &b;
  int64_t width;
  /// Scratch memory: one row of scores and one of results.
  Value scores, result;
  /// The head that is being built.
  Value batch, head, queryRows, keyRows, valueRows, resultRows;
  SmallVector<Value> query;
};

} // namespace

Value SingleQueryBuilder::scalar(float value) {
  return arith::ConstantOp::create(b, b.getF32FloatAttr(value));
}

Value SingleQueryBuilder::broadcast(Value value) {
  return vector::BroadcastOp::create(b, a.vectorType, value);
}

/// Features `first` to first + width of a row of `size`, zero behind the last.
Value SingleQueryBuilder::loadFeatures(Value memref, Value row, int64_t first,
                                       int64_t size) {
  SmallVector<Value> at = {row, indexConstant(b, first)};
  if (first + width <= size)
    return vector::LoadOp::create(b, a.vectorType, memref, at);
  Value mask = buildMask(b, width, indexConstant(b, size - first));
  return vector::MaskedLoadOp::create(b, a.vectorType, memref, at, mask,
                                      a.splat(0.0f));
}

Value SingleQueryBuilder::readScores(LaneBuilder &lanes, Value key) {
  Lanes value = lanes.read(
      scores, {Lanes::uniform(indexConstant(b, 0)), Lanes::linear(key)},
      b.getF32Type(), /*unitInner=*/true);
  return lanes.toVector(value);
}

void SingleQueryBuilder::writeScores(LaneBuilder &lanes, Value key,
                                     Value value) {
  lanes.write(Lanes::varying(value), scores,
              {Lanes::uniform(indexConstant(b, 0)), Lanes::linear(key)},
              /*unitInner=*/true);
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// The query in registers, times the scale.
SmallVector<Value> SingleQueryBuilder::loadQuery() {
  Value factor = a.splat(a.queryScale());
  SmallVector<Value> vectors;
  for (int64_t first = 0; first < a.queryFeatures; first += width) {
    Value part =
        loadFeatures(queryRows, indexConstant(b, 0), first, a.queryFeatures);
    vectors.push_back(arith::MulFOp::create(b, part, factor));
  }
  return vectors;
}

/// The products of the query and the block's keys.
void SingleQueryBuilder::buildScores(Value firstKey, Value count) {
  Value zero = indexConstant(b, 0);
  auto product = [&](Value number) {
    Value row = addIndex(b, firstKey, number);
    Value sum;
    for (auto [i, part] : llvm::enumerate(query)) {
      Value key = loadFeatures(keyRows, row, i * width, a.queryFeatures);
      sum = sum ? vector::FMAOp::create(b, part, key, sum).getResult()
                : arith::MulFOp::create(b, part, key).getResult();
    }
    Value score = vector::ReductionOp::create(
        b, vector::CombiningKind::ADD, sum, arith::FastMathFlags::reassoc);
    memref::StoreOp::create(b, score, scores, ValueRange{zero, number});
  };
  Value step = indexConstant(b, kKeys);
  Value rest = arith::RemUIOp::create(b, count, step);
  Value whole = arith::SubIOp::create(b, count, rest);
  buildLoop(b, {zero, whole}, step, [&](Value number) {
    for (int64_t i = 0; i < kKeys; ++i)
      product(addIndex(b, number, i));
  });
  buildLoop(b, {whole, count}, indexConstant(b, 1), product);
}

/// The greatest of the block's scores, which are capped and masked on the way.
Value SingleQueryBuilder::findMaximum(Value firstKey, Value count) {
  bool isAdjusted = a.op.getSoftcap() || a.op.getMask();
  RowReduction greatest(arith::AtomicRMWKind::maximumf, b.getF32Type());
  return reduceRow(b, {greatest}, {indexConstant(b, 0), count}, width,
                   [&](LaneBuilder &lanes, Value key) {
                     Value score = readScores(lanes, key);
                     if (isAdjusted) {
                       score = a.capAndMask(
                           lanes, score,
                           {Lanes::uniform(batch), Lanes::uniform(head),
                            Lanes::uniform(indexConstant(b, 0)),
                            Lanes::linear(addIndex(b, firstKey, key))});
                       writeScores(lanes, key, score);
                     }
                     return SmallVector<Value>{score};
                   })
      .front();
}

/// Replaces the block's scores by their powers and returns the sum.
Value SingleQueryBuilder::exponentiate(Value count, Value reference) {
  RowReduction sum(arith::AtomicRMWKind::addf, b.getF32Type());
  return reduceRow(b, {sum}, {indexConstant(b, 0), count}, width,
                   [&](LaneBuilder &lanes, Value key) {
                     Value value = a.power(arith::SubFOp::create(
                         b, readScores(lanes, key), reference));
                     writeScores(lanes, key, value);
                     return SmallVector<Value>{value};
                   })
      .front();
}

//===----------------------------------------------------------------------===//
// The result
//===----------------------------------------------------------------------===//

/// The result times `factor` plus the block's values, weighted by the powers.
void SingleQueryBuilder::addValues(Value firstKey, Value count, Value factor) {
  Value zero = indexConstant(b, 0);
  for (int64_t begin = 0; begin < a.valueFeatures;
       begin += kResultVectors * width) {
    int64_t end = std::min(begin + kResultVectors * width, a.valueFeatures);
    SmallVector<Value> sums;
    for (int64_t first = begin; first < end; first += width) {
      Value old = vector::LoadOp::create(
          b, a.vectorType, result, ValueRange{zero, indexConstant(b, first)});
      sums.push_back(arith::MulFOp::create(b, old, factor));
    }
    sums = buildLoop(b, {zero, count}, indexConstant(b, 1), sums,
                     [&](Value number, ValueRange carried) {
                       Value weight = broadcast(memref::LoadOp::create(
                           b, scores, ValueRange{zero, number}));
                       Value row = addIndex(b, firstKey, number);
                       SmallVector<Value> next;
                       for (auto [i, sum] : llvm::enumerate(carried))
                         next.push_back(vector::FMAOp::create(
                             b, weight,
                             loadFeatures(valueRows, row, begin + i * width,
                                          a.valueFeatures),
                             sum));
                       return next;
                     });
    for (auto [i, sum] : llvm::enumerate(sums))
      vector::StoreOp::create(
          b, sum, result,
          ValueRange{zero, indexConstant(b, begin + i * width)});
  }
}

void SingleQueryBuilder::storeResult(Value sum) {
  Value zero = indexConstant(b, 0);
  Value inverse = a.invertSums(broadcast(sum));
  for (int64_t first = 0; first < a.valueFeatures; first += width) {
    SmallVector<Value> at = {zero, indexConstant(b, first)};
    Value part = vector::LoadOp::create(b, a.vectorType, result, at);
    part = arith::MulFOp::create(b, part, inverse);
    int64_t left = std::min(width, a.valueFeatures - first);
    vector::MaskedStoreOp::create(
        b, resultRows, at, buildMask(b, width, indexConstant(b, left)), part);
  }
}

/// Takes `count` keys from `firstKey` on into account.
SingleQueryBuilder::Running SingleQueryBuilder::addKeys(const Running &before,
                                                        Value firstKey,
                                                        Value count) {
  buildScores(firstKey, count);
  Running after;
  after.maximum = a.maximum(before.maximum, findMaximum(firstKey, count));
  Value reference = a.referenceOf(broadcast(after.maximum));
  Value factor =
      a.power(arith::SubFOp::create(b, broadcast(before.maximum), reference));
  Value sum = exponentiate(count, reference);
  Value scaled = arith::MulFOp::create(b, before.sum,
                                       vector::ExtractOp::create(b, factor, 0));
  after.sum = arith::AddFOp::create(b, scaled, sum);
  addValues(firstKey, count, factor);
  return after;
}

/// The number of keys that the query sees, by causality alone.
Value SingleQueryBuilder::visibleKeys() {
  if (!a.op.getCausal())
    return a.keys;
  Value visible = indexConstant(b, 1);
  if (Value offset = a.op.getCausalOffset())
    visible = addIndex(b, visible, a.kernel.getScalar(offset));
  visible = arith::MaxSIOp::create(b, visible, indexConstant(b, 0));
  return arith::MinUIOp::create(b, a.keys, visible);
}

void SingleQueryBuilder::buildHead(Value item) {
  SmallVector<Value> place = delinearize(b, item, {a.batches, a.heads});
  batch = place[0];
  head = place[1];
  Value keyHead = a.keyHeadOf(head);
  queryRows = a.slice(a.kernel.getArgument(a.op.getQuery()), batch, head);
  keyRows = a.slice(a.kernel.getArgument(a.op.getKey()), batch, keyHead);
  valueRows = a.slice(a.kernel.getArgument(a.op.getValue()), batch, keyHead);
  resultRows = a.slice(a.kernel.getOutput(0), batch, head);
  query = loadQuery();
  Value zero = indexConstant(b, 0);
  for (int64_t first = 0; first < a.valueFeatures; first += width)
    vector::StoreOp::create(b, a.splat(0.0f), result,
                            ValueRange{zero, indexConstant(b, first)});
  Value end = visibleKeys(), step = indexConstant(b, kBlockKeys);
  SmallVector<Value> last = buildLoop(
      b, {zero, end}, step,
      ValueRange{scalar(-std::numeric_limits<float>::infinity()), scalar(0.0f)},
      [&](Value firstKey, ValueRange carried) {
        Value count = arith::MinUIOp::create(
            b, arith::SubIOp::create(b, end, firstKey), step);
        Running after = addKeys({carried[0], carried[1]}, firstKey, count);
        return SmallVector<Value>{after.maximum, after.sum};
      });
  storeResult(last[1]);
}

void SingleQueryBuilder::build() {
  scores = a.scratchView(1, kBlockKeys);
  result = a.scratchView(1, llvm::alignTo(a.valueFeatures, width));
  Value items = multiplySizes(b, {a.batches, a.heads});
  buildLoop(b, splitWork(b, a.kernel, items), indexConstant(b, 1),
            [&](Value item) { buildHead(item); });
}

void heddle::buildSingleQueryAttention(AttentionKernel &attention) {
  SingleQueryBuilder(attention).build();
}
