// RUN: heddle-opt %s --split-input-file --verify-diagnostics

// symbol (C1): range

func.func @f() {
  // expected-error @below {{expects 0 <= min <= max, got 4 and 3}}
  %0 = heddle.symbol "seq" min 4 max 3
  return
}

// -----

// symbol (C1): divisor

func.func @f() {
  // expected-error @below {{expects a divisor of 1 or more, got 0}}
  %0 = heddle.symbol "seq" min 4 divisor 0
  return
}

// -----

// bind_shape (C1)

func.func @f(%x: tensor<?x?xi64>, %n: index) {
  // expected-error @below {{expects 2 sizes, one per dynamic axis of 'tensor<?x?xi64>', got 1}}
  heddle.bind_shape %x[%n] : tensor<?x?xi64>
  return
}

// -----

// weight attribute: what is referred to is a tensor.

func.func @f() {
  // expected-error @below {{expects a weight to have a ranked tensor type}}
  %0 = heddle.weight #heddle.weight<"w", 0, 4> : f32 -> tensor<1xf32>
  return
}

// -----

// weight attribute (C1)

func.func @f() {
  // expected-error @below {{expects a weight of static shape and number type, got 'tensor<?xf32>'}}
  %0 = heddle.weight #heddle.weight<"w", 0, 4> : tensor<?xf32> -> tensor<1xf32>
  return
}

// -----

// weight attribute (C2)

func.func @f() {
  // expected-error @below {{expects a weight of type 'tensor<3xf32>' to have 12 bytes, got 4}}
  %0 = heddle.weight #heddle.weight<"w", 0, 4> : tensor<3xf32> -> tensor<3xf32>
  return
}

// -----

// weight attribute (C3)

func.func @f() {
  // expected-error @below {{expects a weight offset of 0 or more, got -4}}
  %0 = heddle.weight #heddle.weight<"w", -4, 4> : tensor<1xf32> -> tensor<1xf32>
  return
}

// -----

// weight (C1)

func.func @f() {
  // expected-error @below {{expects a tensor result of type 'tensor<4xf32>' without panel, got 'tensor<2x2xf32>'}}
  %0 = heddle.weight dense<0.0> : tensor<4xf32> -> tensor<2x2xf32>
  return
}

// -----

// weight (C2): only matrices are packed.

func.func @f() {
  // expected-error @below {{expects a weight of rank 2 in panels, got 'tensor<4xf32>'}}
  %0 = heddle.weight dense<0.0> : tensor<4xf32> panel 2 -> memref<2x1x2xf32>
  return
}

// -----

// weight (C2): shape

func.func @f() {
  // expected-error @below {{expects a memref of the packed shape of 'tensor<4x5xf32>', got 'memref<2x4x2xf32>'}}
  %0 = heddle.weight dense<0.0> : tensor<4x5xf32> panel 2 -> memref<2x4x2xf32>
  return
}

// -----

// arena_buffer (C1)

func.func @f() {
  // expected-error @below {{expects 1 sizes, one per dynamic axis of 'memref<?xf32>', got 0}}
  %0 = heddle.arena_buffer [] slot 0 live 0 to 1 : memref<?xf32>
  return
}

// -----

// arena_buffer (C2)

func.func @f() {
  // expected-error @below {{expects 0 <= first <= last, got 2 and 1}}
  %0 = heddle.arena_buffer [] slot 0 live 2 to 1 : memref<4xf32>
  return
}

// -----

// kernel (C1): number of block arguments

func.func @f(%x: tensor<8xf32>, %e: tensor<8xf32>) {
  // expected-error @below {{expects one block argument per operand, got 1 for 2}}
  %0 = heddle.kernel ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%a: tensor<8xf32>):
    heddle.yield %a : tensor<8xf32>
  } -> tensor<8xf32>
  return
}

// -----

// kernel (C1): types of block arguments

func.func @f(%x: tensor<8xf32>, %e: tensor<8xf32>) {
  // expected-error @below {{expects a block argument like operand type 'tensor<8xf32>', got 'tensor<7xf32>'}}
  %0 = heddle.kernel ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%a: tensor<7xf32>, %i: tensor<8xf32>):
    heddle.yield %i : tensor<8xf32>
  } -> tensor<8xf32>
  return
}

// -----

// kernel (C2): number of yielded tensors

func.func @f(%e: tensor<8xf32>) {
  // expected-error @below {{expects one yielded tensor per output, got 0 for 1}}
  %0 = heddle.kernel outs(%e : tensor<8xf32>) {
  ^bb0(%i: tensor<8xf32>):
    heddle.yield
  } -> tensor<8xf32>
  return
}

// -----

// kernel (C2): type of the yielded tensor

func.func @f(%x: tensor<7xf32>, %e: tensor<8xf32>) {
  // expected-error @below {{expects a yielded tensor of type 'tensor<8xf32>', got 'tensor<7xf32>'}}
  %0 = heddle.kernel ins(%x : tensor<7xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%a: tensor<7xf32>, %i: tensor<8xf32>):
    heddle.yield %a : tensor<7xf32>
  } -> tensor<8xf32>
  return
}

// -----

// kernel (C3)

func.func @f(%e: memref<8xf32>) {
  // expected-error @below {{expects one result per tensor output, or memref outputs and no results}}
  %0 = heddle.kernel outs(%e : memref<8xf32>) {
  ^bb0(%i: tensor<8xf32>):
    heddle.yield %i : tensor<8xf32>
  } -> tensor<8xf32>
  return
}

// -----

// kernel (C4)

func.func @f(%x: tensor<8xf32>, %e: tensor<8xf32>) {
  // expected-error @below {{expects one layout per operand, got 1 for 2}}
  %0 = heddle.kernel ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>)
      layouts [#heddle.layout<strided>] {
  ^bb0(%a: tensor<8xf32>, %i: tensor<8xf32>):
    heddle.yield %a : tensor<8xf32>
  } -> tensor<8xf32>
  return
}

// -----

// kernel_def (C1)

// expected-error @below {{expects one layout per block argument, got 0 for 1}}
heddle.kernel_def @k outputs 1 schedule <"row", {}> layouts [] {
^bb0(%i: tensor<8xf32>):
  heddle.yield %i : tensor<8xf32>
}

// -----

// kernel_def (C2): as many block arguments as outputs

// expected-error @below {{expects at least 2 block arguments, got 1}}
heddle.kernel_def @k outputs 2 schedule <"row", {}> layouts [#heddle.layout<strided>] {
^bb0(%i: tensor<8xf32>):
  heddle.yield %i : tensor<8xf32>
}

// -----

// dispatch (C1): the kernel

func.func @f(%m: memref<8xf32>) {
  // expected-error @below {{expects a kernel named @k}}
  heddle.dispatch @k outs(%m : memref<8xf32>)
  return
}

// -----

// dispatch (C1): its operands

func.func @f(%m: memref<8xf32>) {
  // expected-error @below {{expects the inputs and outputs of @k, got 1 and 1}}
  heddle.dispatch @k ins(%m : memref<8xf32>) outs(%m : memref<8xf32>)
  return
}
heddle.kernel_def @k outputs 1 schedule <"row", {}> layouts [#heddle.layout<strided>] {
^bb0(%i: tensor<8xf32>):
  heddle.yield %i : tensor<8xf32>
}
