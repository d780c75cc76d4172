//===- Compile.cpp - heddle compile: from a model to an artefact ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "tools/heddle/Command.h"
#include "tools/heddle/Compiler.h"
#include "tools/heddle/ModelOptions.h"

using namespace llvm;
using namespace heddle::cli;

static constexpr StringLiteral helpText = R"help(
The weights go to a file beside OUT; weights of the model that lie in files of
their own are read from the model's folder.

RANGE is SIZE or FIRST..LAST, and %N after it allows multiples of N only. A
stage is onnx, import, fusion, tiling, memory, outline or llvm.

EXAMPLES:

  heddle compile model.onnx -o model.so
  heddle compile model.onnx -o model.so --dim batch=1 --dim sequence=1..4096%8
  heddle compile model.onnx -o model --emit=exe       a program that runs the model
  heddle compile model.onnx -o - --stop-after=fusion  the kernels, as text
  heddle compile model.onnx -o model.so --remarks='heddle-.*'    why, kernel by kernel
  heddle compile model.onnx -o model.mlir --stop-after=onnx
  heddle-opt model.mlir --pass-pipeline="$(heddle compile --print-pipeline)"
)help";

namespace {

class CompileCommand final : public Command {
public:
  CompileCommand()
      : Command("compile", "compile a model to native code", helpText),
        model(cl::Positional, cl::desc("<MODEL.onnx>"), cl::sub(subCommand)),
        output("o", cl::desc("the file to write; - is standard output"),
               cl::value_desc("OUT"), cl::sub(subCommand)),
        dims("dim", cl::desc("narrow a symbolic dimension"),
             cl::value_desc("NAME=RANGE"), cl::sub(subCommand)),
        emit("emit", cl::desc("what to write (default: shared)"),
             cl::values(
                 clEnumValN(EmitKind::Shared, "shared",
                            "a module for the runtime"),
                 clEnumValN(EmitKind::Executable, "exe",
                            "a program that runs the model"),
                 clEnumValN(EmitKind::Object, "obj",
                            "the code as an object file"),
                 clEnumValN(EmitKind::Assembly, "asm",
                            "the code as assembly text, kernel by kernel")),
             cl::init(EmitKind::Shared), cl::sub(subCommand)),
        remarks("remarks",
                cl::desc("tell what passes whose names match decided, and why"),
                cl::value_desc("regex"), cl::sub(subCommand)),
        stopAfter("stop-after",
                  cl::desc("write the program after this stage as text"),
                  cl::value_desc("stage"), cl::sub(subCommand)),
        wantsPipeline("print-pipeline",
                      cl::desc("print the passes as heddle-opt takes them, "
                               "and compile nothing"),
                      cl::sub(subCommand)),
        modelOptions(subCommand) {}

  ExitCode run() override;

private:
  cl::opt<std::string> model;
  cl::opt<std::string> output;
  cl::list<std::string> dims;
  cl::opt<EmitKind> emit;
  cl::opt<std::string> remarks;
  cl::opt<std::string> stopAfter;
  cl::opt<bool> wantsPipeline;
  ModelOptions modelOptions;
};

} // namespace

std::unique_ptr<Command> heddle::cli::createCompileCommand() {
  return std::make_unique<CompileCommand>();
}

ExitCode CompileCommand::run() {
  if (wantsPipeline)
    return printPipeline(to_vector(dims), stopAfter);
  if (model.empty())
    return userError("expected a model: heddle compile MODEL.onnx -o OUT");
  if (output.empty())
    return userError("expected an output file: -o OUT");
  CompileRequest request = modelOptions.getRequest(model);
  request.dims.assign(dims.begin(), dims.end());
  return compileModel(request, {output, emit, stopAfter, remarks});
}
