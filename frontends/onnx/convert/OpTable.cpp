//===- OpTable.cpp - the supported ONNX operators -------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "frontends/onnx/convert/OpTable.h"

#include "frontends/onnx/convert/Conversions.h"
#include "frontends/onnx/convert/Elementwise.h"

using namespace mlir;
using namespace heddle;

// An operator that is older than the oldest operator set starts there. Where
// versions differ only in how the shape of the result is given (an attribute or
// an input), the shape analysis has settled it, and one row serves all.
static constexpr OpRow rows[] = {
    {"", "Abs", oldestOpset, newestOpset, elementwise<scalar::abs>},
    {"", "Acos", oldestOpset, newestOpset, elementwise<scalar::acos>},
    {"", "Acosh", oldestOpset, newestOpset, elementwise<scalar::acosh>},
    {"", "Add", oldestOpset, newestOpset, elementwise<scalar::add>},
    {"", "And", oldestOpset, newestOpset, elementwise<scalar::bitwiseAnd>},
    {"", "ArgMax", oldestOpset, newestOpset, convertArgMax},
    {"", "ArgMin", oldestOpset, newestOpset, convertArgMin},
    {"", "Asin", oldestOpset, newestOpset, elementwise<scalar::asin>},
    {"", "Asinh", oldestOpset, newestOpset, elementwise<scalar::asinh>},
    {"", "Atan", oldestOpset, newestOpset, elementwise<scalar::atan>},
    {"", "Atanh", oldestOpset, newestOpset, elementwise<scalar::atanh>},
    {"", "Attention", 23, newestOpset, convertAttention},
    {"", "BitShift", oldestOpset, newestOpset, elementwise<scalar::bitShift>},
    {"", "BitwiseAnd", 18, newestOpset, elementwise<scalar::bitwiseAnd>},
    {"", "BitwiseNot", 18, newestOpset, elementwise<scalar::bitwiseNot>},
    {"", "BitwiseOr", 18, newestOpset, elementwise<scalar::bitwiseOr>},
    {"", "BitwiseXor", 18, newestOpset, elementwise<scalar::bitwiseXor>},
    {"", "Cast", oldestOpset, newestOpset, convertCast},
    {"", "CastLike", 15, newestOpset, convertCast},
    {"", "Ceil", oldestOpset, newestOpset, elementwise<scalar::ceil>},
    {"", "Celu", 12, newestOpset, elementwise<scalar::celu>},
    {"", "Clip", oldestOpset, newestOpset, elementwise<scalar::clip>},
    {"", "Concat", oldestOpset, newestOpset, convertConcat},
    {"", "ConstantOfShape", oldestOpset, newestOpset, convertConstantOfShape},
    {"", "Cos", oldestOpset, newestOpset, elementwise<scalar::cos>},
    {"", "Cosh", oldestOpset, newestOpset, elementwise<scalar::cosh>},
    {"", "CumSum", oldestOpset, newestOpset, convertCumSum},
    {"", "Div", oldestOpset, newestOpset, elementwise<scalar::div>},
    {"", "Dropout", oldestOpset, newestOpset, convertDropout},
    {"", "Elu", oldestOpset, newestOpset, elementwise<scalar::elu>},
    {"", "Equal", oldestOpset, newestOpset, elementwise<scalar::equal>},
    {"", "Erf", oldestOpset, newestOpset, elementwise<scalar::erf>},
    {"", "Exp", oldestOpset, newestOpset, elementwise<scalar::exp>},
    {"", "Expand", oldestOpset, newestOpset, convertExpand},
    {"", "Flatten", oldestOpset, newestOpset, convertReshape},
    {"", "Floor", oldestOpset, newestOpset, elementwise<scalar::floor>},
    {"", "Gather", oldestOpset, newestOpset, convertGather},
    {"", "GatherElements", oldestOpset, newestOpset, convertGatherElements},
    {"", "GatherND", oldestOpset, newestOpset, convertGatherND},
    {"", "Gelu", 20, newestOpset, elementwise<scalar::gelu>},
    {"", "Gemm", oldestOpset, newestOpset, convertGemm},
    {"", "Greater", oldestOpset, newestOpset, elementwise<scalar::greater>},
    {"", "GreaterOrEqual", 12, newestOpset,
     elementwise<scalar::greaterOrEqual>},
    {"", "HardSigmoid", oldestOpset, newestOpset,
     elementwise<scalar::hardSigmoid>},
    {"", "HardSwish", 14, newestOpset, elementwise<scalar::hardSwish>},
    {"", "Identity", oldestOpset, newestOpset, convertIdentity},
    {"", "IsInf", oldestOpset, newestOpset, elementwise<scalar::isInf>},
    {"", "IsNaN", oldestOpset, newestOpset, elementwise<scalar::isNaN>},
    {"", "LayerNormalization", 17, newestOpset, convertLayerNormalization},
    {"", "LeakyRelu", oldestOpset, newestOpset, elementwise<scalar::leakyRelu>},
    {"", "Less", oldestOpset, newestOpset, elementwise<scalar::less>},
    {"", "LessOrEqual", 12, newestOpset, elementwise<scalar::lessOrEqual>},
    {"", "Log", oldestOpset, newestOpset, elementwise<scalar::log>},
    {"", "LogSoftmax", oldestOpset, newestOpset, convertLogSoftmax},
    {"", "MatMul", oldestOpset, newestOpset, convertMatMul},
    {"", "Max", oldestOpset, newestOpset, elementwise<scalar::max>},
    {"", "Mean", oldestOpset, newestOpset, elementwise<scalar::mean>},
    {"", "Min", oldestOpset, newestOpset, elementwise<scalar::min>},
    {"", "Mish", 18, newestOpset, elementwise<scalar::mish>},
    {"", "Mod", oldestOpset, newestOpset, elementwise<scalar::mod>},
    {"", "Mul", oldestOpset, newestOpset, elementwise<scalar::mul>},
    {"", "Neg", oldestOpset, newestOpset, elementwise<scalar::neg>},
    {"", "Not", oldestOpset, newestOpset, elementwise<scalar::bitwiseNot>},
    {"", "OneHot", oldestOpset, newestOpset, convertOneHot},
    {"", "Or", oldestOpset, newestOpset, elementwise<scalar::bitwiseOr>},
    {"", "PRelu", oldestOpset, newestOpset, elementwise<scalar::pRelu>},
    {"", "Pad", oldestOpset, newestOpset, convertPad},
    {"", "Pow", oldestOpset, newestOpset, elementwise<scalar::pow>},
    {"", "RMSNormalization", 23, newestOpset, convertRMSNormalization},
    {"", "Range", oldestOpset, newestOpset, convertRange},
    {"", "Reciprocal", oldestOpset, newestOpset,
     elementwise<scalar::reciprocal>},
    {"", "ReduceL1", oldestOpset, newestOpset, convertReduceL1},
    {"", "ReduceL2", oldestOpset, newestOpset, convertReduceL2},
    {"", "ReduceLogSum", oldestOpset, newestOpset, convertReduceLogSum},
    {"", "ReduceLogSumExp", oldestOpset, newestOpset, convertReduceLogSumExp},
    {"", "ReduceMax", oldestOpset, newestOpset, convertReduceMax},
    {"", "ReduceMean", oldestOpset, newestOpset, convertReduceMean},
    {"", "ReduceMin", oldestOpset, newestOpset, convertReduceMin},
    {"", "ReduceProd", oldestOpset, newestOpset, convertReduceProd},
    {"", "ReduceSum", oldestOpset, newestOpset, convertReduceSum},
    {"", "ReduceSumSquare", oldestOpset, newestOpset, convertReduceSumSquare},
    {"", "Relu", oldestOpset, newestOpset, elementwise<scalar::relu>},
    {"", "Reshape", oldestOpset, newestOpset, convertReshape},
    {"", "Round", oldestOpset, newestOpset, elementwise<scalar::round>},
    {"", "Selu", oldestOpset, newestOpset, elementwise<scalar::selu>},
    {"", "Shape", oldestOpset, newestOpset, convertKnownInteger},
    {"", "Sigmoid", oldestOpset, newestOpset, elementwise<scalar::sigmoid>},
    {"", "Sign", oldestOpset, newestOpset, elementwise<scalar::sign>},
    {"", "Sin", oldestOpset, newestOpset, elementwise<scalar::sin>},
    {"", "Sinh", oldestOpset, newestOpset, elementwise<scalar::sinh>},
    {"", "Size", oldestOpset, newestOpset, convertKnownInteger},
    {"", "Slice", oldestOpset, newestOpset, convertSlice},
    {"", "Softmax", oldestOpset, newestOpset, convertSoftmax},
    {"", "Softplus", oldestOpset, newestOpset, elementwise<scalar::softplus>},
    {"", "Softsign", oldestOpset, newestOpset, elementwise<scalar::softsign>},
    {"", "Split", oldestOpset, newestOpset, convertSplit},
    {"", "Sqrt", oldestOpset, newestOpset, elementwise<scalar::sqrt>},
    {"", "Squeeze", oldestOpset, newestOpset, convertReshape},
    {"", "Sub", oldestOpset, newestOpset, elementwise<scalar::sub>},
    {"", "Sum", oldestOpset, newestOpset, elementwise<scalar::sum>},
    {"", "Swish", 24, newestOpset, elementwise<scalar::swish>},
    {"", "Tan", oldestOpset, newestOpset, elementwise<scalar::tan>},
    {"", "Tanh", oldestOpset, newestOpset, elementwise<scalar::tanh>},
    {"", "ThresholdedRelu", oldestOpset, newestOpset,
     elementwise<scalar::thresholdedRelu>},
    {"", "Tile", oldestOpset, newestOpset, convertTile},
    {"", "Transpose", oldestOpset, newestOpset, convertTranspose},
    {"", "Trilu", 14, newestOpset, convertTrilu},
    {"", "Unsqueeze", oldestOpset, newestOpset, convertReshape},
    {"", "Where", oldestOpset, newestOpset, elementwise<scalar::where>},
    {"", "Xor", oldestOpset, newestOpset, elementwise<scalar::bitwiseXor>},
};

ArrayRef<OpRow> heddle::opTable() { return rows; }

const OpRow *heddle::lookupOp(StringRef domain, StringRef opType,
                              int64_t version) {
  const OpRow *row = llvm::find_if(rows, [&](const OpRow &candidate) {
    return candidate.domain == domain && candidate.opType == opType &&
           candidate.firstVersion <= version &&
           version <= candidate.lastVersion;
  });
  return row == std::end(rows) ? nullptr : row;
}
