//===- AttentionKernel.h - what attention kernels share ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_CPU_ATTENTIONKERNEL_H
#define HEDDLE_CODEGEN_CPU_ATTENTIONKERNEL_H

#include "codegen/cpu/KernelFunction.h"
#include "codegen/cpu/Loops.h"
#include "codegen/cpu/VectorMath.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace heddle {

/// Keys per block of every attention kernel: their scores stay in half of a
/// first-level cache.
inline constexpr int64_t kBlockKeys = 128;

/// One heddle.attention and the arithmetic on vectors of its scores.
struct AttentionKernel {
  explicit AttentionKernel(KernelFunction &kernel);

  /// Finds the op of the body; fails with a reason if it cannot be built.
  llvm::Error collect();
  /// Reads the sizes from the arguments.
  void readSizes();

  mlir::Value splat(float value);
  /// One instruction; of a NaN and a number either may be taken.
  mlir::Value maximum(mlir::Value x, mlir::Value y);
  /// e to the power of a difference of scores.
  mlir::Value power(mlir::Value difference);
  /// The scale of the queries, with the factor that `inBase2` wants.
  float queryScale();
  /// A vector of scores with cap and mask. `indices` is where they are in
  /// [B, H, S, T], one of the last two linear.
  mlir::Value capAndMask(LaneBuilder &lanes, mlir::Value score,
                         llvm::SmallVector<Lanes> indices);
  /// 1 / `sums`, or 0 where there was no visible key and the op says so.
  mlir::Value invertSums(mlir::Value sums);
  /// `maxima`, or 0 where no key is visible yet: the difference to -infinity
  /// would be no number.
  mlir::Value referenceOf(mlir::Value maxima);
  /// [size of axis 2, size of axis 3] of `tensor` at a batch and a head.
  mlir::Value slice(mlir::Value tensor, mlir::Value batch, mlir::Value head);
  /// The head of key and value that `head` reads.
  mlir::Value keyHeadOf(mlir::Value head);
  /// Scratch memory of `rows` x `columns` f32.
  mlir::Value scratchView(int64_t rows, int64_t columns);

  KernelFunction &kernel;
  mlir::ImplicitLocOpBuilder b;
  VectorMath math;
  AttentionOp op;
  int64_t width;
  mlir::VectorType vectorType;
  int64_t queryFeatures = 0, valueFeatures = 0;
  /// Scores are in units of log2(e), which then is in the queries' scale. With
  /// a mask or a cap they are not: the smallest f32 times log2(e) is -infinity.
  bool inBase2 = false;
  mlir::Value batches, heads, keyHeads, queries, keys;
};

/// Builds the code for exactly one query per head: both products are read once,
/// at the speed of memory.
void buildSingleQueryAttention(AttentionKernel &attention);

} // namespace heddle

#endif // HEDDLE_CODEGEN_CPU_ATTENTIONKERNEL_H
