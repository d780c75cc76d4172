//===- HeddleOps.td - tensor ops of transformer graphs -------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_DIALECTS_HEDDLE_HEDDLEOPS_TD
#define HEDDLE_DIALECTS_HEDDLE_HEDDLEOPS_TD

include "dialects/heddle/HeddleAttrs.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Heddle_Op<string mnemonic, list<Trait> traits = []>
    : Op<HeddleDialect, mnemonic, traits>;

/// A pure tensor op in destination-passing style: the result has the type and
/// shape of `init`, whose contents are never read.
class Heddle_TensorOp<string mnemonic, list<Trait> traits = []>
    : Heddle_Op<mnemonic, traits # [
        Pure, DestinationStyleOpInterface,
        DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                                      ["reifyResultShapes"]>]> {
  let results = (outs AnyRankedTensor:$result);
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getInitMutable();
    }
  }];
}

def Heddle_FloatTensor : RankedTensorOf<[F16, BF16, F32, F64]>;

def Heddle_ContractionOp : Heddle_TensorOp<"contraction"> {
  let summary = "matrix product over the last axis, with optional bias";
  let description = [{
    ```
    result[b.., m, n] = sum_k lhs[b.., m, k] * rhs[b.., k, n] + bias[n]
    ```
    With `transpose_rhs`, `rhs` is read as `rhs[b.., n, k]`; with `panel`, `rhs`
    is in the column panels that `heddle.pack` makes and is read as
    `rhs[n / panel, k, n % panel]`. The sum is taken in f32 (in f64 for f64
    operands) whatever the element type.

    Constraints:
      - (C1) `lhs` and `init` have the same rank, 2 or more.
      - (C2) `rhs` has rank 2, and is then shared by all leading axes of `lhs`,
        or the rank of `lhs` with leading axes equal to those of `init`. A
        leading axis of `lhs` equals that of `init`.
      - (C3) the contracted sizes agree.
      - (C4) `bias` has rank 1 and the size of the last axis of `init`.
      - (C5) operands and result have one element type.
      - (C6) with `panel`, `rhs` has shape [ceil(N / panel), K, panel] instead of
        (C2), and there is no `transpose_rhs`.

    Example:

    ```mlir
    %y = heddle.contraction ins(%x, %w : tensor<?x?x384xf32>, tensor<384x1536xf32>)
        bias(%b : tensor<1536xf32>) outs(%e : tensor<?x?x1536xf32>) -> tensor<?x?x1536xf32>
    ```
  }];
  let arguments = (ins
    Heddle_FloatTensor:$lhs, Heddle_FloatTensor:$rhs,
    Optional<Heddle_FloatTensor>:$bias, Heddle_FloatTensor:$init,
    UnitAttr:$transpose_rhs, OptionalAttr<I64Attr>:$panel);
  let assemblyFormat = [{
    `ins` `(` $lhs `,` $rhs `:` type($lhs) `,` type($rhs) `)`
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`transpose_rhs` $transpose_rhs^)? (`panel` $panel^)?
    `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)
  }];
  let hasVerifier = 1;
}

def Heddle_AttentionOp : Heddle_TensorOp<"attention", [AttrSizedOperandSegments]> {
  let summary = "scaled dot-product attention";
  let description = [{
    For every batch `b`, query head `h` with key head `g = h / (H / G)`:

    ```
    s[i, j]   = scale * sum_d query[b, h, i, d] * key[b, g, j, d]
    s[i, j]   = softcap * tanh(s[i, j] / softcap)             if softcap
    s[i, j]  += mask[b, h, i, j]                              if mask is a float
    s[i, j]   = -inf  where mask[b, h, i, j] is false         if mask is i1
    s[i, j]   = -inf  where j > i + causal_offset             if causal
    p[i, j]   = exp(s[i, j] - max_j s[i, j]) / sum_j exp(s[i, j] - max_j s[i, j])
    result[b, h, i, e] = sum_j p[i, j] * value[b, g, j, e]
    ```

    Sums are taken in f32. A row whose scores are all -inf gives zeros with
    `zero_masked_rows` (IsNaN -> 0 in the graph, and the ONNX Attention op), and
    NaN without it, as softmax does. A finite minimum as mask value needs no
    special case: such a row is the mean of the values.

    Constraints:
      - (C1) query [B, H, S, D], key [B, G, T, D], value [B, G, T, E] and init
        [B, H, S, E] have rank 4; H is a multiple of G.
      - (C2) `mask` has rank 4; each of its axes is 1 or that of [B, H, S, T];
        a size-1 axis is broadcast.
      - (C3) `causal_offset` is present only with `causal`; absent means 0.
      - (C4) query, key, value and result have one element type.
      - (C5) softcap is positive when present.

    Example:

    ```mlir
    %o = heddle.attention query(%q : tensor<?x12x?x32xf32>)
        key(%k : tensor<?x12x?x32xf32>) value(%v : tensor<?x12x?x32xf32>)
        mask(%m : tensor<?x1x?x?xf32>) scale 1.767766e-01
        outs(%e : tensor<?x12x?x32xf32>) -> tensor<?x12x?x32xf32>
    ```
  }];
  let arguments = (ins
    Heddle_FloatTensor:$query, Heddle_FloatTensor:$key,
    Heddle_FloatTensor:$value,
    Optional<RankedTensorOf<[I1, F16, BF16, F32, F64]>>:$mask,
    Optional<Index>:$causal_offset, Heddle_FloatTensor:$init,
    F32Attr:$scale, OptionalAttr<F32Attr>:$softcap,
    UnitAttr:$causal, UnitAttr:$zero_masked_rows);
  let assemblyFormat = [{
    `query` `(` $query `:` type($query) `)` `key` `(` $key `:` type($key) `)`
    `value` `(` $value `:` type($value) `)`
    (`mask` `(` $mask^ `:` type($mask) `)`)?
    (`causal` $causal^ (`offset` `(` $causal_offset^ `)`)?)?
    (`zero_masked_rows` $zero_masked_rows^)?
    `scale` $scale (`softcap` $softcap^)?
    `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)
  }];
  let hasVerifier = 1;
}

def Heddle_LayerNormOp : Heddle_TensorOp<"layer_norm", [AttrSizedOperandSegments]> {
  let summary = "layer normalisation over the last axis";
  let description = [{
    ```
    mean[..]      = mean_i input[.., i]
    variance[..]  = mean_i (input[.., i] - mean[..])^2
    result[.., i] = (input[.., i] - mean[..]) * rsqrt(variance[..] + epsilon)
                    * scale[i] + bias[i]
    ```
    (Ba, Kiros and Hinton, arXiv 1607.06450, section 3.) The moments are taken
    in f32 whatever the element type.

    Constraints:
      - (C1) `scale` and `bias` have rank 1 and the size of the last axis.
      - (C2) `epsilon` is not negative.
      - (C3) input and result have one type.

    Example:

    ```mlir
    %y = heddle.layer_norm ins(%x : tensor<?x?x384xf32>) scale(%g : tensor<384xf32>)
        bias(%b : tensor<384xf32>) epsilon 1.0e-12 outs(%e : tensor<?x?x384xf32>)
        -> tensor<?x?x384xf32>
    ```
  }];
  let arguments = (ins
    Heddle_FloatTensor:$input, Optional<Heddle_FloatTensor>:$scale,
    Optional<Heddle_FloatTensor>:$bias, Heddle_FloatTensor:$init,
    F32Attr:$epsilon);
  let assemblyFormat = [{
    `ins` `(` $input `:` type($input) `)`
    (`scale` `(` $scale^ `:` type($scale) `)`)?
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    `epsilon` $epsilon `outs` `(` $init `:` type($init) `)` attr-dict `->` type($result)
  }];
  let hasVerifier = 1;
}

def Heddle_PackOp : Heddle_Op<"pack", [Pure]> {
  let summary = "matrix into column panels";
  let description = [{
    ```
    result[p, k, j] = input[k, p * panel + j]   (0 where p * panel + j >= N)
    ```
    With `transposed` the input is read as `input[n, k]`. Of a weight this is
    done at compile time, when the weights file is written.

    Constraints:
      - (C1) `input` has rank 2 and static shape [K, N] ([N, K] transposed).
      - (C2) `result` has shape [ceil(N / panel), K, panel].

    Example:

    ```mlir
    %p = heddle.pack %w panel 48 : tensor<384x1536xf32> -> tensor<32x384x48xf32>
    ```
  }];
  let arguments = (ins
    RankedTensorOf<[AnyFloat, AnyInteger]>:$input, I64Attr:$panel,
    UnitAttr:$transposed);
  let results = (outs RankedTensorOf<[AnyFloat, AnyInteger]>:$result);
  let assemblyFormat = [{
    $input `panel` $panel (`transposed` $transposed^)? attr-dict
    `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Heddle_BroadcastOp : Heddle_Op<"broadcast", [Pure,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                                      ["reifyResultShapes"]>]> {
  let summary = "view in which axes of size 1 are repeated, decided at run time";
  let description = [{
    Every axis of `input` has the size given for it, or size 1 and is then
    repeated (stride 0). Used only where the two cannot be told apart at compile
    time; a broadcast that is known is an indexing map of the reader.

    Constraints:
      - (C1) `sizes` has one entry per dynamic axis of the result.
      - (C2) ranks and element types agree; static sizes of the input are 1 or
        the result's.

    Example:

    ```mlir
    %v = heddle.broadcast %x[%d0, %d1] : tensor<?x?xf32> -> tensor<?x?xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$input, Variadic<Index>:$sizes);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $input `[` $sizes `]` attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif // HEDDLE_DIALECTS_HEDDLE_HEDDLEOPS_TD
