// KernelReport.cpp - facts of kernels as JSON
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/heddle-ptx/KernelReport.h"

#include "codegen/nvidia/ptx/Interpreter.h"
#include "codegen/nvidia/ptx/Occupancy.h"

using namespace heddle::ptx;

static constexpr const char *unknown = "unknown";

static KernelFacts unknownBecause(const std::string &reason) {
  return unknown + (reason.empty() ? "" : ": " + reason);
}

template <typename T>
static KernelFacts orUnknown(const std::optional<T> &value) {
  return value ? KernelFacts(*value) : KernelFacts(unknown);
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

/// The toolkit that is needed for PTX `version` and the driver it came with.
static KernelFacts describeNeeds(VersionNumber version) {
  std::optional<VersionNumber> toolkit = toolkitForPtx(version);
  if (!toolkit)
    return unknown;
  KernelFacts needs;
  needs["cuda"] = toolkit->str();
  needs["driver"] = orUnknown(driverOfToolkit(*toolkit));
  return needs;
}

KernelFacts heddle::ptx::describeModule(const Module &module) {
  VersionNumber version = {module.versionMajor, module.versionMinor};
  KernelFacts facts;
  facts["ptx_version"] = version.str();
  facts["targets"] = module.targets;
  facts["address_size"] = module.addressSize;
  facts["needs"] = describeNeeds(version);
  return facts;
}

KernelFacts heddle::ptx::describeCubin(const Cubin &cubin) {
  KernelFacts facts;
  facts["sm"] = cubin.sm;
  facts["target"] = cubin.architecture.empty() ? unknown : cubin.architecture;
  facts["assembler"] = cubin.assembler.empty() ? unknown : cubin.assembler;
  return facts;
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

static KernelFacts describeParam(const Param &param) {
  KernelFacts facts;
  facts["name"] = param.name;
  std::string type(spelling(param.type));
  if (param.isArray)
    type += "[" + std::to_string(param.bytes * 8 / bitWidth(param.type)) + "]";
  facts["type"] = type;
  facts["bytes"] = param.bytes;
  facts["align"] = param.align;
  facts["offset"] = param.offset;
  facts["pointer"] = param.isPointer;
  return facts;
}

static KernelFacts describeDirectives(const EntryDirectives &directives) {
  KernelFacts facts = KernelFacts::object();
  auto add = [&](const char *name, const auto &value, bool isSet) {
    if (isSet)
      facts[name] = value;
  };
  add("reqntid", directives.reqntid, directives.reqntid[0] != 0);
  add("maxntid", directives.maxntid, directives.maxntid[0] != 0);
  add("reqnctapercluster", directives.reqnctapercluster,
      directives.reqnctapercluster[0] != 0);
  add("maxclusterrank", directives.maxclusterrank,
      directives.maxclusterrank != 0);
  add("minnctapersm", directives.minnctapersm, directives.minnctapersm != 0);
  add("maxnreg", directives.maxnreg, directives.maxnreg != 0);
  return facts;
}

static KernelFacts describeMix(const InstructionMix &mix) {
  KernelFacts facts;
  facts["total"] = mix.total;
  facts["tensor_core"] = mix.tensorCore;
  facts["memory"] = mix.memory;
  facts["synchronisation"] = mix.synchronisation;
  return facts;
}

/// Whether the module declares shared memory whose size the launch gives.
static bool usesDynamicShared(const Module &module, const Function &entry) {
  for (const auto *list : {&module.variables, &entry.variables})
    for (const Variable &variable : *list)
      if (variable.space == Space::Shared && variable.bytes == 0)
        return true;
  return false;
}

KernelFacts heddle::ptx::describeEntry(const Module &module,
                                       const Function &entry) {
  KernelFacts facts;
  facts["name"] = entry.name;
  facts["line"] = entry.where.line;
  facts["parameter_bytes"] = entry.paramBytes();
  facts["parameters"] = KernelFacts::array();
  for (const Param &param : entry.params)
    facts["parameters"].push_back(describeParam(param));
  facts["directives"] = describeDirectives(entry.directives);
  facts["static_shared_bytes"] = staticSharedBytes(module, entry);
  facts["dynamic_shared"] = usesDynamicShared(module, entry);
  facts["ptx_instructions"] = describeMix(countInstructions(entry));
  return facts;
}

KernelFacts heddle::ptx::describeKernel(const CubinKernel &kernel) {
  KernelFacts facts;
  facts["name"] = kernel.name;
  facts["parameters"] = KernelFacts::array();
  for (const CubinParameter &parameter : kernel.parameters)
    facts["parameters"].push_back(
        {{"bytes", parameter.size}, {"offset", parameter.offset}});
  facts["directives"] = KernelFacts::object();
  if (kernel.requiredBlock)
    facts["directives"]["reqntid"] = *kernel.requiredBlock;
  if (kernel.maxBlock)
    facts["directives"]["maxntid"] = *kernel.maxBlock;
  facts["static_shared_bytes"] = kernel.staticSharedBytes;
  facts["code_bytes"] = kernel.codeBytes;
  addUsage(facts, kernel);
  return facts;
}

void heddle::ptx::addUsage(KernelFacts &kernel, const PtxasUsage *usage) {
  auto add = [&](const char *name, auto value) {
    kernel[name] = usage ? KernelFacts(value) : KernelFacts(unknown);
  };
  PtxasUsage none;
  const PtxasUsage &facts = usage ? *usage : none;
  add("registers", facts.registers);
  add("stack_bytes", facts.stackBytes);
  add("spill_store_bytes", facts.spillStoreBytes);
  add("spill_load_bytes", facts.spillLoadBytes);
  add("barriers", facts.barriers);
}

void heddle::ptx::addUsage(KernelFacts &kernel, const CubinKernel &code) {
  kernel["registers"] = orUnknown(code.registers);
  kernel["stack_bytes"] = orUnknown(code.stackBytes);
  kernel["spill_store_bytes"] = unknown;
  kernel["spill_load_bytes"] = unknown;
  kernel["barriers"] = orUnknown(code.barriers);
}

void heddle::ptx::addMachineMix(KernelFacts &kernel, const InstructionMix *mix,
                                const std::string &reason) {
  kernel["machine_instructions"] =
      mix ? describeMix(*mix) : unknownBecause(reason);
}

/// The block that the user names, or that the kernel requires, or the largest
/// that it allows.
static std::optional<std::array<uint32_t, 3>>
chooseBlock(const KernelFacts &kernel, const OccupancyQuestion &question) {
  if (question.block)
    return question.block;
  for (const char *name : {"reqntid", "maxntid"})
    if (kernel["directives"].contains(name))
      return kernel["directives"][name].get<std::array<uint32_t, 3>>();
  return std::nullopt;
}

void heddle::ptx::addOccupancy(KernelFacts &kernel, unsigned sm,
                               const OccupancyQuestion &question) {
  const MultiprocessorLimits *limits = findMultiprocessor(sm);
  auto block = chooseBlock(kernel, question);
  bool hasRegisters = kernel["registers"].is_number();
  if (!limits || !block || !hasRegisters) {
    kernel["occupancy"] = unknownBecause(
        !hasRegisters ? "it takes registers, which only ptxas or a cubin tell"
        : !block      ? "the kernel requires no block; name one with --block"
                 : "no limits of sm_" + std::to_string(sm) + " are listed");
    return;
  }
  uint64_t threads = uint64_t((*block)[0]) * (*block)[1] * (*block)[2];
  uint64_t dynamic = question.dynamicShared.value_or(0);
  KernelDemand demand;
  demand.threads = static_cast<unsigned>(std::min<uint64_t>(threads, ~0u));
  demand.registers = kernel["registers"].get<unsigned>();
  demand.sharedBytes = kernel["static_shared_bytes"].get<uint64_t>() + dynamic;
  KernelFacts facts;
  facts["sm"] = sm;
  facts["block"] = *block;
  facts["dynamic_shared_bytes"] = dynamic;
  Result<Occupancy> occupancy = computeOccupancy(*limits, demand);
  if (occupancy) {
    facts["blocks"] = occupancy->blocks;
    facts["warps"] = occupancy->warps;
    facts["of_warps"] = limits->maxWarps;
    facts["limited_by"] = occupancy->limit;
  } else {
    facts["blocks"] = 0;
    facts["refused"] = occupancy.failure().message;
  }
  kernel["occupancy"] = facts;
}

KernelFacts
heddle::ptx::describeTriton(const TritonKernel &kernel,
                            const std::vector<TritonArgument> &signature) {
  KernelFacts facts;
  facts["version"] = kernel.tritonVersion;
  facts["kernel"] = kernel.name;
  facts["sm"] = kernel.sm;
  facts["num_warps"] = kernel.numWarps;
  facts["num_ctas"] = kernel.numCtas;
  facts["block"] = {32 * kernel.numWarps, 1, 1};
  facts["shared_bytes"] = kernel.shared;
  facts["global_scratch_bytes"] = kernel.globalScratchSize;
  facts["profile_scratch_bytes"] = kernel.profileScratchSize;
  facts["cooperative"] = kernel.isCooperative;
  facts["dependent_launch"] = kernel.usesDependentLaunch;
  facts["tensor_maps"] = kernel.descriptors.size();
  if (kernel.ttirPath.empty()) {
    facts["arguments"] = unknown;
    return facts;
  }
  facts["arguments"] = KernelFacts::array();
  for (const TritonArgument &argument : signature)
    facts["arguments"].push_back({{"name", argument.name},
                                  {"type", argument.type},
                                  {"divisibility", argument.divisibility}});
  return facts;
}
