//===- ValueMap.h - symbolic evaluation of whole arrays ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_SHAPES_VALUEMAP_H
#define HEDDLE_FRONTENDS_ONNX_SHAPES_VALUEMAP_H

#include "frontends/onnx/shapes/AbstractTensor.h"

namespace heddle {

/// The elements of an array, if all are known.
using KnownValues = std::optional<std::vector<SymExpr>>;

/// Applies `function` to the broadcast elements of `operands`; a null result
/// makes the array unknown. `resultShape` is what the operands broadcast to.
KnownValues mapValues(
    llvm::ArrayRef<const AbstractTensor *> operands,
    const SymShape &resultShape,
    llvm::function_ref<SymExpr(llvm::ArrayRef<SymExpr> elements)> function);

/// The elements of `tensor` at the positions that `sourceOf` gives for every
/// element of an array of `resultShape`, in row-major order. Unknown if the
/// elements are, if `resultShape` is not constant and small, or if a position
/// is out of range.
KnownValues gatherValues(
    const AbstractTensor &tensor, const SymShape &resultShape,
    llvm::function_ref<int64_t(llvm::ArrayRef<int64_t> coordinates)> sourceOf);

/// The elements of `tensor`, if an array of `resultShape` holds as many.
KnownValues reshapeValues(const AbstractTensor &tensor,
                          const SymShape &resultShape);

/// The elements of `tensor` repeated to `resultShape`, which it broadcasts to.
KnownValues expandValues(const AbstractTensor &tensor,
                         const SymShape &resultShape);

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_SHAPES_VALUEMAP_H
