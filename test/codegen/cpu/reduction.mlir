// RUN: heddle-kernel-run %s --kernel=middle 2x9x70 2x9x1 2x70 --compare --workers=3
// RUN: heddle-kernel-run %s --kernel=middle 1x128x384 1x128x1 1x384 --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=middle 1x128x384 1x128x1 1x384 --compare --tier=x86-64-v3
// RUN: heddle-kernel-run %s --kernel=middle 2x0x70 2x0x1 2x70 --compare
// RUN: heddle-kernel-run %s --kernel=middle 0x5x7 0x5x1 0x7 --compare
// RUN: heddle-kernel-run %s --kernel=first 5x33 33 --compare --workers=4
// RUN: heddle-kernel-run %s --kernel=first 1x1 1 --compare
// RUN: heddle-kernel-run %s --kernel=outer 3x4x5x17 4x17 --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=tail 3x4x5x17 3x4 --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=tail 3x4x0x17 3x4 --compare
// RUN: heddle-kernel-run %s --kernel=mixed 3x4x5x17 4 --compare --workers=3
// RUN: heddle-kernel-run %s --kernel=mixed 3x4x5x16 4 --compare --tier=x86-64-v3
// RUN: heddle-kernel-run %s --kernel=all 3x70 scalar --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=count 7x19 19 --compare
// RUN: heddle-kernel-run %s --kernel=middle 1x1x1 1x1x1 1x1 --print=kernel | FileCheck %s

#c = #heddle.layout<contiguous>
#id2 = affine_map<(i, j) -> (i, j)>
#id3 = affine_map<(i, j, k) -> (i, j, k)>
#id4 = affine_map<(i, j, k, l) -> (i, j, k, l)>

// A masked sum over the middle axis, then its square root: what comes before is
// computed where it is summed, and what comes after where the sum is stored. Four
// vectors are walked at once.

// CHECK-LABEL: func @middle
// CHECK:       heddle.family = "reduction"
// CHECK:       scf.for {{.*}} iter_args({{.*}}, {{.*}}, {{.*}}, {{.*}})
// CHECK-COUNT-4: arith.addf
// CHECK-COUNT-4: math.sqrt
heddle.kernel_def @middle outputs 1 schedule <"reduction", {}> layouts [#c, #c, #c] {
^bb0(%x: tensor<?x?x?xf32>, %m: tensor<?x?x1xf32>, %e: tensor<?x?xf32>):
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %d0 = tensor.dim %x, %c0 : tensor<?x?x?xf32>
  %d1 = tensor.dim %x, %c1 : tensor<?x?x?xf32>
  %d2 = tensor.dim %x, %c2 : tensor<?x?x?xf32>
  %f = tensor.empty(%d0, %d1, %d2) : tensor<?x?x?xf32>
  %a = linalg.generic {indexing_maps = [#id3, affine_map<(i, j, k) -> (i, j, 0)>, #id3],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %m : tensor<?x?x?xf32>, tensor<?x?x1xf32>) outs(%f : tensor<?x?x?xf32>) {
  ^bb1(%p: f32, %q: f32, %o: f32):
    %square = arith.mulf %p, %p : f32
    %t = arith.mulf %square, %q : f32
    linalg.yield %t : f32
  } -> tensor<?x?x?xf32>
  %zero = arith.constant 0.0 : f32
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
  %s = linalg.generic {indexing_maps = [#id3, affine_map<(i, j, k) -> (i, k)>],
                       iterator_types = ["parallel", "reduction", "parallel"]}
      ins(%a : tensor<?x?x?xf32>) outs(%z : tensor<?x?xf32>) {
  ^bb1(%p: f32, %o: f32):
    %t = arith.addf %p, %o : f32
    linalg.yield %t : f32
  } -> tensor<?x?xf32>
  %r = linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%s : tensor<?x?xf32>) outs(%e : tensor<?x?xf32>) {
  ^bb1(%p: f32, %o: f32):
    %abs = math.absf %p : f32
    %t = math.sqrt %abs : f32
    linalg.yield %t : f32
  } -> tensor<?x?xf32>
  heddle.yield %r : tensor<?x?xf32>
}

// The init takes part, and there is no row beside the columns.
heddle.kernel_def @first outputs 1 schedule <"reduction", {}> layouts [#c, #c] {
^bb0(%x: tensor<?x?xf32>, %e: tensor<?xf32>):
  %low = arith.constant 0.5 : f32
  %z = linalg.fill ins(%low : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %s = linalg.generic {indexing_maps = [#id2, affine_map<(i, j) -> (j)>],
                       iterator_types = ["reduction", "parallel"]}
      ins(%x : tensor<?x?xf32>) outs(%z : tensor<?xf32>) {
  ^bb1(%p: f32, %o: f32):
    %t = arith.maximumf %p, %o : f32
    linalg.yield %t : f32
  } -> tensor<?xf32>
  heddle.yield %s : tensor<?xf32>
}

// Two axes that are not beside each other; the last stays.
heddle.kernel_def @outer outputs 1 schedule <"reduction", {}> layouts [#c, #c] {
^bb0(%x: tensor<?x?x?x?xf32>, %e: tensor<?x?xf32>):
  %zero = arith.constant 0.0 : f32
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
  %s = linalg.generic {indexing_maps = [#id4, affine_map<(i, j, k, l) -> (j, l)>],
                       iterator_types = ["reduction", "parallel", "reduction", "parallel"]}
      ins(%x : tensor<?x?x?x?xf32>) outs(%z : tensor<?x?xf32>) {
  ^bb1(%p: f32, %o: f32):
    %t = arith.addf %p, %o : f32
    linalg.yield %t : f32
  } -> tensor<?x?xf32>
  heddle.yield %s : tensor<?x?xf32>
}

// The last two axes.
heddle.kernel_def @tail outputs 1 schedule <"reduction", {}> layouts [#c, #c] {
^bb0(%x: tensor<?x?x?x?xf32>, %e: tensor<?x?xf32>):
  %zero = arith.constant 0.0 : f32
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
  %s = linalg.generic {indexing_maps = [#id4, affine_map<(i, j, k, l) -> (i, j)>],
                       iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x : tensor<?x?x?x?xf32>) outs(%z : tensor<?x?xf32>) {
  ^bb1(%p: f32, %o: f32):
    %t = arith.addf %o, %p : f32
    linalg.yield %t : f32
  } -> tensor<?x?xf32>
  heddle.yield %s : tensor<?x?xf32>
}

// The last axis and others around one that stays.
heddle.kernel_def @mixed outputs 1 schedule <"reduction", {}> layouts [#c, #c] {
^bb0(%x: tensor<?x?x?x?xf32>, %e: tensor<?xf32>):
  %zero = arith.constant 0.0 : f32
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %s = linalg.generic {indexing_maps = [#id4, affine_map<(i, j, k, l) -> (j)>],
                       iterator_types = ["reduction", "parallel", "reduction", "reduction"]}
      ins(%x : tensor<?x?x?x?xf32>) outs(%z : tensor<?xf32>) {
  ^bb1(%p: f32, %o: f32):
    %square = arith.mulf %p, %p : f32
    %t = arith.addf %square, %o : f32
    linalg.yield %t : f32
  } -> tensor<?xf32>
  heddle.yield %s : tensor<?xf32>
}

// Nothing stays.
heddle.kernel_def @all outputs 1 schedule <"reduction", {}> layouts [#c, #c] {
^bb0(%x: tensor<?x?xf32>, %e: tensor<f32>):
  %zero = arith.constant 0.0 : f32
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<f32>) -> tensor<f32>
  %s = linalg.generic {indexing_maps = [#id2, affine_map<(i, j) -> ()>],
                       iterator_types = ["reduction", "reduction"]}
      ins(%x : tensor<?x?xf32>) outs(%z : tensor<f32>) {
  ^bb1(%p: f32, %o: f32):
    %t = arith.addf %p, %o : f32
    linalg.yield %t : f32
  } -> tensor<f32>
  heddle.yield %s : tensor<f32>
}

// Integers.
heddle.kernel_def @count outputs 1 schedule <"reduction", {}> layouts [#c, #c] {
^bb0(%x: tensor<?x?xi64>, %e: tensor<?xi64>):
  %zero = arith.constant 0 : i64
  %z = linalg.fill ins(%zero : i64) outs(%e : tensor<?xi64>) -> tensor<?xi64>
  %s = linalg.generic {indexing_maps = [#id2, affine_map<(i, j) -> (j)>],
                       iterator_types = ["reduction", "parallel"]}
      ins(%x : tensor<?x?xi64>) outs(%z : tensor<?xi64>) {
  ^bb1(%p: i64, %o: i64):
    %t = arith.addi %p, %o : i64
    linalg.yield %t : i64
  } -> tensor<?xi64>
  heddle.yield %s : tensor<?xi64>
}
