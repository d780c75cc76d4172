//===- Comparison.cpp - computed against expected values ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "tools/heddle/Comparison.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <cstring>

using namespace llvm;
using namespace heddle::cli;

/// Reads an element of a floating-point tensor.
static double getFloat(const Tensor &tensor, int64_t index) {
  size_t size = heddle_dtype_size(tensor.dtype);
  uint64_t bits = 0;
  std::memcpy(&bits, &tensor.data[index * size], size);
  return APFloat(*getFloatSemantics(tensor.dtype), APInt(8 * size, bits))
      .convertToDouble();
}

/// `[1, 0, 3]`: where in the tensor the element at `index` is.
static std::string describePosition(ArrayRef<int64_t> shape, int64_t index) {
  std::string text = "]";
  for (int64_t size : llvm::reverse(shape)) {
    text = (text == "]" ? "" : ", ") + text;
    text = std::to_string(index % size) + text;
    index /= size;
  }
  return "[" + text;
}

/// The tolerance for outputs of `dtype` up to `largest`
/// (docs/decisions/0009-tolerances.md).
static Tolerance getDefaultTolerance(heddle_dtype dtype, double largest) {
  if (dtype == HEDDLE_F32 || dtype == HEDDLE_F64)
    return {.relative = 1e-4, .absolute = 1e-5 * largest};
  double epsilon =
      2 * std::ldexp(1.0, -static_cast<int>(APFloat::semanticsPrecision(
                              *getFloatSemantics(dtype))));
  return {.relative = 2e-2, .absolute = 2 * epsilon * largest};
}

static void compareFloats(const Tensor &got, const Tensor &expected,
                          const Tolerance &tolerance, Comparison &result) {
  int64_t count = expected.getElementCount();
  double largest = 0;
  for (int64_t i = 0; i < count; ++i)
    if (double value = getFloat(expected, i); std::isfinite(value))
      largest = std::max(largest, std::abs(value));
  Tolerance defaults = getDefaultTolerance(got.dtype, largest);
  double relative = tolerance.relative.value_or(*defaults.relative);
  double absolute = tolerance.absolute.value_or(*defaults.absolute);

  for (int64_t i = 0; i < count; ++i) {
    double a = getFloat(got, i), b = getFloat(expected, i);
    if (a == b || (std::isnan(a) && std::isnan(b)))
      continue;
    double error = std::abs(a - b);
    // An infinity or NaN in one of them only is out of any tolerance.
    double share = std::isfinite(error)
                       ? error / (absolute + relative * std::abs(b))
                       : INFINITY;
    if (std::isfinite(error))
      result.maxAbsoluteError = std::max(result.maxAbsoluteError, error);
    // Written so that 0 / 0, which is no match either, counts too.
    if (!(share <= 1) && result.mismatch.empty())
      result.mismatch = formatv("expected {0:E6}, got {1:E6} at {2}", b, a,
                                describePosition(expected.shape, i));
    result.maxToleranceShare = std::max(result.maxToleranceShare, share);
  }
}

static void compareExactly(const Tensor &got, const Tensor &expected,
                           Comparison &result) {
  size_t size = heddle_dtype_size(expected.dtype);
  for (int64_t i = 0, e = expected.getElementCount(); i < e; ++i) {
    if (!std::memcmp(&got.data[i * size], &expected.data[i * size], size))
      continue;
    uint64_t a = 0, b = 0;
    std::memcpy(&a, &got.data[i * size], size);
    std::memcpy(&b, &expected.data[i * size], size);
    result.maxToleranceShare = INFINITY;
    result.mismatch = formatv("expected {0:x}, got {1:x} (bits) at {2}", b, a,
                              describePosition(expected.shape, i));
    return;
  }
}

Comparison heddle::cli::compare(const Tensor &got, const Tensor &expected,
                                const Tolerance &tolerance) {
  Comparison result;
  if (got.dtype != expected.dtype || got.shape != expected.shape) {
    result.mismatch = "expected " +
                      describeType(expected.dtype, expected.shape) + ", got " +
                      describeType(got.dtype, got.shape);
    return result;
  }
  if (getFloatSemantics(expected.dtype))
    compareFloats(got, expected, tolerance, result);
  else
    compareExactly(got, expected, result);
  return result;
}
