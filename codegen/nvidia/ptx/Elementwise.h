// Elementwise.h - handlers that apply one function to each lane; private.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_ELEMENTWISE_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_ELEMENTWISE_H

#include "codegen/nvidia/ptx/Builder.h"
#include "codegen/nvidia/ptx/Machine.h"

#include <bit>
#include <type_traits>

namespace heddle::ptx {

/// The word of a row that holds a value of type T.
template <class T>
using Word = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

template <class T>
inline T fromWord(Word<T> word) {
  if constexpr (std::is_floating_point_v<T>)
    return std::bit_cast<T>(word);
  else
    return T(word);
}

/// Rows of narrow types hold zeros above the value.
template <class T>
inline Word<T> toWord(T value) {
  if constexpr (std::is_floating_point_v<T>)
    return std::bit_cast<Word<T>>(value);
  else
    return Word<T>(std::make_unsigned_t<T>(value));
}

/// `d = F(a)`.
template <auto F, class R, class A>
void unary(Warp &warp, const Op &op, Lanes lanes) {
  auto *d = warp.row<Word<R>>(op.d);
  const auto *a = warp.row<Word<A>>(op.a);
  forLanes(lanes, [&](unsigned i) { d[i] = toWord<R>(F(fromWord<A>(a[i]))); });
}

/// `d = F(a, b)`.
template <auto F, class R, class A, class B = A>
void binary(Warp &warp, const Op &op, Lanes lanes) {
  auto *d = warp.row<Word<R>>(op.d);
  const auto *a = warp.row<Word<A>>(op.a);
  const auto *b = warp.row<Word<B>>(op.b);
  forLanes(lanes, [&](unsigned i) {
    d[i] = toWord<R>(F(fromWord<A>(a[i]), fromWord<B>(b[i])));
  });
}

/// `d = F(a, b, c)`.
template <auto F, class R, class A, class B = A, class C = R>
void ternary(Warp &warp, const Op &op, Lanes lanes) {
  auto *d = warp.row<Word<R>>(op.d);
  const auto *a = warp.row<Word<A>>(op.a);
  const auto *b = warp.row<Word<B>>(op.b);
  const auto *c = warp.row<Word<C>>(op.c);
  forLanes(lanes, [&](unsigned i) {
    d[i] =
        toWord<R>(F(fromWord<A>(a[i]), fromWord<B>(b[i]), fromWord<C>(c[i])));
  });
}

/// Calls `use` with a value of the C++ type of an integer PTX type; false if
/// the type is not one of them.
template <class Use>
bool withInteger(Type type, Use use) {
  switch (type) {
  case Type::U16:
    return use(uint16_t()), true;
  case Type::S16:
    return use(int16_t()), true;
  case Type::U32:
    return use(uint32_t()), true;
  case Type::S32:
    return use(int32_t()), true;
  case Type::U64:
    return use(uint64_t()), true;
  case Type::S64:
    return use(int64_t()), true;
  default:
    return false;
  }
}

/// The same for untyped bits of 16, 32 and 64.
template <class Use>
bool withBits(Type type, Use use) {
  switch (type) {
  case Type::B16:
    return use(uint16_t()), true;
  case Type::B32:
    return use(uint32_t()), true;
  case Type::B64:
    return use(uint64_t()), true;
  default:
    return false;
  }
}

/// Applies `lane(a, b)` to both 16-bit halves of a word.
template <class Half, class Apply>
inline uint32_t perHalf(uint32_t a, uint32_t b, Apply apply) {
  uint16_t low = uint16_t(apply(Half(uint16_t(a)), Half(uint16_t(b))));
  uint16_t high =
      uint16_t(apply(Half(uint16_t(a >> 16)), Half(uint16_t(b >> 16))));
  return low | uint32_t(high) << 16;
}

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_ELEMENTWISE_H
