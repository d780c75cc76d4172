// AssembleCommand.cpp - heddle-ptx assemble
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Ptxas.h"
#include "tools/heddle-ptx/CommandLine.h"

#include <cstdio>

#include <nlohmann/json.hpp>

using namespace heddle::ptx;
using Json = nlohmann::ordered_json;

static constexpr uint64_t maxPtxSize = uint64_t(1) << 30;

static constexpr const char *help =
    R"(usage: heddle-ptx assemble FILE.ptx [-o FILE.cubin] [OPTION...]

Assembles PTX with NVIDIA's ptxas and maps its messages to lines of the PTX.
The .version is compared with what that ptxas accepts before it is called. The
cubin depends on the text, the target and ptxas only.

  -o FILE           where the cubin goes (FILE.cubin beside the input)
  --arch=sm_NN      target (default: the .target of the PTX)
  --ptxas=PATH      the program or its folder (default: PATH, then the bin folder
                    of CUDA_HOME, CUDA_PATH, CUDA_ROOT)
  --option=WORD     one more option for ptxas; may be repeated
  --json            the result as JSON on standard output

  heddle-ptx assemble kernel.ptx
  heddle-ptx assemble kernel.ptx --arch=sm_90a -o kernel.cubin --option=-O1
  CUDA_HOME=/opt/cuda heddle-ptx assemble kernel.ptx --json

Exit codes: 0 assembled, 1 refused.
)";

static constexpr OptionSpec options[] = {
    {"-o"},
    {"--arch"},
    {"--ptxas"},
    {"--option", true, true},
    {"--json", false},
    {"--help", false},
};

/// The text of line `number`, counted from 1.
static std::string lineOf(const std::string &text, unsigned number) {
  std::istringstream lines(text);
  std::string line;
  for (unsigned i = 0; i < number; ++i)
    if (!std::getline(lines, line))
      return "";
  return line;
}

/// Prints a message the way editors understand it, with the line it is about.
static void printMessage(const std::string &path, const std::string &text,
                         const PtxasMessage &message) {
  const char *severity = message.severity == "warning" ? "warning"
                         : message.severity == "info"  ? "note"
                                                       : "error";
  if (message.line == 0) {
    std::fprintf(stderr, "%s: %s: ptxas: %s\n", path.c_str(), severity,
                 message.text.c_str());
    return;
  }
  std::fprintf(stderr, "%s:%u: %s: ptxas: %s\n", path.c_str(), message.line,
               severity, message.text.c_str());
  std::fprintf(stderr, "%s\n", lineOf(text, message.line).c_str());
}

static Json describe(const Ptxas &ptxas, const PtxasOutput &output) {
  Json report;
  report["assembled"] = !output.cubin.empty();
  report["ptxas"] = {{"path", ptxas.path}, {"cuda", ptxas.toolkit.str()}};
  report["messages"] = Json::array();
  for (const PtxasMessage &message : output.messages)
    report["messages"].push_back({{"line", message.line},
                                  {"severity", message.severity},
                                  {"text", message.text}});
  report["functions"] = Json::array();
  for (const PtxasUsage &usage : output.usage)
    report["functions"].push_back({{"name", usage.function},
                                   {"registers", usage.registers},
                                   {"barriers", usage.barriers},
                                   {"stack_bytes", usage.stackBytes},
                                   {"spill_store_bytes", usage.spillStoreBytes},
                                   {"spill_load_bytes", usage.spillLoadBytes},
                                   {"static_shared_bytes", usage.sharedBytes}});
  return report;
}

/// `kernel.cubin` for `kernel.ptx`.
static std::string defaultOutput(const std::string &path) {
  std::string base = path;
  if (base.ends_with(".ptx"))
    base.resize(base.size() - 4);
  return base + ".cubin";
}

static int assembleFile(const CommandLine &line, const std::string &path) {
  Result<std::string> text = readTextFile(path, maxPtxSize);
  if (!text)
    return reportFailure("assemble", text.failure());
  Result<Ptxas> ptxas = findPtxas(line.value("--ptxas"));
  if (!ptxas)
    return reportFailure("assemble", ptxas.failure());
  Result<PtxasOutput> output =
      assemble(*ptxas, *text, line.value("--arch"), line.values("--option"));
  if (!output)
    return reportFailure("assemble",
                         refuse("'", path, "': ", output.failure().message));
  for (const PtxasMessage &message : output->messages)
    printMessage(path, *text, message);
  if (!output->cubin.empty())
    if (Result<Done> written =
            writeFile(line.value("-o", defaultOutput(path)), output->cubin);
        !written)
      return reportFailure("assemble", written.failure());
  if (line.has("--json"))
    std::printf("%s\n", describe(*ptxas, *output)
                            .dump(2, ' ', false, Json::error_handler_t::replace)
                            .c_str());
  return output->cubin.empty() ? exitRefused : exitClean;
}

int heddle::ptx::assembleCommand(std::span<const std::string> words) {
  Result<CommandLine> line = CommandLine::parse(options, words);
  if (!line)
    return reportFailure("assemble", line.failure());
  if (line->has("--help")) {
    std::fputs(help, stdout);
    return exitClean;
  }
  Result<std::string> path = line->onlyPositional("one .ptx file");
  if (!path)
    return reportFailure("assemble", path.failure());
  return assembleFile(*line, *path);
}
