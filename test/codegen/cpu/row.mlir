// RUN: heddle-kernel-run %s --kernel=norm 3x5x70 70 70 3x5x70 --compare --workers=4
// RUN: heddle-kernel-run %s --kernel=norm 1x1x1 1 1 1x1x1 --compare
// RUN: heddle-kernel-run %s --kernel=norm 2x0x9 9 9 2x0x9 --compare
// RUN: heddle-kernel-run %s --kernel=norm 2x3x384 384 384 2x3x384 --compare --tier=x86-64-v3
// RUN: heddle-kernel-run %s --kernel=residual 9x100 9x100 100 100 9x100 9x100 --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=residual 9x100 9x100 100 100 9x100 9x100 --compare --tier=x86-64-v3
// RUN: heddle-kernel-run %s --kernel=half 9x100 9x100 --compare --rtol=1e-3 --atol=1e-3
// RUN: heddle-kernel-run %s --kernel=softmax 2x3x77 2x3x77 2x3x77 --compare --workers=3
// RUN: heddle-kernel-run %s --kernel=softmax 2x3x7 2x3x7 2x3x7 --compare --tier=x86-64-v3
// RUN: heddle-kernel-run %s --kernel=mean 4x133 4 --compare --workers=3
// RUN: heddle-kernel-run %s --kernel=mean 4x0 4 --compare
// RUN: heddle-kernel-run %s --kernel=mean 4x16 4 --compare --tier=x86-64-v3
// RUN: heddle-kernel-run %s --kernel=largest 70 scalar --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=any 5x41 5 --compare
// RUN: heddle-kernel-run %s --kernel=product 3x19 3 --compare
// RUN: heddle-kernel-run %s --kernel=norm 1x1x1 1 1 1x1x1 --print=kernel | FileCheck %s

#c = #heddle.layout<contiguous>
#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>

// The moments in one pass over vectors.

// CHECK-LABEL: func @norm
// CHECK:       vector.load
// CHECK:       vector.reduction <add>
// CHECK:       vector.reduction <add>
// CHECK:       vector.store
heddle.kernel_def @norm outputs 1 schedule <"row", {}> layouts [#c, #c, #c, #c] {
^bb0(%x: tensor<?x?x?xf32>, %g: tensor<?xf32>, %b: tensor<?xf32>, %e: tensor<?x?x?xf32>):
  %y = heddle.layer_norm ins(%x : tensor<?x?x?xf32>) scale(%g : tensor<?xf32>)
      bias(%b : tensor<?xf32>) epsilon 1.0e-5 outs(%e : tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  heddle.yield %y : tensor<?x?x?xf32>
}

// The sum before it is an output too, and something follows.
heddle.kernel_def @residual outputs 2 schedule <"row", {}> layouts [#c, #c, #c, #c, #c, #c] {
^bb0(%x: tensor<?x100xf32>, %r: tensor<?x100xf32>, %g: tensor<100xf32>, %s: tensor<100xf32>,
     %e: tensor<?x100xf32>, %f: tensor<?x100xf32>):
  %a = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %r : tensor<?x100xf32>, tensor<?x100xf32>) outs(%e : tensor<?x100xf32>) {
  ^bb1(%p: f32, %q: f32, %o: f32):
    %t = arith.addf %p, %q : f32
    linalg.yield %t : f32
  } -> tensor<?x100xf32>
  %y = heddle.layer_norm ins(%a : tensor<?x100xf32>) scale(%g : tensor<100xf32>)
      epsilon 1.0e-12 outs(%f : tensor<?x100xf32>) -> tensor<?x100xf32>
  %z = linalg.generic {indexing_maps = [#id, affine_map<(i, j) -> (j)>, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%y, %s : tensor<?x100xf32>, tensor<100xf32>) outs(%f : tensor<?x100xf32>) {
  ^bb1(%p: f32, %q: f32, %o: f32):
    %t = arith.mulf %p, %q : f32
    linalg.yield %t : f32
  } -> tensor<?x100xf32>
  heddle.yield %a, %z : tensor<?x100xf32>, tensor<?x100xf32>
}

heddle.kernel_def @half outputs 1 schedule <"row", {}> layouts [#c, #c] {
^bb0(%x: tensor<?x100xf16>, %e: tensor<?x100xf16>):
  %y = heddle.layer_norm ins(%x : tensor<?x100xf16>) epsilon 1.0e-5
      outs(%e : tensor<?x100xf16>) -> tensor<?x100xf16>
  heddle.yield %y : tensor<?x100xf16>
}

#id3 = affine_map<(i, j, k) -> (i, j, k)>
heddle.kernel_def @softmax outputs 1 schedule <"row", {}> layouts [#c, #c, #c] {
^bb0(%x: tensor<?x?x?xf32>, %m: tensor<?x?x?xi1>, %e: tensor<?x?x?xf32>):
  %low = arith.constant -3.4028235e+38 : f32
  %a = linalg.generic {indexing_maps = [#id3, #id3, #id3],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %m : tensor<?x?x?xf32>, tensor<?x?x?xi1>) outs(%e : tensor<?x?x?xf32>) {
  ^bb1(%p: f32, %q: i1, %o: f32):
    %t = arith.select %q, %p, %low : f32
    linalg.yield %t : f32
  } -> tensor<?x?x?xf32>
  %y = linalg.softmax dimension(2) ins(%a : tensor<?x?x?xf32>) outs(%e : tensor<?x?x?xf32>)
      -> tensor<?x?x?xf32>
  heddle.yield %y : tensor<?x?x?xf32>
}

// A sum of squares, divided by a size.
heddle.kernel_def @mean outputs 1 schedule <"row", {}> layouts [#c, #c] {
^bb0(%x: tensor<4x?xf32>, %e: tensor<4xf32>):
  %one = arith.constant 1 : index
  %n = tensor.dim %x, %one : tensor<4x?xf32>
  %i = arith.index_cast %n : index to i64
  %f = arith.sitofp %i : i64 to f32
  %zero = arith.constant 0.0 : f32
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %s = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x?xf32>) outs(%z : tensor<4xf32>) {
  ^bb1(%p: f32, %o: f32):
    %q = arith.mulf %p, %p : f32
    %t = arith.addf %q, %o : f32
    linalg.yield %t : f32
  } -> tensor<4xf32>
  %m = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
                       iterator_types = ["parallel"]}
      ins(%s : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb1(%p: f32, %o: f32):
    %t = arith.divf %p, %f : f32
    linalg.yield %t : f32
  } -> tensor<4xf32>
  heddle.yield %m : tensor<4xf32>
}

heddle.kernel_def @largest outputs 1 schedule <"row", {}> layouts [#c, #c] {
^bb0(%x: tensor<?xi64>, %e: tensor<i64>):
  %low = arith.constant -9223372036854775808 : i64
  %z = linalg.fill ins(%low : i64) outs(%e : tensor<i64>) -> tensor<i64>
  %s = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>],
                       iterator_types = ["reduction"]}
      ins(%x : tensor<?xi64>) outs(%z : tensor<i64>) {
  ^bb1(%p: i64, %o: i64):
    %t = arith.maxsi %o, %p : i64
    linalg.yield %t : i64
  } -> tensor<i64>
  heddle.yield %s : tensor<i64>
}

heddle.kernel_def @any outputs 1 schedule <"row", {}> layouts [#c, #c] {
^bb0(%x: tensor<?x?xi1>, %e: tensor<?xi1>):
  %false = arith.constant false
  %z = linalg.fill ins(%false : i1) outs(%e : tensor<?xi1>) -> tensor<?xi1>
  %s = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x?xi1>) outs(%z : tensor<?xi1>) {
  ^bb1(%p: i1, %o: i1):
    %t = arith.ori %o, %p : i1
    linalg.yield %t : i1
  } -> tensor<?xi1>
  heddle.yield %s : tensor<?xi1>
}

heddle.kernel_def @product outputs 1 schedule <"row", {}> layouts [#c, #c] {
^bb0(%x: tensor<?x?xf32>, %e: tensor<?xf32>):
  %one = arith.constant 1.0 : f32
  %z = linalg.fill ins(%one : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %s = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x?xf32>) outs(%z : tensor<?xf32>) {
  ^bb1(%p: f32, %o: f32):
    %t = arith.mulf %o, %p : f32
    linalg.yield %t : f32
  } -> tensor<?xf32>
  heddle.yield %s : tensor<?xf32>
}
