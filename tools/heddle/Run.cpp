//===- Run.cpp - heddle run: one call of a model --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "tools/heddle/Command.h"
#include "tools/heddle/ModelOptions.h"
#include "tools/heddle/ModuleCache.h"

#include "runtime/run/runner.h"

#include "llvm/ADT/STLExtras.h"

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
        output("output",
               cl::desc("where the outputs go (default: they are "
                        "described, not kept)"),
               cl::value_desc("folder"), cl::sub(subCommand)),
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

ExitCode RunCommand::run() {
  std::vector<heddle_run_input_t> files;
  std::vector<std::string> names;
  for (const std::string &input : inputs)
    names.push_back(StringRef(input).split('=').first.str());
  for (auto [name, input] : llvm::zip(names, inputs)) {
    if (name.empty() || name.size() + 1 >= input.size())
      return userError("expected --input NAME=FILE.npy, got '" + input + "'");
    files.push_back({name.c_str(), input.c_str() + name.size() + 1});
  }
  ExitCode code;
  std::optional<std::string> module =
      getModule(modelOptions.getRequest(model), code);
  if (!module)
    return code;
  heddle_run_request_t request = {};
  request.model_path = module->c_str();
  request.inputs = files.data();
  request.input_count = files.size();
  request.output_folder = output.empty() ? nullptr : output.c_str();
  request.threads = threads;
  return static_cast<ExitCode>(heddle_run(&request));
}
