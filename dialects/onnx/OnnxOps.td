//===- OnnxOps.td - onnx.node, onnx.constant, onnx.none ------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_DIALECTS_ONNX_ONNXOPS_TD
#define HEDDLE_DIALECTS_ONNX_ONNXOPS_TD

include "dialects/onnx/OnnxDialect.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Onnx_Op<string mnemonic, list<Trait> traits = []>
    : Op<OnnxDialect, mnemonic, traits>;

def Onnx_NodeOp : Onnx_Op<"node", [Pure]> {
  let summary = "one ONNX node, not interpreted";
  let description = [{
    `op_type`, `domain` and `node_attrs` are the node's own. `version` is the
    version of the model's operator set for that domain (not the version in
    which the operator last changed).

    An optional input that the node leaves out is an operand made by
    `onnx.none`. An output that nobody names still has a result.

    Attributes use builtin forms: `i64` integers, `f32` floats, strings, dense
    arrays (`array<i64: ...>`, `array<f32: ...>`), arrays of strings, and for
    tensors the same forms as `onnx.constant`.

    Result types are what the model file declares, or an unranked tensor where
    it declares nothing (`tensor<*xf32>`); the shape analysis computes its own.

    Example:

    ```mlir
    %y = onnx.node "Gemm"(%x, %w, %b) version 13 {transB = 1 : i64}
        : (tensor<?x4xf32>, tensor<2x4xf32>, tensor<2xf32>) -> tensor<?x2xf32>
    ```
  }];
  let arguments = (ins
    StrAttr:$op_type,
    DefaultValuedStrAttr<StrAttr, "">:$domain,
    I64Attr:$version,
    DictionaryAttr:$node_attrs,
    Variadic<AnyTypeOf<[AnyTensor, NoneType]>>:$inputs);
  let results = (outs Variadic<AnyTensor>:$outputs);
  let assemblyFormat = [{
    $op_type (`of` $domain^)? `(` $inputs `)` `version` $version
    $node_attrs attr-dict `:` functional-type($inputs, $outputs)
  }];
  let extraClassDeclaration = [{
    /// The attribute of the ONNX node with this name, or null.
    ::mlir::Attribute getNodeAttr(::llvm::StringRef name) {
      return getNodeAttrs().get(name);
    }
    /// The name of the ONNX node, from the location; empty if it has none.
    ::llvm::StringRef getNodeName();
  }];
}

def Onnx_ConstantOp : Onnx_Op<"constant", [
    Pure, AllTypesMatch<["value", "result"]>]> {
  let summary = "an initialiser or a Constant node";
  let description = [{
    `value` is a dense elements attribute for small tensors and a
    `#heddle.weight` reference into a file for large ones.

    Example:

    ```mlir
    %one = onnx.constant dense<1> : tensor<1xi64>
    %w = onnx.constant #heddle.weight<"model.onnx", 128, 589824> : tensor<384x384xf32>
    ```
  }];
  let arguments = (ins TypedAttrInterface:$value);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$value attr-dict";
}

def Onnx_NoneOp : Onnx_Op<"none", [Pure]> {
  let summary = "stands for an optional input that a node leaves out";
  let description = [{
    Example:

    ```mlir
    %absent = onnx.none
    ```
  }];
  let results = (outs NoneType:$result);
  let assemblyFormat = "attr-dict";
  let builders = [OpBuilder<(ins), [{
    $_state.addTypes($_builder.getNoneType());
  }]>];
}

#endif // HEDDLE_DIALECTS_ONNX_ONNXOPS_TD
