// RUN: heddle-opt %s --split-input-file --heddle-recognize-layer-norm | FileCheck %s
// RUN: heddle-opt %s --split-input-file --heddle-recognize-layer-norm \
// RUN:     --remarks-filter=heddle-recognize-layer-norm 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// The whole formula, with a scale and a bias along the last axis.

#rows = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#vector = affine_map<(d0, d1) -> (d1)>
#one = affine_map<(d0) -> (d0)>

// REMARK: [Passed] recognize-layer-norm | {{.*}} | Function=scale_and_bias
// CHECK-LABEL: func @scale_and_bias(
// CHECK-SAME:    %[[X:[^:]+]]: tensor<4x8xf32>, %[[G:[^:]+]]: tensor<8xf32>, %[[B:[^:]+]]: tensor<8xf32>
func.func @scale_and_bias(%x: tensor<4x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>)
    -> tensor<4x8xf32> {
  // CHECK: %[[Y:.*]] = heddle.layer_norm ins(%[[X]] : {{.*}}) scale(%[[G]] : {{.*}}) bias(%[[B]] : {{.*}}) epsilon 9.99999974E-6
  // CHECK: return %[[Y]]
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %f = tensor.empty() : tensor<4x8xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %sum = linalg.generic {indexing_maps = [#rows, #row],
      iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf32>) outs(%init : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %mean = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%sum : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %c = arith.constant 8.0 : f32
    %r = arith.divf %a, %c : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %centred = linalg.generic {indexing_maps = [#rows, #row, #rows],
      iterator_types = ["parallel", "parallel"]}
      ins(%x, %mean : tensor<4x8xf32>, tensor<4xf32>) outs(%f : tensor<4x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.subf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<4x8xf32>
  %square = linalg.generic {indexing_maps = [#rows, #rows, #rows],
      iterator_types = ["parallel", "parallel"]}
      ins(%centred, %centred : tensor<4x8xf32>, tensor<4x8xf32>) outs(%f : tensor<4x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.mulf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<4x8xf32>
  %squares = linalg.generic {indexing_maps = [#rows, #row],
      iterator_types = ["parallel", "reduction"]}
      ins(%square : tensor<4x8xf32>) outs(%init : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %variance = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%squares : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %c = arith.constant 8.0 : f32
    %r = arith.divf %a, %c : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %shifted = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%variance : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %c = arith.constant 1.0e-05 : f32
    %r = arith.addf %a, %c : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %deviation = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%shifted : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = math.sqrt %a : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %normal = linalg.generic {indexing_maps = [#rows, #row, #rows],
      iterator_types = ["parallel", "parallel"]}
      ins(%centred, %deviation : tensor<4x8xf32>, tensor<4xf32>) outs(%f : tensor<4x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.divf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<4x8xf32>
  %scaled = linalg.generic {indexing_maps = [#rows, #vector, #rows],
      iterator_types = ["parallel", "parallel"]}
      ins(%normal, %g : tensor<4x8xf32>, tensor<8xf32>) outs(%f : tensor<4x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.mulf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<4x8xf32>
  %y = linalg.generic {indexing_maps = [#rows, #vector, #rows],
      iterator_types = ["parallel", "parallel"]}
      ins(%scaled, %b : tensor<4x8xf32>, tensor<8xf32>) outs(%f : tensor<4x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.addf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// What is added is no vector along the last axis: the norm has no bias, and the
// sum stays.

#rows = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#vector = affine_map<(d0, d1) -> (d1)>
#one = affine_map<(d0) -> (d0)>

// REMARK: [Passed] recognize-layer-norm | {{.*}} | Function=no_vector
// CHECK-LABEL: func @no_vector(
// CHECK-SAME:    %[[X:[^:]+]]: tensor<4x8xf32>, %[[Z:[^:]+]]: tensor<4x8xf32>
func.func @no_vector(%x: tensor<4x8xf32>, %z: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK: %[[N:.*]] = heddle.layer_norm ins(%[[X]] : tensor<4x8xf32>) epsilon
  // CHECK: linalg.generic {{.*}} ins(%[[N]], %[[Z]]
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %f = tensor.empty() : tensor<4x8xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %sum = linalg.generic {indexing_maps = [#rows, #row],
      iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf32>) outs(%init : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %mean = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%sum : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %c = arith.constant 8.0 : f32
    %r = arith.divf %a, %c : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %centred = linalg.generic {indexing_maps = [#rows, #row, #rows],
      iterator_types = ["parallel", "parallel"]}
      ins(%x, %mean : tensor<4x8xf32>, tensor<4xf32>) outs(%f : tensor<4x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.subf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<4x8xf32>
  %square = linalg.generic {indexing_maps = [#rows, #rows, #rows],
      iterator_types = ["parallel", "parallel"]}
      ins(%centred, %centred : tensor<4x8xf32>, tensor<4x8xf32>) outs(%f : tensor<4x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.mulf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<4x8xf32>
  %squares = linalg.generic {indexing_maps = [#rows, #row],
      iterator_types = ["parallel", "reduction"]}
      ins(%square : tensor<4x8xf32>) outs(%init : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %variance = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%squares : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %c = arith.constant 8.0 : f32
    %r = arith.divf %a, %c : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %shifted = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%variance : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %c = arith.constant 1.0e-05 : f32
    %r = arith.addf %a, %c : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %deviation = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%shifted : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = math.sqrt %a : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %normal = linalg.generic {indexing_maps = [#rows, #row, #rows],
      iterator_types = ["parallel", "parallel"]}
      ins(%centred, %deviation : tensor<4x8xf32>, tensor<4xf32>) outs(%f : tensor<4x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.divf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<4x8xf32>
  %y = linalg.generic {indexing_maps = [#rows, #rows, #rows],
      iterator_types = ["parallel", "parallel"]}
      ins(%normal, %z : tensor<4x8xf32>, tensor<4x8xf32>) outs(%f : tensor<4x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.addf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// The sum of 8 numbers is divided by 7, which is no mean: nothing changes.

#rows = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#vector = affine_map<(d0, d1) -> (d1)>
#one = affine_map<(d0) -> (d0)>

// REMARK-NOT: Function=no_mean
// CHECK-LABEL: func @no_mean(
func.func @no_mean(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK:     math.sqrt
  // CHECK-NOT: heddle.layer_norm
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %f = tensor.empty() : tensor<4x8xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %sum = linalg.generic {indexing_maps = [#rows, #row],
      iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x8xf32>) outs(%init : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %mean = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%sum : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %c = arith.constant 7.0 : f32
    %r = arith.divf %a, %c : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %centred = linalg.generic {indexing_maps = [#rows, #row, #rows],
      iterator_types = ["parallel", "parallel"]}
      ins(%x, %mean : tensor<4x8xf32>, tensor<4xf32>) outs(%f : tensor<4x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.subf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<4x8xf32>
  %square = linalg.generic {indexing_maps = [#rows, #rows, #rows],
      iterator_types = ["parallel", "parallel"]}
      ins(%centred, %centred : tensor<4x8xf32>, tensor<4x8xf32>) outs(%f : tensor<4x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.mulf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<4x8xf32>
  %squares = linalg.generic {indexing_maps = [#rows, #row],
      iterator_types = ["parallel", "reduction"]}
      ins(%square : tensor<4x8xf32>) outs(%init : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %variance = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%squares : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %c = arith.constant 8.0 : f32
    %r = arith.divf %a, %c : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %shifted = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%variance : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %c = arith.constant 1.0e-05 : f32
    %r = arith.addf %a, %c : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %deviation = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%shifted : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = math.sqrt %a : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %normal = linalg.generic {indexing_maps = [#rows, #row, #rows],
      iterator_types = ["parallel", "parallel"]}
      ins(%centred, %deviation : tensor<4x8xf32>, tensor<4xf32>) outs(%f : tensor<4x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.divf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<4x8xf32>
  return %normal : tensor<4x8xf32>
}

// -----

// Each row is reduced by the mean of another row: nothing changes.

#rows = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#row = affine_map<(d0, d1, d2) -> (d0, d1)>
#other = affine_map<(d0, d1, d2) -> (d1, d0)>
#one = affine_map<(d0, d1) -> (d0, d1)>

// REMARK-NOT: Function=other_rows
// CHECK-LABEL: func @other_rows(
func.func @other_rows(%x: tensor<4x4x8xf32>) -> tensor<4x4x8xf32> {
  // CHECK:     math.sqrt
  // CHECK-NOT: heddle.layer_norm
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x4xf32>
  %f = tensor.empty() : tensor<4x4x8xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %sum = linalg.generic {indexing_maps = [#rows, #row],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x : tensor<4x4x8xf32>) outs(%init : tensor<4x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<4x4xf32>
  %mean = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel", "parallel"]}
      ins(%sum : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %c = arith.constant 8.0 : f32
    %r = arith.divf %a, %c : f32
    linalg.yield %r : f32
  } -> tensor<4x4xf32>
  %centred = linalg.generic {indexing_maps = [#rows, #other, #rows],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %mean : tensor<4x4x8xf32>, tensor<4x4xf32>) outs(%f : tensor<4x4x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.subf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<4x4x8xf32>
  %square = linalg.generic {indexing_maps = [#rows, #rows, #rows],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%centred, %centred : tensor<4x4x8xf32>, tensor<4x4x8xf32>) outs(%f : tensor<4x4x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.mulf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<4x4x8xf32>
  %squares = linalg.generic {indexing_maps = [#rows, #row],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%square : tensor<4x4x8xf32>) outs(%init : tensor<4x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %a, %o : f32
    linalg.yield %r : f32
  } -> tensor<4x4xf32>
  %variance = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel", "parallel"]}
      ins(%squares : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %c = arith.constant 8.0 : f32
    %r = arith.divf %a, %c : f32
    linalg.yield %r : f32
  } -> tensor<4x4xf32>
  %shifted = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel", "parallel"]}
      ins(%variance : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %c = arith.constant 1.0e-05 : f32
    %r = arith.addf %a, %c : f32
    linalg.yield %r : f32
  } -> tensor<4x4xf32>
  %deviation = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel", "parallel"]}
      ins(%shifted : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = math.sqrt %a : f32
    linalg.yield %r : f32
  } -> tensor<4x4xf32>
  %normal = linalg.generic {indexing_maps = [#rows, #row, #rows],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%centred, %deviation : tensor<4x4x8xf32>, tensor<4x4xf32>) outs(%f : tensor<4x4x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.divf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<4x4x8xf32>
  return %normal : tensor<4x4x8xf32>
}
