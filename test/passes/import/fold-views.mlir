// RUN: heddle-opt %s --split-input-file --heddle-fold-views | FileCheck %s

// Between a collapse and the expansion that undoes it, the last axes are
// transposed: one transpose of the tensor as it was.

// CHECK-LABEL: func @transpose_between_reshapes(
// CHECK-SAME:    %[[X:[^:]+]]: tensor<?x?x4x8xf32>
func.func @transpose_between_reshapes(%x: tensor<?x?x4x8xf32>) -> tensor<?x?x8x4xf32> {
  %b = heddle.symbol "b" min 1
  %s = heddle.symbol "s" min 1
  heddle.bind_shape %x[%b, %s] : tensor<?x?x4x8xf32>
  %n = arith.muli %b, %s : index
  // CHECK-NOT: tensor.collapse_shape
  // CHECK:     linalg.transpose ins(%[[X]] : {{.*}}) outs({{.*}}) permutation = [0, 1, 3, 2]
  // CHECK-NOT: tensor.expand_shape
  %c = tensor.collapse_shape %x [[0, 1], [2], [3]] : tensor<?x?x4x8xf32> into tensor<?x4x8xf32>
  %e = tensor.empty(%n) : tensor<?x8x4xf32>
  %t = linalg.transpose ins(%c : tensor<?x4x8xf32>) outs(%e : tensor<?x8x4xf32>)
      permutation = [0, 2, 1]
  %y = tensor.expand_shape %t [[0, 1], [2], [3]] output_shape [%b, %s, 8, 4]
      : tensor<?x8x4xf32> into tensor<?x?x8x4xf32>
  return %y : tensor<?x?x8x4xf32>
}

// -----

// The axes come back with their sizes exchanged, which no transpose of the
// tensor as it was gives: nothing changes.

// CHECK-LABEL: func @other_sizes(
func.func @other_sizes(%x: tensor<?x?x4x8xf32>) -> tensor<?x?x8x4xf32> {
  %b = heddle.symbol "b" min 1
  %s = heddle.symbol "s" min 1
  heddle.bind_shape %x[%b, %s] : tensor<?x?x4x8xf32>
  %n = arith.muli %b, %s : index
  // CHECK: tensor.collapse_shape
  // CHECK: linalg.transpose {{.*}} permutation = [0, 2, 1]
  // CHECK: tensor.expand_shape
  %c = tensor.collapse_shape %x [[0, 1], [2], [3]] : tensor<?x?x4x8xf32> into tensor<?x4x8xf32>
  %e = tensor.empty(%n) : tensor<?x8x4xf32>
  %t = linalg.transpose ins(%c : tensor<?x4x8xf32>) outs(%e : tensor<?x8x4xf32>)
      permutation = [0, 2, 1]
  %y = tensor.expand_shape %t [[0, 1], [2], [3]] output_shape [%s, %b, 8, 4]
      : tensor<?x8x4xf32> into tensor<?x?x8x4xf32>
  return %y : tensor<?x?x8x4xf32>
}

// -----

// The merged axis itself moves: nothing changes.

// CHECK-LABEL: func @merged_axis_moves(
func.func @merged_axis_moves(%x: tensor<4x4x16x8xf32>, %e: tensor<16x16x8xf32>)
    -> tensor<4x4x16x8xf32> {
  // CHECK: tensor.collapse_shape
  // CHECK: linalg.transpose {{.*}} permutation = [1, 0, 2]
  // CHECK: tensor.expand_shape
  %c = tensor.collapse_shape %x [[0, 1], [2], [3]]
      : tensor<4x4x16x8xf32> into tensor<16x16x8xf32>
  %t = linalg.transpose ins(%c : tensor<16x16x8xf32>) outs(%e : tensor<16x16x8xf32>)
      permutation = [1, 0, 2]
  %y = tensor.expand_shape %t [[0, 1], [2], [3]] output_shape [4, 4, 16, 8]
      : tensor<16x16x8xf32> into tensor<4x4x16x8xf32>
  return %y : tensor<4x4x16x8xf32>
}

// -----

// A transposed right side is read as it lies.

// CHECK-LABEL: func @transposed_rhs(
// CHECK-SAME:    %[[X:[^:]+]]: tensor<?x8xf32>, %[[W:[^:]+]]: tensor<4x8xf32>
func.func @transposed_rhs(%x: tensor<?x8xf32>, %w: tensor<4x8xf32>,
                          %i: tensor<8x4xf32>, %e: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK-NOT: linalg.transpose
  // CHECK:     heddle.contraction ins(%[[X]], %[[W]] : {{.*}}) transpose_rhs
  %t = linalg.transpose ins(%w : tensor<4x8xf32>) outs(%i : tensor<8x4xf32>)
      permutation = [1, 0]
  %y = heddle.contraction ins(%x, %t : tensor<?x8xf32>, tensor<8x4xf32>)
      outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// Two transposes of the right side undo each other.

// CHECK-LABEL: func @transposed_twice(
// CHECK-SAME:    %[[X:[^:]+]]: tensor<?x8xf32>, %[[W:[^:]+]]: tensor<8x4xf32>
func.func @transposed_twice(%x: tensor<?x8xf32>, %w: tensor<8x4xf32>,
                            %i: tensor<4x8xf32>, %e: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: heddle.contraction ins(%[[X]], %[[W]] : {{[^)]*}}) outs
  %t = linalg.transpose ins(%w : tensor<8x4xf32>) outs(%i : tensor<4x8xf32>)
      permutation = [1, 0]
  %y = heddle.contraction ins(%x, %t : tensor<?x8xf32>, tensor<4x8xf32>) transpose_rhs
      outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// A leading axis of the right side moves, which a contraction cannot say:
// nothing changes.

// CHECK-LABEL: func @leading_axis_moves(
func.func @leading_axis_moves(%x: tensor<4x3x8xf32>, %w: tensor<5x4x8xf32>,
                              %i: tensor<4x8x5xf32>, %e: tensor<4x3x5xf32>)
    -> tensor<4x3x5xf32> {
  // CHECK: linalg.transpose
  // CHECK: heddle.contraction ins({{[^)]*}}) outs
  %t = linalg.transpose ins(%w : tensor<5x4x8xf32>) outs(%i : tensor<4x8x5xf32>)
      permutation = [1, 2, 0]
  %y = heddle.contraction ins(%x, %t : tensor<4x3x8xf32>, tensor<4x8x5xf32>)
      outs(%e : tensor<4x3x5xf32>) -> tensor<4x3x5xf32>
  return %y : tensor<4x3x5xf32>
}

// -----

// A vector along the columns, added on either side, is the bias.

#rows = affine_map<(d0, d1) -> (d0, d1)>
#columns = affine_map<(d0, d1) -> (d1)>

// CHECK-LABEL: func @bias(
// CHECK-SAME:    %{{[^:]+}}: tensor<?x8xf32>, %{{[^:]+}}: tensor<8x4xf32>, %[[B:[^:]+]]: tensor<4xf32>
func.func @bias(%x: tensor<?x8xf32>, %w: tensor<8x4xf32>, %b: tensor<4xf32>,
                %e: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK:     heddle.contraction {{.*}} bias(%[[B]] : tensor<4xf32>)
  // CHECK-NOT: linalg.generic
  %c = heddle.contraction ins(%x, %w : tensor<?x8xf32>, tensor<8x4xf32>)
      outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = linalg.generic {indexing_maps = [#columns, #rows, #rows],
                       iterator_types = ["parallel", "parallel"]}
      ins(%b, %c : tensor<4xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// The sum without the vector is read too: nothing changes.

#rows = affine_map<(d0, d1) -> (d0, d1)>
#columns = affine_map<(d0, d1) -> (d1)>

// CHECK-LABEL: func @two_readers(
func.func @two_readers(%x: tensor<?x8xf32>, %w: tensor<8x4xf32>, %b: tensor<4xf32>,
                       %e: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  // CHECK: heddle.contraction ins({{[^)]*}}) outs
  // CHECK: linalg.generic
  %c = heddle.contraction ins(%x, %w : tensor<?x8xf32>, tensor<8x4xf32>)
      outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = linalg.generic {indexing_maps = [#rows, #columns, #rows],
                       iterator_types = ["parallel", "parallel"]}
      ins(%c, %b : tensor<?x4xf32>, tensor<4xf32>) outs(%e : tensor<?x4xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<?x4xf32>
  return %c, %y : tensor<?x4xf32>, tensor<?x4xf32>
}

// -----

// A vector along the rows is no bias: nothing changes.

#both = affine_map<(d0, d1) -> (d0, d1)>
#down = affine_map<(d0, d1) -> (d0)>

// CHECK-LABEL: func @vector_along_rows(
func.func @vector_along_rows(%x: tensor<4x8xf32>, %w: tensor<8x4xf32>, %b: tensor<4xf32>,
                             %e: tensor<4x4xf32>) -> tensor<4x4xf32> {
  // CHECK: heddle.contraction ins({{[^)]*}}) outs
  // CHECK: linalg.generic
  %c = heddle.contraction ins(%x, %w : tensor<4x8xf32>, tensor<8x4xf32>)
      outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %y = linalg.generic {indexing_maps = [#both, #down, #both],
                       iterator_types = ["parallel", "parallel"]}
      ins(%c, %b : tensor<4x4xf32>, tensor<4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}
