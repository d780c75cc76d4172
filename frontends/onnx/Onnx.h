//===- Onnx.h - from an ONNX model to the onnx dialect ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A model file is untrusted: whatever it holds, the answer is a program or a
// diagnostic. No function here throws, aborts, or reads a file outside the
// folders that `LoadOptions` allows.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_ONNX_H
#define HEDDLE_FRONTENDS_ONNX_ONNX_H

#include "dialects/heddle/WeightStore.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace heddle {

/// The largest model that is read. A model beyond a limit is refused before
/// memory or time is spent on it; no real model comes near.
struct LoadLimits {
  /// Bytes of the model file without its weights.
  uint64_t skeletonBytes = uint64_t(1) << 29;
  /// Nodes of the graph, of all functions, and of the graph once functions are
  /// inlined.
  uint64_t nodes = uint64_t(1) << 20;
  /// Inputs, outputs and attributes of one node.
  uint64_t perNode = uint64_t(1) << 14;
  /// Graphs inside graphs, by way of attributes.
  unsigned nesting = 16;
  /// Axes of a tensor.
  unsigned rank = 64;
  /// Elements of a list attribute, bytes of a string or a name.
  uint64_t attributeSize = uint64_t(1) << 20;
};

struct LoadOptions {
  /// Folders, beside the model's own, in which external data files may lie
  /// (`--allow-external`).
  std::vector<std::string> allowExternal;
  LoadLimits limits;
};

/// Reads the model at `path` into a module with the function `@main` of `onnx`
/// operations (docs/architecture.md). A path that ends in `.onnxtxt` is read as
/// ONNX text.
///
/// The model file and its external data files are opened in `weights`: the
/// model under the last component of `path`, a data file under its `location`.
///
/// Fails after diagnostics. Their location is `NameLoc` with the name of a
/// node, as every operation of the result has it, or `FileLineColLoc` with
/// `path` where they concern the whole model.
mlir::OwningOpRef<mlir::ModuleOp> importModel(llvm::StringRef path,
                                              mlir::MLIRContext &context,
                                              WeightStore &weights,
                                              const LoadOptions &options = {});

/// Prints a diagnostic about the model at `path`, and its notes, for people:
///
///     model.onnx: node 'layer.3/MatMul': error: expects ..., got ...
///
/// Control characters in names are written as escapes, so that a model cannot
/// steer the terminal.
void printDiagnostic(llvm::raw_ostream &os, llvm::StringRef path,
                     mlir::Diagnostic &diagnostic);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_ONNX_H
