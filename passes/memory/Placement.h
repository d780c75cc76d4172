//===- Placement.h - where the tensors of a program live --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_PASSES_MEMORY_PLACEMENT_H
#define HEDDLE_PASSES_MEMORY_PLACEMENT_H

#include "dialects/heddle/HeddleDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

namespace heddle {

/// Decides where each tensor of an entry lives. A tensor that only one op reads
/// lives where that op wants it: in the caller's output when it is returned, in
/// its part of a concatenation, or such that a transpose or reshape of it is
/// the reader's own memory. Everything else gets a buffer of its own.
class Placement {
public:
  /// `outputs` are the memrefs of the entry's results, in order; they may be
  /// added after this.
  Placement(mlir::RewriterBase &rewriter,
            const llvm::SmallVectorImpl<mlir::BlockArgument> &outputs)
      : rewriter(rewriter), outputs(outputs) {}

  /// The memref of `tensor`, or null if it has none yet.
  mlir::Value lookup(mlir::Value tensor) const {
    return memrefs.lookup(tensor);
  }

  /// Says that `tensor` lives in `memref`.
  void assign(mlir::Value tensor, mlir::Value memref) {
    memrefs[tensor] = memref;
  }

  /// The memref for whoever writes `tensor`, which must satisfy `layout`; made
  /// at the insertion point if there is none.
  mlir::FailureOr<mlir::Value> getDestination(mlir::Value tensor,
                                              Layout layout);

  /// A new buffer for a tensor of the type and sizes of `tensor`.
  mlir::FailureOr<mlir::Value> createBuffer(mlir::Value tensor);

  /// The part of a concatenation that its operand `index` fills.
  mlir::FailureOr<mlir::Value> getConcatPart(mlir::tensor::ConcatOp concat,
                                             unsigned index);

private:
  /// The memref that the one reader of `tensor` wants it in, or null. Where it
  /// is returned, other readers read the output.
  mlir::FailureOr<mlir::Value> findWanted(mlir::Value tensor);
  /// Forgets the places that the views of `tensor` got for the sake of writing
  /// `tensor` through them.
  void forgetViews(mlir::Value tensor);

  mlir::RewriterBase &rewriter;
  const llvm::SmallVectorImpl<mlir::BlockArgument> &outputs;
  llvm::DenseMap<mlir::Value, mlir::Value> memrefs;
  llvm::DenseMap<std::pair<mlir::Operation *, unsigned>, mlir::Value>
      concatParts;
};

} // namespace heddle

#endif // HEDDLE_PASSES_MEMORY_PLACEMENT_H
