// RUN: heddle-shapes %s | FileCheck %s

// Factors that stand on both sides cancel; a size 0 copies unless allowzero says
// that it means itself.

// CHECK-LABEL: function reshape
// CHECK:       Reshape: f32[batch, seq, 64]
// CHECK-NEXT:  Reshape: f32[batch*seq, 64]
// CHECK-NEXT:  Reshape: f32[batch, 4*seq, 16]
// CHECK-NEXT:  Flatten: f32[batch*seq, 64]
// CHECK-NOT:   guard
func.func @reshape(%x: tensor<?x?x4x16xf32> {onnx.dims = ["batch", "seq", "4", "16"]}) {
  %merge = onnx.constant dense<[0, 0, -1]> : tensor<3xi64>
  %rows = onnx.constant dense<[-1, 64]> : tensor<2xi64>
  %split = onnx.constant dense<[0, -1, 16]> : tensor<3xi64>
  %a = onnx.node "Reshape"(%x, %merge) version 17 {} : (tensor<?x?x4x16xf32>, tensor<3xi64>) -> tensor<*xf32>
  %b = onnx.node "Reshape"(%a, %rows) version 17 {allowzero = 1 : i64} : (tensor<*xf32>, tensor<2xi64>) -> tensor<*xf32>
  %c = onnx.node "Reshape"(%a, %split) version 17 {} : (tensor<*xf32>, tensor<3xi64>) -> tensor<*xf32>
  %d = onnx.node "Flatten"(%a) version 17 {axis = -1 : i64} : (tensor<*xf32>) -> tensor<*xf32>
  return
}

// A -1 beside sizes that do not divide needs the remainder to be 0.

// CHECK-LABEL: function remainder
// CHECK:       Reshape: f32[floordiv(seq, 4), 4]
// CHECK:       guard mod(seq, 4) == 0: node '{{.*}}': Reshape expects
func.func @remainder(%x: tensor<?xf32> {onnx.dims = ["seq"]}) {
  %target = onnx.constant dense<[-1, 4]> : tensor<2xi64>
  %a = onnx.node "Reshape"(%x, %target) version 17 {} : (tensor<?xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// Axes come as an attribute before version 13 and as an input from then on.

// CHECK-LABEL: function axes
// CHECK:       Unsqueeze: f32[1, seq, 1, 4]
// CHECK-NEXT:  Squeeze: f32[seq, 1, 4]
// CHECK-NEXT:  Squeeze: f32[seq, 4]
// CHECK-NEXT:  ReduceMean: f32[seq, 1]
// CHECK-NEXT:  ReduceSum: f32[4]
// CHECK-NEXT:  Transpose: f32[4, seq]
func.func @axes(%x: tensor<?x4xf32> {onnx.dims = ["seq", "4"]}) {
  %first = onnx.constant dense<0> : tensor<1xi64>
  %a = onnx.node "Unsqueeze"(%x) version 11 {axes = array<i64: 0, 2>} : (tensor<?x4xf32>) -> tensor<*xf32>
  %b = onnx.node "Squeeze"(%a, %first) version 13 {} : (tensor<*xf32>, tensor<1xi64>) -> tensor<*xf32>
  %c = onnx.node "Squeeze"(%b) version 13 {} : (tensor<*xf32>) -> tensor<*xf32>
  %d = onnx.node "ReduceMean"(%x) version 17 {axes = array<i64: -1>} : (tensor<?x4xf32>) -> tensor<*xf32>
  %e = onnx.node "ReduceSum"(%x, %first) version 13 {keepdims = 0 : i64} : (tensor<?x4xf32>, tensor<1xi64>) -> tensor<*xf32>
  %f = onnx.node "Transpose"(%x) version 13 {} : (tensor<?x4xf32>) -> tensor<*xf32>
  return
}

// Ends beyond the axis are clamped, negative ones count from the end, steps
// round up, and a negative step runs backwards. Where the sign of an index is
// not known, it is decided when the model runs.

// CHECK-LABEL: function slice
// CHECK:       Slice: f32[seq]
// CHECK-NEXT:  Slice: f32[max(0, seq - 2)]
// CHECK-NEXT:  Slice: f32[min(seq, 3)]
// CHECK-NEXT:  Slice: f32[floordiv(seq + 1, 2)]
// CHECK-NEXT:  Slice: f32[seq]
// CHECK-NEXT:  Slice: f32[{{.*}}select(le(64, seq)
func.func @slice(%x: tensor<?xf32> {onnx.dims = ["seq"]}) {
  %zero = onnx.constant dense<0> : tensor<1xi64>
  %two = onnx.constant dense<2> : tensor<1xi64>
  %minusOne = onnx.constant dense<-1> : tensor<1xi64>
  %minusThree = onnx.constant dense<-3> : tensor<1xi64>
  %end = onnx.constant dense<9223372036854775807> : tensor<1xi64>
  %begin = onnx.constant dense<-9223372036854775808> : tensor<1xi64>
  %sixtyFour = onnx.constant dense<64> : tensor<1xi64>
  %length = onnx.node "Shape"(%x) version 17 {} : (tensor<?xf32>) -> tensor<1xi64>
  %below = onnx.node "Sub"(%length, %sixtyFour) version 17 {} : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %a = onnx.node "Slice"(%x, %zero, %end, %zero) version 17 {} : (tensor<?xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  %b = onnx.node "Slice"(%x, %two, %end) version 17 {} : (tensor<?xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  %c = onnx.node "Slice"(%x, %minusThree, %end) version 17 {} : (tensor<?xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  %d = onnx.node "Slice"(%x, %zero, %end, %zero, %two) version 17 {} : (tensor<?xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  %e = onnx.node "Slice"(%x, %end, %begin, %zero, %minusOne) version 17 {} : (tensor<?xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  %f = onnx.node "Slice"(%x, %below, %end) version 17 {} : (tensor<?xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  return
}

// CHECK-LABEL: function join
// CHECK:       Concat: f32[past_seq + seq, 4]
// CHECK-NEXT:  Split: f32[past_seq + seq, 2]; f32[past_seq + seq, 2]
// CHECK-NEXT:  Pad: f32[past_seq + seq + 3, 4]
// CHECK-NEXT:  Tile: f32[2*past_seq + 2*seq, 4]
func.func @join(%past: tensor<?x4xf32> {onnx.dims = ["past_seq", "4"]},
                %new: tensor<?x4xf32> {onnx.dims = ["seq", "4"]}) {
  %pads = onnx.constant dense<[1, 0, 2, 0]> : tensor<4xi64>
  %counts = onnx.constant dense<[2, 1]> : tensor<2xi64>
  %a = onnx.node "Concat"(%past, %new) version 17 {axis = -2 : i64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<*xf32>
  %b:2 = onnx.node "Split"(%a) version 13 {axis = 1 : i64} : (tensor<*xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  %c = onnx.node "Pad"(%a, %pads) version 17 {} : (tensor<*xf32>, tensor<4xi64>) -> tensor<*xf32>
  %d = onnx.node "Tile"(%a, %counts) version 17 {} : (tensor<*xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}
