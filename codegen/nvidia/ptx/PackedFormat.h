// PackedFormat.h - values of small formats side by side in a word; private.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_PACKEDFORMAT_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_PACKEDFORMAT_H

#include "codegen/nvidia/ptx/Formats.h"
#include "codegen/nvidia/ptx/Module.h"

namespace heddle::ptx {

/// A packed type of cvt (PTX ISA 9.7.9.21). The first operand's value lies in
/// the uppermost bits; values of 6 bits have two zeros above them.
struct PackedFormat {
  Type type;
  const Format *format; ///< null for ue8m0, an exponent alone
  unsigned count;       ///< of values
  unsigned elementBits; ///< for one value

  /// The untyped bits of a register that holds it.
  Type word() const {
    return count * elementBits == 8    ? Type::B8
           : count * elementBits == 16 ? Type::B16
                                       : Type::B32;
  }
};

/// Null for types that are not packed.
const PackedFormat *packedFormat(Type type);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_PACKEDFORMAT_H
