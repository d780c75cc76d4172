// RUN: heddle-opt %s --split-input-file --heddle-convert-onnx | FileCheck %s

// An index that the data give is checked; the table is read in the body.

// CHECK-LABEL: func.func @main(
func.func @main(%i: tensor<?x?xi64> {onnx.name = "i", onnx.dims = ["b", "s"]})
    -> (tensor<*xf32> {onnx.name = "y"}) {
  // CHECK: %[[TABLE:.*]] = heddle.weight
  // CHECK: %[[INDEX:.*]] = heddle.checked_index %{{.*}} of %{{.*}} text "node 'embed'"
  // CHECK: tensor.extract %[[TABLE]][%[[INDEX]], %{{.*}}]
  %t = onnx.constant #heddle.weight<"model.onnx", 0, 320> : tensor<20x4xf32>
  %y = onnx.node "Gather"(%t, %i) version 13 {} : (tensor<20x4xf32>, tensor<?x?xi64>) -> tensor<*xf32> loc("embed")
  return %y : tensor<*xf32>
}

// -----

// An index that is known and in range makes a view.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?x5x4xf32> {onnx.name = "x", onnx.dims = ["b", "5", "4"]})
    -> (tensor<*xf32> {onnx.name = "y"}) {
  // CHECK-NOT: heddle.checked_index
  // CHECK:     tensor.extract_slice %{{.*}}[0, 4, 0] [%{{.*}}, 1, 4]
  // CHECK:     tensor.collapse_shape
  %i = onnx.constant dense<-1> : tensor<i64>
  %y = onnx.node "Gather"(%x, %i) version 13 {axis = 1 : i64} : (tensor<?x5x4xf32>, tensor<i64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// One check per component of an index tuple; batch axes go through.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?x5x4xf32> {onnx.name = "x", onnx.dims = ["b", "5", "4"]},
                %i: tensor<?x2xi64> {onnx.name = "i", onnx.dims = ["b", "2"]})
    -> (tensor<*xf32> {onnx.name = "y"}, tensor<*xf32> {onnx.name = "z"}) {
  // CHECK-COUNT-2: heddle.checked_index
  // CHECK:         tensor.extract
  %y = onnx.node "GatherND"(%x, %i) version 13 {batch_dims = 1 : i64} : (tensor<?x5x4xf32>, tensor<?x2xi64>) -> tensor<*xf32>
  // CHECK:         heddle.checked_index
  // CHECK-NOT:     heddle.checked_index
  %f = onnx.node "Flatten"(%x) version 13 {} : (tensor<?x5x4xf32>) -> tensor<*xf32>
  %z = onnx.node "GatherElements"(%f, %i) version 13 {axis = 1 : i64} : (tensor<*xf32>, tensor<?x2xi64>) -> tensor<*xf32>
  return %y, %z : tensor<*xf32>, tensor<*xf32>
}
