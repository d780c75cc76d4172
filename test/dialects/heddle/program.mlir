// RUN: heddle-opt %s | heddle-opt | FileCheck %s

// Sizes, weights and memory of a program.

// CHECK-LABEL: func @program(
func.func @program(%x: tensor<?x?xi64>) {
  // CHECK: heddle.symbol "batch" min 1
  // CHECK-NOT: max
  %batch = heddle.symbol "batch" min 1
  // CHECK: heddle.symbol "seq" min 8 max 4096 divisor 8
  %seq = heddle.symbol "seq" min 8 max 4096 divisor 8
  // CHECK: heddle.bind_shape %{{.*}}[%{{.*}}, %{{.*}}] : tensor<?x?xi64>
  heddle.bind_shape %x[%batch, %seq] : tensor<?x?xi64>
  // CHECK: heddle.guard le %{{.*}}, %{{.*}} text "expects batch <= seq"
  heddle.guard le %batch, %seq text "expects batch <= seq"
  // CHECK: heddle.guard eq
  heddle.guard eq %batch, %seq text "expects batch == seq"
  // CHECK: heddle.weight #heddle.weight<"model.onnx", 128, 64> : tensor<4x4xf32> -> tensor<4x4xf32>
  %w = heddle.weight #heddle.weight<"model.onnx", 128, 64> : tensor<4x4xf32>
      -> tensor<4x4xf32>
  // CHECK: heddle.weight {{.*}} panel 3 transposed -> memref<2x4x3xf32>
  %p = heddle.weight #heddle.weight<"model.onnx", 128, 64> : tensor<4x4xf32>
      panel 3 transposed -> memref<2x4x3xf32>
  // CHECK: heddle.arena_buffer[%{{.*}}] slot 3 live 2 to 5 : memref<?x8xf32>
  %t = heddle.arena_buffer [%batch] slot 3 live 2 to 5 : memref<?x8xf32>
  // CHECK: heddle.barrier
  heddle.barrier
  return
}

// A kernel in place, and one with a name.

// CHECK-LABEL: func @kernels(
func.func @kernels(%x: tensor<?x8xf32>, %e: tensor<?x8xf32>,
                   %m: memref<?x8xf32>) -> tensor<?x8xf32> {
  // CHECK: heddle.kernel ins({{.*}}) outs({{.*}}) reason "row" {
  // CHECK: heddle.yield
  %y = heddle.kernel ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>)
      reason "row" {
  ^bb0(%a: tensor<?x8xf32>, %i: tensor<?x8xf32>):
    %n = heddle.layer_norm ins(%a : tensor<?x8xf32>) epsilon 1.0e-5
        outs(%i : tensor<?x8xf32>) -> tensor<?x8xf32>
    heddle.yield %n : tensor<?x8xf32>
  } -> tensor<?x8xf32>
  // CHECK: heddle.dispatch @k0 ins({{.*}} : memref<?x8xf32>) outs({{.*}} : memref<?x8xf32>)
  heddle.dispatch @k0 ins(%m : memref<?x8xf32>) outs(%m : memref<?x8xf32>)
  return %y : tensor<?x8xf32>
}

// CHECK: heddle.kernel_def @k0 outputs 1 schedule <"row", {lanes = 8 : i64}>
// CHECK-SAME: layouts [#heddle.layout<contiguous>, #heddle.layout<strided>]
heddle.kernel_def @k0 outputs 1 schedule <"row", {lanes = 8 : i64}>
    layouts [#heddle.layout<contiguous>, #heddle.layout<strided>] {
^bb0(%a: tensor<?x8xf32>, %i: tensor<?x8xf32>):
  %n = heddle.layer_norm ins(%a : tensor<?x8xf32>) epsilon 1.0e-5
      outs(%i : tensor<?x8xf32>) -> tensor<?x8xf32>
  heddle.yield %n : tensor<?x8xf32>
}
