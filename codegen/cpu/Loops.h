//===- Loops.h - loops and shares of work of kernels ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_CPU_LOOPS_H
#define HEDDLE_CODEGEN_CPU_LOOPS_H

#include "codegen/cpu/KernelFunction.h"
#include "codegen/cpu/ScalarToVector.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace heddle {

/// Index arithmetic.
mlir::Value indexConstant(mlir::ImplicitLocOpBuilder &b, int64_t value);
mlir::Value addIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value x,
                     mlir::Value y);
mlir::Value addIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value x, int64_t y);
mlir::Value multiplyIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value x,
                          mlir::Value y);
/// ceil(x / y) for y > 0.
mlir::Value ceilDivIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value x,
                         mlir::Value y);

/// A half-open range of indices.
struct IndexRange {
  mlir::Value begin, end;
};

/// for (i = begin; i < end; i += step) body(i).
void buildLoop(mlir::ImplicitLocOpBuilder &b, IndexRange range,
               mlir::Value step, llvm::function_ref<void(mlir::Value)> body);

/// The same with values carried from one iteration to the next: `body` gets
/// them and returns the new ones. Returns the last ones.
llvm::SmallVector<mlir::Value>
buildLoop(mlir::ImplicitLocOpBuilder &b, IndexRange range, mlir::Value step,
          mlir::ValueRange initial,
          llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value,
                                                            mlir::ValueRange)>
              body);

/// if (condition) then(), and otherwise(), if given.
void buildIf(mlir::ImplicitLocOpBuilder &b, mlir::Value condition,
             llvm::function_ref<void()> then,
             llvm::function_ref<void()> otherwise = {});

/// This worker's part of `count` items: contiguous, as even as can be.
IndexRange splitWork(mlir::ImplicitLocOpBuilder &b, KernelFunction &kernel,
                     mlir::Value count);

/// The same in blocks of `block` items, so that workers do not write to one
/// cache line.
IndexRange splitWorkInBlocks(mlir::ImplicitLocOpBuilder &b,
                             KernelFunction &kernel, mlir::Value count,
                             int64_t block);

/// Calls `body` for vectors of `width` from `range.begin` on, and for what is
/// left once with a mask.
void buildVectorLoop(mlir::ImplicitLocOpBuilder &b, IndexRange range,
                     int64_t width,
                     llvm::function_ref<void(LaneBuilder &, mlir::Value)> body);

/// The indices of element `number` of a row-major shape.
llvm::SmallVector<mlir::Value> delinearize(mlir::ImplicitLocOpBuilder &b,
                                           mlir::Value number,
                                           llvm::ArrayRef<mlir::Value> sizes);

/// The sizes of `memref`.
llvm::SmallVector<mlir::Value> getSizes(mlir::ImplicitLocOpBuilder &b,
                                        mlir::Value memref);

/// The product of `sizes`, 1 if there are none.
mlir::Value multiplySizes(mlir::ImplicitLocOpBuilder &b,
                          llvm::ArrayRef<mlir::Value> sizes);

} // namespace heddle

#endif // HEDDLE_CODEGEN_CPU_LOOPS_H
