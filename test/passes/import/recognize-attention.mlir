// RUN: heddle-opt %s --split-input-file --heddle-recognize-attention | FileCheck %s
// RUN: heddle-opt %s --split-input-file --heddle-recognize-attention \
// RUN:     --remarks-filter=heddle-recognize-attention 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// Scores are divided by 4, then a mask over the keys is added.

#scores = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#keys = affine_map<(d0, d1, d2, d3) -> (d0, 0, 0, d3)>

// REMARK: [Passed] recognize-attention | {{.*}} | Function=scale_then_mask
// CHECK-LABEL: func @scale_then_mask(
// CHECK-SAME:    %[[Q:[^:]+]]: tensor<2x4x16x8xf32>, %[[K:[^:]+]]: tensor<2x4x24x8xf32>,
// CHECK-SAME:    %[[V:[^:]+]]: tensor<2x4x24x6xf32>, %[[M:[^:]+]]: tensor<2x1x1x24xf32>
func.func @scale_then_mask(%q: tensor<2x4x16x8xf32>, %k: tensor<2x4x24x8xf32>,
                           %v: tensor<2x4x24x6xf32>, %m: tensor<2x1x1x24xf32>,
                           %e: tensor<2x4x16x24xf32>, %f: tensor<2x4x16x6xf32>)
    -> tensor<2x4x16x6xf32> {
  // CHECK:      %[[O:.*]] = heddle.attention query(%[[Q]] : {{.*}}) key(%[[K]] : {{.*}}) value(%[[V]] : {{.*}}) mask(%[[M]] : {{.*}}) scale 2.500000e-01
  // CHECK-NEXT: return %[[O]]
  %s = heddle.contraction ins(%q, %k : tensor<2x4x16x8xf32>, tensor<2x4x24x8xf32>)
      transpose_rhs outs(%e : tensor<2x4x16x24xf32>) -> tensor<2x4x16x24xf32>
  %d = linalg.generic {indexing_maps = [#scores, #scores],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x4x16x24xf32>) outs(%e : tensor<2x4x16x24xf32>) {
  ^bb0(%a: f32, %o: f32):
    %four = arith.constant 4.0 : f32
    %r = arith.divf %a, %four : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x24xf32>
  %n = linalg.generic {indexing_maps = [#scores, #keys, #scores],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%d, %m : tensor<2x4x16x24xf32>, tensor<2x1x1x24xf32>)
      outs(%e : tensor<2x4x16x24xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x24xf32>
  %p = linalg.softmax dimension(3) ins(%n : tensor<2x4x16x24xf32>)
      outs(%e : tensor<2x4x16x24xf32>) -> tensor<2x4x16x24xf32>
  %y = heddle.contraction ins(%p, %v : tensor<2x4x16x24xf32>, tensor<2x4x24x6xf32>)
      outs(%f : tensor<2x4x16x6xf32>) -> tensor<2x4x16x6xf32>
  return %y : tensor<2x4x16x6xf32>
}

// -----

// The query is scaled, the key comes transposed, the mask has rank 2, and NaN
// after the softmax becomes 0.

#scores = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#square = affine_map<(d0, d1, d2, d3) -> (d2, d3)>

// REMARK: [Passed] recognize-attention | {{.*}} | Function=zeroed_rows
// CHECK-LABEL: func @zeroed_rows(
// CHECK-SAME:    %[[Q:[^:]+]]: tensor<2x4x16x8xf32>, %[[K:[^:]+]]: tensor<2x4x8x24xf32>,
// CHECK-SAME:    %[[V:[^:]+]]: tensor<2x4x24x6xf32>, %[[M:[^:]+]]: tensor<16x24xi1>
func.func @zeroed_rows(%q: tensor<2x4x16x8xf32>, %k: tensor<2x4x8x24xf32>,
                       %v: tensor<2x4x24x6xf32>, %m: tensor<16x24xi1>,
                       %e: tensor<2x4x16x24xf32>, %f: tensor<2x4x16x6xf32>,
                       %z: tensor<2x4x16x8xf32>, %nan: tensor<2x4x16x24xi1>)
    -> tensor<2x4x16x6xf32> {
  // CHECK-DAG: %[[T:.*]] = linalg.transpose ins(%[[K]] : {{.*}}) permutation = [0, 1, 3, 2]
  // CHECK-DAG: %[[R:.*]] = tensor.expand_shape %[[M]] {{\[\[}}0, 1, 2], [3]] {{.*}} into tensor<1x1x16x24xi1>
  // CHECK:     heddle.attention query(%[[Q]] : {{.*}}) key(%[[T]] : {{.*}}) value(%[[V]] : {{.*}}) mask(%[[R]] : {{.*}}) zero_masked_rows scale 5.000000e-01
  %h = linalg.generic {indexing_maps = [#scores, #scores],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%q : tensor<2x4x16x8xf32>) outs(%z : tensor<2x4x16x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %half = arith.constant 0.5 : f32
    %r = arith.mulf %half, %a : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x8xf32>
  %s = heddle.contraction ins(%h, %k : tensor<2x4x16x8xf32>, tensor<2x4x8x24xf32>)
      outs(%e : tensor<2x4x16x24xf32>) -> tensor<2x4x16x24xf32>
  %n = linalg.generic {indexing_maps = [#square, #scores, #scores],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%m, %s : tensor<16x24xi1>, tensor<2x4x16x24xf32>)
      outs(%e : tensor<2x4x16x24xf32>) {
  ^bb0(%c: i1, %a: f32, %o: f32):
    %infinity = arith.constant 0xFF800000 : f32
    %r = arith.select %c, %a, %infinity : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x24xf32>
  %p = linalg.softmax dimension(3) ins(%n : tensor<2x4x16x24xf32>)
      outs(%e : tensor<2x4x16x24xf32>) -> tensor<2x4x16x24xf32>
  %u = linalg.generic {indexing_maps = [#scores, #scores],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%p : tensor<2x4x16x24xf32>) outs(%nan : tensor<2x4x16x24xi1>) {
  ^bb0(%a: f32, %o: i1):
    %r = arith.cmpf une, %a, %a : f32
    linalg.yield %r : i1
  } -> tensor<2x4x16x24xi1>
  %g = linalg.generic {indexing_maps = [#scores, #scores, #scores],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%u, %p : tensor<2x4x16x24xi1>, tensor<2x4x16x24xf32>)
      outs(%e : tensor<2x4x16x24xf32>) {
  ^bb0(%c: i1, %a: f32, %o: f32):
    %zero = arith.constant 0.0 : f32
    %r = arith.select %c, %zero, %a : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x24xf32>
  %y = heddle.contraction ins(%g, %v : tensor<2x4x16x24xf32>, tensor<2x4x24x6xf32>)
      outs(%f : tensor<2x4x16x6xf32>) -> tensor<2x4x16x6xf32>
  return %y : tensor<2x4x16x6xf32>
}

// -----

// A scale after the mask would scale the mask too, and heddle.attention adds it
// unscaled: nothing changes.

#scores = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>

// REMARK-NOT: Function=mask_then_scale
// CHECK-LABEL: func @mask_then_scale(
func.func @mask_then_scale(%q: tensor<2x4x16x8xf32>, %k: tensor<2x4x24x8xf32>,
                           %v: tensor<2x4x24x6xf32>, %m: tensor<2x4x16x24xf32>,
                           %e: tensor<2x4x16x24xf32>, %f: tensor<2x4x16x6xf32>)
    -> tensor<2x4x16x6xf32> {
  // CHECK:     linalg.softmax
  // CHECK-NOT: heddle.attention
  %s = heddle.contraction ins(%q, %k : tensor<2x4x16x8xf32>, tensor<2x4x24x8xf32>)
      transpose_rhs outs(%e : tensor<2x4x16x24xf32>) -> tensor<2x4x16x24xf32>
  %n = linalg.generic {indexing_maps = [#scores, #scores, #scores],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%s, %m : tensor<2x4x16x24xf32>, tensor<2x4x16x24xf32>)
      outs(%e : tensor<2x4x16x24xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x24xf32>
  %d = linalg.generic {indexing_maps = [#scores, #scores],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%n : tensor<2x4x16x24xf32>) outs(%e : tensor<2x4x16x24xf32>) {
  ^bb0(%a: f32, %o: f32):
    %half = arith.constant 0.5 : f32
    %r = arith.mulf %a, %half : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x24xf32>
  %p = linalg.softmax dimension(3) ins(%d : tensor<2x4x16x24xf32>)
      outs(%e : tensor<2x4x16x24xf32>) -> tensor<2x4x16x24xf32>
  %y = heddle.contraction ins(%p, %v : tensor<2x4x16x24xf32>, tensor<2x4x24x6xf32>)
      outs(%f : tensor<2x4x16x6xf32>) -> tensor<2x4x16x6xf32>
  return %y : tensor<2x4x16x6xf32>
}

// -----

// The softmax is over the queries, not the keys: nothing changes.

// REMARK-NOT: Function=softmax_of_queries
// CHECK-LABEL: func @softmax_of_queries(
func.func @softmax_of_queries(%q: tensor<2x4x16x8xf32>, %k: tensor<2x4x24x8xf32>,
                              %v: tensor<2x4x24x6xf32>, %e: tensor<2x4x16x24xf32>,
                              %f: tensor<2x4x16x6xf32>) -> tensor<2x4x16x6xf32> {
  // CHECK:     linalg.softmax
  // CHECK-NOT: heddle.attention
  %s = heddle.contraction ins(%q, %k : tensor<2x4x16x8xf32>, tensor<2x4x24x8xf32>)
      transpose_rhs outs(%e : tensor<2x4x16x24xf32>) -> tensor<2x4x16x24xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<2x4x16x24xf32>)
      outs(%e : tensor<2x4x16x24xf32>) -> tensor<2x4x16x24xf32>
  %y = heddle.contraction ins(%p, %v : tensor<2x4x16x24xf32>, tensor<2x4x24x6xf32>)
      outs(%f : tensor<2x4x16x6xf32>) -> tensor<2x4x16x6xf32>
  return %y : tensor<2x4x16x6xf32>
}

// -----

// The mask is read with its last axes exchanged, which heddle.attention does
// not do: nothing changes.

#scores = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#exchanged = affine_map<(d0, d1, d2, d3) -> (d3, d2)>

// REMARK-NOT: Function=transposed_mask
// CHECK-LABEL: func @transposed_mask(
func.func @transposed_mask(%q: tensor<2x4x16x8xf32>, %k: tensor<2x4x16x8xf32>,
                           %v: tensor<2x4x16x6xf32>, %m: tensor<16x16xf32>,
                           %e: tensor<2x4x16x16xf32>, %f: tensor<2x4x16x6xf32>)
    -> tensor<2x4x16x6xf32> {
  // CHECK:     linalg.softmax
  // CHECK-NOT: heddle.attention
  %s = heddle.contraction ins(%q, %k : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>)
      transpose_rhs outs(%e : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %n = linalg.generic {indexing_maps = [#scores, #exchanged, #scores],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%s, %m : tensor<2x4x16x16xf32>, tensor<16x16xf32>)
      outs(%e : tensor<2x4x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = linalg.softmax dimension(3) ins(%n : tensor<2x4x16x16xf32>)
      outs(%e : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %y = heddle.contraction ins(%p, %v : tensor<2x4x16x16xf32>, tensor<2x4x16x6xf32>)
      outs(%f : tensor<2x4x16x6xf32>) -> tensor<2x4x16x6xf32>
  return %y : tensor<2x4x16x6xf32>
}

// -----

// One row of a mask of two is read by every batch; heddle.attention would read
// both: nothing changes.

#scores = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#first = affine_map<(d0, d1, d2, d3) -> (0, 0, d2, d3)>

// REMARK-NOT: Function=first_mask
// CHECK-LABEL: func @first_mask(
func.func @first_mask(%q: tensor<2x4x16x8xf32>, %k: tensor<2x4x16x8xf32>,
                      %v: tensor<2x4x16x6xf32>, %m: tensor<2x1x16x16xf32>,
                      %e: tensor<2x4x16x16xf32>, %f: tensor<2x4x16x6xf32>)
    -> tensor<2x4x16x6xf32> {
  // CHECK:     linalg.softmax
  // CHECK-NOT: heddle.attention
  %s = heddle.contraction ins(%q, %k : tensor<2x4x16x8xf32>, tensor<2x4x16x8xf32>)
      transpose_rhs outs(%e : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %n = linalg.generic {indexing_maps = [#scores, #first, #scores],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%s, %m : tensor<2x4x16x16xf32>, tensor<2x1x16x16xf32>)
      outs(%e : tensor<2x4x16x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.addf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<2x4x16x16xf32>
  %p = linalg.softmax dimension(3) ins(%n : tensor<2x4x16x16xf32>)
      outs(%e : tensor<2x4x16x16xf32>) -> tensor<2x4x16x16xf32>
  %y = heddle.contraction ins(%p, %v : tensor<2x4x16x16xf32>, tensor<2x4x16x6xf32>)
      outs(%f : tensor<2x4x16x6xf32>) -> tensor<2x4x16x6xf32>
  return %y : tensor<2x4x16x6xf32>
}
