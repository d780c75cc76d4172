//===- Passes.td - every target-independent pass -------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_PASSES_PASSES_TD
#define HEDDLE_PASSES_PASSES_TD

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// transforms
//===----------------------------------------------------------------------===//

def LowerToLinalg : Pass<"heddle-lower-to-linalg"> {
  let summary = "replace tensor ops of heddle by linalg on tensors";
  let description = [{
    The reference lowering: every `heddle.contraction`, `heddle.attention`,
    `heddle.layer_norm`, `heddle.pack`, `heddle.broadcast` and `heddle.gelu`
    becomes `linalg`, `tensor`, `arith` and `math` that state its definition
    step by step, whatever the speed. Sums are taken in f32, in f64 for f64.
    `heddle.checked_index` and the ops of the host program stay.

    Before:
    ```mlir
    %y = heddle.contraction ins(%x, %w : tensor<?x8xf32>, tensor<8x4xf32>)
        outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
    ```
    After:
    ```mlir
    %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
    %y = linalg.generic {indexing_maps = [(m, n, k) -> (m, k), (m, n, k) -> (k, n),
                                          (m, n, k) -> (m, n)],
                         iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%x, %w) outs(%z) { multiply and add }
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"
  ];
}

#endif // HEDDLE_PASSES_PASSES_TD
