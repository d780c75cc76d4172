// RUN: heddle-opt %s --heddle-lower-to-linalg --split-input-file | FileCheck %s

// The bias is what the sums start from.

// CHECK-LABEL: func @contraction(
// CHECK-SAME:    %[[X:[^:]+]]: tensor<?x8xf32>, %[[W:[^:]+]]: tensor<8x4xf32>, %[[B:[^:]+]]: tensor<4xf32>
func.func @contraction(%x: tensor<?x8xf32>, %w: tensor<8x4xf32>,
                       %b: tensor<4xf32>, %e: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: %[[START:.*]] = linalg.generic {{.*}} ins(%[[B]]
  // CHECK: linalg.generic {{.*}}"parallel", "parallel", "reduction"{{.*}} ins(%[[X]], %[[W]] {{.*}} outs(%[[START]]
  %y = heddle.contraction ins(%x, %w : tensor<?x8xf32>, tensor<8x4xf32>)
      bias(%b : tensor<4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// Panels are read where heddle.pack puts the element; sums are f32 for f16.

// CHECK-LABEL: func @panels(
// CHECK-SAME:    %[[W:[^:]+]]: tensor<2x8x16xf16>
func.func @panels(%w: tensor<2x8x16xf16>, %x: tensor<?x8xf16>,
                  %e: tensor<?x20xf16>) -> tensor<?x20xf16> {
  // CHECK: arith.divui
  // CHECK: arith.remui
  // CHECK: tensor.extract %[[W]]
  // CHECK: arith.addf {{.*}} : f32
  // CHECK: arith.truncf {{.*}} : f32 to f16
  %y = heddle.contraction ins(%x, %w : tensor<?x8xf16>, tensor<2x8x16xf16>) panel 16
      outs(%e : tensor<?x20xf16>) -> tensor<?x20xf16>
  return %y : tensor<?x20xf16>
}

// -----

// A row of -inf gives zeros only where that is asked for.

// CHECK-LABEL: func @attention(
func.func @attention(%q: tensor<2x4x?x8xf32>, %k: tensor<2x2x?x8xf32>,
                     %m: tensor<2x1x?x?xi1>, %e: tensor<2x4x?x8xf32>,
                     %offset: index) -> tensor<2x4x?x8xf32> {
  // CHECK: math.tanh
  // CHECK: arith.cmpi sle
  // CHECK: arith.maximumf
  // CHECK: math.exp
  // CHECK: arith.cmpf oeq
  // CHECK: arith.divf
  %o = heddle.attention query(%q : tensor<2x4x?x8xf32>) key(%k : tensor<2x2x?x8xf32>)
      value(%k : tensor<2x2x?x8xf32>) mask(%m : tensor<2x1x?x?xi1>)
      causal offset(%offset) zero_masked_rows scale 0.25 softcap 3.0
      outs(%e : tensor<2x4x?x8xf32>) -> tensor<2x4x?x8xf32>
  return %o : tensor<2x4x?x8xf32>
}

// -----

// CHECK-LABEL: func @layer_norm(
func.func @layer_norm(%x: tensor<?x8xf32>, %g: tensor<8xf32>, %e: tensor<?x8xf32>)
    -> tensor<?x8xf32> {
  // CHECK: arith.divf
  // CHECK: arith.divf
  // CHECK: math.rsqrt
  // CHECK-NOT: heddle.layer_norm
  %y = heddle.layer_norm ins(%x : tensor<?x8xf32>) scale(%g : tensor<8xf32>)
      epsilon 1.0e-5 outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// The padding of the last panel is zero.

// CHECK-LABEL: func @pack(
func.func @pack(%w: tensor<8x20xf32>) -> tensor<2x8x16xf32> {
  // CHECK: %[[INSIDE:.*]] = arith.cmpi ult
  // CHECK: arith.select %[[INSIDE]], %{{.*}}, %{{.*}} : f32
  %p = heddle.pack %w panel 16 : tensor<8x20xf32> -> tensor<2x8x16xf32>
  return %p : tensor<2x8x16xf32>
}

// -----

// CHECK-LABEL: func @broadcast(
func.func @broadcast(%x: tensor<?x4xf32>, %n: index) -> tensor<?x4xf32> {
  // CHECK: arith.cmpi eq
  // CHECK: tensor.extract
  %y = heddle.broadcast %x[%n] : tensor<?x4xf32> -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// CHECK-LABEL: func @gelu(
func.func @gelu(%x: f32, %h: f16) -> (f32, f16) {
  // CHECK: math.erf
  %y = heddle.gelu %x approximate none : f32
  // CHECK: arith.extf
  // CHECK: math.tanh
  // CHECK: arith.truncf
  %z = heddle.gelu %h approximate tanh : f16
  return %y, %z : f32, f16
}

// -----

// An index from data stays what it is: code generation reports its faults.

// CHECK-LABEL: func @checked_index(
func.func @checked_index(%x: i64, %n: index) -> index {
  // CHECK: heddle.checked_index
  %i = heddle.checked_index %x of %n text "node 'Gather_0'" : i64
  return %i : index
}
