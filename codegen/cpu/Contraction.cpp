//===- Contraction.cpp - the contraction kernel family --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// The loops around a micro-kernel of `mr` rows by `nr` columns of accumulators,
// as in Goto and van de Geijn, "Anatomy of High-Performance Matrix
// Multiplication" (2008), but with the left matrix read in place: with `nr`
// columns at a time its elements are broadcast from the first-level cache, and
// packing them gains nothing at the sizes of transformers.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/BodyEvaluator.h"
#include "codegen/cpu/Loops.h"
#include "codegen/cpu/MicroKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace heddle;

/// Rows of the left matrix that share one packed block of a right matrix that
/// is not in panels: enough to hide the cost of packing.
static constexpr int64_t kBlockRows = 64;
/// Rows of such a block: with `nr` columns of f32 it stays in half of a
/// first-level cache.
static constexpr int64_t kBlockDepth = 128;

namespace {

/// One contraction and the elementwise ops on its result.
class ContractionBuilder {
public:
  explicit ContractionBuilder(KernelFunction &kernel)
      : kernel(kernel),
        b(kernel.getDef().getLoc(), kernel.getFunc().front().getTerminator()) {}

  llvm::Error build();

private:
  llvm::Error collect();
  llvm::Error readSchedule();
  void readSizes();
  void buildColumns(Value unit, IndexRange rows);
  void buildFromPanel(Value panel, IndexRange rows);
  void buildPacked(Value batch, Value panel, IndexRange rows);
  void initializeTile(Value rows);
  void packBlock(Value batch, IndexRange depth);
  void finishTile(Value firstRow, Value rows);
  SmallVector<Value> loadBias();
  Value maskOf(int64_t vector);
  Value scratchView(int64_t offset, ArrayRef<int64_t> shape);

  KernelFunction &kernel;
  ImplicitLocOpBuilder b;
  ContractionOp op;
  SmallVector<linalg::GenericOp> epilogue;
  std::string failure;

  MicroKernel tile;
  bool inPanels = false;
  /// All rows of the left matrix as one axis, and the sizes of the product.
  Value lhs;
  SmallVector<Value> leadingSizes;
  Value batches, rows, columns, depth, panels;
  /// Scratch memory: results of a tile, and a packed block.
  Value results, packed;
  /// The first column of the panel that is being built, and the first one
  /// behind it.
  IndexRange panelColumns;
};

} // namespace

//===----------------------------------------------------------------------===//
// The form of the body
//===----------------------------------------------------------------------===//

llvm::Error ContractionBuilder::collect() {
  for (Operation &inner :
       kernel.getDef().getBody().front().without_terminator()) {
    if (auto contraction = dyn_cast<ContractionOp>(inner)) {
      if (op)
        return unsupported("two contractions");
      op = contraction;
    } else if (isElementwise(&inner)) {
      if (!op)
        return unsupported("an elementwise op before the contraction");
      epilogue.push_back(cast<linalg::GenericOp>(inner));
    } else if (isa<DestinationStyleOpInterface>(inner) &&
               !isa<linalg::FillOp>(inner)) {
      return unsupported("an op that is not elementwise");
    }
  }
  if (!op)
    return unsupported("a body without a contraction");
  if (!op.getInit().getType().getElementType().isF32())
    return unsupported("a contraction of other elements than f32");
  for (Value operand : {op.getLhs(), op.getRhs(), op.getBias()})
    if (operand && !isa<BlockArgument>(operand))
      return unsupported("a contraction of values that it computes");
  for (linalg::GenericOp generic : epilogue)
    if (generic.getNumLoops() != op.getInit().getType().getRank())
      return unsupported("elementwise ops of another rank");
  return llvm::Error::success();
}

llvm::Error ContractionBuilder::readSchedule() {
  DictionaryAttr parameters = kernel.getDef().getSchedule().getParameters();
  auto read = [&](StringRef name, int64_t otherwise) {
    auto value = parameters.getAs<IntegerAttr>(name);
    return value ? value.getInt() : otherwise;
  };
  tile.width = kernel.getFacts().lanes(32);
  tile.rows = read("mr", 0);
  inPanels = op.getPanel().has_value();
  tile.columns = inPanels ? *op.getPanel() : read("nr", 0);
  if (tile.rows < 1 || tile.columns < 1)
    return unsupported("a schedule without mr and nr");
  // A panel may be made of narrower vectors than the widest.
  while (tile.columns % tile.width != 0)
    tile.width /= 2;
  int64_t size = op.getLhs().getType().getShape().back();
  int64_t unroll = read("ku", 2);
  tile.unroll = inPanels && !ShapedType::isDynamic(size) && unroll > 0 &&
                        size % unroll == 0
                    ? unroll
                    : 1;
  return llvm::Error::success();
}

/// `memref` with its first `count` axes as one.
static Value collapseLeading(ImplicitLocOpBuilder &b, Value memref,
                             int64_t count) {
  auto type = cast<MemRefType>(memref.getType());
  if (count <= 1)
    return memref;
  SmallVector<ReassociationIndices> groups(1);
  for (int64_t axis = 0; axis < type.getRank(); ++axis)
    if (axis < count)
      groups.front().push_back(axis);
    else
      groups.push_back({axis});
  return memref::CollapseShapeOp::create(b, memref, groups);
}

Value ContractionBuilder::scratchView(int64_t offset, ArrayRef<int64_t> shape) {
  return memref::ViewOp::create(b, MemRefType::get(shape, b.getF32Type()),
                                kernel.getScratch(), indexConstant(b, offset),
                                ValueRange());
}

void ContractionBuilder::readSizes() {
  int64_t rank = op.getInit().getType().getRank();
  Value left = kernel.getArgument(op.getLhs());
  leadingSizes = getSizes(b, left);
  depth = leadingSizes.pop_back_val();
  lhs = collapseLeading(b, left, rank - 1);
  // A right matrix that all rows share makes one batch of all of them.
  bool isBatched = !inPanels && op.getRhs().getType().getRank() > 2;
  ArrayRef<Value> sizes = leadingSizes;
  batches = multiplySizes(b, isBatched ? sizes.drop_back() : ArrayRef<Value>());
  rows = isBatched ? sizes.back() : multiplySizes(b, sizes);
  columns = b.createOrFold<memref::DimOp>(kernel.getOutput(0), rank - 1);
  panels = ceilDivIndex(b, columns, indexConstant(b, tile.columns));

  int64_t height = inPanels ? tile.rows : kBlockRows;
  int64_t bytes = tile.columns * sizeof(float);
  results = scratchView(kernel.reserveScratch(height * bytes),
                        {height, tile.columns});
  if (!inPanels)
    packed = scratchView(kernel.reserveScratch(kBlockDepth * bytes),
                         {kBlockDepth, tile.columns});
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// The lanes of vector `vector` of the panel that are columns of the product;
/// null for all.
Value ContractionBuilder::maskOf(int64_t vector) {
  int64_t size = op.getInit().getType().getShape().back();
  if (!ShapedType::isDynamic(size) && size % tile.columns == 0)
    return {};
  Value first = addIndex(b, panelColumns.begin, vector * tile.width);
  Value left = arith::SubIOp::create(b, columns, first);
  left = arith::MaxSIOp::create(b, left, indexConstant(b, 0));
  return vector::CreateMaskOp::create(
      b, VectorType::get({tile.width}, b.getI1Type()), left);
}

/// What the sums of the panel's columns start from.
SmallVector<Value> ContractionBuilder::loadBias() {
  SmallVector<Value> vectors;
  for (int64_t vector : llvm::seq(tile.columns / tile.width)) {
    if (!op.getBias()) {
      vectors.push_back(tile.splat(b, 0.0f));
      continue;
    }
    LaneBuilder lanes(b, tile.width, maskOf(vector));
    Value first = addIndex(b, panelColumns.begin, vector * tile.width);
    vectors.push_back(lanes
                          .read(kernel.getArgument(op.getBias()),
                                {Lanes::linear(first)}, b.getF32Type(),
                                /*unitInner=*/true)
                          .value);
  }
  return vectors;
}

/// Applies the epilogue to the tile's results, `rows` from `firstRow` on, and
/// stores what the kernel yields. The results come from scratch memory, so that
/// one loop serves tiles of every height; they are in the first-level cache.
void ContractionBuilder::finishTile(Value firstRow, Value count) {
  IndexRange tileRows = {indexConstant(b, 0), count};
  buildLoop(b, tileRows, indexConstant(b, 1), [&](Value tileRow) {
    Position position;
    position.row = addIndex(b, firstRow, tileRow);
    for (Value index : delinearize(b, position.row, leadingSizes))
      position.indices.push_back(Lanes::uniform(index));
    buildVectorLoop(
        b, panelColumns, tile.width, [&](LaneBuilder &lanes, Value column) {
          Value offset = arith::SubIOp::create(b, column, panelColumns.begin);
          auto type = VectorType::get({tile.width}, b.getF32Type());
          Value sums = vector::LoadOp::create(b, type, results,
                                              ValueRange{tileRow, offset});
          Position here = position;
          here.indices.push_back(Lanes::linear(column));
          BodyEvaluator evaluator(kernel, lanes, here, Access::UnitInner);
          evaluator.set(op.getResult(), Lanes::varying(sums));
          for (linalg::GenericOp generic : epilogue)
            if (llvm::Error error = evaluator.evaluate(generic))
              failure = llvm::toString(std::move(error));
          evaluator.storeOutputs();
        });
  });
}

/// Rows times one panel of weights, over the whole depth.
void ContractionBuilder::buildFromPanel(Value panel, IndexRange range) {
  Value weights = kernel.getArgument(op.getRhs());
  SmallVector<Value> bias = loadBias();
  tile.buildBlocks(b, range, [&](Value first, Value count) {
    MicroKernel::Operands operands;
    operands.lhs = lhs;
    operands.firstRow = first;
    operands.rhs = weights;
    operands.rhsIndices = {panel};
    operands.depth = {indexConstant(b, 0), depth};
    operands.firstRhsRow = indexConstant(b, 0);
    operands.initial = bias;
    operands.results = results;
    operands.firstResultRow = indexConstant(b, 0);
    tile.build(b, operands, count);
    finishTile(first, count);
  });
}

/// Writes the bias into the first `count` rows of the tile.
void ContractionBuilder::initializeTile(Value count) {
  SmallVector<Value> bias = loadBias();
  buildLoop(b, {indexConstant(b, 0), count}, indexConstant(b, 1),
            [&](Value row) {
              for (auto [i, vector] : llvm::enumerate(bias))
                vector::StoreOp::create(
                    b, vector, results,
                    ValueRange{row, indexConstant(b, i * tile.width)});
            });
}

/// Copies rows `range` of the panel's columns to scratch memory; a transposed
/// matrix is gathered.
void ContractionBuilder::packBlock(Value batch, IndexRange range) {
  Value right = collapseLeading(b, kernel.getArgument(op.getRhs()),
                                op.getRhs().getType().getRank() - 2);
  bool isBatched = op.getRhs().getType().getRank() > 2;
  SmallVector<Value> masks;
  for (int64_t vector : llvm::seq(tile.columns / tile.width))
    masks.push_back(maskOf(vector));
  buildLoop(b, range, indexConstant(b, 1), [&](Value row) {
    Value to = arith::SubIOp::create(b, row, range.begin);
    for (auto [i, mask] : llvm::enumerate(masks)) {
      LaneBuilder lanes(b, tile.width, mask);
      SmallVector<Lanes> indices;
      if (isBatched)
        indices.push_back(Lanes::uniform(batch));
      indices.push_back(Lanes::uniform(row));
      indices.push_back(
          Lanes::linear(addIndex(b, panelColumns.begin, i * tile.width)));
      if (op.getTransposeRhs())
        std::swap(indices.end()[-1], indices.end()[-2]);
      Lanes elements = lanes.read(right, indices, b.getF32Type(), true);
      vector::StoreOp::create(b, elements.value, packed,
                              ValueRange{to, indexConstant(b, i * tile.width)});
    }
  });
}

/// Rows times one panel of a matrix that is not packed: block by block it is
/// copied, and the sums stay in scratch memory meanwhile.
void ContractionBuilder::buildPacked(Value batch, Value panel,
                                     IndexRange range) {
  Value firstOfBatch = multiplyIndex(b, batch, rows);
  Value zero = indexConstant(b, 0);
  buildLoop(b, range, indexConstant(b, kBlockRows), [&](Value first) {
    Value left = arith::SubIOp::create(b, range.end, first);
    Value count = arith::MinUIOp::create(b, left, indexConstant(b, kBlockRows));
    Value firstRow = addIndex(b, firstOfBatch, first);
    initializeTile(count);
    Value step = indexConstant(b, kBlockDepth);
    buildLoop(b, {zero, depth}, step, [&](Value k) {
      Value end = arith::MinUIOp::create(b, addIndex(b, k, step), depth);
      packBlock(batch, {k, end});
      tile.buildBlocks(b, {zero, count}, [&](Value tileRow, Value tileRows) {
        MicroKernel::Operands operands;
        operands.lhs = lhs;
        operands.firstRow = addIndex(b, firstRow, tileRow);
        operands.rhs = packed;
        operands.depth = {k, end};
        operands.firstRhsRow = k;
        operands.results = results;
        operands.firstResultRow = tileRow;
        tile.build(b, operands, tileRows);
      });
    });
    finishTile(firstRow, count);
  });
}

/// All rows of this worker times the columns of `unit`, which numbers the
/// panels of all batches.
void ContractionBuilder::buildColumns(Value unit, IndexRange range) {
  Value batch = arith::DivUIOp::create(b, unit, panels);
  Value panel = arith::RemUIOp::create(b, unit, panels);
  Value width = indexConstant(b, tile.columns);
  Value first = multiplyIndex(b, panel, width);
  Value end = arith::MinUIOp::create(b, addIndex(b, first, width), columns);
  panelColumns = {first, end};
  if (inPanels)
    buildFromPanel(panel, range);
  else
    buildPacked(batch, panel, range);
}

llvm::Error ContractionBuilder::build() {
  if (llvm::Error error = collect())
    return error;
  if (llvm::Error error = readSchedule())
    return error;
  readSizes();
  // Workers share the panels: each reads its own weights. With few panels they
  // share the rows, unless there are not enough of those either.
  Value units = multiplyIndex(b, batches, panels);
  Value twice = multiplyIndex(b, kernel.getWorkers(), indexConstant(b, 2));
  Value manyUnits =
      arith::CmpIOp::create(b, arith::CmpIPredicate::uge, units, twice);
  Value fewRows =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ult, rows, twice);
  Value byUnits = arith::OrIOp::create(b, manyUnits, fewRows);
  IndexRange unitShare = splitWork(b, kernel, units);
  IndexRange rowShare = splitWork(b, kernel, rows);
  auto choose = [&](Value share, Value whole) -> Value {
    return arith::SelectOp::create(b, byUnits, share, whole);
  };
  Value zero = indexConstant(b, 0);
  IndexRange unitRange = {choose(unitShare.begin, zero),
                          choose(unitShare.end, units)};
  IndexRange rowRange = {choose(zero, rowShare.begin),
                         choose(rows, rowShare.end)};
  buildLoop(b, unitRange, indexConstant(b, 1),
            [&](Value unit) { buildColumns(unit, rowRange); });
  return failure.empty() ? llvm::Error::success() : unsupported(failure);
}

llvm::Error heddle::buildContraction(KernelFunction &kernel) {
  return ContractionBuilder(kernel).build();
}
