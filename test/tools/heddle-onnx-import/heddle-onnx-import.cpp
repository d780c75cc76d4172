//===- heddle-onnx-import.cpp - prints a model as the onnx dialect --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// For tests of the frontend: what `importModel` makes of a model, or its
// diagnostics. Every limit can be set, so that a test of it needs no large
// file.
//
//===----------------------------------------------------------------------===//

#include "dialects/onnx/OnnxDialect.h"
#include "frontends/onnx/Onnx.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SHA256.h"

using namespace llvm;

static heddle::LoadLimits limits;

static cl::list<std::string> models(cl::Positional, cl::OneOrMore,
                                    cl::desc("MODEL.onnx|MODEL.onnxtxt..."));
static cl::list<std::string>
    allowExternal("allow-external",
                  cl::desc("folder in which external data may lie"),
                  cl::value_desc("folder"));
static cl::opt<bool> printLocations("print-locations",
                                    cl::desc("print locations of operations"));
static cl::opt<bool> printFiles("print-files",
                                cl::desc("print the files read, not the IR"));
static cl::opt<bool>
    printWeights("print-weights",
                 cl::desc("print digests of the weights, not the IR"));
static cl::opt<bool> quiet("quiet", cl::desc("print diagnostics only"));
static cl::opt<uint64_t, true>
    maxSkeletonBytes("max-skeleton-bytes", cl::location(limits.skeletonBytes));
static cl::opt<uint64_t, true> maxNodes("max-nodes",
                                        cl::location(limits.nodes));
static cl::opt<uint64_t, true> maxPerNode("max-per-node",
                                          cl::location(limits.perNode));
static cl::opt<unsigned, true> maxNesting("max-nesting",
                                          cl::location(limits.nesting));
static cl::opt<unsigned, true> maxRank("max-rank", cl::location(limits.rank));
static cl::opt<uint64_t, true>
    maxAttributeSize("max-attribute-size", cl::location(limits.attributeSize));

static void printFileDigests(const heddle::WeightStore &weights) {
  for (const heddle::WeightStore::FileRecord &file : weights.files())
    outs() << toHex(file.sha256, /*LowerCase=*/true) << ' ' << file.size << ' '
           << file.name << '\n';
}

/// One line per weight: digest, name, type.
static void printWeightDigests(mlir::ModuleOp module,
                               const heddle::WeightStore &weights) {
  module->walk([&](heddle::onnx::ConstantOp constant) {
    auto weight = mlir::dyn_cast<heddle::WeightAttr>(constant.getValue());
    auto name = mlir::dyn_cast<mlir::NameLoc>(constant.getLoc());
    if (!weight || !name)
      return;
    auto bytes = weights.bytes(weight, [&] { return constant.emitError(); });
    if (failed(bytes))
      return;
    SHA256 hash;
    hash.update(StringRef(bytes->data(), bytes->size()));
    outs() << toHex(hash.final(), /*LowerCase=*/true) << ' '
           << name.getName().getValue() << ' ' << weight.getType() << '\n';
  });
}

static int importOne(const std::string &model) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  mlir::ScopedDiagnosticHandler handler(
      &context, [&](mlir::Diagnostic &diagnostic) {
        heddle::printDiagnostic(errs(), model, diagnostic);
      });
  heddle::WeightStore weights;
  heddle::LoadOptions options;
  options.allowExternal.assign(allowExternal.begin(), allowExternal.end());
  options.limits = limits;
  mlir::OwningOpRef<mlir::ModuleOp> module =
      heddle::importModel(model, context, weights, options);
  if (!module)
    return 1;
  if (failed(mlir::verify(*module)))
    return 2;
  if (printFiles) {
    printFileDigests(weights);
  } else if (printWeights) {
    printWeightDigests(*module, weights);
  } else if (!quiet) {
    mlir::OpPrintingFlags flags;
    flags.enableDebugInfo(printLocations);
    module->print(outs(), flags);
  }
  return 0;
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv, "prints models as onnx dialect\n");
  int result = 0;
  for (const std::string &model : models)
    result = std::max(result, importOne(model));
  return result;
}
