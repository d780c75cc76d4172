// RUN: heddle-opt %s --split-input-file --heddle-fuse-elementwise | FileCheck %s

// The one reader of an elementwise op takes its body in.

#id = affine_map<(d0) -> (d0)>

// CHECK-LABEL: func @one_reader(
// CHECK-SAME:    %[[X:[^:]+]]: tensor<?xf32>
func.func @one_reader(%x: tensor<?xf32>, %e: tensor<?xf32>) -> tensor<?xf32> {
  // CHECK:      linalg.generic {{.*}} ins(%[[X]] : tensor<?xf32>)
  // CHECK:        math.exp
  // CHECK-NEXT:   arith.negf
  // CHECK-NOT:  linalg.generic
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = math.exp %p : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %b = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%a : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = arith.negf %p : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  return %b : tensor<?xf32>
}

// -----

// Two readers would compute the exponential twice: nothing changes.

#id = affine_map<(d0) -> (d0)>

// CHECK-LABEL: func @two_readers(
func.func @two_readers(%x: tensor<?xf32>, %e: tensor<?xf32>)
    -> (tensor<?xf32>, tensor<?xf32>) {
  // CHECK: math.exp
  // CHECK: linalg.generic
  // CHECK: arith.negf
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = math.exp %p : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %b = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%a : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = arith.negf %p : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  return %a, %b : tensor<?xf32>, tensor<?xf32>
}

// -----

// The reader has one loop more, and would compute the exponential anew in each
// of its rounds: nothing changes.

#id1 = affine_map<(d0) -> (d0)>
#id2 = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// CHECK-LABEL: func @more_loops(
func.func @more_loops(%x: tensor<?xf32>, %e: tensor<?xf32>, %f: tensor<?x8xf32>)
    -> tensor<?x8xf32> {
  // CHECK: math.exp
  // CHECK: linalg.generic
  // CHECK: arith.addf
  %a = linalg.generic {indexing_maps = [#id1, #id1], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = math.exp %p : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %b = linalg.generic {indexing_maps = [#row, #id2, #id2],
                       iterator_types = ["parallel", "parallel"]}
      ins(%a, %f : tensor<?xf32>, tensor<?x8xf32>) outs(%f : tensor<?x8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.addf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<?x8xf32>
  return %b : tensor<?x8xf32>
}

// -----

// A gather takes in what is computed of its rows afterwards.

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// CHECK-LABEL: func @gather(
// CHECK-SAME:    %[[I:[^:]+]]: tensor<?xi64>, %[[T:[^:]+]]: tensor<30x8xf32>
func.func @gather(%i: tensor<?xi64>, %t: tensor<30x8xf32>, %e: tensor<?x8xf32>)
    -> tensor<?x8xf32> {
  // CHECK:      linalg.generic {{.*}} ins(%[[I]] : tensor<?xi64>)
  // CHECK:        heddle.checked_index
  // CHECK:        tensor.extract %[[T]]
  // CHECK-NEXT:   arith.negf
  // CHECK-NOT:  linalg.generic
  %n = arith.constant 30 : index
  %a = linalg.generic {indexing_maps = [#row, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%i : tensor<?xi64>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%p: i64, %o: f32):
    %k = heddle.checked_index %p of %n text "node 'Gather'" : i64
    %j = linalg.index 1 : index
    %r = tensor.extract %t[%k, %j] : tensor<30x8xf32>
    linalg.yield %r : f32
  } -> tensor<?x8xf32>
  %b = linalg.generic {indexing_maps = [#id, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = arith.negf %p : f32
    linalg.yield %r : f32
  } -> tensor<?x8xf32>
  return %b : tensor<?x8xf32>
}

// -----

// An elementwise op after the reshape of a contraction moves before the reshape,
// where it can become the contraction's epilogue.

#id = affine_map<(d0, d1, d2) -> (d0, d1, d2)>

// CHECK-LABEL: func @before_reshape(
func.func @before_reshape(%x: tensor<6x8xf32>, %w: tensor<8x4xf32>, %e: tensor<6x4xf32>,
                          %f: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  // CHECK:      %[[C:.*]] = heddle.contraction
  // CHECK:      %[[G:.*]] = linalg.generic {{.*}} ins(%[[C]] : tensor<6x4xf32>)
  // CHECK:        math.exp
  // CHECK:      tensor.expand_shape %[[G]]
  %c = heddle.contraction ins(%x, %w : tensor<6x8xf32>, tensor<8x4xf32>)
      outs(%e : tensor<6x4xf32>) -> tensor<6x4xf32>
  %r = tensor.expand_shape %c [[0, 1], [2]] output_shape [2, 3, 4]
      : tensor<6x4xf32> into tensor<2x3x4xf32>
  %y = linalg.generic {indexing_maps = [#id, #id],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%r : tensor<2x3x4xf32>) outs(%f : tensor<2x3x4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %z = math.exp %p : f32
    linalg.yield %z : f32
  } -> tensor<2x3x4xf32>
  return %y : tensor<2x3x4xf32>
}

// -----

// What is reshaped is no contraction's result: the elementwise op stays behind
// the reshape.

#id = affine_map<(d0, d1) -> (d0, d1)>

// CHECK-LABEL: func @reshaped_argument(
func.func @reshaped_argument(%x: tensor<6xf32>, %e: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // CHECK: tensor.expand_shape
  // CHECK: math.exp
  %r = tensor.expand_shape %x [[0, 1]] output_shape [2, 3] : tensor<6xf32> into tensor<2x3xf32>
  %y = linalg.generic {indexing_maps = [#id, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) {
  ^bb0(%p: f32, %o: f32):
    %z = math.exp %p : f32
    linalg.yield %z : f32
  } -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}
