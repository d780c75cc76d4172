//===- Passes.td - every target-independent pass -------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_PASSES_PASSES_TD
#define HEDDLE_PASSES_PASSES_TD

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// import
//===----------------------------------------------------------------------===//

def FoldViews : Pass<"heddle-fold-views", "::mlir::func::FuncOp"> {
  let summary = "fold transposes, reshapes and biases into what reads them";
  let description = [{
    A transpose between two reshapes that undo each other is one transpose; a
    transpose of the last two axes of a contraction's right side is
    `transpose_rhs`; a vector added to a contraction is its `bias`.

    Before:
    ```mlir
    %t = linalg.transpose ins(%w : tensor<8x4xf32>) outs(%i) permutation = [1, 0]
    %c = heddle.contraction ins(%x, %t) outs(%e)
    %y = linalg.generic ins(%c, %b) { addf }
    ```
    After:
    ```mlir
    %y = heddle.contraction ins(%x, %w) bias(%b) transpose_rhs outs(%e)
    ```
  }];
  let dependentDialects = ["::heddle::HeddleDialect",
                           "::mlir::affine::AffineDialect"];
}

def RecognizeAttention : Pass<"heddle-recognize-attention",
                              "::mlir::func::FuncOp"> {
  let summary = "make heddle.attention of a softmax between two contractions";
  let description = [{
    Takes in scales of query, key or scores, an added mask or a select with
    -inf, and the replacement of NaN by 0 after the softmax.

    Before:
    ```mlir
    %s = heddle.contraction ins(%q, %k) transpose_rhs outs(%e)
    %m = linalg.generic ins(%s, %mask) { addf }
    %p = linalg.softmax dimension(3) ins(%m) outs(%f)
    %o = heddle.contraction ins(%p, %v) outs(%g)
    ```
    After:
    ```mlir
    %o = heddle.attention query(%q) key(%k) value(%v) mask(%mask) scale 1.0 outs(%g)
    ```
  }];
  let dependentDialects = ["::heddle::HeddleDialect",
                           "::mlir::affine::AffineDialect"];
}

def RecognizeLayerNorm : Pass<"heddle-recognize-layer-norm",
                              "::mlir::func::FuncOp"> {
  let summary = "make heddle.layer_norm of means, differences and a division";
  let description = [{
    Matches (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon) over the last
    axis, with an optional scale and bias along it.

    Before:
    ```mlir
    %c = linalg.generic ins(%x, %mean) { subf }
    ...
    %y = linalg.generic ins(%c, %deviation) { divf }
    ```
    After:
    ```mlir
    %y = heddle.layer_norm ins(%x) epsilon 1.0e-5 outs(%e)
    ```
  }];
  let dependentDialects = ["::heddle::HeddleDialect"];
}

//===----------------------------------------------------------------------===//
// fusion
//===----------------------------------------------------------------------===//

def RecognizeGelu : Pass<"heddle-recognize-gelu", "::mlir::func::FuncOp"> {
  let summary = "make heddle.gelu of its formula in elementwise bodies";
  let description = [{
    Matches x * 0.5 * (1 + erf(x / sqrt(2))) and the tanh form, in any order of
    the factors. Runs after elementwise ops have been merged, on scalars.

    Before:
    ```mlir
    %d = arith.divf %x, %sqrt2 : f32
    %e = math.erf %d : f32
    %a = arith.addf %e, %one : f32
    %m = arith.mulf %x, %a : f32
    %y = arith.mulf %m, %half : f32
    ```
    After:
    ```mlir
    %y = heddle.gelu %x approximate none : f32
    ```
  }];
  let dependentDialects = ["::heddle::HeddleDialect"];
}

def FuseElementwise : Pass<"heddle-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "merge elementwise linalg.generic ops into their readers";
  let description = [{
    An elementwise op whose result one other elementwise op reads becomes part
    of that op's body, so that the value between them is never stored. Gathers
    are merged as readers, not as producers of several loops.

    Before:
    ```mlir
    %a = linalg.generic {...} ins(%x) { exp }
    %b = linalg.generic {...} ins(%a, %y) { add }
    ```
    After:
    ```mlir
    %b = linalg.generic {...} ins(%x, %y) { exp, add }
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect",
                           "::mlir::affine::AffineDialect",
                           "::mlir::tensor::TensorDialect"];
}

def FormKernels : Pass<"heddle-form-kernels", "::mlir::func::FuncOp"> {
  let summary = "group ops into heddle.kernel regions";
  let description = [{
    Every computing op becomes part of a kernel. A contraction takes the
    elementwise ops that alone read its result; a row op (layer norm, softmax,
    last-axis reduction) takes the elementwise op that it alone reads and the
    ones that alone read its result. Each decision is a remark with its reason.

    Before:
    ```mlir
    %c = heddle.contraction ins(%x, %w) outs(%e)
    %g = linalg.generic ins(%c) outs(%f) { gelu }
    ```
    After:
    ```mlir
    %g = heddle.kernel ins(%x, %w) outs(%f) reason "contraction + 1 elementwise" {
      ...
    }
    ```
  }];
  let dependentDialects = ["::heddle::HeddleDialect"];
}

def OutlineKernels : Pass<"heddle-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "turn heddle.kernel regions into heddle.kernel_def symbols";
  let description = [{
    Each kernel on memrefs becomes a `heddle.dispatch` of a `heddle.kernel_def`;
    kernels that are equal but for locations become one definition.

    Before:
    ```mlir
    heddle.kernel ins(%x : memref<?xf32>) outs(%y : memref<?xf32>) schedule ... {...}
    ```
    After:
    ```mlir
    heddle.kernel_def @k0 outputs 1 schedule ... {...}
    heddle.dispatch @k0 ins(%x : memref<?xf32>) outs(%y : memref<?xf32>)
    ```
  }];
  let dependentDialects = ["::heddle::HeddleDialect"];
}

//===----------------------------------------------------------------------===//
// tiling
//===----------------------------------------------------------------------===//

def ScheduleKernels : Pass<"heddle-schedule-kernels", "::mlir::ModuleOp"> {
  let summary = "choose family, tile sizes and layouts of every kernel";
  let description = [{
    Reads the facts of `#heddle.target` on the module. A contraction with a
    weight gets the panel width of the target, and the weight a `heddle.pack`.
    Kernels of the target `cpu:reference`, and bodies that no family fits, get the
    family `reference`, with a remark.

    Before:
    ```mlir
    heddle.kernel ins(%x, %w) outs(%e) { heddle.contraction ... }
    ```
    After:
    ```mlir
    %p = heddle.pack %w panel 48 : ...
    heddle.kernel ins(%x, %p) outs(%e) schedule <"contraction", {mr = 8, nr = 48}>
        layouts [...] { heddle.contraction ... panel 48 ... }
    ```
  }];
  let dependentDialects = ["::heddle::HeddleDialect"];
}

//===----------------------------------------------------------------------===//
// memory
//===----------------------------------------------------------------------===//

def BufferizeProgram : Pass<"heddle-bufferize-program", "::mlir::func::FuncOp"> {
  let summary = "give every tensor of the host program its memory";
  let description = [{
    Kernel results become buffers: the caller's output, a part of a
    concatenation, or a buffer of the arena; views become strided memrefs. Where
    a kernel demands a layout that a view cannot give, a copy kernel is made,
    with a remark. Kernel bodies stay on tensors.

    Before:
    ```mlir
    %y = heddle.kernel ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {...}
    %t = linalg.transpose ins(%y : tensor<?x8xf32>) outs(%f : tensor<8x?xf32>)
    ```
    After:
    ```mlir
    %b = memref.alloc(%n) : memref<8x?xf32>
    %v = memref.transpose %b (i, j) -> (j, i) : ...
    heddle.kernel ins(%x : memref<?x8xf32>) outs(%v : memref<?x8xf32, strided<[1, ?]>>) {...}
    ```
  }];
  let dependentDialects = ["::heddle::HeddleDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::affine::AffineDialect"];
}

def PlanArena : Pass<"heddle-plan-arena", "::mlir::func::FuncOp"> {
  let summary = "place barriers and give every buffer its life in the arena";
  let description = [{
    Puts a `heddle.barrier` before a kernel that touches what a kernel since the
    last barrier wrote, or writes what one has read. Turns each `memref.alloc`
    into a `heddle.arena_buffer` that lives from the phase that writes it to the
    last phase that reads it.

    Before:
    ```mlir
    %b = memref.alloc(%n) : memref<?xf32>
    heddle.kernel ins(%x : memref<?xf32>) outs(%b : memref<?xf32>) {...}
    heddle.kernel ins(%b : memref<?xf32>) outs(%y : memref<?xf32>) {...}
    ```
    After:
    ```mlir
    %b = heddle.arena_buffer [%n] slot 0 live 0 to 1 : memref<?xf32>
    heddle.kernel ins(%x : memref<?xf32>) outs(%b : memref<?xf32>) {...}
    heddle.barrier
    heddle.kernel ins(%b : memref<?xf32>) outs(%y : memref<?xf32>) {...}
    ```
  }];
  let dependentDialects = ["::heddle::HeddleDialect",
                           "::mlir::memref::MemRefDialect"];
}

//===----------------------------------------------------------------------===//
// transforms
//===----------------------------------------------------------------------===//

def LowerToLinalg : Pass<"heddle-lower-to-linalg"> {
  let summary = "replace tensor ops of heddle by linalg on tensors";
  let description = [{
    The reference lowering: every `heddle.contraction`, `heddle.attention`,
    `heddle.layer_norm`, `heddle.pack`, `heddle.broadcast` and `heddle.gelu`
    becomes `linalg`, `tensor`, `arith` and `math` that state its definition
    step by step, whatever the speed. Sums are taken in f32, in f64 for f64.
    `heddle.checked_index` and the ops of the host program stay.

    Before:
    ```mlir
    %y = heddle.contraction ins(%x, %w : tensor<?x8xf32>, tensor<8x4xf32>)
        outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
    ```
    After:
    ```mlir
    %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
    %y = linalg.generic {indexing_maps = [(m, n, k) -> (m, k), (m, n, k) -> (k, n),
                                          (m, n, k) -> (m, n)],
                         iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%x, %w) outs(%z) { multiply and add }
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"
  ];
}

#endif // HEDDLE_PASSES_PASSES_TD
