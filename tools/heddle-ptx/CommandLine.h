// CommandLine.h - options of the sub-commands
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_TOOLS_HEDDLE_PTX_COMMANDLINE_H
#define HEDDLE_TOOLS_HEDDLE_PTX_COMMANDLINE_H

#include "codegen/nvidia/ptx/Result.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace heddle::ptx {

/// Exit codes of every command.
enum ExitCode {
  exitClean = 0,
  exitRefused = 1,
  exitInternal = 2,
  exitFindings = 3,
  exitNoDevice = 77,
};

/// An option that a command knows.
struct OptionSpec {
  /// With its dashes.
  const char *name;
  bool takesValue = true;
  bool isRepeatable = false;
};

/// A command line, split by a list of known options. `--name=value` and
/// `--name value` mean the same; `--` ends the options.
class CommandLine {
public:
  static Result<CommandLine> parse(std::span<const OptionSpec> known,
                                   std::span<const std::string> words);

  const std::vector<std::string> &positionals() const { return words; }
  /// The one word that is no option; `what` names it in the failure.
  Result<std::string> onlyPositional(const char *what) const;

  bool has(const std::string &name) const { return options.count(name) > 0; }
  /// The value of an option, or `fallback`.
  std::string value(const std::string &name,
                    const std::string &fallback = "") const;
  /// All values of a repeatable option, in order.
  std::vector<std::string> values(const std::string &name) const;
  /// The unsigned number given to an option; nothing if it is not there.
  Result<std::optional<uint64_t>> number(const std::string &name,
                                         uint64_t most) const;
  /// `X`, `X,Y` or `X,Y,Z`, each at least 1; absent extents are 1.
  Result<std::optional<std::array<uint32_t, 3>>>
  extents(const std::string &name) const;

private:
  std::map<std::string, std::vector<std::string>> options;
  std::vector<std::string> words;
};

/// The sub-commands. Each prints its own diagnostics and returns an exit code.
int inspectCommand(std::span<const std::string> words);
int assembleCommand(std::span<const std::string> words);
int runCommand(std::span<const std::string> words);
int launchCommand(std::span<const std::string> words);

/// Prints `heddle-ptx COMMAND: error: TEXT` and returns `exitRefused`.
int reportFailure(const char *command, const Failure &failure);

} // namespace heddle::ptx

#endif // HEDDLE_TOOLS_HEDDLE_PTX_COMMANDLINE_H
