// RUN: heddle-opt %s --split-input-file --heddle-convert-onnx | FileCheck %s

// A tensor of one value is read as a scalar; a range of a size that the inputs
// give is computed.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["n", "4"]})
    -> (tensor<*xf32> {onnx.name = "y"}, tensor<*xi64> {onnx.name = "z"}) {
  // CHECK-NOT: linalg.fill
  // CHECK:     linalg.generic
  // CHECK:     arith.constant 2.500000e+00
  // CHECK:     arith.addf
  %s = onnx.node "Shape"(%x) version 18 {} : (tensor<?x4xf32>) -> tensor<2xi64>
  %c = onnx.node "ConstantOfShape"(%s) version 18 {value = dense<2.5> : tensor<1xf32>} : (tensor<2xi64>) -> tensor<*xf32>
  %y = onnx.node "Add"(%x, %c) version 18 {} : (tensor<?x4xf32>, tensor<*xf32>) -> tensor<*xf32>
  // CHECK:     linalg.index 0
  // CHECK:     arith.muli
  %zero = onnx.constant dense<0> : tensor<i64>
  %one = onnx.constant dense<1> : tensor<i64>
  %n = onnx.node "Gather"(%s, %zero) version 18 {} : (tensor<2xi64>, tensor<i64>) -> tensor<*xi64>
  %z = onnx.node "Range"(%zero, %n, %one) version 18 {} : (tensor<i64>, tensor<*xi64>, tensor<i64>) -> tensor<*xi64>
  return %y, %z : tensor<*xf32>, tensor<*xi64>
}

// -----

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["n", "4"]},
                %i: tensor<?xi64> {onnx.name = "i", onnx.dims = ["n"]})
    -> (tensor<*xf32> {onnx.name = "y"}, tensor<*xf32> {onnx.name = "z"}) {
  // CHECK: arith.cmpi sle
  // CHECK: arith.select
  %y = onnx.node "Trilu"(%x) version 18 {upper = 0 : i64} : (tensor<?x4xf32>) -> tensor<*xf32>
  // CHECK: arith.cmpi eq
  // CHECK: tensor.extract
  %depth = onnx.constant dense<5> : tensor<i64>
  %values = onnx.constant dense<[0.0, 1.0]> : tensor<2xf32>
  %z = onnx.node "OneHot"(%i, %depth, %values) version 11 {} : (tensor<?xi64>, tensor<i64>, tensor<2xf32>) -> tensor<*xf32>
  return %y, %z : tensor<*xf32>, tensor<*xf32>
}
