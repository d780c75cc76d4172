//===- WeightsPlan.h - what goes into the weights file ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_HOST_WEIGHTSPLAN_H
#define HEDDLE_CODEGEN_HOST_WEIGHTSPLAN_H

#include "codegen/artefact/WeightsFile.h"
#include "dialects/heddle/HeddleDialect.h"
#include "dialects/heddle/WeightStore.h"

#include "mlir/IR/BuiltinOps.h"

#include <deque>

namespace heddle {

/// The weights that a program reads, each once, in program order, and where
/// each lies in the weights file.
class WeightsPlan {
public:
  /// Collects every heddle.weight with a memref result. Weight references are
  /// resolved by `store`, which must outlive the plan; constants are copied.
  /// Fails with a diagnostic at the op.
  static mlir::FailureOr<WeightsPlan> create(mlir::ModuleOp program,
                                             const WeightStore &store);

  /// The offset in bytes of what `op` reads in the weights file.
  uint64_t getOffset(WeightOp op) const;

  const std::vector<WeightToStore> &getWeights() const { return weights; }

private:
  /// Equal keys are one weight.
  using Key = std::pair<mlir::Attribute, std::pair<int64_t, int64_t>>;
  static Key getKey(WeightOp op);
  mlir::LogicalResult add(WeightOp op, const WeightStore &store);

  std::vector<WeightToStore> weights;
  std::vector<uint64_t> offsets;
  llvm::DenseMap<Key, unsigned> indices;
  /// The bytes of constants; a deque never moves what it holds.
  std::deque<std::vector<char>> constants;
};

/// The number of an element type in the ABI, or nothing for a type that tensors
/// of a program cannot have.
std::optional<heddle_dtype_t> getDtype(mlir::Type type);

} // namespace heddle

#endif // HEDDLE_CODEGEN_HOST_WEIGHTSPLAN_H
