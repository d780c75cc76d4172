// RUN: heddle-shapes %s | FileCheck %s

// min(64, seq) and seq can only be 1 together, so they must be equal, and the
// guard's seq <= 64 simplifies everything from the inputs on.

// CHECK-LABEL: function table
// CHECK:       Slice: f32[seq]
// CHECK:       Add: f32[batch, seq]
// CHECK:       guard {{.*}}min(seq, 64){{.*}}: node '{{.*}}': Add expects broadcast axes to be equal
func.func @table(%x: tensor<?x?xf32> {onnx.dims = ["batch", "seq"]}) {
  %table = onnx.constant #heddle.weight<"w", 0, 256> : tensor<64xf32>
  %zero = onnx.constant dense<0> : tensor<1xi64>
  %length = onnx.node "Shape"(%x) version 17 {start = 1 : i64} : (tensor<?x?xf32>) -> tensor<1xi64>
  %part = onnx.node "Slice"(%table, %zero, %length) version 17 {}
      : (tensor<64xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?xf32>
  %sum = onnx.node "Add"(%x, %part) version 17 {} : (tensor<?x?xf32>, tensor<?xf32>) -> tensor<?x?xf32>
  return
}

// Two names may be 1 apart from each other: the result is the larger, chosen
// when the model runs.

// CHECK-LABEL: function ambiguous
// CHECK:       Add: f32[max(a, b)]
// CHECK:       guard {{.*}} == 1: node '{{.*}}': Add expects broadcast axes to be equal, or one of them 1: a and b
func.func @ambiguous(%x: tensor<?xf32> {onnx.dims = ["a"]},
                     %y: tensor<?xf32> {onnx.dims = ["b"]}) {
  %sum = onnx.node "Add"(%x, %y) version 17 {} : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return
}

// A contraction has no broadcasting: once it shows the two equal, the ambiguity
// before it is resolved, too.

// CHECK-LABEL: function resolved
// CHECK:       input 1: f32[past_seq + seq]
// CHECK:       Add: f32[past_seq + seq]
// CHECK:       guard past_seq + seq == total: node '{{.*}}': MatMul expects the contracted axes to be equal
func.func @resolved(%past: tensor<?xf32> {onnx.dims = ["past_seq"]},
                    %mask: tensor<?xf32> {onnx.dims = ["total"]},
                    %new: tensor<?xf32> {onnx.dims = ["seq"]}) {
  %scores = onnx.node "Concat"(%past, %new) version 17 {axis = 0 : i64} : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %masked = onnx.node "Add"(%scores, %mask) version 17 {} : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %product = onnx.node "MatMul"(%scores, %mask) version 17 {} : (tensor<?xf32>, tensor<?xf32>) -> tensor<f32>
  return
}

// An axis that may be empty rules the maximum out: 0 and 1 broadcast to 0.

// CHECK-LABEL: function empty
// CHECK:       Add: f32[select(eq(past, 1), a, past)]
func.func @empty(%x: tensor<?xf32> {onnx.dims = ["past"]},
                 %y: tensor<?xf32> {onnx.dims = ["a"]}) {
  %sum = onnx.node "Add"(%x, %y) version 17 {} : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return
}

// Against a constant other than 1 the result is that constant.

// CHECK-LABEL: function constants
// CHECK:       Add: f32[a, 12]
// CHECK:       guard {{.*}}eq(a, 12){{.*}} == 1: node '{{.*}}': Add expects
func.func @constants(%x: tensor<?x12xf32> {onnx.dims = ["a", "12"]},
                     %y: tensor<1x?xf32> {onnx.dims = ["1", "a"]}) {
  %sum = onnx.node "Add"(%x, %y) version 17 {} : (tensor<?x12xf32>, tensor<1x?xf32>) -> tensor<?x12xf32>
  return
}
