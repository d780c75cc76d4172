// RUN: heddle-opt %s --split-input-file --heddle-plan-arena --verify-diagnostics | FileCheck %s

// A chain of three kernels: each reads what the last one wrote, so a barrier
// stands between them. The first buffer dies in the phase that reads it, and the
// second is born there.

// CHECK-LABEL: func @chain(
// CHECK-SAME:    %[[X:[^:]+]]: memref<?xf32>, %[[Y:[^:]+]]: memref<?xf32>, %[[N:[^:]+]]: index
func.func @chain(%x: memref<?xf32>, %y: memref<?xf32>, %n: index) {
  // CHECK-DAG:  %[[A:.*]] = heddle.arena_buffer[%[[N]]] slot 0 live 0 to 1 : memref<?xf32>
  // CHECK-DAG:  %[[B:.*]] = heddle.arena_buffer[%[[N]]] slot 1 live 1 to 2 : memref<?xf32>
  // CHECK:      heddle.kernel ins(%[[X]] : {{.*}}) outs(%[[A]]
  // CHECK:      heddle.barrier
  // CHECK-NEXT: heddle.kernel ins(%[[A]] : {{.*}}) outs(%[[B]]
  // CHECK:      heddle.barrier
  // CHECK-NEXT: heddle.kernel ins(%[[B]] : {{.*}}) outs(%[[Y]]
  // CHECK-NOT:  heddle.barrier
  %a = memref.alloc(%n) : memref<?xf32>
  %b = memref.alloc(%n) : memref<?xf32>
  heddle.kernel ins(%x : memref<?xf32>) outs(%a : memref<?xf32>) {
  ^bb0(%i: tensor<?xf32>, %o: tensor<?xf32>):
    heddle.yield %i : tensor<?xf32>
  }
  heddle.kernel ins(%a : memref<?xf32>) outs(%b : memref<?xf32>) {
  ^bb0(%i: tensor<?xf32>, %o: tensor<?xf32>):
    heddle.yield %i : tensor<?xf32>
  }
  heddle.kernel ins(%b : memref<?xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%i: tensor<?xf32>, %o: tensor<?xf32>):
    heddle.yield %i : tensor<?xf32>
  }
  return
}

// -----

// Two kernels that read the same input and write different buffers need no
// barrier between them; one that reads both does.

// CHECK-LABEL: func @independent(
func.func @independent(%x: memref<?xf32>, %y: memref<?xf32>, %z: memref<?xf32>, %n: index) {
  // CHECK-DAG: heddle.arena_buffer{{.*}} slot 0 live 0 to 1
  // CHECK-DAG: heddle.arena_buffer{{.*}} slot 1 live 0 to 1
  // CHECK:     heddle.kernel
  // CHECK-NOT: heddle.barrier
  // CHECK:     heddle.kernel
  // CHECK:     heddle.barrier
  // CHECK:     heddle.kernel
  // CHECK-NOT: heddle.barrier
  // CHECK:     heddle.kernel
  %a = memref.alloc(%n) : memref<?xf32>
  %b = memref.alloc(%n) : memref<?xf32>
  heddle.kernel ins(%x : memref<?xf32>) outs(%a : memref<?xf32>) {
  ^bb0(%i: tensor<?xf32>, %o: tensor<?xf32>):
    heddle.yield %i : tensor<?xf32>
  }
  heddle.kernel ins(%x : memref<?xf32>) outs(%b : memref<?xf32>) {
  ^bb0(%i: tensor<?xf32>, %o: tensor<?xf32>):
    heddle.yield %i : tensor<?xf32>
  }
  heddle.kernel ins(%a : memref<?xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%i: tensor<?xf32>, %o: tensor<?xf32>):
    heddle.yield %i : tensor<?xf32>
  }
  heddle.kernel ins(%b : memref<?xf32>) outs(%z : memref<?xf32>) {
  ^bb0(%i: tensor<?xf32>, %o: tensor<?xf32>):
    heddle.yield %i : tensor<?xf32>
  }
  return
}

// -----

// A kernel that writes what another has read since the last barrier waits for
// it, and so does one that writes the same memory again.

// CHECK-LABEL: func @overwritten(
func.func @overwritten(%x: memref<?xf32>, %y: memref<?xf32>, %z: memref<?xf32>) {
  // CHECK: heddle.kernel
  // CHECK: heddle.barrier
  // CHECK: heddle.kernel
  // CHECK: heddle.barrier
  // CHECK: heddle.kernel
  heddle.kernel ins(%x : memref<?xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%i: tensor<?xf32>, %o: tensor<?xf32>):
    heddle.yield %i : tensor<?xf32>
  }
  heddle.kernel ins(%z : memref<?xf32>) outs(%x : memref<?xf32>) {
  ^bb0(%i: tensor<?xf32>, %o: tensor<?xf32>):
    heddle.yield %i : tensor<?xf32>
  }
  heddle.kernel ins(%y : memref<?xf32>) outs(%x : memref<?xf32>) {
  ^bb0(%i: tensor<?xf32>, %o: tensor<?xf32>):
    heddle.yield %i : tensor<?xf32>
  }
  return
}

// -----

// Views are of the buffer that they look into: the write through a transposed
// part of it and the read of the whole are two phases.

// CHECK-LABEL: func @views(
func.func @views(%x: memref<8xf32>, %y: memref<8xf32>) {
  // CHECK: heddle.arena_buffer[] slot 0 live 0 to 1 : memref<4x8xf32>
  // CHECK: heddle.kernel
  // CHECK: heddle.barrier
  // CHECK: heddle.kernel
  %a = memref.alloc() : memref<4x8xf32>
  %t = memref.transpose %a (d0, d1) -> (d1, d0)
      : memref<4x8xf32> to memref<8x4xf32, strided<[1, 8]>>
  %p = memref.subview %t[0, 2] [8, 1] [1, 1]
      : memref<8x4xf32, strided<[1, 8]>> to memref<8xf32, strided<[1], offset: 16>>
  %q = memref.subview %a[0, 0] [1, 8] [1, 1]
      : memref<4x8xf32> to memref<8xf32, strided<[1]>>
  heddle.kernel ins(%x : memref<8xf32>) outs(%p : memref<8xf32, strided<[1], offset: 16>>) {
  ^bb0(%i: tensor<8xf32>, %j: tensor<8xf32>):
    heddle.yield %i : tensor<8xf32>
  }
  heddle.kernel ins(%q : memref<8xf32, strided<[1]>>) outs(%y : memref<8xf32>) {
  ^bb0(%i: tensor<8xf32>, %j: tensor<8xf32>):
    heddle.yield %i : tensor<8xf32>
  }
  return
}

// -----

// A buffer that no kernel touches is gone, with the views of it.

// CHECK-LABEL: func @untouched(
func.func @untouched() {
  // CHECK-NEXT: return
  %a = memref.alloc() : memref<4x8xf32>
  %q = memref.subview %a[0, 0] [1, 8] [1, 1]
      : memref<4x8xf32> to memref<8xf32, strided<[1]>>
  return
}

// -----

// The arena has no place for what something other than a kernel uses.

func.func @freed(%n: index) {
  // expected-error @below {{'memref.alloc' op expects only kernels and views to use it}}
  %a = memref.alloc(%n) : memref<?xf32>
  memref.dealloc %a : memref<?xf32>
  return
}
