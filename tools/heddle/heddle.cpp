//===- heddle.cpp - the command line of Heddle ----------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "tools/DebugOption.h"
#include "tools/heddle/Command.h"
#include "tools/heddle/InstalledProgram.h"

#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/raw_ostream.h"

#include <exception>
#include <new>
#include <unistd.h>

using namespace llvm;
using namespace heddle::cli;

static constexpr StringLiteral overview =
    "Heddle compiles transformer models to native code ahead of time\n";

static constexpr StringLiteral overviewExamples = R"(
EXAMPLES:

  heddle compile model.onnx -o model.so          for this machine's processor
  heddle run model.so --input ids=ids.npy --output results/
  heddle verify model/                           against the data sets beside it
  heddle bench model.so --dim sequence=128
  heddle inspect model.so
  heddle targets
  heddle ptx --help                              the PTX tools

'heddle COMMAND --help' tells more. Exit codes: 0 done, 1 the input is at fault,
2 heddle is at fault, 3 a comparison failed, 77 no such device here.
)";

ExitCode heddle::cli::userError(const Twine &message) {
  errs() << "heddle: " << message << '\n';
  return ExitCode::UserError;
}

void Command::keepOptions() {
  // Removal changes the lists that are walked here.
  SmallVector<cl::Option *, 4> options(subCommand.PositionalOpts);
  append_range(options, make_second_range(subCommand.OptionsMap));
  for (cl::Option *option : options)
    option->removeArgument();
}

/// Where LLVM would abort: a message and an exit code instead.
static void reportInternalError(void *, const char *reason, bool) {
  errs() << "heddle: internal error: " << reason << '\n';
  _exit(static_cast<int>(ExitCode::InternalError));
}

/// Runs the chosen command; an exception that escapes it is our fault.
static ExitCode runCommand(Command &command) {
  try {
    return command.run();
  } catch (const std::bad_alloc &) {
    errs() << "heddle: internal error: out of memory\n";
  } catch (const std::exception &error) {
    errs() << "heddle: internal error: " << error.what() << '\n';
  }
  return ExitCode::InternalError;
}

int main(int argc, char **argv) {
  install_fatal_error_handler(reportInternalError);
  if (argc > 1 && StringRef(argv[1]) == "ptx")
    return static_cast<int>(
        becomeProgram("heddle-ptx", {argv + 2, argv + argc}));

  std::unique_ptr<Command> commands[] = {
      createCompileCommand(), createRunCommand(),     createVerifyCommand(),
      createBenchCommand(),   createInspectCommand(), createTargetsCommand()};

  // Options that LLVM's libraries register are no part of heddle.
  for (cl::Option *option : make_second_range(cl::getRegisteredOptions()))
    if (option->ArgStr != "heddle-debug")
      option->setHiddenFlag(cl::ReallyHidden);
  StringRef help = overviewExamples;
  for (std::unique_ptr<Command> &command : commands)
    if (argc > 1 && command->getName() == argv[1])
      help = command->getExamples();
  cl::extrahelp extraHelp(help);
  cl::SetVersionPrinter(
      [](raw_ostream &os) { os << "heddle " HEDDLE_VERSION "\n"; });

  if (!cl::ParseCommandLineOptions(argc, argv, overview, &errs()))
    return static_cast<int>(ExitCode::UserError);
  for (std::unique_ptr<Command> &command : commands)
    if (command->isChosen()) {
      command->keepOptions();
      return static_cast<int>(runCommand(*command));
    }
  cl::PrintHelpMessage();
  return static_cast<int>(ExitCode::UserError);
}
