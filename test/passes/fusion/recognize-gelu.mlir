// RUN: heddle-opt %s --split-input-file --heddle-recognize-gelu | FileCheck %s
// RUN: heddle-opt %s --split-input-file --heddle-recognize-gelu \
// RUN:     --remarks-filter=heddle-recognize-gelu 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// The formula with erf, its factors in another order and sqrt(2) as a divisor.

// REMARK: [Passed] recognize-gelu | {{.*}} | Function=erf | Remark="GELU, approximate = none"
// CHECK-LABEL: func @erf(
func.func @erf(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK:      ^bb0(%[[X:[^:]+]]: f32
  // CHECK-NEXT: %[[Y:.*]] = heddle.gelu %[[X]] approximate none : f32
  // CHECK-NEXT: linalg.yield %[[Y]]
  %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%x : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %root = arith.constant 1.41421354 : f32
    %one = arith.constant 1.0 : f32
    %half = arith.constant 0.5 : f32
    %d = arith.divf %a, %root : f32
    %e = math.erf %d : f32
    %s = arith.addf %one, %e : f32
    %h = arith.mulf %half, %s : f32
    %m = arith.mulf %a, %h : f32
    linalg.yield %m : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// The tanh form, with x^3 as a power.

// REMARK: [Passed] recognize-gelu | {{.*}} | Function=tanh_power | Remark="GELU, approximate = tanh"
// CHECK-LABEL: func @tanh_power(
func.func @tanh_power(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK:      ^bb0(%[[X:[^:]+]]: f32
  // CHECK-NEXT: heddle.gelu %[[X]] approximate tanh : f32
  %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%x : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %three = arith.constant 3.0 : f32
    %c = arith.constant 4.471500e-02 : f32
    %root = arith.constant 0.797884583 : f32
    %one = arith.constant 1.0 : f32
    %half = arith.constant 0.5 : f32
    %p = math.powf %a, %three : f32
    %q = arith.mulf %p, %c : f32
    %r = arith.addf %a, %q : f32
    %s = arith.mulf %r, %root : f32
    %t = math.tanh %s : f32
    %u = arith.addf %t, %one : f32
    %v = arith.mulf %a, %half : f32
    %w = arith.mulf %v, %u : f32
    linalg.yield %w : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// The tanh form with x taken out of the sum and x^2 as a product; the result is
// multiplied by another value, which stays.

// REMARK: [Passed] recognize-gelu | {{.*}} | Function=tanh_factored | Remark="GELU, approximate = tanh"
// CHECK-LABEL: func @tanh_factored(
func.func @tanh_factored(%x: tensor<4xf32>, %g: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK:      ^bb0(%[[X:[^:]+]]: f32, %[[G:[^:]+]]: f32
  // CHECK-NEXT: %[[Y:.*]] = heddle.gelu %[[X]] approximate tanh : f32
  // CHECK-NEXT: arith.mulf %[[Y]], %[[G]]
  %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>,
                                        affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x, %g : tensor<4xf32>, tensor<4xf32>) outs(%x : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %c = arith.constant 4.471500e-02 : f32
    %root = arith.constant 0.797884583 : f32
    %one = arith.constant 1.0 : f32
    %half = arith.constant 0.5 : f32
    %ca = arith.mulf %c, %a : f32
    %p = arith.mulf %ca, %a : f32
    %q = arith.addf %one, %p : f32
    %ra = arith.mulf %a, %root : f32
    %s = arith.mulf %ra, %q : f32
    %t = math.tanh %s : f32
    %u = arith.addf %one, %t : f32
    %v = arith.mulf %a, %half : f32
    %w = arith.mulf %v, %u : f32
    %z = arith.mulf %w, %b : f32
    linalg.yield %z : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// The divisor is 1.5, not sqrt(2): nothing changes.

// REMARK-NOT: Function=wrong_constant
// CHECK-LABEL: func @wrong_constant(
func.func @wrong_constant(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK-NOT: heddle.gelu
  // CHECK:     math.erf
  %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%x : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %root = arith.constant 1.5 : f32
    %one = arith.constant 1.0 : f32
    %half = arith.constant 0.5 : f32
    %d = arith.divf %a, %root : f32
    %e = math.erf %d : f32
    %s = arith.addf %e, %one : f32
    %m = arith.mulf %a, %s : f32
    %h = arith.mulf %m, %half : f32
    linalg.yield %h : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// The factor and the argument of erf are different values: nothing changes.

// REMARK-NOT: Function=other_value
// CHECK-LABEL: func @other_value(
func.func @other_value(%x: tensor<4xf32>, %g: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK-NOT: heddle.gelu
  // CHECK:     math.erf
  %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>,
                                        affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x, %g : tensor<4xf32>, tensor<4xf32>) outs(%x : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %root = arith.constant 1.41421354 : f32
    %one = arith.constant 1.0 : f32
    %half = arith.constant 0.5 : f32
    %d = arith.divf %a, %root : f32
    %e = math.erf %d : f32
    %s = arith.addf %e, %one : f32
    %m = arith.mulf %b, %s : f32
    %h = arith.mulf %m, %half : f32
    linalg.yield %h : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// Forty squarings have 2^40 factors; they are not counted, and nothing changes.

// CHECK-LABEL: func @squarings(
func.func @squarings(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK-COUNT-40: arith.mulf
  %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>],
                       iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%x : tensor<4xf32>) {
  ^bb0(%m0: f32, %o: f32):
    %m1 = arith.mulf %m0, %m0 : f32
    %m2 = arith.mulf %m1, %m1 : f32
    %m3 = arith.mulf %m2, %m2 : f32
    %m4 = arith.mulf %m3, %m3 : f32
    %m5 = arith.mulf %m4, %m4 : f32
    %m6 = arith.mulf %m5, %m5 : f32
    %m7 = arith.mulf %m6, %m6 : f32
    %m8 = arith.mulf %m7, %m7 : f32
    %m9 = arith.mulf %m8, %m8 : f32
    %m10 = arith.mulf %m9, %m9 : f32
    %m11 = arith.mulf %m10, %m10 : f32
    %m12 = arith.mulf %m11, %m11 : f32
    %m13 = arith.mulf %m12, %m12 : f32
    %m14 = arith.mulf %m13, %m13 : f32
    %m15 = arith.mulf %m14, %m14 : f32
    %m16 = arith.mulf %m15, %m15 : f32
    %m17 = arith.mulf %m16, %m16 : f32
    %m18 = arith.mulf %m17, %m17 : f32
    %m19 = arith.mulf %m18, %m18 : f32
    %m20 = arith.mulf %m19, %m19 : f32
    %m21 = arith.mulf %m20, %m20 : f32
    %m22 = arith.mulf %m21, %m21 : f32
    %m23 = arith.mulf %m22, %m22 : f32
    %m24 = arith.mulf %m23, %m23 : f32
    %m25 = arith.mulf %m24, %m24 : f32
    %m26 = arith.mulf %m25, %m25 : f32
    %m27 = arith.mulf %m26, %m26 : f32
    %m28 = arith.mulf %m27, %m27 : f32
    %m29 = arith.mulf %m28, %m28 : f32
    %m30 = arith.mulf %m29, %m29 : f32
    %m31 = arith.mulf %m30, %m30 : f32
    %m32 = arith.mulf %m31, %m31 : f32
    %m33 = arith.mulf %m32, %m32 : f32
    %m34 = arith.mulf %m33, %m33 : f32
    %m35 = arith.mulf %m34, %m34 : f32
    %m36 = arith.mulf %m35, %m35 : f32
    %m37 = arith.mulf %m36, %m36 : f32
    %m38 = arith.mulf %m37, %m37 : f32
    %m39 = arith.mulf %m38, %m38 : f32
    %m40 = arith.mulf %m39, %m39 : f32
    linalg.yield %m40 : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}
