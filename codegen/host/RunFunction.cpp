//===- RunFunction.cpp - the host program of an entry ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/host/RunFunction.h"

#include "codegen/host/PlanFunction.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace heddle;

namespace {

class RunBuilder {
public:
  RunBuilder(func::FuncOp main, ModuleOp module, const ModuleEntry &entry,
             const KernelTypes &kernels, const WeightsPlan &weights)
      : main(main), module(module), entry(entry), kernels(kernels),
        weights(weights), builder(module.getContext()),
        converter(module.getContext()), loc(main.getLoc()),
        pointer(LLVM::LLVMPointerType::get(module.getContext())) {}

  LogicalResult build();

private:
  void createFunction();
  void mapSizes();
  void mapArguments();
  LogicalResult convert(Operation &op);
  LogicalResult convertDispatch(DispatchOp dispatch);
  void convertBarrier(BarrierOp barrier);
  /// Loads field `name` of heddle_call_t at `offset` bytes.
  Value loadField(Type type, int64_t offset);
  Value loadElement(Type type, Value base, int64_t index);
  Value addBytes(Value base, Value bytes);
  /// A row-major memref at `data`, with the sizes of its dynamic axes.
  Value createMemRef(Location loc, MemRefType type, Value data,
                     ValueRange sizes);
  Value toIndex(Value integer);
  Value toI64(Value index);

  func::FuncOp main;
  ModuleOp module;
  const ModuleEntry &entry;
  const KernelTypes &kernels;
  const WeightsPlan &weights;
  OpBuilder builder;
  LLVMTypeConverter converter;
  Location loc;
  Type pointer;
  func::FuncOp run;
  Block *exit = nullptr;
  IRMapping mapping;
  /// Fields of the call that kernels are given.
  Value worker, workers, scratch, arena, offsets, weightsBase, barrierFunction;
};

} // namespace

/// Memory has no bits: a bool is a byte.
static Type getMemoryType(Type type) {
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref || !memref.getElementType().isInteger(1))
    return type;
  return MemRefType::get(memref.getShape(),
                         IntegerType::get(type.getContext(), 8),
                         memref.getLayout(), memref.getMemorySpace());
}

Value RunBuilder::toIndex(Value integer) {
  return arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                    integer);
}

Value RunBuilder::toI64(Value index) {
  return arith::IndexCastOp::create(builder, loc, builder.getI64Type(), index);
}

Value RunBuilder::addBytes(Value base, Value bytes) {
  return LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(), base,
                             ArrayRef<LLVM::GEPArg>{bytes});
}

Value RunBuilder::loadField(Type type, int64_t offset) {
  Value address = LLVM::GEPOp::create(
      builder, loc, pointer, builder.getI8Type(), run.getArgument(0),
      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
  return LLVM::LoadOp::create(builder, loc, type, address);
}

Value RunBuilder::loadElement(Type type, Value base, int64_t index) {
  Value address =
      LLVM::GEPOp::create(builder, loc, pointer, type, base,
                          ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(index)});
  return LLVM::LoadOp::create(builder, loc, type, address);
}

void RunBuilder::createFunction() {
  builder.setInsertionPointToEnd(module.getBody());
  run = func::FuncOp::create(builder, loc, entry.runSymbol,
                             builder.getFunctionType({pointer}, {}));
  Block *body = run.addEntryBlock();
  exit = builder.createBlock(&run.getBody(), run.getBody().end());
  func::ReturnOp::create(builder, loc);
  builder.setInsertionPointToStart(body);
  Type i32 = builder.getI32Type();
  worker = toIndex(loadField(i32, offsetof(heddle_call_t, worker)));
  workers = toIndex(loadField(i32, offsetof(heddle_call_t, workers)));
  arena = loadField(pointer, offsetof(heddle_call_t, arena));
  offsets = loadField(pointer, offsetof(heddle_call_t, offsets));
  weightsBase = loadField(pointer, offsetof(heddle_call_t, weights));
  barrierFunction = loadField(pointer, offsetof(heddle_call_t, barrier));
  // Kernels know how much scratch they asked for; the size says nothing.
  Value none = arith::ConstantIndexOp::create(builder, loc, 0);
  auto bytes = MemRefType::get({ShapedType::kDynamic}, builder.getI8Type());
  scratch = createMemRef(
      loc, bytes, loadField(pointer, offsetof(heddle_call_t, scratch)), none);
}

Value RunBuilder::createMemRef(Location loc, MemRefType type, Value data,
                               ValueRange sizes) {
  type = cast<MemRefType>(getMemoryType(type));
  auto descriptor =
      MemRefDescriptor::poison(builder, loc, converter.convertType(type));
  descriptor.setAllocatedPtr(builder, loc, data);
  descriptor.setAlignedPtr(builder, loc, data);
  descriptor.setConstantOffset(builder, loc, 0);
  auto nextSize = sizes.end();
  Value stride =
      arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(1));
  for (int64_t axis = type.getRank() - 1; axis >= 0; --axis) {
    int64_t fixed = type.getDimSize(axis);
    Value size = ShapedType::isDynamic(fixed)
                     ? toI64(*--nextSize)
                     : arith::ConstantOp::create(
                           builder, loc, builder.getI64IntegerAttr(fixed))
                           .getResult();
    descriptor.setSize(builder, loc, axis, size);
    descriptor.setStride(builder, loc, axis, stride);
    stride = arith::MulIOp::create(builder, loc, stride, size);
  }
  Value structure = descriptor;
  return UnrealizedConversionCastOp::create(builder, loc, type, structure)
      .getResult(0);
}

void RunBuilder::mapSizes() {
  Value values = loadField(pointer, offsetof(heddle_call_t, symbols));
  int64_t number = 0;
  for (Operation &op : main.getBody().front()) {
    if (auto symbol = dyn_cast<SymbolOp>(op))
      mapping.map(symbol.getResult(),
                  toIndex(loadElement(builder.getI64Type(), values, number++)));
    else if (isSizeOp(&op, mapping))
      builder.clone(op, mapping);
  }
}

void RunBuilder::mapArguments() {
  Value inputs = loadField(pointer, offsetof(heddle_call_t, inputs));
  Value outputs = loadField(pointer, offsetof(heddle_call_t, outputs));
  int64_t numInputs = 0, numOutputs = 0;
  for (BlockArgument argument : main.getArguments()) {
    bool isOutput =
        main.getArgAttr(argument.getArgNumber(), "heddle.output") != nullptr;
    Value data = loadElement(pointer, isOutput ? outputs : inputs,
                             isOutput ? numOutputs++ : numInputs++);
    SmallVector<Value> sizes;
    for (Operation *user : argument.getUsers())
      if (auto bind = dyn_cast<BindShapeOp>(user)) {
        for (Value size : bind.getSizes())
          sizes.push_back(mapping.lookup(size));
        break;
      }
    mapping.map(argument, createMemRef(argument.getLoc(),
                                       cast<MemRefType>(argument.getType()),
                                       data, sizes));
  }
}

LogicalResult RunBuilder::convertDispatch(DispatchOp dispatch) {
  auto it = kernels.find(dispatch.getKernel());
  if (it == kernels.end())
    // unreachable: all kernels that a module names are compiled.
    return dispatch.emitOpError("expects a compiled kernel named ")
           << dispatch.getKernelAttr();
  FunctionType type = it->second;
  if (!module.lookupSymbol(dispatch.getKernel())) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(module.getBody());
    func::FuncOp::create(builder, loc, dispatch.getKernel(), type).setPrivate();
  }
  SmallVector<Value> arguments;
  for (Value operand : dispatch.getOperands())
    arguments.push_back(mapping.lookup(operand));
  llvm::append_values(arguments, worker, workers, scratch, run.getArgument(0));
  if (arguments.size() != type.getNumInputs())
    return dispatch.emitOpError("expects ")
           << type.getNumInputs() << " arguments of the kernel function, got "
           << arguments.size();
  for (auto [argument, wanted] : llvm::zip_equal(arguments, type.getInputs()))
    if (argument.getType() != wanted)
      argument =
          memref::CastOp::create(builder, dispatch.getLoc(), wanted, argument);
  func::CallOp::create(builder, dispatch.getLoc(), dispatch.getKernel(),
                       TypeRange(), arguments);
  return success();
}

/// Calls the barrier of the call and leaves when it says so.
void RunBuilder::convertBarrier(BarrierOp barrier) {
  Location loc = barrier.getLoc();
  auto type = LLVM::LLVMFunctionType::get(builder.getI32Type(), {pointer});
  Value code =
      LLVM::CallOp::create(builder, loc, type,
                           ValueRange{barrierFunction, run.getArgument(0)})
          .getResult();
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(0));
  Value goOn =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, code, zero);
  Block *next = builder.createBlock(exit);
  builder.setInsertionPointToEnd(next->getPrevNode());
  cf::CondBranchOp::create(builder, loc, goOn, next, exit);
  builder.setInsertionPointToStart(next);
}

LogicalResult RunBuilder::convert(Operation &op) {
  loc = op.getLoc();
  if (isa<SymbolOp, BindShapeOp, GuardOp>(op))
    return success();
  if (auto dispatch = dyn_cast<DispatchOp>(op))
    return convertDispatch(dispatch);
  if (auto barrier = dyn_cast<BarrierOp>(op)) {
    convertBarrier(barrier);
    return success();
  }
  if (auto buffer = dyn_cast<ArenaBufferOp>(op)) {
    Value offset = loadElement(builder.getI64Type(), offsets, buffer.getSlot());
    SmallVector<Value> sizes;
    for (Value size : buffer.getSizes())
      sizes.push_back(mapping.lookup(size));
    mapping.map(buffer.getResult(),
                createMemRef(loc, cast<MemRefType>(buffer.getType()),
                             addBytes(arena, offset), sizes));
    return success();
  }
  if (auto weight = dyn_cast<WeightOp>(op)) {
    Value offset = arith::ConstantOp::create(
        builder, loc, builder.getI64IntegerAttr(weights.getOffset(weight)));
    mapping.map(weight.getResult(),
                createMemRef(loc, cast<MemRefType>(weight.getType()),
                             addBytes(weightsBase, offset), {}));
    return success();
  }
  if (isa<func::ReturnOp>(op)) {
    cf::BranchOp::create(builder, loc, exit);
    return success();
  }
  if (op.getNumResults() > 0 && mapping.contains(op.getResult(0)))
    return success();
  Operation *copy = builder.clone(op, mapping);
  for (Value result : copy->getResults())
    result.setType(getMemoryType(result.getType()));
  return success();
}

LogicalResult RunBuilder::build() {
  createFunction();
  mapSizes();
  mapArguments();
  for (Operation &op : main.getBody().front())
    if (failed(convert(op)))
      return failure();
  makeDivisionsSafe(run);
  return success();
}

LogicalResult heddle::buildRunFunction(func::FuncOp main, ModuleOp module,
                                       const ModuleEntry &entry,
                                       const KernelTypes &kernels,
                                       const WeightsPlan &weights) {
  return RunBuilder(main, module, entry, kernels, weights).build();
}

FailureOr<HostProgram> heddle::buildHostProgram(func::FuncOp main,
                                                const KernelTypes &kernels,
                                                const WeightsPlan &weights) {
  HostProgram program;
  program.module = ModuleOp::create(main.getLoc());
  ModuleEntry &entry = program.entry;
  entry.name = main.getSymName().str();
  entry.planSymbol = entry.name + "_plan";
  entry.runSymbol = entry.name + "_run";
  for (Operation &op : main.getBody().front())
    entry.dispatchCount += isa<BarrierOp>(op);
  ++entry.dispatchCount; // phases are one more than barriers
  if (failed(buildPlanFunction(main, *program.module, entry)) ||
      failed(buildRunFunction(main, *program.module, entry, kernels, weights)))
    return failure();
  return program;
}
