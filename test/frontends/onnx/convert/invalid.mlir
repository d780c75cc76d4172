// RUN: heddle-opt %s --split-input-file --verify-diagnostics --heddle-convert-onnx

func.func @unknown_operator(%x: tensor<3xf32> {onnx.name = "x", onnx.dims = ["3"]}) -> tensor<*xi64> {
  // expected-error @below {{operator 'NonZero' (opset 18) is not supported}}
  %y = onnx.node "NonZero"(%x) version 18 {} : (tensor<3xf32>) -> tensor<*xi64>
  return %y : tensor<*xi64>
}

// -----

func.func @old_version(%x: tensor<3xf32> {onnx.name = "x", onnx.dims = ["3"]}) -> tensor<*xf32> {
  // expected-error @below {{operator 'Mish' (opset 17) is not supported}}
  // expected-note @below {{it is supported from opset 18 to 24}}
  %y = onnx.node "Mish"(%x) version 17 {} : (tensor<3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @other_domain(%x: tensor<3xf32> {onnx.name = "x", onnx.dims = ["3"]}) -> tensor<*xf32> {
  // expected-error @below {{operator 'com.microsoft.FastGelu' (opset 1) is not supported}}
  %y = onnx.node "FastGelu" of "com.microsoft"(%x) version 1 {} : (tensor<3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// expected-error @below {{an input of the model has the element type 'f8E5M2', which is not supported}}
func.func @element_type(%x: tensor<3xf8E5M2> {onnx.name = "x", onnx.dims = ["3"]}) -> tensor<*xf8E5M2> {
  %y = onnx.node "Identity"(%x) version 19 {} : (tensor<3xf8E5M2>) -> tensor<*xf8E5M2>
  return %y : tensor<*xf8E5M2>
}

// -----

func.func @data_size(%x: tensor<3xf32> {onnx.name = "x", onnx.dims = ["3"]},
                     %s: tensor<1xi64> {onnx.name = "s", onnx.dims = ["1"]}) -> tensor<*xf32> {
  // expected-error @below {{an output of the model has a size that only the data decide, on axis 0, which is not supported}}
  %y = onnx.node "Expand"(%x, %s) version 13 {} : (tensor<3xf32>, tensor<1xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @data_rank(%x: tensor<3xf32> {onnx.name = "x", onnx.dims = ["3"]},
                     %s: tensor<?xi64> {onnx.name = "s", onnx.dims = ["r"]}) -> tensor<*xf32> {
  // expected-error @below {{an output of the model has no known rank, which is not supported}}
  %y = onnx.node "Reshape"(%x, %s) version 13 {} : (tensor<3xf32>, tensor<?xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @training(%x: tensor<3xf32> {onnx.name = "x", onnx.dims = ["3"]}) -> tensor<*xf32> {
  %ratio = onnx.constant dense<0.5> : tensor<f32>
  %yes = onnx.constant dense<true> : tensor<i1>
  // expected-error @below {{operator 'Dropout' is supported for inference only, expects training_mode to be constant and false}}
  %y = onnx.node "Dropout"(%x, %ratio, %yes) version 13 {} : (tensor<3xf32>, tensor<f32>, tensor<i1>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @scores(%q: tensor<1x1x2x4xf32> {onnx.name = "q", onnx.dims = ["1", "1", "2", "4"]}) -> tensor<*xf32> {
  // expected-error @below {{operator 'Attention' is supported without its result qk_matmul_output}}
  %y, %a, %b, %s = onnx.node "Attention"(%q, %q, %q) version 23 {} : (tensor<1x1x2x4xf32>, tensor<1x1x2x4xf32>, tensor<1x1x2x4xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, tensor<*xf32>)
  return %s : tensor<*xf32>
}

// -----

func.func @heads(%q: tensor<1x2x?xf32> {onnx.name = "q", onnx.dims = ["1", "2", "n"]}) -> tensor<*xf32> {
  // expected-error @below {{operator 'Attention' expects the last size of input 0 to be a multiple of q_num_heads = 4}}
  // expected-error @below {{operator 'Attention' expects the last size of input 1 to be a multiple of kv_num_heads = 4}}
  // expected-error @below {{operator 'Attention' expects the last size of input 2 to be a multiple of kv_num_heads = 4}}
  %y = onnx.node "Attention"(%q, %q, %q) version 23 {q_num_heads = 4 : i64, kv_num_heads = 4 : i64} : (tensor<1x2x?xf32>, tensor<1x2x?xf32>, tensor<1x2x?xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @pad_mode(%x: tensor<3xf32> {onnx.name = "x", onnx.dims = ["3"]}) -> tensor<*xf32> {
  %pads = onnx.constant dense<1> : tensor<2xi64>
  // expected-error @below {{operator 'Pad' expects mode constant, edge, reflect or wrap, got 'mirror'}}
  %y = onnx.node "Pad"(%x, %pads) version 18 {mode = "mirror"} : (tensor<3xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @pad_nothing(%x: tensor<?xf32> {onnx.name = "x", onnx.dims = ["past"]}) -> tensor<*xf32> {
  %pads = onnx.constant dense<1> : tensor<2xi64>
  // expected-error @below {{operator 'Pad' cannot repeat the elements of axis 0, which may have none}}
  %y = onnx.node "Pad"(%x, %pads) version 18 {mode = "edge"} : (tensor<?xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @cumsum_axis(%x: tensor<3x4xf32> {onnx.name = "x", onnx.dims = ["3", "4"]},
                       %a: tensor<i64> {onnx.name = "a", onnx.dims = []}) -> tensor<*xf32> {
  // expected-error @below {{operator 'CumSum' expects an axis that is constant}}
  %y = onnx.node "CumSum"(%x, %a) version 14 {} : (tensor<3x4xf32>, tensor<i64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @mask_rank(%q: tensor<1x1x2x4xf32> {onnx.name = "q", onnx.dims = ["1", "1", "2", "4"]}, %m: tensor<f32> {onnx.name = "m", onnx.dims = []}) -> tensor<*xf32> {
  // expected-error @below {{operator 'Attention' expects a mask of rank 1 to 4, got 0}}
  %y = onnx.node "Attention"(%q, %q, %q, %m) version 23 {} : (tensor<1x1x2x4xf32>, tensor<1x1x2x4xf32>, tensor<1x1x2x4xf32>, tensor<f32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @half_cache(%q: tensor<1x1x2x4xf32> {onnx.name = "q", onnx.dims = ["1", "1", "2", "4"]}) -> tensor<*xf32> {
  %none = onnx.none
  // expected-error @below {{operator 'Attention' expects past_key and past_value together}}
  %y = onnx.node "Attention"(%q, %q, %q, %none, %q) version 23 {} : (tensor<1x1x2x4xf32>, tensor<1x1x2x4xf32>, tensor<1x1x2x4xf32>, none, tensor<1x1x2x4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @trilu_rank(%x: tensor<3xf32> {onnx.name = "x", onnx.dims = ["3"]}) -> tensor<*xf32> {
  // expected-error @below {{operator 'Trilu' expects an input of rank 2 or more, got 1}}
  %y = onnx.node "Trilu"(%x) version 18 {} : (tensor<3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @softmax_axis(%x: tensor<2x3xf32> {onnx.name = "x", onnx.dims = ["2", "3"]}) -> tensor<*xf32> {
  // expected-error @below {{operator 'Softmax' expects an axis in -2 .. 1, got 2}}
  %y = onnx.node "Softmax"(%x) version 13 {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
