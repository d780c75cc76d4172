//===- MicroKernel.h - a tile of a matrix product in registers --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_CPU_MICROKERNEL_H
#define HEDDLE_CODEGEN_CPU_MICROKERNEL_H

#include "codegen/cpu/Loops.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace heddle {

/// The innermost loop of f32 products: per step one vector load for every
/// `width` columns, one broadcast per row, and a fused multiply-add for each
/// pair. The sums stay in rows * columns / width registers of native width.
struct MicroKernel {
  int64_t rows = 0;    ///< the most rows of a tile
  int64_t columns = 0; ///< columns of every tile, a multiple of `width`
  int64_t width = 0;   ///< f32 elements of a vector register
  int64_t unroll = 1;  ///< steps per iteration; divides the depth

  /// What one tile reads and writes; all in f32.
  struct Operands {
    /// Rows from `firstRow` on, [rows, depth], or [depth, rows] if transposed.
    mlir::Value lhs, firstRow;
    bool lhsTransposed = false;
    /// Columns of the tile, [rhsIndices..., depth, columns]; step `depth.begin`
    /// is at row `firstRhsRow` + 0.
    mlir::Value rhs, firstRhsRow;
    llvm::SmallVector<mlir::Value> rhsIndices;
    /// The part of the contracted axis.
    IndexRange depth;
    /// A vector per `width` columns that the sums of every row start from. If
    /// empty they start from `results`.
    llvm::SmallVector<mlir::Value> initial;
    /// Where the sums go, from row `firstResultRow` on, [rows, columns].
    mlir::Value results, firstResultRow;
  };

  /// Calls `body` with the first row and the number of rows of blocks of at
  /// most `rows` rows that differ by one row at most: 17 rows in blocks of 8
  /// are 6 + 6 + 5, because a tile of one row would wait for the right matrix
  /// as long as one of eight.
  void
  buildBlocks(mlir::ImplicitLocOpBuilder &b, IndexRange range,
              llvm::function_ref<void(mlir::Value, mlir::Value)> body) const;

  /// Builds the code for tiles of 1 to `rows` rows, of which `count` chooses.
  void build(mlir::ImplicitLocOpBuilder &b, const Operands &operands,
             mlir::Value count) const;

  /// A vector constant.
  mlir::Value splat(mlir::ImplicitLocOpBuilder &b, float value) const;

private:
  void buildTile(mlir::ImplicitLocOpBuilder &b, const Operands &operands,
                 int64_t height) const;
  llvm::SmallVector<mlir::Value>
  buildStep(mlir::ImplicitLocOpBuilder &b, const Operands &operands,
            llvm::ArrayRef<mlir::Value> rowIndices, mlir::Value step,
            mlir::ValueRange sums) const;
};

} // namespace heddle

#endif // HEDDLE_CODEGEN_CPU_MICROKERNEL_H
