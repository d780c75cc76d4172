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

#include "codegen/cpu/AttentionKernel.h"
#include "codegen/cpu/MicroKernel.h"
#include "codegen/cpu/Transpose.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace mlir;
using namespace heddle;

/// Vectors of queries per block.
static constexpr int64_t kQueryVectors = 2;
/// Rows of a block's scores that a loop takes at once, each with a maximum or
/// sum of its own: one alone would wait for the one before.
static constexpr int64_t kChains = 4;

namespace {

/// Builds the loops for any number of queries.
class AttentionBuilder {
public:
  explicit AttentionBuilder(AttentionKernel &attention)
      : a(attention), b(attention.b), width(attention.width),
        blockQueries(kQueryVectors * width) {}

  void build();

private:
  /// A vector of queries' maxima or sums, one per query vector.
  using Vectors = SmallVector<Value>;
  /// What is known of the queries after some blocks of a.keys.
  struct Running {
    Vectors maxima, sums;
  };

  void buildQueryBlock(Value item);
  void loadQueries();
  void storeResults(const Vectors &sums);
  Running addKeys(const Running &before, Value firstKey, Value count);
  void buildScores(Value firstKey, Value count);
  Vectors adjustAndFindMaxima(Value firstKey, Value count,
                              const Vectors &maxima);
  Value adjust(Value score, Value key, int64_t vector);
  Value hideFuture(Value score, Value key, int64_t vector);
  Vectors exponentiate(Value count, const Vectors &maxima);
  void rescaleResults(const Vectors &factors);
  void addValues(Value firstKey, Value count);
  Vectors reduceRows(Value count, const Vectors &initial,
                     function_ref<Value(Value row, int64_t vector, Value)> step,
                     function_ref<Value(Value, Value)> combine);

  Vectors splat(float value) { return Vectors(kQueryVectors, a.splat(value)); }
  Value lastKey();
  Value loadRow(Value memref, Value row, int64_t vector);
  void storeRow(Value value, Value memref, Value row, int64_t vector);

  AttentionKernel &a;
  ImplicitLocOpBuilder &b;
  int64_t width, blockQueries;
  MicroKernel tile;
  Value queryBlocks;
  /// Scratch memory: queries, scores and results, a column per query.
  Value queryBlock, scores, results;
  /// The block that is being built.
  Value batch, head, firstQuery, queryCount;
  Value queryRows, keyRows, valueRows, resultRows;
};

} // namespace

//===----------------------------------------------------------------------===//
// Vectors of queries
//===----------------------------------------------------------------------===//

Value AttentionBuilder::loadRow(Value memref, Value row, int64_t vector) {
  return vector::LoadOp::create(
      b, a.vectorType, memref,
      ValueRange{row, indexConstant(b, vector * width)});
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

/// Transposes the queries of the block into scratch memory, times the scale.
/// Lanes behind the last query are zero.
void AttentionBuilder::loadQueries() {
  Value factor = a.splat(a.queryScale());
  Value nothing = a.splat(0.0f);
  for (int64_t first = 0; first < a.queryFeatures; first += width) {
    int64_t features = std::min(width, a.queryFeatures - first);
    for (int64_t vector = 0; vector < kQueryVectors; ++vector) {
      Vectors rows;
      for (int64_t lane = 0; lane < width; ++lane) {
        Value query = indexConstant(b, vector * width + lane);
        Value exists = arith::CmpIOp::create(b, arith::CmpIPredicate::ult,
                                             query, queryCount);
        Value wanted = arith::SelectOp::create(
            b, exists, indexConstant(b, features), indexConstant(b, 0));
        Value row = vector::MaskedLoadOp::create(
            b, a.vectorType, queryRows,
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
  for (int64_t vector = 0; vector < kQueryVectors; ++vector) {
    Value inverse = a.invertSums(sums[vector]);
    for (int64_t first = 0; first < a.valueFeatures; first += width) {
      int64_t features = std::min(width, a.valueFeatures - first);
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

/// The products of the block's a.keys and queries.
void AttentionBuilder::buildScores(Value firstKey, Value count) {
  Value zero = indexConstant(b, 0);
  MicroKernel product = tile;
  product.unroll = a.queryFeatures % 2 == 0 ? 2 : 1;
  product.buildBlocks(b, {zero, count}, [&](Value row, Value rows) {
    MicroKernel::Operands operands;
    operands.lhs = keyRows;
    operands.firstRow = addIndex(b, firstKey, row);
    operands.rhs = queryBlock;
    operands.firstRhsRow = zero;
    operands.depth = {zero, indexConstant(b, a.queryFeatures)};
    operands.initial = splat(0.0f);
    operands.results = scores;
    operands.firstResultRow = row;
    product.build(b, operands, rows);
  });
}

/// The last key that query 0 of the block sees, as a signed number.
Value AttentionBuilder::lastKey() {
  Value last = firstQuery;
  if (a.op.getCausalOffset())
    last = addIndex(b, last, a.kernel.getScalar(a.op.getCausalOffset()));
  return last;
}

/// A score of -infinity for queries that do not see `key` yet.
Value AttentionBuilder::hideFuture(Value score, Value key, int64_t vector) {
  // A query in lane i sees a.keys up to lastKey + i.
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
  Value hidden = a.splat(-std::numeric_limits<float>::infinity());
  return arith::SelectOp::create(b, visible, score, hidden);
}

/// Cap, mask and causality of one vector of scores.
Value AttentionBuilder::adjust(Value score, Value key, int64_t vector) {
  Value first = indexConstant(b, vector * width);
  LaneBuilder lanes(
      b, width,
      buildMask(b, width, arith::SubIOp::create(b, queryCount, first)));
  score = a.capAndMask(lanes, score,
                       {Lanes::uniform(batch), Lanes::uniform(head),
                        Lanes::linear(addIndex(b, firstQuery, first)),
                        Lanes::uniform(key)});
  return a.op.getCausal() ? hideFuture(score, key, vector) : score;
}

/// The maxima of `maxima` and the block's scores, which are adjusted on the
/// way.
SmallVector<Value>
AttentionBuilder::adjustAndFindMaxima(Value firstKey, Value count,
                                      const Vectors &maxima) {
  bool isAdjusted = a.op.getSoftcap() || a.op.getMask() || a.op.getCausal();
  return reduceRows(
      count, maxima,
      [&](Value row, int64_t vector, Value before) {
        Value score = loadRow(scores, row, vector);
        if (isAdjusted) {
          score = adjust(score, addIndex(b, firstKey, row), vector);
          storeRow(score, scores, row, vector);
        }
        return a.maximum(before, score);
      },
      [&](Value x, Value y) { return a.maximum(x, y); });
}

/// Replaces the block's scores by their powers and returns the sums.
SmallVector<Value> AttentionBuilder::exponentiate(Value count,
                                                  const Vectors &maxima) {
  return reduceRows(
      count, splat(0.0f),
      [&](Value row, int64_t vector, Value before) -> Value {
        Value difference = arith::SubFOp::create(
            b, loadRow(scores, row, vector), maxima[vector]);
        Value value = a.power(difference);
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
  buildLoop(b, {indexConstant(b, 0), indexConstant(b, a.valueFeatures)},
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
  IndexRange features = {zero, indexConstant(b, a.valueFeatures)};
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

/// Takes `count` a.keys from `firstKey` on into account.
AttentionBuilder::Running
AttentionBuilder::addKeys(const Running &before, Value firstKey, Value count) {
  buildScores(firstKey, count);
  Running after;
  after.maxima = adjustAndFindMaxima(firstKey, count, before.maxima);
  Vectors references, factors;
  for (auto [old, maximum] : llvm::zip_equal(before.maxima, after.maxima)) {
    references.push_back(a.referenceOf(maximum));
    factors.push_back(
        a.power(arith::SubFOp::create(b, old, references.back())));
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
      delinearize(b, item, {a.batches, a.heads, queryBlocks});
  batch = place[0];
  head = place[1];
  Value keyHead = a.keyHeadOf(head);
  firstQuery = multiplyIndex(b, place[2], indexConstant(b, blockQueries));
  queryCount =
      arith::MinUIOp::create(b, arith::SubIOp::create(b, a.queries, firstQuery),
                             indexConstant(b, blockQueries));
  queryRows = a.slice(a.kernel.getArgument(a.op.getQuery()), batch, head);
  keyRows = a.slice(a.kernel.getArgument(a.op.getKey()), batch, keyHead);
  valueRows = a.slice(a.kernel.getArgument(a.op.getValue()), batch, keyHead);
  resultRows = a.slice(a.kernel.getOutput(0), batch, head);

  loadQueries();
  Value zero = indexConstant(b, 0);
  buildLoop(b, {zero, indexConstant(b, a.valueFeatures)}, indexConstant(b, 1),
            [&](Value feature) {
              for (auto [vector, value] : llvm::enumerate(splat(0.0f)))
                storeRow(value, results, feature, vector);
            });
  Value end = a.keys;
  if (a.op.getCausal()) {
    // No query of the block sees a key from here on.
    Value visible = addIndex(b, lastKey(), queryCount);
    visible = arith::MaxSIOp::create(b, visible, zero);
    end = arith::MinUIOp::create(b, a.keys, visible);
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

void AttentionBuilder::build() {
  tile.columns = blockQueries;
  tile.width = width;
  // With as many rows the sums and operands of a step fit the registers.
  tile.rows = a.kernel.getFacts().vectorRegisters / 4;
  queryBlocks = ceilDivIndex(b, a.queries, indexConstant(b, blockQueries));
  // Transposition writes and reads whole vectors of features.
  queryBlock =
      a.scratchView(llvm::alignTo(a.queryFeatures, width), blockQueries);
  results = a.scratchView(llvm::alignTo(a.valueFeatures, width), blockQueries);
  scores = a.scratchView(kBlockKeys, blockQueries);
  Value items = multiplySizes(b, {a.batches, a.heads, queryBlocks});
  buildLoop(b, splitWork(b, a.kernel, items), indexConstant(b, 1),
            [&](Value item) { buildQueryBlock(item); });
}

/// A decoder's graph is built for any number of queries and run with one: the
/// sizes decide, at the start of the kernel.
llvm::Error heddle::buildAttention(KernelFunction &kernel) {
  AttentionKernel attention(kernel);
  if (llvm::Error error = attention.collect())
    return error;
  attention.readSizes();
  int64_t queries = attention.op.getQuery().getType().getDimSize(2);
  auto buildMany = [&] { AttentionBuilder(attention).build(); };
  auto buildSingle = [&] { buildSingleQueryAttention(attention); };
  if (queries == 1) {
    buildSingle();
  } else if (ShapedType::isDynamic(queries)) {
    Value isSingle =
        arith::CmpIOp::create(attention.b, arith::CmpIPredicate::eq,
                              attention.queries, indexConstant(attention.b, 1));
    buildIf(attention.b, isSingle, buildSingle, buildMany);
  } else {
    buildMany();
  }
  return llvm::Error::success();
}
