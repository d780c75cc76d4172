//===- Materialize.h - expressions as index arithmetic ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_DIALECTS_SYMBOLIC_MATERIALIZE_H
#define HEDDLE_DIALECTS_SYMBOLIC_MATERIALIZE_H

#include "dialects/symbolic/SymExpr.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

#include <functional>

namespace heddle {

/// Writes expressions as `arith` operations of type `index`, each distinct
/// subexpression once. All operations go where `builder` points; the caller
/// keeps that point moving forward only, so that what was written stays in
/// scope.
class SymMaterializer {
public:
  /// `symbolValues` gives the `index` value of a symbol, null if it has none.
  SymMaterializer(mlir::OpBuilder &builder, mlir::Location loc,
                  std::function<mlir::Value(const SymAtom &)> symbolValues);

  /// The value of `expr`; null when it holds a symbol that has no value.
  mlir::Value materialize(SymExpr expr);

private:
  mlir::Value materializeAtom(const SymAtom &atom);
  mlir::Value materializeTerm(const SymTerm &term);
  mlir::Value operation(const SymAtom &atom);
  mlir::Value division(const SymAtom &atom, mlir::Value dividend,
                       mlir::Value divisor);
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value lhs,
                      mlir::Value rhs);
  mlir::Value constant(int64_t value);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  std::function<mlir::Value(const SymAtom &)> symbolValues;
  llvm::DenseMap<SymExpr, mlir::Value> values;
  llvm::DenseMap<const SymAtom *, mlir::Value> atomValues;
};

} // namespace heddle

#endif // HEDDLE_DIALECTS_SYMBOLIC_MATERIALIZE_H
