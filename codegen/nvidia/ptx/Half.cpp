// Half.cpp - f16 and bf16 arithmetic, single and packed (PTX ISA 9.7.4).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operands are exact in f64; every operation rounds once, to the format.

#include "codegen/nvidia/ptx/Elementwise.h"
#include "codegen/nvidia/ptx/Formats.h"

#include <cmath>
#include <limits>

namespace heddle::ptx {

namespace {

enum HalfFlag : uint8_t {
  Flush = 1,
  Saturate = 2,
  Relu = 4,
  PropagateNan = 8,
  XorSign = 16,
  OutOfBounds = 32 ///< `.oob`
};

double flushSubnormal(double value, const Format &format) {
  int bias = (1 << (format.exponentBits - 1)) - 1;
  return std::fabs(value) < std::ldexp(1.0, 1 - bias)
             ? std::copysign(0.0, value)
             : value;
}

double extremum(double a, double b, uint8_t flags, bool largest) {
  if (a != a || b != b) {
    if ((flags & PropagateNan) || (a != a && b != b))
      return std::numeric_limits<double>::quiet_NaN();
    double number = a != a ? b : a;
    return flags & XorSign && std::signbit(a) != std::signbit(b)
               ? -std::fabs(number)
           : flags & XorSign ? std::fabs(number)
                             : number;
  }
  if (flags & XorSign) {
    bool negative = std::signbit(a) != std::signbit(b);
    a = std::fabs(a);
    b = std::fabs(b);
    double magnitude = (a < b) == largest ? b : a;
    return negative ? -magnitude : magnitude;
  }
  if (a == b)
    return std::signbit(a) == largest ? b : a;
  return (a < b) == largest ? b : a;
}

/// One element. `op.mode` HalfFlag, `op.immediate` the opcode.
uint32_t compute(const Op &op, const Format &format, uint32_t x, uint32_t y,
                 uint32_t z) {
  Opcode opcode = Opcode(op.immediate);
  uint32_t signBit = 0x8000;
  if (opcode == Opcode::Neg || opcode == Opcode::Abs) {
    if (op.mode & Flush)
      x = encode(flushSubnormal(decode(x, format), format), format,
                 Rounding::NearestEven, false);
    return opcode == Opcode::Neg ? x ^ signBit : x & ~signBit;
  }
  auto load = [&](uint32_t bits) {
    double value = decode(bits, format);
    return op.mode & Flush ? flushSubnormal(value, format) : value;
  };
  auto isOutOfBounds = [](uint32_t bits) {
    return (bits & 0x7FFF) == outOfBoundsNan;
  };
  if ((op.mode & OutOfBounds) && (isOutOfBounds(x) || isOutOfBounds(y)))
    return 0;
  double a = load(x), b = load(y), c = load(z);
  uint32_t bits = 0;
  if (opcode == Opcode::Fma) {
    bits = fusedMultiplyAdd(a, b, c, format);
  } else {
    double value = 0;
    switch (opcode) {
    case Opcode::Add:
      value = a + b;
      break;
    case Opcode::Sub:
      value = a - b;
      break;
    case Opcode::Mul:
      value = a * b;
      break;
    case Opcode::Min:
      value = extremum(a, b, op.mode, false);
      break;
    case Opcode::Max:
      value = extremum(a, b, op.mode, true);
      break;
    case Opcode::Ex2:
      value = std::exp2(a);
      break;
    default:
      value = std::tanh(a);
      break;
    }
    bits = encode(value, format, Rounding::NearestEven, false);
  }
  if (op.mode == 0)
    return bits;
  double value = decode(bits, format);
  if (op.mode & Flush)
    value = flushSubnormal(value, format);
  if (op.mode & Saturate)
    value = value > 0 ? std::min(value, 1.0) : 0.0;
  if ((op.mode & Relu) && value <= 0)
    value = 0.0;
  return encode(value, format, Rounding::NearestEven, false);
}

template <bool BF, bool Packed>
void half(Warp &warp, const Op &op, Lanes lanes) {
  constexpr const Format &format = BF ? formatBF16 : formatF16;
  auto *d = warp.row<uint32_t>(op.d), *a = warp.row<uint32_t>(op.a),
       *b = warp.row<uint32_t>(op.b), *c = warp.row<uint32_t>(op.c);
  forLanes(lanes, [&](unsigned i) {
    uint32_t x = a[i], y = b[i], z = c[i];
    uint32_t low = compute(op, format, x & 0xFFFF, y & 0xFFFF, z & 0xFFFF);
    uint32_t high = Packed ? compute(op, format, x >> 16, y >> 16, z >> 16) : 0;
    d[i] = low | high << 16;
  });
}

} // namespace

/// `.ftz` and `.sat`, where the instruction has them.
static void takeRange(Builder &b, Opcode opcode, bool bf) {
  bool isSum = opcode == Opcode::Add || opcode == Opcode::Sub ||
               opcode == Opcode::Mul || opcode == Opcode::Fma;
  bool isFunction = opcode == Opcode::Ex2 || opcode == Opcode::Tanh;
  if (bf && opcode == Opcode::Ex2) {
    b.require("ftz");
    b.op.mode |= Flush;
  }
  if (!bf && !isFunction && !(b.op.mode & OutOfBounds) && b.take("ftz"))
    b.op.mode |= Flush;
  if (!bf && isSum && !(b.op.mode & Relu) && b.take("sat"))
    b.op.mode |= Saturate;
}

void buildHalf(Builder &b) {
  Opcode opcode = b.in.opcode();
  Type type = b.takeType();
  size_t sources = 2;
  bool bf = type == Type::BF16 || type == Type::BF16x2;
  if (!bf && type != Type::F16 && type != Type::F16x2)
    b.refuse("type '." + std::string(spelling(type)) + "' is not covered");
  switch (opcode) {
  case Opcode::Fma:
    b.require("rn");
    b.op.mode |= b.take("relu") ? Relu : 0;
    b.op.mode |= b.take("oob") ? OutOfBounds : 0;
    sources = 3;
    break;
  case Opcode::Add:
  case Opcode::Sub:
  case Opcode::Mul:
    b.take("rn");
    break;
  case Opcode::Min:
  case Opcode::Max:
    b.op.mode |= b.take("NaN") ? PropagateNan : 0;
    if (b.take("xorsign")) {
      b.require("abs");
      b.op.mode |= XorSign;
    }
    break;
  case Opcode::Abs:
  case Opcode::Neg:
    sources = 1;
    break;
  case Opcode::Ex2:
  case Opcode::Tanh:
    b.require("approx");
    sources = 1;
    break;
  default:
    b.refuse("type '." + std::string(spelling(type)) + "' is not covered");
  }
  takeRange(b, opcode, bf);
  bool packed = bitWidth(type) == 32;
  b.op.byHalves = packed;
  b.op.run = bf ? (packed ? half<true, true> : half<true, false>)
                : (packed ? half<false, true> : half<false, false>);
  b.op.immediate = uint64_t(opcode);
  b.requireOperands(sources + 1, sources + 1);
  b.op.a = b.op.b = b.op.c = b.source(1, type);
  if (sources > 1)
    b.op.b = b.source(2, type);
  if (sources > 2)
    b.op.c = b.source(3, type);
  b.op.d = b.destination(0, type);
}

} // namespace heddle::ptx
