//===- Pipelines.cpp - the stages of a compile ----------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "passes/Pipelines.h"

#include "passes/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace heddle;

static void buildImport(OpPassManager &pm) {
  OpPassManager &entry = pm.nest<func::FuncOp>();
  entry.addPass(createCanonicalizerPass());
  entry.addPass(createCSEPass());
  entry.addPass(createFoldViews());
  entry.addPass(createRecognizeLayerNorm());
  entry.addPass(createRecognizeAttention());
  // Recognition leaves transposes of transposes and dead ops behind.
  entry.addPass(createFoldViews());
  entry.addPass(createCanonicalizerPass());
  entry.addPass(createCSEPass());
}

static void buildFusion(OpPassManager &pm) {
  OpPassManager &entry = pm.nest<func::FuncOp>();
  entry.addPass(createFuseElementwise());
  entry.addPass(createRecognizeGelu());
  // Reshapes that moved ask for sizes of tensors; all come from symbols.
  entry.addPass(memref::createResolveRankedShapeTypeResultDimsPass());
  entry.addPass(createCSEPass());
  entry.addPass(createFormKernels());
}

static void buildTiling(OpPassManager &pm) {
  pm.addPass(createScheduleKernels());
  // Weights that several kernels read are packed once.
  pm.addNestedPass<func::FuncOp>(createCSEPass());
}

static void buildMemory(OpPassManager &pm) {
  OpPassManager &entry = pm.nest<func::FuncOp>();
  entry.addPass(createBufferizeProgram());
  entry.addPass(createCSEPass());
  entry.addPass(createPlanArena());
}

static void buildOutline(OpPassManager &pm) {
  pm.addPass(createOutlineKernels());
}

ArrayRef<Stage> heddle::getStages() {
  static const Stage stages[] = {
      {"import", "fold, and recognise what exporters spelled out", buildImport},
      {"fusion", "group ops into kernels", buildFusion},
      {"tiling", "give each kernel its schedule", buildTiling},
      {"memory", "give each tensor its memory", buildMemory},
      {"outline", "make kernels symbols, equal ones once", buildOutline},
  };
  return stages;
}

void heddle::registerStages() {
  for (const Stage &stage : getStages())
    PassPipelineRegistration<>(("heddle-stage-" + stage.name).str(),
                               stage.summary, stage.build);
}
