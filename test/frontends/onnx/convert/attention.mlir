// RUN: heddle-opt %s --split-input-file --heddle-convert-onnx | FileCheck %s

// Rank 3: heads are split off and put together again. The mask gets rank 4 and
// keys beyond its end are masked out.

// CHECK-LABEL: func.func @main(
func.func @main(%q: tensor<?x?x32xf32> {onnx.name = "q", onnx.dims = ["b", "s", "32"]},
                %m: tensor<?x2xi1> {onnx.name = "m", onnx.dims = ["s", "2"]},
                %k: tensor<?x3x16xf32> {onnx.name = "k", onnx.dims = ["b", "3", "16"]})
    -> (tensor<*xf32> {onnx.name = "y"}) {
  // CHECK: linalg.transpose {{.*}} permutation = [0, 2, 1, 3]
  // CHECK: %[[MASK:.*]] = tensor.concat dim(3) {{.*}} -> tensor<1x1x?x3xi1>
  // CHECK: heddle.attention query(%{{.*}} : tensor<?x4x?x8xf32>) key(%{{.*}} : tensor<?x2x3x8xf32>)
  // CHECK-SAME: mask(%[[MASK]]
  // CHECK-SAME: zero_masked_rows
  // CHECK-SAME: scale 2.500000e-01
  // CHECK: linalg.transpose {{.*}} permutation = [0, 2, 1, 3]
  // CHECK: tensor.collapse_shape
  %y = onnx.node "Attention"(%q, %k, %k, %m) version 23 {q_num_heads = 4 : i64, kv_num_heads = 2 : i64, scale = 2.5e-01 : f32} : (tensor<?x?x32xf32>, tensor<?x3x16xf32>, tensor<?x3x16xf32>, tensor<?x2xi1>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// With a cache, causal means: up to the position behind the cache.

// CHECK-LABEL: func.func @main(
func.func @main(%q: tensor<?x4x?x8xf32> {onnx.name = "q", onnx.dims = ["b", "4", "s", "8"]},
                %p: tensor<?x4x?x8xf32> {onnx.name = "p", onnx.dims = ["b", "4", "past", "8"]})
    -> (tensor<*xf32> {onnx.name = "y"}, tensor<*xf32> {onnx.name = "present"}) {
  // CHECK: %[[PAST:.*]] = heddle.symbol "past" min 0
  // CHECK: %[[KEYS:.*]] = tensor.concat dim(2)
  // CHECK: heddle.attention {{.*}} key(%[[KEYS]] {{.*}} causal offset(%[[PAST]])
  %none = onnx.none
  %y, %present, %v = onnx.node "Attention"(%q, %q, %q, %none, %p, %p) version 23 {is_causal = 1 : i64} : (tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>, none, tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>)
  return %y, %present : tensor<*xf32>, tensor<*xf32>
}

// -----

// The valid part of a cache of fixed size becomes part of the mask.

// CHECK-LABEL: func.func @main(
func.func @main(%q: tensor<2x4x3x8xf32> {onnx.name = "q", onnx.dims = ["2", "4", "3", "8"]},
                %n: tensor<2xi64> {onnx.name = "n", onnx.dims = ["2"]})
    -> (tensor<*xf32> {onnx.name = "y"}) {
  // CHECK: %[[MASK:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<2x1x1x3xi1>)
  // CHECK: heddle.attention {{.*}} mask(%[[MASK]]
  %none = onnx.none
  %y = onnx.node "Attention"(%q, %q, %q, %none, %none, %none, %n) version 24 {} : (tensor<2x4x3x8xf32>, tensor<2x4x3x8xf32>, tensor<2x4x3x8xf32>, none, none, none, tensor<2xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
