// Compare.cpp - set, setp, selp, slct (PTX ISA 9.7.6 and 9.7.7).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Elementwise.h"
#include "codegen/nvidia/ptx/Formats.h"

#include <cmath>
#include <limits>

namespace heddle::ptx {

namespace {

enum Comparison : uint8_t {
  Eq,
  Ne,
  Lt,
  Le,
  Gt,
  Ge, // ordered
  Equ,
  Neu,
  Ltu,
  Leu,
  Gtu,
  Geu, // true on NaN
  Num,
  Nan
};

enum class Combine : uint8_t { None, And, Or, Xor };

template <class T>
bool holds(uint8_t comparison, T a, T b) {
  bool unordered = a != a || b != b;
  switch (comparison) {
  case Eq:
    return a == b;
  case Ne:
    return !unordered && a != b;
  case Lt:
    return a < b;
  case Le:
    return a <= b;
  case Gt:
    return a > b;
  case Ge:
    return a >= b;
  case Equ:
    return unordered || a == b;
  case Neu:
    return unordered || a != b;
  case Ltu:
    return unordered || a < b;
  case Leu:
    return unordered || a <= b;
  case Gtu:
    return unordered || a > b;
  case Geu:
    return unordered || a >= b;
  case Num:
    return !unordered;
  default:
    return unordered;
  }
}

/// How lanes of a type are read for comparison.
template <class T>
struct Read {
  static T get(Word<T> word) { return fromWord<T>(word); }
};
struct ReadF16 {
  static float get(uint32_t word) { return fromF16(uint16_t(word)); }
};
struct ReadBF16 {
  static float get(uint32_t word) { return fromBF16(uint16_t(word)); }
};
struct ReadF16High {
  static float get(uint32_t word) { return fromF16(uint16_t(word >> 16)); }
};
struct ReadBF16High {
  static float get(uint32_t word) { return fromBF16(uint16_t(word >> 16)); }
};

/// Zero for what is smaller than the least normal number of the format.
float flushed(float value, float least = std::numeric_limits<float>::min()) {
  return std::fabs(value) < least ? std::copysign(0.0f, value) : value;
}

/// The least normal number of what a reader reads; 0 where `.ftz` does not go.
template <class Reader>
constexpr float leastNormal = 0;
template <>
constexpr float leastNormal<Read<float>> = std::numeric_limits<float>::min();
template <>
constexpr float leastNormal<ReadF16> = 0x1p-14f;
template <>
constexpr float leastNormal<ReadF16High> = 0x1p-14f;

template <class Reader, uint8_t C, class W>
Lanes compareLoop(const W *a, const W *b) {
  alignas(64) uint8_t bits[warpSize];
  for (unsigned i = 0; i < warpSize; ++i)
    bits[i] = holds(C, Reader::get(a[i]), Reader::get(b[i]));
  Lanes result = 0;
  for (unsigned i = 0; i < warpSize; ++i)
    result |= Lanes(bits[i]) << i;
  return result;
}

/// The comparison of all lanes; `op.mode` says which, `op.mode2` bit 0 is ftz.
template <class Reader, class W>
Lanes compare(const Op &op, const W *a, const W *b) {
  if constexpr (leastNormal<Reader> != 0)
    if (op.mode2 & 1) {
      Lanes result = 0;
      for (unsigned i = 0; i < warpSize; ++i)
        result |= Lanes(holds(op.mode,
                              flushed(Reader::get(a[i]), leastNormal<Reader>),
                              flushed(Reader::get(b[i]), leastNormal<Reader>)))
                  << i;
      return result;
    }
  switch (op.mode) {
  case Eq:
    return compareLoop<Reader, Eq>(a, b);
  case Ne:
    return compareLoop<Reader, Ne>(a, b);
  case Lt:
    return compareLoop<Reader, Lt>(a, b);
  case Le:
    return compareLoop<Reader, Le>(a, b);
  case Gt:
    return compareLoop<Reader, Gt>(a, b);
  case Ge:
    return compareLoop<Reader, Ge>(a, b);
  default:
    break;
  }
  Lanes result = 0;
  for (unsigned i = 0; i < warpSize; ++i)
    result |= Lanes(holds(op.mode, Reader::get(a[i]), Reader::get(b[i]))) << i;
  return result;
}

Lanes combined(const Op &op, Warp &warp, Lanes result) {
  if (op.members == noRow)
    return result;
  Lanes c = warp.predicate(op.members) ^ (op.mode2 & 2 ? allLanes : 0);
  switch (Combine(op.count)) {
  case Combine::And:
    return result & c;
  case Combine::Or:
    return result | c;
  case Combine::Xor:
    return result ^ c;
  default:
    return result;
  }
}

/// Writes the predicates of a comparison; the second one may be left out.
void writePredicates(Warp &warp, const Op &op, Lanes lanes, Lanes first,
                     Lanes second) {
  Lanes &p = warp.predicate(op.d);
  p = (p & ~lanes) | (first & lanes);
  if (op.c == noRow)
    return;
  Lanes &q = warp.predicate(op.c);
  q = (q & ~lanes) | (second & lanes);
}

template <class Reader, class W>
void setp(Warp &warp, const Op &op, Lanes lanes) {
  Lanes result = compare<Reader>(op, warp.row<W>(op.a), warp.row<W>(op.b));
  writePredicates(warp, op, lanes, combined(op, warp, result),
                  combined(op, warp, ~result));
}

/// Packed halves: p is the comparison of the low ones, q of the high ones.
template <class Low, class High>
void setpPacked(Warp &warp, const Op &op, Lanes lanes) {
  const auto *a = warp.row<uint32_t>(op.a), *b = warp.row<uint32_t>(op.b);
  writePredicates(warp, op, lanes, combined(op, warp, compare<Low>(op, a, b)),
                  combined(op, warp, compare<High>(op, a, b)));
}

/// set: the result as 1.0 or all ones. `op.immediate` holds the true value.
template <class Reader, class W>
void set(Warp &warp, const Op &op, Lanes lanes) {
  Lanes result = combined(
      op, warp, compare<Reader>(op, warp.row<W>(op.a), warp.row<W>(op.b)));
  auto *d = warp.row<uint32_t>(op.d);
  forLanes(lanes, [&](unsigned i) {
    d[i] = result >> i & 1 ? uint32_t(op.immediate) : 0;
  });
}

template <class Low, class High>
void setPacked(Warp &warp, const Op &op, Lanes lanes) {
  const auto *a = warp.row<uint32_t>(op.a), *b = warp.row<uint32_t>(op.b);
  Lanes low = combined(op, warp, compare<Low>(op, a, b));
  Lanes high = combined(op, warp, compare<High>(op, a, b));
  auto *d = warp.row<uint32_t>(op.d);
  uint32_t one = uint32_t(op.immediate);
  forLanes(lanes, [&](unsigned i) {
    d[i] = (low >> i & 1 ? one & 0xFFFF : 0) |
           (high >> i & 1 ? one & 0xFFFF0000 : 0);
  });
}

uint8_t takeComparison(Builder &b, Type type) {
  int index = b.takeOneOf({"eq", "ne", "lt", "le", "gt", "ge", "equ", "neu",
                           "ltu", "leu", "gtu", "geu", "num", "nan"});
  if (index < 0) {
    // Unsigned spellings of the same orders.
    int unsignedOrder = b.takeOneOf({"lo", "ls", "hi", "hs"});
    if (unsignedOrder < 0)
      b.refuse("expected a comparison");
    if (type != Type::U16 && type != Type::U32 && type != Type::U64)
      b.refuse("expected an unsigned type");
    index = Lt + unsignedOrder;
  }
  bool isFloat = type >= Type::F16 && type <= Type::F64;
  if (!isFloat && index > Ge)
    b.refuse("comparison of floating-point values on type '." +
             std::string(spelling(type)) + "'");
  bool isBits = type >= Type::B8 && type <= Type::B64;
  if (isBits && index > Ne)
    b.refuse("expected '.eq' or '.ne' on untyped bits");
  // Floating-point .ne is ordered in PTX, integers have no NaN.
  return uint8_t(index);
}

uint8_t takeFlush(Builder &b, Type type) {
  bool flushes = b.take("ftz");
  if (flushes && type != Type::F32 && type != Type::F16 && type != Type::F16x2)
    b.refuse("'.ftz' goes with '.f32', '.f16' and '.f16x2' only");
  return flushes;
}

struct SetpHandlers {
  template <class Reader, class W>
  static constexpr Handler plain = setp<Reader, W>;
  template <class Low, class High>
  static constexpr Handler packed = setpPacked<Low, High>;
};
struct SetHandlers {
  template <class Reader, class W>
  static constexpr Handler plain = set<Reader, W>;
  template <class Low, class High>
  static constexpr Handler packed = setPacked<Low, High>;
};

/// The handler that compares operands of a type; null if there is none.
template <class Handlers>
Handler handlerOf(Type type) {
  switch (type) {
  case Type::B16:
  case Type::U16:
    return Handlers::template plain<Read<uint16_t>, uint32_t>;
  case Type::S16:
    return Handlers::template plain<Read<int16_t>, uint32_t>;
  case Type::B32:
  case Type::U32:
    return Handlers::template plain<Read<uint32_t>, uint32_t>;
  case Type::S32:
    return Handlers::template plain<Read<int32_t>, uint32_t>;
  case Type::B64:
  case Type::U64:
    return Handlers::template plain<Read<uint64_t>, uint64_t>;
  case Type::S64:
    return Handlers::template plain<Read<int64_t>, uint64_t>;
  case Type::F32:
    return Handlers::template plain<Read<float>, uint32_t>;
  case Type::F64:
    return Handlers::template plain<Read<double>, uint64_t>;
  case Type::F16:
    return Handlers::template plain<ReadF16, uint32_t>;
  case Type::BF16:
    return Handlers::template plain<ReadBF16, uint32_t>;
  case Type::F16x2:
    return Handlers::template packed<ReadF16, ReadF16High>;
  case Type::BF16x2:
    return Handlers::template packed<ReadBF16, ReadBF16High>;
  default:
    return nullptr;
  }
}

/// What setp and set share: modifiers, compared operands, and the predicate of
/// a combined comparison, which is the last operand.
template <class Handlers>
void buildComparison(Builder &b, Type type) {
  b.op.mode = takeComparison(b, type);
  b.op.mode2 = takeFlush(b, type);
  int combine = b.takeOneOf({"and", "or", "xor"});
  b.op.count = uint8_t(combine + 1);
  size_t operands = combine < 0 ? 3 : 4;
  b.requireOperands(operands, operands);
  if (combine >= 0) {
    const Operand &c = b.operand(3);
    b.op.members = b.predicateSource(c);
    b.op.mode2 |= c.negated ? 2 : 0;
  }
  b.op.run = handlerOf<Handlers>(type);
  if (!b.op.run)
    b.refuse("type '." + std::string(spelling(type)) + "' is not covered");
  b.op.a = b.source(1, type);
  b.op.b = b.source(2, type);
}

/// Whether set writes that type for operands of this one: all but halves give
/// 32 bits, pairs give pairs or 32 bits, and f16 and bf16 take any operands.
bool isSettable(Type result, Type type) {
  bool isF16 = type == Type::F16, isBF16 = type == Type::BF16;
  bool isPair = type == Type::F16x2 || type == Type::BF16x2;
  switch (result) {
  case Type::U32:
  case Type::S32:
    return true;
  case Type::U16:
  case Type::S16:
    return isF16 || isBF16;
  case Type::F32:
    return !isF16 && !isBF16 && !isPair;
  case Type::F16:
    return !isBF16 && !isPair;
  case Type::BF16:
    return !isPair;
  default:
    return result == type;
  }
}

/// What set writes for true: all ones, or 1 as a float.
uint32_t trueValue(Builder &b, Type result) {
  switch (result) {
  case Type::U32:
  case Type::S32:
    return 0xFFFFFFFF;
  case Type::U16:
  case Type::S16:
    return 0xFFFF;
  case Type::F32:
    return 0x3F800000;
  case Type::F16:
    return 0x3C00;
  case Type::BF16:
    return 0x3F80;
  case Type::F16x2:
    return 0x3C003C00;
  case Type::BF16x2:
    return 0x3F803F80;
  default:
    b.refuse("result type '." + std::string(spelling(result)) +
             "' is not covered");
  }
}

void buildSetp(Builder &b) {
  Type type = b.takeType();
  buildComparison<SetpHandlers>(b, type);
  b.predicateDestinations(0, b.op.d, b.op.c);
  if ((type == Type::F16 || type == Type::BF16) && b.op.c != noRow)
    b.refuse("a comparison of single halves has one result");
}

void buildSet(Builder &b) {
  Type result = b.takeType(), type = b.takeType();
  b.op.immediate = trueValue(b, result);
  if (result == Type::BF16 && b.in.has("ftz"))
    b.refuse("'.ftz' does not go with result type '.bf16'");
  if (!isSettable(result, type))
    b.refuse("result type '." + std::string(spelling(result)) +
             "' does not go with '." + std::string(spelling(type)) + "'");
  buildComparison<SetHandlers>(b, type);
  b.op.d = b.destination(0, result);
}

template <class W>
void selp(Warp &warp, const Op &op, Lanes lanes) {
  W *d = warp.row<W>(op.d);
  const W *a = warp.row<W>(op.a), *b = warp.row<W>(op.b);
  Lanes p = warp.predicate(op.c);
  forLanes(lanes, [&](unsigned i) { d[i] = p >> i & 1 ? a[i] : b[i]; });
}

/// d = c >= 0 ? a : b, for c of s32 or f32 (`op.mode` bit 0; bit 1 is ftz).
template <class W>
void slct(Warp &warp, const Op &op, Lanes lanes) {
  W *d = warp.row<W>(op.d);
  const W *a = warp.row<W>(op.a), *b = warp.row<W>(op.b);
  const auto *c = warp.row<uint32_t>(op.c);
  forLanes(lanes, [&](unsigned i) {
    float real = std::bit_cast<float>(c[i]);
    bool first = op.mode & 1 ? (op.mode & 2 ? flushed(real) : real) >= 0
                             : int32_t(c[i]) >= 0;
    d[i] = first ? a[i] : b[i];
  });
}

} // namespace

void buildCompare(Builder &b) {
  Opcode opcode = b.in.opcode();
  if (opcode == Opcode::Setp)
    return buildSetp(b);
  if (opcode == Opcode::Set)
    return buildSet(b);
  Type type = b.takeType();
  unsigned bits = bitWidth(type);
  if (!isWord(type) || bits < 16 || bits > 64)
    b.refuse("type '." + std::string(spelling(type)) + "' is not covered");
  b.requireOperands(4, 4);
  b.op.a = b.source(1, type);
  b.op.b = b.source(2, type);
  if (opcode == Opcode::Selp) {
    b.op.c = b.predicateSource(b.operand(3));
    if (b.operand(3).negated)
      b.refuse("expected a predicate that is not negated");
    b.op.byHalves = true;
    b.op.run = bits == 64 ? selp<uint64_t> : selp<uint32_t>;
  } else {
    Type typeC = b.takeType();
    if (typeC != Type::S32 && typeC != Type::F32)
      b.refuse("expected type '.s32' or '.f32' of the selector");
    bool isFloat = typeC == Type::F32;
    b.op.mode = uint8_t(isFloat | ((isFloat && b.take("ftz")) << 1));
    b.op.c = b.source(3, typeC);
    b.op.run = bits == 64 ? slct<uint64_t> : slct<uint32_t>;
  }
  b.op.d = b.destination(0, type);
}

} // namespace heddle::ptx
