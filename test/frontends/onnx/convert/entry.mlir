// RUN: heddle-opt %s --split-input-file --heddle-convert-onnx | FileCheck %s

// Symbols come in the order of the inputs, names are kept, and what is returned
// has its sizes bound.

// CHECK-LABEL: func.func @main(
// CHECK-SAME:    %[[X:.*]]: tensor<?x4xf32> {heddle.name = "x"})
// CHECK-SAME:    -> (tensor<?x4xf32> {heddle.name = "y"})
func.func @main(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dims = ["batch", "4"]})
    -> (tensor<*xf32> {onnx.name = "y"}) {
  // CHECK:      %[[N:.*]] = heddle.symbol "batch" min 1
  // CHECK-NEXT: heddle.bind_shape %[[X]][%[[N]]]
  // CHECK:      %[[INIT:.*]] = tensor.empty(%[[N]])
  // CHECK:      %[[Y:.*]] = linalg.generic {{.*}} ins(%[[X]] {{.*}} outs(%[[INIT]]
  // CHECK:      heddle.bind_shape %[[Y]][%[[N]]]
  // CHECK-NEXT: return %[[Y]]
  %y = onnx.node "Tanh"(%x) version 18 {} : (tensor<?x4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// A size that an input has only as part of a sum is found by subtraction; what
// the shapes take for granted is a guard.

// CHECK-LABEL: func.func @main(
func.func @main(
    %x: tensor<?xf32> {onnx.name = "x", onnx.dims = ["seq"]},
    %m: tensor<?xf32> {onnx.name = "m", onnx.dims = ["past + seq"]},
    %k: tensor<?xf32> {onnx.name = "k", onnx.dims = ["total"]})
    -> (tensor<*xf32> {onnx.name = "y"}) {
  // CHECK-DAG: %[[SEQ:.*]] = heddle.symbol "seq" min 1
  // CHECK-DAG: %[[SUM:.*]] = heddle.symbol "seq + past" min 1
  // CHECK-DAG: %[[TOTAL:.*]] = heddle.symbol "total" min 1
  // CHECK:     %[[PAST:.*]] = arith.subi %[[SUM]], %[[SEQ]]
  // CHECK:     heddle.guard le %{{.*}}, %[[PAST]] text "expects past to be at least 0, where an input has the size seq + past"
  %c = onnx.node "Concat"(%x, %m) version 18 {axis = 0 : i64} : (tensor<?xf32>, tensor<?xf32>) -> tensor<*xf32>
  %y = onnx.node "Sub"(%m, %k) version 18 {} : (tensor<?xf32>, tensor<?xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// An unsigned integer is signless inside; its sign is an attribute outside.

// CHECK-LABEL: func.func @main(
// CHECK-SAME:    tensor<3xi8> {heddle.name = "x", heddle.unsigned})
// CHECK-SAME:    -> (tensor<3xi8> {heddle.name = "y", heddle.unsigned})
func.func @main(%x: tensor<3xui8> {onnx.name = "x", onnx.dims = ["3"]})
    -> (tensor<*xui8> {onnx.name = "y"}) {
  // CHECK: arith.divui
  %c = onnx.constant dense<7> : tensor<ui8>
  %y = onnx.node "Div"(%x, %c) version 18 {} : (tensor<3xui8>, tensor<ui8>) -> tensor<*xui8>
  return %y : tensor<*xui8>
}

// -----

// Shape arithmetic leaves nothing but index arithmetic; a node that nobody
// reads leaves nothing at all.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?x?x8xf32> {onnx.name = "x", onnx.dims = ["b", "s", "8"]})
    -> (tensor<*xf32> {onnx.name = "y"}) {
  // CHECK-NOT: onnx.
  // CHECK-NOT: tensor<{{.*}}i64>
  // CHECK:     tensor.expand_shape {{.*}} : tensor<?x?x8xf32> into tensor<?x?x2x4xf32>
  %s = onnx.node "Shape"(%x) version 18 {} : (tensor<?x?x8xf32>) -> tensor<3xi64>
  %zero = onnx.constant dense<0> : tensor<1xi64>
  %two = onnx.constant dense<2> : tensor<1xi64>
  %lead = onnx.node "Slice"(%s, %zero, %two) version 18 {} : (tensor<3xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xi64>
  %split = onnx.constant dense<[2, 4]> : tensor<2xi64>
  %shape = onnx.node "Concat"(%lead, %split) version 18 {axis = 0 : i64} : (tensor<*xi64>, tensor<2xi64>) -> tensor<*xi64>
  %unread = onnx.node "NonZero"(%x) version 18 {} : (tensor<?x?x8xf32>) -> tensor<*xi64>
  %y = onnx.node "Reshape"(%x, %shape) version 18 {} : (tensor<?x?x8xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// Sizes that are read as data become a tensor.

// CHECK-LABEL: func.func @main(
func.func @main(%x: tensor<?x3xf32> {onnx.name = "x", onnx.dims = ["n", "3"]})
    -> (tensor<*xi64> {onnx.name = "y"}) {
  // CHECK: %[[N:.*]] = heddle.symbol "n"
  // CHECK: %[[I:.*]] = arith.index_cast %[[N]] : index to i64
  // CHECK: %[[Y:.*]] = tensor.from_elements %[[I]], %{{.*}} : tensor<2xi64>
  // CHECK: return %[[Y]]
  %y = onnx.node "Shape"(%x) version 18 {} : (tensor<?x3xf32>) -> tensor<*xi64>
  return %y : tensor<*xi64>
}

// -----

// A size that the model fixes through another input is static, and no symbol.

// CHECK-LABEL: func.func @main(
// CHECK-SAME:    tensor<4xf32> {heddle.name = "x"}
func.func @main(%x: tensor<?xf32> {onnx.name = "x", onnx.dims = ["n"]},
                %w: tensor<4xf32> {onnx.name = "w", onnx.dims = ["4"]})
    -> (tensor<*xf32> {onnx.name = "y"}) {
  // CHECK-NOT: heddle.symbol
  %y = onnx.node "MatMul"(%x, %w) version 18 {} : (tensor<?xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
