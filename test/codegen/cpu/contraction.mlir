// RUN: heddle-kernel-run %s --kernel=panels 17x40 2x40x48 70 17x70 --compare --workers=3
// RUN: heddle-kernel-run %s --kernel=panels 1x40 2x40x48 70 1x70 --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=panels 0x40 2x40x48 70 0x70 --compare
// RUN: heddle-kernel-run %s --kernel=panels 100x40 2x40x48 70 100x70 --compare --workers=16
// RUN: heddle-kernel-run %s --kernel=narrow 9x33 3x33x24 50 9x50 --compare --workers=2 --tier=x86-64-v3
// RUN: heddle-kernel-run %s --kernel=narrow 9x33 3x33x24 50 9x50 --compare --workers=3 | FileCheck %s --check-prefix=FITS
// RUN: heddle-kernel-run %s --kernel=epilogue 2x7x64 1x64x48 48 2x7x48 7x48 48 2x7x48 2x7x48 --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=inner 19x300 300x70 19x70 --compare --workers=3
// RUN: heddle-kernel-run %s --kernel=inner 130x9 9x5 130x5 --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=inner 130x0 0x5 130x5 --compare
// RUN: heddle-kernel-run %s --kernel=inner 70x140 140x49 70x49 --compare --tier=x86-64-v3
// RUN: heddle-kernel-run %s --kernel=batched 2x3x17x20 2x3x33x20 2x3x17x33 --compare --workers=4
// RUN: heddle-kernel-run %s --kernel=batched 1x1x65x20 1x1x3x20 1x1x65x3 --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=panels 1x40 2x40x48 70 1x70 --tier=x86-64-v4 --print=asm | %python %S/Inputs/check_loops.py 48
// RUN: heddle-kernel-run %s --kernel=narrow 1x33 3x33x24 50 1x50 --tier=x86-64-v3 --print=asm | %python %S/Inputs/check_loops.py 12

#c = #heddle.layout<contiguous>

// Weights in panels, the last of which is padded. In the loops over the
// contracted axis no sum leaves the registers.

// FITS: output 0
heddle.kernel_def @panels outputs 1
    schedule <"contraction", {mr = 8 : i64, nr = 48 : i64, panel = 48 : i64}>
    layouts [#c, #c, #c, #c] {
^bb0(%x: tensor<?x40xf32>, %w: tensor<2x40x48xf32>, %v: tensor<70xf32>, %e: tensor<?x70xf32>):
  %y = heddle.contraction ins(%x, %w : tensor<?x40xf32>, tensor<2x40x48xf32>)
      bias(%v : tensor<70xf32>) panel 48 outs(%e : tensor<?x70xf32>) -> tensor<?x70xf32>
  heddle.yield %y : tensor<?x70xf32>
}

// The tile of AVX2; panels of 24 are one and a half vectors of AVX-512.
heddle.kernel_def @narrow outputs 1
    schedule <"contraction", {mr = 4 : i64, nr = 24 : i64, panel = 24 : i64}>
    layouts [#c, #c, #c, #c] {
^bb0(%x: tensor<?x33xf32>, %w: tensor<3x33x24xf32>, %v: tensor<50xf32>, %e: tensor<?x50xf32>):
  %y = heddle.contraction ins(%x, %w : tensor<?x33xf32>, tensor<3x33x24xf32>)
      bias(%v : tensor<50xf32>) panel 24 outs(%e : tensor<?x50xf32>) -> tensor<?x50xf32>
  heddle.yield %y : tensor<?x50xf32>
}

// Two outputs, and operands with every kind of broadcast.
#id = affine_map<(i, j, k) -> (i, j, k)>
heddle.kernel_def @epilogue outputs 2
    schedule <"contraction", {mr = 8 : i64, nr = 48 : i64, panel = 48 : i64}>
    layouts [#c, #c, #c, #c, #c, #c, #c, #c] {
^bb0(%x: tensor<?x?x64xf32>, %w: tensor<1x64x48xf32>, %v: tensor<48xf32>,
     %r: tensor<?x?x48xf32>, %p: tensor<?x48xf32>, %s: tensor<48xf32>,
     %e: tensor<?x?x48xf32>, %f: tensor<?x?x48xf32>):
  %y = heddle.contraction ins(%x, %w : tensor<?x?x64xf32>, tensor<1x64x48xf32>)
      bias(%v : tensor<48xf32>) panel 48 outs(%e : tensor<?x?x48xf32>) -> tensor<?x?x48xf32>
  %g = linalg.generic {indexing_maps = [#id, #id],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%y : tensor<?x?x48xf32>) outs(%e : tensor<?x?x48xf32>) {
  ^bb1(%a: f32, %o: f32):
    %b = heddle.gelu %a approximate none : f32
    linalg.yield %b : f32
  } -> tensor<?x?x48xf32>
  %h = linalg.generic {indexing_maps = [#id, #id, affine_map<(i, j, k) -> (j, k)>,
                                        affine_map<(i, j, k) -> (k)>, #id],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%g, %r, %p, %s : tensor<?x?x48xf32>, tensor<?x?x48xf32>, tensor<?x48xf32>, tensor<48xf32>)
      outs(%f : tensor<?x?x48xf32>) {
  ^bb1(%a: f32, %b: f32, %c: f32, %d: f32, %o: f32):
    %0 = arith.addf %a, %b : f32
    %1 = arith.addf %0, %c : f32
    %2 = arith.mulf %1, %d : f32
    linalg.yield %2 : f32
  } -> tensor<?x?x48xf32>
  heddle.yield %g, %h : tensor<?x?x48xf32>, tensor<?x?x48xf32>
}

// Two activations.
heddle.kernel_def @inner outputs 1 schedule <"contraction", {mr = 8 : i64, nr = 48 : i64}>
    layouts [#c, #c, #c] {
^bb0(%x: tensor<?x?xf32>, %w: tensor<?x?xf32>, %e: tensor<?x?xf32>):
  %y = heddle.contraction ins(%x, %w : tensor<?x?xf32>, tensor<?x?xf32>)
      outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
  heddle.yield %y : tensor<?x?xf32>
}

// A batch of transposed matrices, and the scaling of the products.
#id4 = affine_map<(b, h, i, j) -> (b, h, i, j)>
heddle.kernel_def @batched outputs 1 schedule <"contraction", {mr = 8 : i64, nr = 48 : i64}>
    layouts [#c, #c, #c] {
^bb0(%x: tensor<?x?x?x20xf32>, %w: tensor<?x?x?x20xf32>, %e: tensor<?x?x?x?xf32>):
  %y = heddle.contraction ins(%x, %w : tensor<?x?x?x20xf32>, tensor<?x?x?x20xf32>)
      transpose_rhs outs(%e : tensor<?x?x?x?xf32>) -> tensor<?x?x?x?xf32>
  %z = linalg.generic {indexing_maps = [#id4, #id4],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%y : tensor<?x?x?x?xf32>) outs(%e : tensor<?x?x?x?xf32>) {
  ^bb1(%a: f32, %o: f32):
    %c = arith.constant 0.25 : f32
    %s = arith.mulf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<?x?x?x?xf32>
  heddle.yield %z : tensor<?x?x?x?xf32>
}
