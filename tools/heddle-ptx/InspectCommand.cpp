// InspectCommand.cpp - heddle-ptx inspect
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/KernelSource.h"
#include "tools/heddle-ptx/CommandLine.h"
#include "tools/heddle-ptx/KernelReport.h"

#include "codegen/nvidia/ptx/Subprocess.h"

#include <cstdio>

using namespace heddle::ptx;

static constexpr const char *help =
    R"(usage: heddle-ptx inspect FILE [OPTION...]

Shows what kernels need and what they are made of. FILE is a .ptx, a .cubin, or
a folder or .json file of kernels that Triton compiled. Registers, stack and
spills come from ptxas where it is found, else from the cubin; the machine code
is read with nvdisasm where that is found. What no tool can tell is 'unknown'.

  --entry=NAME       only this kernel
  --sm=NN            occupancy on this architecture (default: the file's own)
  --block=X,Y,Z      occupancy for this block (default: what the kernel requires)
  --shared=BYTES     occupancy with this much dynamic shared memory
  --ptxas=PATH       the program or its folder; 'none' leaves it out
  --nvdisasm=PATH    the same
  --json             the report as JSON

  heddle-ptx inspect kernel.ptx --block=256
  heddle-ptx inspect kernel.cubin --sm=90 --block=384 --shared=196864
  heddle-ptx inspect ~/.triton/cache --json

Exit codes: 0 shown, 1 refused.
)";

static constexpr OptionSpec options[] = {
    {"--entry"}, {"--sm"},       {"--block"},       {"--shared"},
    {"--ptxas"}, {"--nvdisasm"}, {"--json", false}, {"--help", false},
};

namespace {

/// What is asked, and the tools to answer it with.
struct Inspection {
  std::string entry;
  OccupancyQuestion question;
  std::optional<Ptxas> ptxas;
  /// Why there is no ptxas; empty if the user left it out.
  std::string noPtxas;
  std::string nvdisasm;
};

/// The machine instructions of each kernel in a cubin, or why they are unknown.
struct MachineCode {
  std::map<std::string, InstructionMix> mixes;
  std::string unknown;

  /// Adds the mix of the kernel `name` to its report.
  void addTo(KernelFacts &kernel, const std::string &name) const {
    auto found = mixes.find(name);
    addMachineMix(kernel, found == mixes.end() ? nullptr : &found->second,
                  unknown);
  }
};

} // namespace

/// Empty without nvdisasm.
static MachineCode disassemble(const Inspection &inspection,
                               std::span<const uint8_t> cubin) {
  MachineCode code;
  if (inspection.nvdisasm.empty() || cubin.empty())
    return code;
  Result<TemporaryFolder> folder = TemporaryFolder::create();
  Result<Done> written = folder ? writeFile(folder->file("kernel.cubin"), cubin)
                                : Result<Done>(folder.failure());
  if (!written) {
    code.unknown = written.failure().message;
    return code;
  }
  auto mixes =
      disassembleAndCount(inspection.nvdisasm, folder->file("kernel.cubin"));
  if (mixes)
    code.mixes = std::move(*mixes);
  else
    code.unknown = mixes.failure().message;
  return code;
}

/// The number in `sm_90a`, or 0.
static unsigned smOfTarget(const std::string &target) {
  if (!target.starts_with("sm_"))
    return 0;
  std::string digits =
      target.substr(3, target.find_first_not_of("0123456789", 3) - 3);
  return static_cast<unsigned>(parseUnsigned(digits).value_or(0));
}

namespace {

/// Where the resources of PTX entries come from: an assembly made here, or a
/// cubin beside the text.
struct Resources {
  std::string from = "unknown";
  std::optional<PtxasOutput> assembled;
  const CubinSource *beside = nullptr;
  MachineCode code;

  /// Adds registers, stack, spills and machine code to a kernel's report.
  void addTo(KernelFacts &kernel, const std::string &name) const;
};

} // namespace

void Resources::addTo(KernelFacts &kernel, const std::string &name) const {
  addUsage(kernel, nullptr);
  if (assembled)
    for (const PtxasUsage &usage : assembled->usage)
      if (usage.function == name)
        addUsage(kernel, &usage);
  if (beside)
    for (const CubinKernel &compiled : beside->cubin.kernels)
      if (compiled.name == name)
        addUsage(kernel, compiled);
  code.addTo(kernel, name);
}

static Resources findResources(const Inspection &inspection,
                               const PtxSource &source,
                               const CubinSource *beside) {
  Resources resources;
  if (inspection.ptxas) {
    Result<PtxasOutput> output =
        assemble(*inspection.ptxas, source.text, "", {});
    if (output && !output->cubin.empty()) {
      resources.from = "ptxas of CUDA " + inspection.ptxas->toolkit.str();
      resources.code = disassemble(inspection, output->cubin);
      resources.assembled = std::move(*output);
      return resources;
    }
    resources.from = "unknown: " + (output ? "ptxas refused the file: " +
                                                 output->messages.front().text
                                           : output.failure().message);
  } else if (!inspection.noPtxas.empty()) {
    resources.from = "unknown: " + inspection.noPtxas;
  }
  if (beside) {
    resources.from = "the cubin";
    resources.beside = beside;
    resources.code = disassemble(inspection, beside->bytes);
  }
  return resources;
}

/// Adds the kernels of PTX text to the report of its file. `beside` is the
/// cubin that was made of the text, or null.
static void inspectPtx(const Inspection &inspection, const PtxSource &source,
                       const CubinSource *beside, KernelFacts &file) {
  const Module &module = source.module;
  file["module"] = describeModule(module);
  Resources resources = findResources(inspection, source, beside);
  file["resources_from"] = resources.from;
  file["kernels"] = KernelFacts::array();
  std::string target = module.targets.empty() ? "" : module.targets.front();
  unsigned sm = inspection.question.sm.value_or(smOfTarget(target));
  for (const Function &function : module.functions) {
    if (!function.isEntry || !function.hasBody ||
        (!inspection.entry.empty() && function.name != inspection.entry))
      continue;
    KernelFacts kernel = describeEntry(module, function);
    resources.addTo(kernel, function.name);
    addOccupancy(kernel, sm, inspection.question);
    file["kernels"].push_back(std::move(kernel));
  }
}

static void inspectCubin(const Inspection &inspection,
                         const CubinSource &source, KernelFacts &file) {
  file["cubin"] = describeCubin(source.cubin);
  file["resources_from"] = "the cubin";
  file["kernels"] = KernelFacts::array();
  MachineCode code = disassemble(inspection, source.bytes);
  unsigned sm = inspection.question.sm.value_or(source.cubin.sm);
  for (const CubinKernel &kernel : source.cubin.kernels) {
    if (!inspection.entry.empty() && kernel.name != inspection.entry)
      continue;
    KernelFacts facts = describeKernel(kernel);
    addOccupancy(facts, sm, inspection.question);
    code.addTo(facts, kernel.name);
    file["kernels"].push_back(std::move(facts));
  }
}

static Result<KernelFacts> inspectFile(const Inspection &inspection,
                                       const std::string &path) {
  KernelFacts file;
  file["file"] = path;
  Result<KernelSource> source = readKernelSource(path);
  if (!source)
    return source.failure();
  if (auto *ptx = std::get_if<PtxSource>(&*source)) {
    inspectPtx(inspection, *ptx, nullptr, file);
  } else {
    inspectCubin(inspection, std::get<CubinSource>(*source), file);
  }
  if (!inspection.entry.empty() && file["kernels"].empty())
    return refuse("'", path, "' has no kernel called '", inspection.entry, "'");
  return file;
}

/// One kernel of Triton's: its metadata, checked against the code, and the
/// code.
static Result<KernelFacts> inspectTriton(const Inspection &inspection,
                                         const TritonKernel &kernel) {
  Result<TritonSource> source = readTritonSource(kernel);
  if (!source)
    return source.failure();
  Inspection inner = inspection;
  inner.entry = kernel.name;
  if (!inner.question.dynamicShared)
    inner.question.dynamicShared = kernel.shared;
  if (!inner.question.block)
    inner.question.block = {32 * kernel.numWarps, 1, 1};
  KernelFacts file;
  file["file"] = kernel.jsonPath;
  file["triton"] = describeTriton(kernel, source->signature);
  if (source->ptx) {
    inspectPtx(inner, *source->ptx, source->cubin ? &*source->cubin : nullptr,
               file);
  } else {
    inspectCubin(inner, *source->cubin, file);
  }
  return file;
}

static Result<KernelFacts> inspectAll(const Inspection &inspection,
                                      const std::string &path) {
  KernelFacts report;
  report["files"] = KernelFacts::array();
  if (!isTritonPath(path)) {
    Result<KernelFacts> file = inspectFile(inspection, path);
    if (!file)
      return file.failure();
    report["files"].push_back(std::move(*file));
    return report;
  }
  std::vector<TritonKernel> kernels;
  if (inspection.entry.empty()) {
    auto all = readTritonFolder(path);
    if (!all)
      return all.failure();
    kernels = std::move(*all);
  } else {
    auto one = readTritonKernel(path, inspection.entry);
    if (!one)
      return one.failure();
    kernels.push_back(std::move(*one));
  }
  for (const TritonKernel &kernel : kernels) {
    Result<KernelFacts> file = inspectTriton(inspection, kernel);
    if (!file)
      return file.failure();
    report["files"].push_back(std::move(*file));
  }
  return report;
}

/// A tool that helps where it is there. An absent one that the user named is an
/// error; otherwise it is just absent.
static Result<Done> findTools(const CommandLine &line, Inspection &inspection) {
  std::string ptxas = line.value("--ptxas");
  if (ptxas != "none") {
    Result<Ptxas> found = findPtxas(ptxas);
    if (found)
      inspection.ptxas = *found;
    else if (!ptxas.empty())
      return found.failure();
    else
      inspection.noPtxas = found.failure().message;
  }
  std::string nvdisasm = line.value("--nvdisasm");
  if (nvdisasm != "none") {
    Result<std::string> found = findProgram("nvdisasm", nvdisasm);
    if (found)
      inspection.nvdisasm = *found;
    else if (!nvdisasm.empty())
      return found.failure();
  }
  return Done{};
}

static Result<Inspection> readInspection(const CommandLine &line) {
  Inspection inspection;
  inspection.entry = line.value("--entry");
  auto sm = line.number("--sm", 999);
  if (!sm)
    return sm.failure();
  if (*sm)
    inspection.question.sm = static_cast<unsigned>(**sm);
  auto block = line.extents("--block");
  if (!block)
    return block.failure();
  inspection.question.block = *block;
  auto shared = line.number("--shared", ~0u);
  if (!shared)
    return shared.failure();
  inspection.question.dynamicShared = *shared;
  if (Result<Done> tools = findTools(line, inspection); !tools)
    return tools.failure();
  return inspection;
}

int heddle::ptx::inspectCommand(std::span<const std::string> words) {
  Result<CommandLine> line = CommandLine::parse(options, words);
  if (!line)
    return reportFailure("inspect", line.failure());
  if (line->has("--help")) {
    std::fputs(help, stdout);
    return exitClean;
  }
  Result<std::string> path =
      line->onlyPositional("one file, or one folder of Triton");
  if (!path)
    return reportFailure("inspect", path.failure());
  Result<Inspection> inspection = readInspection(*line);
  if (!inspection)
    return reportFailure("inspect", inspection.failure());
  Result<KernelFacts> report = inspectAll(*inspection, *path);
  if (!report)
    return reportFailure("inspect", report.failure());
  std::string text =
      line->has("--json")
          ? report->dump(2, ' ', false, KernelFacts::error_handler_t::replace) +
                "\n"
          : formatReport(*report);
  std::fputs(text.c_str(), stdout);
  return exitClean;
}
