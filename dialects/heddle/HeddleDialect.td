//===- HeddleDialect.td - transformer graphs -----------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_DIALECTS_HEDDLE_HEDDLEDIALECT_TD
#define HEDDLE_DIALECTS_HEDDLE_HEDDLEDIALECT_TD

include "mlir/IR/OpBase.td"

def HeddleDialect : Dialect {
  let name = "heddle";
  let cppNamespace = "::heddle";
  let summary = "transformer graphs, their kernels and their host program";
  let description = [{
    The few operations that upstream dialects cannot say well: contractions
    and attention as one op each, layer normalisation, kernels, and what the
    host program needs (symbols, guards, buffers). Everything else is `linalg`,
    `tensor`, `arith` and `math`. docs/dialects/heddle.md gives the reasons.

    Tensor ops are in destination-passing style: the last operand gives the
    shape of the result; its contents are overwritten, never read.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"
  ];
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{
    void registerAttributes();
  }];
  let discardableAttrs = (ins
    "::mlir::StringAttr":$name,
    "::mlir::UnitAttr":$unsigned,
    "::mlir::UnitAttr":$output,
    "::heddle::TargetAttr":$target
  );
}

#endif // HEDDLE_DIALECTS_HEDDLE_HEDDLEDIALECT_TD
