// RUN: heddle-kernel-run %s --kernel=plain 2x3x40x32 2x3x150x32 2x3x150x32 2x3x40x32 --compare --workers=3
// RUN: heddle-kernel-run %s --kernel=plain 1x3x1x32 1x3x5x32 1x3x5x32 1x3x1x32 --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=plain 1x3x7x32 1x3x129x32 1x3x129x32 1x3x7x32 --compare --tier=x86-64-v3
// RUN: heddle-kernel-run %s --kernel=plain 1x3x7x32 1x3x0x32 1x3x0x32 1x3x7x32 --compare
// RUN: heddle-kernel-run %s --kernel=plain 2x3x0x32 2x3x5x32 2x3x5x32 2x3x0x32 --compare
// RUN: heddle-kernel-run %s --kernel=plain 2x3x9x32:strides=864,32,96,1 2x3x9x32:strides=864,32,96,1 2x3x9x32:strides=1000,320,33,1 2x3x9x32:strides=864,32,96,1 --compare
// RUN: heddle-kernel-run %s --kernel=odd 1x4x35x20 1x2x21x20 1x2x21x7 1x1x1x21 1x4x35x7 --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=odd 1x4x35x20 1x2x21x20 1x2x21x7 1x1x1x21:strides=0,0,0,3 1x4x35x7 --compare --tier=x86-64-v3
// RUN: heddle-kernel-run %s --kernel=grown 2x4x35x8 2x2x150x8 2x2x150x8 115 2x4x35x8 --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=grown --compare -- 2x4x35x8 2x2x15x8 2x2x15x8 -20 2x4x35x8
// RUN: heddle-kernel-run %s --kernel=causal 1x2x70x16 1x2x70x16 1x2x70x16 1x2x70x16 --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=causal 1x2x70x16 1x2x70x16 1x2x70x16 1x2x70x16 --compare --tier=x86-64-v3
// RUN: heddle-kernel-run %s --kernel=bools 2x2x35x8 2x2x3x8 2x2x3x8 2x1x35x3 2x2x35x8 --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=bools 2x2x35x8 2x2x3x8 2x2x3x8 2x1x35x3:zeros 2x2x35x8 --compare
// RUN: heddle-kernel-run %s --kernel=bools_nan 2x2x35x8 2x2x3x8 2x2x3x8 2x1x35x3:zeros 2x2x35x8 --compare
// RUN: heddle-kernel-run %s --kernel=lowest 1x2x35x8 1x2x40x8 1x2x40x8 1x1x35x40:zeros 1x2x35x8 --compare
// One query has a kernel of its own: whole and partial blocks of keys, features that
// fill no vector, no keys, strides, grouped heads, cap and masks, rows that see nothing.

// RUN: heddle-kernel-run %s --kernel=plain 2x3x1x32 2x3x150x32 2x3x150x32 2x3x1x32 --compare --workers=3
// RUN: heddle-kernel-run %s --kernel=plain 2x3x1x32 2x3x128x32 2x3x128x32 2x3x1x32 --compare --tier=x86-64-v3
// RUN: heddle-kernel-run %s --kernel=plain 1x3x1x32 1x3x0x32 1x3x0x32 1x3x1x32 --compare
// RUN: heddle-kernel-run %s --kernel=plain 2x3x1x32 2x3x9x32:strides=864,32,96,1 2x3x9x32:strides=1000,320,33,1 2x3x1x32:strides=864,32,96,1 --compare
// RUN: heddle-kernel-run %s --kernel=odd 1x4x1x20 1x2x21x20 1x2x21x7 1x1x1x21 1x4x1x7 --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=odd 1x4x1x20 1x2x301x20 1x2x301x7 1x1x1x301:strides=0,0,0,3 1x4x1x7 --compare --tier=x86-64-v3
// RUN: heddle-kernel-run %s --kernel=grown 2x4x1x8 2x2x150x8 2x2x150x8 115 2x4x1x8 --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=grown --compare -- 2x4x1x8 2x2x15x8 2x2x15x8 -20 2x4x1x8
// RUN: heddle-kernel-run %s --kernel=causal 1x2x1x16 1x2x70x16 1x2x70x16 1x2x1x16 --compare
// RUN: heddle-kernel-run %s --kernel=bools 2x2x1x8 2x2x3x8 2x2x3x8 2x1x1x3 2x2x1x8 --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=bools 2x2x1x8 2x2x3x8 2x2x3x8 2x1x1x3:zeros 2x2x1x8 --compare
// RUN: heddle-kernel-run %s --kernel=bools_nan 2x2x1x8 2x2x3x8 2x2x3x8 2x1x1x3:zeros 2x2x1x8 --compare
// RUN: heddle-kernel-run %s --kernel=lowest 1x2x1x8 1x2x40x8 1x2x40x8 1x1x1x40:zeros 1x2x1x8 --compare
// RUN: heddle-kernel-run %s --kernel=wide 1x2x1x200 1x2x300x200 1x2x300x280 1x2x1x280 --compare --workers=2
// RUN: heddle-kernel-run %s --kernel=wide 1x2x1x200 1x2x300x200 1x2x300x280 1x2x1x280 --compare --tier=x86-64-v3

// RUN: heddle-kernel-run %s --kernel=plain 1x1x1x32 1x1x1x32 1x1x1x32 1x1x1x32 --print=kernel | FileCheck %s

#u = #heddle.layout<unit_inner>
#s = #heddle.layout<strided>

// Both products on vectors, and no call for the powers.

// CHECK-LABEL: func @plain
// CHECK:       vector.fma
// CHECK-NOT:   math.exp
// CHECK:       vector.fma
heddle.kernel_def @plain outputs 1 schedule <"attention", {}> layouts [#u, #u, #u, #u] {
^bb0(%q: tensor<?x3x?x32xf32>, %k: tensor<?x3x?x32xf32>, %v: tensor<?x3x?x32xf32>,
     %e: tensor<?x3x?x32xf32>):
  %o = heddle.attention query(%q : tensor<?x3x?x32xf32>) key(%k : tensor<?x3x?x32xf32>)
      value(%v : tensor<?x3x?x32xf32>) scale 0.17
      outs(%e : tensor<?x3x?x32xf32>) -> tensor<?x3x?x32xf32>
  heddle.yield %o : tensor<?x3x?x32xf32>
}

// Sizes that no vector has, two query heads to a key head, a mask that all rows
// share, and a cap.
heddle.kernel_def @odd outputs 1 schedule <"attention", {}> layouts [#u, #u, #u, #s, #u] {
^bb0(%q: tensor<?x4x?x20xf32>, %k: tensor<?x2x?x20xf32>, %v: tensor<?x2x?x7xf32>,
     %m: tensor<?x1x1x?xf32>, %e: tensor<?x4x?x7xf32>):
  %o = heddle.attention query(%q : tensor<?x4x?x20xf32>) key(%k : tensor<?x2x?x20xf32>)
      value(%v : tensor<?x2x?x7xf32>) mask(%m : tensor<?x1x1x?xf32>) scale 0.3 softcap 2.0
      outs(%e : tensor<?x4x?x7xf32>) -> tensor<?x4x?x7xf32>
  heddle.yield %o : tensor<?x4x?x7xf32>
}

// Causal with an offset: keys of earlier calls come first. With a negative one
// the first queries see nothing.
heddle.kernel_def @grown outputs 1 schedule <"attention", {}> layouts [#u, #u, #u, #s, #u] {
^bb0(%q: tensor<?x4x?x8xf32>, %k: tensor<?x2x?x8xf32>, %v: tensor<?x2x?x8xf32>,
     %n: index, %e: tensor<?x4x?x8xf32>):
  %o = heddle.attention query(%q : tensor<?x4x?x8xf32>) key(%k : tensor<?x2x?x8xf32>)
      value(%v : tensor<?x2x?x8xf32>) causal offset(%n) zero_masked_rows scale 0.35
      outs(%e : tensor<?x4x?x8xf32>) -> tensor<?x4x?x8xf32>
  heddle.yield %o : tensor<?x4x?x8xf32>
}

heddle.kernel_def @causal outputs 1 schedule <"attention", {}> layouts [#u, #u, #u, #u] {
^bb0(%q: tensor<?x2x?x16xf32>, %k: tensor<?x2x?x16xf32>, %v: tensor<?x2x?x16xf32>,
     %e: tensor<?x2x?x16xf32>):
  %o = heddle.attention query(%q : tensor<?x2x?x16xf32>) key(%k : tensor<?x2x?x16xf32>)
      value(%v : tensor<?x2x?x16xf32>) causal scale 0.25
      outs(%e : tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
  heddle.yield %o : tensor<?x2x?x16xf32>
}

// A mask of bools hides: some rows altogether, which gives zeros if asked for
// and NaN if not.
heddle.kernel_def @bools outputs 1 schedule <"attention", {}> layouts [#u, #u, #u, #s, #u] {
^bb0(%q: tensor<?x2x?x8xf32>, %k: tensor<?x2x?x8xf32>, %v: tensor<?x2x?x8xf32>,
     %m: tensor<?x1x?x?xi1>, %e: tensor<?x2x?x8xf32>):
  %o = heddle.attention query(%q : tensor<?x2x?x8xf32>) key(%k : tensor<?x2x?x8xf32>)
      value(%v : tensor<?x2x?x8xf32>) mask(%m : tensor<?x1x?x?xi1>) zero_masked_rows scale 0.35
      outs(%e : tensor<?x2x?x8xf32>) -> tensor<?x2x?x8xf32>
  heddle.yield %o : tensor<?x2x?x8xf32>
}
heddle.kernel_def @bools_nan outputs 1 schedule <"attention", {}> layouts [#u, #u, #u, #s, #u] {
^bb0(%q: tensor<?x2x?x8xf32>, %k: tensor<?x2x?x8xf32>, %v: tensor<?x2x?x8xf32>,
     %m: tensor<?x1x?x?xi1>, %e: tensor<?x2x?x8xf32>):
  %o = heddle.attention query(%q : tensor<?x2x?x8xf32>) key(%k : tensor<?x2x?x8xf32>)
      value(%v : tensor<?x2x?x8xf32>) mask(%m : tensor<?x1x?x?xi1>) scale 0.35
      outs(%e : tensor<?x2x?x8xf32>) -> tensor<?x2x?x8xf32>
  heddle.yield %o : tensor<?x2x?x8xf32>
}

// A mask of floats per query and key.
heddle.kernel_def @lowest outputs 1 schedule <"attention", {}> layouts [#u, #u, #u, #s, #u] {
^bb0(%q: tensor<?x2x?x8xf32>, %k: tensor<?x2x?x8xf32>, %v: tensor<?x2x?x8xf32>,
     %m: tensor<?x1x?x?xf32>, %e: tensor<?x2x?x8xf32>):
  %o = heddle.attention query(%q : tensor<?x2x?x8xf32>) key(%k : tensor<?x2x?x8xf32>)
      value(%v : tensor<?x2x?x8xf32>) mask(%m : tensor<?x1x?x?xf32>) scale 0.35
      outs(%e : tensor<?x2x?x8xf32>) -> tensor<?x2x?x8xf32>
  heddle.yield %o : tensor<?x2x?x8xf32>
}

// More features than the registers hold at once.
heddle.kernel_def @wide outputs 1 schedule <"attention", {}> layouts [#u, #u, #u, #u] {
^bb0(%q: tensor<?x?x1x200xf32>, %k: tensor<?x?x?x200xf32>, %v: tensor<?x?x?x280xf32>,
     %e: tensor<?x?x1x280xf32>):
  %o = heddle.attention query(%q : tensor<?x?x1x200xf32>) key(%k : tensor<?x?x?x200xf32>)
      value(%v : tensor<?x?x?x280xf32>) scale 0.07 outs(%e : tensor<?x?x1x280xf32>) -> tensor<?x?x1x280xf32>
  heddle.yield %o : tensor<?x?x1x280xf32>
}
