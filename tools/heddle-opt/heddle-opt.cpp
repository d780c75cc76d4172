//===- heddle-opt.cpp - runs passes on MLIR text --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/RegisterDialects.h"
#include "frontends/onnx/Passes.h"
#include "passes/Passes.h"
#include "passes/Pipelines.h"
#include "tools/DebugOption.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  heddle::registerAllDialects(registry);
  // Upstream's too: what --print-pipeline prints must be accepted here.
  mlir::registerAllPasses();
  heddle::registerHeddleOnnxPasses();
  heddle::registerHeddlePasses();
  heddle::registerStages();
  return mlir::asMainReturnCode(mlir::MlirOptMain(
      argc, argv, "Heddle optimiser: runs passes on MLIR text\n", registry));
}
