// RUN: heddle-opt %s --split-input-file --verify-diagnostics

// contraction (C1)

func.func @f(%x: tensor<8xf32>, %w: tensor<8x6xf32>, %e: tensor<6xf32>) {
  // expected-error @below {{expects lhs and init of the same rank, 2 or more, got}}
  %0 = heddle.contraction ins(%x, %w : tensor<8xf32>, tensor<8x6xf32>)
      outs(%e : tensor<6xf32>) -> tensor<6xf32>
  return
}

// -----

// contraction (C2): rank of rhs

func.func @f(%x: tensor<2x3x8xf32>, %w: tensor<2x2x8x6xf32>, %e: tensor<2x3x6xf32>) {
  // expected-error @below {{expects rhs of rank 2 or 3, got 'tensor<2x2x8x6xf32>'}}
  %0 = heddle.contraction ins(%x, %w : tensor<2x3x8xf32>, tensor<2x2x8x6xf32>)
      outs(%e : tensor<2x3x6xf32>) -> tensor<2x3x6xf32>
  return
}

// -----

// contraction (C2): leading axes

func.func @f(%x: tensor<2x3x8xf32>, %w: tensor<4x8x6xf32>, %e: tensor<2x3x6xf32>) {
  // expected-error @below {{expects leading axis 0 of the operands to be that of}}
  %0 = heddle.contraction ins(%x, %w : tensor<2x3x8xf32>, tensor<4x8x6xf32>)
      outs(%e : tensor<2x3x6xf32>) -> tensor<2x3x6xf32>
  return
}

// -----

// contraction (C3): inner sizes

func.func @f(%x: tensor<3x8xf32>, %w: tensor<7x6xf32>, %e: tensor<3x6xf32>) {
  // expected-error @below {{expects the contracted sizes to agree, got 8 in lhs and 7 in rhs}}
  %0 = heddle.contraction ins(%x, %w : tensor<3x8xf32>, tensor<7x6xf32>)
      outs(%e : tensor<3x6xf32>) -> tensor<3x6xf32>
  return
}

// -----

// contraction (C3): the other way around with transpose_rhs

func.func @f(%x: tensor<3x8xf32>, %w: tensor<8x6xf32>, %e: tensor<3x6xf32>) {
  // expected-error @below {{expects the contracted sizes to agree, got 8 in lhs and 6 in rhs}}
  %0 = heddle.contraction ins(%x, %w : tensor<3x8xf32>, tensor<8x6xf32>) transpose_rhs
      outs(%e : tensor<3x6xf32>) -> tensor<3x6xf32>
  return
}

// -----

// contraction (C3): outer sizes

func.func @f(%x: tensor<3x8xf32>, %w: tensor<8x6xf32>, %e: tensor<3x5xf32>) {
  // expected-error @below {{expects init to have the rows of lhs and the columns of rhs, got 'tensor<3x5xf32>'}}
  %0 = heddle.contraction ins(%x, %w : tensor<3x8xf32>, tensor<8x6xf32>)
      outs(%e : tensor<3x5xf32>) -> tensor<3x5xf32>
  return
}

// -----

// contraction (C4)

func.func @f(%x: tensor<3x8xf32>, %w: tensor<8x6xf32>, %e: tensor<3x6xf32>,
             %b: tensor<5xf32>) {
  // expected-error @below {{expects bias of rank 1 and the last size of 'tensor<3x6xf32>', got 'tensor<5xf32>'}}
  %0 = heddle.contraction ins(%x, %w : tensor<3x8xf32>, tensor<8x6xf32>)
      bias(%b : tensor<5xf32>)
      outs(%e : tensor<3x6xf32>) -> tensor<3x6xf32>
  return
}

// -----

// contraction (C5)

func.func @f(%x: tensor<3x8xf32>, %w: tensor<8x6xf16>, %e: tensor<3x6xf32>) {
  // expected-error @below {{expects one element type, got 'f32', 'f16' and 'f32'}}
  %0 = heddle.contraction ins(%x, %w : tensor<3x8xf32>, tensor<8x6xf16>)
      outs(%e : tensor<3x6xf32>) -> tensor<3x6xf32>
  return
}

// -----

// contraction (C6)

func.func @f(%x: tensor<3x8xf32>, %w: tensor<2x8x3xf32>, %e: tensor<3x6xf32>) {
  // expected-error @below {{expects rhs in panels of shape [ceil(N / 4), K, 4], got 'tensor<2x8x3xf32>'}}
  %0 = heddle.contraction ins(%x, %w : tensor<3x8xf32>, tensor<2x8x3xf32>) panel 4
      outs(%e : tensor<3x6xf32>) -> tensor<3x6xf32>
  return
}

// -----

// attention (C1): ranks

func.func @f(%q: tensor<4x5x8xf32>, %k: tensor<1x2x7x8xf32>, %v: tensor<1x2x7x8xf32>,
             %e: tensor<1x4x5x8xf32>) {
  // expected-error @below {{expects query, key, value and init of rank 4, got}}
  %0 = heddle.attention query(%q : tensor<4x5x8xf32>) key(%k : tensor<1x2x7x8xf32>)
      value(%v : tensor<1x2x7x8xf32>) scale 1.0
      outs(%e : tensor<1x4x5x8xf32>) -> tensor<1x4x5x8xf32>
  return
}

// -----

// attention (C1): sizes

func.func @f(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x7x9xf32>, %v: tensor<1x2x7x8xf32>,
             %e: tensor<1x4x5x8xf32>) {
  // expected-error @below {{expects query [B, H, S, D], key [B, G, T, D], value [B, G, T, E] and init [B, H, S, E], got}}
  %0 = heddle.attention query(%q : tensor<1x4x5x8xf32>) key(%k : tensor<1x2x7x9xf32>)
      value(%v : tensor<1x2x7x8xf32>) scale 1.0
      outs(%e : tensor<1x4x5x8xf32>) -> tensor<1x4x5x8xf32>
  return
}

// -----

// attention (C1): heads

func.func @f(%q: tensor<1x4x5x8xf32>, %k: tensor<1x3x7x8xf32>, %v: tensor<1x3x7x8xf32>,
             %e: tensor<1x4x5x8xf32>) {
  // expected-error @below {{expects the query heads to be a multiple of the key heads, got 4 and 3}}
  %0 = heddle.attention query(%q : tensor<1x4x5x8xf32>) key(%k : tensor<1x3x7x8xf32>)
      value(%v : tensor<1x3x7x8xf32>) scale 1.0
      outs(%e : tensor<1x4x5x8xf32>) -> tensor<1x4x5x8xf32>
  return
}

// -----

// attention (C2)

func.func @f(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x7x8xf32>, %v: tensor<1x2x7x8xf32>,
             %e: tensor<1x4x5x8xf32>, %m: tensor<5x7xf32>) {
  // expected-error @below {{expects a mask of rank 4 that broadcasts to [B, H, S, T], got 'tensor<5x7xf32>'}}
  %0 = heddle.attention query(%q : tensor<1x4x5x8xf32>) key(%k : tensor<1x2x7x8xf32>)
      value(%v : tensor<1x2x7x8xf32>) mask(%m : tensor<5x7xf32>) scale 1.0
      outs(%e : tensor<1x4x5x8xf32>) -> tensor<1x4x5x8xf32>
  return
}

// -----

// attention (C4)

func.func @f(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x7x8xf16>,
             %e: tensor<1x4x5x8xf32>) {
  // expected-error @below {{expects one element type, got 'f32', 'f16', 'f16' and 'f32'}}
  %0 = heddle.attention query(%q : tensor<1x4x5x8xf32>)
      key(%k : tensor<1x2x7x8xf16>) value(%k : tensor<1x2x7x8xf16>) scale 1.0
      outs(%e : tensor<1x4x5x8xf32>) -> tensor<1x4x5x8xf32>
  return
}

// -----

// attention (C3): the syntax cannot say it, the generic form can.

func.func @f(%q: tensor<1x4x5x8xf32>, %n: index) {
  // expected-error @below {{expects a causal offset only with causal}}
  %0 = "heddle.attention"(%q, %q, %q, %n, %q)
      <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 1, 1>, scale = 1.0 : f32}>
      : (tensor<1x4x5x8xf32>, tensor<1x4x5x8xf32>, tensor<1x4x5x8xf32>, index,
         tensor<1x4x5x8xf32>) -> tensor<1x4x5x8xf32>
  return
}

// -----

// attention (C5)

func.func @f(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x7x8xf32>, %v: tensor<1x2x7x8xf32>,
             %e: tensor<1x4x5x8xf32>) {
  // expected-error @below {{expects softcap to be positive, got 0.000000e+00}}
  %0 = heddle.attention query(%q : tensor<1x4x5x8xf32>) key(%k : tensor<1x2x7x8xf32>)
      value(%v : tensor<1x2x7x8xf32>) scale 1.0 softcap 0.0
      outs(%e : tensor<1x4x5x8xf32>) -> tensor<1x4x5x8xf32>
  return
}

// -----

// layer_norm (C1): the last axis

func.func @f(%x: tensor<3x8xf32>, %e: tensor<3x8xf32>, %s: tensor<7xf32>) {
  // expected-error @below {{expects scale and bias of rank 1 and the last size of 'tensor<3x8xf32>', got 'tensor<7xf32>'}}
  %0 = heddle.layer_norm ins(%x : tensor<3x8xf32>) scale(%s : tensor<7xf32>) epsilon 1.0e-5
      outs(%e : tensor<3x8xf32>) -> tensor<3x8xf32>
  return
}

// -----

// layer_norm (C1): there is a last axis

func.func @f(%x: tensor<f32>, %e: tensor<f32>) {
  // expected-error @below {{expects an input of rank 1 or more, got 'tensor<f32>'}}
  %0 = heddle.layer_norm ins(%x : tensor<f32>) epsilon 1.0e-5
      outs(%e : tensor<f32>) -> tensor<f32>
  return
}

// -----

// layer_norm (C2)

func.func @f(%x: tensor<3x8xf32>, %e: tensor<3x8xf32>) {
  // expected-error @below {{expects epsilon to be 0 or more, got -1.000000e+00}}
  %0 = heddle.layer_norm ins(%x : tensor<3x8xf32>) epsilon -1.0
      outs(%e : tensor<3x8xf32>) -> tensor<3x8xf32>
  return
}

// -----

// layer_norm (C3)

func.func @f(%x: tensor<3x8xf32>, %e: tensor<3x8xf16>) {
  // expected-error @below {{expects input and init of one type, got 'tensor<3x8xf32>' and 'tensor<3x8xf16>'}}
  %0 = heddle.layer_norm ins(%x : tensor<3x8xf32>) epsilon 1.0e-5
      outs(%e : tensor<3x8xf16>) -> tensor<3x8xf16>
  return
}

// -----

// pack (C1)

func.func @f(%w: tensor<?x6xf32>) {
  // expected-error @below {{expects an input of rank 2 and static shape, got 'tensor<?x6xf32>'}}
  %0 = heddle.pack %w panel 4 : tensor<?x6xf32> -> tensor<2x8x4xf32>
  return
}

// -----

// pack: the width of a panel

func.func @f(%w: tensor<8x6xf32>) {
  // expected-error @below {{expects a panel of 1 or more columns, got 0}}
  %0 = heddle.pack %w panel 0 : tensor<8x6xf32> -> tensor<2x8x4xf32>
  return
}

// -----

// pack (C2)

func.func @f(%w: tensor<8x6xf32>) {
  // expected-error @below {{expects a result of type 'tensor<2x8x4xf32>', got 'tensor<1x8x4xf32>'}}
  %0 = heddle.pack %w panel 4 : tensor<8x6xf32> -> tensor<1x8x4xf32>
  return
}

// -----

// broadcast (C1)

func.func @f(%x: tensor<?x?xf32>, %n: index) {
  // expected-error @below {{expects 2 sizes, one per dynamic axis of 'tensor<?x?xf32>', got 1}}
  %0 = heddle.broadcast %x[%n] : tensor<?x?xf32> -> tensor<?x?xf32>
  return
}

// -----

// broadcast (C2)

func.func @f(%x: tensor<?x3xf32>, %n: index) {
  // expected-error @below {{expects 'tensor<?x3xf32>' to broadcast to 'tensor<?x4xf32>'}}
  %0 = heddle.broadcast %x[%n] : tensor<?x3xf32> -> tensor<?x4xf32>
  return
}
