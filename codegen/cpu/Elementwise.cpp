//===- Elementwise.cpp - the elementwise kernel family --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/cpu/BodyEvaluator.h"
#include "codegen/cpu/Loops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace heddle;

/// Elements per block when workers share one axis: some cache lines of any
/// type.
static constexpr int64_t kBlock = 256;

namespace {

/// Builds the loops of an elementwise kernel. The strides of its tensors are
/// known at run time only, so up to three versions are made: one loop over all
/// elements, rows of vectors, and gathers.
class ElementwiseBuilder {
public:
  explicit ElementwiseBuilder(KernelFunction &kernel);

  llvm::Error build();

private:
  llvm::Error collect();
  bool canBeFlat();
  Value isContiguous(Value memref);
  Value hasUnitInner(Value memref);
  Value allTensors(function_ref<Value(Value)> condition);
  void buildVersions();
  void buildRows(Access access);
  void buildFlat();
  void buildElements(LaneBuilder &lanes, Position position, Access access);

  KernelFunction &kernel;
  ImplicitLocOpBuilder b;
  SmallVector<linalg::GenericOp> ops;
  /// Why building failed; empty if it did not.
  std::string failure;
  unsigned rank = 0;
  int64_t width;
};

} // namespace

ElementwiseBuilder::ElementwiseBuilder(KernelFunction &kernel)
    : kernel(kernel),
      b(kernel.getDef().getLoc(), kernel.getFunc().front().getTerminator()),
      width(kernel.getFacts().lanes(32)) {}

/// Finds the ops of the body; they share one shape.
llvm::Error ElementwiseBuilder::collect() {
  for (Operation &op : kernel.getDef().getBody().front().without_terminator()) {
    if (isElementwise(&op))
      ops.push_back(cast<linalg::GenericOp>(op));
    else if (isa<linalg::LinalgOp>(op) && !isa<linalg::FillOp>(op))
      return unsupported("an op that is not elementwise");
  }
  if (ops.empty())
    return unsupported("a body without an elementwise op");
  rank = ops.front().getNumLoops();
  for (linalg::GenericOp op : ops)
    if (op.getNumLoops() != rank)
      return unsupported("elementwise ops of different ranks");
  return llvm::Error::success();
}

/// Whether elements can be numbered through: every tensor has the shape of the
/// result or one element, and no op asks for an index.
bool ElementwiseBuilder::canBeFlat() {
  return rank > 1 && llvm::all_of(ops, [](linalg::GenericOp op) {
           bool plainMaps =
               llvm::all_of(op.getIndexingMapsArray(), [](AffineMap map) {
                 return map.isIdentity() || map.getNumResults() == 0;
               });
           return plainMaps && op.getBody()->getOps<linalg::IndexOp>().empty();
         });
}

/// Computes whether the strides of `memref` are those of row-major order.
Value ElementwiseBuilder::isContiguous(Value memref) {
  auto metadata = memref::ExtractStridedMetadataOp::create(b, memref);
  SmallVector<Value> sizes = getSizes(b, memref);
  Value expected = indexConstant(b, 1), all;
  for (size_t axis = sizes.size(); axis-- > 0;) {
    Value equal = arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                                        metadata.getStrides()[axis], expected);
    all = all ? arith::AndIOp::create(b, all, equal).getResult() : equal;
    expected = multiplyIndex(b, expected, sizes[axis]);
  }
  return all;
}

Value ElementwiseBuilder::hasUnitInner(Value memref) {
  auto metadata = memref::ExtractStridedMetadataOp::create(b, memref);
  return arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                               metadata.getStrides().back(),
                               indexConstant(b, 1));
}

/// Computes whether `condition` holds for every tensor in memory whose strides
/// are not known to be row-major.
Value ElementwiseBuilder::allTensors(function_ref<Value(Value)> condition) {
  Value all = arith::ConstantIntOp::create(b, 1, 1);
  for (BlockArgument argument : kernel.getDef().getBody().getArguments()) {
    Value memref = kernel.getArgument(argument);
    auto type = dyn_cast<MemRefType>(memref.getType());
    if (type && !type.getLayout().isIdentity())
      all = arith::AndIOp::create(b, all, condition(memref));
  }
  return all;
}

/// Evaluates all ops at `position` and stores what the kernel yields.
void ElementwiseBuilder::buildElements(LaneBuilder &lanes, Position position,
                                       Access access) {
  BodyEvaluator evaluator(kernel, lanes, std::move(position), access);
  for (linalg::GenericOp op : ops)
    if (llvm::Error error = evaluator.evaluate(op)) {
      failure = llvm::toString(std::move(error));
      return;
    }
  evaluator.storeOutputs();
}

/// One loop over the numbers of all elements.
void ElementwiseBuilder::buildFlat() {
  Value count = multiplySizes(b, getSizes(b, kernel.getOutput(0)));
  IndexRange share = splitWorkInBlocks(b, kernel, count, kBlock);
  buildVectorLoop(b, share, width, [&](LaneBuilder &lanes, Value first) {
    buildElements(lanes, {{Lanes::linear(first)}, {}}, Access::Flat);
  });
}

/// A loop over rows around one over vectors. Workers share the rows, or the
/// elements of the only row.
void ElementwiseBuilder::buildRows(Access access) {
  SmallVector<Value> sizes = getSizes(b, kernel.getOutput(0));
  Value columns = sizes.pop_back_val();
  Value zero = indexConstant(b, 0);
  if (rank == 1) {
    IndexRange share = splitWorkInBlocks(b, kernel, columns, kBlock);
    buildVectorLoop(b, share, width, [&](LaneBuilder &lanes, Value first) {
      buildElements(lanes, {{Lanes::linear(first)}, {}}, access);
    });
    return;
  }
  IndexRange share = splitWork(b, kernel, multiplySizes(b, sizes));
  buildLoop(b, share, indexConstant(b, 1), [&](Value row) {
    Position position;
    for (Value index : delinearize(b, row, sizes))
      position.indices.push_back(Lanes::uniform(index));
    buildVectorLoop(b, {zero, columns}, width,
                    [&](LaneBuilder &lanes, Value first) {
                      Position here = position;
                      here.indices.push_back(Lanes::linear(first));
                      buildElements(lanes, here, access);
                    });
  });
}

void ElementwiseBuilder::buildVersions() {
  if (rank == 0) {
    Value first = arith::CmpIOp::create(
        b, arith::CmpIPredicate::eq, kernel.getWorker(), indexConstant(b, 0));
    LaneBuilder lanes(b, width);
    buildIf(b, first, [&] { buildElements(lanes, {}, Access::UnitInner); });
    return;
  }
  auto buildRowVersions = [&] {
    Value unit = allTensors([&](Value memref) { return hasUnitInner(memref); });
    buildIf(
        b, unit, [&] { buildRows(Access::UnitInner); },
        [&] { buildRows(Access::Strided); });
  };
  if (!canBeFlat()) {
    buildRowVersions();
    return;
  }
  Value flat = allTensors([&](Value memref) { return isContiguous(memref); });
  buildIf(b, flat, [&] { buildFlat(); }, buildRowVersions);
}

llvm::Error ElementwiseBuilder::build() {
  if (llvm::Error error = collect())
    return error;
  buildVersions();
  return failure.empty() ? llvm::Error::success() : unsupported(failure);
}

llvm::Error heddle::buildElementwise(KernelFunction &kernel) {
  return ElementwiseBuilder(kernel).build();
}
