//===- KernelFunction.cpp - the function that a kernel becomes ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/cpu/KernelFunction.h"

#include "codegen/cpu/KernelBuilder.h"

#include "mlir/Dialect/LLVMIR/LLVMTypes.h"
#include "mlir/IR/Builders.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace heddle;

/// Every reservation of scratch memory starts at a multiple of this.
static constexpr int64_t kScratchAlignment = 64;

/// The type in a kernel function of a block argument of the kernel's body.
static Type argumentType(Type type, Layout layout) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return type;
  Type element = tensor.getElementType();
  if (element.isInteger(1))
    element = IntegerType::get(type.getContext(), 8);
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

void KernelFunction::finish() {
  Builder builder(func.getContext());
  func->setAttr(kScratchBytesAttr, builder.getI64IntegerAttr(scratchBytes));
}
