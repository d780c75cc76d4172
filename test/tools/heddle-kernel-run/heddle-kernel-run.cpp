//===- heddle-kernel-run.cpp - builds and runs one kernel -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "Buffers.h"
#include "Jit.h"

#include "codegen/cpu/LowerToLLVM.h"
#include "dialects/RegisterDialects.h"
#include "dialects/heddle/HeddleDialect.h"
#include "heddle/module_abi.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/ToolOutputFile.h"

#include <cmath>

using namespace mlir;
using namespace heddle;
using namespace heddle::kernelrun;
namespace cl = llvm::cl;

static cl::opt<std::string> inputFile(cl::Positional, cl::Required,
                                      cl::desc("FILE.mlir"));
static cl::list<std::string> argumentTexts(
    cl::Positional,
    cl::desc(
        "ARGUMENT...: one per block argument, a number or "
        "2x3[:random|zeros|@FILE][:strides=3,1]; outputs have sizes only"));
static cl::opt<std::string>
    kernelName("kernel", cl::desc("symbol of the kernel (default: the first)"));
static cl::opt<std::string>
    tierName("tier",
             cl::desc("CPU tier to build for (default: this machine's)"));
static cl::opt<int> workers("workers", cl::init(1),
                            cl::desc("run as so many workers, one by one"));
static cl::opt<bool>
    compare("compare", cl::desc("compare with the reference family; 3 if off"));
static cl::opt<double>
    relativeTolerance("rtol", cl::init(1e-5),
                      cl::desc("relative tolerance of --compare"));
static cl::opt<double>
    absoluteTolerance("atol", cl::init(1e-5),
                      cl::desc("absolute tolerance of --compare"));
static cl::opt<std::string>
    outputFolder("output", cl::desc("folder for the outputs, as K.bin"));
static cl::opt<double>
    timedFlops("time", cl::desc("time one worker; the kernel does so many "
                                "floating-point operations (0: unknown)"));
static cl::opt<double>
    minimumPercent("at-least", cl::desc("exit with 3 below this percentage of "
                                        "the FMA peak"));
static cl::opt<Stage>
    stage("print", cl::desc("print instead of running"),
          cl::values(clEnumValN(Stage::Kernel, "kernel", "the kernel function"),
                     clEnumValN(Stage::LLVM, "llvm", "the LLVM dialect"),
                     clEnumValN(Stage::Assembly, "asm", "assembly")));

static llvm::ExitOnError exitOnError("heddle-kernel-run: ");

/// The arguments of one call: a buffer per tensor, a number per index.
struct Arguments {
  SmallVector<std::unique_ptr<Buffer>> buffers;
  SmallVector<uint64_t> values;
  unsigned numOutputs;

  ArrayRef<std::unique_ptr<Buffer>> outputs() const {
    return ArrayRef(buffers).take_back(numOutputs);
  }
};

static Arguments makeArguments(KernelDefOp def) {
  Block &body = def.getBody().front();
  if (argumentTexts.size() != body.getNumArguments())
    exitOnError(llvm::createStringError(
        llvm::inconvertibleErrorCode(), "expects %u arguments, got %zu",
        body.getNumArguments(), argumentTexts.size()));
  Arguments arguments;
  arguments.numOutputs = def.getNumOutputs();
  unsigned firstOutput = body.getNumArguments() - arguments.numOutputs;
  for (BlockArgument argument : body.getArguments()) {
    unsigned number = argument.getArgNumber();
    ArgumentSpec spec =
        exitOnError(parseArgument(argumentTexts[number], argument.getType()));
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type) {
      arguments.values.push_back(spec.number);
      continue;
    }
    auto buffer = std::make_unique<Buffer>(type, spec.sizes, spec.strides,
                                           timedFlops.getNumOccurrences()
                                               ? Placement::PageStart
                                               : Placement::BeforeGuard);
    StringRef init = spec.init;
    if (init.consume_front("@"))
      exitOnError(buffer->load(init));
    else if (init == "zeros")
      buffer->fillZero();
    else if (number < firstOutput)
      buffer->fillRandom(number + 1);
    arguments.values.push_back(
        reinterpret_cast<uint64_t>(buffer->getDescriptor()));
    arguments.buffers.push_back(std::move(buffer));
  }
  return arguments;
}

namespace {

/// What a kernel finds behind %call, and the faults that it stores there.
struct CallRecord {
  int32_t fault = 0;
  int64_t detail = 0;
  heddle_call_t record = {};

  CallRecord() {
    record.size = sizeof(record);
    record.fault = &fault;
    record.fault_detail = &detail;
  }
};

} // namespace

/// Runs the share of every worker in turn, each with scratch memory of its own
/// contents.
static void runWorkers(const Kernel &kernel, ArrayRef<uint64_t> values,
                       int count, CallRecord &call) {
  std::vector<char> memory(kernel.getScratchBytes() + HEDDLE_ABI_ALIGNMENT);
  uint64_t address = reinterpret_cast<uint64_t>(memory.data());
  address = llvm::alignTo(address, HEDDLE_ABI_ALIGNMENT);
  uint64_t scratch[] = {address, address, 0,
                        static_cast<uint64_t>(kernel.getScratchBytes()), 1};
  for (int worker = 0; worker < count; ++worker) {
    std::fill(memory.begin(), memory.end(), '\xff');
    SmallVector<uint64_t> all(values);
    all.append({static_cast<uint64_t>(worker), static_cast<uint64_t>(count),
                reinterpret_cast<uint64_t>(scratch),
                reinterpret_cast<uint64_t>(&call.record)});
    kernel.call(all);
  }
}

/// Prints how far `got` is from `expected`; whether it is within the tolerance.
static bool compareOutput(unsigned number, const Buffer &got,
                          const Buffer &expected) {
  double worst = 0, worstRatio = 0;
  for (int64_t i = 0, e = got.getNumElements(); i < e; ++i) {
    double a = got.get(i), b = expected.get(i);
    if ((std::isnan(a) && std::isnan(b)) || a == b)
      continue;
    double error = std::fabs(a - b);
    double ratio =
        error / (absoluteTolerance + relativeTolerance * std::fabs(b));
    // A NaN or an infinity on one side only is no match.
    if (!std::isfinite(ratio))
      error = ratio = INFINITY;
    worst = std::max(worst, error);
    worstRatio = std::max(worstRatio, ratio);
  }
  bool equal = worstRatio <= 1;
  llvm::outs() << "output " << number << ": largest error "
               << llvm::format("%.2e", worst)
               << (equal ? "\n" : ", beyond the tolerance\n");
  return equal;
}

/// Runs the reference family on the same inputs and compares all outputs.
static bool compareWithReference(KernelDefOp def, const CpuFacts &facts,
                                 const Arguments &arguments) {
  auto clone = cast<KernelDefOp>(def->clone());
  OwningOpRef<KernelDefOp> reference = clone;
  clone.setScheduleAttr(ScheduleAttr::get(
      def.getContext(), "reference", DictionaryAttr::get(def.getContext())));
  Kernel kernel = exitOnError(Kernel::compile(clone, facts));
  Arguments expected = makeArguments(def);
  CallRecord call;
  runWorkers(kernel, expected.values, 1, call);
  bool equal = true;
  for (auto [i, got, want] :
       llvm::enumerate(arguments.outputs(), expected.outputs()))
    equal &= compareOutput(i, *got, *want);
  return equal;
}

/// Prints the best time of many calls; the percentage of the FMA peak, 100 if
/// the operations are unknown.
static double timeKernel(MLIRContext &context, const Kernel &kernel,
                         const CpuFacts &facts, const Arguments &arguments) {
  CallRecord call;
  double best = INFINITY, peak = 0;
  // Rounds of both in turn: a shared machine has slow minutes.
  for (int round = 0; round < 5; ++round) {
    peak = std::max(peak, exitOnError(measurePeak(&context, facts)));
    double begin = getThreadSeconds();
    do {
      double start = getThreadSeconds();
      runWorkers(kernel, arguments.values, 1, call);
      best = std::min(best, getThreadSeconds() - start);
    } while (getThreadSeconds() - begin < 0.1);
  }
  llvm::outs() << llvm::format("%.2f us", best * 1e6);
  double percent = 100;
  if (timedFlops > 0) {
    percent = 100 * timedFlops / best / peak;
    llvm::outs() << llvm::format(", %.1f Gflop/s, %.1f %% of the FMA peak",
                                 timedFlops / best * 1e-9, percent);
  }
  llvm::outs() << llvm::format(" (peak %.1f Gflop/s)\n", peak * 1e-9);
  return percent;
}

static KernelDefOp findKernel(ModuleOp module) {
  for (auto def : module.getOps<KernelDefOp>())
    if (kernelName.empty() || def.getSymName() == kernelName)
      return def;
  exitOnError(llvm::createStringError(llvm::inconvertibleErrorCode(),
                                      "no such kernel in the file"));
  return {};
}

static CpuFacts getFacts() {
  std::string error;
  auto facts =
      tierName.empty() ? hostCpuFacts(error) : cpuFactsOfTier(tierName, error);
  if (failed(facts))
    exitOnError(llvm::createStringError(llvm::inconvertibleErrorCode(), error));
  return *facts;
}

static int run(MLIRContext &context, KernelDefOp def, const CpuFacts &facts) {
  if (!hostRuns(facts)) {
    llvm::errs() << "this machine cannot run code for " << facts.tier << "\n";
    return 77;
  }
  Kernel kernel = exitOnError(Kernel::compile(def, facts));
  Arguments arguments = makeArguments(def);
  CallRecord call;
  runWorkers(kernel, arguments.values, workers, call);
  if (call.fault)
    llvm::outs() << "fault " << call.fault - 1 << ", detail " << call.detail
                 << "\n";
  bool good = true;
  for (auto [i, output] : llvm::enumerate(arguments.outputs())) {
    if (int64_t strays = output->getStrayWrites()) {
      llvm::outs() << "output " << i << ": " << strays
                   << " bytes outside the elements are written\n";
      good = false;
    }
    if (!outputFolder.empty())
      exitOnError(
          output->save(outputFolder + "/" + std::to_string(i) + ".bin"));
  }
  if (compare)
    good &= compareWithReference(def, facts, arguments);
  if (timedFlops.getNumOccurrences())
    good &= timeKernel(context, kernel, facts, arguments) >= minimumPercent;
  return good ? 0 : 3;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv,
                              "builds one heddle.kernel_def and runs it\n");
  DialectRegistry registry;
  registerAllDialects(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  initializeCpuTarget(context);

  llvm::SourceMgr sources;
  std::string error;
  auto file = openInputFile(inputFile, &error);
  if (!file)
    exitOnError(llvm::createStringError(llvm::inconvertibleErrorCode(), error));
  sources.AddNewSourceBuffer(std::move(file), llvm::SMLoc());
  SourceMgrDiagnosticHandler diagnostics(sources, &context);
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, &context);
  if (!module)
    return 1;
  KernelDefOp def = findKernel(*module);
  CpuFacts facts = getFacts();
  if (!stage.getNumOccurrences())
    return run(context, def, facts);
  llvm::outs() << exitOnError(printStage(def, facts, stage));
  return 0;
}
