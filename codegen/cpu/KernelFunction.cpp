//===- KernelFunction.cpp - the function that a kernel becomes ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/cpu/KernelFunction.h"

#include "codegen/cpu/KernelBuilder.h"

#include "mlir/Dialect/LLVMIR/LLVMTypes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"

#include "llvm/Support/Errc.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace heddle;

/// Every reservation of scratch memory starts at a multiple of this.
static constexpr int64_t kScratchAlignment = 64;

Type heddle::getMemoryType(Type element) {
  if (element.isInteger(1))
    return IntegerType::get(element.getContext(), 8);
  if (element.isBF16())
    return IntegerType::get(element.getContext(), 16);
  return element;
}

/// The type in a kernel function of a block argument of the kernel's body.
static Type argumentType(Type type, Layout layout) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return type;
  Type element = getMemoryType(tensor.getElementType());
  if (layout == Layout::contiguous || tensor.getRank() == 0)
    return MemRefType::get(tensor.getShape(), element);
  SmallVector<int64_t> strides(tensor.getRank(), ShapedType::kDynamic);
  if (layout == Layout::unit_inner)
    strides.back() = 1;
  return MemRefType::get(
      tensor.getShape(), element,
      StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, strides));
}

KernelFunction::KernelFunction(ModuleOp module, KernelDefOp def,
                               const CpuFacts &facts)
    : def(def), facts(facts) {
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  Block &body = def.getBody().front();
  numArguments = body.getNumArguments();
  SmallVector<Type> types;
  for (auto [argument, layout] :
       llvm::zip_equal(body.getArguments(), def.getLayouts()))
    types.push_back(
        argumentType(argument.getType(), cast<LayoutAttr>(layout).getValue()));
  Type index = builder.getIndexType();
  auto scratch = MemRefType::get({ShapedType::kDynamic}, builder.getI8Type());
  auto call = LLVM::LLVMPointerType::get(module.getContext());
  types.append({index, index, scratch, call});

  func = func::FuncOp::create(builder, def.getLoc(), def.getSymName(),
                              builder.getFunctionType(types, {}));
  builder.setInsertionPointToStart(func.addEntryBlock());
  func::ReturnOp::create(builder, def.getLoc());
  cloneScalars();
}

/// The size that tensor.dim asks for: of an argument, or as an empty tensor was
/// given it. Null for any other tensor.
static Value lookupSize(OpBuilder &builder, tensor::DimOp dim,
                        KernelFunction &kernel) {
  std::optional<int64_t> axis = dim.getConstantIndex();
  if (!axis)
    return {};
  if (isa<BlockArgument>(dim.getSource()))
    return memref::DimOp::create(builder, dim.getLoc(),
                                 kernel.getArgument(dim.getSource()), *axis);
  auto empty = dim.getSource().getDefiningOp<tensor::EmptyOp>();
  if (empty && empty.getType().isDynamicDim(*axis))
    return kernel.getScalar(empty.getDynamicSize(*axis));
  return {};
}

/// Copies the scalar ops between the body's arguments and its tensor ops.
void KernelFunction::cloneScalars() {
  OpBuilder builder(func.front().getTerminator());
  Block &body = def.getBody().front();
  for (BlockArgument argument : body.getArguments())
    if (!isa<TensorType>(argument.getType()))
      scalars.map(argument, getArgument(argument));
  for (Operation &op : body.without_terminator()) {
    if (auto dim = dyn_cast<tensor::DimOp>(op)) {
      if (Value size = lookupSize(builder, dim, *this))
        scalars.map(dim.getResult(), size);
      continue;
    }
    auto isKnown = [&](Value value) { return scalars.contains(value); };
    auto isTensor = [](Type type) { return isa<TensorType>(type); };
    if (op.getNumRegions() == 0 && llvm::all_of(op.getOperands(), isKnown) &&
        llvm::none_of(op.getResultTypes(), isTensor))
      builder.clone(op, scalars);
  }
}

Value KernelFunction::getScalar(Value bodyValue) {
  return scalars.lookupOrNull(bodyValue);
}

llvm::Error heddle::unsupported(const llvm::Twine &what) {
  return llvm::createStringError(llvm::errc::not_supported, what.str().c_str());
}

Value KernelFunction::getArgument(unsigned index) {
  return func.getArgument(index);
}

Value KernelFunction::getArgument(Value bodyArgument) {
  return getArgument(cast<BlockArgument>(bodyArgument).getArgNumber());
}

Value KernelFunction::getOutput(unsigned index) {
  return getArgument(numArguments - def.getNumOutputs() + index);
}

int64_t KernelFunction::reserveScratch(int64_t bytes) {
  int64_t offset = scratchBytes;
  scratchBytes += llvm::alignTo(bytes, kScratchAlignment);
  return offset;
}

void KernelFunction::finish(StringRef family) {
  Builder builder(func.getContext());
  func->setAttr(kFamilyAttr, builder.getStringAttr(family));
  func->setAttr(kScratchBytesAttr, builder.getI64IntegerAttr(scratchBytes));
}
