// RUN: heddle-shapes %s | FileCheck %s
// RUN: heddle-shapes %s --dim seq=1..64%8 --dim batch=2 | FileCheck %s --check-prefix=RANGE

// Equal names are equal sizes; an expression is read; the symbol that only a sum
// names is bound by it, whatever the order of the inputs.

// CHECK-LABEL: function sums
// CHECK:       symbol batch: axis 0 of input 0 less 0
// CHECK:       symbol seq: axis 1 of input 1 less 0
// CHECK:       symbol past_seq: axis 1 of input 0 less seq
// CHECK:       input 0: i64[batch, seq + past_seq]
// CHECK:       input 1: f32[batch, seq]

// RANGE-LABEL: function sums
// RANGE-NOT:   symbol batch
// RANGE:       input 0: i64[2, seq + past_seq]
func.func @sums(
    %mask: tensor<?x?xi64> {onnx.dims = ["batch", "past_seq + seq"]},
    %ids: tensor<?x?xf32> {onnx.dims = ["batch", "seq"]}) {
  return
}

// Axes named "?" have nothing to do with each other, nor have unnamed ones.

// CHECK-LABEL: function anonymous
// CHECK:       input 0: f32[x.0, x.1, 4]
// CHECK:       input 1: f32[input1.0, 4]
func.func @anonymous(
    %x: tensor<?x?x4xf32> {onnx.name = "x", onnx.dims = ["?", "?", "4"]},
    %y: tensor<?x4xf32>) {
  return
}

// What is no sum with one new symbol is a name of its own.

// CHECK-LABEL: function names
// CHECK:       input 0: f32[2*s, batch size, a + b]
func.func @names(
    %x: tensor<?x?x?xf32> {onnx.dims = ["2*s", "batch size", "a + b"]}) {
  return
}

// The length is a multiple of eight and at most 64, so the table is long enough.

// RANGE-LABEL: function table
// RANGE:       Slice: f32[seq]
// RANGE-NOT:   guard

// CHECK-LABEL: function table
// CHECK:       Slice: f32[min(seq, 64)]
func.func @table(%ids: tensor<?xi64> {onnx.dims = ["seq"]}) {
  %table = onnx.constant #heddle.weight<"w", 0, 256> : tensor<64xf32>
  %zero = onnx.constant dense<0> : tensor<1xi64>
  %length = onnx.node "Shape"(%ids) version 17 {} : (tensor<?xi64>) -> tensor<1xi64>
  %part = onnx.node "Slice"(%table, %zero, %length) version 17 {}
      : (tensor<64xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
  return
}
