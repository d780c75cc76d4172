// RUN: heddle-opt %s --heddle-stage-import | FileCheck %s --check-prefix=IMPORT
// RUN: heddle-opt %s --heddle-stage-import --heddle-stage-fusion \
// RUN:   | FileCheck %s --check-prefix=FUSION
// RUN: heddle-opt %s --heddle-stage-import --heddle-stage-fusion --heddle-stage-tiling \
// RUN:   | FileCheck %s --check-prefix=TILING
// RUN: heddle-opt %s --heddle-stage-import --heddle-stage-fusion --heddle-stage-tiling \
// RUN:     --heddle-stage-memory | FileCheck %s --check-prefix=MEMORY
// RUN: heddle-opt %s --heddle-stage-import --heddle-stage-fusion --heddle-stage-tiling \
// RUN:     --heddle-stage-memory --heddle-stage-outline | FileCheck %s --check-prefix=OUTLINE

// One attention block, from two projections to its result, stage by stage.

// What the exporter spelled out has become heddle.attention; biases and
// transposes are in the ops that read them.
// IMPORT-LABEL: func @main(
// IMPORT:         heddle.contraction {{.*}} bias
// IMPORT:         heddle.contraction ins({{[^)]*}}) transpose_rhs outs
// IMPORT:         heddle.attention {{.*}} scale 2.500000e-01
// IMPORT-NOT:     linalg.softmax

// Computing ops are in kernels; the splits into heads stay outside.
// FUSION-LABEL: func @main(
// FUSION-COUNT-3: heddle.kernel
// FUSION-NOT:     heddle.kernel

// Each kernel has a schedule, and both weights are packed.
// TILING-LABEL: func @main(
// TILING-DAG:     heddle.pack %{{.*}} panel 48 :
// TILING-DAG:     heddle.pack %{{.*}} panel 48 transposed :
// TILING-DAG:     schedule <"attention", {}>

// Nothing but the entry's buffers and the arena holds values. The projections
// need no barrier between them; the attention waits for both.
// MEMORY-LABEL: func @main(
// MEMORY-NOT:     tensor.empty
// MEMORY:         heddle.arena_buffer{{.*}} slot 0 live 0 to 1
// MEMORY:         heddle.kernel
// MEMORY-NOT:     heddle.barrier
// MEMORY:         heddle.arena_buffer{{.*}} slot 1 live 0 to 1
// MEMORY-NOT:     heddle.barrier
// MEMORY:         heddle.kernel
// MEMORY:         heddle.barrier
// MEMORY-NEXT:    heddle.kernel
// MEMORY-NOT:     tensor.empty

// The host program is dispatches and a barrier.
// OUTLINE:        heddle.kernel_def @k0_contraction
// OUTLINE:        heddle.kernel_def @k1_contraction
// OUTLINE:        heddle.kernel_def @k2_attention
// OUTLINE-LABEL:  func @main(
// OUTLINE:          heddle.dispatch @k0_contraction
// OUTLINE:          heddle.dispatch @k1_contraction
// OUTLINE:          heddle.barrier
// OUTLINE-NEXT:     heddle.dispatch @k2_attention
// OUTLINE:          return{{$}}

#id4 = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#id3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#last = affine_map<(d0, d1, d2) -> (d2)>

module attributes {heddle.target = #heddle.target<"cpu", {vector_bits = 512 : i64}>} {
  func.func @main(%x: tensor<?x?x32xf32> {heddle.name = "x"})
      -> (tensor<?x2x?x16xf32> {heddle.name = "y"}) {
    %batch = heddle.symbol "batch" min 1
    %seq = heddle.symbol "seq" min 1
    heddle.bind_shape %x[%batch, %seq] : tensor<?x?x32xf32>
    %wq = heddle.weight #heddle.weight<"model.onnx", 0, 4096> : tensor<32x32xf32>
        -> tensor<32x32xf32>
    %wk = heddle.weight #heddle.weight<"model.onnx", 4096, 4096> : tensor<32x32xf32>
        -> tensor<32x32xf32>
    %bias = heddle.weight #heddle.weight<"model.onnx", 8192, 128> : tensor<32xf32>
        -> tensor<32xf32>

    // The query has a bias.
    %flat = tensor.empty(%batch, %seq) : tensor<?x?x32xf32>
    %q0 = heddle.contraction ins(%x, %wq : tensor<?x?x32xf32>, tensor<32x32xf32>)
        outs(%flat : tensor<?x?x32xf32>) -> tensor<?x?x32xf32>
    %q1 = linalg.generic {indexing_maps = [#id3, #last, #id3],
                          iterator_types = ["parallel", "parallel", "parallel"]}
        ins(%q0, %bias : tensor<?x?x32xf32>, tensor<32xf32>)
        outs(%flat : tensor<?x?x32xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %r = arith.addf %a, %b : f32
      linalg.yield %r : f32
    } -> tensor<?x?x32xf32>

    // The weight of the key, which is the value too, is stored transposed.
    %square = tensor.empty() : tensor<32x32xf32>
    %wt = linalg.transpose ins(%wk : tensor<32x32xf32>) outs(%square : tensor<32x32xf32>)
        permutation = [1, 0]
    %k0 = heddle.contraction ins(%x, %wt : tensor<?x?x32xf32>, tensor<32x32xf32>)
        outs(%flat : tensor<?x?x32xf32>) -> tensor<?x?x32xf32>

    // Two heads of 16.
    %heads = tensor.empty(%batch, %seq) : tensor<?x2x?x16xf32>
    %q2 = tensor.expand_shape %q1 [[0], [1], [2, 3]] output_shape [%batch, %seq, 2, 16]
        : tensor<?x?x32xf32> into tensor<?x?x2x16xf32>
    %q = linalg.transpose ins(%q2 : tensor<?x?x2x16xf32>) outs(%heads : tensor<?x2x?x16xf32>)
        permutation = [0, 2, 1, 3]
    %k1 = tensor.expand_shape %k0 [[0], [1], [2, 3]] output_shape [%batch, %seq, 2, 16]
        : tensor<?x?x32xf32> into tensor<?x?x2x16xf32>
    %k = linalg.transpose ins(%k1 : tensor<?x?x2x16xf32>) outs(%heads : tensor<?x2x?x16xf32>)
        permutation = [0, 2, 1, 3]

    %pairs = tensor.empty(%batch, %seq, %seq) : tensor<?x2x?x?xf32>
    %s = heddle.contraction ins(%q, %k : tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>)
        transpose_rhs outs(%pairs : tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
    %d = linalg.generic {indexing_maps = [#id4, #id4],
                         iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
        ins(%s : tensor<?x2x?x?xf32>) outs(%pairs : tensor<?x2x?x?xf32>) {
    ^bb0(%a: f32, %o: f32):
      %four = arith.constant 4.0 : f32
      %r = arith.divf %a, %four : f32
      linalg.yield %r : f32
    } -> tensor<?x2x?x?xf32>
    %p = linalg.softmax dimension(3) ins(%d : tensor<?x2x?x?xf32>)
        outs(%pairs : tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
    %y = heddle.contraction ins(%p, %k : tensor<?x2x?x?xf32>, tensor<?x2x?x16xf32>)
        outs(%heads : tensor<?x2x?x16xf32>) -> tensor<?x2x?x16xf32>
    heddle.bind_shape %y[%batch, %seq] : tensor<?x2x?x16xf32>
    return %y : tensor<?x2x?x16xf32>
  }
}
