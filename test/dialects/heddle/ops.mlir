// RUN: heddle-opt %s | heddle-opt | FileCheck %s

// What is printed can be read again, with every optional part and without.

// CHECK-LABEL: func @contraction(
func.func @contraction(%x: tensor<?x?x8xf32>, %w: tensor<8x6xf32>,
                       %t: tensor<6x8xf32>, %p: tensor<2x8x4xf32>,
                       %b: tensor<6xf32>, %e: tensor<?x?x6xf32>) {
  // CHECK: heddle.contraction ins(%{{.*}}, %{{.*}} : {{.*}}) outs(
  %0 = heddle.contraction ins(%x, %w : tensor<?x?x8xf32>, tensor<8x6xf32>)
      outs(%e : tensor<?x?x6xf32>) -> tensor<?x?x6xf32>
  // CHECK: heddle.contraction {{.*}} bias({{.*}}) transpose_rhs outs(
  %1 = heddle.contraction ins(%x, %t : tensor<?x?x8xf32>, tensor<6x8xf32>)
      bias(%b : tensor<6xf32>) transpose_rhs
      outs(%e : tensor<?x?x6xf32>) -> tensor<?x?x6xf32>
  // CHECK: heddle.contraction {{.*}} panel 4 outs(
  %2 = heddle.contraction ins(%x, %p : tensor<?x?x8xf32>, tensor<2x8x4xf32>)
      panel 4 outs(%e : tensor<?x?x6xf32>) -> tensor<?x?x6xf32>
  return
}

// CHECK-LABEL: func @attention(
func.func @attention(%q: tensor<?x4x?x8xf32>, %k: tensor<?x2x?x8xf32>,
                     %m: tensor<?x1x?x?xi1>, %n: index,
                     %e: tensor<?x4x?x8xf32>) {
  // CHECK: heddle.attention query({{.*}}) key({{.*}}) value({{.*}}) scale 5.000000e-01 outs(
  %0 = heddle.attention query(%q : tensor<?x4x?x8xf32>)
      key(%k : tensor<?x2x?x8xf32>) value(%k : tensor<?x2x?x8xf32>)
      scale 0.5 outs(%e : tensor<?x4x?x8xf32>) -> tensor<?x4x?x8xf32>
  // CHECK: heddle.attention {{.*}} mask({{.*}}) causal offset({{.*}}) zero_masked_rows scale 1.000000e+00 softcap 3.000000e+01
  %1 = heddle.attention query(%q : tensor<?x4x?x8xf32>)
      key(%k : tensor<?x2x?x8xf32>) value(%k : tensor<?x2x?x8xf32>)
      mask(%m : tensor<?x1x?x?xi1>) causal offset(%n) zero_masked_rows
      scale 1.0 softcap 30.0
      outs(%e : tensor<?x4x?x8xf32>) -> tensor<?x4x?x8xf32>
  return
}

// CHECK-LABEL: func @layer_norm(
func.func @layer_norm(%x: tensor<?x8xf16>, %g: tensor<8xf16>,
                      %e: tensor<?x8xf16>) {
  // CHECK: heddle.layer_norm ins({{.*}}) epsilon 0.000000e+00 outs(
  %0 = heddle.layer_norm ins(%x : tensor<?x8xf16>) epsilon 0.0
      outs(%e : tensor<?x8xf16>) -> tensor<?x8xf16>
  // CHECK: heddle.layer_norm ins({{.*}}) scale({{.*}}) bias({{.*}}) epsilon 9.99999974E-6
  %1 = heddle.layer_norm ins(%x : tensor<?x8xf16>) scale(%g : tensor<8xf16>)
      bias(%g : tensor<8xf16>) epsilon 1.0e-5
      outs(%e : tensor<?x8xf16>) -> tensor<?x8xf16>
  return
}

// CHECK-LABEL: func @views_and_scalars(
func.func @views_and_scalars(%w: tensor<8x6xf32>, %x: tensor<?x?xf32>,
                             %n: index, %f: f32, %i: i64) {
  // CHECK: heddle.pack %{{.*}} panel 4 :
  %0 = heddle.pack %w panel 4 : tensor<8x6xf32> -> tensor<2x8x4xf32>
  // CHECK: heddle.pack %{{.*}} panel 4 transposed :
  %1 = heddle.pack %w panel 4 transposed : tensor<8x6xf32> -> tensor<2x6x4xf32>
  // CHECK: heddle.broadcast %{{.*}}[%{{.*}}, %{{.*}}] :
  %2 = heddle.broadcast %x[%n, %n] : tensor<?x?xf32> -> tensor<?x?xf32>
  // CHECK: heddle.gelu %{{.*}} approximate none : f32
  %3 = heddle.gelu %f approximate none : f32
  // CHECK: heddle.gelu %{{.*}} approximate tanh : f32
  %4 = heddle.gelu %f approximate tanh : f32
  // CHECK: heddle.checked_index %{{.*}} of %{{.*}} text "node 'Gather_3'" : i64
  %5 = heddle.checked_index %i of %n text "node 'Gather_3'" : i64
  return
}
