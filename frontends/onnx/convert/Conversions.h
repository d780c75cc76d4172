//===- Conversions.h - conversion functions by family ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// The functions that the rows of the operator table name, except elementwise
// operators (Elementwise.h). Each is a NodeConversionFunction.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_CONVERT_CONVERSIONS_H
#define HEDDLE_FRONTENDS_ONNX_CONVERT_CONVERSIONS_H

#include "frontends/onnx/convert/NodeConversion.h"

namespace heddle {

// Attention.cpp
mlir::LogicalResult convertAttention(NodeConversion &node);

// Gathers.cpp
mlir::LogicalResult convertGather(NodeConversion &node);
mlir::LogicalResult convertGatherElements(NodeConversion &node);
mlir::LogicalResult convertGatherND(NodeConversion &node);

// Generators.cpp
mlir::LogicalResult convertConstantOfShape(NodeConversion &node);
mlir::LogicalResult convertOneHot(NodeConversion &node);
mlir::LogicalResult convertRange(NodeConversion &node);
mlir::LogicalResult convertTrilu(NodeConversion &node);

// Matmul.cpp
mlir::LogicalResult convertGemm(NodeConversion &node);
mlir::LogicalResult convertMatMul(NodeConversion &node);

// Normalization.cpp
mlir::LogicalResult convertLayerNormalization(NodeConversion &node);
mlir::LogicalResult convertRMSNormalization(NodeConversion &node);

// Reductions.cpp
mlir::LogicalResult convertArgMax(NodeConversion &node);
mlir::LogicalResult convertArgMin(NodeConversion &node);
mlir::LogicalResult convertCumSum(NodeConversion &node);
mlir::LogicalResult convertReduceL1(NodeConversion &node);
mlir::LogicalResult convertReduceL2(NodeConversion &node);
mlir::LogicalResult convertReduceLogSum(NodeConversion &node);
mlir::LogicalResult convertReduceLogSumExp(NodeConversion &node);
mlir::LogicalResult convertReduceMax(NodeConversion &node);
mlir::LogicalResult convertReduceMean(NodeConversion &node);
mlir::LogicalResult convertReduceMin(NodeConversion &node);
mlir::LogicalResult convertReduceProd(NodeConversion &node);
mlir::LogicalResult convertReduceSum(NodeConversion &node);
mlir::LogicalResult convertReduceSumSquare(NodeConversion &node);

// Slices.cpp
mlir::LogicalResult convertConcat(NodeConversion &node);
mlir::LogicalResult convertPad(NodeConversion &node);
mlir::LogicalResult convertSlice(NodeConversion &node);
mlir::LogicalResult convertSplit(NodeConversion &node);

// Softmax.cpp
mlir::LogicalResult convertLogSoftmax(NodeConversion &node);
mlir::LogicalResult convertSoftmax(NodeConversion &node);

// Views.cpp
mlir::LogicalResult convertExpand(NodeConversion &node);
mlir::LogicalResult convertKnownInteger(NodeConversion &node);
mlir::LogicalResult convertReshape(NodeConversion &node);
mlir::LogicalResult convertTile(NodeConversion &node);
mlir::LogicalResult convertTranspose(NodeConversion &node);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_CONVERT_CONVERSIONS_H
