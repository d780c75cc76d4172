// RUN: heddle-kernel-run %s --kernel=add_bias 7x37 37 7x37 --workers=3 --compare
// RUN: heddle-kernel-run %s --kernel=add_bias 7x37:strides=40,1 37:strides=0 7x37:strides=100,2 --workers=2 --compare
// RUN: heddle-kernel-run %s --kernel=add_bias 0x37 37 0x37 --compare
// RUN: heddle-kernel-run %s --kernel=add_bias 5x37:strides=37,1 37:strides=1 5x37:strides=1,5 --compare --tier=x86-64-v3
// RUN: heddle-kernel-run %s --kernel=chain 3x5x8 3x5x8 --workers=4 --compare
// RUN: heddle-kernel-run %s --kernel=chain 3x5x8:strides=1,3,15 3x5x8 --compare
// RUN: heddle-kernel-run %s --kernel=chain 33x5x80:strides=800,160,2 33x5x80 --compare --tier=x86-64-v3
// RUN: heddle-kernel-run %s --kernel=mask 4x33 4x33 4x33 4x33 --compare
// RUN: heddle-kernel-run %s --kernel=mask 4x33:strides=66,2 4x33:strides=1,4 4x33:strides=33,1 4x33:strides=99,3 --workers=2 --compare
// RUN: heddle-kernel-run %s --kernel=mask 4x33 4x33 4x33 4x33 --compare --tier=x86-64-v3
// RUN: heddle-kernel-run %s --kernel=transpose 19x35 35x19 --compare
// RUN: heddle-kernel-run %s --kernel=gather 10x40 5:zeros 5x40 --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=gather 10x40 5 5x40 | FileCheck %s --check-prefix=FAULT
// RUN: heddle-kernel-run %s --kernel=pick 100 3x21 3x21 --compare
// RUN: heddle-kernel-run %s --kernel=pick 100:strides=3 3x21 3x21 --compare --tier=x86-64-v3
// RUN: heddle-kernel-run %s --kernel=casts 50 50 50 50 50 50 50 --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=casts 50 50 50 50 50 50 50 --compare --tier=x86-64-v3
// RUN: heddle-kernel-run %s --kernel=divide 29 29 --compare
// RUN: heddle-kernel-run %s --kernel=scalar scalar scalar --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=range 3 40 --compare
// RUN: heddle-kernel-run %s --kernel=chain 1 1 --print=kernel | FileCheck %s --check-prefix=KERNEL
// RUN: heddle-kernel-run %s --kernel=gather 1 1 --print=kernel | FileCheck %s --check-prefix=GATHER

#strided = #heddle.layout<strided>
#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (j)>

// A vector along the last axis.
heddle.kernel_def @add_bias outputs 1 schedule <"elementwise", {}>
    layouts [#strided, #strided, #strided] {
^bb0(%x: tensor<?x?xf32>, %y: tensor<?xf32>, %e: tensor<?x?xf32>):
  %r = linalg.generic {indexing_maps = [#id, #row, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x, %y : tensor<?x?xf32>, tensor<?xf32>) outs(%e : tensor<?x?xf32>) {
  ^bb1(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x?xf32>
  heddle.yield %r : tensor<?x?xf32>
}

// Several functions in one body; without calls, in one loop over all elements
// where memory allows it.

// KERNEL-LABEL: func @chain
// KERNEL:       scf.if
// KERNEL:       vector.load {{.*}}memref<{{[0-9]+}}xf32
// KERNEL-NOT:   math.{{exp|erf|tanh|log}}
#id3 = affine_map<(i, j, k) -> (i, j, k)>
heddle.kernel_def @chain outputs 1 schedule <"elementwise", {}>
    layouts [#strided, #strided] {
^bb0(%x: tensor<?x?x?xf32>, %e: tensor<?x?x?xf32>):
  %r = linalg.generic {indexing_maps = [#id3, #id3],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<?x?x?xf32>) outs(%e : tensor<?x?x?xf32>) {
  ^bb1(%a: f32, %o: f32):
    %one = arith.constant 1.5 : f32
    %g = heddle.gelu %a approximate none : f32
    %h = heddle.gelu %g approximate tanh : f32
    %t = math.tanh %h : f32
    %p = math.exp %t : f32
    %q = arith.addf %p, %one : f32
    %l = math.log %q : f32
    %f = math.erf %l : f32
    %s = math.sqrt %f : f32
    %i = math.rsqrt %q : f32
    %w = math.powf %q, %i : f32
    %z = arith.mulf %s, %w : f32
    linalg.yield %z : f32
  } -> tensor<?x?x?xf32>
  heddle.yield %r : tensor<?x?x?xf32>
}

// Booleans are bytes in memory, read and written.
heddle.kernel_def @mask outputs 2 schedule <"elementwise", {}>
    layouts [#strided, #strided, #strided, #strided] {
^bb0(%m: tensor<?x?xi1>, %x: tensor<?x?xf32>, %e: tensor<?x?xf32>, %n: tensor<?x?xi1>):
  %r:2 = linalg.generic {indexing_maps = [#id, #id, #id, #id],
                         iterator_types = ["parallel", "parallel"]}
      ins(%m, %x : tensor<?x?xi1>, tensor<?x?xf32>)
      outs(%e, %n : tensor<?x?xf32>, tensor<?x?xi1>) {
  ^bb1(%c: i1, %a: f32, %o: f32, %p: i1):
    %low = arith.constant -3.4028235e+38 : f32
    %zero = arith.constant 0.0 : f32
    %s = arith.select %c, %a, %low : f32
    %g = arith.cmpf ogt, %a, %zero : f32
    %b = arith.andi %g, %c : i1
    linalg.yield %s, %b : f32, i1
  } -> (tensor<?x?xf32>, tensor<?x?xi1>)
  heddle.yield %r#0, %r#1 : tensor<?x?xf32>, tensor<?x?xi1>
}

// Read across the rows.
heddle.kernel_def @transpose outputs 1 schedule <"elementwise", {}>
    layouts [#strided, #strided] {
^bb0(%x: tensor<?x?xf32>, %e: tensor<?x?xf32>):
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (j, i)>, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x?xf32>) outs(%e : tensor<?x?xf32>) {
  ^bb1(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<?x?xf32>
  heddle.yield %r : tensor<?x?xf32>
}

// Whole rows of a table, by an index from data: vector loads in a row. An index
// of 10 or more is a fault.

// FAULT: fault 0, detail
// GATHER-LABEL: func @gather
// GATHER:       call @heddle_report_fault
// GATHER:       vector.load
heddle.kernel_def @gather outputs 1 schedule <"elementwise", {}>
    layouts [#strided, #strided, #strided] {
^bb0(%t: tensor<10x?xf32>, %x: tensor<?xi64>, %e: tensor<?x?xf32>):
  %c = arith.constant 10 : index
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i)>, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?xi64>) outs(%e : tensor<?x?xf32>) {
  ^bb1(%n: i64, %o: f32):
    %i = heddle.checked_index %n of %c text "node 'Gather_0'" : i64
    %j = linalg.index 1 : index
    %a = tensor.extract %t[%i, %j] : tensor<10x?xf32>
    linalg.yield %a : f32
  } -> tensor<?x?xf32>
  heddle.yield %r : tensor<?x?xf32>
}

// A different element in every lane.
heddle.kernel_def @pick outputs 1 schedule <"elementwise", {}>
    layouts [#strided, #strided, #strided] {
^bb0(%t: tensor<100xf32>, %x: tensor<?x?xi64>, %e: tensor<?x?xf32>):
  %c = arith.constant 100 : index
  %r = linalg.generic {indexing_maps = [#id, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x?xi64>) outs(%e : tensor<?x?xf32>) {
  ^bb1(%n: i64, %o: f32):
    %i = heddle.checked_index %n of %c text "node 'Gather_1'" : i64
    %a = tensor.extract %t[%i] : tensor<100xf32>
    linalg.yield %a : f32
  } -> tensor<?x?xf32>
  heddle.yield %r : tensor<?x?xf32>
}

// Every element type.
#one = affine_map<(i) -> (i)>
heddle.kernel_def @casts outputs 5 schedule <"elementwise", {}>
    layouts [#strided, #strided, #strided, #strided, #strided, #strided, #strided] {
^bb0(%x: tensor<?xf32>, %y: tensor<?xi64>, %h: tensor<?xf16>, %b: tensor<?xbf16>,
     %d: tensor<?xf64>, %i: tensor<?xi32>, %s: tensor<?xi8>):
  %r:5 = linalg.generic {indexing_maps = [#one, #one, #one, #one, #one, #one, #one],
                         iterator_types = ["parallel"]}
      ins(%x, %y : tensor<?xf32>, tensor<?xi64>)
      outs(%h, %b, %d, %i, %s : tensor<?xf16>, tensor<?xbf16>, tensor<?xf64>, tensor<?xi32>, tensor<?xi8>) {
  ^bb1(%a: f32, %n: i64, %o0: f16, %o1: bf16, %o2: f64, %o3: i32, %o4: i8):
    %k = arith.sitofp %n : i64 to f32
    %p = arith.mulf %a, %k : f32
    %v0 = arith.truncf %p : f32 to f16
    %v1 = arith.truncf %p : f32 to bf16
    %e0 = math.exp %v0 : f16
    %v2 = arith.extf %p : f32 to f64
    %v3 = arith.fptosi %p : f32 to i32
    %v4 = arith.trunci %v3 : i32 to i8
    linalg.yield %e0, %v1, %v2, %v3, %v4 : f16, bf16, f64, i32, i8
  } -> (tensor<?xf16>, tensor<?xbf16>, tensor<?xf64>, tensor<?xi32>, tensor<?xi8>)
  heddle.yield %r#0, %r#1, %r#2, %r#3, %r#4
      : tensor<?xf16>, tensor<?xbf16>, tensor<?xf64>, tensor<?xi32>, tensor<?xi8>
}

// Lanes behind the end do not divide.
heddle.kernel_def @divide outputs 1 schedule <"elementwise", {}>
    layouts [#strided, #strided] {
^bb0(%x: tensor<?xi32>, %e: tensor<?xi32>):
  %r = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]}
      ins(%x : tensor<?xi32>) outs(%e : tensor<?xi32>) {
  ^bb1(%a: i32, %o: i32):
    %c = arith.constant 1000 : i32
    %one = arith.constant 1 : i32
    %two = arith.constant 2 : i32
    %m = arith.muli %a, %two : i32
    %p = arith.ori %m, %one : i32
    %q = arith.subi %p, %one : i32
    %n = arith.maxsi %q, %one : i32
    %d = arith.divsi %c, %n : i32
    linalg.yield %d : i32
  } -> tensor<?xi32>
  heddle.yield %r : tensor<?xi32>
}

// Rank 0.
#none = affine_map<() -> ()>
heddle.kernel_def @scalar outputs 1 schedule <"elementwise", {}>
    layouts [#strided, #strided] {
^bb0(%x: tensor<f32>, %e: tensor<f32>):
  %r = linalg.generic {indexing_maps = [#none, #none], iterator_types = []}
      ins(%x : tensor<f32>) outs(%e : tensor<f32>) {
  ^bb1(%a: f32, %o: f32):
    %s = math.exp %a : f32
    linalg.yield %s : f32
  } -> tensor<f32>
  heddle.yield %r : tensor<f32>
}

// Nothing but indices, and a scalar from outside the loop.
heddle.kernel_def @range outputs 1 schedule <"elementwise", {}>
    layouts [#strided, #strided] {
^bb0(%n: index, %e: tensor<?xi64>):
  %r = linalg.generic {indexing_maps = [#one], iterator_types = ["parallel"]}
      outs(%e : tensor<?xi64>) {
  ^bb1(%o: i64):
    %i = linalg.index 0 : index
    %s = arith.addi %i, %n : index
    %v = arith.index_cast %s : index to i64
    linalg.yield %v : i64
  } -> tensor<?xi64>
  heddle.yield %r : tensor<?xi64>
}
