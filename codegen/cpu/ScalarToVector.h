//===- ScalarToVector.h - scalar ops on the lanes of a vector ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_CPU_SCALARTOVECTOR_H
#define HEDDLE_CODEGEN_CPU_SCALARTOVECTOR_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace heddle {

/// A scalar of an elementwise body, for consecutive elements at once.
struct Lanes {
  enum class Kind {
    Uniform, ///< `value` is the scalar, the same in every lane
    Linear,  ///< `value` is the index of lane 0, and lane i has `value` + i
    Varying, ///< `value` is a vector
  };
  Kind kind = Kind::Uniform;
  mlir::Value value;

  static Lanes uniform(mlir::Value value) { return {Kind::Uniform, value}; }
  static Lanes linear(mlir::Value value) { return {Kind::Linear, value}; }
  static Lanes varying(mlir::Value value) { return {Kind::Varying, value}; }
  bool isUniform() const { return kind == Kind::Uniform; }
};

/// `memref` as one axis of stride 1 that starts at its first element. The size
/// of the axis means nothing: indices are offsets in elements.
mlir::Value flattenMemory(mlir::ImplicitLocOpBuilder &builder,
                          mlir::Value memref);

/// Applies scalar ops and memory accesses to `width` lanes at once. Memrefs are
/// of the memory types of their elements (getMemoryType).
class LaneBuilder {
public:
  /// `mask` is a vector<width x i1> of the lanes that exist, or null for all:
  /// the others neither touch memory nor report faults.
  LaneBuilder(mlir::ImplicitLocOpBuilder &builder, int64_t width,
              mlir::Value mask = {})
      : b(builder), width(width), mask(mask) {}

  mlir::ImplicitLocOpBuilder &getBuilder() { return b; }
  int64_t getWidth() const { return width; }
  mlir::Value getMask() const { return mask; }

  /// `lanes` as a vector.
  mlir::Value toVector(Lanes lanes);

  /// `op` with its operands replaced; one entry per result. Fails on an op that
  /// is not elementwise (OpTrait::ElementwiseMappable).
  mlir::FailureOr<llvm::SmallVector<Lanes>>
  apply(mlir::Operation *op, llvm::ArrayRef<Lanes> operands);

  /// The elements of `memref` at `indices` as elements of type `element`. With
  /// `unitInner` the last axis is known to have stride 1.
  Lanes read(mlir::Value memref, llvm::ArrayRef<Lanes> indices,
             mlir::Type element, bool unitInner);

  /// Stores `value`; the last index is linear, the others are uniform. If all
  /// are uniform, so is `value`, and one element is stored.
  void write(Lanes value, mlir::Value memref, llvm::ArrayRef<Lanes> indices,
             bool unitInner);

private:
  mlir::VectorType vectorType(mlir::Type element);
  mlir::Value allLanes();
  mlir::Value offsets(mlir::Value memref, llvm::ArrayRef<Lanes> indices);
  Lanes applyIndex(mlir::Operation *op, llvm::ArrayRef<Lanes> operands);
  Lanes checkIndex(mlir::Operation *op, llvm::ArrayRef<Lanes> operands);
  mlir::Value load(mlir::Value memref, llvm::ArrayRef<Lanes> indices);
  mlir::Value gather(mlir::Value memref, llvm::ArrayRef<Lanes> indices);

  mlir::ImplicitLocOpBuilder &b;
  int64_t width;
  mlir::Value mask;
};

} // namespace heddle

#endif // HEDDLE_CODEGEN_CPU_SCALARTOVECTOR_H
