//===- Passes.td - passes of the ONNX front end --------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_PASSES_TD
#define HEDDLE_FRONTENDS_ONNX_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertOnnx : Pass<"heddle-convert-onnx", "::mlir::ModuleOp"> {
  let summary = "convert ONNX nodes to heddle, linalg and tensor operations";
  let description = [{
    Replaces a function of `onnx` operations by one in the form of the stage
    `import` (docs/architecture.md). Shapes come from the symbolic shape
    analysis: sizes become index arithmetic over `heddle.symbol`s, integer
    values that follow from them are never computed as tensors, and what the
    shapes take for granted becomes `heddle.guard`s.

    Before:
    ```mlir
    func.func @main(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["n", "4"]})
        -> (tensor<*xf32> {onnx.name = "y"}) {
      %y = onnx.node "Relu"(%x) version 18 {} : (tensor<?x4xf32>) -> tensor<*xf32>
      return %y : tensor<*xf32>
    }
    ```
    After:
    ```mlir
    func.func @main(%x: tensor<?x4xf32> {heddle.name = "x"})
        -> (tensor<?x4xf32> {heddle.name = "y"}) {
      %n = heddle.symbol "n" min 1
      heddle.bind_shape %x[%n] : tensor<?x4xf32>
      %e = tensor.empty(%n) : tensor<?x4xf32>
      %y = linalg.generic ... ins(%x) outs(%e) { arith.maximumf ... }
      heddle.bind_shape %y[%n] : tensor<?x4xf32>
      return %y : tensor<?x4xf32>
    }
    ```
  }];
  let options = [
    ListOption<"dims", "dims", "std::string",
               "sizes of inputs, NAME=SIZE, NAME=MIN..MAX or NAME=MIN..MAX%DIVISOR">,
  ];
  let dependentDialects = [
    "::heddle::HeddleDialect", "::heddle::onnx::OnnxDialect",
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

#endif // HEDDLE_FRONTENDS_ONNX_PASSES_TD
