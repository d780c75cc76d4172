//===- Transpose.h - square blocks across memory ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_CPU_TRANSPOSE_H
#define HEDDLE_CODEGEN_CPU_TRANSPOSE_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace heddle {

/// Transposes as many vectors as each has elements, a power of two.
llvm::SmallVector<mlir::Value>
transposeVectors(mlir::ImplicitLocOpBuilder &b,
                 llvm::ArrayRef<mlir::Value> rows);

/// A vector<width x i1> whose first `count` lanes are set; none for a negative
/// count.
mlir::Value buildMask(mlir::ImplicitLocOpBuilder &b, int64_t width,
                      mlir::Value count);

} // namespace heddle

#endif // HEDDLE_CODEGEN_CPU_TRANSPOSE_H
