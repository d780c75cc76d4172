// Ptxas.cpp - NVIDIA's assembler as a library call
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Ptxas.h"

#include "codegen/nvidia/ptx/Subprocess.h"

#include <cctype>
#include <charconv>

using namespace heddle::ptx;

static constexpr uint64_t maxCubinSize = uint64_t(1) << 30;
static constexpr std::chrono::seconds versionLimit(10);
/// Kernels of thousands of lines take minutes.
static constexpr std::chrono::seconds assemblyLimit(1800);

/// The number that `text` starts with, or 0.
static uint64_t leadingNumber(std::string_view text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Drops `prefix` from the front of `text` if it is there.
static bool consume(std::string_view &text, std::string_view prefix) {
  if (!text.starts_with(prefix))
    return false;
  text.remove_prefix(prefix.size());
  return true;
}

Result<Ptxas> heddle::ptx::findPtxas(const std::string &option) {
  Result<std::string> path = findProgram("ptxas", option);
  if (!path)
    return path.failure();
  Result<ProcessOutput> output = runProgram(*path, {"--version"}, versionLimit);
  if (!output)
    return output.failure();
  constexpr std::string_view marker = "release ";
  size_t at = output->text.find(marker);
  size_t dot = output->text.find('.', at == std::string::npos ? 0 : at);
  if (output->status != 0 || at == std::string::npos ||
      dot == std::string::npos)
    return refuse("'", *path, " --version' does not print the release of a ",
                  "CUDA toolkit");
  std::string_view text = output->text;
  VersionNumber toolkit = {
      static_cast<unsigned>(leadingNumber(text.substr(at + marker.size()))),
      static_cast<unsigned>(leadingNumber(text.substr(dot + 1)))};
  return Ptxas{*path, toolkit};
}

/// Reads `0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads` or
/// `Used 26 registers, used 1 barriers, 368 bytes smem`: each item is a number
/// and what it counts.
static void readUsage(std::string_view text, PtxasUsage &usage) {
  while (!text.empty()) {
    std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    size_t digit = item.find_first_of("0123456789");
    if (digit == std::string_view::npos)
      continue;
    uint64_t number = leadingNumber(item.substr(digit));
    if (item.ends_with("registers"))
      usage.registers = static_cast<unsigned>(number);
    else if (item.ends_with("barriers"))
      usage.barriers = static_cast<unsigned>(number);
    else if (item.ends_with("bytes stack frame"))
      usage.stackBytes = std::max(usage.stackBytes, number);
    else if (item.ends_with("bytes cumulative stack size"))
      usage.stackBytes = std::max(usage.stackBytes, number);
    else if (item.ends_with("bytes spill stores"))
      usage.spillStoreBytes = number;
    else if (item.ends_with("bytes spill loads"))
      usage.spillLoadBytes = number;
    else if (item.ends_with("bytes smem"))
      usage.sharedBytes = number;
  }
}

/// Drops the program's name, which is `ptxas` or, say, `ptxas-blackwell`.
static bool consumeProgram(std::string_view &line) {
  if (!line.starts_with("ptxas") || line.find(' ') == line.npos)
    return false;
  line.remove_prefix(line.find(' ') + 1);
  return true;
}

/// Reads `FILE, line N; error   : TEXT` or `info    : TEXT`, which follow the
/// program's name.
static std::optional<PtxasMessage> readMessage(std::string_view line) {
  PtxasMessage message;
  constexpr std::string_view lineMarker = ", line ";
  size_t at = line.find(lineMarker);
  size_t semicolon = at == std::string_view::npos ? at : line.find(';', at);
  if (semicolon != std::string_view::npos) {
    message.line = static_cast<unsigned>(
        leadingNumber(line.substr(at + lineMarker.size())));
    line.remove_prefix(semicolon + 1);
  }
  while (consume(line, " "))
    continue;
  for (const char *severity : {"fatal", "error", "warning", "info"}) {
    if (!consume(line, severity))
      continue;
    while (consume(line, " "))
      continue;
    if (!consume(line, ":"))
      return std::nullopt;
    consume(line, " ");
    message.severity = severity;
    message.text = line;
    return message;
  }
  return std::nullopt;
}

PtxasOutput heddle::ptx::parsePtxasOutput(const std::string &text) {
  PtxasOutput output;
  auto usageOf = [&](std::string_view function) -> PtxasUsage & {
    for (PtxasUsage &usage : output.usage)
      if (usage.function == function)
        return usage;
    return output.usage.emplace_back(PtxasUsage{std::string(function)});
  };
  std::string current;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::string_view rest = line;
    std::optional<PtxasMessage> message;
    if (consumeProgram(rest))
      message = readMessage(rest);
    if (!message) {
      if (!current.empty() && line.find("bytes stack frame") != line.npos)
        readUsage(rest, usageOf(current));
      continue;
    }
    std::string_view said = message->text;
    if (consume(said, "Compiling entry function '"))
      current = said.substr(0, said.find('\''));
    else if (consume(said, "Function properties for "))
      current = said;
    else if (said.starts_with("Used ") && !current.empty())
      readUsage(said, usageOf(current));
    else if (!said.starts_with("Compile time") &&
             said.find(" bytes gmem") == said.npos)
      output.messages.push_back(*message);
  }
  return output;
}

/// Refuses a text whose `.version` this assembler does not know, and one that
/// has none.
static Result<Done> checkVersion(const Ptxas &ptxas, const std::string &text) {
  std::optional<VersionNumber> version = findPtxVersion(text);
  if (!version)
    return refuse("expected a .version directive before the first function, ",
                  "got none");
  if (*version <= ptxas.newestPtx())
    return Done{};
  std::optional<VersionNumber> toolkit = toolkitForPtx(*version);
  return refuse(".version ", version->str(), " needs the ptxas of ",
                toolkit ? "CUDA " + toolkit->str() : "a CUDA after 13.4",
                " or newer, got '", ptxas.path, "' of CUDA ",
                ptxas.toolkit.str(), ", which accepts up to ",
                ptxas.newestPtx().str());
}

Result<PtxasOutput>
heddle::ptx::assemble(const Ptxas &ptxas, const std::string &text,
                      const std::string &architecture,
                      const std::vector<std::string> &extraOptions) {
  if (Result<Done> checked = checkVersion(ptxas, text); !checked)
    return checked.failure();
  std::string target = architecture;
  if (target.empty()) {
    std::optional<std::string> own = findPtxTarget(text);
    if (!own)
      return refuse("expected a .target directive with an sm_NN, got none");
    target = *own;
  }
  Result<TemporaryFolder> folder = TemporaryFolder::create();
  if (!folder)
    return folder.failure();
  std::string input = folder->file("input.ptx");
  std::string outputPath = folder->file("output.cubin");
  if (Result<Done> written = writeTextFile(input, text); !written)
    return written.failure();

  // The cubin records the options, so -v is always among them: one text gives
  // one cubin, whoever asks for it.
  std::vector<std::string> arguments = {"-v", "-arch=" + target};
  arguments.insert(arguments.end(), extraOptions.begin(), extraOptions.end());
  arguments.insert(arguments.end(), {input, "-o", outputPath});
  Result<ProcessOutput> process =
      runProgram(ptxas.path, arguments, assemblyLimit);
  if (!process)
    return process.failure();
  PtxasOutput output = parsePtxasOutput(process->text);
  if (process->status == 0) {
    Result<Bytes> cubin = readFile(outputPath, maxCubinSize);
    if (!cubin || cubin->empty())
      return refuse("'", ptxas.path, "' ended without a word of an error, but ",
                    "wrote no cubin");
    output.cubin = std::move(*cubin);
  } else if (output.messages.empty()) {
    output.messages.push_back({0, "fatal", "it " + process->describeEnd()});
  }
  return output;
}
