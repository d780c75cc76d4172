//===- Compiler.cpp - from a model file to an artefact --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "tools/heddle/Compiler.h"

#include "codegen/CompileProgram.h"
#include "codegen/Target.h"
#include "codegen/artefact/Artefact.h"
#include "dialects/RegisterDialects.h"
#include "frontends/onnx/Onnx.h"
#include "frontends/onnx/Passes.h"
#include "passes/Pipelines.h"
#include "tools/heddle/InstalledProgram.h"
#include "tools/heddle/Progress.h"
#include "tools/heddle/Session.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Pass/PassManager.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace heddle;
using namespace heddle::cli;

/// The first stage, and the one after those of passes/Pipelines.h.
static constexpr StringLiteral onnxStage = "onnx";
static constexpr StringLiteral llvmStage = "llvm";

/// Prints an error if there is no stage `name`; empty is no stage.
static ExitCode checkStage(StringRef name) {
  if (name.empty() || name == onnxStage || name == llvmStage)
    return ExitCode::Done;
  std::string known = onnxStage.str();
  for (const Stage &stage : getStages()) {
    if (stage.name == name)
      return ExitCode::Done;
    known += ", " + stage.name.str();
  }
  return userError("no stage is called '" + name + "': expected one of " +
                   known + ", " + llvmStage);
}

/// Adds the passes of a stage. The first one begins with the conversion, which
/// passes/ does not know of.
static void buildStage(const Stage &stage, ArrayRef<std::string> dims,
                       OpPassManager &manager) {
  if (&stage == getStages().begin()) {
    ConvertOnnxOptions options;
    options.dims.assign(dims.begin(), dims.end());
    manager.addPass(createConvertOnnx(options));
  }
  stage.build(manager);
}

static DialectRegistry makeRegistry() {
  DialectRegistry registry;
  registerAllDialects(registry);
  return registry;
}

namespace {

/// One compile, step by step. Each step prints what went wrong.
class Compilation {
public:
  Compilation(const CompileRequest &request, const CompileOutput &output)
      : request(request), output(output),
        pool(llvm::hardware_concurrency(request.threads)),
        context(makeRegistry(), MLIRContext::Threading::DISABLED),
        handler(&context, [this](Diagnostic &diagnostic) {
          progress.clear();
          printDiagnostic(llvm::errs(), this->request.model, diagnostic);
          return success();
        }) {
    context.setThreadPool(pool);
    // None can be loaded any more while kernels are compiled in parallel.
    context.loadAllAvailableDialects();
    // The generic form of an op helps developers only.
    context.printOpOnDiagnostic(false);
  }

  ExitCode run();

private:
  ExitCode enableRemarks();
  ExitCode findTargetAndFacts();
  ExitCode import();
  ExitCode checkDimNames();
  ExitCode runStages();
  ExitCode generateCode();
  ExitCode writeArtefact(CompiledProgram &compiled);
  void describeSources(Manifest &manifest) const;
  std::string describeOptions() const;

  /// True after the last stage that was asked for.
  bool isLastStage(StringRef name) const { return output.stopAfter == name; }
  ExitCode writeText();
  ExitCode reportWriteError(llvm::Error error);

  const CompileRequest &request;
  const CompileOutput &output;
  Progress progress;
  llvm::DefaultThreadPool pool;
  MLIRContext context;
  ScopedDiagnosticHandler handler;
  WeightStore weights;
  OwningOpRef<ModuleOp> module;
  const Target *target = nullptr;
  TargetAttr facts;
};

} // namespace

static ExitCode internalError(const Twine &message) {
  llvm::errs() << "heddle: internal error: " << message << '\n';
  return ExitCode::InternalError;
}

ExitCode Compilation::run() {
  ExitCode code = enableRemarks();
  if (code == ExitCode::Done)
    code = findTargetAndFacts();
  if (code == ExitCode::Done)
    code = import();
  if (code != ExitCode::Done)
    return code;
  return isLastStage(onnxStage) ? writeText() : runStages();
}

ExitCode Compilation::enableRemarks() {
  if (output.remarks.empty())
    return ExitCode::Done;
  std::string error;
  if (!llvm::Regex(output.remarks).isValid(error))
    return userError("expected a regular expression in --remarks, got '" +
                     output.remarks + "': " + error);
  remark::RemarkCategories categories;
  // A kind of remark without a filter of its own is not shown at all.
  categories.passed = categories.missed = categories.analysis =
      categories.failed = output.remarks;
  if (failed(remark::enableOptimizationRemarks(
          context, nullptr, std::make_unique<remark::RemarkEmittingPolicyAll>(),
          categories, /*printAsEmitRemarks=*/true)))
    return internalError("remarks cannot be enabled");
  return ExitCode::Done;
}

ExitCode Compilation::findTargetAndFacts() {
  std::string error;
  StringRef variant;
  target = findTarget(request.target, variant, error);
  if (!target)
    return userError(error);
  FailureOr<TargetAttr> found = target->getFacts(&context, variant, error);
  if (failed(found))
    return userError(error);
  facts = *found;
  return ExitCode::Done;
}

ExitCode Compilation::import() {
  progress.show("reading " + request.model);
  LoadOptions options;
  options.allowExternal = request.externalFolders;
  module = importModel(request.model, context, weights, options);
  if (!module)
    return ExitCode::UserError;
  (*module)->setAttr("heddle.target", facts);
  return checkDimNames();
}

/// A --dim that names no dimension would do nothing, unnoticed.
ExitCode Compilation::checkDimNames() {
  SetVector<StringRef> names;
  auto main = *module->getOps<func::FuncOp>().begin();
  for (unsigned i = 0, e = main.getNumArguments(); i < e; ++i)
    if (auto dims = main.getArgAttrOfType<ArrayAttr>(i, "onnx.dims"))
      for (StringRef name : dims.getAsValueRange<StringAttr>())
        if (name != "?" && !llvm::isDigit(name.front()))
          names.insert(name);
  for (StringRef dim : request.dims) {
    StringRef name = dim.split('=').first;
    if (!names.contains(name))
      return userError("no input has a dimension '" + name +
                       "': the model's are " + llvm::join(names, ", "));
  }
  return ExitCode::Done;
}

ExitCode Compilation::runStages() {
  for (const Stage &stage : getStages()) {
    progress.show("stage " + stage.name);
    PassManager manager(&context, ModuleOp::getOperationName());
    buildStage(stage, request.dims, manager);
    if (failed(manager.run(*module)))
      // Only the first stage meets what the model says.
      return &stage == getStages().begin()
                 ? ExitCode::UserError
                 : internalError("the stage '" + stage.name + "' failed");
    if (isLastStage(stage.name))
      return writeText();
  }
  return generateCode();
}

ExitCode Compilation::generateCode() {
  CodeKind kind =
      output.kind == EmitKind::Assembly ? CodeKind::Assembly : CodeKind::Object;
  if (isLastStage(llvmStage))
    kind = CodeKind::LLVMDialect;
  FailureOr<CompiledProgram> compiled = compileProgram(
      *module, *target, weights, kind, [&](size_t done, size_t total) {
        progress.show("kernels " + Twine(done) + "/" + Twine(total));
      });
  if (failed(compiled))
    return internalError("code generation failed");
  return writeArtefact(*compiled);
}

//===----------------------------------------------------------------------===//
// Output
//===----------------------------------------------------------------------===//

ExitCode Compilation::reportWriteError(llvm::Error error) {
  progress.clear();
  return reportError(std::move(error));
}

ExitCode Compilation::writeText() {
  progress.clear();
  llvm::Error error = llvm::writeToOutput(output.path, [&](raw_ostream &os) {
    // Locations are the names of the nodes, which conversion puts into the
    // sentences of run-time errors.
    module->print(os,
                  OpPrintingFlags().enableDebugInfo(isLastStage(onnxStage)));
    // As heddle-opt ends what it prints.
    os << '\n';
    return llvm::Error::success();
  });
  if (error)
    return userError("cannot write '" + output.path +
                     "': " + llvm::toString(std::move(error)));
  return ExitCode::Done;
}

/// What the artefact was made with, without what differs between runs that give
/// the same bytes.
std::string Compilation::describeOptions() const {
  std::string options = "--target=" + request.target;
  for (const std::string &dim : request.dims)
    options += " --dim " + dim;
  return options;
}

void Compilation::describeSources(Manifest &manifest) const {
  StringRef modelName = llvm::sys::path::filename(request.model);
  for (const WeightStore::FileRecord &file : weights.files()) {
    manifest.sources.push_back({file.name, file.size, file.sha256});
    if (file.name == modelName)
      manifest.model = file.sha256;
  }
}

ExitCode Compilation::writeArtefact(CompiledProgram &compiled) {
  progress.show("writing " + output.path);
  auto objects = llvm::map_to_vector(
      compiled.code, [](const Code &code) { return ArrayRef<char>(code); });
  if (isLastStage(llvmStage) && output.path == "-") {
    progress.clear();
    for (ArrayRef<char> text : objects)
      llvm::outs() << StringRef(text.data(), text.size());
    return ExitCode::Done;
  }
  if (output.kind == EmitKind::Assembly || isLastStage(llvmStage))
    return reportWriteError(writeAssembly(objects, output.path));
  if (output.kind == EmitKind::Object)
    return reportWriteError(writeObject(objects, output.path));

  Artefact artefact;
  artefact.objects.assign(objects.begin(), objects.end());
  artefact.manifest = std::move(compiled.manifest);
  artefact.manifest.compiler = "heddle " HEDDLE_VERSION;
  artefact.manifest.options = describeOptions();
  describeSources(artefact.manifest);
  artefact.weights = compiled.weights.getWeights();
  auto release = [&](ArrayRef<char> bytes) { weights.release(bytes); };
  artefact.releaseSource = release;
  artefact.threads = request.threads;
  if (output.kind == EmitKind::Executable)
    return reportWriteError(writeExecutable(
        artefact, getInstalledPath("heddle-runner"), output.path));
  return reportWriteError(writeSharedModule(artefact, output.path));
}

//===----------------------------------------------------------------------===//
// Entry points
//===----------------------------------------------------------------------===//

ExitCode heddle::cli::compileModel(const CompileRequest &request,
                                   const CompileOutput &output) {
  ExitCode code = checkStage(output.stopAfter);
  if (code != ExitCode::Done)
    return code;
  if (output.path == "-" && output.stopAfter.empty())
    return userError("expected a file to write to: only a program stopped "
                     "after a stage goes to standard output");
  return Compilation(request, output).run();
}

ExitCode heddle::cli::printPipeline(ArrayRef<std::string> dims,
                                    StringRef stopAfter) {
  ExitCode code = checkStage(stopAfter);
  if (code != ExitCode::Done)
    return code;
  MLIRContext context(makeRegistry());
  PassManager manager(&context, ModuleOp::getOperationName());
  for (const Stage &stage : getStages()) {
    if (stopAfter == onnxStage)
      break;
    buildStage(stage, dims, manager);
    if (stopAfter == stage.name)
      break;
  }
  manager.printAsTextualPipeline(llvm::outs());
  llvm::outs() << '\n';
  return ExitCode::Done;
}
