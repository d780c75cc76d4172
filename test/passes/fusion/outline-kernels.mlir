// RUN: heddle-opt %s --split-input-file --heddle-outline-kernels --verify-diagnostics | FileCheck %s

// Two kernels that differ in their operands only are one definition, called
// twice.

// CHECK:       heddle.kernel_def @k0_row outputs 1 reason "row" schedule <"row", {}> layouts [#heddle.layout<contiguous>, #heddle.layout<contiguous>] {
// CHECK:         heddle.layer_norm
// CHECK:         heddle.yield
// CHECK-NOT:   heddle.kernel_def
// CHECK-LABEL: func @equal(
// CHECK-SAME:    %[[X:[^:]+]]: memref<?x8xf32>, %[[Y:[^:]+]]: memref<?x8xf32>, %[[Z:[^:]+]]: memref<?x8xf32>
func.func @equal(%x: memref<?x8xf32>, %y: memref<?x8xf32>, %z: memref<?x8xf32>) {
  // CHECK: heddle.dispatch @k0_row ins(%[[X]] : {{.*}}) outs(%[[Y]] :
  // CHECK: heddle.dispatch @k0_row ins(%[[Y]] : {{.*}}) outs(%[[Z]] :
  heddle.kernel ins(%x : memref<?x8xf32>) outs(%y : memref<?x8xf32>) reason "row"
      schedule <"row", {}>
      layouts [#heddle.layout<contiguous>, #heddle.layout<contiguous>] {
  ^bb0(%a: tensor<?x8xf32>, %i: tensor<?x8xf32>):
    %n = heddle.layer_norm ins(%a : tensor<?x8xf32>) epsilon 1.0e-5
        outs(%i : tensor<?x8xf32>) -> tensor<?x8xf32>
    heddle.yield %n : tensor<?x8xf32>
  }
  heddle.kernel ins(%y : memref<?x8xf32>) outs(%z : memref<?x8xf32>) reason "row"
      schedule <"row", {}>
      layouts [#heddle.layout<contiguous>, #heddle.layout<contiguous>] {
  ^bb0(%a: tensor<?x8xf32>, %i: tensor<?x8xf32>):
    %n = heddle.layer_norm ins(%a : tensor<?x8xf32>) epsilon 1.0e-5
        outs(%i : tensor<?x8xf32>) -> tensor<?x8xf32>
    heddle.yield %n : tensor<?x8xf32>
  }
  return
}

// -----

// An attribute in the body, or a layout, makes another kernel.

// CHECK:       heddle.kernel_def @k0_row
// CHECK:         epsilon 1.000000e+00
// CHECK:       heddle.kernel_def @k1_row
// CHECK:         epsilon 2.000000e+00
// CHECK:       heddle.kernel_def @k2_row {{.*}} layouts [#heddle.layout<unit_inner>
// CHECK:         epsilon 2.000000e+00
// CHECK-LABEL: func @different(
func.func @different(%x: memref<?x8xf32>, %y: memref<?x8xf32>) {
  // CHECK: heddle.dispatch @k0_row
  // CHECK: heddle.dispatch @k1_row
  // CHECK: heddle.dispatch @k2_row
  heddle.kernel ins(%x : memref<?x8xf32>) outs(%y : memref<?x8xf32>) schedule <"row", {}>
      layouts [#heddle.layout<contiguous>, #heddle.layout<contiguous>] {
  ^bb0(%a: tensor<?x8xf32>, %i: tensor<?x8xf32>):
    %n = heddle.layer_norm ins(%a : tensor<?x8xf32>) epsilon 1.0
        outs(%i : tensor<?x8xf32>) -> tensor<?x8xf32>
    heddle.yield %n : tensor<?x8xf32>
  }
  heddle.kernel ins(%x : memref<?x8xf32>) outs(%y : memref<?x8xf32>) schedule <"row", {}>
      layouts [#heddle.layout<contiguous>, #heddle.layout<contiguous>] {
  ^bb0(%a: tensor<?x8xf32>, %i: tensor<?x8xf32>):
    %n = heddle.layer_norm ins(%a : tensor<?x8xf32>) epsilon 2.0
        outs(%i : tensor<?x8xf32>) -> tensor<?x8xf32>
    heddle.yield %n : tensor<?x8xf32>
  }
  heddle.kernel ins(%x : memref<?x8xf32>) outs(%y : memref<?x8xf32>) schedule <"row", {}>
      layouts [#heddle.layout<unit_inner>, #heddle.layout<contiguous>] {
  ^bb0(%a: tensor<?x8xf32>, %i: tensor<?x8xf32>):
    %n = heddle.layer_norm ins(%a : tensor<?x8xf32>) epsilon 2.0
        outs(%i : tensor<?x8xf32>) -> tensor<?x8xf32>
    heddle.yield %n : tensor<?x8xf32>
  }
  return
}

// -----

// A kernel that no schedule was chosen for cannot be compiled.

func.func @no_schedule(%x: memref<?x8xf32>, %y: memref<?x8xf32>) {
  // expected-error @below {{'heddle.kernel' op expects a schedule, layouts and memref outputs before outlining}}
  heddle.kernel ins(%x : memref<?x8xf32>) outs(%y : memref<?x8xf32>) {
  ^bb0(%a: tensor<?x8xf32>, %i: tensor<?x8xf32>):
    %n = heddle.layer_norm ins(%a : tensor<?x8xf32>) epsilon 1.0e-5
        outs(%i : tensor<?x8xf32>) -> tensor<?x8xf32>
    heddle.yield %n : tensor<?x8xf32>
  }
  return
}
