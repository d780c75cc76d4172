//===- AttentionRules.cpp - attention in ONNX and in com.microsoft --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/shapes/ShapeRules.h"

using namespace mlir;
using namespace heddle;

/// An attribute that counts heads: at least 1.
static FailureOr<int64_t> headCount(RuleContext &node, StringRef name) {
  int64_t count = node.intAttr(name, 0);
  if (count < 1)
    return node.error() << "expects " << name << " to be positive, got "
                        << count;
  return count;
}

//===----------------------------------------------------------------------===//
// Attention of ai.onnx
//===----------------------------------------------------------------------===//

namespace {
/// Query, key or value as (batch, heads, length, head size).
struct Heads {
  SymExpr batch, heads, length, size;
};
} // namespace

/// Splits a tensor of rank 4, or of rank 3 with the heads in its last axis.
static FailureOr<Heads> splitHeads(RuleContext &node, const SymShape &shape,
                                   StringRef countName) {
  if (shape.size() == 4)
    return Heads{shape[0], shape[1], shape[2], shape[3]};
  if (shape.size() != 3)
    return node.error() << "expects query, key and value of rank 3 or 4, got "
                           "rank "
                        << shape.size();
  FailureOr<int64_t> count = headCount(node, countName);
  if (failed(count))
    return failure();
  SymExpr heads = node.constant(*count);
  return Heads{shape[0], heads, shape[1], floorDiv(shape[2], heads)};
}

/// Demands what the product of the heads takes for granted, the cache (`past`,
/// null if there is none) included.
static LogicalResult requireHeadsFit(RuleContext &node, const Heads &query,
                                     const Heads &key, const Heads &value) {
  std::tuple<SymExpr, SymExpr, StringRef> pairs[] = {
      {query.batch, key.batch, "the batches of query and key"},
      {query.batch, value.batch, "the batches of query and value"},
      {query.size, key.size, "the head sizes of query and key"},
      {key.heads, value.heads, "the heads of key and value"},
      {key.length, value.length, "the lengths of key and value"}};
  for (auto [lhs, rhs, what] : pairs)
    if (failed(node.unify(lhs, rhs, what)))
      return failure();
  if (failed(node.requireLessEqual(node.constant(1), key.heads,
                                   "key heads to be there")))
    return failure();
  SymExpr zero = node.constant(0);
  return success(succeeded(
      node.unify(mod(query.heads, key.heads), zero,
                 "the query heads left over by the key heads and 0")));
}

/// Demands that the cache has the sizes of what it is put before.
static LogicalResult requireCacheFits(RuleContext &node, unsigned index,
                                      const Heads &present) {
  const SymShape *past = node.shape(index);
  if (!past)
    return success();
  if (past->size() != 4)
    return node.error() << "expects past key and value of rank 4, got rank "
                        << past->size();
  if (failed(node.unify((*past)[0], present.batch,
                        "the batches of past and present")) ||
      failed(node.unify((*past)[1], present.heads,
                        "the heads of past and present")) ||
      failed(node.unify((*past)[3], present.size,
                        "the head sizes of past and present")))
    return failure();
  return success();
}

/// Demands that the mask broadcasts to the scores; it may have fewer keys.
static LogicalResult requireMaskFits(RuleContext &node, const Heads &query,
                                     SymExpr total) {
  const SymShape *mask = node.shape(3);
  if (!mask || mask->empty())
    return success();
  SymShape scores = {query.batch, query.heads, query.length, mask->back()};
  if (failed(node.requireBroadcastTo(*mask, scores,
                                     "the sizes of the mask and the scores")))
    return failure();
  return node.requireLessEqual(mask->back(), total,
                               "a mask of no more keys than there are");
}

LogicalResult heddle::inferAttention(RuleContext &node) {
  const SymShape *q = node.shape(0), *k = node.shape(1), *v = node.shape(2);
  if (!q || !k || !v)
    return node.setTypeOnly(node.elementType(0));
  FailureOr<Heads> query = splitHeads(node, *q, "q_num_heads");
  if (failed(query))
    return failure();
  FailureOr<Heads> key = splitHeads(node, *k, "kv_num_heads");
  if (failed(key))
    return failure();
  FailureOr<Heads> value = splitHeads(node, *v, "kv_num_heads");
  if (failed(value))
    return failure();
  if (failed(requireHeadsFit(node, *query, *key, *value)) ||
      failed(requireCacheFits(node, 4, *key)) ||
      failed(requireCacheFits(node, 5, *value)))
    return failure();
  SymExpr total = key->length;
  if (const SymShape *past = node.shape(4))
    total = total + (*past)[2];
  if (const SymShape *past = node.shape(4), *pastValue = node.shape(5);
      past && pastValue &&
      failed(node.unify((*past)[2], (*pastValue)[2],
                        "the lengths of past key and value")))
    return failure();
  if (failed(requireMaskFits(node, *query, total)))
    return failure();
  if (const SymShape *lengths = node.shape(6)) {
    if (lengths->size() != 1)
      return node.error() << "expects a list of key lengths, got rank "
                          << lengths->size();
    if (failed(node.unify(lengths->front(), query->batch,
                          "the number of key lengths and the batch")))
      return failure();
  }

  Type type = node.elementType(0);
  if (q->size() == 4)
    node.setResult(0, type,
                   {query->batch, query->heads, query->length, value->size});
  else
    node.setResult(0, type,
                   {query->batch, query->length, query->heads * value->size});
  node.setResult(1, node.elementType(1),
                 {key->batch, key->heads, total, key->size});
  node.setResult(2, node.elementType(2),
                 {value->batch, value->heads, total, value->size});
  node.setResult(3, type, {query->batch, query->heads, query->length, total});
  return success();
}

//===----------------------------------------------------------------------===//
// Attention of com.microsoft
//===----------------------------------------------------------------------===//

/// Sets the results of an attention that projects its input itself: the output
/// of `hidden` columns, and keys and values together in one tensor.
static LogicalResult setProjectedAttention(RuleContext &node, SymExpr hidden,
                                           unsigned pastIndex, Type type) {
  const SymShape &source = *node.shape(0);
  FailureOr<int64_t> heads = headCount(node, "num_heads");
  if (failed(heads))
    return failure();
  SymExpr total = source[1];
  if (const SymShape *past = node.shape(pastIndex); past && past->size() == 5)
    total = total + (*past)[3];
  SymExpr count = node.constant(*heads);
  node.setResult(0, type, {source[0], source[1], hidden});
  node.setResult(
      1, type,
      {node.constant(2), source[0], count, total, floorDiv(hidden, count)});
  return success();
}

LogicalResult heddle::inferContribAttention(RuleContext &node) {
  const SymShape *source = node.shape(0), *weight = node.shape(1);
  if (!source || source->size() != 3 || !weight || weight->size() != 2)
    return success();
  SymExpr hidden = floorDiv((*weight)[1], node.constant(3));
  if (auto sizes = node.intsAttr("qkv_hidden_sizes");
      sizes && sizes->size() == 3)
    hidden = node.constant((*sizes)[2]);
  return setProjectedAttention(node, hidden, 4, node.elementType(0));
}

LogicalResult heddle::inferQAttention(RuleContext &node) {
  const SymShape *source = node.shape(0), *weight = node.shape(1);
  if (!source || source->size() != 3 || !weight || weight->size() != 2)
    return success();
  return setProjectedAttention(node, floorDiv((*weight)[1], node.constant(3)),
                               8, node.elementType(3));
}

LogicalResult heddle::inferGroupQueryAttention(RuleContext &node) {
  const SymShape *query = node.shape(0), *pastKey = node.shape(3);
  if (!query || query->size() != 3)
    return success();
  FailureOr<int64_t> heads = headCount(node, "num_heads");
  if (failed(heads))
    return failure();
  FailureOr<int64_t> keyHeads = headCount(node, "kv_num_heads");
  if (failed(keyHeads))
    return failure();
  // Without key and value the query holds all three side by side.
  bool packed = !node.hasInput(1);
  SymExpr parts = node.constant(packed ? *heads + 2 * *keyHeads : *heads);
  SymExpr headSize = floorDiv((*query)[2], parts);
  SymExpr total = (*query)[1];
  if (pastKey && pastKey->size() == 4)
    total = node.intAttr("sliding_window_cache", 0) ? (*pastKey)[2]
                                                    : total + (*pastKey)[2];
  SymShape present = {(*query)[0], node.constant(*keyHeads), total, headSize};
  Type type = node.elementType(0);
  node.setResult(0, type,
                 {(*query)[0], (*query)[1], headSize * node.constant(*heads)});
  node.setResult(1, type, present);
  node.setResult(2, type, present);
  return success();
}
