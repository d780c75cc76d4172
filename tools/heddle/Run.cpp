//===- Run.cpp - heddle run: one call of a model --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "tools/heddle/Command.h"
#include "tools/heddle/InstalledProgram.h"
#include "tools/heddle/ModelOptions.h"
#include "tools/heddle/ModuleCache.h"

using namespace llvm;
using namespace heddle::cli;

static constexpr StringLiteral helpText = R"(
A model file is compiled first, unless that has been done before: its module is
kept in a cache (HEDDLE_CACHE). Every input needs a file; the outputs become
FOLDER/NAME.npy.

EXAMPLES:

  heddle run model.so --input ids=ids.npy --input mask=mask.npy --output results/
  heddle run model.onnx --input x=x.npy --output results/ --threads=1
)";

namespace {

class RunCommand final : public Command {
public:
  RunCommand()
      : Command("run", "run a model on inputs from files", helpText),
        model(cl::Positional, cl::Required, cl::desc("<MODEL.so|MODEL.onnx>"),
              cl::sub(subCommand)),
        inputs("input", cl::desc("the file with the value of an input"),
               cl::value_desc("NAME=FILE.npy"), cl::sub(subCommand)),
        output("output", cl::desc("where the outputs go"),
               cl::value_desc("folder"), cl::Required, cl::sub(subCommand)),
        threads("threads",
                cl::desc("threads to run on (default: one per core)"),
                cl::value_desc("N"), cl::init(0), cl::sub(subCommand)),
        modelOptions(subCommand) {}

  ExitCode run() override;

private:
  cl::opt<std::string> model;
  cl::list<std::string> inputs;
  cl::opt<std::string> output;
  cl::opt<unsigned> threads;
  ModelOptions modelOptions;
};

} // namespace

std::unique_ptr<Command> heddle::cli::createRunCommand() {
  return std::make_unique<RunCommand>();
}

/// The runner does the rest in its own process: what runs a model here is what
/// runs it where there is no compiler.
ExitCode RunCommand::run() {
  ExitCode code;
  std::optional<std::string> module =
      getModule(modelOptions.getRequest(model), code);
  if (!module)
    return code;
  std::vector<std::string> arguments = {*module};
  for (const std::string &input : inputs)
    arguments.insert(arguments.end(), {"--input", input});
  arguments.insert(arguments.end(), {"--output", output});
  if (threads != 0)
    arguments.insert(arguments.end(), {"--threads", std::to_string(threads)});
  return becomeProgram("heddle-runner", arguments);
}
