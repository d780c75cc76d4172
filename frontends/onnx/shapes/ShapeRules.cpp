//===- ShapeRules.cpp - the table of shape rules --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/shapes/ShapeRules.h"

#include "llvm/ADT/StringMap.h"

using namespace heddle;

namespace {
/// One operator and its rule.
struct RuleRow {
  llvm::StringLiteral opType;
  ShapeRule rule;
};
} // namespace

// Sorted by name. A rule serves all versions of its operator: where they
// differ, it asks for the attribute or input that a version has.
static constexpr RuleRow onnxRules[] = {
    {"Abs", inferAbs},
    {"Acos", inferSameShape},
    {"Acosh", inferSameShape},
    {"Add", inferAdd},
    {"And", inferAnd},
    {"ArgMax", inferArgReduce},
    {"ArgMin", inferArgReduce},
    {"Asin", inferSameShape},
    {"Asinh", inferSameShape},
    {"Atan", inferSameShape},
    {"Atanh", inferSameShape},
    {"Attention", inferAttention},
    {"AveragePool", inferPool},
    {"BatchNormalization", inferSameShape},
    {"BitShift", inferBroadcast},
    {"BitwiseAnd", inferBroadcast},
    {"BitwiseNot", inferSameShape},
    {"BitwiseOr", inferBroadcast},
    {"BitwiseXor", inferBroadcast},
    {"Cast", inferCast},
    {"CastLike", inferCastLike},
    {"Ceil", inferSameShape},
    {"Celu", inferSameShape},
    {"Clip", inferClip},
    {"Concat", inferConcat},
    {"ConstantOfShape", inferConstantOfShape},
    {"Conv", inferConv},
    {"ConvInteger", inferConvInteger},
    {"Cos", inferSameShape},
    {"Cosh", inferSameShape},
    {"CumSum", inferCumSum},
    {"DequantizeLinear", inferDequantizeLinear},
    {"Div", inferDiv},
    {"Dropout", inferDropout},
    {"DynamicQuantizeLinear", inferDynamicQuantizeLinear},
    {"Einsum", inferEinsum},
    {"Elu", inferSameShape},
    {"Equal", inferEqual},
    {"Erf", inferSameShape},
    {"Exp", inferSameShape},
    {"Expand", inferExpand},
    {"EyeLike", inferEyeLike},
    {"Flatten", inferFlatten},
    {"Floor", inferSameShape},
    {"Gather", inferGather},
    {"GatherElements", inferGatherElements},
    {"GatherND", inferGatherND},
    {"Gelu", inferSameShape},
    {"Gemm", inferGemm},
    {"GlobalAveragePool", inferGlobalPool},
    {"GlobalLpPool", inferGlobalPool},
    {"GlobalMaxPool", inferGlobalPool},
    {"Greater", inferGreater},
    {"GreaterOrEqual", inferGreaterOrEqual},
    {"GroupNormalization", inferSameShape},
    {"HardSigmoid", inferSameShape},
    {"HardSwish", inferSameShape},
    {"Hardmax", inferSameShape},
    {"Identity", inferIdentity},
    {"InstanceNormalization", inferSameShape},
    {"IsInf", inferFloatTest},
    {"IsNaN", inferFloatTest},
    {"LRN", inferSameShape},
    {"LayerNormalization", inferLayerNormalization},
    {"LeakyRelu", inferSameShape},
    {"Less", inferLess},
    {"LessOrEqual", inferLessOrEqual},
    {"Log", inferSameShape},
    {"LogSoftmax", inferSameShape},
    {"LpNormalization", inferSameShape},
    {"LpPool", inferPool},
    {"MatMul", inferMatMul},
    {"MatMulInteger", inferMatMulInteger},
    {"Max", inferMax},
    {"MaxPool", inferPool},
    {"Mean", inferBroadcast},
    {"Min", inferMin},
    {"Mish", inferSameShape},
    {"Mod", inferMod},
    {"Mul", inferMul},
    {"Neg", inferNeg},
    {"NonZero", inferNonZero},
    {"Not", inferNot},
    {"OneHot", inferOneHot},
    {"Or", inferOr},
    {"PRelu", inferScaledSameShape},
    {"Pad", inferPad},
    {"Pow", inferPow},
    {"QLinearConv", inferQLinearConv},
    {"QLinearMatMul", inferQLinearMatMul},
    {"QuantizeLinear", inferQuantizeLinear},
    {"RMSNormalization", inferScaledSameShape},
    {"Range", inferRange},
    {"Reciprocal", inferSameShape},
    {"ReduceL1", inferReduce},
    {"ReduceL2", inferReduce},
    {"ReduceLogSum", inferReduce},
    {"ReduceLogSumExp", inferReduce},
    {"ReduceMax", inferReduceMax},
    {"ReduceMean", inferReduce},
    {"ReduceMin", inferReduceMin},
    {"ReduceProd", inferReduceProd},
    {"ReduceSum", inferReduceSum},
    {"ReduceSumSquare", inferReduce},
    {"Relu", inferSameShape},
    {"Reshape", inferReshape},
    {"RotaryEmbedding", inferSameShape},
    {"Round", inferSameShape},
    {"ScatterElements", inferSameShape},
    {"ScatterND", inferSameShape},
    {"Selu", inferSameShape},
    {"Shape", inferShape},
    {"Sigmoid", inferSameShape},
    {"Sign", inferSign},
    {"SimplifiedLayerNormalization", inferSameShape},
    {"Sin", inferSameShape},
    {"Sinh", inferSameShape},
    {"Size", inferSize},
    {"Slice", inferSlice},
    {"Softmax", inferSameShape},
    {"Softplus", inferSameShape},
    {"Softsign", inferSameShape},
    {"Split", inferSplit},
    {"Sqrt", inferSameShape},
    {"Squeeze", inferSqueeze},
    {"Sub", inferSub},
    {"Sum", inferSum},
    {"Swish", inferSameShape},
    {"Tan", inferSameShape},
    {"Tanh", inferSameShape},
    {"ThresholdedRelu", inferSameShape},
    {"Tile", inferTile},
    {"TopK", inferTopK},
    {"Transpose", inferTranspose},
    {"Trilu", inferSameShape},
    {"Unsqueeze", inferUnsqueeze},
    {"Where", inferWhere},
    {"Xor", inferXor},
};

static constexpr RuleRow microsoftRules[] = {
    {"Attention", inferContribAttention},
    {"BiasGelu", inferSameShape},
    {"DequantizeLinear", inferDequantizeLinear},
    {"EmbedLayerNormalization", inferEmbedLayerNormalization},
    {"FastGelu", inferSameShape},
    {"GatherBlockQuantized", inferGatherBlockQuantized},
    {"Gelu", inferSameShape},
    {"GroupQueryAttention", inferGroupQueryAttention},
    {"LayerNormalization", inferLayerNormalization},
    {"MatMulNBits", inferMatMulNBits},
    {"MoE", inferSameShape},
    {"QAttention", inferQAttention},
    {"QEmbedLayerNormalization", inferEmbedLayerNormalization},
    {"QMoE", inferSameShape},
    {"QuantizeLinear", inferQuantizeLinear},
    {"QuickGelu", inferSameShape},
    {"RotaryEmbedding", inferSameShape},
    {"SimplifiedLayerNormalization", inferSameShape},
    {"SkipLayerNormalization", inferSkipLayerNormalization},
    {"SkipSimplifiedLayerNormalization", inferSkipLayerNormalization},
};

static llvm::StringMap<ShapeRule> indexRules(llvm::ArrayRef<RuleRow> rows) {
  llvm::StringMap<ShapeRule> index;
  for (const RuleRow &row : rows)
    index[row.opType] = row.rule;
  return index;
}

ShapeRule heddle::lookupShapeRule(llvm::StringRef domain,
                                  llvm::StringRef opType) {
  static const llvm::StringMap<ShapeRule> onnx = indexRules(onnxRules);
  static const llvm::StringMap<ShapeRule> microsoft =
      indexRules(microsoftRules);
  if (domain.empty() || domain == "ai.onnx")
    return onnx.lookup(opType);
  if (domain == "com.microsoft")
    return microsoft.lookup(opType);
  return nullptr;
}
