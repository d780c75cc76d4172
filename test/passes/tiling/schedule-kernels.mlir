// RUN: heddle-opt %s --split-input-file --heddle-schedule-kernels \
// RUN:     --remarks-filter=heddle-schedule-kernels --verify-diagnostics | FileCheck %s

// With vectors of 512 bits a contraction has tiles of 8 by 48, and its weight is
// packed into panels of 48 columns; a transposed weight is packed as it lies.

module attributes {heddle.target = #heddle.target<"cpu", {vector_bits = 512 : i64}>} {
  // CHECK-LABEL: func @packed(
  func.func @packed(%x: tensor<?x8xf32>, %e: tensor<?x100xf32>) -> tensor<?x100xf32> {
    // CHECK: %[[W:.*]] = heddle.weight
    // CHECK: %[[P:.*]] = heddle.pack %[[W]] panel 48 transposed : tensor<100x8xf32> -> tensor<3x8x48xf32>
    // CHECK: heddle.kernel ins(%{{.*}}, %[[P]] : {{.*}}) outs
    // CHECK-SAME: schedule <"contraction", {mr = 8 : i64, nr = 48 : i64, panel = 48 : i64}>
    // CHECK-SAME: layouts [#heddle.layout<contiguous>, #heddle.layout<contiguous>, #heddle.layout<contiguous>]
    // CHECK:   ^bb0(%{{.*}}: tensor<?x8xf32>, %[[A:.*]]: tensor<3x8x48xf32>
    // CHECK:   heddle.contraction ins(%{{.*}}, %[[A]] : {{[^)]*}}) panel 48
    %w = heddle.weight #heddle.weight<"model.onnx", 0, 3200> : tensor<100x8xf32>
        -> tensor<100x8xf32>
    // expected-remark @below {{Remark=contraction}}
    %y = heddle.kernel ins(%x, %w : tensor<?x8xf32>, tensor<100x8xf32>)
        outs(%e : tensor<?x100xf32>) {
    ^bb0(%a: tensor<?x8xf32>, %b: tensor<100x8xf32>, %i: tensor<?x100xf32>):
      %c = heddle.contraction ins(%a, %b : tensor<?x8xf32>, tensor<100x8xf32>) transpose_rhs
          outs(%i : tensor<?x100xf32>) -> tensor<?x100xf32>
      heddle.yield %c : tensor<?x100xf32>
    } -> tensor<?x100xf32>
    return %y : tensor<?x100xf32>
  }
}

// -----

// With vectors of 256 bits tiles are 4 by 24. The right side is no weight: it is
// not packed.

module attributes {heddle.target = #heddle.target<"cpu", {vector_bits = 256 : i64}>} {
  // CHECK-LABEL: func @activations(
  func.func @activations(%x: tensor<?x8xf32>, %w: tensor<8x4xf32>, %e: tensor<?x4xf32>)
      -> tensor<?x4xf32> {
    // CHECK-NOT: heddle.pack
    // CHECK:     schedule <"contraction", {mr = 4 : i64, nr = 24 : i64}>
    // expected-remark @below {{Remark=contraction}}
    %y = heddle.kernel ins(%x, %w : tensor<?x8xf32>, tensor<8x4xf32>)
        outs(%e : tensor<?x4xf32>) {
    ^bb0(%a: tensor<?x8xf32>, %b: tensor<8x4xf32>, %i: tensor<?x4xf32>):
      %c = heddle.contraction ins(%a, %b : tensor<?x8xf32>, tensor<8x4xf32>)
          outs(%i : tensor<?x4xf32>) -> tensor<?x4xf32>
      heddle.yield %c : tensor<?x4xf32>
    } -> tensor<?x4xf32>
    return %y : tensor<?x4xf32>
  }
}

// -----

// Attention reads rows of any stride, and its mask with any strides. The
// operand that is the mask stands anywhere.

module attributes {heddle.target = #heddle.target<"cpu", {vector_bits = 256 : i64}>} {
  // CHECK-LABEL: func @attention(
  func.func @attention(%m: tensor<1x1x1x?xf32>, %q: tensor<?x4x?x8xf32>,
                       %e: tensor<?x4x?x8xf32>) -> tensor<?x4x?x8xf32> {
    // CHECK: schedule <"attention", {}>
    // CHECK-SAME: layouts [#heddle.layout<strided>, #heddle.layout<unit_inner>, #heddle.layout<unit_inner>]
    // expected-remark @below {{Remark=attention}}
    %y = heddle.kernel ins(%m, %q : tensor<1x1x1x?xf32>, tensor<?x4x?x8xf32>)
        outs(%e : tensor<?x4x?x8xf32>) {
    ^bb0(%b: tensor<1x1x1x?xf32>, %a: tensor<?x4x?x8xf32>, %i: tensor<?x4x?x8xf32>):
      %o = heddle.attention query(%a : tensor<?x4x?x8xf32>) key(%a : tensor<?x4x?x8xf32>)
          value(%a : tensor<?x4x?x8xf32>) mask(%b : tensor<1x1x1x?xf32>) scale 1.0
          outs(%i : tensor<?x4x?x8xf32>) -> tensor<?x4x?x8xf32>
      heddle.yield %o : tensor<?x4x?x8xf32>
    } -> tensor<?x4x?x8xf32>
    return %y : tensor<?x4x?x8xf32>
  }
}

// -----

// A sum over an axis before the last is a reduction kernel on contiguous memory.

module attributes {heddle.target = #heddle.target<"cpu", {vector_bits = 256 : i64}>} {
  // CHECK-LABEL: func @columns(
  func.func @columns(%x: tensor<?x8xf32>, %e: tensor<8xf32>) -> tensor<8xf32> {
    // CHECK: schedule <"reduction", {}>
    // CHECK-SAME: layouts [#heddle.layout<contiguous>, #heddle.layout<contiguous>]
    // expected-remark @below {{Remark=reduction}}
    %y = heddle.kernel ins(%x : tensor<?x8xf32>) outs(%e : tensor<8xf32>) {
    ^bb0(%a: tensor<?x8xf32>, %i: tensor<8xf32>):
      %zero = arith.constant 0.0 : f32
      %z = linalg.fill ins(%zero : f32) outs(%i : tensor<8xf32>) -> tensor<8xf32>
      %g = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>],
                           iterator_types = ["reduction", "parallel"]}
          ins(%a : tensor<?x8xf32>) outs(%z : tensor<8xf32>) {
      ^bb0(%p: f32, %o: f32):
        %r = arith.addf %p, %o : f32
        linalg.yield %r : f32
      } -> tensor<8xf32>
      heddle.yield %g : tensor<8xf32>
    } -> tensor<8xf32>
    return %y : tensor<8xf32>
  }
}

// -----

// A row op with an elementwise op after it is a row kernel on contiguous
// memory; a single elementwise op takes any strides.

#id = affine_map<(d0, d1) -> (d0, d1)>

module attributes {heddle.target = #heddle.target<"cpu", {vector_bits = 256 : i64}>} {
  // CHECK-LABEL: func @row_and_elementwise(
  func.func @row_and_elementwise(%x: tensor<?x8xf32>, %e: tensor<?x8xf32>)
      -> tensor<?x8xf32> {
    // CHECK: schedule <"row", {}>
    // CHECK-SAME: layouts [#heddle.layout<contiguous>, #heddle.layout<contiguous>]
    // expected-remark @below {{Remark=row}}
    %y = heddle.kernel ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
    ^bb0(%a: tensor<?x8xf32>, %i: tensor<?x8xf32>):
      %n = heddle.layer_norm ins(%a : tensor<?x8xf32>) epsilon 1.0e-5
          outs(%i : tensor<?x8xf32>) -> tensor<?x8xf32>
      %g = linalg.generic {indexing_maps = [#id, #id],
                           iterator_types = ["parallel", "parallel"]}
          ins(%n : tensor<?x8xf32>) outs(%i : tensor<?x8xf32>) {
      ^bb0(%p: f32, %o: f32):
        %r = math.exp %p : f32
        linalg.yield %r : f32
      } -> tensor<?x8xf32>
      heddle.yield %g : tensor<?x8xf32>
    } -> tensor<?x8xf32>
    // CHECK: schedule <"elementwise", {}>
    // CHECK-SAME: layouts [#heddle.layout<strided>, #heddle.layout<strided>]
    // expected-remark @below {{Remark=elementwise}}
    %z = heddle.kernel ins(%y : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
    ^bb0(%a: tensor<?x8xf32>, %i: tensor<?x8xf32>):
      %g = linalg.generic {indexing_maps = [#id, #id],
                           iterator_types = ["parallel", "parallel"]}
          ins(%a : tensor<?x8xf32>) outs(%i : tensor<?x8xf32>) {
      ^bb0(%p: f32, %o: f32):
        %r = math.exp %p : f32
        linalg.yield %r : f32
      } -> tensor<?x8xf32>
      heddle.yield %g : tensor<?x8xf32>
    } -> tensor<?x8xf32>
    return %z : tensor<?x8xf32>
  }
}

// -----

// The contraction family is f32 only: one of f16 has the reference lowering, and
// its weight stays as it is.

module attributes {heddle.target = #heddle.target<"cpu", {vector_bits = 512 : i64}>} {
  // CHECK-LABEL: func @half(
  func.func @half(%x: tensor<?x8xf16>, %e: tensor<?x4xf16>) -> tensor<?x4xf16> {
    // CHECK-NOT: heddle.pack
    // CHECK:     schedule <"reference", {}>
    // CHECK-SAME: layouts [#heddle.layout<strided>
    %w = heddle.weight #heddle.weight<"model.onnx", 0, 64> : tensor<8x4xf16> -> tensor<8x4xf16>
    // expected-remark @below {{a contraction of an element type other than f32}}
    %y = heddle.kernel ins(%x, %w : tensor<?x8xf16>, tensor<8x4xf16>)
        outs(%e : tensor<?x4xf16>) {
    ^bb0(%a: tensor<?x8xf16>, %b: tensor<8x4xf16>, %i: tensor<?x4xf16>):
      %c = heddle.contraction ins(%a, %b : tensor<?x8xf16>, tensor<8x4xf16>)
          outs(%i : tensor<?x4xf16>) -> tensor<?x4xf16>
      heddle.yield %c : tensor<?x4xf16>
    } -> tensor<?x4xf16>
    return %y : tensor<?x4xf16>
  }
}

// -----

// The target cpu:reference has no other family.

module attributes {heddle.target = #heddle.target<"cpu:reference", {}>} {
  // CHECK-LABEL: func @reference(
  func.func @reference(%x: tensor<?x8xf32>, %e: tensor<?x8xf32>) -> tensor<?x8xf32> {
    // CHECK: schedule <"reference", {}>
    // expected-remark @below {{the target asks for it}}
    %y = heddle.kernel ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
    ^bb0(%a: tensor<?x8xf32>, %i: tensor<?x8xf32>):
      %n = heddle.layer_norm ins(%a : tensor<?x8xf32>) epsilon 1.0e-5
          outs(%i : tensor<?x8xf32>) -> tensor<?x8xf32>
      heddle.yield %n : tensor<?x8xf32>
    } -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  }
}

// -----

// expected-error @below {{expects the module attribute 'heddle.target'}}
module {
}
