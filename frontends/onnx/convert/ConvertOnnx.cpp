//===- ConvertOnnx.cpp - the conversion as a pass -------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/HeddleDialect.h"
#include "dialects/onnx/OnnxDialect.h"
#include "frontends/onnx/Passes.h"
#include "frontends/onnx/convert/ConvertToHeddle.h"
#include "frontends/onnx/convert/DimRanges.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace heddle {
#define GEN_PASS_DEF_CONVERTONNX
#include "frontends/onnx/Passes.h.inc"
} // namespace heddle

using namespace heddle;

namespace {
struct ConvertOnnx final : heddle::impl::ConvertOnnxBase<ConvertOnnx> {
  using Base::Base;
  void runOnOperation() override;
};
} // namespace

void ConvertOnnx::runOnOperation() {
  ModuleOp module = getOperation();
  llvm::Expected<ShapeAnalysis::DimRanges> ranges =
      parseDimRanges(llvm::to_vector(dims));
  if (!ranges) {
    emitError(module.getLoc()) << llvm::toString(ranges.takeError());
    return signalPassFailure();
  }
  if (failed(convertToHeddle(module, *ranges)))
    signalPassFailure();
}
