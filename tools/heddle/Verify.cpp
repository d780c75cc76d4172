//===- Verify.cpp - heddle verify: against expected outputs ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "tools/heddle/Command.h"
#include "tools/heddle/Comparison.h"
#include "tools/heddle/ModelOptions.h"
#include "tools/heddle/Session.h"
#include "tools/heddle/TemporaryFolder.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace heddle::cli;

static constexpr StringLiteral helpText = R"(
A data set is a folder with input_0.pb, ... and the expected output_0.pb, ...
(TensorProto). Outputs match if |got - expected| <= atol + rtol * |expected|
everywhere, with NaN and infinities in the same places.

EXAMPLES:

  heddle verify bert/                   bert/model.onnx with every test_data_set_*
  heddle verify bert/model.onnx --data bert/test_data_set_1
  heddle verify bert/ --target=cpu:reference --rtol=1e-5

Exit code 3: an output does not match.
)";

namespace {

class VerifyCommand final : public Command {
public:
  VerifyCommand()
      : Command("verify", "compile a model and compare its outputs", helpText),
        model(cl::Positional, cl::Required, cl::value_desc("folder|MODEL.onnx"),
              cl::desc("<folder|MODEL.onnx>"), cl::sub(subCommand)),
        data("data",
             cl::desc("a data set (default: test_data_set_* beside the model)"),
             cl::value_desc("folder"), cl::sub(subCommand)),
        threads("threads",
                cl::desc("threads to run on (default: one per core)"),
                cl::value_desc("N"), cl::init(0), cl::sub(subCommand)),
        relative("rtol",
                 cl::desc("relative tolerance (default: 1e-4; 2e-2 for 16-bit "
                          "floats)"),
                 cl::value_desc("R"), cl::sub(subCommand)),
        absolute("atol",
                 cl::desc("absolute tolerance (default, of the largest "
                          "magnitude of the output: 1e-5; two machine "
                          "epsilons for 16-bit floats)"),
                 cl::value_desc("A"), cl::sub(subCommand)),
        modelOptions(subCommand) {}

  ExitCode run() override;

private:
  std::string getModelPath() const;
  Expected<std::vector<std::string>> getDataSets() const;
  Tolerance getTolerance() const;
  Expected<bool> verifyDataSet(Session &session, StringRef folder) const;

  cl::opt<std::string> model;
  cl::list<std::string> data;
  cl::opt<unsigned> threads;
  cl::opt<double> relative;
  cl::opt<double> absolute;
  ModelOptions modelOptions;
};

} // namespace

std::unique_ptr<Command> heddle::cli::createVerifyCommand() {
  return std::make_unique<VerifyCommand>();
}

std::string VerifyCommand::getModelPath() const {
  if (!sys::fs::is_directory(model))
    return model;
  SmallString<256> path(model.getValue());
  sys::path::append(path, "model.onnx");
  return std::string(path);
}

Expected<std::vector<std::string>> VerifyCommand::getDataSets() const {
  if (!data.empty())
    return std::vector<std::string>(data.begin(), data.end());
  std::vector<std::string> folders;
  std::string modelPath = getModelPath();
  StringRef beside = sys::path::parent_path(modelPath);
  std::error_code error;
  for (sys::fs::directory_iterator it(beside.empty() ? "." : beside, error),
       end;
       it != end && !error; it.increment(error))
    if (sys::path::filename(it->path()).starts_with("test_data_set_"))
      folders.push_back(it->path());
  llvm::sort(folders);
  if (folders.empty())
    return createStringError("no test_data_set_* beside '" + modelPath +
                             "': name one with --data");
  return folders;
}

Tolerance VerifyCommand::getTolerance() const {
  Tolerance tolerance;
  if (relative.getNumOccurrences())
    tolerance.relative = relative;
  if (absolute.getNumOccurrences())
    tolerance.absolute = absolute;
  return tolerance;
}

static std::vector<Tensor>::const_iterator
findByName(const std::vector<Tensor> &tensors, StringRef name) {
  return llvm::find_if(
      tensors, [&](const Tensor &tensor) { return tensor.name == name; });
}

/// Runs one data set and prints one line per output; false if one is wrong.
Expected<bool> VerifyCommand::verifyDataSet(Session &session,
                                            StringRef folder) const {
  Expected<std::vector<Tensor>> inputs = readTensorProtos(folder, "input_");
  if (!inputs)
    return inputs.takeError();
  Expected<std::vector<Tensor>> expected = readTensorProtos(folder, "output_");
  if (!expected)
    return expected.takeError();
  if (expected->empty())
    return createStringError("no output_0.pb in '" + folder + "'");
  Expected<std::vector<Tensor>> outputs = session.run(*inputs);
  if (!outputs)
    return joinErrors(createStringError("in data set '" + folder + "'"),
                      outputs.takeError());

  bool matches = true;
  for (auto [index, want] : llvm::enumerate(*expected)) {
    auto got = want.name.empty() && index < outputs->size()
                   ? outputs->begin() + index
                   : findByName(*outputs, want.name);
    if (got == outputs->end())
      return createStringError("the model has no output '" + want.name +
                               "', which '" + folder + "' expects");
    Comparison result = compare(*got, want, getTolerance());
    matches &= result.mismatch.empty();
    outs() << formatv("{0} {1}/{2} {3}: max error {4:e2}, {5:f2} of the "
                      "tolerance{6}{7}\n",
                      result.mismatch.empty() ? "ok  " : "FAIL",
                      sys::path::filename(folder), got->name,
                      describeType(want.dtype, want.shape),
                      result.maxAbsoluteError, result.maxToleranceShare,
                      result.mismatch.empty() ? "" : ": ", result.mismatch);
  }
  return matches;
}

ExitCode VerifyCommand::run() {
  Expected<std::vector<std::string>> dataSets = getDataSets();
  if (!dataSets)
    return reportError(dataSets.takeError());
  // A check trusts no cache: the model is compiled anew.
  TemporaryFolder folder;
  CompileOutput output = {folder.getPath("model.so"), EmitKind::Shared, {}, {}};
  ExitCode code = compileModel(modelOptions.getRequest(getModelPath()), output);
  if (code != ExitCode::Done)
    return code;
  Expected<Session> session = Session::open(output.path, threads);
  if (!session)
    return reportError(session.takeError());

  bool allMatch = true;
  for (const std::string &dataSet : *dataSets) {
    Expected<bool> matches = verifyDataSet(*session, dataSet);
    if (!matches)
      return reportError(matches.takeError());
    allMatch &= *matches;
  }
  return allMatch ? ExitCode::Done : ExitCode::Mismatch;
}
