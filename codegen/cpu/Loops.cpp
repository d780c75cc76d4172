//===- Loops.cpp - loops and shares of work of kernels --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Loops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace heddle;

//===----------------------------------------------------------------------===//
// Index arithmetic
//===----------------------------------------------------------------------===//

Value heddle::indexConstant(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

Value heddle::addIndex(ImplicitLocOpBuilder &b, Value x, Value y) {
  return arith::AddIOp::create(b, x, y);
}

Value heddle::addIndex(ImplicitLocOpBuilder &b, Value x, int64_t y) {
  return y == 0 ? x : addIndex(b, x, indexConstant(b, y));
}

Value heddle::multiplyIndex(ImplicitLocOpBuilder &b, Value x, Value y) {
  return arith::MulIOp::create(b, x, y);
}

Value heddle::ceilDivIndex(ImplicitLocOpBuilder &b, Value x, Value y) {
  Value slack = arith::SubIOp::create(b, y, indexConstant(b, 1));
  return arith::DivUIOp::create(b, addIndex(b, x, slack), y);
}

SmallVector<Value> heddle::delinearize(ImplicitLocOpBuilder &b, Value number,
                                       ArrayRef<Value> sizes) {
  SmallVector<Value> indices(sizes.size());
  for (size_t axis = sizes.size(); axis-- > 1;) {
    indices[axis] = arith::RemUIOp::create(b, number, sizes[axis]);
    number = arith::DivUIOp::create(b, number, sizes[axis]);
  }
  if (!sizes.empty())
    indices[0] = number;
  return indices;
}

SmallVector<Value> heddle::getSizes(ImplicitLocOpBuilder &b, Value memref) {
  SmallVector<Value> sizes;
  for (int64_t axis : llvm::seq(cast<MemRefType>(memref.getType()).getRank()))
    sizes.push_back(b.createOrFold<memref::DimOp>(memref, axis));
  return sizes;
}

Value heddle::multiplySizes(ImplicitLocOpBuilder &b, ArrayRef<Value> sizes) {
  Value product = indexConstant(b, 1);
  for (Value size : sizes)
    product = multiplyIndex(b, product, size);
  return product;
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

void heddle::buildLoop(ImplicitLocOpBuilder &b, IndexRange range, Value step,
                       function_ref<void(Value)> body) {
  auto loop = scf::ForOp::create(b, range.begin, range.end, step);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

SmallVector<Value>
heddle::buildLoop(ImplicitLocOpBuilder &b, IndexRange range, Value step,
                  ValueRange initial,
                  function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(b, range.begin, range.end, step, initial);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(b,
                       body(loop.getInductionVar(), loop.getRegionIterArgs()));
  return llvm::to_vector_of<Value>(loop.getResults());
}

void heddle::buildIf(ImplicitLocOpBuilder &b, Value condition,
                     function_ref<void()> then,
                     function_ref<void()> otherwise) {
  auto branch = scf::IfOp::create(b, condition,
                                  /*withElseRegion=*/bool(otherwise));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  then();
  if (!otherwise)
    return;
  b.setInsertionPointToStart(branch.elseBlock());
  otherwise();
}

//===----------------------------------------------------------------------===//
// Shares of work
//===----------------------------------------------------------------------===//

IndexRange heddle::splitWork(ImplicitLocOpBuilder &b, KernelFunction &kernel,
                             Value count) {
  Value worker = kernel.getWorker(), workers = kernel.getWorkers();
  auto share = [&](Value number) -> Value {
    return arith::DivUIOp::create(b, multiplyIndex(b, count, number), workers);
  };
  return {share(worker), share(addIndex(b, worker, 1))};
}

IndexRange heddle::splitWorkInBlocks(ImplicitLocOpBuilder &b,
                                     KernelFunction &kernel, Value count,
                                     int64_t block) {
  Value size = indexConstant(b, block);
  IndexRange blocks = splitWork(b, kernel, ceilDivIndex(b, count, size));
  auto limit = [&](Value number) -> Value {
    return arith::MinUIOp::create(b, multiplyIndex(b, number, size), count);
  };
  return {limit(blocks.begin), limit(blocks.end)};
}

void heddle::buildVectorLoop(ImplicitLocOpBuilder &b, IndexRange range,
                             int64_t width,
                             function_ref<void(LaneBuilder &, Value)> body) {
  Value step = indexConstant(b, width);
  Value length = arith::SubIOp::create(b, range.end, range.begin);
  Value rest = arith::RemUIOp::create(b, length, step);
  Value fullEnd = arith::SubIOp::create(b, range.end, rest);
  buildLoop(b, {range.begin, fullEnd}, step, [&](Value first) {
    LaneBuilder lanes(b, width);
    body(lanes, first);
  });
  Value isRest = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, rest,
                                       indexConstant(b, 0));
  buildIf(b, isRest, [&] {
    auto type = VectorType::get({width}, b.getI1Type());
    Value mask = vector::CreateMaskOp::create(b, type, rest);
    LaneBuilder lanes(b, width, mask);
    body(lanes, fullEnd);
  });
}
