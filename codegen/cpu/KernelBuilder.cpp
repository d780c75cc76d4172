//===- KernelBuilder.cpp - from a kernel to a function --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/cpu/KernelBuilder.h"

#include "codegen/cpu/KernelFunction.h"

#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace heddle;

namespace {

/// One kernel family and its builder.
struct Family {
  StringRef name;
  LogicalResult (*build)(KernelFunction &);
};

} // namespace

static const Family families[] = {
    {"reference", buildReference},
};

static const Family *findFamily(StringRef name) {
  for (const Family &family : families)
    if (family.name == name)
      return &family;
  return nullptr;
}

FailureOr<OwningOpRef<ModuleOp>> heddle::buildKernel(KernelDefOp def,
                                                     const CpuFacts &facts,
                                                     const FaultTable &faults) {
  StringRef name = def.getSchedule().getFamily();
  const Family *family = findFamily(name);
  if (!family)
    return def.emitOpError("expects a kernel family of the CPU, got '")
           << name << "'";
  OwningOpRef<ModuleOp> module = ModuleOp::create(def.getLoc());
  KernelFunction kernel(*module, def, facts);
  if (failed(family->build(kernel)))
    return failure();
  kernel.finish();
  lowerCheckedIndex(kernel.getFunc(), kernel.getCall(), faults);
  if (failed(verify(*module)))
    return failure();
  return module;
}
