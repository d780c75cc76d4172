// FloatRounding.h - flushing, saturation and directed rounding of f32 and f64
// (PTX ISA 9.7.3); private. Who includes it is compiled with -frounding-math.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_FLOATROUNDING_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_FLOATROUNDING_H

#include <algorithm>
#include <bit>
#include <cfenv>
#include <cmath>
#include <cstdint>
#include <limits>

namespace heddle::ptx {

/// `Op::mode` of the instructions on f32 and f64.
enum FloatFlag : uint8_t { Flush = 1, Saturate = 2, Relu = 4 };

template <class T>
inline T flushed(T value) {
  return std::fabs(value) < std::numeric_limits<T>::min()
             ? std::copysign(T(0), value)
             : value;
}

/// PTX writes one NaN in f32; f64 keeps payloads, which nothing relies on.
inline float canonical(float value) {
  return value != value ? std::bit_cast<float>(0x7FFFFFFFu) : value;
}
inline double canonical(double value) { return value; }

template <class T>
inline T input(T value, uint8_t flags) {
  return flags & Flush ? flushed(value) : value;
}

template <class T>
inline T output(T value, uint8_t flags) {
  if (flags & Flush)
    value = flushed(value);
  if (flags & Saturate)
    return value > 0 ? std::min(value, T(1)) : T(0); // NaN becomes +0
  return canonical(value);
}

/// Sets the host's rounding for as long as it lives.
class RoundingScope {
public:
  explicit RoundingScope(uint8_t mode) : active(mode != 0) {
    constexpr int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD,
                             FE_UPWARD};
    if (active)
      std::fesetround(modes[mode & 3]);
  }
  ~RoundingScope() {
    if (active)
      std::fesetround(FE_TONEAREST);
  }

private:
  bool active;
};

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_FLOATROUNDING_H
