// RUN: heddle-opt %s --split-input-file --heddle-convert-onnx | FileCheck %s

// A transposed weight is read as it lies in the file.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["n", "4"]})
    -> (tensor<*xf32> {onnx.name = "y"}) {
  // CHECK:     %[[W:.*]] = heddle.weight
  // CHECK-NOT: linalg.transpose
  // CHECK:     heddle.contraction ins(%{{.*}}, %[[W]] : {{.*}}) transpose_rhs
  %w = onnx.constant #heddle.weight<"model.onnx", 128, 96> : tensor<6x4xf32>
  %t = onnx.node "Transpose"(%w) version 18 {perm = array<i64: 1, 0>} : (tensor<6x4xf32>) -> tensor<4x6xf32>
  %y = onnx.node "MatMul"(%x, %t) version 18 {} : (tensor<?x4xf32>, tensor<4x6xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// The addend of a Gemm that is a row is the bias; any other is added.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["n", "4"]},
                %w: tensor<4x6xf32> {onnx.name = "w", onnx.dims = ["4", "6"]},
                %b: tensor<6xf32> {onnx.name = "b", onnx.dims = ["6"]})
    -> (tensor<*xf32> {onnx.name = "y"}, tensor<*xf32> {onnx.name = "z"}) {
  // CHECK:     heddle.contraction {{.*}} bias(
  // CHECK-NOT: linalg.generic
  // CHECK:     heddle.contraction
  // CHECK-NOT: bias(
  // CHECK:     linalg.generic
  // CHECK:     arith.mulf
  %y = onnx.node "Gemm"(%x, %w, %b) version 13 {} : (tensor<?x4xf32>, tensor<4x6xf32>, tensor<6xf32>) -> tensor<*xf32>
  %z = onnx.node "Gemm"(%x, %w, %b) version 13 {alpha = 5.0e-01 : f32} : (tensor<?x4xf32>, tensor<4x6xf32>, tensor<6xf32>) -> tensor<*xf32>
  return %y, %z : tensor<*xf32>, tensor<*xf32>
}

// -----

// Batches that differ are broadcast as views.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<2x1x3x4xf32> {onnx.name = "x", onnx.dims = ["2", "1", "3", "4"]},
                %w: tensor<5x4x6xf32> {onnx.name = "w", onnx.dims = ["5", "4", "6"]})
    -> (tensor<*xf32> {onnx.name = "y"}) {
  // CHECK-DAG: %[[L:.*]] = heddle.broadcast {{.*}} -> tensor<2x5x3x4xf32>
  // CHECK-DAG: %[[R:.*]] = heddle.broadcast {{.*}} -> tensor<2x5x4x6xf32>
  // CHECK:     heddle.contraction ins(%[[L]], %[[R]]
  %y = onnx.node "MatMul"(%x, %w) version 18 {} : (tensor<2x1x3x4xf32>, tensor<5x4x6xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// Integers are multiplied by a plain loop nest.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<3x4xi32> {onnx.name = "x", onnx.dims = ["3", "4"]},
                %w: tensor<4x6xi32> {onnx.name = "w", onnx.dims = ["4", "6"]})
    -> (tensor<*xi32> {onnx.name = "y"}) {
  // CHECK-NOT: heddle.contraction
  // CHECK:     iterator_types = ["parallel", "parallel", "reduction"]
  %y = onnx.node "MatMul"(%x, %w) version 18 {} : (tensor<3x4xi32>, tensor<4x6xi32>) -> tensor<*xi32>
  return %y : tensor<*xi32>
}
