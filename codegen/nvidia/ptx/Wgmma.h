// Wgmma.h - matrix descriptors of wgmma (PTX ISA 9.7.15.5.1.2); private.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_WGMMA_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_WGMMA_H

#include "codegen/nvidia/ptx/TensorMap.h"

#include <cstdint>

namespace heddle::ptx {

/// Where a multiplicand lies in shared memory. All numbers are bytes.
struct MatrixDescriptor {
  explicit MatrixDescriptor(uint64_t bits);

  uint32_t start, leading, stride;
  /// Of the repeating pattern of the swizzle: bits 7 to 9 of the address where
  /// it starts.
  uint32_t baseOffset;
  TensorSwizzle swizzle;
  uint32_t span; ///< bytes of a row of the pattern

  /// Address of byte `innerBytes` along K in row `outer`, for K-major operands.
  uint32_t addressAlongK(uint32_t outer, uint32_t innerBytes) const;
  /// Address of byte `outerBytes` along M or N at `inner` along K, transposed.
  uint32_t addressAcrossK(uint32_t outerBytes, uint32_t inner) const;
  /// Where the swizzle puts the byte that has `address` without it, and the
  /// other way round, in a pattern that starts at the base offset.
  uint32_t swizzledInPattern(uint32_t address) const;
};

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_WGMMA_H
