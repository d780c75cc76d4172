//===- KernelBuilder.cpp - from a kernel to a function --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/cpu/KernelBuilder.h"

#include "codegen/cpu/KernelFunction.h"

#include "mlir/IR/Remarks.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace heddle;

namespace {

/// One kernel family and its builder.
struct Family {
  StringRef name;
  llvm::Error (*build)(KernelFunction &);
};

} // namespace

static const Family kReference = {"reference", buildReference};

static const Family families[] = {
    {"contraction", buildContraction}, {"attention", buildAttention},
    {"elementwise", buildElementwise}, {"row", buildRows},
    {"reduction", buildAxisReduction},
};

static const Family *findFamily(StringRef name) {
  if (name == kReference.name)
    return &kReference;
  for (const Family &family : families)
    if (family.name == name)
      return &family;
  return nullptr;
}

/// Builds `def` as a kernel of `family`.
static llvm::Expected<OwningOpRef<ModuleOp>> buildAs(const Family &family,
                                                     KernelDefOp def,
                                                     const CpuFacts &facts,
                                                     const FaultTable &faults) {
  OwningOpRef<ModuleOp> module = ModuleOp::create(def.getLoc());
  KernelFunction kernel(*module, def, facts);
  if (llvm::Error error = family.build(kernel))
    return error;
  kernel.finish(family.name);
  lowerCheckedIndex(kernel.getFunc(), kernel.getCall(), faults);
  return module;
}

FailureOr<OwningOpRef<ModuleOp>> heddle::buildKernel(KernelDefOp def,
                                                     const CpuFacts &facts,
                                                     const FaultTable &faults) {
  StringRef name = def.getSchedule().getFamily();
  const Family *family = findFamily(name);
  if (!family)
    return def.emitOpError("expects a kernel family of the CPU, got '")
           << name << "'";
  auto module = buildAs(*family, def, facts, faults);
  if (!module && family != &kReference) {
    // Every kernel has a reference lowering: slow code is better than none.
    remark::missed(def.getLoc(), remark::RemarkOpts::name("build-kernel")
                                     .category("heddle-build-kernel")
                                     .function(def.getSymName()))
        << "reference lowering"
        << remark::reason("the family {0} cannot build {1}", name,
                          llvm::toString(module.takeError()));
    module = buildAs(kReference, def, facts, faults);
  }
  if (!module)
    return def.emitOpError("expects a body that can be built, got ")
           << llvm::toString(module.takeError());
  if (failed(verify(**module)))
    return failure();
  return std::move(*module);
}
