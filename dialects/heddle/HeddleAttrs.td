//===- HeddleAttrs.td - weights, targets, schedules ----------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_DIALECTS_HEDDLE_HEDDLEATTRS_TD
#define HEDDLE_DIALECTS_HEDDLE_HEDDLEATTRS_TD

include "dialects/heddle/HeddleDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/EnumAttr.td"

class Heddle_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<HeddleDialect, name, traits> {
  let mnemonic = attrMnemonic;
}

def Heddle_WeightAttr : Heddle_Attr<"Weight", "weight", [TypedAttrInterface]> {
  let summary = "a tensor that stays in a file";
  let description = [{
    `length` bytes at `offset` of `file`, little-endian and row-major. `file`
    is a name that the weight store resolves (`WeightStore.h`): the model file
    itself or an external data file as the model names it. The bytes never
    enter the IR.

    Constraints:
      - (C1) `type` is a ranked tensor of static shape.
      - (C2) `length` is the size of `type` in bytes.
      - (C3) `offset` is not negative.

    Example: `#heddle.weight<"model.onnx", 128, 64> : tensor<4x4xf32>`
  }];
  let parameters = (ins
    StringRefParameter<"file name as the model gives it">:$file,
    "int64_t":$offset,
    "int64_t":$length,
    AttributeSelfTypeParameter<"", "::mlir::RankedTensorType">:$type);
  let builders = [AttrBuilderWithInferredContext<(ins
      "::llvm::StringRef":$file, "int64_t":$offset, "int64_t":$length,
      "::mlir::RankedTensorType":$type), [{
    return $_get(type.getContext(), file, offset, length, type);
  }]>];
  let skipDefaultBuilders = 1;
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Heddle_TargetAttr : Heddle_Attr<"Target", "target"> {
  let summary = "the machine that code is made for, and its facts";
  let description = [{
    `name` is a row of the target table (`cpu`, `cpu:reference`); `facts` holds
    what schedules are chosen from: `tier`, `features`, `vector_bits`,
    `vector_registers`, `l1_bytes`, `l2_bytes`.

    Example: `#heddle.target<"cpu", {tier = "x86-64-v4", vector_bits = 512 : i64}>`
  }];
  let parameters = (ins
    StringRefParameter<"target name">:$name, "::mlir::DictionaryAttr":$facts);
  let assemblyFormat = "`<` $name `,` $facts `>`";
}

def Heddle_ScheduleAttr : Heddle_Attr<"Schedule", "schedule"> {
  let summary = "how a kernel becomes code";
  let description = [{
    `family` names the kernel family of the target's code generator
    (`contraction`, `attention`, `row`, `elementwise`, `reference`);
    `parameters` are that family's own (tile sizes, unrolling).

    Example: `#heddle.schedule<"contraction", {mr = 8 : i64, nr = 48 : i64}>`
  }];
  let parameters = (ins
    StringRefParameter<"kernel family">:$family,
    "::mlir::DictionaryAttr":$parameters);
  let assemblyFormat = "`<` $family `,` $parameters `>`";
}

// What a kernel demands of the memory of an operand.
def Heddle_LayoutContiguous : I32EnumAttrCase<"contiguous", 0>;
def Heddle_LayoutUnitInner : I32EnumAttrCase<"unit_inner", 1>;
def Heddle_LayoutStrided : I32EnumAttrCase<"strided", 2>;
def Heddle_Layout : I32EnumAttr<"Layout",
    "what a kernel demands of the memory of an operand", [
      Heddle_LayoutContiguous, Heddle_LayoutUnitInner, Heddle_LayoutStrided]> {
  let cppNamespace = "::heddle";
  let description = [{
    `contiguous`: row-major without gaps. `unit_inner`: any strides, but 1 in
    the last axis. `strided`: any strides, 0 (broadcast) too.
  }];
  let genSpecializedAttr = 0;
}
def Heddle_LayoutAttr : EnumAttr<HeddleDialect, Heddle_Layout, "layout"> {
  let assemblyFormat = "`<` $value `>`";
}
def Heddle_LayoutArrayAttr
    : TypedArrayAttrBase<Heddle_LayoutAttr, "array of operand layouts">;

def Heddle_GeluNone : I32EnumAttrCase<"none", 0>;
def Heddle_GeluTanh : I32EnumAttrCase<"tanh", 1>;
def Heddle_GeluApproximation : I32EnumAttr<"GeluApproximation",
    "which formula of GELU", [Heddle_GeluNone, Heddle_GeluTanh]> {
  let cppNamespace = "::heddle";
  let genSpecializedAttr = 0;
}
def Heddle_GeluApproximationAttr
    : EnumAttr<HeddleDialect, Heddle_GeluApproximation, "gelu">;

def Heddle_GuardEq : I32EnumAttrCase<"eq", 0>;
def Heddle_GuardLe : I32EnumAttrCase<"le", 1>;
def Heddle_GuardPredicate : I32EnumAttr<"GuardPredicate",
    "relation that a guard demands", [Heddle_GuardEq, Heddle_GuardLe]> {
  let cppNamespace = "::heddle";
  let genSpecializedAttr = 0;
}
def Heddle_GuardPredicateAttr
    : EnumAttr<HeddleDialect, Heddle_GuardPredicate, "guard_predicate">;

#endif // HEDDLE_DIALECTS_HEDDLE_HEDDLEATTRS_TD
