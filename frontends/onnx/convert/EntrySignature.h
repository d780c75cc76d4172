//===- EntrySignature.h - sizes at the borders of an entry -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_FRONTENDS_ONNX_CONVERT_ENTRYSIGNATURE_H
#define HEDDLE_FRONTENDS_ONNX_CONVERT_ENTRYSIGNATURE_H

#include "dialects/symbolic/Materialize.h"
#include "frontends/onnx/shapes/ShapeAnalysis.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace heddle {

/// Writes the beginning of an entry: the symbols of the arguments' sizes, what
/// ties them to the arguments, and the guards.
class EntrySignature {
public:
  /// `function` is the function of `onnx` operations that was analysed;
  /// `builder` points into the new entry.
  EntrySignature(mlir::func::FuncOp function, const ShapeAnalysis &analysis,
                 mlir::OpBuilder &builder);

  /// The type of an argument or result of known shape in the new program.
  static mlir::RankedTensorType convertedType(const ShapeAnalysis &analysis,
                                              mlir::Value value);

  /// Binds the sizes of `arguments`, which stand for those of the analysed
  /// function.
  void bindArguments(mlir::ValueRange arguments);

  /// The guards of the analysis. One about sizes that only the data decide is
  /// left out: nothing that depends on such sizes is converted.
  void emitGuards();

  /// Index arithmetic at the point of `builder`.
  SymMaterializer &sizes() { return materializer; }

private:
  mlir::Value makeSymbol(llvm::StringRef name, const SymRange &range);
  mlir::Value axisSize(SymExpr size);
  void solveSymbols();

  mlir::func::FuncOp function;
  const ShapeAnalysis &analysis;
  mlir::OpBuilder &builder;
  llvm::DenseMap<const SymAtom *, mlir::Value> symbolValues;
  /// Sizes of arguments that are not one symbol, such as `past_seq + seq`.
  llvm::SmallVector<std::pair<SymExpr, mlir::Value>> compoundSizes;
  SymMaterializer materializer;
};

} // namespace heddle

#endif // HEDDLE_FRONTENDS_ONNX_CONVERT_ENTRYSIGNATURE_H
