// RUN: not heddle-shapes %s 2>&1 | FileCheck %s

// CHECK: error: MatMul expects the contracted axes to be equal, got 4 and 5
func.func @contraction(%x: tensor<?x4xf32>, %y: tensor<5x3xf32>) {
  %z = onnx.node "MatMul"(%x, %y) version 13 {} : (tensor<?x4xf32>, tensor<5x3xf32>) -> tensor<*xf32>
  return
}

// CHECK: error: MatMul expects operands of rank 1 or more, got a scalar
func.func @scalar(%x: tensor<f32>, %y: tensor<5x3xf32>) {
  %z = onnx.node "MatMul"(%x, %y) version 13 {} : (tensor<f32>, tensor<5x3xf32>) -> tensor<*xf32>
  return
}

// CHECK: error: Gemm expects two matrices, got tensors of rank 1 and 2
func.func @gemm(%x: tensor<5xf32>, %y: tensor<5x3xf32>) {
  %z = onnx.node "Gemm"(%x, %y) version 13 {} : (tensor<5xf32>, tensor<5x3xf32>) -> tensor<*xf32>
  return
}

// CHECK: error: Add expects broadcast axes to be equal, got 4 and 5
func.func @broadcast(%x: tensor<?x4xf32>, %y: tensor<5xf32>) {
  %z = onnx.node "Add"(%x, %y) version 13 {} : (tensor<?x4xf32>, tensor<5xf32>) -> tensor<*xf32>
  return
}

// CHECK: error: Concat expects inputs of equal rank, got 2 and 1
func.func @rank(%x: tensor<?x4xf32>, %y: tensor<5xf32>) {
  %z = onnx.node "Concat"(%x, %y) version 13 {axis = 0 : i64} : (tensor<?x4xf32>, tensor<5xf32>) -> tensor<*xf32>
  return
}

// CHECK: error: Gather expects an axis of a tensor of rank 2, got 2
func.func @axis(%x: tensor<?x4xf32>, %i: tensor<5xi64>) {
  %z = onnx.node "Gather"(%x, %i) version 13 {axis = 2 : i64} : (tensor<?x4xf32>, tensor<5xi64>) -> tensor<*xf32>
  return
}

// CHECK: error: GatherND expects indices into a tensor of rank 2, got 3 after 0 batch axes
func.func @indices(%x: tensor<?x4xf32>, %i: tensor<5x3xi64>) {
  %z = onnx.node "GatherND"(%x, %i) version 13 {} : (tensor<?x4xf32>, tensor<5x3xi64>) -> tensor<*xf32>
  return
}

// CHECK: error: Flatten expects an axis of a tensor of rank 2, got -3
func.func @flatten(%x: tensor<?x4xf32>) {
  %z = onnx.node "Flatten"(%x) version 13 {axis = -3 : i64} : (tensor<?x4xf32>) -> tensor<*xf32>
  return
}

// CHECK: error: Transpose expects perm to be a permutation of 2 axes
func.func @permutation(%x: tensor<?x4xf32>) {
  %z = onnx.node "Transpose"(%x) version 13 {perm = array<i64: 0, 0>} : (tensor<?x4xf32>) -> tensor<*xf32>
  return
}

// CHECK: error: Unsqueeze names axis -1 twice
func.func @twice(%x: tensor<4xf32>) {
  %z = onnx.node "Unsqueeze"(%x) version 11 {axes = array<i64: 2, -1>} : (tensor<4xf32>) -> tensor<*xf32>
  return
}

// CHECK: error: Squeeze expects the squeezed size and 1 to be equal, got 4 and 1
func.func @squeeze(%x: tensor<4xf32>) {
  %z = onnx.node "Squeeze"(%x) version 11 {axes = array<i64: 0>} : (tensor<4xf32>) -> tensor<*xf32>
  return
}

// CHECK: error: Reshape expects at most one size of -1
func.func @two_inferred(%x: tensor<4xf32>) {
  %s = onnx.constant dense<-1> : tensor<2xi64>
  %z = onnx.node "Reshape"(%x, %s) version 13 {} : (tensor<4xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// CHECK: error: Reshape expects a size 0 to copy an axis of its input of rank 1, got one at axis 1
func.func @copied(%x: tensor<4xf32>) {
  %s = onnx.constant dense<[4, 0]> : tensor<2xi64>
  %z = onnx.node "Reshape"(%x, %s) version 13 {} : (tensor<4xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// CHECK: error: Reshape expects the numbers of elements before and after to be equal, got 12 and 10
func.func @elements(%x: tensor<3x4xf32>) {
  %s = onnx.constant dense<[2, 5]> : tensor<2xi64>
  %z = onnx.node "Reshape"(%x, %s) version 13 {} : (tensor<3x4xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// CHECK: error: Reshape makes a tensor of rank 65; the limit is 64
func.func @high_rank(%x: tensor<1xf32>) {
  %s = onnx.constant dense<1> : tensor<65xi64>
  %z = onnx.node "Reshape"(%x, %s) version 13 {} : (tensor<1xf32>, tensor<65xi64>) -> tensor<*xf32>
  return
}

// CHECK: error: ConstantOfShape makes a tensor of rank 65; the limit is 64
func.func @high_rank_constant() {
  %s = onnx.constant dense<1> : tensor<65xi64>
  %z = onnx.node "ConstantOfShape"(%s) version 13 {} : (tensor<65xi64>) -> tensor<*xf32>
  return
}

// CHECK: error: Split expects a size for each of its 2 results, got 3
func.func @split_count(%x: tensor<6xf32>) {
  %s = onnx.constant dense<2> : tensor<3xi64>
  %z:2 = onnx.node "Split"(%x, %s) version 13 {} : (tensor<6xf32>, tensor<3xi64>) -> (tensor<*xf32>, tensor<*xf32>)
  return
}

// CHECK: error: Split expects the size of the axis and the sum of its parts to be equal, got 6 and 4
func.func @split_sum(%x: tensor<6xf32>) {
  %s = onnx.constant dense<2> : tensor<2xi64>
  %z:2 = onnx.node "Split"(%x, %s) version 13 {} : (tensor<6xf32>, tensor<2xi64>) -> (tensor<*xf32>, tensor<*xf32>)
  return
}

// CHECK: error: Pad expects 4 pads, got 2
func.func @pads(%x: tensor<6x2xf32>) {
  %s = onnx.constant dense<2> : tensor<2xi64>
  %z = onnx.node "Pad"(%x, %s) version 13 {} : (tensor<6x2xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// CHECK: error: Einsum expects an equation for 1 inputs, got 'ij,jk->ik'
func.func @equation(%x: tensor<6x2xf32>) {
  %z = onnx.node "Einsum"(%x) version 12 {equation = "ij,jk->ik"} : (tensor<6x2xf32>) -> tensor<*xf32>
  return
}

// CHECK: error: Einsum expects an input of rank 3 for 'ijk', got rank 2
func.func @term(%x: tensor<6x2xf32>) {
  %z = onnx.node "Einsum"(%x) version 12 {equation = "ijk->ik"} : (tensor<6x2xf32>) -> tensor<*xf32>
  return
}

// CHECK: error: Conv expects an input of rank 3 or more, got rank 1
func.func @image(%x: tensor<6xf32>, %w: tensor<4x3x2x2xf32>) {
  %z = onnx.node "Conv"(%x, %w) version 11 {} : (tensor<6xf32>, tensor<4x3x2x2xf32>) -> tensor<*xf32>
  return
}

// CHECK: error: Conv expects a window over 2 axes
func.func @window(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x2x2xf32>) {
  %z = onnx.node "Conv"(%x, %w) version 11 {strides = array<i64: 0, 1>} : (tensor<1x3x8x8xf32>, tensor<4x3x2x2xf32>) -> tensor<*xf32>
  return
}

// CHECK: error: Attention expects q_num_heads to be positive, got 0
func.func @heads(%x: tensor<1x3x8xf32>) {
  %z = onnx.node "Attention"(%x, %x, %x) version 23 {} : (tensor<1x3x8xf32>, tensor<1x3x8xf32>, tensor<1x3x8xf32>) -> tensor<*xf32>
  return
}

// CHECK: error: Attention expects query, key and value of rank 3 or 4, got rank 2
func.func @attention(%x: tensor<3x8xf32>) {
  %z = onnx.node "Attention"(%x, %x, %x) version 23 {} : (tensor<3x8xf32>, tensor<3x8xf32>, tensor<3x8xf32>) -> tensor<*xf32>
  return
}

// CHECK: error: PRelu expects the sizes of input 1 and those of input 0 of rank 1 or less, got 2
func.func @slope(%x: tensor<6xf32>, %s: tensor<2x6xf32>) {
  %z = onnx.node "PRelu"(%x, %s) version 16 {} : (tensor<6xf32>, tensor<2x6xf32>) -> tensor<*xf32>
  return
}

// CHECK: error: LayerNormalization expects the sizes of input 1 and those of input 0 to be equal, got 7 and 6
func.func @scale(%x: tensor<2x6xf32>, %s: tensor<7xf32>) {
  %z = onnx.node "LayerNormalization"(%x, %s) version 17 {} : (tensor<2x6xf32>, tensor<7xf32>) -> tensor<*xf32>
  return
}

// CHECK: error: GatherElements expects data and indices of one rank, got 2 and 1
func.func @ranks(%x: tensor<2x6xf32>, %i: tensor<3xi64>) {
  %z = onnx.node "GatherElements"(%x, %i) version 13 {} : (tensor<2x6xf32>, tensor<3xi64>) -> tensor<*xf32>
  return
}

// CHECK: error: Gather expects an axis with elements to pick from, got 1 > 0
func.func @nothing(%x: tensor<0x6xf32>, %i: tensor<3xi64>) {
  %z = onnx.node "Gather"(%x, %i) version 13 {} : (tensor<0x6xf32>, tensor<3xi64>) -> tensor<*xf32>
  return
}

// CHECK: error: OneHot expects a list of two values, off and on
func.func @choices(%i: tensor<3xi64>, %v: tensor<2x1xf32>) {
  %d = onnx.constant dense<4> : tensor<i64>
  %z = onnx.node "OneHot"(%i, %d, %v) version 11 {} : (tensor<3xi64>, tensor<i64>, tensor<2x1xf32>) -> tensor<*xf32>
  return
}

// CHECK: error: Attention expects past key and value of rank 4, got rank 3
func.func @past(%x: tensor<1x2x3x8xf32>, %p: tensor<2x3x8xf32>) {
  %none = onnx.none
  %z = onnx.node "Attention"(%x, %x, %x, %none, %p, %p) version 23 {} : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, none, tensor<2x3x8xf32>, tensor<2x3x8xf32>) -> tensor<*xf32>
  return
}

// CHECK: error: Attention expects a list of key lengths, got rank 2
func.func @lengths(%x: tensor<1x2x3x8xf32>, %l: tensor<1x1xi64>) {
  %none = onnx.none
  %z = onnx.node "Attention"(%x, %x, %x, %none, %none, %none, %l) version 24 {} : (tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, tensor<1x2x3x8xf32>, none, none, none, tensor<1x1xi64>) -> tensor<*xf32>
  return
}

// CHECK: error: ConstantOfShape makes an axis of size -62
func.func @negative() {
  %s = onnx.constant dense<-62> : tensor<1xi64>
  %z = onnx.node "ConstantOfShape"(%s) version 13 {} : (tensor<1xi64>) -> tensor<*xf32>
  return
}

// CHECK: error: Pow expects 2 inputs, got 1
func.func @operands(%x: tensor<6xf32>) {
  %z = onnx.node "Pow"(%x) version 13 {} : (tensor<6xf32>) -> tensor<*xf32>
  return
}

// CHECK: error: Unsqueeze makes a tensor of rank 65; the limit is 64
func.func @high_rank_unsqueeze(%x: tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1xf32>) {
  %z = onnx.node "Unsqueeze"(%x) version 11 {axes = array<i64: 0>} : (tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1xf32>) -> tensor<*xf32>
  return
}
