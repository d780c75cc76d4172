//===- VectorMath.h - elementary functions as polynomials -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_CPU_VECTORMATH_H
#define HEDDLE_CODEGEN_CPU_VECTORMATH_H

#include "dialects/heddle/HeddleDialect.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace heddle {

/// Elementary functions of f32 without calls, on scalars and vectors alike. NaN
/// gives NaN. The bounds are against the exact value over the whole range of
/// f32 and are checked in test/unit/codegen/cpu; an ulp is a unit in the last
/// place of the exact result.
class VectorMath {
public:
  explicit VectorMath(mlir::ImplicitLocOpBuilder &builder) : b(builder) {}

  /// e^x within 2 ulp; infinity above the range of f32, and 0 below it.
  mlir::Value exp(mlir::Value x);

  /// 2^x within 3 ulp for x <= 0, but 0 below -126: for softmax, where a result
  /// under the normal numbers adds nothing to a sum of at least 1.
  mlir::Value exp2NonPositive(mlir::Value x);

  /// The natural logarithm within 2 ulp; NaN below 0, -infinity at 0.
  mlir::Value log(mlir::Value x);

  /// The hyperbolic tangent within 3 ulp.
  mlir::Value tanh(mlir::Value x);

  /// The error function within 5 ulp.
  mlir::Value erf(mlir::Value x);

  /// GELU. Its absolute error is below 5e-7 times the larger of 1 and |x|:
  /// where the result is close to 0 both formulas cancel.
  mlir::Value gelu(mlir::Value x, GeluApproximation approximation);

private:
  mlir::Value constant(mlir::Value like, double value);
  mlir::Value integer(mlir::Value like, int32_t value);
  mlir::Value polynomial(mlir::Value x, llvm::ArrayRef<double> coefficients);
  mlir::Value atLeast(mlir::Value x, double bound);
  mlir::Value atMost(mlir::Value x, double bound);
  mlir::Value absolute(mlir::Value x);
  mlir::Value powerOfTwo(mlir::Value exponent);
  mlir::Value asInteger(mlir::Value x);
  mlir::Value asFloat(mlir::Value bits);
  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value subtract(mlir::Value x, mlir::Value y);
  mlir::Value multiply(mlir::Value x, mlir::Value y);
  mlir::Value multiplyAdd(mlir::Value x, mlir::Value y, mlir::Value z);

  mlir::ImplicitLocOpBuilder &b;
};

/// The result of the scalar op `op` on `operands`, which are f32 scalars or
/// vectors, if VectorMath has its function; null otherwise. f16 and bf16 go
/// through f32.
mlir::Value expandMath(mlir::ImplicitLocOpBuilder &builder, mlir::Operation *op,
                       mlir::ValueRange operands);

} // namespace heddle

#endif // HEDDLE_CODEGEN_CPU_VECTORMATH_H
