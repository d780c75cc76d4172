// Integer.cpp - integer arithmetic (PTX ISA 9.7.1 and 9.7.2).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Elementwise.h"

#include <algorithm>
#include <limits>

namespace heddle::ptx {

template <class T>
using Unsigned = std::make_unsigned_t<T>;

/// The type twice as wide.
template <class T>
struct WideOf;
template <>
struct WideOf<uint16_t> {
  using type = uint32_t;
};
template <>
struct WideOf<int16_t> {
  using type = int32_t;
};
template <>
struct WideOf<uint32_t> {
  using type = uint64_t;
};
template <>
struct WideOf<int32_t> {
  using type = int64_t;
};
template <>
struct WideOf<uint64_t> {
  using type = unsigned __int128;
};
template <>
struct WideOf<int64_t> {
  using type = __int128;
};
template <class T>
using Wide = typename WideOf<T>::type;

// Arithmetic wraps: it is done in an unsigned type at least as wide as int.
template <class T>
static T wrapAdd(T a, T b) {
  return T(uint64_t(a) + uint64_t(b));
}
template <class T>
static T wrapSub(T a, T b) {
  return T(uint64_t(a) - uint64_t(b));
}
template <class T>
static T wrapMul(T a, T b) {
  return T(uint64_t(a) * uint64_t(b));
}
template <class T>
static T highMul(T a, T b) {
  return T((Wide<T>(a) * Wide<T>(b)) >> (sizeof(T) * 8));
}
static int32_t saturate(int64_t value) {
  return int32_t(std::clamp<int64_t>(value, INT32_MIN, INT32_MAX));
}

/// Division by zero is unspecified in PTX; hardware returns all ones, and the
/// dividend as remainder.
template <class T>
static T divide(T a, T b) {
  if (b == 0)
    return T(~T(0));
  if (std::is_signed_v<T> && b == T(-1))
    return wrapSub(T(0), a);
  return T(a / b);
}
template <class T>
static T remainder(T a, T b) {
  if (b == 0)
    return a;
  if (std::is_signed_v<T> && b == T(-1))
    return 0;
  return T(a % b);
}
template <class T>
static T absoluteDifference(T a, T b) {
  return a < b ? wrapSub(b, a) : wrapSub(a, b);
}

//===----------------------------------------------------------------------===//
// Carry chains: CC.CF is gathered beside the loop, which may be vectorised
//===----------------------------------------------------------------------===//

enum CarryMode : uint8_t { UsesCarry = 1, SetsCarry = 2, Subtracts = 4 };

/// d = a + b + carry, or a + ~b + carry; `op.mode` says which parts apply. A
/// subtraction leaves the carry of that sum, which is the borrow inverted: in a
/// chain of subtractions nobody can tell, but an `addc` that follows `sub.cc`
/// reads 1 if nothing was borrowed. NVIDIA's 128-bit division does just that.
template <class T>
static void addWithCarry(Warp &warp, const Op &op, Lanes lanes) {
  T *d = warp.row<T>(op.d);
  const T *a = warp.row<T>(op.a), *b = warp.row<T>(op.b);
  bool subtracts = op.mode & Subtracts;
  Lanes first = subtracts ? ~Lanes(0) : 0;
  Lanes in = op.mode & UsesCarry ? warp.carry : first, out = 0;
  forLanes(lanes, [&](unsigned i) {
    bool carry = in >> i & 1;
    T addend = subtracts ? T(~b[i]) : b[i];
    unsigned __int128 sum = (unsigned __int128)a[i] + addend + carry;
    d[i] = T(sum);
    out |= Lanes(sum >> (sizeof(T) * 8) & 1) << i;
  });
  if (op.mode & SetsCarry)
    warp.carry = (warp.carry & ~lanes) | out;
}

/// d = low or high half of a * b, plus c plus carry.
template <class T, bool High>
static void madWithCarry(Warp &warp, const Op &op, Lanes lanes) {
  using U = Unsigned<T>;
  U *d = warp.row<U>(op.d);
  const U *a = warp.row<U>(op.a), *b = warp.row<U>(op.b),
          *c = warp.row<U>(op.c);
  Lanes in = op.mode & UsesCarry ? warp.carry : 0, out = 0;
  forLanes(lanes, [&](unsigned i) {
    bool carry = in >> i & 1;
    U product = High ? U(highMul<T>(T(a[i]), T(b[i])))
                     : U(wrapMul<T>(T(a[i]), T(b[i])));
    unsigned __int128 sum = (unsigned __int128)product + c[i] + carry;
    d[i] = U(sum);
    out |= Lanes(sum >> (sizeof(T) * 8) & 1) << i;
  });
  if (op.mode & SetsCarry)
    warp.carry = (warp.carry & ~lanes) | out;
}

static void buildCarry(Builder &b, Type type, bool usesCarry) {
  Opcode opcode = b.in.opcode();
  bool setsCarry = b.take("cc");
  b.op.mode = (usesCarry ? UsesCarry : 0) | (setsCarry ? SetsCarry : 0);
  bool isMad = opcode == Opcode::Mad || opcode == Opcode::Madc;
  if (opcode == Opcode::Sub || opcode == Opcode::Subc)
    b.op.mode |= Subtracts;
  if (type != Type::U32 && type != Type::S32 && type != Type::U64 &&
      type != Type::S64)
    b.refuse("carry on type '." + std::string(spelling(type)) +
             "', which is no integer of 32 or 64 bits");
  bool wide = bitWidth(type) == 64;
  if (isMad) {
    int part = b.takeOneOf({"lo", "hi"});
    if (part < 0)
      b.refuse("expected '.lo' or '.hi'");
    withInteger(type, [&](auto t) {
      using T = decltype(t);
      if constexpr (sizeof(T) >= 4)
        b.op.run = part ? madWithCarry<T, true> : madWithCarry<T, false>;
    });
  } else {
    b.op.run = wide ? addWithCarry<uint64_t> : addWithCarry<uint32_t>;
  }
  b.requireOperands(isMad ? 4 : 3, isMad ? 4 : 3);
}

//===----------------------------------------------------------------------===//
// mul24, dot products
//===----------------------------------------------------------------------===//

template <class T>
static int64_t product24(T a, T b) {
  auto low = [](T x) {
    return std::is_signed_v<T> ? int64_t(int32_t(uint32_t(x) << 8) >> 8)
                               : int64_t(uint32_t(x) & 0xFFFFFF);
  };
  return low(a) * low(b);
}
template <class T>
static T mul24Low(T a, T b) {
  return T(product24(a, b));
}
template <class T>
static T mul24High(T a, T b) {
  return T(product24(a, b) >> 16);
}

enum DotMode : uint8_t { SignedA = 1, SignedB = 2, HighHalf = 4 };

static int64_t part(uint32_t word, unsigned bits, unsigned index, bool sign) {
  uint32_t value = word >> (bits * index) & ((1u << bits) - 1);
  return sign ? int64_t(int32_t(value << (32 - bits)) >> (32 - bits))
              : int64_t(value);
}

static void dot4(Warp &warp, const Op &op, Lanes lanes) {
  auto *d = warp.row<uint32_t>(op.d), *a = warp.row<uint32_t>(op.a),
       *b = warp.row<uint32_t>(op.b), *c = warp.row<uint32_t>(op.c);
  forLanes(lanes, [&](unsigned i) {
    int64_t sum = c[i];
    for (unsigned e = 0; e < 4; ++e)
      sum += part(a[i], 8, e, op.mode & SignedA) *
             part(b[i], 8, e, op.mode & SignedB);
    d[i] = uint32_t(sum);
  });
}

static void dot2(Warp &warp, const Op &op, Lanes lanes) {
  auto *d = warp.row<uint32_t>(op.d), *a = warp.row<uint32_t>(op.a),
       *b = warp.row<uint32_t>(op.b), *c = warp.row<uint32_t>(op.c);
  unsigned first = op.mode & HighHalf ? 2 : 0;
  forLanes(lanes, [&](unsigned i) {
    int64_t sum = c[i];
    for (unsigned e = 0; e < 2; ++e)
      sum += part(a[i], 16, e, op.mode & SignedA) *
             part(b[i], 8, first + e, op.mode & SignedB);
    d[i] = uint32_t(sum);
  });
}

static void buildDot(Builder &b) {
  bool two = b.in.opcode() == Opcode::Dp2a;
  if (two) {
    int half = b.takeOneOf({"lo", "hi"});
    if (half < 0)
      b.refuse("expected '.lo' or '.hi'");
    b.op.mode |= half ? HighHalf : 0;
  }
  Type typeA = b.takeType(), typeB = b.takeType();
  for (Type type : {typeA, typeB})
    if (type != Type::U32 && type != Type::S32)
      b.refuse("expected types '.u32' or '.s32'");
  b.op.mode |=
      (typeA == Type::S32 ? SignedA : 0) | (typeB == Type::S32 ? SignedB : 0);
  b.requireOperands(4, 4);
  bool isSigned = typeA == Type::S32 || typeB == Type::S32;
  b.op.a = b.source(1, Type::B32);
  b.op.b = b.source(2, Type::B32);
  b.op.c = b.source(3, isSigned ? Type::S32 : Type::U32);
  b.op.d = b.destination(0, isSigned ? Type::S32 : Type::U32);
  b.op.run = two ? dot2 : dot4;
}

//===----------------------------------------------------------------------===//
// Packed 16-bit
//===----------------------------------------------------------------------===//

template <class Half>
static Handler packedHandler(Opcode opcode, bool relu) {
  switch (opcode) {
  case Opcode::Add:
    return binary<[](uint32_t a, uint32_t b) {
      return perHalf<Half>(a, b, wrapAdd<Half>);
    },
                  uint32_t, uint32_t>;
  case Opcode::Min:
    if (relu)
      return binary<[](uint32_t a, uint32_t b) {
        return perHalf<Half>(a, b, [](Half x, Half y) {
          return std::max<Half>(std::min(x, y), 0);
        });
      },
                    uint32_t, uint32_t>;
    return binary<[](uint32_t a, uint32_t b) {
      return perHalf<Half>(a, b, [](Half x, Half y) { return std::min(x, y); });
    },
                  uint32_t, uint32_t>;
  case Opcode::Max:
    if (relu)
      return binary<[](uint32_t a, uint32_t b) {
        return perHalf<Half>(a, b, [](Half x, Half y) {
          return std::max<Half>(std::max(x, y), 0);
        });
      },
                    uint32_t, uint32_t>;
    return binary<[](uint32_t a, uint32_t b) {
      return perHalf<Half>(a, b, [](Half x, Half y) { return std::max(x, y); });
    },
                  uint32_t, uint32_t>;
  default:
    return nullptr;
  }
}

//===----------------------------------------------------------------------===//
// Choosing the handler
//===----------------------------------------------------------------------===//

enum class Part { None, Low, High, WideResult };

template <class T>
static Handler productHandler(Opcode opcode, Part part, bool saturated) {
  using W = std::conditional_t<sizeof(T) == 8, T, Wide<T>>;
  bool adds = opcode == Opcode::Mad;
  if (part == Part::WideResult && sizeof(T) < 8) {
    if (adds)
      return ternary<[](T a, T b, W c) {
        return wrapAdd<W>(W(W(a) * W(b)), c);
      },
                     W, T, T, W>;
    return binary<[](T a, T b) { return W(W(a) * W(b)); }, W, T>;
  }
  if (part == Part::Low) {
    if (adds)
      return ternary<
          [](T a, T b, T c) { return wrapAdd<T>(wrapMul<T>(a, b), c); }, T, T>;
    return binary<[](T a, T b) { return wrapMul<T>(a, b); }, T, T>;
  }
  if (part == Part::High) {
    if constexpr (std::is_same_v<T, int32_t>)
      if (adds && saturated)
        return ternary<[](int32_t a, int32_t b, int32_t c) {
          return saturate(int64_t(highMul<int32_t>(a, b)) + c);
        },
                       int32_t, int32_t>;
    if (adds)
      return ternary<
          [](T a, T b, T c) { return wrapAdd<T>(highMul<T>(a, b), c); }, T, T>;
    return binary<[](T a, T b) { return highMul<T>(a, b); }, T, T>;
  }
  return nullptr;
}

template <class T>
static Handler simpleHandler(Opcode opcode) {
  switch (opcode) {
  case Opcode::Add:
    return binary<[](T a, T b) { return wrapAdd<T>(a, b); }, T, T>;
  case Opcode::Sub:
    return binary<[](T a, T b) { return wrapSub<T>(a, b); }, T, T>;
  case Opcode::Div:
    return binary<[](T a, T b) { return divide<T>(a, b); }, T, T>;
  case Opcode::Rem:
    return binary<[](T a, T b) { return remainder<T>(a, b); }, T, T>;
  case Opcode::Min:
    return binary<[](T a, T b) { return a < b ? a : b; }, T, T>;
  case Opcode::Max:
    return binary<[](T a, T b) { return a < b ? b : a; }, T, T>;
  case Opcode::Sad:
    return ternary<[](T a, T b, T c) {
      return wrapAdd<T>(absoluteDifference<T>(a, b), c);
    },
                   T, T>;
  case Opcode::Neg:
    return unary<[](T a) { return wrapSub<T>(0, a); }, T, T>;
  case Opcode::Abs:
    return unary<[](T a) { return a < 0 ? wrapSub<T>(0, a) : a; }, T, T>;
  default:
    return nullptr;
  }
}

static void buildProduct(Builder &b, Type type, bool saturated) {
  Opcode opcode = b.in.opcode();
  Part part = Part::None;
  switch (b.takeOneOf({"lo", "hi", "wide"})) {
  case 0:
    part = Part::Low;
    break;
  case 1:
    part = Part::High;
    break;
  case 2:
    part = Part::WideResult;
    break;
  default:
    b.refuse("expected '.lo', '.hi' or '.wide'");
  }
  if (saturated &&
      (opcode != Opcode::Mad || part != Part::High || type != Type::S32))
    b.refuse("'.sat' goes with 'mad.hi.s32' only");
  withInteger(type, [&](auto t) {
    b.op.run = productHandler<decltype(t)>(opcode, part, saturated);
  });
  if (!b.op.run)
    b.refuse("'.wide' of a 64-bit type");
  Type result = type;
  if (part == Part::WideResult) {
    constexpr std::pair<Type, Type> wider[] = {{Type::U16, Type::U32},
                                               {Type::S16, Type::S32},
                                               {Type::U32, Type::U64},
                                               {Type::S32, Type::S64}};
    for (auto [narrow, wide] : wider)
      if (narrow == type)
        result = wide;
  }
  bool adds = opcode == Opcode::Mad;
  b.requireOperands(adds ? 4 : 3, adds ? 4 : 3);
  b.op.a = b.source(1, type);
  b.op.b = b.source(2, type);
  if (adds)
    b.op.c = b.source(3, result);
  b.op.d = b.destination(0, result);
}

static void build24(Builder &b, Type type) {
  int part = b.takeOneOf({"lo", "hi"});
  if (part < 0)
    b.refuse("expected '.lo' or '.hi'");
  bool high = part == 1;
  bool saturated = b.take("sat");
  bool adds = b.in.opcode() == Opcode::Mad24;
  if (saturated && (!adds || !high || type != Type::S32))
    b.refuse("'.sat' goes with 'mad24.hi.s32' only");
  auto choose = [&](auto t) {
    using T = decltype(t);
    if (adds && saturated)
      b.op.run = ternary<[](T a, T b, T c) {
        return T(saturate(int64_t(mul24High<T>(a, b)) + int64_t(c)));
      },
                         T, T>;
    else if (adds && high)
      b.op.run = ternary<[](T a, T b, T c) {
        return wrapAdd<T>(mul24High<T>(a, b), c);
      },
                         T, T>;
    else if (adds)
      b.op.run = ternary<
          [](T a, T b, T c) { return wrapAdd<T>(mul24Low<T>(a, b), c); }, T, T>;
    else if (high)
      b.op.run = binary<[](T a, T b) { return mul24High<T>(a, b); }, T, T>;
    else
      b.op.run = binary<[](T a, T b) { return mul24Low<T>(a, b); }, T, T>;
  };
  if (type == Type::U32)
    choose(uint32_t());
  else if (type == Type::S32)
    choose(int32_t());
  else
    b.refuse("expected type '.u32' or '.s32'");
  b.requireOperands(adds ? 4 : 3, adds ? 4 : 3);
  b.op.a = b.source(1, type);
  b.op.b = b.source(2, type);
  if (adds)
    b.op.c = b.source(3, type);
  b.op.d = b.destination(0, type);
}

void buildInteger(Builder &b) {
  Opcode opcode = b.in.opcode();
  if (opcode == Opcode::Dp2a || opcode == Opcode::Dp4a)
    return buildDot(b);
  Type type = b.takeType();
  if (opcode == Opcode::Mul24 || opcode == Opcode::Mad24)
    return build24(b, type);
  bool usesCarry = opcode == Opcode::Addc || opcode == Opcode::Subc ||
                   opcode == Opcode::Madc;
  if (usesCarry || b.in.has("cc")) {
    buildCarry(b, type, usesCarry);
    b.op.a = b.source(1, type);
    b.op.b = b.source(2, type);
    if (b.operandCount() == 4)
      b.op.c = b.source(3, type);
    b.op.d = b.destination(0, type);
    return;
  }
  bool saturated = b.take("sat");
  if (opcode == Opcode::Mul || opcode == Opcode::Mad)
    return buildProduct(b, type, saturated);
  bool relu = b.take("relu");
  if (type == Type::U16x2 && !saturated)
    b.op.run = relu ? nullptr : packedHandler<uint16_t>(opcode, false);
  else if (type == Type::S16x2 && !saturated)
    b.op.run = packedHandler<int16_t>(opcode, relu);
  else if (relu && type == Type::S32 && opcode == Opcode::Min)
    b.op.run =
        binary<[](int32_t x, int32_t y) { return std::max(std::min(x, y), 0); },
               int32_t, int32_t>;
  else if (relu && type == Type::S32 && opcode == Opcode::Max)
    b.op.run =
        binary<[](int32_t x, int32_t y) { return std::max(std::max(x, y), 0); },
               int32_t, int32_t>;
  else if (saturated && type == Type::S32 && opcode == Opcode::Add)
    b.op.run =
        binary<[](int32_t x, int32_t y) { return saturate(int64_t(x) + y); },
               int32_t, int32_t>;
  else if (saturated && type == Type::S32 && opcode == Opcode::Sub)
    b.op.run =
        binary<[](int32_t x, int32_t y) { return saturate(int64_t(x) - y); },
               int32_t, int32_t>;
  else if (!relu && !saturated)
    withInteger(type,
                [&](auto t) { b.op.run = simpleHandler<decltype(t)>(opcode); });
  bool isUnary = opcode == Opcode::Neg || opcode == Opcode::Abs;
  if (!b.op.run || (isUnary && type >= Type::U8 && type <= Type::U64))
    b.refuse("type '." + std::string(spelling(type)) +
             "' with these modifiers is not covered");
  size_t count = isUnary ? 2 : opcode == Opcode::Sad ? 4 : 3;
  b.requireOperands(count, count);
  b.op.a = b.source(1, type);
  if (count > 2)
    b.op.b = b.source(2, type);
  if (count > 3)
    b.op.c = b.source(3, type);
  b.op.d = b.destination(0, type);
}

} // namespace heddle::ptx
