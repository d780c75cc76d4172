// RUN: heddle-opt %s --split-input-file --heddle-convert-onnx | FileCheck %s

// Over several axes they are normalised as one.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?x3x4xf32> {onnx.name = "x", onnx.dims = ["n", "3", "4"]},
                %s: tensor<3x4xf32> {onnx.name = "s", onnx.dims = ["3", "4"]})
    -> (tensor<*xf32> {onnx.name = "y"}) {
  // CHECK: heddle.layer_norm ins(%{{.*}} : tensor<?x12xf32>) scale(%{{.*}} : tensor<12xf32>) epsilon
  // CHECK: tensor.expand_shape
  %y = onnx.node "LayerNormalization"(%x, %s) version 17 {axis = 1 : i64} : (tensor<?x3x4xf32>, tensor<3x4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// The moments as results: step by step, with the sums in f32.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?x4xf16> {onnx.name = "x", onnx.dims = ["n", "4"]},
                %s: tensor<4xf16> {onnx.name = "s", onnx.dims = ["4"]})
    -> (tensor<*xf16> {onnx.name = "y"}, tensor<*xf32> {onnx.name = "m"}) {
  // CHECK-NOT: heddle.layer_norm
  // CHECK:     linalg.fill {{.*}} outs(%{{.*}} : tensor<?xf32>)
  // CHECK:     iterator_types = ["parallel", "reduction"]
  // CHECK:     math.rsqrt
  %y, %m = onnx.node "LayerNormalization"(%x, %s) version 17 {} : (tensor<?x4xf16>, tensor<4xf16>) -> (tensor<*xf16>, tensor<*xf32>)
  return %y, %m : tensor<*xf16>, tensor<*xf32>
}

// -----

// Before opset 13 the axis and all after it count as one.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?x3x4xf32> {onnx.name = "x", onnx.dims = ["n", "3", "4"]})
    -> (tensor<*xf32> {onnx.name = "y"}, tensor<*xf32> {onnx.name = "z"}) {
  // CHECK: linalg.softmax dimension(1) ins(%{{.*}} : tensor<?x12xf32>)
  %y = onnx.node "Softmax"(%x) version 11 {} : (tensor<?x3x4xf32>) -> tensor<*xf32>
  // CHECK: linalg.softmax dimension(1) ins(%{{.*}} : tensor<?x3x4xf32>)
  %z = onnx.node "Softmax"(%x) version 13 {axis = 1 : i64} : (tensor<?x3x4xf32>) -> tensor<*xf32>
  return %y, %z : tensor<*xf32>, tensor<*xf32>
}

// -----

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["n", "4"]},
                %s: tensor<4xf32> {onnx.name = "s", onnx.dims = ["4"]})
    -> (tensor<*xf32> {onnx.name = "y"}) {
  // CHECK: math.rsqrt
  // CHECK: arith.mulf
  %y = onnx.node "RMSNormalization"(%x, %s) version 23 {} : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
