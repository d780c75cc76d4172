//===- RowReduction.cpp - reductions along a row --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/cpu/RowReduction.h"

#include "codegen/cpu/Transpose.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace heddle;
using arith::AtomicRMWKind;

/// Vectors that are in flight at once: one would wait for the one before.
static constexpr int64_t kChains = 4;

//===----------------------------------------------------------------------===//
// Kinds
//===----------------------------------------------------------------------===//

static std::optional<AtomicRMWKind> kindOf(Operation *op) {
  using Kind = std::optional<AtomicRMWKind>;
  return llvm::TypeSwitch<Operation *, Kind>(op)
      .Case([](arith::AddFOp) { return AtomicRMWKind::addf; })
      .Case([](arith::MulFOp) { return AtomicRMWKind::mulf; })
      .Case([](arith::MaximumFOp) { return AtomicRMWKind::maximumf; })
      .Case([](arith::MinimumFOp) { return AtomicRMWKind::minimumf; })
      .Case([](arith::MaxNumFOp) { return AtomicRMWKind::maxnumf; })
      .Case([](arith::MinNumFOp) { return AtomicRMWKind::minnumf; })
      .Case([](arith::AddIOp) { return AtomicRMWKind::addi; })
      .Case([](arith::MulIOp) { return AtomicRMWKind::muli; })
      .Case([](arith::MaxSIOp) { return AtomicRMWKind::maxs; })
      .Case([](arith::MinSIOp) { return AtomicRMWKind::mins; })
      .Case([](arith::MaxUIOp) { return AtomicRMWKind::maxu; })
      .Case([](arith::MinUIOp) { return AtomicRMWKind::minu; })
      .Case([](arith::AndIOp) { return AtomicRMWKind::andi; })
      .Case([](arith::OrIOp) { return AtomicRMWKind::ori; })
      .Default([](Operation *) { return Kind(); });
}

static vector::CombiningKind lanesKind(AtomicRMWKind kind) {
  switch (kind) {
  case AtomicRMWKind::addf:
  case AtomicRMWKind::addi:
    return vector::CombiningKind::ADD;
  case AtomicRMWKind::mulf:
  case AtomicRMWKind::muli:
    return vector::CombiningKind::MUL;
  case AtomicRMWKind::maximumf:
    return vector::CombiningKind::MAXIMUMF;
  case AtomicRMWKind::minimumf:
    return vector::CombiningKind::MINIMUMF;
  case AtomicRMWKind::maxnumf:
    return vector::CombiningKind::MAXNUMF;
  case AtomicRMWKind::minnumf:
    return vector::CombiningKind::MINNUMF;
  case AtomicRMWKind::maxs:
    return vector::CombiningKind::MAXSI;
  case AtomicRMWKind::mins:
    return vector::CombiningKind::MINSI;
  case AtomicRMWKind::maxu:
    return vector::CombiningKind::MAXUI;
  case AtomicRMWKind::minu:
    return vector::CombiningKind::MINUI;
  case AtomicRMWKind::andi:
    return vector::CombiningKind::AND;
  case AtomicRMWKind::ori:
    return vector::CombiningKind::OR;
  default:
    llvm_unreachable("kindOf gives no other kind");
  }
}

Value RowReduction::combine(ImplicitLocOpBuilder &b, Value x, Value y) const {
  return arith::getReductionOp(kind, b, b.getLoc(), x, y);
}

Value RowReduction::combineLanes(ImplicitLocOpBuilder &b, Value vector) const {
  return vector::ReductionOp::create(b, lanesKind(kind), vector);
}

Value RowReduction::neutral(ImplicitLocOpBuilder &b, int64_t width) const {
  TypedAttr identity =
      arith::getIdentityValueAttr(kind, elementType, b, b.getLoc());
  auto type = VectorType::get({width}, elementType);
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, identity));
}

FailureOr<RowReduction> heddle::matchReduction(linalg::GenericOp op) {
  if (op.getNumReductionLoops() == 0 || op.getNumDpsInits() != 1)
    return failure();
  SmallVector<AffineExpr> kept;
  for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    if (kind == utils::IteratorType::parallel)
      kept.push_back(getAffineDimExpr(loop, op.getContext()));
  AffineMap expected =
      AffineMap::get(op.getNumLoops(), 0, kept, op.getContext());
  if (op.getMatchingIndexingMap(op.getDpsInitOperand(0)) != expected)
    return failure();
  BlockArgument sum = op.getRegionOutputArgs().front();
  Operation *combiner =
      op.getBlock()->getTerminator()->getOperand(0).getDefiningOp();
  if (!combiner || !sum.hasOneUse() || *sum.user_begin() != combiner ||
      combiner->getNumOperands() != 2)
    return failure();
  std::optional<AtomicRMWKind> kind = kindOf(combiner);
  if (!kind)
    return failure();
  Value term = combiner->getOperand(combiner->getOperand(0) == sum ? 1 : 0);
  return RowReduction(*kind, sum.getType(), combiner, term);
}

FailureOr<RowReduction> heddle::matchRowReduction(linalg::GenericOp op) {
  if (op.getNumReductionLoops() != 1 ||
      op.getIteratorTypesArray().back() != utils::IteratorType::reduction)
    return failure();
  return matchReduction(op);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// The sums after the elements from `column` on.
static SmallVector<Value> addTerms(ImplicitLocOpBuilder &b,
                                   ArrayRef<RowReduction> reductions,
                                   LaneBuilder &lanes, Value column,
                                   ValueRange sums, RowTerms terms) {
  SmallVector<Value> next;
  for (auto [reduction, term, sum] :
       llvm::zip_equal(reductions, terms(lanes, column), sums)) {
    if (lanes.getMask())
      term = arith::SelectOp::create(b, lanes.getMask(), term,
                                     reduction.neutral(b, lanes.getWidth()));
    next.push_back(reduction.combine(b, sum, term));
  }
  return next;
}

/// The sums after what is left at the end of a row: fewer elements than a
/// vector has.
static SmallVector<Value> addRest(ImplicitLocOpBuilder &b,
                                  ArrayRef<RowReduction> reductions,
                                  IndexRange range, int64_t width,
                                  ValueRange sums, RowTerms terms) {
  Value rest = arith::SubIOp::create(b, range.end, range.begin);
  Value isRest = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, rest,
                                       indexConstant(b, 0));
  auto branch = scf::IfOp::create(b, sums.getTypes(), isRest,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  LaneBuilder lanes(b, width, buildMask(b, width, rest));
  scf::YieldOp::create(
      b, addTerms(b, reductions, lanes, range.begin, sums, terms));
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, sums);
  return llvm::to_vector_of<Value>(branch.getResults());
}

SmallVector<Value> heddle::reduceRow(ImplicitLocOpBuilder &b,
                                     ArrayRef<RowReduction> reductions,
                                     IndexRange range, int64_t width,
                                     RowTerms terms) {
  size_t count = reductions.size();
  SmallVector<Value> chains;
  for (int64_t i = 0; i < kChains; ++i)
    for (const RowReduction &reduction : reductions)
      chains.push_back(reduction.neutral(b, width));
  Value length = arith::SubIOp::create(b, range.end, range.begin);
  auto endOfSteps = [&](int64_t step) -> Value {
    Value rest = arith::RemUIOp::create(b, length, indexConstant(b, step));
    return arith::SubIOp::create(b, range.end, rest);
  };
  Value chainsEnd = endOfSteps(kChains * width), vectorsEnd = endOfSteps(width);
  LaneBuilder lanes(b, width);
  chains =
      buildLoop(b, {range.begin, chainsEnd}, indexConstant(b, kChains * width),
                chains, [&](Value column, ValueRange values) {
                  SmallVector<Value> next;
                  for (int64_t i = 0; i < kChains; ++i)
                    llvm::append_range(
                        next, addTerms(b, reductions, lanes,
                                       addIndex(b, column, i * width),
                                       values.slice(i * count, count), terms));
                  return next;
                });
  SmallVector<Value> sums = buildLoop(
      b, {chainsEnd, vectorsEnd}, indexConstant(b, width),
      ArrayRef(chains).take_front(count), [&](Value column, ValueRange values) {
        return addTerms(b, reductions, lanes, column, values, terms);
      });
  sums = addRest(b, reductions, {vectorsEnd, range.end}, width, sums, terms);
  for (auto [i, reduction] : llvm::enumerate(reductions)) {
    for (int64_t chain = 1; chain < kChains; ++chain)
      sums[i] = reduction.combine(b, sums[i], chains[chain * count + i]);
    sums[i] = reduction.combineLanes(b, sums[i]);
  }
  return sums;
}
