//===- Gathers.cpp - Gather, GatherElements, GatherND ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/HeddleDialect.h"
#include "frontends/onnx/convert/Conversions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace heddle;

/// The current position along loops `first` .. `first + count - 1`.
static void appendLoops(ImplicitLocOpBuilder &b, int64_t first, int64_t count,
                        SmallVector<Value> &position) {
  for (int64_t i = 0; i < count; ++i)
    position.push_back(linalg::IndexOp::create(b, first + i));
}

//===----------------------------------------------------------------------===//
// Gather
//===----------------------------------------------------------------------===//

/// Where the one index of a Gather is known, and provably in range, the result
/// is a view of the data.
static std::optional<SymTensor> sliceAtKnownIndex(NodeConversion &node,
                                                  int64_t axis) {
  TensorBuilder &build = node.build;
  std::optional<ArrayRef<SymExpr>> indices = node.inputValues(1);
  if (!indices || indices->size() != 1)
    return std::nullopt;
  SymTensor data = node.input(0);
  SymExpr size = data.shape[axis];
  SymExpr index = indices->front();
  if (!build.context().provablyAtLeast(index, 0))
    index = index + size;
  if (!build.context().provablyAtLeast(index, 0) ||
      !build.context().provablyAtLeast(size - 1, index))
    return std::nullopt;
  SymTensor element = build.slice(data, axis, index, build.constant(1));
  return build.reshape(element, node.resultShape(0));
}

/// result[a.., i.., b..] = data[a.., indices[i..], b..]
LogicalResult heddle::convertGather(NodeConversion &node) {
  TensorBuilder &build = node.build;
  int64_t rank = node.inputShape(0).size();
  FailureOr<int64_t> axis = node.axisAttr("axis", 0, rank);
  if (failed(axis))
    return failure();
  if (std::optional<SymTensor> view = sliceAtKnownIndex(node, *axis)) {
    node.setResult(0, *view);
    return success();
  }
  SymTensor data = node.input(0);
  SymTensor indices = node.input(1);
  Value size = build.index(data.shape[*axis]);
  // The indices are read by the loops in the middle of the result's.
  SymShape aligned = indices.shape;
  aligned.append(rank - *axis - 1, build.constant(1));
  SymTensor result = build.map(
      node.resultShape(0), data.elementType(),
      {build.reshape(indices, aligned)},
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        SmallVector<Value> position;
        appendLoops(b, 0, *axis, position);
        position.push_back(
            CheckedIndexOp::create(b, x[0], size, node.describe()));
        appendLoops(b, *axis + indices.rank(), rank - *axis - 1, position);
        return tensor::ExtractOp::create(b, data.value, position);
      });
  node.setResult(0, result);
  return success();
}

/// result[p] = data[p with indices[p] at the axis]
LogicalResult heddle::convertGatherElements(NodeConversion &node) {
  TensorBuilder &build = node.build;
  SymTensor data = node.input(0);
  FailureOr<int64_t> axis = node.axisAttr("axis", 0, data.rank());
  if (failed(axis))
    return failure();
  Value size = build.index(data.shape[*axis]);
  SymTensor result =
      build.map(node.resultShape(0), data.elementType(), {node.input(1)},
                [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                  SmallVector<Value> position;
                  appendLoops(b, 0, data.rank(), position);
                  position[*axis] =
                      CheckedIndexOp::create(b, x[0], size, node.describe());
                  return tensor::ExtractOp::create(b, data.value, position);
                });
  node.setResult(0, result);
  return success();
}

//===----------------------------------------------------------------------===//
// GatherND
//===----------------------------------------------------------------------===//

/// result[a.., i.., b..] = data[a.., indices[a.., i.., :].., b..] with
/// `batch_dims` axes a and one index per element of the last axis of indices.
LogicalResult heddle::convertGatherND(NodeConversion &node) {
  TensorBuilder &build = node.build;
  SymTensor data = node.input(0);
  SymTensor indices = node.input(1);
  int64_t batch = node.intAttr("batch_dims", 0);
  std::optional<int64_t> depth;
  if (indices.rank() > 0)
    depth = indices.shape.back().constant();
  if (!depth || batch < 0 || batch >= indices.rank() ||
      batch + *depth > data.rank())
    // unreachable: the size of the result would not be known
    return node.emitError() << "expects indices whose last size is constant "
                               "and fits the data";
  SmallVector<Value> sizes;
  for (int64_t i = 0; i < *depth; ++i)
    sizes.push_back(build.index(data.shape[batch + i]));
  int64_t lookups = indices.rank() - 1;
  SymTensor result = build.map(
      node.resultShape(0), data.elementType(), {},
      [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
        SmallVector<Value> tuple, position;
        appendLoops(b, 0, lookups, tuple);
        appendLoops(b, 0, batch, position);
        tuple.push_back(nullptr);
        for (int64_t i = 0; i < *depth; ++i) {
          tuple.back() = arith::ConstantIndexOp::create(b, i);
          Value index = tensor::ExtractOp::create(b, indices.value, tuple);
          position.push_back(
              CheckedIndexOp::create(b, index, sizes[i], node.describe()));
        }
        appendLoops(b, lookups, data.rank() - batch - *depth, position);
        return tensor::ExtractOp::create(b, data.value, position);
      });
  node.setResult(0, result);
  return success();
}
