//===- Attention.cpp - the attention kernel family ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Softmax with a running maximum and sum (Milakov and Gimelshein, arXiv
// 1805.02867), block by block of the keys as in FlashAttention (Dao et al.,
// arXiv 2205.14135). Queries lie in vector lanes:
//
//   S^T[key][query] = K[key][feature] * Q^T[feature][query]
//   O^T[feature][query] += V^T[feature][key] * P^T[key][query]
//
// so that both products read K and V in place, element by element, and the
// softmax needs no reduction across lanes. Only a block of queries and its
// result are transposed.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/KernelFunction.h"
#include "codegen/cpu/Loops.h"
#include "codegen/cpu/MicroKernel.h"
#include "codegen/cpu/Transpose.h"
#include "codegen/cpu/VectorMath.h"
#include "passes/transforms/LinalgNest.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include "llvm/Support/MathExtras.h"

#include <limits>
#include <numbers>

using namespace mlir;
using namespace heddle;

/// Keys per block: their scores stay in half of a first-level cache.
static constexpr int64_t kBlockKeys = 128;
/// Vectors of queries per block.
static constexpr int64_t kQueryVectors = 2;
/// Rows of a block's scores that a loop takes at once, each with a maximum or
/// sum of its own: one alone would wait for the one before.
static constexpr int64_t kChains = 4;

namespace {

/// Builds the loops of one heddle.attention.
class AttentionBuilder {
public:
  explicit AttentionBuilder(KernelFunction &kernel)
      : kernel(kernel),
        b(kernel.getDef().getLoc(), kernel.getFunc().front().getTerminator()),
        math(b) {}

  llvm::Error build();

private:
  /// A vector of queries' maxima or sums, one per query vector.
  using Vectors = SmallVector<Value>;
  /// What is known of the queries after some blocks of keys.
  struct Running {
    Vectors maxima, sums;
  };

  llvm::Error collect();
  void readSizes();
  void buildQueryBlock(Value item);
  void loadQueries();
  void storeResults(const Vectors &sums);
  Running addKeys(const Running &before, Value firstKey, Value count);
  void buildScores(Value firstKey, Value count);
  Vectors adjustAndFindMaxima(Value firstKey, Value count,
                              const Vectors &maxima);
  Value adjust(Value score, Value key, int64_t vector);
  Value applyMask(Value score, Value key, int64_t vector);
  Vectors exponentiate(Value count, const Vectors &maxima);
  void rescaleResults(const Vectors &factors);
  void addValues(Value firstKey, Value count);
  Vectors reduceRows(Value count, const Vectors &initial,
                     function_ref<Value(Value row, int64_t vector, Value)> step,
                     function_ref<Value(Value, Value)> combine);

  Vectors splat(float value);
  Value power(Value difference);
  Value maximum(Value x, Value y);
  Value lastKey();
  Value slice(Value tensor, Value batch, Value head);
  Value loadRow(Value memref, Value row, int64_t vector);
  void storeRow(Value value, Value memref, Value row, int64_t vector);
  Value scratchView(int64_t rows);

  KernelFunction &kernel;
  ImplicitLocOpBuilder b;
  VectorMath math;
  AttentionOp op;

  int64_t width = 0, blockQueries = 0;
  int64_t queryFeatures = 0, valueFeatures = 0;
  MicroKernel tile;
  /// Scores are in units of log2(e), which then is in the queries' scale. With
  /// a mask or a cap they are not: the smallest f32 times log2(e) is -infinity.
  bool inBase2 = false;
  VectorType vectorType;

  Value batches, heads, keyHeads, queries, keys, queryBlocks;
  /// Scratch memory: queries, scores and results, a column per query.
  Value queryBlock, scores, results;
  /// The block that is being built.
  Value batch, head, keyHead, firstQuery, queryCount;
  Value queryRows, keyRows, valueRows, resultRows;
};

} // namespace

//===----------------------------------------------------------------------===//
// The form of the body
//===----------------------------------------------------------------------===//

llvm::Error AttentionBuilder::collect() {
  for (Operation &inner :
       kernel.getDef().getBody().front().without_terminator()) {
    if (auto attention = dyn_cast<AttentionOp>(inner)) {
      if (op)
        return unsupported("two attentions");
      op = attention;
    } else if (isa<DestinationStyleOpInterface>(inner)) {
      return unsupported("an op that is not attention");
    }
  }
  if (!op)
    return unsupported("a body without attention");
  if (!op.getInit().getType().getElementType().isF32())
    return unsupported("attention on other elements than f32");
  for (Value operand :
       {op.getQuery(), op.getKey(), op.getValue(), op.getMask()})
    if (operand && !isa<BlockArgument>(operand))
      return unsupported("attention to values that it computes");
  queryFeatures = op.getQuery().getType().getDimSize(3);
  valueFeatures = op.getValue().getType().getDimSize(3);
  if (ShapedType::isDynamic(queryFeatures) ||
      ShapedType::isDynamic(valueFeatures))
    return unsupported("attention with heads of dynamic size");
  if (op.getCausalOffset() && !kernel.getScalar(op.getCausalOffset()))
    return unsupported("attention with a causal offset that it computes");
  return llvm::Error::success();
}

Value AttentionBuilder::scratchView(int64_t rows) {
  int64_t bytes = rows * blockQueries * sizeof(float);
  auto type = MemRefType::get({rows, blockQueries}, b.getF32Type());
  return memref::ViewOp::create(b, type, kernel.getScratch(),
                                indexConstant(b, kernel.reserveScratch(bytes)),
                                ValueRange());
}

void AttentionBuilder::readSizes() {
  width = kernel.getFacts().lanes(32);
  vectorType = VectorType::get({width}, b.getF32Type());
  blockQueries = kQueryVectors * width;
  tile.columns = blockQueries;
  tile.width = width;
  // With as many rows the sums and operands of a step fit the registers.
  tile.rows = kernel.getFacts().vectorRegisters / 4;
  bool hasFloatMask =
      op.getMask() && isa<FloatType>(getElementTypeOrSelf(op.getMask()));
  inBase2 = !hasFloatMask && !op.getSoftcap();

  SmallVector<Value> querySizes =
      getSizes(b, kernel.getArgument(op.getQuery()));
  SmallVector<Value> keySizes = getSizes(b, kernel.getArgument(op.getKey()));
  batches = querySizes[0];
  heads = querySizes[1];
  queries = querySizes[2];
  keyHeads = keySizes[1];
  keys = keySizes[2];
  queryBlocks = ceilDivIndex(b, queries, indexConstant(b, blockQueries));
  // Transposition writes and reads whole vectors of features.
  queryBlock = scratchView(llvm::alignTo(queryFeatures, width));
  results = scratchView(llvm::alignTo(valueFeatures, width));
  scores = scratchView(kBlockKeys);
}

//===----------------------------------------------------------------------===//
// Vectors of queries
//===----------------------------------------------------------------------===//

SmallVector<Value> AttentionBuilder::splat(float value) {
  Value constant =
      arith::ConstantOp::create(b, DenseElementsAttr::get(vectorType, value));
  return Vectors(kQueryVectors, constant);
}

/// One instruction; of a NaN and a number either may be taken.
Value AttentionBuilder::maximum(Value x, Value y) {
  Value greater = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, x, y);
  return arith::SelectOp::create(b, greater, x, y);
}

/// e to the power of a difference of scores.
Value AttentionBuilder::power(Value difference) {
  if (!inBase2)
    difference = arith::MulFOp::create(
        b, difference, splat(std::numbers::log2e_v<float>).front());
  return math.exp2NonPositive(difference);
}

Value AttentionBuilder::loadRow(Value memref, Value row, int64_t vector) {
  return vector::LoadOp::create(
      b, vectorType, memref, ValueRange{row, indexConstant(b, vector * width)});
}

void AttentionBuilder::storeRow(Value value, Value memref, Value row,
                                int64_t vector) {
  vector::StoreOp::create(b, value, memref,
                          ValueRange{row, indexConstant(b, vector * width)});
}

/// Reduces `count` rows of scores, several at once. `step` gives the new value
/// of a reduction from a row and the old value; `combine` merges two.
SmallVector<Value>
AttentionBuilder::reduceRows(Value count, const Vectors &initial,
                             function_ref<Value(Value, int64_t, Value)> step,
                             function_ref<Value(Value, Value)> combine) {
  auto takeRow = [&](Value row, ValueRange chain) {
    Vectors next;
    for (auto [vector, value] : llvm::enumerate(chain))
      next.push_back(step(row, vector, value));
    return next;
  };
  Vectors chains;
  for (int64_t i = 0; i < kChains; ++i)
    llvm::append_range(chains, initial);
  Value stride = indexConstant(b, kChains);
  Value rest = arith::RemUIOp::create(b, count, stride);
  Value whole = arith::SubIOp::create(b, count, rest);
  chains = buildLoop(
      b, {indexConstant(b, 0), whole}, stride, chains,
      [&](Value row, ValueRange values) {
        Vectors next;
        for (int64_t i = 0; i < kChains; ++i)
          llvm::append_range(
              next, takeRow(addIndex(b, row, i),
                            values.slice(i * kQueryVectors, kQueryVectors)));
        return next;
      });
  Vectors first = buildLoop(
      b, {whole, count}, indexConstant(b, 1),
      ArrayRef(chains).take_front(kQueryVectors),
      [&](Value row, ValueRange values) { return takeRow(row, values); });
  for (int64_t i = kQueryVectors; i < kChains * kQueryVectors; ++i)
    first[i % kQueryVectors] = combine(first[i % kQueryVectors], chains[i]);
  return first;
}

//===----------------------------------------------------------------------===//
// Queries in, results out
//===----------------------------------------------------------------------===//

/// [size of axis 2, size of axis 3] of `tensor` at a batch and a head.
Value AttentionBuilder::slice(Value tensor, Value atBatch, Value atHead) {
  auto type = cast<MemRefType>(tensor.getType());
  SmallVector<OpFoldResult> sizes =
      memref::getMixedSizes(b, b.getLoc(), tensor);
  SmallVector<OpFoldResult> offsets = {atBatch, atHead, b.getIndexAttr(0),
                                       b.getIndexAttr(0)};
  sizes[0] = sizes[1] = b.getIndexAttr(1);
  SmallVector<OpFoldResult> strides(4, b.getIndexAttr(1));
  auto reduced = memref::SubViewOp::inferRankReducedResultType(
      type.getShape().drop_front(2), type, offsets, sizes, strides);
  return memref::SubViewOp::create(b, cast<MemRefType>(reduced), tensor,
                                   offsets, sizes, strides);
}

/// Transposes the queries of the block into scratch memory, times the scale.
/// Lanes behind the last query are zero.
void AttentionBuilder::loadQueries() {
  double scale = op.getScale().convertToFloat();
  Value factor = splat(inBase2 ? scale * std::numbers::log2e : scale).front();
  Value nothing = splat(0.0f).front();
  for (int64_t first = 0; first < queryFeatures; first += width) {
    int64_t features = std::min(width, queryFeatures - first);
    for (int64_t vector = 0; vector < kQueryVectors; ++vector) {
      Vectors rows;
      for (int64_t lane = 0; lane < width; ++lane) {
        Value query = indexConstant(b, vector * width + lane);
        Value exists = arith::CmpIOp::create(b, arith::CmpIPredicate::ult,
                                             query, queryCount);
        Value wanted = arith::SelectOp::create(
            b, exists, indexConstant(b, features), indexConstant(b, 0));
        Value row = vector::MaskedLoadOp::create(
            b, vectorType, queryRows,
            ValueRange{addIndex(b, firstQuery, query), indexConstant(b, first)},
            buildMask(b, width, wanted), nothing);
        rows.push_back(arith::MulFOp::create(b, row, factor));
      }
      for (auto [i, column] : llvm::enumerate(transposeVectors(b, rows)))
        storeRow(column, queryBlock, indexConstant(b, first + i), vector);
    }
  }
}

/// Divides the results by the sums and transposes them into the output.
void AttentionBuilder::storeResults(const Vectors &sums) {
  Value zero = splat(0.0f).front(), one = splat(1.0f).front();
  Value noKeys = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, keys,
                                       indexConstant(b, 0));
  for (int64_t vector = 0; vector < kQueryVectors; ++vector) {
    Value inverse = arith::DivFOp::create(b, one, sums[vector]);
    // A sum of zero comes from a row without any visible key.
    Value hidden =
        arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, sums[vector], zero);
    Value cleared = arith::SelectOp::create(b, hidden, zero, inverse);
    inverse = op.getZeroMaskedRows()
                  ? cleared
                  : arith::SelectOp::create(b, noKeys, cleared, inverse);
    for (int64_t first = 0; first < valueFeatures; first += width) {
      int64_t features = std::min(width, valueFeatures - first);
      Vectors rows;
      for (int64_t i = 0; i < width; ++i)
        rows.push_back(arith::MulFOp::create(
            b, loadRow(results, indexConstant(b, first + i), vector), inverse));
      for (auto [lane, column] : llvm::enumerate(transposeVectors(b, rows))) {
        Value query = indexConstant(b, vector * width + lane);
        Value exists = arith::CmpIOp::create(b, arith::CmpIPredicate::ult,
                                             query, queryCount);
        Value wanted = arith::SelectOp::create(
            b, exists, indexConstant(b, features), indexConstant(b, 0));
        vector::MaskedStoreOp::create(
            b, resultRows,
            ValueRange{addIndex(b, firstQuery, query), indexConstant(b, first)},
            buildMask(b, width, wanted), column);
      }
    }
  }
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// The products of the block's keys and queries.
void AttentionBuilder::buildScores(Value firstKey, Value count) {
  Value zero = indexConstant(b, 0);
  MicroKernel product = tile;
  product.unroll = queryFeatures % 2 == 0 ? 2 : 1;
  product.buildBlocks(b, {zero, count}, [&](Value row, Value rows) {
    MicroKernel::Operands operands;
    operands.lhs = keyRows;
    operands.firstRow = addIndex(b, firstKey, row);
    operands.rhs = queryBlock;
    operands.firstRhsRow = zero;
    operands.depth = {zero, indexConstant(b, queryFeatures)};
    operands.initial = splat(0.0f);
    operands.results = scores;
    operands.firstResultRow = row;
    product.build(b, operands, rows);
  });
}

/// The last key that query 0 of the block sees, as a signed number.
Value AttentionBuilder::lastKey() {
  Value last = firstQuery;
  if (op.getCausalOffset())
    last = addIndex(b, last, kernel.getScalar(op.getCausalOffset()));
  return last;
}

Value AttentionBuilder::applyMask(Value score, Value key, int64_t vector) {
  Value first = indexConstant(b, vector * width);
  LaneBuilder lanes(
      b, width,
      buildMask(b, width, arith::SubIOp::create(b, queryCount, first)));
  auto type = cast<RankedTensorType>(op.getMask().getType());
  SmallVector<Lanes> indices = {Lanes::uniform(batch), Lanes::uniform(head),
                                Lanes::linear(addIndex(b, firstQuery, first)),
                                Lanes::uniform(key)};
  for (auto [index, size] : llvm::zip_equal(indices, type.getShape()))
    if (size == 1)
      index = Lanes::uniform(indexConstant(b, 0));
  Value mask = lanes.toVector(lanes.read(kernel.getArgument(op.getMask()),
                                         indices, type.getElementType(),
                                         /*unitInner=*/false));
  if (isa<FloatType>(type.getElementType()))
    return arith::AddFOp::create(b, score,
                                 convertFloat(b, b.getLoc(), mask, vectorType));
  Value hidden = splat(-std::numeric_limits<float>::infinity()).front();
  return arith::SelectOp::create(b, mask, score, hidden);
}

/// Cap, mask and causality of one vector of scores.
Value AttentionBuilder::adjust(Value score, Value key, int64_t vector) {
  if (op.getSoftcap()) {
    Value cap = splat(op.getSoftcap()->convertToFloat()).front();
    Value ratio = arith::DivFOp::create(b, score, cap);
    score = arith::MulFOp::create(b, math.tanh(ratio), cap);
  }
  if (op.getMask())
    score = applyMask(score, key, vector);
  if (!op.getCausal())
    return score;
  // A query in lane i sees keys up to lastKey + i.
  Value distance = arith::SubIOp::create(b, key, lastKey());
  distance = addIndex(b, distance, -vector * width);
  auto integers = VectorType::get({width}, b.getI32Type());
  Value distances = vector::BroadcastOp::create(
      b, integers, arith::IndexCastOp::create(b, b.getI32Type(), distance));
  SmallVector<int32_t> numbers =
      llvm::to_vector(llvm::seq<int32_t>(0, static_cast<int32_t>(width)));
  Value lane = arith::ConstantOp::create(
      b, DenseElementsAttr::get(integers, ArrayRef<int32_t>(numbers)));
  Value visible =
      arith::CmpIOp::create(b, arith::CmpIPredicate::sle, distances, lane);
  Value hidden = splat(-std::numeric_limits<float>::infinity()).front();
  return arith::SelectOp::create(b, visible, score, hidden);
}

/// The maxima of `maxima` and the block's scores, which are adjusted on the
/// way.
SmallVector<Value>
AttentionBuilder::adjustAndFindMaxima(Value firstKey, Value count,
                                      const Vectors &maxima) {
  bool isAdjusted = op.getSoftcap() || op.getMask() || op.getCausal();
  return reduceRows(
      count, maxima,
      [&](Value row, int64_t vector, Value before) {
        Value score = loadRow(scores, row, vector);
        if (isAdjusted) {
          score = adjust(score, addIndex(b, firstKey, row), vector);
          storeRow(score, scores, row, vector);
        }
        return maximum(before, score);
      },
      [&](Value x, Value y) { return maximum(x, y); });
}

/// Replaces the block's scores by their powers and returns the sums.
SmallVector<Value> AttentionBuilder::exponentiate(Value count,
                                                  const Vectors &maxima) {
  return reduceRows(
      count, splat(0.0f),
      [&](Value row, int64_t vector, Value before) -> Value {
        Value difference = arith::SubFOp::create(
            b, loadRow(scores, row, vector), maxima[vector]);
        Value value = power(difference);
        storeRow(value, scores, row, vector);
        return arith::AddFOp::create(b, before, value);
      },
      [&](Value x, Value y) -> Value {
        return arith::AddFOp::create(b, x, y);
      });
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

void AttentionBuilder::rescaleResults(const Vectors &factors) {
  buildLoop(b, {indexConstant(b, 0), indexConstant(b, valueFeatures)},
            indexConstant(b, 1), [&](Value feature) {
              for (auto [vector, factor] : llvm::enumerate(factors))
                storeRow(arith::MulFOp::create(
                             b, loadRow(results, feature, vector), factor),
                         results, feature, vector);
            });
}

/// Adds the block's values, weighted by the powers, to the results.
void AttentionBuilder::addValues(Value firstKey, Value count) {
  Value zero = indexConstant(b, 0);
  IndexRange features = {zero, indexConstant(b, valueFeatures)};
  tile.buildBlocks(b, features, [&](Value feature, Value rows) {
    MicroKernel::Operands operands;
    operands.lhs = valueRows;
    operands.lhsTransposed = true;
    operands.firstRow = feature;
    operands.rhs = scores;
    operands.firstRhsRow = firstKey;
    operands.depth = {firstKey, addIndex(b, firstKey, count)};
    operands.results = results;
    operands.firstResultRow = feature;
    tile.build(b, operands, rows);
  });
}

/// Takes `count` keys from `firstKey` on into account.
AttentionBuilder::Running
AttentionBuilder::addKeys(const Running &before, Value firstKey, Value count) {
  buildScores(firstKey, count);
  Running after;
  after.maxima = adjustAndFindMaxima(firstKey, count, before.maxima);
  // Where no key is visible yet the maximum is -infinity, and the difference to
  // it no number: 0 in its place gives powers of 0.
  Value lowest = splat(-std::numeric_limits<float>::infinity()).front();
  Vectors references, factors;
  for (auto [old, maximum] : llvm::zip_equal(before.maxima, after.maxima)) {
    Value none =
        arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, maximum, lowest);
    references.push_back(
        arith::SelectOp::create(b, none, splat(0.0f).front(), maximum));
    factors.push_back(power(arith::SubFOp::create(b, old, references.back())));
  }
  Vectors sums = exponentiate(count, references);
  for (auto [i, sum] : llvm::enumerate(sums))
    after.sums.push_back(
        vector::FMAOp::create(b, before.sums[i], factors[i], sum));
  rescaleResults(factors);
  addValues(firstKey, count);
  return after;
}

/// One block of queries of one head. `item` numbers the blocks of all heads.
void AttentionBuilder::buildQueryBlock(Value item) {
  SmallVector<Value> place =
      delinearize(b, item, {batches, heads, queryBlocks});
  batch = place[0];
  head = place[1];
  Value group = arith::DivUIOp::create(b, heads, keyHeads);
  keyHead = arith::DivUIOp::create(b, head, group);
  firstQuery = multiplyIndex(b, place[2], indexConstant(b, blockQueries));
  queryCount =
      arith::MinUIOp::create(b, arith::SubIOp::create(b, queries, firstQuery),
                             indexConstant(b, blockQueries));
  queryRows = slice(kernel.getArgument(op.getQuery()), batch, head);
  keyRows = slice(kernel.getArgument(op.getKey()), batch, keyHead);
  valueRows = slice(kernel.getArgument(op.getValue()), batch, keyHead);
  resultRows = slice(kernel.getOutput(0), batch, head);

  loadQueries();
  Value zero = indexConstant(b, 0);
  buildLoop(b, {zero, indexConstant(b, valueFeatures)}, indexConstant(b, 1),
            [&](Value feature) {
              for (auto [vector, value] : llvm::enumerate(splat(0.0f)))
                storeRow(value, results, feature, vector);
            });
  Value end = keys;
  if (op.getCausal()) {
    // No query of the block sees a key from here on.
    Value visible = addIndex(b, lastKey(), queryCount);
    visible = arith::MaxSIOp::create(b, visible, zero);
    end = arith::MinUIOp::create(b, keys, visible);
  }
  Vectors initial = splat(-std::numeric_limits<float>::infinity());
  llvm::append_range(initial, splat(0.0f));
  Value step = indexConstant(b, kBlockKeys);
  Vectors last = buildLoop(
      b, {zero, end}, step, initial, [&](Value firstKey, ValueRange carried) {
        Running before = {llvm::to_vector(carried.take_front(kQueryVectors)),
                          llvm::to_vector(carried.drop_front(kQueryVectors))};
        Value count = arith::MinUIOp::create(
            b, arith::SubIOp::create(b, end, firstKey), step);
        Running after = addKeys(before, firstKey, count);
        llvm::append_range(after.maxima, after.sums);
        return after.maxima;
      });
  storeResults(Vectors(ArrayRef(last).drop_front(kQueryVectors)));
}

llvm::Error AttentionBuilder::build() {
  if (llvm::Error error = collect())
    return error;
  readSizes();
  Value items = multiplySizes(b, {batches, heads, queryBlocks});
  buildLoop(b, splitWork(b, kernel, items), indexConstant(b, 1),
            [&](Value item) { buildQueryBlock(item); });
  return llvm::Error::success();
}

llvm::Error heddle::buildAttention(KernelFunction &kernel) {
  return AttentionBuilder(kernel).build();
}
