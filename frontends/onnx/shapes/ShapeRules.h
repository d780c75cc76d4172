//===- ShapeRules.h - one function per operator -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// The rules that the table in ShapeRules.cpp names, by the file that holds
// them. A rule serves several operators where their shapes follow the same way.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_SHAPES_SHAPERULES_H
#define HEDDLE_FRONTENDS_ONNX_SHAPES_SHAPERULES_H

#include "frontends/onnx/shapes/RuleContext.h"

namespace heddle {

/// Tensors of a higher rank are refused: a file of a few bytes could otherwise
/// ask for any number of axes.
inline constexpr int64_t maxTensorRank = 64;

// ElementwiseRules.cpp
mlir::LogicalResult inferSameShape(RuleContext &node);
mlir::LogicalResult inferScaledSameShape(RuleContext &node);
mlir::LogicalResult inferIdentity(RuleContext &node);
mlir::LogicalResult inferNeg(RuleContext &node);
mlir::LogicalResult inferAbs(RuleContext &node);
mlir::LogicalResult inferSign(RuleContext &node);
mlir::LogicalResult inferNot(RuleContext &node);
mlir::LogicalResult inferFloatTest(RuleContext &node);
mlir::LogicalResult inferCast(RuleContext &node);
mlir::LogicalResult inferCastLike(RuleContext &node);
mlir::LogicalResult inferClip(RuleContext &node);
mlir::LogicalResult inferBroadcast(RuleContext &node);
mlir::LogicalResult inferAdd(RuleContext &node);
mlir::LogicalResult inferSub(RuleContext &node);
mlir::LogicalResult inferMul(RuleContext &node);
mlir::LogicalResult inferDiv(RuleContext &node);
mlir::LogicalResult inferPow(RuleContext &node);
mlir::LogicalResult inferMod(RuleContext &node);
mlir::LogicalResult inferMin(RuleContext &node);
mlir::LogicalResult inferMax(RuleContext &node);
mlir::LogicalResult inferSum(RuleContext &node);
mlir::LogicalResult inferEqual(RuleContext &node);
mlir::LogicalResult inferLess(RuleContext &node);
mlir::LogicalResult inferLessOrEqual(RuleContext &node);
mlir::LogicalResult inferGreater(RuleContext &node);
mlir::LogicalResult inferGreaterOrEqual(RuleContext &node);
mlir::LogicalResult inferAnd(RuleContext &node);
mlir::LogicalResult inferOr(RuleContext &node);
mlir::LogicalResult inferXor(RuleContext &node);
mlir::LogicalResult inferWhere(RuleContext &node);

// GeneratorRules.cpp
mlir::LogicalResult inferShape(RuleContext &node);
mlir::LogicalResult inferSize(RuleContext &node);
mlir::LogicalResult inferConstantOfShape(RuleContext &node);
mlir::LogicalResult inferRange(RuleContext &node);
mlir::LogicalResult inferEyeLike(RuleContext &node);

// LayoutRules.cpp
mlir::LogicalResult inferReshape(RuleContext &node);
mlir::LogicalResult inferFlatten(RuleContext &node);
mlir::LogicalResult inferUnsqueeze(RuleContext &node);
mlir::LogicalResult inferSqueeze(RuleContext &node);
mlir::LogicalResult inferTranspose(RuleContext &node);
mlir::LogicalResult inferExpand(RuleContext &node);
mlir::LogicalResult inferTile(RuleContext &node);

// SliceRules.cpp
mlir::LogicalResult inferSlice(RuleContext &node);
mlir::LogicalResult inferSplit(RuleContext &node);
mlir::LogicalResult inferConcat(RuleContext &node);
mlir::LogicalResult inferPad(RuleContext &node);

// IndexingRules.cpp
mlir::LogicalResult inferGather(RuleContext &node);
mlir::LogicalResult inferGatherElements(RuleContext &node);
mlir::LogicalResult inferGatherND(RuleContext &node);
mlir::LogicalResult inferTopK(RuleContext &node);
mlir::LogicalResult inferNonZero(RuleContext &node);
mlir::LogicalResult inferOneHot(RuleContext &node);

// ReductionRules.cpp
mlir::LogicalResult inferReduce(RuleContext &node);
mlir::LogicalResult inferReduceSum(RuleContext &node);
mlir::LogicalResult inferReduceProd(RuleContext &node);
mlir::LogicalResult inferReduceMin(RuleContext &node);
mlir::LogicalResult inferReduceMax(RuleContext &node);
mlir::LogicalResult inferArgReduce(RuleContext &node);
mlir::LogicalResult inferCumSum(RuleContext &node);

// ContractionRules.cpp
mlir::LogicalResult inferMatMul(RuleContext &node);
mlir::LogicalResult inferMatMulInteger(RuleContext &node);
mlir::LogicalResult inferQLinearMatMul(RuleContext &node);
mlir::LogicalResult inferGemm(RuleContext &node);
mlir::LogicalResult inferEinsum(RuleContext &node);
mlir::LogicalResult inferConv(RuleContext &node);
mlir::LogicalResult inferConvInteger(RuleContext &node);
mlir::LogicalResult inferQLinearConv(RuleContext &node);
mlir::LogicalResult inferPool(RuleContext &node);
mlir::LogicalResult inferGlobalPool(RuleContext &node);

// NormalizationRules.cpp
mlir::LogicalResult inferLayerNormalization(RuleContext &node);
mlir::LogicalResult inferSkipLayerNormalization(RuleContext &node);
mlir::LogicalResult inferEmbedLayerNormalization(RuleContext &node);
mlir::LogicalResult inferDropout(RuleContext &node);
mlir::LogicalResult inferQuantizeLinear(RuleContext &node);
mlir::LogicalResult inferDequantizeLinear(RuleContext &node);
mlir::LogicalResult inferDynamicQuantizeLinear(RuleContext &node);

// AttentionRules.cpp
mlir::LogicalResult inferAttention(RuleContext &node);
mlir::LogicalResult inferContribAttention(RuleContext &node);
mlir::LogicalResult inferQAttention(RuleContext &node);
mlir::LogicalResult inferGroupQueryAttention(RuleContext &node);

// ContribRules.cpp
mlir::LogicalResult inferMatMulNBits(RuleContext &node);
mlir::LogicalResult inferGatherBlockQuantized(RuleContext &node);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_SHAPES_SHAPERULES_H
