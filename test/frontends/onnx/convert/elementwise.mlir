// RUN: heddle-opt %s --split-input-file --heddle-convert-onnx | FileCheck %s

// A broadcast that is known is an indexing map; a scalar constant stands in the
// body.

// CHECK-DAG: #[[FULL:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-DAG: #[[COLUMN:.*]] = affine_map<(d0, d1) -> (d0, 0)>
// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["n", "4"]},
                %r: tensor<4xf32> {onnx.name = "r", onnx.dims = ["4"]},
                %c: tensor<?x1xf32> {onnx.name = "c", onnx.dims = ["n", "1"]})
    -> (tensor<*xf32> {onnx.name = "y"}) {
  // CHECK: linalg.generic {indexing_maps = [#[[FULL]], #[[ROW]], #[[FULL]]]
  // CHECK: arith.addf
  %a = onnx.node "Add"(%x, %r) version 18 {} : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<*xf32>
  // CHECK: linalg.generic {indexing_maps = [#[[FULL]], #[[COLUMN]], #[[FULL]]]
  // CHECK: arith.mulf
  %b = onnx.node "Mul"(%a, %c) version 18 {} : (tensor<*xf32>, tensor<?x1xf32>) -> tensor<*xf32>
  // CHECK: linalg.generic {indexing_maps = [#[[FULL]], #[[FULL]]]
  // CHECK: %[[HALF:.*]] = arith.constant 5.000000e-01
  // CHECK: arith.maximumf %{{.*}}, %[[HALF]]
  %half = onnx.constant dense<0.5> : tensor<1x1xf32>
  %y = onnx.node "Max"(%b, %half) version 18 {} : (tensor<*xf32>, tensor<1x1xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// Only the run time knows whether n is 1 or m: a view with stride 0 decides.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?xf32> {onnx.name = "x", onnx.dims = ["n"]},
                %z: tensor<?xf32> {onnx.name = "z", onnx.dims = ["m"]})
    -> (tensor<*xf32> {onnx.name = "y"}) {
  // CHECK-DAG: heddle.broadcast
  // CHECK:     arith.cmpf olt
  %p = onnx.node "Less"(%x, %z) version 18 {} : (tensor<?xf32>, tensor<?xf32>) -> tensor<*xi1>
  %y = onnx.node "Where"(%p, %x, %z) version 18 {} : (tensor<*xi1>, tensor<?xf32>, tensor<?xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// No divisor of integers traps; a constant one needs no care.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<4xi64> {onnx.name = "x", onnx.dims = ["4"]},
                %z: tensor<4xi64> {onnx.name = "z", onnx.dims = ["4"]})
    -> (tensor<*xi64> {onnx.name = "y"}) {
  // CHECK:     %[[SAFE:.*]] = arith.select
  // CHECK:     arith.divsi %{{.*}}, %[[SAFE]]
  %a = onnx.node "Div"(%x, %z) version 18 {} : (tensor<4xi64>, tensor<4xi64>) -> tensor<*xi64>
  // CHECK:     linalg.generic
  // CHECK-NOT: arith.select
  // CHECK:     arith.divsi
  %two = onnx.constant dense<2> : tensor<i64>
  %y = onnx.node "Div"(%a, %two) version 18 {} : (tensor<*xi64>, tensor<i64>) -> tensor<*xi64>
  return %y : tensor<*xi64>
}

// -----

// Half precision is computed in f32 where an operation is not exact.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<4xf16> {onnx.name = "x", onnx.dims = ["4"]})
    -> (tensor<*xf16> {onnx.name = "y"}) {
  // CHECK: %[[WIDE:.*]] = arith.extf %{{.*}} : f16 to f32
  // CHECK: %[[GELU:.*]] = heddle.gelu %[[WIDE]] approximate tanh : f32
  // CHECK: arith.truncf %[[GELU]] : f32 to f16
  %y = onnx.node "Gelu"(%x) version 20 {approximate = "tanh"} : (tensor<4xf16>) -> tensor<*xf16>
  return %y : tensor<*xf16>
}

// -----

// A float outside of the integer's range is its minimum, never poison.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<4xf32> {onnx.name = "x", onnx.dims = ["4"]})
    -> (tensor<*xi32> {onnx.name = "y"}) {
  // CHECK: %[[SAFE:.*]] = arith.select
  // CHECK: %[[I:.*]] = arith.fptosi %[[SAFE]]
  // CHECK: arith.constant -2147483648
  // CHECK: arith.select %{{.*}}, %[[I]]
  %y = onnx.node "Cast"(%x) version 13 {to = 6 : i64} : (tensor<4xf32>) -> tensor<*xi32>
  return %y : tensor<*xi32>
}
