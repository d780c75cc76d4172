// RunCommand.cpp - heddle-ptx run
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Interpreter.h"
#include "tools/heddle-ptx/LaunchRequest.h"

#include <chrono>
#include <cstdio>

#include <nlohmann/json.hpp>

using namespace heddle::ptx;
using Json = nlohmann::ordered_json;

static constexpr const char *usage =
    R"(usage: heddle-ptx run FILE --grid=X,Y,Z [OPTION...] [--arg ARGUMENT]...

Runs a kernel in the interpreter and reports its faults by line, thread and
address: bounds, alignment, uninitialised reads, races, missing waits and
fences, barriers, deadlocks. FILE is a .ptx, or a folder or .json file of
Triton. docs/ptx/run.md says what is modelled and how each check decides.

)";

static constexpr const char *ownHelp =
    R"(
  --checks=all|none      none: only what cannot go on is reported (all)
  --async=late|early|random
                         when asynchronous copies and wgmma take effect (late)
  --seed=N               draws warp order, poison and random completion (1)
  --max-instructions=N   warp instructions after which the run is refused
  --registers=N          registers of each thread at launch, 1 to 255, for
                         setmaxnreg (what .maxnreg or .minnctapersm give)
  --json                 the report as JSON

  heddle-ptx run add.ptx --grid 4 --block 256 \
      --arg in:a.npy --arg in:b.npy --arg out:c.npy --arg 1000:i32
  heddle-ptx run gemm.ptx --entry gemm --grid 2,2 --shared 196864 \
      --buffer A=in:a.npy --buffer B=in:b.npy \
      --arg map:A,type=bf16,box=128x64,swizzle=128 \
      --arg map:B,type=bf16,box=256x64,swizzle=128 --arg out:c.npy --arg 512:i32
  heddle-ptx run ~/.triton/cache/ABC --grid 4 --seed 7 \
      --arg in:x.npy --arg in:y.npy --arg out:o.npy --arg 1024:i32

Exit codes: 0 clean, 1 refused, 3 something was found.
)";

static constexpr OptionSpec ownOptions[] = {{"--checks"},
                                            {"--async"},
                                            {"--seed"},
                                            {"--max-instructions"},
                                            {"--registers"}};

static Result<Done> readChecks(const CommandLine &line, Options &options) {
  std::string checks = line.value("--checks", "all");
  if (checks != "all" && checks != "none")
    return refuse("--checks: expected all or none, got '", checks, "'");
  options.checks = checks == "all";
  std::string async = line.value("--async", "late");
  if (async == "late")
    options.async = AsyncMode::Late;
  else if (async == "early")
    options.async = AsyncMode::Early;
  else if (async == "random")
    options.async = AsyncMode::Random;
  else
    return refuse("--async: expected late, early or random, got '", async, "'");
  return Done{};
}

static Result<Options> readOptions(const CommandLine &line) {
  Options options;
  if (auto checks = readChecks(line, options); !checks)
    return checks.failure();
  auto seed = line.number("--seed", ~uint64_t(0));
  if (!seed)
    return seed.failure();
  options.seed = seed->value_or(options.seed);
  auto budget = line.number("--max-instructions", ~uint64_t(0));
  if (!budget)
    return budget.failure();
  options.maxInstructions = budget->value_or(options.maxInstructions);
  auto registers = line.number("--registers", 255);
  if (!registers)
    return registers.failure();
  options.registersPerThread = uint32_t(registers->value_or(0));
  return options;
}

/// Gives every buffer a device address and lists it for the interpreter.
static std::vector<uint64_t> placeBuffers(KernelArguments &arguments,
                                          Launch &launch) {
  AddressSpace space;
  std::vector<uint64_t> addresses;
  for (HostBuffer &host : arguments.buffers) {
    Buffer buffer;
    buffer.name = host.name;
    buffer.data = reinterpret_cast<std::byte *>(host.array.data.data());
    buffer.bytes = host.array.data.size();
    buffer.address = space.allocate(buffer.bytes);
    buffer.initialised = !host.isScratch();
    addresses.push_back(buffer.address);
    launch.buffers.push_back(std::move(buffer));
  }
  return addresses;
}

static Result<Launch> prepareLaunch(LaunchRequest &request,
                                    const Options &options) {
  if (!request.ptx)
    return refuse("'", request.path(), "' is a cubin, whose machine code the ",
                  "interpreter does not read; give it the PTX");
  Launch launch;
  launch.module = &request.ptx->module;
  launch.entry = request.entry;
  std::copy(request.grid.begin(), request.grid.end(), launch.grid);
  std::copy(request.block.begin(), request.block.end(), launch.block);
  std::copy(request.cluster.begin(), request.cluster.end(), launch.cluster);
  launch.dynamicShared = request.dynamicShared;
  launch.options = options;
  std::vector<uint64_t> addresses = placeBuffers(request.arguments, launch);
  auto block = packParameters(
      request.slots, request.arguments, addresses,
      [](const TensorMap &map) -> Result<std::array<std::byte, 128>> {
        return encode(map);
      });
  if (!block)
    return block.failure();
  launch.params = std::move(*block);
  return launch;
}

//===----------------------------------------------------------------------===//
// The report
//===----------------------------------------------------------------------===//

static const char *statusName(Status status) {
  switch (status) {
  case Status::Done:
    return "done";
  case Status::Refused:
    return "refused";
  case Status::Stopped:
    return "stopped";
  case Status::OutOfBudget:
    return "out of budget";
  }
  return "unknown";
}

static Json describeFinding(const Finding &finding) {
  return {{"kind", spelling(finding.kind)}, {"line", finding.where.line},
          {"column", finding.where.column}, {"block", finding.block},
          {"thread", finding.thread},       {"address", finding.address},
          {"text", finding.text},           {"count", finding.count}};
}

static Json describeStatistics(const Statistics &statistics) {
  return {{"warp_instructions", statistics.warpInstructions},
          {"thread_instructions", statistics.threadInstructions},
          {"global_loads", statistics.globalLoads},
          {"global_stores", statistics.globalStores},
          {"shared_loads", statistics.sharedLoads},
          {"shared_stores", statistics.sharedStores},
          {"local_accesses", statistics.localAccesses},
          {"atomics", statistics.atomics},
          {"async_copies", statistics.asyncCopies},
          {"async_bytes", statistics.asyncBytes},
          {"tensor_core", statistics.tensorCore},
          {"barriers", statistics.barriers},
          {"shared_wavefronts", statistics.sharedWavefronts},
          {"bank_conflicts", statistics.bankConflicts},
          {"branches", statistics.branches},
          {"divergent_branches", statistics.divergentBranches},
          {"resident_blocks", statistics.residentBlocks},
          {"shared_bytes_per_block", statistics.sharedPerBlock}};
}

static Json describeRun(const LaunchRequest &request, const Report &report,
                        double seconds) {
  Json json;
  json["file"] = request.path();
  json["entry"] = request.entry;
  json["grid"] = request.grid;
  json["block"] = request.block;
  json["status"] = statusName(report.status);
  json["seconds"] = seconds;
  json["diagnostics"] = Json::array();
  for (const Diagnostic &diagnostic : report.diagnostics)
    json["diagnostics"].push_back({{"line", diagnostic.where.line},
                                   {"column", diagnostic.where.column},
                                   {"text", diagnostic.text}});
  json["findings"] = Json::array();
  for (const Finding &finding : report.findings)
    json["findings"].push_back(describeFinding(finding));
  json["notes"] = report.notes;
  json["output"] = report.output;
  json["statistics"] = describeStatistics(report.statistics);
  return json;
}

static void printReport(const LaunchRequest &request, const Report &report,
                        double seconds) {
  const char *path = request.path().c_str();
  std::fwrite(report.output.data(), 1, report.output.size(), stdout);
  for (const Diagnostic &diagnostic : report.diagnostics)
    std::fprintf(stderr, "%s\n", diagnostic.format(path).c_str());
  for (const Finding &finding : report.findings) {
    std::string kind(spelling(finding.kind));
    std::fprintf(stderr,
                 "%s:%u:%u: finding: %s: %s (block %u,%u,%u, thread %u,%u,%u",
                 path, finding.where.line, finding.where.column, kind.c_str(),
                 finding.text.c_str(), finding.block[0], finding.block[1],
                 finding.block[2], finding.thread[0], finding.thread[1],
                 finding.thread[2]);
    if (finding.count > 1)
      std::fprintf(stderr, "; %llu times",
                   static_cast<unsigned long long>(finding.count));
    std::fputs(")\n", stderr);
  }
  for (const std::string &note : report.notes)
    std::fprintf(stderr, "%s: note: %s\n", path, note.c_str());
  if (report.status == Status::OutOfBudget)
    std::fprintf(stderr,
                 "%s: error: %s did not end within its budget; "
                 "--max-instructions gives it more\n",
                 path, request.entry.c_str());
  if (report.status == Status::Refused)
    return;
  std::printf(
      "%s: %s, %zu findings; %llu warp instructions in %.3f s, %llu "
      "bank conflicts\n",
      request.entry.c_str(), statusName(report.status), report.findings.size(),
      static_cast<unsigned long long>(report.statistics.warpInstructions),
      seconds,
      static_cast<unsigned long long>(report.statistics.bankConflicts));
}

static int exitCodeOf(const Report &report) {
  if (report.status == Status::Refused || report.status == Status::OutOfBudget)
    return exitRefused;
  return report.findings.empty() ? exitClean : exitFindings;
}

int heddle::ptx::runCommand(std::span<const std::string> words) {
  Result<CommandLine> line =
      CommandLine::parse(launchOptions(ownOptions), words);
  if (!line)
    return reportFailure("run", line.failure());
  if (line->has("--help")) {
    std::printf("%s%s%s", usage, launchHelp, ownHelp);
    return exitClean;
  }
  Result<Options> options = readOptions(*line);
  if (!options)
    return reportFailure("run", options.failure());
  Result<LaunchRequest> request = readLaunchRequest(*line);
  if (!request)
    return reportFailure("run", request.failure());
  Result<Launch> launch = prepareLaunch(*request, *options);
  if (!launch)
    return reportFailure("run", launch.failure());
  auto start = std::chrono::steady_clock::now();
  Report report = run(*launch);
  std::chrono::duration<double> elapsed =
      std::chrono::steady_clock::now() - start;
  // What a run that did not end left behind is no result.
  if (report.status == Status::Done)
    if (auto written = writeOutputs(request->arguments); !written)
      return reportFailure("run", written.failure());
  if (line->has("--json"))
    std::printf("%s\n", describeRun(*request, report, elapsed.count())
                            .dump(2, ' ', false, Json::error_handler_t::replace)
                            .c_str());
  else
    printReport(*request, report, elapsed.count());
  return exitCodeOf(report);
}
