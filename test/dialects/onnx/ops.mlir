// RUN: heddle-opt %s | heddle-opt | FileCheck %s

// The faithful form of a graph: whatever the model says, it can be said.

// CHECK-LABEL: func @graph(
// CHECK-SAME: onnx.dims = ["batch", "?", "4"], onnx.name = "x"
func.func @graph(%x: tensor<?x?x4xf32>
                     {onnx.name = "x", onnx.dims = ["batch", "?", "4"]})
    -> (tensor<*xf32> {onnx.name = "y"}) {
  // CHECK: onnx.constant dense<[1, 2]> : tensor<2xi64>
  %c = onnx.constant dense<[1, 2]> : tensor<2xi64>
  // CHECK: onnx.constant #heddle.weight<"model.onnx", 128, 64> : tensor<4x4xf32>
  %w = onnx.constant #heddle.weight<"model.onnx", 128, 64> : tensor<4x4xf32>
  // CHECK: %[[N:.*]] = onnx.none
  %n = onnx.none
  // CHECK: onnx.node "Clip"(%{{.*}}, %[[N]], %[[N]]) version 13 {} :
  %0 = onnx.node "Clip"(%x, %n, %n) version 13 {}
      : (tensor<?x?x4xf32>, none, none) -> tensor<*xf32>
  // CHECK: onnx.node "FusedMatMul" of "com.microsoft"(%{{.*}}, %{{.*}}) version 1 {alpha = 5.000000e-01 : f32, axes = array<i64: 1>}
  %1 = onnx.node "FusedMatMul" of "com.microsoft"(%0, %w) version 1
      {alpha = 0.5 : f32, axes = array<i64: 1>}
      : (tensor<*xf32>, tensor<4x4xf32>) -> tensor<*xf32>
  return %1 : tensor<*xf32>
}
