// RUN: heddle-opt %s --split-input-file --heddle-convert-onnx | FileCheck %s

// Axes as an attribute and as an input; axes that are kept come back as a view.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?x3x4xf32> {onnx.name = "x", onnx.dims = ["n", "3", "4"]})
    -> (tensor<*xf32> {onnx.name = "y"}, tensor<*xf32> {onnx.name = "z"}) {
  // CHECK: iterator_types = ["parallel", "parallel", "reduction"]
  // CHECK: arith.divf
  // CHECK: tensor.expand_shape {{.*}} into tensor<?x3x1xf32>
  %y = onnx.node "ReduceMean"(%x) version 13 {axes = array<i64: -1>} : (tensor<?x3x4xf32>) -> tensor<*xf32>
  // CHECK: iterator_types = ["parallel", "reduction", "parallel"]
  // CHECK: arith.maximumf
  %axes = onnx.constant dense<1> : tensor<1xi64>
  %z = onnx.node "ReduceMax"(%x, %axes) version 18 {keepdims = 0 : i64} : (tensor<?x3x4xf32>, tensor<1xi64>) -> tensor<*xf32>
  return %y, %z : tensor<*xf32>, tensor<*xf32>
}

// -----

// Two accumulators: the best element and where it is.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["n", "4"]})
    -> (tensor<*xi64> {onnx.name = "y"}) {
  // CHECK: linalg.generic {{.*}} outs(%{{.*}}, %{{.*}} : tensor<?xf32>, tensor<?xi64>)
  // CHECK: arith.cmpf oge
  %y = onnx.node "ArgMax"(%x) version 13 {axis = 1 : i64, keepdims = 0 : i64, select_last_index = 1 : i64} : (tensor<?x4xf32>) -> tensor<*xi64>
  return %y : tensor<*xi64>
}

// -----

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?x4xi64> {onnx.name = "x", onnx.dims = ["n", "4"]})
    -> (tensor<*xi64> {onnx.name = "y"}) {
  // CHECK: iterator_types = ["parallel", "parallel", "reduction"]
  // CHECK: arith.cmpi ule
  %axis = onnx.constant dense<1> : tensor<i64>
  %y = onnx.node "CumSum"(%x, %axis) version 14 {} : (tensor<?x4xi64>, tensor<i64>) -> tensor<*xi64>
  return %y : tensor<*xi64>
}
