//===- heddle-shapes.cpp - prints what the shape analysis finds -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A program for tests: as text, one line per node and guard for FileCheck; with
// --inputs, as JSON, with everything evaluated at the given sizes for a
// comparison with another implementation.
//
//===----------------------------------------------------------------------===//

#include "dialects/RegisterDialects.h"
#include "dialects/onnx/OnnxDialect.h"
#include "frontends/onnx/Onnx.h"
#include "frontends/onnx/shapes/RuleContext.h"
#include "frontends/onnx/shapes/ShapeAnalysis.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace heddle;
namespace cl = llvm::cl;
namespace json = llvm::json;

static cl::opt<std::string>
    inputFile(cl::Positional, cl::Required,
              cl::desc("MODEL.onnx|MODEL.onnxtxt|MODEL.mlir"));
static cl::list<std::string>
    dimOptions("dim", cl::desc("range of a symbol"),
               cl::value_desc("NAME=LOWER[..UPPER][%DIVISOR]"));
static cl::opt<std::string>
    inputsFile("inputs",
               cl::desc("JSON file: a list of objects from input to sizes"),
               cl::value_desc("FILE"));

static cl::list<std::string>
    allowExternal("allow-external",
                  cl::desc("folder in which external data may lie"),
                  cl::value_desc("FOLDER"));

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

static bool parseRange(StringRef text, SymRange &range) {
  auto [bounds, divisor] = text.split('%');
  auto [lower, upper] = bounds.split("..");
  if (lower.getAsInteger(10, range.lower))
    return false;
  if (!bounds.contains(".."))
    range.upper = range.lower;
  int64_t value;
  if (!upper.empty()) {
    if (upper.getAsInteger(10, value))
      return false;
    range.upper = value;
  }
  return divisor.empty() || !divisor.getAsInteger(10, range.divisor);
}

static bool parseRanges(ShapeAnalysis::DimRanges &ranges) {
  for (StringRef option : dimOptions) {
    auto [name, text] = option.split('=');
    SymRange range;
    if (!parseRange(text, range)) {
      llvm::errs() << "heddle-shapes: bad range '" << option << "'\n";
      return false;
    }
    ranges[name] = range;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

static void printTensor(llvm::raw_ostream &os, const AbstractTensor &tensor) {
  if (tensor.elementType)
    os << tensor.elementType;
  else
    os << "?";
  if (!tensor.shape)
    os << "[*]";
  else {
    os << "[";
    llvm::interleaveComma(*tensor.shape, os);
    os << "]";
  }
  if (tensor.values) {
    os << " = {";
    llvm::interleaveComma(*tensor.values, os);
    os << "}";
  }
}

static void printText(func::FuncOp function, const ShapeAnalysis &analysis) {
  llvm::raw_ostream &os = llvm::outs();
  os << "function " << function.getSymName() << "\n";
  for (const SymbolBinding &binding : analysis.bindings())
    os << "symbol " << binding.symbol->name() << ": axis " << binding.axis
       << " of input " << binding.argument << " less " << binding.offset
       << "\n";
  for (BlockArgument argument : function.getArguments()) {
    os << "input " << argument.getArgNumber() << ": ";
    printTensor(os, analysis.lookup(argument));
    os << "\n";
  }
  function.walk([&](onnx::NodeOp node) {
    os << node.getOpType() << ": ";
    llvm::interleave(
        node.getResults(), os,
        [&](Value result) { printTensor(os, analysis.lookup(result)); }, "; ");
    os << "\n";
  });
  for (const ShapeGuard &guard : analysis.guards())
    os << "guard " << guard.lhs
       << (guard.predicate == ShapeGuard::Predicate::Equal ? " == " : " <= ")
       << guard.rhs << ": " << guard.sentence << "\n";
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

namespace {
/// The values of symbols at one set of input sizes.
class Sizes {
public:
  /// Reads the symbols off the inputs as a compiled program will.
  Sizes(func::FuncOp function, const ShapeAnalysis &analysis,
        const json::Object &inputs) {
    for (const SymbolBinding &binding : analysis.bindings()) {
      auto name =
          function.getArgAttrOfType<StringAttr>(binding.argument, "onnx.name");
      const json::Array *shape =
          name ? inputs.getArray(name.getValue()) : nullptr;
      if (!shape || binding.axis >= shape->size())
        continue;
      std::optional<int64_t> size = (*shape)[binding.axis].getAsInteger();
      std::optional<int64_t> offset = evaluate(binding.offset);
      if (size && offset)
        symbols[binding.symbol] = *size - *offset;
    }
  }

  std::optional<int64_t> evaluate(SymExpr expr) const {
    return heddle::evaluate(expr,
                            [&](const SymAtom &atom) -> std::optional<int64_t> {
                              auto found = symbols.find(&atom);
                              if (found == symbols.end())
                                return std::nullopt;
                              return found->second;
                            });
  }

  /// The values as JSON, null for one that has none.
  json::Array evaluate(ArrayRef<SymExpr> exprs) const {
    json::Array result;
    for (SymExpr expr : exprs) {
      std::optional<int64_t> value = evaluate(expr);
      result.push_back(value ? json::Value(*value) : json::Value(nullptr));
    }
    return result;
  }

  /// Whether the sizes break a guard. One about sizes that only the data decide
  /// is not broken.
  bool breaks(const ShapeGuard &guard) const {
    std::optional<int64_t> lhs = evaluate(guard.lhs), rhs = evaluate(guard.rhs);
    if (!lhs || !rhs)
      return guard.lhs.isComputable() && guard.rhs.isComputable();
    return guard.predicate == ShapeGuard::Predicate::Equal ? *lhs != *rhs
                                                           : *lhs > *rhs;
  }

private:
  llvm::DenseMap<const SymAtom *, int64_t> symbols;
};
} // namespace

static json::Object describe(const AbstractTensor &tensor, const Sizes &sizes) {
  json::Object result;
  if (tensor.elementType)
    result["type"] = llvm::formatv("{0}", tensor.elementType).str();
  if (tensor.shape) {
    result["shape"] = sizes.evaluate(*tensor.shape);
    result["symbolic"] =
        llvm::formatv("{0:$[, ]}", llvm::make_range(tensor.shape->begin(),
                                                    tensor.shape->end()))
            .str();
  }
  if (tensor.values)
    result["values"] = sizes.evaluate(*tensor.values);
  return result;
}

static json::Object describeSet(func::FuncOp function,
                                const ShapeAnalysis &analysis,
                                const json::Object &inputs) {
  Sizes sizes(function, analysis, inputs);
  json::Array broken, nodes, arguments;
  for (const ShapeGuard &guard : analysis.guards())
    if (sizes.breaks(guard))
      broken.push_back(guard.sentence);
  for (BlockArgument argument : function.getArguments())
    arguments.push_back(describe(analysis.lookup(argument), sizes));
  function.walk([&](onnx::NodeOp node) {
    json::Array results;
    for (Value result : node.getResults())
      results.push_back(describe(analysis.lookup(result), sizes));
    bool known = lookupShapeRule(node.getDomain(), node.getOpType());
    nodes.push_back(json::Object{{"op", node.getOpType()},
                                 {"has_rule", known},
                                 {"results", std::move(results)}});
  });
  return json::Object{{"broken_guards", std::move(broken)},
                      {"inputs", std::move(arguments)},
                      {"nodes", std::move(nodes)}};
}

static bool printJson(func::FuncOp function, const ShapeAnalysis &analysis) {
  auto buffer = llvm::MemoryBuffer::getFile(inputsFile);
  if (!buffer) {
    llvm::errs() << "heddle-shapes: cannot read '" << inputsFile << "'\n";
    return false;
  }
  llvm::Expected<json::Value> sets = json::parse((*buffer)->getBuffer());
  if (!sets || !sets->getAsArray()) {
    llvm::consumeError(sets.takeError());
    llvm::errs() << "heddle-shapes: '" << inputsFile
                 << "' is not a list of objects\n";
    return false;
  }
  json::Array results, guards;
  for (const json::Value &set : *sets->getAsArray())
    if (const json::Object *inputs = set.getAsObject())
      results.push_back(describeSet(function, analysis, *inputs));
  for (const ShapeGuard &guard : analysis.guards())
    guards.push_back(guard.sentence);
  llvm::outs() << json::Value(json::Object{{"guards", std::move(guards)},
                                           {"sets", std::move(results)}})
               << "\n";
  return true;
}

//===----------------------------------------------------------------------===//
// Main
//===----------------------------------------------------------------------===//

/// Prints all functions of `module`. Goes on after an error, so that one file
/// can hold many wrong functions.
static bool printModule(ModuleOp module,
                        const ShapeAnalysis::DimRanges &ranges) {
  bool allGood = true;
  for (func::FuncOp function : module.getOps<func::FuncOp>()) {
    auto analysis = ShapeAnalysis::run(function, ranges);
    if (failed(analysis))
      allGood = false;
    else if (inputsFile.empty())
      printText(function, **analysis);
    else
      allGood &= printJson(function, **analysis);
  }
  return allGood;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv, "prints symbolic shapes\n");
  ShapeAnalysis::DimRanges ranges;
  if (!parseRanges(ranges))
    return 1;

  DialectRegistry registry;
  registerAllDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  OwningOpRef<ModuleOp> module;
  if (StringRef(inputFile).ends_with(".mlir")) {
    llvm::SourceMgr sources;
    SourceMgrDiagnosticHandler handler(sources, &context);
    module = parseSourceFile<ModuleOp>(inputFile, sources, &context);
    return module && printModule(*module, ranges) ? 0 : 1;
  }
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    printDiagnostic(llvm::errs(), inputFile, diagnostic);
  });
  WeightStore weights;
  LoadOptions options;
  options.allowExternal.assign(allowExternal.begin(), allowExternal.end());
  module = importModel(inputFile, context, weights, options);
  return module && printModule(*module, ranges) ? 0 : 1;
}
