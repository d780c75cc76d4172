// RUN: heddle-opt %s --split-input-file --heddle-bufferize-program \
// RUN:     --remarks-filter=heddle-bufferize-program --verify-diagnostics | FileCheck %s

// Inputs and outputs become arguments. A value that is returned and read by
// another kernel lives in the output; one that is only read has a buffer.

// CHECK-LABEL: func @returned_and_read(
// CHECK-SAME:    %[[X:[^:]+]]: memref<?x8xf32> {heddle.name = "x"},
// CHECK-SAME:    %[[Y:[^:]+]]: memref<?x8xf32> {heddle.output}, %[[Z:[^:]+]]: memref<?x8xf32> {heddle.output}
func.func @returned_and_read(%x: tensor<?x8xf32> {heddle.name = "x"})
    -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  // CHECK: %[[N:.*]] = heddle.symbol "n"
  // CHECK: heddle.bind_shape %[[X]][%[[N]]]
  // CHECK: heddle.kernel ins(%[[X]] : {{.*}}) outs(%[[Y]] :
  // CHECK: %[[B:.*]] = memref.alloc(%[[N]])
  // CHECK: heddle.kernel ins(%[[Y]] : {{.*}}) outs(%[[B]] :
  // CHECK: heddle.kernel ins(%[[B]] : {{.*}}) outs(%[[Z]] :
  // CHECK-DAG: heddle.bind_shape %[[Y]][%[[N]]]
  // CHECK-DAG: heddle.bind_shape %[[Z]][%[[N]]]
  // CHECK: return{{$}}
  %n = heddle.symbol "n" min 1
  heddle.bind_shape %x[%n] : tensor<?x8xf32>
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %y = heddle.kernel ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>)
      layouts [#heddle.layout<strided>, #heddle.layout<strided>] {
  ^bb0(%a: tensor<?x8xf32>, %i: tensor<?x8xf32>):
    heddle.yield %a : tensor<?x8xf32>
  } -> tensor<?x8xf32>
  %b = heddle.kernel ins(%y : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>)
      layouts [#heddle.layout<strided>, #heddle.layout<strided>] {
  ^bb0(%a: tensor<?x8xf32>, %i: tensor<?x8xf32>):
    heddle.yield %a : tensor<?x8xf32>
  } -> tensor<?x8xf32>
  %z = heddle.kernel ins(%b : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>)
      layouts [#heddle.layout<strided>, #heddle.layout<strided>] {
  ^bb0(%a: tensor<?x8xf32>, %i: tensor<?x8xf32>):
    heddle.yield %a : tensor<?x8xf32>
  } -> tensor<?x8xf32>
  heddle.bind_shape %y[%n] : tensor<?x8xf32>
  heddle.bind_shape %z[%n] : tensor<?x8xf32>
  return %y, %z : tensor<?x8xf32>, tensor<?x8xf32>
}

// -----

// What one transpose alone reads is stored transposed, so that the reader of the
// transpose finds rows.

// CHECK-LABEL: func @transposed(
func.func @transposed(%x: tensor<4x8xf32>) -> tensor<8x4xf32> {
  // CHECK: %[[B:.*]] = memref.alloc() : memref<8x4xf32>
  // CHECK: %[[T:.*]] = memref.transpose %[[B]] {{.*}} : memref<8x4xf32> to memref<4x8xf32, strided<[1, 4]>>
  // CHECK: heddle.kernel {{.*}} outs(%[[T]] :
  // CHECK: heddle.kernel ins(%[[B]] :
  heddle.bind_shape %x[] : tensor<4x8xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %f = tensor.empty() : tensor<8x4xf32>
  %y = heddle.kernel ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>)
      layouts [#heddle.layout<strided>, #heddle.layout<strided>] {
  ^bb0(%a: tensor<4x8xf32>, %i: tensor<4x8xf32>):
    heddle.yield %a : tensor<4x8xf32>
  } -> tensor<4x8xf32>
  %t = linalg.transpose ins(%y : tensor<4x8xf32>) outs(%f : tensor<8x4xf32>)
      permutation = [1, 0]
  %z = heddle.kernel ins(%t : tensor<8x4xf32>) outs(%f : tensor<8x4xf32>)
      layouts [#heddle.layout<contiguous>, #heddle.layout<contiguous>] {
  ^bb0(%a: tensor<8x4xf32>, %i: tensor<8x4xf32>):
    heddle.yield %a : tensor<8x4xf32>
  } -> tensor<8x4xf32>
  return %z : tensor<8x4xf32>
}

// -----

// The kernel before the transpose writes contiguous memory only, and so reads
// the one after it: between them is a copy.

// CHECK-LABEL: func @contiguous(
func.func @contiguous(%x: tensor<4x8xf32>) -> tensor<8x4xf32> {
  // CHECK: %[[B:.*]] = memref.alloc() : memref<4x8xf32>
  // CHECK: heddle.kernel {{.*}} outs(%[[B]] :
  // CHECK: %[[T:.*]] = memref.transpose %[[B]]
  // CHECK: %[[C:.*]] = memref.alloc() : memref<8x4xf32>
  // CHECK: heddle.kernel ins(%[[T]] : {{.*}}) outs(%[[C]] : memref<8x4xf32>) reason "copy" schedule <"elementwise", {}>
  // CHECK: heddle.kernel ins(%[[C]] :
  heddle.bind_shape %x[] : tensor<4x8xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %f = tensor.empty() : tensor<8x4xf32>
  %y = heddle.kernel ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>)
      layouts [#heddle.layout<contiguous>, #heddle.layout<contiguous>] {
  ^bb0(%a: tensor<4x8xf32>, %i: tensor<4x8xf32>):
    heddle.yield %a : tensor<4x8xf32>
  } -> tensor<4x8xf32>
  %t = linalg.transpose ins(%y : tensor<4x8xf32>) outs(%f : tensor<8x4xf32>)
      permutation = [1, 0]
  // expected-remark @below {{an operand of the kernel must be contiguous}}
  %z = heddle.kernel ins(%t : tensor<8x4xf32>) outs(%f : tensor<8x4xf32>)
      layouts [#heddle.layout<contiguous>, #heddle.layout<contiguous>] {
  ^bb0(%a: tensor<8x4xf32>, %i: tensor<8x4xf32>):
    heddle.yield %a : tensor<8x4xf32>
  } -> tensor<8x4xf32>
  return %z : tensor<8x4xf32>
}

// -----

// A kernel writes its part of a concatenation in place; an operand that others
// read too, here the input, is copied into its part.

// CHECK-LABEL: func @concat(
// CHECK-SAME:    %[[X:[^:]+]]: memref<?x8xf32>, %[[Y:[^:]+]]: memref<?x8xf32>
func.func @concat(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // CHECK: %[[N:.*]] = heddle.symbol "n"
  // CHECK-DAG: %[[P:.*]] = memref.subview %[[Y]][%[[N]], 0]
  // CHECK-DAG: heddle.kernel ins(%[[X]] : {{.*}}) outs(%[[P]] :
  // CHECK-DAG: %[[Q:.*]] = memref.subview %[[Y]][0, 0]
  // CHECK: heddle.kernel ins(%[[X]] : {{.*}}) outs(%[[Q]] : {{.*}}) reason "copy"
  %n = heddle.symbol "n" min 1
  heddle.bind_shape %x[%n] : tensor<?x8xf32>
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %y = heddle.kernel ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>)
      layouts [#heddle.layout<strided>, #heddle.layout<strided>] {
  ^bb0(%a: tensor<?x8xf32>, %i: tensor<?x8xf32>):
    heddle.yield %a : tensor<?x8xf32>
  } -> tensor<?x8xf32>
  // expected-remark @below {{an operand of a concatenation has other readers}}
  %c = tensor.concat dim(0) %x, %y : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %c : tensor<?x8xf32>
}

// -----

// No strided memory is the collapse of a transposed tensor: it is copied first.

// CHECK-LABEL: func @collapsed(
// CHECK-SAME:    %[[X:[^:]+]]: memref<4x8xf32>, %[[Y:[^:]+]]: memref<32xf32>
func.func @collapsed(%x: tensor<4x8xf32>) -> tensor<32xf32> {
  // CHECK: %[[T:.*]] = memref.transpose %[[X]]
  // CHECK: %[[B:.*]] = memref.alloc() : memref<8x4xf32>
  // CHECK: heddle.kernel ins(%[[T]] : {{.*}}) outs(%[[B]] : {{.*}}) reason "copy"
  // CHECK: %[[C:.*]] = memref.collapse_shape %[[B]]
  // CHECK: heddle.kernel ins(%[[C]] : {{.*}}) outs(%[[Y]] :
  heddle.bind_shape %x[] : tensor<4x8xf32>
  %f = tensor.empty() : tensor<8x4xf32>
  %t = linalg.transpose ins(%x : tensor<4x8xf32>) outs(%f : tensor<8x4xf32>)
      permutation = [1, 0]
  // expected-remark @below {{a reshape of a tensor that is not contiguous}}
  %c = tensor.collapse_shape %t [[0, 1]] : tensor<8x4xf32> into tensor<32xf32>
  %e = tensor.empty() : tensor<32xf32>
  %y = heddle.kernel ins(%c : tensor<32xf32>) outs(%e : tensor<32xf32>)
      layouts [#heddle.layout<strided>, #heddle.layout<strided>] {
  ^bb0(%a: tensor<32xf32>, %i: tensor<32xf32>):
    heddle.yield %a : tensor<32xf32>
  } -> tensor<32xf32>
  return %y : tensor<32xf32>
}

// -----

// An input that is returned, and a value that is returned twice, are copied.

// CHECK-LABEL: func @returned_twice(
// CHECK-SAME:    %[[X:[^:]+]]: memref<8xf32>, %[[U:[^:]+]]: memref<8xf32>{{.*}}, %[[V:[^:]+]]: memref<8xf32>{{.*}}, %[[W:[^:]+]]: memref<8xf32>
func.func @returned_twice(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) {
  // CHECK: heddle.kernel ins(%[[X]] : {{.*}}) outs(%[[W]] : memref<8xf32>) layouts
  // CHECK: heddle.kernel ins(%[[X]] : {{.*}}) outs(%[[U]] : {{.*}}) reason "copy"
  // CHECK: heddle.kernel ins(%[[W]] : {{.*}}) outs(%[[V]] : {{.*}}) reason "copy"
  heddle.bind_shape %x[] : tensor<8xf32>
  %e = tensor.empty() : tensor<8xf32>
  %y = heddle.kernel ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>)
      layouts [#heddle.layout<strided>, #heddle.layout<strided>] {
  ^bb0(%a: tensor<8xf32>, %i: tensor<8xf32>):
    heddle.yield %a : tensor<8xf32>
  } -> tensor<8xf32>
  // expected-remark @below {{a result is an input, a weight, a view, or returned twice}}
  return %x, %y, %y : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>
}

// -----

// Weights and constants become memrefs into the weights file, packed ones in
// the shape of their panels.

// CHECK-LABEL: func @weights(
func.func @weights() -> (tensor<2x8x3xf32>, tensor<2xf32>) {
  // CHECK-DAG: heddle.weight #heddle.weight<"model.onnx", 0, 128> : tensor<4x8xf32> panel 3 transposed -> memref<2x8x3xf32>
  // CHECK-DAG: heddle.weight dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32> -> memref<2xf32>
  %w = heddle.weight #heddle.weight<"model.onnx", 0, 128> : tensor<4x8xf32> -> tensor<4x8xf32>
  %p = heddle.pack %w panel 3 transposed : tensor<4x8xf32> -> tensor<2x8x3xf32>
  %c = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<2x8x3xf32>
  %f = tensor.empty() : tensor<2xf32>
  %y = heddle.kernel ins(%p : tensor<2x8x3xf32>) outs(%e : tensor<2x8x3xf32>)
      layouts [#heddle.layout<strided>, #heddle.layout<strided>] {
  ^bb0(%a: tensor<2x8x3xf32>, %i: tensor<2x8x3xf32>):
    heddle.yield %a : tensor<2x8x3xf32>
  } -> tensor<2x8x3xf32>
  %z = heddle.kernel ins(%c : tensor<2xf32>) outs(%f : tensor<2xf32>)
      layouts [#heddle.layout<strided>, #heddle.layout<strided>] {
  ^bb0(%a: tensor<2xf32>, %i: tensor<2xf32>):
    heddle.yield %a : tensor<2xf32>
  } -> tensor<2xf32>
  return %y, %z : tensor<2x8x3xf32>, tensor<2xf32>
}

// -----

// A broadcast that only the call decides has stride 0 where the size is 1.

// CHECK-LABEL: func @broadcast(
// CHECK-SAME:    %[[X:[^:]+]]: memref<?xf32>
func.func @broadcast(%x: tensor<?xf32>) -> tensor<?xf32> {
  // CHECK: %{{[^,]*}}, %{{[^,]*}}, %[[SIZE:[^,]*]], %{{.*}} = memref.extract_strided_metadata %[[X]]
  // CHECK: %[[ONE:.*]] = arith.cmpi eq, %[[SIZE]]
  // CHECK: arith.select %[[ONE]]
  // CHECK: %[[V:.*]] = memref.reinterpret_cast
  // CHECK: heddle.kernel ins(%[[V]] :
  %n = heddle.symbol "n" min 1
  %m = heddle.symbol "m" min 1
  heddle.bind_shape %x[%n] : tensor<?xf32>
  %v = heddle.broadcast %x[%m] : tensor<?xf32> -> tensor<?xf32>
  %e = tensor.empty(%m) : tensor<?xf32>
  %y = heddle.kernel ins(%v : tensor<?xf32>) outs(%e : tensor<?xf32>)
      layouts [#heddle.layout<strided>, #heddle.layout<strided>] {
  ^bb0(%a: tensor<?xf32>, %i: tensor<?xf32>):
    heddle.yield %a : tensor<?xf32>
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

// expected-error @below {{expects a heddle.bind_shape for the argument of type 'tensor<?xf32>'}}
func.func @unbound(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

// -----

func.func @unknown_sizes(%n: tensor<index>) -> tensor<?xindex> {
  heddle.bind_shape %n[] : tensor<index>
  %c = tensor.extract %n[] : tensor<index>
  // expected-error @below {{expects an op whose result sizes are known, got 'tensor.generate'}}
  %y = tensor.generate %c {
  ^bb0(%i: index):
    tensor.yield %i : index
  } : tensor<?xindex>
  return %y : tensor<?xindex>
}

// -----

func.func @packed_input(%x: tensor<4x8xf32>) -> tensor<3x4x3xf32> {
  heddle.bind_shape %x[] : tensor<4x8xf32>
  // expected-error @below {{expects a pack of a weight or a constant}}
  %p = heddle.pack %x panel 3 : tensor<4x8xf32> -> tensor<3x4x3xf32>
  return %p : tensor<3x4x3xf32>
}

// -----

func.func @nothing() -> tensor<8xf32> {
  // expected-error @below {{expects a tensor that a kernel, view or weight gives}}
  %e = tensor.empty() : tensor<8xf32>
  return %e : tensor<8xf32>
}

// -----

func.func @no_layouts(%x: tensor<8xf32>) -> tensor<8xf32> {
  heddle.bind_shape %x[] : tensor<8xf32>
  %e = tensor.empty() : tensor<8xf32>
  // expected-error @below {{'heddle.kernel' op expects layouts before bufferisation}}
  %y = heddle.kernel ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%a: tensor<8xf32>, %i: tensor<8xf32>):
    heddle.yield %a : tensor<8xf32>
  } -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// -----

func.func @no_kernel(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %n = heddle.symbol "n" min 1
  heddle.bind_shape %x[%n] : tensor<?x8xf32>
  %e = tensor.empty(%n) : tensor<?x8xf32>
  // expected-error @below {{expects every computing op to be in a kernel, got 'heddle.layer_norm'}}
  %y = heddle.layer_norm ins(%x : tensor<?x8xf32>) epsilon 1.0e-5
      outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// expected-error @below {{'func.func' op expects one block that ends in func.return}}
func.func @two_blocks(%x: tensor<8xf32>) -> tensor<8xf32> {
  cf.br ^bb1
^bb1:
  return %x : tensor<8xf32>
}

// -----

// expected-error @below {{'func.func' op expects ranked tensors in and out, got 'index'}}
func.func @no_tensor(%n: index) {
  return
}

// -----

func.func @unranked(%x: tensor<4xf32>) -> tensor<?xf32> {
  heddle.bind_shape %x[] : tensor<4xf32>
  // expected-error @below {{expects a tensor of known rank, got 'tensor<*xf32>'}}
  %u = tensor.cast %x : tensor<4xf32> to tensor<*xf32>
  %c = tensor.cast %u : tensor<*xf32> to tensor<?xf32>
  return %c : tensor<?xf32>
}

// -----

// A quotient of sizes moves to the top with what is computed from it.

// CHECK-LABEL: func @quotient(
func.func @quotient(%x: tensor<?xf32>) -> tensor<?xf32> {
  // CHECK: %[[N:.*]] = heddle.symbol "n"
  // CHECK: %[[M:.*]] = heddle.symbol "m"
  // CHECK: %[[Q:.*]] = arith.divsi %[[N]], %[[M]]
  // CHECK: %[[S:.*]] = arith.addi %[[Q]], %[[M]]
  // CHECK: heddle.kernel
  %n = heddle.symbol "n" min 1
  %m = heddle.symbol "m" min 0
  heddle.bind_shape %x[%n] : tensor<?xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %y = heddle.kernel ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>)
      layouts [#heddle.layout<strided>, #heddle.layout<strided>] {
  ^bb0(%a: tensor<?xf32>, %i: tensor<?xf32>):
    heddle.yield %a : tensor<?xf32>
  } -> tensor<?xf32>
  %q = arith.divsi %n, %m : index
  %s = arith.addi %q, %m : index
  %f = tensor.empty(%s) : tensor<?xf32>
  %z = heddle.kernel ins(%y : tensor<?xf32>) outs(%f : tensor<?xf32>)
      layouts [#heddle.layout<strided>, #heddle.layout<strided>] {
  ^bb0(%a: tensor<?xf32>, %i: tensor<?xf32>):
    heddle.yield %i : tensor<?xf32>
  } -> tensor<?xf32>
  heddle.bind_shape %z[%s] : tensor<?xf32>
  return %z : tensor<?xf32>
}
