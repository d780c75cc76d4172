// RUN: heddle-shapes %s | FileCheck %s

// The chain that exporters write around an Expand: -1 becomes 1, sizes stay.

// CHECK-LABEL: function expand_chain
// CHECK:       Concat: i64[3] = {batch, -1, 64}
// CHECK-NEXT:  Equal: i1[3] = {0, 1, 0}
// CHECK-NEXT:  Where: i64[3] = {batch, 1, 64}
// CHECK-NEXT:  Expand: f32[batch, seq, 64]
func.func @expand_chain(%x: tensor<1x?x64xf32> {onnx.dims = ["1", "seq", "64"]},
                        %ids: tensor<?xi64> {onnx.dims = ["batch"]}) {
  %minus = onnx.constant dense<-1> : tensor<1xi64>
  %width = onnx.constant dense<64> : tensor<1xi64>
  %ones = onnx.constant dense<1> : tensor<3xi64>
  %minuses = onnx.constant dense<-1> : tensor<3xi64>
  %batch = onnx.node "Shape"(%ids) version 17 {} : (tensor<?xi64>) -> tensor<1xi64>
  %target = onnx.node "Concat"(%batch, %minus, %width) version 17 {axis = 0 : i64}
      : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<3xi64>
  %is = onnx.node "Equal"(%target, %minuses) version 17 {} : (tensor<3xi64>, tensor<3xi64>) -> tensor<3xi1>
  %clean = onnx.node "Where"(%is, %ones, %target) version 17 {} : (tensor<3xi1>, tensor<3xi64>, tensor<3xi64>) -> tensor<3xi64>
  %y = onnx.node "Expand"(%x, %clean) version 17 {} : (tensor<1x?x64xf32>, tensor<3xi64>) -> tensor<*xf32>
  return
}

// Division truncates, Mod follows the divisor, narrow integers do not wrap: the
// product that leaves 32 bits is not known.

// CHECK-LABEL: function arithmetic
// CHECK:       Div: i32[3] = {-3, 3, 0}
// CHECK-NEXT:  Mod: i32[3] = {1, 1, 1}
// CHECK-NEXT:  Mod: i32[3] = {-1, 1, 1}
// CHECK-NEXT:  Mul: i32[3]{{$}}
// CHECK-NEXT:  CumSum: i32[3] = {-7, 0, 1}
// CHECK-NEXT:  ReduceProd: i32[] = {-49}
// CHECK-NEXT:  Cast: i1[3] = {1, 1, 1}
// CHECK-NEXT:  Pow: i32[3] = {49, 49, 1}
func.func @arithmetic() {
  %a = onnx.constant dense<[-7, 7, 1]> : tensor<3xi32>
  %two = onnx.constant dense<2> : tensor<1xi32>
  %large = onnx.constant dense<2000000000> : tensor<1xi32>
  %zero = onnx.constant dense<0> : tensor<i64>
  %div = onnx.node "Div"(%a, %two) version 17 {} : (tensor<3xi32>, tensor<1xi32>) -> tensor<3xi32>
  %mod = onnx.node "Mod"(%a, %two) version 17 {} : (tensor<3xi32>, tensor<1xi32>) -> tensor<3xi32>
  %fmod = onnx.node "Mod"(%a, %two) version 17 {fmod = 1 : i64} : (tensor<3xi32>, tensor<1xi32>) -> tensor<3xi32>
  %mul = onnx.node "Mul"(%a, %large) version 17 {} : (tensor<3xi32>, tensor<1xi32>) -> tensor<3xi32>
  %sum = onnx.node "CumSum"(%a, %zero) version 17 {} : (tensor<3xi32>, tensor<i64>) -> tensor<3xi32>
  %prod = onnx.node "ReduceProd"(%a) version 17 {keepdims = 0 : i64} : (tensor<3xi32>) -> tensor<i32>
  %bool = onnx.node "Cast"(%a) version 17 {to = 9 : i64} : (tensor<3xi32>) -> tensor<3xi1>
  %pow = onnx.node "Pow"(%a, %two) version 17 {} : (tensor<3xi32>, tensor<1xi32>) -> tensor<3xi32>
  return
}

// What only the data decide gets a symbol of its own.

// CHECK-LABEL: function data
// CHECK:       NonZero: i64[1, ?[[N:[0-9]+]]]
// CHECK-NEXT:  Transpose: i64[?[[N]], 1]
// CHECK-NEXT:  Range: i64[?
func.func @data(%x: tensor<?xf32> {onnx.dims = ["seq"]}, %end: tensor<i64> {onnx.dims = []}) {
  %zero = onnx.constant dense<0> : tensor<i64>
  %one = onnx.constant dense<1> : tensor<i64>
  %found = onnx.node "NonZero"(%x) version 17 {} : (tensor<?xf32>) -> tensor<1x?xi64>
  %rows = onnx.node "Transpose"(%found) version 17 {} : (tensor<1x?xi64>) -> tensor<?x1xi64>
  %range = onnx.node "Range"(%zero, %end, %one) version 17 {} : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  return
}

// An operator without a rule is no error.

// CHECK-LABEL: function unheard_of
// CHECK:       Unheard: ?[*]
func.func @unheard_of(%x: tensor<?xf32> {onnx.dims = ["seq"]}) {
  %y = onnx.node "Unheard" of "example"(%x) version 1 {} : (tensor<?xf32>) -> tensor<?xf32>
  return
}
