//===- HeddleProgramOps.td - kernels and the host program ----*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_DIALECTS_HEDDLE_HEDDLEPROGRAMOPS_TD
#define HEDDLE_DIALECTS_HEDDLE_HEDDLEPROGRAMOPS_TD

include "dialects/heddle/HeddleOps.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

//===----------------------------------------------------------------------===//
// Symbolic shapes
//===----------------------------------------------------------------------===//

def Heddle_SymbolOp : Heddle_Op<"symbol", [Pure]> {
  let summary = "a size that the inputs of a call decide";
  let description = [{
    One per symbol, at the top of an entry function. Every call has a value
    between `min` and `max` (no limit if absent) that `divisor` divides; the
    runtime refuses others.

    Constraints:
      - (C1) 0 <= min <= max and divisor >= 1.

    Example:

    ```mlir
    %seq = heddle.symbol "seq" min 1 max 4096 divisor 8
    ```
  }];
  let arguments = (ins StrAttr:$name, I64Attr:$min, OptionalAttr<I64Attr>:$max,
                       DefaultValuedAttr<I64Attr, "1">:$divisor);
  let results = (outs Index:$result);
  let assemblyFormat = [{
    $name `min` $min (`max` $max^)? (`divisor` $divisor^)? attr-dict
  }];
  let hasVerifier = 1;
}

def Heddle_BindShapeOp : Heddle_Op<"bind_shape"> {
  let summary = "ties the dynamic sizes of an entry's argument or result";
  let description = [{
    Says that the dynamic axes of `value`, in order, have the sizes `sizes`. An
    entry has one for each argument and one for each returned value. For an
    argument every size is a `heddle.symbol` and the runtime binds it; for a
    result it is what `heddle_model_output_shapes` answers.

    Constraints:
      - (C1) one size per dynamic axis of `value`.

    Example:

    ```mlir
    heddle.bind_shape %x[%batch, %seq] : tensor<?x?xi64>
    ```
  }];
  let arguments = (ins AnyTypeOf<[AnyRankedTensor, AnyStridedMemRef]>:$value,
                       Variadic<Index>:$sizes);
  let assemblyFormat = "$value `[` $sizes `]` attr-dict `:` type($value)";
  let hasVerifier = 1;
}

def Heddle_GuardOp : Heddle_Op<"guard"> {
  let summary = "a relation between sizes that every call must satisfy";
  let description = [{
    Checked before anything runs; `text` is the sentence of the diagnostic.

    Example:

    ```mlir
    heddle.guard le %seq, %c512 text "node 'Slice_4': expects seq <= 512"
    ```
  }];
  let arguments = (ins Heddle_GuardPredicateAttr:$predicate, Index:$lhs,
                       Index:$rhs, StrAttr:$text);
  let assemblyFormat = "`` $predicate $lhs `,` $rhs `text` $text attr-dict";
}

//===----------------------------------------------------------------------===//
// Weights and memory
//===----------------------------------------------------------------------===//

def Heddle_WeightOp : Heddle_Op<"weight", [Pure]> {
  let summary = "a weight of the model";
  let description = [{
    On tensors, `value` is what the model file holds. After bufferisation the
    result is a memref into the weights file of the artefact, and `panel` and
    `transposed` say how the compiler lays it out there (see `heddle.pack`).

    Constraints:
      - (C1) a tensor result has the type of `value`, without `panel`.
      - (C2) a memref result has the shape of `value`, or with `panel` the
        shape that `heddle.pack` gives.

    Example:

    ```mlir
    %w = heddle.weight #heddle.weight<"model.onnx", 128, 64> : tensor<4x4xf32> -> tensor<4x4xf32>
    ```
  }];
  let arguments = (ins TypedAttrInterface:$value, OptionalAttr<I64Attr>:$panel,
                       UnitAttr:$transposed);
  let results = (outs AnyTypeOf<[AnyStaticShapeTensor, AnyStaticShapeMemRef]>:$result);
  let assemblyFormat = [{
    $value (`panel` $panel^)? (`transposed` $transposed^)? attr-dict
    `->` type($result)
  }];
  let hasVerifier = 1;
}

def Heddle_ArenaBufferOp : Heddle_Op<"arena_buffer", [Pure]> {
  let summary = "a buffer of the call's arena";
  let description = [{
    Memory that holds a value from phase `first` to phase `last`, both included.
    Phases are what the barriers of the host program separate, counted from 0.
    The runtime places the slots so that slots that live in a common phase do not
    overlap.

    Constraints:
      - (C1) one size per dynamic axis of the result.
      - (C2) 0 <= first <= last.

    Example:

    ```mlir
    %t = heddle.arena_buffer [%batch, %seq] slot 3 live 2 to 5 : memref<?x?x384xf32>
    ```
  }];
  let arguments = (ins Variadic<Index>:$sizes, I64Attr:$slot, I64Attr:$first,
                       I64Attr:$last);
  let results = (outs AnyStridedMemRef:$result);
  let assemblyFormat = [{
    `[` $sizes `]` `slot` $slot `live` $first `to` $last attr-dict
    `:` type($result)
  }];
  let hasVerifier = 1;
}

def Heddle_BarrierOp : Heddle_Op<"barrier"> {
  let summary = "no worker goes on before all have come here";
  let description = [{
    Separates two phases of the host program: what kernels wrote before it, all
    workers see after it.

    Example:

    ```mlir
    heddle.barrier
    ```
  }];
  let assemblyFormat = "attr-dict";
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

def Heddle_KernelOp : Heddle_Op<"kernel", [
    IsolatedFromAbove, AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "ops that become one kernel";
  let description = [{
    The body computes on the values of the operands: it has one block argument
    per operand, inputs first, and yields one tensor per output. Before
    bufferisation operands are tensors and the yielded tensors are the results;
    after it operands are memrefs, there are no results, and the yielded tensors
    are written to `outputs`. The body is on tensors in both cases. Scalars
    (`index` sizes the body needs) are inputs like any other.

    `reason` says why these ops are together. `layouts`, one per operand, says
    what the kernel demands of each operand's memory; `schedule` how it becomes
    code; both are filled in by the tiling stage.

    Constraints:
      - (C1) one block argument per operand; a tensor argument has the shape and
        element type of its operand.
      - (C2) one yielded tensor per output, of the type of its block argument.
      - (C3) with tensor outputs one result per output; with memref outputs none.
      - (C4) `layouts` has one entry per operand.

    Example:

    ```mlir
    %y = heddle.kernel ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>)
        reason "row" {
    ^bb0(%a: tensor<?x8xf32>, %i: tensor<?x8xf32>):
      %n = heddle.layer_norm ins(%a : tensor<?x8xf32>) epsilon 1.0e-5
          outs(%i : tensor<?x8xf32>) -> tensor<?x8xf32>
      heddle.yield %n : tensor<?x8xf32>
    } -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins
    Variadic<AnyType>:$inputs,
    Variadic<AnyTypeOf<[AnyRankedTensor, AnyStridedMemRef]>>:$outputs,
    OptionalAttr<StrAttr>:$reason,
    OptionalAttr<Heddle_LayoutArrayAttr>:$layouts,
    OptionalAttr<Heddle_ScheduleAttr>:$schedule);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    (`ins` `(` $inputs^ `:` type($inputs) `)`)?
    `outs` `(` $outputs `:` type($outputs) `)`
    (`reason` $reason^)? (`schedule` $schedule^)? (`layouts` $layouts^)?
    $body attr-dict (`->` type($results)^)?
  }];
  let hasVerifier = 1;
}

def Heddle_YieldOp : Heddle_Op<"yield", [
    Pure, Terminator, ReturnLike,
    ParentOneOf<["KernelOp", "KernelDefOp"]>]> {
  let summary = "gives the tensors that a kernel computes";
  let arguments = (ins Variadic<AnyRankedTensor>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
  let builders = [OpBuilder<(ins), [{ /* nothing yielded */ }]>];
}

def Heddle_KernelDefOp : Heddle_Op<"kernel_def", [
    IsolatedFromAbove, Symbol, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "a kernel of its own, called by heddle.dispatch";
  let description = [{
    The outlined form of `heddle.kernel`: a symbol, so that equal kernels are
    one, and complete in itself, so that it can be cut out, compiled and timed
    alone. Block arguments are the inputs, then `num_outputs` outputs.

    Constraints:
      - (C1) one layout per block argument.
      - (C2) one yielded tensor per output, of the type of its block argument.

    Example:

    ```mlir
    heddle.kernel_def @k0 outputs 1 schedule <"row", {}> layouts [...] {
    ^bb0(%a: tensor<?x8xf32>, %i: tensor<?x8xf32>):
      ...
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$num_outputs,
                       OptionalAttr<StrAttr>:$reason,
                       Heddle_LayoutArrayAttr:$layouts,
                       Heddle_ScheduleAttr:$schedule);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `outputs` $num_outputs (`reason` $reason^)?
    `schedule` $schedule `layouts` $layouts $body attr-dict
  }];
  let hasVerifier = 1;
}

def Heddle_DispatchOp : Heddle_Op<"dispatch", [
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "runs a kernel on buffers";
  let description = [{
    All workers run their share of the kernel. What it writes is seen after the
    next `heddle.barrier`.

    Constraints:
      - (C1) `kernel` names a `heddle.kernel_def` with as many inputs and outputs.

    Example:

    ```mlir
    heddle.dispatch @k0 ins(%x : memref<?x8xf32>) outs(%y : memref<?x8xf32>)
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<AnyType>:$inputs,
                       Variadic<AnyStridedMemRef>:$outputs);
  let assemblyFormat = [{
    $kernel (`ins` `(` $inputs^ `:` type($inputs) `)`)?
    `outs` `(` $outputs `:` type($outputs) `)` attr-dict
  }];
}

#endif // HEDDLE_DIALECTS_HEDDLE_HEDDLEPROGRAMOPS_TD
