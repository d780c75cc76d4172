//===- Bench.cpp - heddle bench: how fast a model runs --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "tools/heddle/Command.h"
#include "tools/heddle/ModelOptions.h"
#include "tools/heddle/ModuleCache.h"
#include "tools/heddle/Session.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>
#include <cstring>
#include <random>

using namespace llvm;
using namespace heddle::cli;

static constexpr StringLiteral helpText = R"(
Inputs are made up: floats are uniform in [-1, 1), integers and booleans 1.
--data takes the inputs of a data set instead. Times are of this machine as
loaded as it is: compare only what was measured side by side.

EXAMPLES:

  heddle bench model.so --dim batch=1 --dim sequence=128
  heddle bench model.onnx --data bert/test_data_set_0 --threads=1
  heddle bench model.so --dim sequence=128 --json
)";

using Milliseconds = std::chrono::duration<double, std::milli>;

namespace {

/// What one bench measured, in milliseconds.
struct Measurement {
  double load = 0;
  double firstRun = 0;
  std::vector<double> runs; // ascending

  double median() const { return runs[runs.size() / 2]; }
};

class BenchCommand final : public Command {
public:
  BenchCommand()
      : Command("bench", "measure how fast a model loads and runs", helpText),
        model(cl::Positional, cl::Required, cl::desc("<MODEL.so|MODEL.onnx>"),
              cl::sub(subCommand)),
        dims("dim", cl::desc("the size of a symbolic dimension"),
             cl::value_desc("NAME=SIZE"), cl::sub(subCommand)),
        data("data", cl::desc("take the inputs of this data set"),
             cl::value_desc("folder"), cl::sub(subCommand)),
        threads("threads",
                cl::desc("threads to run on (default: one per core)"),
                cl::value_desc("N"), cl::init(0), cl::sub(subCommand)),
        runs("runs", cl::desc("runs to time (default: 20)"),
             cl::value_desc("N"), cl::init(20), cl::sub(subCommand)),
        json("json", cl::desc("print the times as JSON"), cl::sub(subCommand)),
        modelOptions(subCommand) {}

  ExitCode run() override;

private:
  Expected<std::vector<Tensor>> makeInputs(const Session &session) const;
  Expected<Tensor> makeInput(const heddle_tensor_info_t &info,
                             const StringMap<int64_t> &sizes) const;
  void print(const Measurement &result, uint32_t threadCount) const;
  void printJson(const Measurement &result, uint32_t threadCount) const;

  cl::opt<std::string> model;
  cl::list<std::string> dims;
  cl::opt<std::string> data;
  cl::opt<unsigned> threads;
  cl::opt<unsigned> runs;
  cl::opt<bool> json;
  ModelOptions modelOptions;
};

} // namespace

std::unique_ptr<Command> heddle::cli::createBenchCommand() {
  return std::make_unique<BenchCommand>();
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

/// Fills a tensor that has dtype and shape. The same numbers every time.
static void fill(Tensor &tensor) {
  size_t size = heddle_dtype_size(tensor.dtype);
  tensor.data.assign(tensor.getElementCount() * size, 0);
  std::mt19937 generator(1);
  std::uniform_real_distribution<double> values(-1, 1);
  const fltSemantics *semantics = getFloatSemantics(tensor.dtype);
  for (size_t i = 0; i < tensor.data.size(); i += size) {
    uint64_t bits = 1;
    if (semantics) {
      APFloat value(values(generator));
      bool losesInfo;
      value.convert(*semantics, APFloat::rmNearestTiesToEven, &losesInfo);
      bits = value.bitcastToAPInt().getZExtValue();
    }
    std::memcpy(&tensor.data[i], &bits, size);
  }
}

Expected<Tensor>
BenchCommand::makeInput(const heddle_tensor_info_t &info,
                        const StringMap<int64_t> &sizes) const {
  Tensor tensor;
  tensor.name = info.name;
  tensor.dtype = info.dtype;
  for (const heddle_dim_info_t &dim : ArrayRef(info.dims, info.rank)) {
    int64_t size = dim.size;
    if (size < 0) {
      auto it = sizes.find(dim.symbol ? dim.symbol : "");
      if (it == sizes.end())
        return createStringError(
            formatv("the size of '{0}' is open: give it with --dim {1}=SIZE",
                    info.name, dim.symbol ? dim.symbol : "?"));
      size = it->second;
    }
    tensor.shape.push_back(size);
  }
  fill(tensor);
  return tensor;
}

Expected<std::vector<Tensor>>
BenchCommand::makeInputs(const Session &session) const {
  if (!data.empty())
    return readTensorProtos(data, "input_");
  StringMap<int64_t> sizes;
  for (StringRef dim : dims) {
    auto [name, text] = dim.split('=');
    int64_t size;
    if (name.empty() || text.getAsInteger(10, size) || size < 0)
      return createStringError("expected --dim NAME=SIZE, got '" + dim + "'");
    sizes[name] = size;
  }
  std::vector<Tensor> inputs;
  for (size_t i = 0, e = session.getInputCount(); i < e; ++i) {
    Expected<Tensor> input = makeInput(session.getInputInfo(i), sizes);
    if (!input)
      return input.takeError();
    inputs.push_back(std::move(*input));
  }
  return inputs;
}

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

static double
getMillisecondsSince(std::chrono::steady_clock::time_point start) {
  return Milliseconds(std::chrono::steady_clock::now() - start).count();
}

ExitCode BenchCommand::run() {
  if (runs == 0)
    return userError("expected --runs of 1 or more, got 0");
  ExitCode code;
  std::optional<std::string> module =
      getModule(modelOptions.getRequest(model), code);
  if (!module)
    return code;

  Measurement result;
  auto start = std::chrono::steady_clock::now();
  Expected<Session> session = Session::open(*module, threads);
  if (!session)
    return reportError(session.takeError());
  result.load = getMillisecondsSince(start);

  Expected<std::vector<Tensor>> inputs = makeInputs(*session);
  if (!inputs)
    return reportError(inputs.takeError());
  for (unsigned i = 0; i <= runs; ++i) {
    start = std::chrono::steady_clock::now();
    Expected<std::vector<Tensor>> outputs = session->run(*inputs);
    if (!outputs)
      return reportError(outputs.takeError());
    double time = getMillisecondsSince(start);
    if (i == 0)
      result.firstRun = time;
    else
      result.runs.push_back(time);
  }
  llvm::sort(result.runs);
  if (json)
    printJson(result, session->getThreadCount());
  else
    print(result, session->getThreadCount());
  return ExitCode::Done;
}

//===----------------------------------------------------------------------===//
// Output
//===----------------------------------------------------------------------===//

void BenchCommand::print(const Measurement &result,
                         uint32_t threadCount) const {
  outs() << formatv("load       {0:f2} ms\n", result.load)
         << formatv("first run  {0:f2} ms\n", result.firstRun)
         << formatv("run        {0:f2} ms median, {1:f2} least, {2:f2} most of "
                    "{3} runs on {4} threads\n",
                    result.median(), result.runs.front(), result.runs.back(),
                    result.runs.size(), threadCount);
}

void BenchCommand::printJson(const Measurement &result,
                             uint32_t threadCount) const {
  json::OStream os(outs(), /*IndentSize=*/2);
  os.object([&] {
    os.attribute("model", model.getValue());
    os.attribute("threads", threadCount);
    os.attribute("load_ms", result.load);
    os.attribute("first_run_ms", result.firstRun);
    os.attribute("median_ms", result.median());
    os.attributeArray("runs_ms", [&] {
      for (double time : result.runs)
        os.value(time);
    });
  });
  outs() << '\n';
}
