//===- OnnxDialect.td - faithful image of an ONNX graph ------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_DIALECTS_ONNX_ONNXDIALECT_TD
#define HEDDLE_DIALECTS_ONNX_ONNXDIALECT_TD

include "mlir/IR/OpBase.td"

def OnnxDialect : Dialect {
  let name = "onnx";
  let cppNamespace = "::heddle::onnx";
  let summary = "a faithful image of an ONNX graph";
  let description = [{
    One generic op, `onnx.node`, stands for every ONNX operator: operator type,
    domain, operator-set version and attributes are kept exactly as the model
    file has them, and nothing is interpreted here. The importer makes one
    `onnx.node` per ONNX node; its location is the node's name.

    A graph is a `func.func`. Its arguments and results carry two attributes:
    `onnx.name`, the name of the graph input or output, and `onnx.dims`, one
    string per axis as the model declares it: a decimal size, a name or
    expression (`dim_param`), or `?` where the model says nothing. Two axes
    with the name `?` are unrelated; any other equal names mean equal sizes.

    Element types: ONNX floats map to `f16 bf16 f32 f64` and the `f8` types,
    `bool` to `i1`, signed integers to signless `iN`, unsigned ones to `uiN`.
  }];
  let discardableAttrs = (ins
    "::mlir::StringAttr":$name,
    "::mlir::ArrayAttr":$dims
  );
}

#endif // HEDDLE_DIALECTS_ONNX_ONNXDIALECT_TD
