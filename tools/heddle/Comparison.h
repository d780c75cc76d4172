//===- Comparison.h - computed against expected values ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_TOOLS_HEDDLE_COMPARISON_H
#define HEDDLE_TOOLS_HEDDLE_COMPARISON_H

#include "tools/heddle/Tensor.h"

#include <optional>

namespace heddle::cli {

/// How far a value may be off. Unset: the default of the element type.
struct Tolerance {
  /// Relative to the expected value. Default: 1e-4 for float32 and float64,
  /// 2e-2 for the 16-bit floats.
  std::optional<double> relative;
  /// Absolute. Default, in parts of the largest finite magnitude expected:
  /// 1e-5 for float32 and float64, two machine epsilons for the 16-bit floats
  /// (docs/decisions/0009-tolerances.md).
  std::optional<double> absolute;
};

/// The outcome for one output.
struct Comparison {
  /// Empty if they match; otherwise what differs in dtype, shape or values.
  std::string mismatch;
  double maxAbsoluteError = 0;
  /// The largest |got - expected| / (absolute + relative * |expected|): values
  /// match up to 1.
  double maxToleranceShare = 0;
};

/// Compares element by element: |got - expected| <= absolute + relative *
/// |expected|. Infinities and NaNs must be in the same places, integers and
/// booleans equal.
Comparison compare(const Tensor &got, const Tensor &expected,
                   const Tolerance &tolerance);

} // namespace heddle::cli

#endif // HEDDLE_TOOLS_HEDDLE_COMPARISON_H
