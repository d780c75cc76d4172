// Bits.cpp - logic, shifts, bit fields, byte permutation (PTX
// ISA 9.7.1, 9.7.8). SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Elementwise.h"

#include <algorithm>

namespace heddle::ptx {

//===----------------------------------------------------------------------===//
// Logic
//===----------------------------------------------------------------------===//

enum PredicateMode : uint8_t { NotA = 1, NotB = 2 };

template <auto F>
static void predicateLogic(Warp &warp, const Op &op, Lanes lanes) {
  Lanes a = warp.predicate(op.a) ^ (op.mode & NotA ? allLanes : 0);
  Lanes b = op.b == noRow
                ? 0
                : warp.predicate(op.b) ^ (op.mode & NotB ? allLanes : 0);
  Lanes &d = warp.predicate(op.d);
  d = (d & ~lanes) | (F(a, b) & lanes);
}

static void buildLogic(Builder &b) {
  Opcode opcode = b.in.opcode();
  Type type = b.takeType();
  bool isUnary = opcode == Opcode::Not || opcode == Opcode::Cnot;
  b.requireOperands(isUnary ? 2 : 3, isUnary ? 2 : 3);
  if (type == Type::Pred) {
    b.op.a = b.predicateSource(b.operand(1));
    b.op.mode = b.operand(1).negated ? NotA : 0;
    if (!isUnary) {
      b.op.b = b.predicateSource(b.operand(2));
      b.op.mode |= b.operand(2).negated ? NotB : 0;
    }
    b.op.d = b.predicateDestination(b.operand(0));
    switch (opcode) {
    case Opcode::And:
      b.op.run = predicateLogic<[](Lanes x, Lanes y) { return x & y; }>;
      break;
    case Opcode::Or:
      b.op.run = predicateLogic<[](Lanes x, Lanes y) { return x | y; }>;
      break;
    case Opcode::Xor:
      b.op.run = predicateLogic<[](Lanes x, Lanes y) { return x ^ y; }>;
      break;
    case Opcode::Not:
      b.op.run = predicateLogic<[](Lanes x, Lanes) { return ~x; }>;
      break;
    default:
      b.refuse("type '.pred' is not covered");
    }
    return;
  }
  bool known = withBits(type, [&](auto t) {
    using T = decltype(t);
    switch (opcode) {
    case Opcode::And:
      b.op.run = binary<[](T x, T y) { return T(x & y); }, T, T>;
      break;
    case Opcode::Or:
      b.op.run = binary<[](T x, T y) { return T(x | y); }, T, T>;
      break;
    case Opcode::Xor:
      b.op.run = binary<[](T x, T y) { return T(x ^ y); }, T, T>;
      break;
    case Opcode::Not:
      b.op.run = unary<[](T x) { return T(~x); }, T, T>;
      break;
    default:
      b.op.run = unary<[](T x) { return T(x == 0); }, T, T>;
      break;
    }
  });
  if (!known)
    b.refuse("expected type '.pred', '.b16', '.b32' or '.b64'");
  b.op.byHalves = opcode != Opcode::Cnot;
  b.op.a = b.source(1, type);
  if (!isUnary)
    b.op.b = b.source(2, type);
  b.op.d = b.destination(0, type);
}

/// Each result bit is looked up by the three source bits (PTX ISA 9.7.8.8).
static uint32_t lookUp(uint32_t a, uint32_t b, uint32_t c, unsigned table) {
  uint32_t result = 0;
  for (unsigned row = 0; row < 8; ++row)
    if (table >> row & 1)
      result |= (row & 4 ? a : ~a) & (row & 2 ? b : ~b) & (row & 1 ? c : ~c);
  return result;
}

enum LopMode : uint8_t { LopPlain, LopOr, LopAnd };

/// With a predicate result: (d != 0) combined with the predicate `members`.
static void lop3(Warp &warp, const Op &op, Lanes lanes) {
  auto *d = warp.row<uint32_t>(op.d), *a = warp.row<uint32_t>(op.a),
       *b = warp.row<uint32_t>(op.b), *c = warp.row<uint32_t>(op.c);
  Lanes nonZero = 0;
  forLanes(lanes, [&](unsigned i) {
    d[i] = lookUp(a[i], b[i], c[i], unsigned(op.immediate));
  });
  if (op.mode == LopPlain)
    return;
  forLanes(lanes, [&](unsigned i) { nonZero |= Lanes(d[i] != 0) << i; });
  Lanes q = warp.predicate(op.members) ^ (op.mode2 ? allLanes : 0);
  Lanes result = op.mode == LopOr ? nonZero | q : nonZero & q;
  Lanes &p = warp.predicate(op.target);
  p = (p & ~lanes) | (result & lanes);
}

static void buildLop3(Builder &b) {
  int combine = b.takeOneOf({"or", "and"});
  b.require("b32");
  bool plain = combine < 0;
  b.requireOperands(plain ? 5 : 6, plain ? 5 : 6);
  b.op.a = b.source(1, Type::B32);
  b.op.b = b.source(2, Type::B32);
  b.op.c = b.source(3, Type::B32);
  b.op.immediate = b.immediate(4);
  if (b.op.immediate > 255)
    b.refuse("expected a table of 8 bits");
  b.op.run = lop3;
  b.op.byHalves = plain;
  if (plain) {
    b.op.d = b.destination(0, Type::B32);
    return;
  }
  if (!b.isKind(0, Operand::Kind::Pair))
    b.refuse("expected 'd|p' as result");
  b.op.mode = combine == 0 ? LopOr : LopAnd;
  b.op.members = b.predicateSource(b.operand(5));
  b.op.mode2 = b.operand(5).negated;
  b.op.d = b.destination(b.operand(0).elements[0], Type::B32);
  b.op.target = b.predicateDestination(b.operand(0).elements[1]);
}

//===----------------------------------------------------------------------===//
// Shifts
//===----------------------------------------------------------------------===//

template <class T>
static T shiftLeft(T value, uint32_t amount) {
  return amount >= sizeof(T) * 8 ? T(0) : T(uint64_t(value) << amount);
}
template <class T>
static T shiftRight(T value, uint32_t amount) {
  uint32_t most = sizeof(T) * 8;
  if (amount >= most)
    return std::is_signed_v<T> && value < 0 ? T(-1) : T(0);
  return T(value >> amount);
}

static void buildShift(Builder &b) {
  Type type = b.takeType();
  bool left = b.in.opcode() == Opcode::Shl;
  bool known =
      left
          ? withBits(
                type,
                [&](auto t) {
                  using T = decltype(t);
                  b.op.run =
                      binary<[](T x, uint32_t n) { return shiftLeft<T>(x, n); },
                             T, T, uint32_t>;
                })
          : withBits(type,
                     [&](auto t) {
                       using T = decltype(t);
                       b.op.run = binary<[](T x, uint32_t n) {
                         return shiftRight<T>(x, n);
                       },
                                         T, T, uint32_t>;
                     }) ||
                withInteger(type, [&](auto t) {
                  using T = decltype(t);
                  b.op.run = binary<[](T x, uint32_t n) {
                    return shiftRight<T>(x, n);
                  },
                                    T, T, uint32_t>;
                });
  if (!known)
    b.refuse("type '." + std::string(spelling(type)) + "' is not covered");
  b.requireOperands(3, 3);
  b.op.a = b.source(1, type);
  b.op.b = b.source(2, Type::B32);
  b.op.d = b.destination(0, type);
}

static uint32_t funnelLeft(uint32_t low, uint32_t high, uint32_t n) {
  return uint32_t(((uint64_t(high) << 32 | low) << n) >> 32);
}
static uint32_t funnelRight(uint32_t low, uint32_t high, uint32_t n) {
  return uint32_t((uint64_t(high) << 32 | low) >> n);
}

static void buildFunnel(Builder &b) {
  int direction = b.takeOneOf({"l", "r"});
  int mode = b.takeOneOf({"clamp", "wrap"});
  b.require("b32");
  if (direction < 0 || mode < 0)
    b.refuse("expected '.l' or '.r' and '.clamp' or '.wrap'");
  using U = uint32_t;
  if (direction == 0 && mode == 0)
    b.op.run = ternary<[](U low, U high, U n) {
      return funnelLeft(low, high, std::min(n, 32u));
    },
                       U, U, U, U>;
  else if (direction == 0)
    b.op.run = ternary<[](U low, U high, U n) {
      return funnelLeft(low, high, n & 31);
    },
                       U, U, U, U>;
  else if (mode == 0)
    b.op.run = ternary<[](U low, U high, U n) {
      return funnelRight(low, high, std::min(n, 32u));
    },
                       U, U, U, U>;
  else
    b.op.run = ternary<[](U low, U high, U n) {
      return funnelRight(low, high, n & 31);
    },
                       U, U, U, U>;
  b.requireOperands(4, 4);
  b.op.a = b.source(1, Type::B32);
  b.op.b = b.source(2, Type::B32);
  b.op.c = b.source(3, Type::B32);
  b.op.d = b.destination(0, Type::B32);
}

//===----------------------------------------------------------------------===//
// Bit fields
//===----------------------------------------------------------------------===//

/// The pseudo-code of the ISA for bfe: bits past the top read as the sign.
template <class T>
static T extractField(T value, uint32_t position, uint32_t length) {
  constexpr int top = sizeof(T) * 8 - 1;
  int at = int(position & 255), count = int(length & 255);
  bool sign = false;
  if (std::is_signed_v<T> && count != 0) {
    int signBit = std::min(at + count - 1, top);
    sign = uint64_t(value) >> signBit & 1;
  }
  uint64_t result = 0;
  for (int i = 0; i <= top; ++i) {
    bool bit =
        i < count && at + i <= top ? uint64_t(value) >> (at + i) & 1 : sign;
    result |= uint64_t(bit) << i;
  }
  return T(result);
}

template <class T>
static T insertField(T field, T base, uint32_t position, uint32_t length) {
  unsigned at = position & 255, count = length & 255;
  T result = base;
  for (unsigned i = 0; i < count && at + i < sizeof(T) * 8; ++i) {
    T bit = T(1) << (at + i);
    result = T((result & ~bit) | (field >> i & 1 ? bit : 0));
  }
  return result;
}

template <class T>
static void bfi(Warp &warp, const Op &op, Lanes lanes) {
  T *d = warp.row<T>(op.d);
  const T *field = warp.row<T>(op.a), *base = warp.row<T>(op.b);
  const auto *at = warp.row<uint32_t>(op.c);
  const auto *count = warp.row<uint32_t>(op.members);
  forLanes(lanes, [&](unsigned i) {
    d[i] = insertField<T>(field[i], base[i], at[i], count[i]);
  });
}

/// Position of the most significant bit that differs from the sign.
template <class T>
static uint32_t findBit(T value) {
  using U = std::make_unsigned_t<T>;
  U bits = std::is_signed_v<T> && value < 0 ? U(~U(value)) : U(value);
  return bits == 0 ? ~0u : uint32_t(std::bit_width(bits) - 1);
}

static void buildField(Builder &b) {
  Opcode opcode = b.in.opcode();
  bool distance = opcode == Opcode::Bfind && b.take("shiftamt");
  Type type = b.takeType();
  using U = uint32_t;
  if (opcode == Opcode::Bfi) {
    b.requireOperands(5, 5);
    if (type != Type::B32 && type != Type::B64)
      b.refuse("expected type '.b32' or '.b64'");
    b.op.a = b.source(1, type);
    b.op.b = b.source(2, type);
    b.op.c = b.source(3, Type::U32);
    b.op.members = b.source(4, Type::U32);
    b.op.d = b.destination(0, type);
    b.op.run = type == Type::B64 ? bfi<uint64_t> : bfi<uint32_t>;
    return;
  }
  bool known = withInteger(type, [&](auto t) {
    using T = decltype(t);
    if constexpr (sizeof(T) >= 4) {
      if (opcode == Opcode::Bfe)
        b.op.run = ternary<[](T value, U at, U count) {
          return extractField<T>(value, at, count);
        },
                           T, T, U, U>;
      else if (distance)
        b.op.run = unary<[](T value) {
          uint32_t bit = findBit<T>(value);
          return bit == ~0u ? bit : U(sizeof(T) * 8 - 1) - bit;
        },
                         U, T>;
      else
        b.op.run = unary<[](T value) { return findBit<T>(value); }, U, T>;
    }
  });
  if (!known || !b.op.run)
    b.refuse("expected an integer type of 32 or 64 bits");
  bool isExtract = opcode == Opcode::Bfe;
  b.requireOperands(isExtract ? 4 : 2, isExtract ? 4 : 2);
  b.op.a = b.source(1, type);
  if (isExtract) {
    b.op.b = b.source(2, Type::U32);
    b.op.c = b.source(3, Type::U32);
  }
  b.op.d = b.destination(0, isExtract ? type : Type::U32);
}

static uint32_t maskOf(uint32_t at, uint32_t count) {
  uint64_t ones = count >= 32 ? 0xFFFFFFFFu : (uint64_t(1) << count) - 1;
  return at >= 32 ? 0 : uint32_t(ones << at);
}

template <bool Signed>
static uint32_t extend(uint32_t value, uint32_t bits) {
  if (bits >= 32)
    return value;
  if (bits == 0)
    return 0;
  uint32_t shifted = value << (32 - bits);
  return Signed ? uint32_t(int32_t(shifted) >> (32 - bits))
                : shifted >> (32 - bits);
}

static void buildMask(Builder &b) {
  bool isExtend = b.in.opcode() == Opcode::Szext;
  int mode = b.takeOneOf({"clamp", "wrap"});
  if (mode < 0)
    b.refuse("expected '.clamp' or '.wrap'");
  Type type = b.takeType();
  bool wraps = mode == 1;
  using U = uint32_t;
  if (!isExtend && type == Type::B32)
    b.op.run =
        wraps ? binary<[](U at, U n) { return maskOf(at & 31, n & 31); }, U, U>
              : binary<[](U at, U n) { return maskOf(at, n); }, U, U>;
  else if (isExtend && type == Type::S32)
    b.op.run =
        wraps ? binary<[](U v, U n) { return extend<true>(v, n & 31); }, U, U>
              : binary<[](U v, U n) { return extend<true>(v, n); }, U, U>;
  else if (isExtend && type == Type::U32)
    b.op.run =
        wraps ? binary<[](U v, U n) { return extend<false>(v, n & 31); }, U, U>
              : binary<[](U v, U n) { return extend<false>(v, n); }, U, U>;
  else
    b.refuse("type '." + std::string(spelling(type)) + "' is not covered");
  b.requireOperands(3, 3);
  b.op.a = b.source(1, Type::B32);
  b.op.b = b.source(2, Type::B32);
  b.op.d = b.destination(0, Type::B32);
}

template <class T>
static T reverse(T value) {
  T result = 0;
  for (unsigned i = 0; i < sizeof(T) * 8; ++i)
    result = T(result << 1 | (value >> i & 1));
  return result;
}

/// The n-th set bit of a mask, counted from a base (PTX ISA 9.7.1.22).
static uint32_t findNthSet(uint32_t mask, uint32_t base, uint32_t offset) {
  int32_t n = int32_t(offset);
  base &= 31;
  if (n == 0)
    return mask >> base & 1 ? base : ~0u;
  int32_t step = n > 0 ? 1 : -1;
  uint32_t left = n > 0 ? offset : -offset;
  for (int32_t at = int32_t(base); at >= 0 && at < 32; at += step)
    if ((mask >> at & 1) && --left == 0)
      return uint32_t(at);
  return ~0u;
}

static void buildCount(Builder &b) {
  Opcode opcode = b.in.opcode();
  Type type = b.takeType();
  if (opcode == Opcode::Fns) {
    b.requireOperands(4, 4);
    if (type != Type::B32)
      b.refuse("expected type '.b32'");
    b.op.a = b.source(1, Type::B32);
    b.op.b = b.source(2, Type::B32);
    b.op.c = b.source(3, Type::B32);
    b.op.d = b.destination(0, Type::B32);
    b.op.run = ternary<[](uint32_t mask, uint32_t base, uint32_t n) {
      return findNthSet(mask, base, n);
    },
                       uint32_t, uint32_t>;
    return;
  }
  if (type != Type::B32 && type != Type::B64)
    b.refuse("expected type '.b32' or '.b64'");
  b.requireOperands(2, 2);
  withBits(type, [&](auto t) {
    using T = decltype(t);
    if (opcode == Opcode::Brev)
      b.op.run = unary<[](T x) { return reverse<T>(x); }, T, T>;
    else if (opcode == Opcode::Clz)
      b.op.run =
          unary<[](T x) { return uint32_t(std::countl_zero(x)); }, uint32_t, T>;
    else
      b.op.run =
          unary<[](T x) { return uint32_t(std::popcount(x)); }, uint32_t, T>;
  });
  b.op.a = b.source(1, type);
  b.op.d = b.destination(0, opcode == Opcode::Brev ? type : Type::B32);
}

//===----------------------------------------------------------------------===//
// prmt
//===----------------------------------------------------------------------===//

/// Selectors of the named modes, by the two low bits of `c` (PTX ISA 9.7.9.7).
static uint32_t permutationSelector(int mode, uint32_t c) {
  static constexpr uint16_t selectors[6][4] = {
      {0x3210, 0x4321, 0x5432, 0x6543},  // f4e
      {0x5670, 0x6701, 0x7012, 0x0123},  // b4e
      {0x0000, 0x1111, 0x2222, 0x3333},  // rc8
      {0x3210, 0x3211, 0x3222, 0x3333},  // ecl
      {0x0000, 0x1110, 0x2210, 0x3210},  // ecr
      {0x1010, 0x3232, 0x1010, 0x3232}}; // rc16
  return selectors[mode][c & 3];
}

static uint32_t permute(uint32_t a, uint32_t b, uint32_t selector) {
  uint64_t bytes = uint64_t(b) << 32 | a;
  uint32_t result = 0;
  for (unsigned i = 0; i < 4; ++i) {
    unsigned nibble = selector >> (4 * i) & 15;
    uint32_t byte = uint32_t(bytes >> (8 * (nibble & 7))) & 255;
    if (nibble & 8)
      byte = byte & 128 ? 255 : 0;
    result |= byte << (8 * i);
  }
  return result;
}

static void prmt(Warp &warp, const Op &op, Lanes lanes) {
  auto *d = warp.row<uint32_t>(op.d), *a = warp.row<uint32_t>(op.a),
       *b = warp.row<uint32_t>(op.b), *c = warp.row<uint32_t>(op.c);
  forLanes(lanes, [&](unsigned i) {
    uint32_t selector =
        op.mode == 0 ? c[i] : permutationSelector(op.mode - 1, c[i]);
    d[i] = permute(a[i], b[i], selector);
  });
}

static void buildPermute(Builder &b) {
  b.require("b32");
  b.op.mode =
      uint8_t(1 + b.takeOneOf({"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"}));
  b.requireOperands(4, 4);
  b.op.a = b.source(1, Type::B32);
  b.op.b = b.source(2, Type::B32);
  b.op.c = b.source(3, Type::B32);
  b.op.d = b.destination(0, Type::B32);
  b.op.run = prmt;
}

void buildBits(Builder &b) {
  switch (b.in.opcode()) {
  case Opcode::Lop3:
    return buildLop3(b);
  case Opcode::Shl:
  case Opcode::Shr:
    return buildShift(b);
  case Opcode::Shf:
    return buildFunnel(b);
  case Opcode::Bfe:
  case Opcode::Bfi:
  case Opcode::Bfind:
    return buildField(b);
  case Opcode::Bmsk:
  case Opcode::Szext:
    return buildMask(b);
  case Opcode::Brev:
  case Opcode::Clz:
  case Opcode::Popc:
  case Opcode::Fns:
    return buildCount(b);
  case Opcode::Prmt:
    return buildPermute(b);
  default:
    return buildLogic(b);
  }
}

} // namespace heddle::ptx
