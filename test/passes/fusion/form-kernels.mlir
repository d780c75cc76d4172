// RUN: heddle-opt %s --split-input-file --heddle-form-kernels \
// RUN:     --remarks-filter=heddle-form-kernels --verify-diagnostics | FileCheck %s

// A contraction takes the elementwise op that alone reads it; sizes of the empty
// tensors stay outside.

#id = affine_map<(d0, d1) -> (d0, d1)>

// CHECK-LABEL: func @epilogue(
// CHECK-SAME:    %[[X:[^:]+]]: tensor<?x8xf32>, %[[W:[^:]+]]: tensor<8x4xf32>
func.func @epilogue(%x: tensor<?x8xf32>, %w: tensor<8x4xf32>, %n: index)
    -> tensor<?x4xf32> {
  // CHECK: %[[E:.*]] = tensor.empty
  // CHECK: %[[Y:.*]] = heddle.kernel ins(%[[X]], %[[W]] : {{.*}}) outs(%[[E]] : {{.*}}) reason "contraction + 1 elementwise" {
  // CHECK:   %[[C:.*]] = heddle.contraction
  // CHECK:   linalg.generic {{.*}} ins(%[[C]]
  // CHECK:   heddle.yield
  // CHECK: return %[[Y]]
  %e = tensor.empty(%n) : tensor<?x4xf32>
  // expected-remark @below {{contraction + 1 elementwise}}
  // expected-remark @below {{the reader is not elementwise over the same shape}}
  %c = heddle.contraction ins(%x, %w : tensor<?x8xf32>, tensor<8x4xf32>)
      outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = linalg.generic {indexing_maps = [#id, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%c : tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %g = heddle.gelu %p approximate none : f32
    linalg.yield %g : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// A contraction with two readers takes neither.

#id = affine_map<(d0, d1) -> (d0, d1)>

// CHECK-LABEL: func @two_readers(
func.func @two_readers(%x: tensor<?x8xf32>, %w: tensor<8x4xf32>, %n: index)
    -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  // CHECK: %[[C:.*]] = heddle.kernel {{.*}} reason "contraction" {
  // CHECK: heddle.kernel ins(%[[C]] : {{.*}} reason "elementwise" {
  %e = tensor.empty(%n) : tensor<?x4xf32>
  // expected-remark @below {{Remark=contraction}}
  // expected-remark @below {{several readers, or none}}
  %c = heddle.contraction ins(%x, %w : tensor<?x8xf32>, tensor<8x4xf32>)
      outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  // expected-remark @below {{Remark=elementwise}}
  %y = linalg.generic {indexing_maps = [#id, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%c : tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %g = heddle.gelu %p approximate none : f32
    linalg.yield %g : f32
  } -> tensor<?x4xf32>
  return %c, %y : tensor<?x4xf32>, tensor<?x4xf32>
}

// -----

// A row sum takes the elementwise op before it and the one after it; its initial
// value is made inside.

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#one = affine_map<(d0) -> (d0)>

// CHECK-LABEL: func @row(
func.func @row(%x: tensor<?x8xf32>, %n: index) -> tensor<?xf32> {
  // CHECK-NOT: linalg.fill
  // CHECK: heddle.kernel {{.*}} reason "row + 2 elementwise" {
  // CHECK:   linalg.fill
  // CHECK:   math.exp
  // CHECK:   arith.addf
  // CHECK:   math.log
  // CHECK:   heddle.yield
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %f = tensor.empty(%n) : tensor<?xf32>
  %a = linalg.generic {indexing_maps = [#id, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = math.exp %p : f32
    linalg.yield %r : f32
  } -> tensor<?x8xf32>
  %i = linalg.fill ins(%zero : f32) outs(%f : tensor<?xf32>) -> tensor<?xf32>
  // expected-remark @below {{row + 2 elementwise}}
  // expected-remark @below {{the reader is not elementwise over the same shape}}
  %s = linalg.generic {indexing_maps = [#id, #row],
                       iterator_types = ["parallel", "reduction"]}
      ins(%a : tensor<?x8xf32>) outs(%i : tensor<?xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = arith.addf %p, %o : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%s : tensor<?xf32>) outs(%f : tensor<?xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = math.log %p : f32
    linalg.yield %r : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

// A fill that is itself the result is a kernel of its own.

// CHECK-LABEL: func @fill(
func.func @fill(%n: index) -> tensor<?xf32> {
  // CHECK: %[[Y:.*]] = heddle.kernel outs({{.*}}) reason "single op" {
  // CHECK:   linalg.fill
  // CHECK: return %[[Y]]
  %one = arith.constant 1.0 : f32
  %e = tensor.empty(%n) : tensor<?xf32>
  // expected-remark @below {{single op}}
  %y = linalg.fill ins(%one : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

// Sizes used as data are written by a kernel, and get a tensor to be written to.

// CHECK-LABEL: func @sizes_as_data(
func.func @sizes_as_data() -> tensor<1xi64> {
  // CHECK: %[[B:.*]] = heddle.symbol
  // CHECK: %[[I:.*]] = arith.index_cast %[[B]]
  // CHECK: %[[E:.*]] = tensor.empty() : tensor<1xi64>
  // CHECK: heddle.kernel ins(%[[I]] : i64) outs(%[[E]] : tensor<1xi64>)
  // CHECK:   tensor.from_elements
  %b = heddle.symbol "b" min 1
  %i = arith.index_cast %b : index to i64
  // expected-remark @below {{single op}}
  %y = tensor.from_elements %i : tensor<1xi64>
  return %y : tensor<1xi64>
}

// -----

// Views and concatenations compute nothing: they stay outside, and no kernel is
// made.

// CHECK-LABEL: func @views(
func.func @views(%x: tensor<6x8xf32>) -> tensor<12x8xf32> {
  // CHECK-NOT: heddle.kernel
  // CHECK:     tensor.extract_slice
  // CHECK:     tensor.concat
  %s = tensor.extract_slice %x[0, 0] [6, 8] [1, 1] : tensor<6x8xf32> to tensor<6x8xf32>
  %y = tensor.concat dim(0) %x, %s : (tensor<6x8xf32>, tensor<6x8xf32>) -> tensor<12x8xf32>
  return %y : tensor<12x8xf32>
}

// -----

// A sum over an axis before the last does the same.

#id = affine_map<(d0, d1) -> (d0, d1)>
#columns = affine_map<(d0, d1) -> (d1)>

// CHECK-LABEL: func @columns(
func.func @columns(%x: tensor<?x8xf32>, %n: index) -> tensor<8xf32> {
  // CHECK: heddle.kernel {{.*}} reason "reduction + 1 elementwise" {
  // CHECK:   linalg.fill
  // CHECK:   math.exp
  // CHECK:   arith.addf
  // CHECK:   heddle.yield
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %f = tensor.empty() : tensor<8xf32>
  %a = linalg.generic {indexing_maps = [#id, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = math.exp %p : f32
    linalg.yield %r : f32
  } -> tensor<?x8xf32>
  %i = linalg.fill ins(%zero : f32) outs(%f : tensor<8xf32>) -> tensor<8xf32>
  // expected-remark @below {{reduction + 1 elementwise}}
  // expected-remark @below {{the reader is not elementwise over the same shape}}
  %s = linalg.generic {indexing_maps = [#id, #columns],
                       iterator_types = ["reduction", "parallel"]}
      ins(%a : tensor<?x8xf32>) outs(%i : tensor<8xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = arith.addf %p, %o : f32
    linalg.yield %r : f32
  } -> tensor<8xf32>
  return %s : tensor<8xf32>
}

// -----

// A reduction without an input, of the caller's numbers alone, is no row op but
// still a kernel.

// CHECK-LABEL: func @no_input(
func.func @no_input(%e: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: heddle.kernel {{.*}} reason "single op" {
  // expected-remark @below {{single op}}
  %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>],
                       iterator_types = ["reduction"]}
      outs(%e : tensor<4xf32>) {
  ^bb0(%o: f32):
    linalg.yield %o : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// A result of unknown size that is written to the caller's tensor has no empty
// tensor that says its sizes.

#id = affine_map<(d0, d1) -> (d0, d1)>

func.func @no_empty_tensor(%x: tensor<?x8xf32>, %e: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // expected-error @below {{expects the results of 'linalg.generic' to be written to empty tensors}}
  %y = linalg.generic {indexing_maps = [#id, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = math.exp %p : f32
    linalg.yield %r : f32
  } -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
