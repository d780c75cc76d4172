//===- PlanFunction.cpp - sizes of a call, from its symbols ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/host/PlanFunction.h"

#include "codegen/host/WeightsPlan.h"
#include "dialects/heddle/HeddleDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace heddle;

namespace {

/// Builds the function and the parts of the manifest that speak of it.
class PlanBuilder {
public:
  PlanBuilder(func::FuncOp main, ModuleOp module, ModuleEntry &entry)
      : main(main), entry(entry), builder(module.getContext()),
        loc(main.getLoc()) {
    builder.setInsertionPointToEnd(module.getBody());
  }

  LogicalResult build();

private:
  void createFunction();
  void cloneSizes();
  LogicalResult describeTensors();
  void describeGuards();
  void describeBuffers();
  void createReturn();
  /// The manifest's word for one axis; `size` is null for a static one.
  ModuleDim describeDim(int64_t fixed, Value size);
  /// Stores a value of `main` and returns the number of the result.
  uint32_t addResult(Value size);
  /// Stores a value of the plan function.
  uint32_t store(Value value);
  Value addressOf(Value base, int64_t index);

  func::FuncOp main;
  ModuleEntry &entry;
  OpBuilder builder;
  Location loc;
  func::FuncOp plan;
  IRMapping mapping;
  DenseMap<Value, uint32_t> symbols, results;
  SmallVector<Value> guardsHold;
};

} // namespace

bool heddle::isSizeOp(Operation *op, const IRMapping &mapping) {
  auto isScalar = [](Type type) { return type.isIntOrIndex(); };
  return !isa<SymbolOp>(op) && op->getNumResults() > 0 &&
         op->getNumRegions() == 0 && isMemoryEffectFree(op) &&
         llvm::all_of(op->getResultTypes(), isScalar) &&
         llvm::all_of(op->getOperands(), [&](Value operand) {
           return isScalar(operand.getType()) && mapping.contains(operand);
         });
}

Value PlanBuilder::addressOf(Value base, int64_t index) {
  return LLVM::GEPOp::create(
      builder, loc, base.getType(), builder.getI64Type(), base,
      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(index)});
}

void PlanBuilder::createFunction() {
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  auto type = builder.getFunctionType({pointer, pointer}, builder.getI32Type());
  plan = func::FuncOp::create(builder, loc, entry.planSymbol, type);
  builder.setInsertionPointToStart(plan.addEntryBlock());
}

void PlanBuilder::cloneSizes() {
  for (Operation &op : main.getBody().front()) {
    if (auto symbol = dyn_cast<SymbolOp>(op)) {
      symbols[symbol.getResult()] = entry.symbols.size();
      Value address = addressOf(plan.getArgument(0), entry.symbols.size());
      Value loaded = LLVM::LoadOp::create(builder, symbol.getLoc(),
                                          builder.getI64Type(), address);
      mapping.map(symbol.getResult(),
                  arith::IndexCastOp::create(builder, symbol.getLoc(),
                                             builder.getIndexType(), loaded));
      ModuleSymbol described;
      described.name = symbol.getName().str();
      described.min = symbol.getMin();
      described.max = symbol.getMax().value_or(INT64_MAX);
      described.divisor = symbol.getDivisor();
      entry.symbols.push_back(described);
    } else if (isSizeOp(&op, mapping)) {
      builder.clone(op, mapping);
    }
  }
}

uint32_t PlanBuilder::store(Value value) {
  Value wide =
      arith::IndexCastOp::create(builder, loc, builder.getI64Type(), value);
  LLVM::StoreOp::create(builder, loc, wide,
                        addressOf(plan.getArgument(1), entry.resultCount));
  return entry.resultCount++;
}

uint32_t PlanBuilder::addResult(Value size) {
  auto [it, isNew] = results.try_emplace(size, entry.resultCount);
  if (isNew)
    store(mapping.lookup(size));
  return it->second;
}

ModuleDim PlanBuilder::describeDim(int64_t fixed, Value size) {
  if (!size)
    return {HEDDLE_DIM_FIXED, fixed};
  APInt constant;
  if (matchPattern(size, m_ConstantInt(&constant)))
    return {HEDDLE_DIM_FIXED, constant.getSExtValue()};
  if (auto it = symbols.find(size); it != symbols.end())
    return {HEDDLE_DIM_SYMBOL, static_cast<int64_t>(it->second)};
  return {HEDDLE_DIM_RESULT, static_cast<int64_t>(addResult(size))};
}

/// The heddle.bind_shape of an argument.
static BindShapeOp findBinding(BlockArgument argument) {
  for (Operation *user : argument.getUsers())
    if (auto bind = dyn_cast<BindShapeOp>(user))
      return bind;
  return {};
}

LogicalResult PlanBuilder::describeTensors() {
  for (BlockArgument argument : main.getArguments()) {
    auto type = cast<MemRefType>(argument.getType());
    unsigned number = argument.getArgNumber();
    ModuleTensor tensor;
    if (auto name = main.getArgAttrOfType<StringAttr>(number, "heddle.name"))
      tensor.name = name.str();
    Type elementType = type.getElementType();
    if (main.getArgAttr(number, "heddle.unsigned"))
      elementType =
          IntegerType::get(main.getContext(), type.getElementTypeBitWidth(),
                           IntegerType::Unsigned);
    std::optional<heddle_dtype_t> dtype = getDtype(elementType);
    BindShapeOp bind = findBinding(argument);
    if (!dtype || !bind)
      return emitError(argument.getLoc())
             << "expects '" << tensor.name
             << "' to have an element type of the module ABI and a "
                "heddle.bind_shape, got "
             << type;
    tensor.dtype = *dtype;
    auto sizes = bind.getSizes().begin();
    for (int64_t size : type.getShape())
      tensor.dims.push_back(
          describeDim(size, ShapedType::isDynamic(size) ? *sizes++ : Value()));
    bool isOutput = main.getArgAttr(number, "heddle.output") != nullptr;
    (isOutput ? entry.outputs : entry.inputs).push_back(std::move(tensor));
  }
  return success();
}

void PlanBuilder::describeGuards() {
  for (GuardOp guard : main.getBody().getOps<GuardOp>()) {
    entry.guards.push_back({guard.getText().str(), addResult(guard.getLhs()),
                            addResult(guard.getRhs())});
    auto predicate = guard.getPredicate() == GuardPredicate::eq
                         ? arith::CmpIPredicate::eq
                         : arith::CmpIPredicate::sle;
    guardsHold.push_back(arith::CmpIOp::create(
        builder, guard.getLoc(), predicate, mapping.lookup(guard.getLhs()),
        mapping.lookup(guard.getRhs())));
  }
}

void PlanBuilder::describeBuffers() {
  for (ArenaBufferOp buffer : main.getBody().getOps<ArenaBufferOp>()) {
    auto type = cast<MemRefType>(buffer.getResult().getType());
    int64_t fixed = llvm::divideCeil(type.getElementTypeBitWidth(), 8u);
    for (int64_t size : type.getShape())
      if (!ShapedType::isDynamic(size))
        fixed *= size;
    Value bytes = arith::ConstantIndexOp::create(builder, loc, fixed);
    for (Value size : buffer.getSizes())
      bytes = arith::MulIOp::create(builder, loc, bytes, mapping.lookup(size));
    entry.buffers.push_back({store(bytes),
                             static_cast<uint32_t>(buffer.getFirst()),
                             static_cast<uint32_t>(buffer.getLast())});
  }
}

void PlanBuilder::createReturn() {
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIntOp::create(builder, loc, builder.getI32Type(),
                                        value);
  };
  // The first broken guard is the answer: the last select made.
  Value code = constant(0);
  for (int64_t i = guardsHold.size(); i > 0; --i)
    code = arith::SelectOp::create(builder, loc, guardsHold[i - 1], code,
                                   constant(i));
  func::ReturnOp::create(builder, loc, code);
}

LogicalResult PlanBuilder::build() {
  createFunction();
  cloneSizes();
  if (failed(describeTensors()))
    return failure();
  describeGuards();
  describeBuffers();
  createReturn();
  makeDivisionsSafe(plan);
  return success();
}

LogicalResult heddle::buildPlanFunction(func::FuncOp main, ModuleOp module,
                                        ModuleEntry &entry) {
  return PlanBuilder(main, module, entry).build();
}

void heddle::makeDivisionsSafe(func::FuncOp func) {
  func.walk([](Operation *op) {
    if (!isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp,
             arith::FloorDivSIOp, arith::CeilDivSIOp, arith::CeilDivUIOp>(op))
      return;
    Value divisor = op->getOperand(1);
    APInt constant;
    if (matchPattern(divisor, m_ConstantInt(&constant)) && !constant.isZero())
      return;
    OpBuilder builder(op);
    Location loc = op->getLoc();
    Type type = divisor.getType();
    Value zero = arith::ConstantOp::create(builder, loc,
                                           builder.getIntegerAttr(type, 0));
    Value one = arith::ConstantOp::create(builder, loc,
                                          builder.getIntegerAttr(type, 1));
    Value isZero = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                                         divisor, zero);
    op->setOperand(1,
                   arith::SelectOp::create(builder, loc, isZero, one, divisor));
  });
}
