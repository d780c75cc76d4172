// Video.h - what SIMD and scalar video instructions share; private.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_VIDEO_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_VIDEO_H

#include "codegen/nvidia/ptx/Elementwise.h"

#include <algorithm>

namespace heddle::ptx {

/// Bits of `Op::mode`.
enum VideoFlag : uint8_t {
  SignedA = 1,
  SignedB = 2,
  SignedD = 4,
  Saturates = 8,
  Accumulates = 16, ///< SIMD: the sum of the elements is added to c
};

/// The `bits` bits of a word from `shift` on, extended.
inline int64_t partOf(uint32_t word, unsigned bits, unsigned shift,
                      bool isSigned) {
  uint32_t value = word >> shift << (32 - bits);
  return isSigned ? int64_t(int32_t(value) >> (32 - bits))
                  : int64_t(value >> (32 - bits));
}

template <class T>
T clampTo(T value, unsigned bits, bool isSigned) {
  T low = isSigned ? -(T(1) << (bits - 1)) : 0;
  T high = isSigned ? (T(1) << (bits - 1)) - 1 : (T(1) << bits) - 1;
  return std::clamp(value, low, high);
}

inline bool compareBy(uint8_t comparison, int64_t a, int64_t b) {
  const bool results[] = {a == b, a != b, a<b, a <= b, a> b, a >= b};
  return results[comparison];
}

/// Takes `.u32` or `.s32`; true for the latter.
bool takeSignedType(Builder &builder);
/// The index of a comparison for `compareBy`.
uint8_t takeComparison(Builder &builder);
/// The operand without its selector, which is given back in `selector`.
Operand takeSelector(const Operand &operand, std::string_view &selector);

/// Those on whole words, or on one part of each (PTX ISA 9.7.17).
void buildScalarVideo(Builder &builder);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_VIDEO_H
