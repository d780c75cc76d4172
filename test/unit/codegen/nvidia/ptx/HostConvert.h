// HostConvert.h - conversions between the types of cvt, for tests: exact values
// of HostFloat.h, rounded as the PTX ISA (9.7.9.21) says.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_HOST_CONVERT_H
#define HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_HOST_CONVERT_H

#include "test/unit/codegen/nvidia/ptx/Differential.h"
#include "test/unit/codegen/nvidia/ptx/HostFloat.h"

namespace heddle::ptx::test {

/// One value of a type of cvt: an integer, or a floating-point format.
struct Scalar {
  std::string name;
  unsigned bits;
  const HostFormat *format = nullptr;
  bool isSigned = false;

  IntegerType integer() const { return {"", bits, isSigned}; }
};

/// The integers, then f16, bf16, f32, f64 and tf32.
const std::vector<Scalar> &scalars();
const Scalar &scalar(const std::string &name);

/// A spelling of cvt, and what its modifiers say.
struct Conversion {
  std::string to, from;
  std::string modifiers; ///< `.rn.ftz`
  Direction direction = Direction::Even;
  bool integral = false; ///< `.rni` and its kin
  bool flush = false, saturate = false, satfinite = false, relu = false;

  std::string text() const { return "cvt" + modifiers + "." + to + "." + from; }
};

/// Every conversion that ptxas 13.0 takes, and the like of PTX 9.1 and 9.2 for
/// pairs. Scalar types and packed ones.
std::vector<Conversion> legalConversions();

/// The bits of `raw`, of the type `from`, as the type `to`.
uint64_t converted(uint64_t raw, const Scalar &from, const Scalar &to,
                   const Conversion &how);

/// Values of a type: edges, random ones, and those around the limits of every
/// type that may be the target.
Column convertInputs(const Scalar &type);

} // namespace heddle::ptx::test

#endif // HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_HOST_CONVERT_H
