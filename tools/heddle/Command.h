//===- Command.h - the sub-commands of heddle -------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_TOOLS_HEDDLE_COMMAND_H
#define HEDDLE_TOOLS_HEDDLE_COMMAND_H

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/CommandLine.h"

#include <memory>

namespace heddle::cli {

/// What heddle tells the shell.
enum class ExitCode : int {
  Done = 0,
  /// The user's input is at fault; a diagnostic was printed.
  UserError = 1,
  /// Heddle is at fault.
  InternalError = 2,
  /// A comparison failed.
  Mismatch = 3,
  /// This machine lacks what the model was compiled for.
  NoDevice = 77,
};

/// Prints `heddle: message` to standard error; returns UserError.
ExitCode userError(const llvm::Twine &message);

/// One sub-command. Its options are members, made with `cl::sub(subCommand)`.
class Command {
public:
  /// `examples` is printed below the options by `heddle NAME --help`. All
  /// three texts are literals.
  Command(llvm::StringRef name, llvm::StringRef summary,
          llvm::StringRef examples)
      : subCommand(name, summary), examples(examples) {}
  virtual ~Command() = default;

  /// Does the work once the command line is parsed.
  virtual ExitCode run() = 0;

  /// True if the command line names this sub-command.
  bool isChosen() const { return static_cast<bool>(subCommand); }

  /// Takes the options out of LLVM's registry, with the values they have. The
  /// linker, which runs in this process, resets every option that is
  /// registered.
  void keepOptions();

  llvm::StringRef getName() const { return subCommand.getName(); }
  llvm::StringRef getExamples() const { return examples; }

protected:
  llvm::cl::SubCommand subCommand;

private:
  llvm::StringRef examples;
};

std::unique_ptr<Command> createCompileCommand();
std::unique_ptr<Command> createRunCommand();
std::unique_ptr<Command> createVerifyCommand();
std::unique_ptr<Command> createBenchCommand();
std::unique_ptr<Command> createInspectCommand();
std::unique_ptr<Command> createTargetsCommand();

} // namespace heddle::cli

#endif // HEDDLE_TOOLS_HEDDLE_COMMAND_H
