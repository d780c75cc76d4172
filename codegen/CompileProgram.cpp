//===- CompileProgram.cpp - from kernels and host program to code ---------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/CompileProgram.h"

#include "codegen/host/HostProgram.h"

#include "mlir/IR/Threading.h"

#include <mutex>

using namespace mlir;
using namespace heddle;

/// Compiles every kernel of `program`, in program order.
static FailureOr<std::vector<CompiledKernel>>
compileKernels(ModuleOp program, const Target &target, TargetAttr facts,
               const FaultTable &faults, CodeKind kind,
               const CompileProgress &progress) {
  SmallVector<KernelDefOp> kernels(program.getOps<KernelDefOp>());
  std::vector<CompiledKernel> compiled(kernels.size());
  std::mutex mutex;
  size_t done = 0;
  LogicalResult result = failableParallelForEachN(
      program.getContext(), 0, kernels.size(), [&](size_t i) {
        FailureOr<CompiledKernel> kernel =
            target.compileKernel(kernels[i], facts, faults, kind);
        if (failed(kernel))
          return failure();
        compiled[i] = std::move(*kernel);
        std::lock_guard<std::mutex> lock(mutex);
        if (progress)
          progress(++done, kernels.size() + 1);
        return success();
      });
  if (failed(result))
    return failure();
  return compiled;
}

/// Compiles the entries of `program` and describes them in `compiled`.
static LogicalResult compileEntries(ModuleOp program, const Target &target,
                                    TargetAttr facts,
                                    const std::vector<CompiledKernel> &kernels,
                                    const FaultTable &faults, CodeKind kind,
                                    CompiledProgram &compiled) {
  KernelTypes types;
  int64_t scratch = 0;
  for (const CompiledKernel &kernel : kernels) {
    types[kernel.name] = kernel.type;
    scratch = std::max(scratch, kernel.scratchBytes);
  }
  for (func::FuncOp main : program.getOps<func::FuncOp>()) {
    FailureOr<HostProgram> host =
        buildHostProgram(main, types, compiled.weights);
    if (failed(host))
      return failure();
    host->entry.faults = faults.getSentences();
    host->entry.scratchSize = scratch;
    compiled.manifest.entries.push_back(std::move(host->entry));
    FailureOr<Code> code = target.compileHost(*host->module, facts, kind);
    if (failed(code))
      return failure();
    compiled.code.push_back(std::move(*code));
  }
  return success();
}

FailureOr<CompiledProgram>
heddle::compileProgram(ModuleOp program, const Target &target,
                       const WeightStore &store, CodeKind kind,
                       const CompileProgress &progress) {
  auto facts = program->getAttrOfType<TargetAttr>("heddle.target");
  if (!facts)
    return program.emitError("expects the module attribute 'heddle.target'");
  CompiledProgram compiled;
  compiled.manifest.target = facts.getName().str();
  std::string error;
  FailureOr<uint64_t> requirements = target.getRequirements(facts, error);
  if (failed(requirements))
    return program.emitError(error);
  compiled.manifest.cpuFeatures = *requirements;

  FailureOr<WeightsPlan> weights = WeightsPlan::create(program, store);
  if (failed(weights))
    return failure();
  compiled.weights = std::move(*weights);

  FaultTable faults(program);
  FailureOr<std::vector<CompiledKernel>> kernels =
      compileKernels(program, target, facts, faults, kind, progress);
  if (failed(kernels) || failed(compileEntries(program, target, facts, *kernels,
                                               faults, kind, compiled)))
    return failure();
  for (CompiledKernel &kernel : *kernels) {
    compiled.manifest.kernels.push_back(kernel.name);
    compiled.code.push_back(std::move(kernel.code));
  }
  if (progress)
    progress(kernels->size() + 1, kernels->size() + 1);
  return compiled;
}
