//===- HeddleScalarOps.td - ops inside elementwise regions ---*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_DIALECTS_HEDDLE_HEDDLESCALAROPS_TD
#define HEDDLE_DIALECTS_HEDDLE_HEDDLESCALAROPS_TD

include "dialects/heddle/HeddleAttrs.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Heddle_GeluOp : Op<HeddleDialect, "gelu",
    [Pure, SameOperandsAndResultType] # ElementwiseMappable.traits> {
  let summary = "Gaussian error linear unit";
  let description = [{
    `none`: `x * 0.5 * (1 + erf(x / sqrt(2)))`; `tanh`:
    `x * 0.5 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))`
    (Hendrycks and Gimpel, arXiv 1606.08415, section 2). An elementwise op on
    scalars and vectors, for the bodies of `linalg.generic`.

    Example:

    ```mlir
    %y = heddle.gelu %x approximate tanh : f32
    ```
  }];
  let arguments = (ins FloatLike:$input,
                       Heddle_GeluApproximationAttr:$approximate);
  let results = (outs FloatLike:$result);
  let assemblyFormat = [{
    $input `approximate` `` $approximate attr-dict `:` type($result)
  }];
}

def Heddle_CheckedIndexOp : Op<HeddleDialect, "checked_index", [Pure]> {
  let summary = "an index read from data, made safe";
  let description = [{
    An index that the model's data gives, in -size .. size-1; a negative one
    counts from the end. An index outside is reported as a run-time error of the
    call (status and sentence), and the result is then 0, so that no access is
    ever out of bounds. `size` is at least 1: an axis that the run time may find
    empty needs a `heddle.guard` before the kernel. `text` names the ONNX node
    for the sentence.

    Example:

    ```mlir
    %i = heddle.checked_index %raw of %n text "node 'Gather_3'" : i64
    ```
  }];
  let arguments = (ins AnySignlessInteger:$value, Index:$size, StrAttr:$text);
  let results = (outs Index:$result);
  let assemblyFormat = [{
    $value `of` $size `text` $text attr-dict `:` type($value)
  }];
}

#endif // HEDDLE_DIALECTS_HEDDLE_HEDDLESCALAROPS_TD
