//===- CpuTarget.cpp - code for x86-64 CPUs -------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/cpu/CpuTarget.h"

#include "codegen/artefact/Manifest.h"
#include "codegen/cpu/Facts.h"
#include "codegen/cpu/KernelBuilder.h"
#include "codegen/cpu/LowerToLLVM.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace heddle;

/// Lowers `module` to the LLVM dialect and makes `kind` of it.
static FailureOr<Code> makeCode(ModuleOp module, const CpuFacts &facts,
                                CodeKind kind) {
  PassManager lower(module.getContext());
  addLowerToLLVMPasses(lower);
  if (failed(lower.run(module)))
    return failure();
  if (kind == CodeKind::LLVMDialect) {
    Code text;
    llvm::raw_svector_ostream stream(text);
    module.print(stream);
    return text;
  }
  return compileModule(module, facts,
                       kind == CodeKind::Object ? CodeFormat::Object
                                                : CodeFormat::Assembly);
}

namespace {

class CpuTarget final : public Target {
public:
  StringRef getName() const override { return "cpu"; }
  std::vector<TargetVariant> getVariants() const override;
  FailureOr<TargetAttr> getFacts(MLIRContext *context, StringRef variant,
                                 std::string &error) const override;
  FailureOr<uint64_t> getRequirements(TargetAttr facts,
                                      std::string &error) const override;
  FailureOr<CompiledKernel> compileKernel(KernelDefOp kernel, TargetAttr facts,
                                          const FaultTable &faults,
                                          CodeKind kind) const override;
  FailureOr<Code> compileHost(ModuleOp host, TargetAttr facts,
                              CodeKind kind) const override;
};

} // namespace

std::vector<TargetVariant> CpuTarget::getVariants() const {
  std::string error;
  FailureOr<CpuFacts> host = hostCpuFacts(error);
  std::vector<TargetVariant> variants;
  variants.push_back({"cpu",
                      succeeded(host) ? "this machine: " + host->tier
                                      : "this machine: " + error,
                      succeeded(host)});
  for (StringRef tier : getCpuTiers()) {
    FailureOr<CpuFacts> facts = cpuFactsOfTier(tier, error);
    if (succeeded(facts))
      variants.push_back({"cpu:" + tier.str(),
                          std::to_string(facts->vectorBits) + "-bit vectors",
                          hostRuns(*facts)});
  }
  variants.push_back({"cpu:reference",
                      "this machine, every kernel by the reference lowering",
                      succeeded(host)});
  return variants;
}

FailureOr<TargetAttr> CpuTarget::getFacts(MLIRContext *context,
                                          StringRef variant,
                                          std::string &error) const {
  initializeCpuTarget(*context);
  bool isHost = variant.empty() || variant == "reference";
  FailureOr<CpuFacts> facts =
      isHost ? hostCpuFacts(error) : cpuFactsOfTier(variant, error);
  if (failed(facts))
    return failure();
  return makeTargetAttr(
      context, variant == "reference" ? "cpu:reference" : "cpu", *facts);
}

FailureOr<uint64_t> CpuTarget::getRequirements(TargetAttr target,
                                               std::string &error) const {
  FailureOr<CpuFacts> facts =
      readTargetAttr(target, UnknownLoc::get(target.getContext()));
  if (failed(facts))
    return failure();
  llvm::Expected<uint64_t> bits =
      x86FeatureBits(facts->processor, facts->features);
  if (bits)
    return *bits;
  error = llvm::toString(bits.takeError());
  return failure();
}

FailureOr<CompiledKernel> CpuTarget::compileKernel(KernelDefOp kernel,
                                                   TargetAttr target,
                                                   const FaultTable &faults,
                                                   CodeKind kind) const {
  FailureOr<CpuFacts> facts = readTargetAttr(target, kernel.getLoc());
  if (failed(facts))
    return failure();
  FailureOr<OwningOpRef<ModuleOp>> module = buildKernel(kernel, *facts, faults);
  if (failed(module))
    return failure();
  auto function = (*module)->lookupSymbol<func::FuncOp>(kernel.getSymName());
  CompiledKernel compiled;
  compiled.name = kernel.getSymName().str();
  compiled.type = function.getFunctionType();
  if (auto bytes = function->getAttrOfType<IntegerAttr>(kScratchBytesAttr))
    compiled.scratchBytes = bytes.getInt();
  FailureOr<Code> code = makeCode(**module, *facts, kind);
  if (failed(code))
    // unreachable: what builds lowers, whatever the kernel.
    return kernel.emitError("no code could be made for this kernel");
  compiled.code = std::move(*code);
  return compiled;
}

FailureOr<Code> CpuTarget::compileHost(ModuleOp host, TargetAttr target,
                                       CodeKind kind) const {
  FailureOr<CpuFacts> facts = readTargetAttr(target, host.getLoc());
  if (failed(facts))
    return failure();
  return makeCode(host, *facts, kind);
}

const Target &heddle::getCpuTarget() {
  static const CpuTarget target;
  return target;
}
