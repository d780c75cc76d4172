// RUN: heddle-opt %s --split-input-file --heddle-convert-onnx | FileCheck %s

// Runs of axes that hold the same elements are found from the expressions.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?x?x12xf32> {onnx.name = "x", onnx.dims = ["b", "s", "12"]})
    -> (tensor<*xf32> {onnx.name = "y"}, tensor<*xf32> {onnx.name = "z"}) {
  // CHECK:     tensor.expand_shape %{{.*}} {{\[\[}}0], [1], [2, 3]]
  // CHECK-NOT: tensor.collapse_shape
  // CHECK:     linalg.transpose {{.*}} permutation = [0, 2, 1, 3]
  %split = onnx.constant dense<[0, 0, 3, 4]> : tensor<4xi64>
  %h = onnx.node "Reshape"(%x, %split) version 18 {} : (tensor<?x?x12xf32>, tensor<4xi64>) -> tensor<*xf32>
  %y = onnx.node "Transpose"(%h) version 18 {perm = array<i64: 0, 2, 1, 3>} : (tensor<*xf32>) -> tensor<*xf32>
  // CHECK:     tensor.collapse_shape %{{.*}} {{\[\[}}0, 1], [2]]
  %flat = onnx.constant dense<[-1, 12]> : tensor<2xi64>
  %z = onnx.node "Reshape"(%x, %flat) version 18 {} : (tensor<?x?x12xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %y, %z : tensor<*xf32>, tensor<*xf32>
}

// -----

// A slice with positive steps is a view; one with negative steps reads its
// elements one by one.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?x8xf32> {onnx.name = "x", onnx.dims = ["n", "8"]})
    -> (tensor<*xf32> {onnx.name = "y"}, tensor<*xf32> {onnx.name = "z"}) {
  %from = onnx.constant dense<1> : tensor<1xi64>
  %to = onnx.constant dense<9223372036854775807> : tensor<1xi64>
  %axes = onnx.constant dense<-1> : tensor<1xi64>
  %two = onnx.constant dense<2> : tensor<1xi64>
  // CHECK: tensor.extract_slice %{{.*}}[0, 1] [%{{.*}}, 4] [1, 2]
  %y = onnx.node "Slice"(%x, %from, %to, %axes, %two) version 18 {} : (tensor<?x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  %last = onnx.constant dense<-1> : tensor<1xi64>
  %end = onnx.constant dense<-9223372036854775808> : tensor<1xi64>
  // CHECK: linalg.generic
  // CHECK: tensor.extract %{{.*}}[%{{.*}}, %{{.*}}]
  %z = onnx.node "Slice"(%x, %last, %end, %axes, %last) version 18 {} : (tensor<?x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  return %y, %z : tensor<*xf32>, tensor<*xf32>
}

// -----

// Tile reads every axis once per repetition; a constant pad is a concatenation.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["n", "4"]})
    -> (tensor<*xf32> {onnx.name = "y"}, tensor<*xf32> {onnx.name = "z"}) {
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<?x3x4xf32>)
  // CHECK: tensor.collapse_shape {{.*}} into tensor<?x12xf32>
  %repeats = onnx.constant dense<[1, 3]> : tensor<2xi64>
  %y = onnx.node "Tile"(%x, %repeats) version 18 {} : (tensor<?x4xf32>, tensor<2xi64>) -> tensor<*xf32>
  // CHECK: tensor.concat dim(1)
  %pads = onnx.constant dense<[0, 1, 0, 2]> : tensor<4xi64>
  %z = onnx.node "Pad"(%x, %pads) version 18 {} : (tensor<?x4xf32>, tensor<4xi64>) -> tensor<*xf32>
  return %y, %z : tensor<*xf32>, tensor<*xf32>
}

// -----

// Parts of a split are slices that begin where the one before ends.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?x6xf32> {onnx.name = "x", onnx.dims = ["n", "6"]})
    -> (tensor<*xf32> {onnx.name = "y"}, tensor<*xf32> {onnx.name = "z"}) {
  // CHECK: tensor.extract_slice %{{.*}}[0, 0] [%{{.*}}, 2]
  // CHECK: tensor.extract_slice %{{.*}}[0, 2] [%{{.*}}, 4]
  %sizes = onnx.constant dense<[2, 4]> : tensor<2xi64>
  %y, %z = onnx.node "Split"(%x, %sizes) version 13 {axis = 1 : i64} : (tensor<?x6xf32>, tensor<2xi64>) -> (tensor<*xf32>, tensor<*xf32>)
  return %y, %z : tensor<*xf32>, tensor<*xf32>
}
