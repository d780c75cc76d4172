// Convert.cpp - cvt (PTX ISA 9.7.9.21).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiled with -frounding-math: conversions to f32 and f64 use the host's
// mode.

#include "codegen/nvidia/ptx/Elementwise.h"
#include "codegen/nvidia/ptx/Formats.h"

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <limits>

namespace heddle::ptx {

namespace {

/// What one cvt does, kept in the bytes of an op.
struct Conversion {
  Type to, from;
  Rounding rounding;
  bool toIntegral, flush, saturate, satFinite, relu;
};

enum ConvertFlag : uint8_t {
  ToIntegral = 1,
  Flush = 2,
  Saturate = 4,
  SatFinite = 8,
  Relu = 16,
  WideSource = 32,
  WideResult = 64,
};

bool isFloat(Type type) {
  return type >= Type::F16 && type != Type::U16x2 && type != Type::S16x2;
}
bool isSigned(Type type) {
  return (type >= Type::S8 && type <= Type::S64) || type == Type::S4 ||
         type == Type::S2;
}

const Format &formatOf(Type type) {
  switch (type) {
  case Type::BF16:
    return formatBF16;
  case Type::TF32:
    return formatTF32;
  default:
    return formatF16;
  }
}

double flushed32(double value) {
  return std::fabs(value) < double(std::numeric_limits<float>::min())
             ? std::copysign(0.0, value)
             : value;
}

double readFloat(uint64_t bits, Type type) {
  if (type == Type::F32)
    return std::bit_cast<float>(uint32_t(bits));
  if (type == Type::F64)
    return std::bit_cast<double>(bits);
  return decode(uint32_t(bits), formatOf(type));
}

int hostMode(Rounding rounding) {
  switch (rounding) {
  case Rounding::Zero:
    return FE_TOWARDZERO;
  case Rounding::Down:
    return FE_DOWNWARD;
  case Rounding::Up:
    return FE_UPWARD;
  default:
    return FE_TONEAREST;
  }
}

/// Rounds a value to a floating-point type and returns its bits.
uint64_t writeFloat(double value, const Conversion &how) {
  if (how.saturate)
    value = value > 0 ? std::min(value, 1.0) : 0.0;
  if (how.relu)
    value = value > 0 || value != value ? value : 0.0;
  if (how.to == Type::F64)
    return std::bit_cast<uint64_t>(value);
  if (how.to == Type::F32) {
    if (value != value)
      return 0x7FFFFFFF;
    std::fesetround(hostMode(how.rounding));
    volatile float narrow = float(value);
    std::fesetround(FE_TONEAREST);
    float result = narrow;
    if (how.flush)
      result = float(flushed32(result));
    return std::bit_cast<uint32_t>(result);
  }
  return encode(value, formatOf(how.to), how.rounding, how.satFinite);
}

double toIntegral(double value, Rounding rounding) {
  switch (rounding) {
  case Rounding::Zero:
    return std::trunc(value);
  case Rounding::Down:
    return std::floor(value);
  case Rounding::Up:
    return std::ceil(value);
  default:
    return std::nearbyint(value);
  }
}

uint64_t limited(uint64_t value, Type type) {
  unsigned bits = bitWidth(type);
  return bits == 64 ? value : value & ((uint64_t(1) << bits) - 1);
}

/// Out of range saturates; NaN is zero, except where 64 bits are involved.
uint64_t floatToInteger(double value, Type to, Type from) {
  unsigned bits = bitWidth(to);
  if (value != value)
    return from == Type::F64 || bits == 64 ? uint64_t(1) << (bits - 1) : 0;
  if (isSigned(to)) {
    double bound = std::ldexp(1.0, int(bits) - 1);
    if (value >= bound)
      return (uint64_t(1) << (bits - 1)) - 1;
    if (value < -bound)
      return limited(uint64_t(1) << (bits - 1), to);
    return limited(uint64_t(int64_t(value)), to);
  }
  double bound = std::ldexp(1.0, int(bits));
  if (value >= bound)
    return limited(~uint64_t(0), to);
  return value <= 0 ? 0 : limited(uint64_t(value), to);
}

uint64_t integerToFloat(uint64_t bits, const Conversion &how) {
  bool negative = isSigned(how.from) && int64_t(bits) < 0;
  // Read anew for every conversion: g++ takes one made in another rounding
  // mode for the same value.
  volatile uint64_t source = bits;
  std::fesetround(hostMode(how.rounding));
  volatile float single = negative ? float(int64_t(source)) : float(source);
  volatile double wide = negative ? double(int64_t(source)) : double(source);
  std::fesetround(FE_TONEAREST);
  if (how.to == Type::F32 && !how.saturate)
    return std::bit_cast<uint32_t>(float(single));
  if (how.to == Type::F64 && !how.saturate)
    return std::bit_cast<uint64_t>(double(wide));
  // Made odd where inexact, the f64 rounds to a small format as the integer
  // itself would.
  std::fesetround(FE_TOWARDZERO);
  volatile double cut = negative ? double(int64_t(source)) : double(source);
  std::fesetround(FE_TONEAREST);
  double value = cut;
  bool exact = std::fabs(value) < 0x1p64 &&
               (negative ? int64_t(value) == int64_t(bits)
                         : value < 0x1p64 && uint64_t(value) == bits);
  if (!exact)
    value = std::bit_cast<double>(std::bit_cast<uint64_t>(value) | 1);
  return writeFloat(value, how);
}

uint64_t integerToInteger(uint64_t bits, const Conversion &how) {
  if (!how.saturate)
    return limited(bits, how.to);
  unsigned width = bitWidth(how.to);
  __int128 value =
      isSigned(how.from) ? __int128(int64_t(bits)) : __int128(bits);
  __int128 low = isSigned(how.to) ? -(__int128(1) << (width - 1)) : 0;
  __int128 high = (__int128(1) << (isSigned(how.to) ? width - 1 : width)) - 1;
  return limited(uint64_t(std::clamp(value, low, high)), how.to);
}

uint64_t signExtended(uint64_t bits, Type type) {
  unsigned width = bitWidth(type);
  if (!isSigned(type) || width == 64)
    return bits;
  unsigned up = 64 - width;
  return uint64_t(int64_t(bits << up) >> up);
}

/// One value; bits in and out are limited to their types.
uint64_t convert(uint64_t bits, const Conversion &how) {
  bits = limited(bits, how.from);
  if (!isFloat(how.from)) {
    bits = signExtended(bits, how.from);
    return isFloat(how.to) ? integerToFloat(bits, how)
                           : integerToInteger(bits, how);
  }
  double value = readFloat(bits, how.from);
  if (how.flush && how.from == Type::F32)
    value = flushed32(value);
  if (!isFloat(how.to)) {
    value = toIntegral(value, how.rounding);
    return floatToInteger(value, how.to, how.from);
  }
  if (how.toIntegral) {
    Conversion nearest = how;
    nearest.rounding = Rounding::NearestEven;
    return writeFloat(toIntegral(value, how.rounding), nearest);
  }
  return writeFloat(value, how);
}

Conversion conversionOf(const Op &op) {
  Conversion how;
  how.to = Type(op.immediate & 255);
  how.from = Type(op.immediate >> 8 & 255);
  how.rounding = Rounding(op.mode2);
  how.toIntegral = op.mode & ToIntegral;
  how.flush = op.mode & Flush;
  how.saturate = op.mode & Saturate;
  how.satFinite = op.mode & SatFinite;
  how.relu = op.mode & Relu;
  return how;
}

uint64_t readRow(Warp &warp, Row row, bool wide, unsigned lane) {
  return wide ? warp.row<uint64_t>(row)[lane] : warp.row<uint32_t>(row)[lane];
}

void cvt(Warp &warp, const Op &op, Lanes lanes) {
  Conversion how = conversionOf(op);
  forLanes(lanes, [&](unsigned i) {
    uint64_t result =
        convert(readRow(warp, op.a, op.mode & WideSource, i), how);
    // A register wider than the type gets the value extended by its sign.
    result = signExtended(result, how.to);
    if (op.mode & WideResult)
      warp.row<uint64_t>(op.d)[i] = result;
    else
      warp.row<uint32_t>(op.d)[i] =
          uint32_t(op.bytes < 4 ? result & ((1u << 8 * op.bytes) - 1) : result);
  });
}

/// cvt.pack.sat.ctype.s32 d, a, b {, c}: `op.bytes` is the element's width.
void cvtPackSaturated(Warp &warp, const Op &op, Lanes lanes) {
  Conversion how = conversionOf(op);
  unsigned bits = bitWidth(how.to);
  auto *d = warp.row<uint32_t>(op.d), *a = warp.row<uint32_t>(op.a),
       *b = warp.row<uint32_t>(op.b), *c = warp.row<uint32_t>(op.c);
  forLanes(lanes, [&](unsigned i) {
    uint64_t pair = convert(a[i], how) << bits | convert(b[i], how);
    d[i] = uint32_t(bits == 16 ? pair : uint64_t(c[i]) << (2 * bits) | pair);
  });
}

template <class To, class From>
void resize(Warp &warp, const Op &op, Lanes lanes) {
  unary<[](From x) { return To(x); }, To, From>(warp, op, lanes);
}

/// Vectorised forms of what compilers emit most; null for the rest.
Handler fastHandler(Type to, Type from, const Op &op) {
  uint8_t flags = op.mode & ~(WideSource | WideResult);
  bool wideTo = op.mode & WideResult, wideFrom = op.mode & WideSource;
  if (flags != 0 || wideTo != (bitWidth(to) == 64) ||
      wideFrom != (bitWidth(from) == 64))
    return nullptr;
  auto is = [&](Type t, Type f) { return to == t && from == f; };
  if (is(Type::U64, Type::U32) || is(Type::S64, Type::U32))
    return resize<uint64_t, uint32_t>;
  if (is(Type::S64, Type::S32) || is(Type::U64, Type::S32))
    return resize<uint64_t, int32_t>;
  bool fromWide = from == Type::U64 || from == Type::S64;
  if (fromWide && (to == Type::U32 || to == Type::S32))
    return resize<uint32_t, uint64_t>;
  bool nearest = op.mode2 == uint8_t(Rounding::NearestEven);
  if (is(Type::F32, Type::S32) && nearest)
    return unary<[](int32_t x) { return float(x); }, float, int32_t>;
  if (is(Type::F32, Type::BF16))
    return unary<[](uint16_t x) {
      float value = fromBF16(x);
      return value == value ? value : std::bit_cast<float>(0x7FFFFFFFu);
    },
                 float, uint16_t>;
  if (is(Type::F32, Type::F16))
    return unary<[](uint16_t x) {
      float value = fromF16(x);
      return value == value ? value : std::bit_cast<float>(0x7FFFFFFFu);
    },
                 float, uint16_t>;
  if (is(Type::BF16, Type::F32) && nearest)
    return unary<[](float x) { return toBF16(x); }, uint16_t, float>;
  return nullptr;
}

/// Whether every integer of a type is one of the other.
bool covers(Type to, Type from) {
  unsigned toBits = bitWidth(to), fromBits = bitWidth(from);
  if (isSigned(from) && !isSigned(to))
    return false;
  return isSigned(to) == isSigned(from) ? toBits >= fromBits
                                        : toBits > fromBits;
}

/// bf16 and tf32 came late: no `.sat`, and registers of their own width only.
bool isLate(Type type) { return type == Type::BF16 || type == Type::TF32; }

/// Sets `op.mode2`; the conversions that lose bits must say how they round.
void takeRounding(Builder &b, Type to, Type from) {
  bool toFloat = isFloat(to), fromFloat = isFloat(from);
  bool narrows = toFloat && (!fromFloat || bitWidth(to) < bitWidth(from) ||
                             to == Type::TF32);
  // bf16 and f16 lack values of each other; wider types take any rounding too.
  bool mayRound = narrows || (toFloat && fromFloat && to != from &&
                              (to == Type::BF16 || from == Type::BF16));
  bool mayBeIntegral = fromFloat && (!toFloat || to == from);
  int rounding = -1;
  if (to == Type::TF32)
    rounding =
        b.take("rna") ? int(Rounding::NearestAway) : b.takeOneOf({"rn", "rz"});
  else if (mayRound)
    rounding = b.takeOneOf({"rn", "rz", "rm", "rp"});
  if (mayBeIntegral) {
    rounding = b.takeOneOf({"rni", "rzi", "rmi", "rpi"});
    b.op.mode |= rounding >= 0 ? ToIntegral : 0;
  }
  if (rounding < 0 && (narrows || (fromFloat && !toFloat)))
    b.refuse("expected a rounding modifier");
  b.op.mode2 = uint8_t(std::max(rounding, 0));
}

/// `.relu` and `.satfinite`, or else `.ftz` and `.sat`, where they go with the
/// types.
void takeRange(Builder &b, Type to, Type from) {
  Rounding rounding = Rounding(b.op.mode2);
  bool isNarrowF32 = from == Type::F32 && (to == Type::F16 || isLate(to));
  if (isNarrowF32 &&
      (rounding == Rounding::NearestEven || rounding == Rounding::Zero))
    b.op.mode |= b.take("relu") ? Relu : 0;
  if (isNarrowF32 && rounding != Rounding::Down && rounding != Rounding::Up)
    b.op.mode |= b.take("satfinite") ? SatFinite : 0;
  if (b.op.mode & (Relu | SatFinite))
    return;
  if ((to == Type::F32 || from == Type::F32) && to != Type::TF32)
    b.op.mode |= b.take("ftz") ? Flush : 0;
  bool isInteger = !isFloat(to) && !isFloat(from);
  if (isInteger ? !covers(to, from) : !isLate(to) && !isLate(from))
    b.op.mode |= b.take("sat") ? Saturate : 0;
}

void buildSaturatedPack(Builder &b) {
  b.require("sat");
  Type to = b.takeType(), from = b.takeType();
  // Pairs of less than 32 bits go before what c holds.
  bool byte = to == Type::U8 || to == Type::S8 || to == Type::U4 ||
              to == Type::S4 || to == Type::U2 || to == Type::S2;
  if ((!byte && to != Type::U16 && to != Type::S16) || from != Type::S32)
    b.refuse("types are not covered");
  if (byte)
    b.require("b32");
  b.requireOperands(byte ? 4 : 3, byte ? 4 : 3);
  b.op.mode = Saturate;
  b.op.immediate = uint64_t(to) | uint64_t(from) << 8;
  b.op.a = b.op.c = b.source(1, Type::S32);
  b.op.b = b.source(2, Type::S32);
  if (byte)
    b.op.c = b.source(3, Type::B32);
  b.op.d = b.destination(0, Type::B32);
  b.op.run = cvtPackSaturated;
}

} // namespace

void buildConvert(Builder &b) {
  if (b.isKind(0, Operand::Kind::Sink))
    b.refuse("expected a register for the result");
  if (std::optional<std::string_view> scaled = b.takePrefixed("scaled::"))
    b.refuse("modifier '." + std::string(*scaled) + "' is not covered");
  if (b.take("pack"))
    return buildSaturatedPack(b);
  if (b.in.has("rs"))
    return buildStochastic(b);
  Type to = b.takeType(), from = b.takeType();
  b.op.immediate = uint64_t(to) | uint64_t(from) << 8;
  auto isScalar = [](Type type) {
    return (type >= Type::U8 && type <= Type::S64) || type == Type::F16 ||
           type == Type::BF16 || type == Type::F32 || type == Type::F64;
  };
  bool toTF32 = to == Type::TF32 && from == Type::F32;
  if (!toTF32 && (!isScalar(to) || !isScalar(from)))
    return buildPackedConvert(b, to, from);
  takeRounding(b, to, from);
  takeRange(b, to, from);
  b.requireOperands(2, 2);
  auto isWider = [&](size_t index, Type type) {
    return b.isKind(index, Operand::Kind::Register) &&
           bitWidth(b.registerType(b.operand(index))) > bitWidth(type);
  };
  if ((isLate(to) || isLate(from)) && (isWider(0, to) || isWider(1, from)))
    b.refuse("expected registers as wide as the types");
  bool wide = false;
  b.op.a = b.wideSource(b.operand(1), from, wide);
  b.op.mode |= wide ? WideSource : 0;
  b.op.d = b.wideDestination(b.operand(0), to, wide);
  b.op.mode |= wide ? WideResult : 0;
  b.op.bytes = uint8_t(bitWidth(b.registerType(b.operand(0))) / 8);
  b.op.run = fastHandler(to, from, b.op);
  if (!b.op.run)
    b.op.run = cvt;
}

} // namespace heddle::ptx
