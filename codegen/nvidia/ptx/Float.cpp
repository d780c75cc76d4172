// Float.cpp - f32 and f64 arithmetic (PTX ISA 9.7.3).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiled with -frounding-math: the directed roundings set the host's mode.

#include "codegen/nvidia/ptx/Elementwise.h"
#include "codegen/nvidia/ptx/FloatRounding.h"

#include <cmath>
#include <limits>

namespace heddle::ptx {

namespace {

/// Arithmetic with `op.mode` FloatFlag and `op.mode2` rounding; `Plain` has
/// neither, and is what the compiler vectorises.
template <auto F, class T, bool Plain>
void arithmetic1(Warp &warp, const Op &op, Lanes lanes) {
  RoundingScope scope(Plain ? 0 : op.mode2);
  auto *d = warp.row<Word<T>>(op.d);
  const auto *a = warp.row<Word<T>>(op.a);
  uint8_t flags = Plain ? 0 : op.mode;
  forLanes(lanes, [&](unsigned i) {
    d[i] = toWord<T>(output(F(input(fromWord<T>(a[i]), flags)), flags));
  });
}

template <auto F, class T, bool Plain>
void arithmetic2(Warp &warp, const Op &op, Lanes lanes) {
  RoundingScope scope(Plain ? 0 : op.mode2);
  auto *d = warp.row<Word<T>>(op.d);
  const auto *a = warp.row<Word<T>>(op.a), *b = warp.row<Word<T>>(op.b);
  uint8_t flags = Plain ? 0 : op.mode;
  forLanes(lanes, [&](unsigned i) {
    d[i] = toWord<T>(output(
        F(input(fromWord<T>(a[i]), flags), input(fromWord<T>(b[i]), flags)),
        flags));
  });
}

template <auto F, class T, bool Plain>
void arithmetic3(Warp &warp, const Op &op, Lanes lanes) {
  RoundingScope scope(Plain ? 0 : op.mode2);
  auto *d = warp.row<Word<T>>(op.d);
  const auto *a = warp.row<Word<T>>(op.a), *b = warp.row<Word<T>>(op.b),
             *c = warp.row<Word<T>>(op.c);
  uint8_t flags = Plain ? 0 : op.mode;
  forLanes(lanes, [&](unsigned i) {
    d[i] = toWord<T>(output(F(input(fromWord<T>(a[i]), flags),
                              input(fromWord<T>(b[i]), flags),
                              input(fromWord<T>(c[i]), flags)),
                            flags));
  });
}

/// Takes the rounding modifier into `op.mode2`; false if there is none.
bool takeRounding(Builder &b) {
  int rounding = b.takeOneOf({"rn", "rz", "rm", "rp"});
  b.op.mode2 = uint8_t(rounding < 0 ? 0 : rounding);
  return rounding >= 0;
}

void takeFlush(Builder &b, Type type) {
  if (b.in.has("ftz") && type != Type::F32)
    b.refuse("'.ftz' goes with '.f32' only");
  b.op.mode |= b.take("ftz") ? Flush : 0;
}

/// Quotients, signs, extrema and approximations have no `.sat`.
void takeSaturate(Builder &b, Type type) {
  if (b.in.has("sat") && (type != Type::F32 || b.in.opcode() == Opcode::Div))
    b.refuse("'.sat' goes with sums and products of '.f32' only");
  b.op.mode |= b.take("sat") ? Saturate : 0;
}

template <auto F, class T>
Handler handler1(const Op &op) {
  return op.mode || op.mode2 ? arithmetic1<F, T, false>
                             : arithmetic1<F, T, true>;
}
template <auto F, class T>
Handler handler2(const Op &op) {
  return op.mode || op.mode2 ? arithmetic2<F, T, false>
                             : arithmetic2<F, T, true>;
}
template <auto F, class T>
Handler handler3(const Op &op) {
  return op.mode || op.mode2 ? arithmetic3<F, T, false>
                             : arithmetic3<F, T, true>;
}

/// div.approx.f32 gives zero for divisors above 2^126 (PTX ISA 9.7.3.8).
float approximateQuotient(float a, float b) {
  if (std::fabs(b) > 0x1p126f &&
      std::fabs(b) <= std::numeric_limits<float>::max())
    return std::isfinite(a) ? std::copysign(0.0f, a) * std::copysign(1.0f, b)
                            : a * 0.0f;
  return a / b;
}

template <class T>
void chooseArithmetic(Builder &b) {
  Op &op = b.op;
  switch (b.in.opcode()) {
  case Opcode::Add:
    op.run = handler2<[](T x, T y) { return x + y; }, T>(op);
    break;
  case Opcode::Sub:
    op.run = handler2<[](T x, T y) { return x - y; }, T>(op);
    break;
  case Opcode::Mul:
    op.run = handler2<[](T x, T y) { return x * y; }, T>(op);
    break;
  case Opcode::Div:
    op.run = handler2<[](T x, T y) { return x / y; }, T>(op);
    break;
  default:
    op.run = handler3<[](T x, T y, T z) { return std::fma(x, y, z); }, T>(op);
    break;
  }
}

void buildArithmetic(Builder &b, Type type) {
  Opcode opcode = b.in.opcode();
  bool rounded = takeRounding(b);
  bool approximate = false;
  if (opcode == Opcode::Div && type == Type::F32 && !rounded) {
    int kind = b.takeOneOf({"approx", "full"});
    if (kind < 0)
      b.refuse("expected '.approx', '.full' or a rounding");
    approximate = kind == 0;
  } else if (!rounded && (opcode == Opcode::Fma || opcode == Opcode::Div ||
                          opcode == Opcode::Mad)) {
    b.refuse("expected a rounding modifier");
  }
  takeFlush(b, type);
  takeSaturate(b, type);
  if (approximate)
    b.op.run =
        handler2<[](float x, float y) { return approximateQuotient(x, y); },
                 float>(b.op);
  else if (type == Type::F32)
    chooseArithmetic<float>(b);
  else
    chooseArithmetic<double>(b);
}

//===----------------------------------------------------------------------===//
// min, max, abs, neg, copysign, testp
//===----------------------------------------------------------------------===//

/// NaN loses against a number, and -0 is below +0 (PTX ISA 9.7.3.11).
template <class T, bool Largest>
T extremum(T a, T b) {
  if (a != a)
    return b;
  if (b != b)
    return a;
  if (a == b)
    return std::signbit(a) == Largest ? b : a;
  return (a < b) == Largest ? b : a;
}
template <class T, bool Largest>
T extremumNan(T a, T b) {
  return a != a || b != b ? std::numeric_limits<T>::quiet_NaN()
                          : extremum<T, Largest>(a, b);
}
template <class T, bool Largest>
T extremumXorSign(T a, T b) {
  bool negative = std::signbit(a) != std::signbit(b);
  T magnitude = extremum<T, Largest>(std::fabs(a), std::fabs(b));
  return negative ? -magnitude : magnitude;
}

/// min and max of three operands (f32 only): `.abs` compares magnitudes.
template <bool Largest>
void chooseExtremum3(Builder &b) {
  bool nan = b.take("NaN");
  if (b.take("abs"))
    b.op.run = nan ? handler3<[](float x, float y, float z) {
      return extremumNan<float, Largest>(
          extremumNan<float, Largest>(std::fabs(x), std::fabs(y)),
          std::fabs(z));
    },
                              float>(b.op)
                   : handler3<[](float x, float y, float z) {
                       return extremum<float, Largest>(
                           extremum<float, Largest>(std::fabs(x), std::fabs(y)),
                           std::fabs(z));
                     },
                              float>(b.op);
  else
    b.op.run = nan ? handler3<[](float x, float y, float z) {
      return extremumNan<float, Largest>(extremumNan<float, Largest>(x, y), z);
    },
                              float>(b.op)
                   : handler3<[](float x, float y, float z) {
                       return extremum<float, Largest>(
                           extremum<float, Largest>(x, y), z);
                     },
                              float>(b.op);
}

template <class T, bool Largest>
void chooseExtremum(Builder &b) {
  bool nan = b.take("NaN"), xorSign = b.take("xorsign");
  if (xorSign)
    b.require("abs");
  if (nan && xorSign)
    b.op.run = handler2<[](T x, T y) {
      return x != x || y != y ? std::numeric_limits<T>::quiet_NaN()
                              : extremumXorSign<T, Largest>(x, y);
    },
                        T>(b.op);
  else if (nan)
    b.op.run =
        handler2<[](T x, T y) { return extremumNan<T, Largest>(x, y); }, T>(
            b.op);
  else if (xorSign)
    b.op.run =
        handler2<[](T x, T y) { return extremumXorSign<T, Largest>(x, y); }, T>(
            b.op);
  else
    b.op.run =
        handler2<[](T x, T y) { return extremum<T, Largest>(x, y); }, T>(b.op);
}

void buildExtremum(Builder &b, Type type) {
  takeFlush(b, type);
  if (type == Type::F64 && (b.in.has("NaN") || b.in.has("xorsign")))
    b.refuse("'.NaN' and '.xorsign' do not go with '.f64'");
  bool largest = b.in.opcode() == Opcode::Max;
  if (type == Type::F32 && b.operandCount() == 4)
    return largest ? chooseExtremum3<true>(b) : chooseExtremum3<false>(b);
  if (type == Type::F32)
    largest ? chooseExtremum<float, true>(b) : chooseExtremum<float, false>(b);
  else
    largest ? chooseExtremum<double, true>(b)
            : chooseExtremum<double, false>(b);
}

enum TestMode : uint8_t {
  TestFinite,
  TestInfinite,
  TestNumber,
  TestNotANumber,
  TestNormal,
  TestSubnormal
};

template <class T>
void testp(Warp &warp, const Op &op, Lanes lanes) {
  const auto *a = warp.row<Word<T>>(op.a);
  Lanes result = 0;
  forLanes(lanes, [&](unsigned i) {
    T value = fromWord<T>(a[i]);
    int kind = std::fpclassify(value);
    const bool results[] = {std::isfinite(value),
                            kind == FP_INFINITE,
                            kind != FP_NAN,
                            kind == FP_NAN,
                            kind == FP_NORMAL || kind == FP_ZERO,
                            kind == FP_SUBNORMAL};
    result |= Lanes(results[op.mode]) << i;
  });
  Lanes &d = warp.predicate(op.d);
  d = (d & ~lanes) | result;
}

void buildTest(Builder &b) {
  int mode = b.takeOneOf(
      {"finite", "infinite", "number", "notanumber", "normal", "subnormal"});
  Type type = b.takeType();
  if (mode < 0 || (type != Type::F32 && type != Type::F64))
    b.refuse("expected a test and type '.f32' or '.f64'");
  b.requireOperands(2, 2);
  b.op.mode = uint8_t(mode);
  b.op.a = b.source(1, type);
  b.op.d = b.predicateDestination(b.operand(0));
  b.op.run = type == Type::F32 ? testp<float> : testp<double>;
}

/// abs and neg change the sign bit only, of NaN as well in f64.
template <class T>
void chooseSign(Builder &b) {
  switch (b.in.opcode()) {
  case Opcode::Abs:
    b.op.run = handler1<[](T x) { return std::fabs(x); }, T>(b.op);
    break;
  case Opcode::Neg:
    b.op.run = handler1<[](T x) { return -x; }, T>(b.op);
    break;
  default: // copysign.type d, a, b: the sign of a, the magnitude of b
    b.op.run = binary<[](T x, T y) { return std::copysign(y, x); }, T, T>;
    break;
  }
}

//===----------------------------------------------------------------------===//
// Roots and transcendental approximations
//===----------------------------------------------------------------------===//

double upperWord(double value) {
  return std::bit_cast<double>(std::bit_cast<uint64_t>(value) &
                               0xFFFFFFFF00000000u);
}

/// `F` in the 1.11.20 format of the upper word (9.7.3.14, 9.7.3.17): the lower
/// word counts for nothing and is zero in the result, which has one NaN.
template <auto F>
double gross(double x) {
  double result = upperWord(flushed(F(flushed(upperWord(x)))));
  return result != result ? std::bit_cast<double>(0x7FFFFFFF00000000u) : result;
}

void chooseFunction64(Builder &b, bool approximate) {
  Opcode opcode = b.in.opcode();
  if (approximate) {
    bool flushes = b.take("ftz");
    if (opcode == Opcode::Rcp && !flushes)
      b.refuse("expected modifier '.ftz'");
    if (opcode == Opcode::Rcp)
      b.op.run = unary<gross<[](double x) { return 1 / x; }>, double, double>;
    else if (opcode == Opcode::Rsqrt && flushes)
      b.op.run = unary<gross<[](double x) { return 1 / std::sqrt(x); }>, double,
                       double>;
    else if (opcode == Opcode::Rsqrt) // emulated in software, in full precision
      b.op.run =
          unary<[](double x) { return 1 / std::sqrt(x); }, double, double>;
    return;
  }
  if (opcode == Opcode::Rcp)
    b.op.run = handler1<[](double x) { return 1 / x; }, double>(b.op);
  else if (opcode == Opcode::Sqrt)
    b.op.run = handler1<[](double x) { return std::sqrt(x); }, double>(b.op);
}

void chooseFunction32(Builder &b) {
  Op &op = b.op;
  switch (b.in.opcode()) {
  case Opcode::Rcp:
    op.run = handler1<[](float x) { return 1 / x; }, float>(op);
    break;
  case Opcode::Sqrt:
    op.run = handler1<[](float x) { return std::sqrt(x); }, float>(op);
    break;
  case Opcode::Rsqrt:
    op.run = handler1<[](float x) { return float(1 / std::sqrt(double(x))); },
                      float>(op);
    break;
  case Opcode::Sin:
    op.run =
        handler1<[](float x) { return float(std::sin(double(x))); }, float>(op);
    break;
  case Opcode::Cos:
    op.run =
        handler1<[](float x) { return float(std::cos(double(x))); }, float>(op);
    break;
  case Opcode::Lg2:
    op.run = handler1<[](float x) { return std::log2(x); }, float>(op);
    break;
  case Opcode::Ex2:
    op.run = handler1<[](float x) { return std::exp2(x); }, float>(op);
    break;
  default:
    op.run = handler1<[](float x) { return std::tanh(x); }, float>(op);
    break;
  }
}

void buildFunction(Builder &b, Type type) {
  bool rounded = takeRounding(b);
  bool approximate = b.take("approx");
  Opcode opcode = b.in.opcode();
  bool mayRound = opcode == Opcode::Rcp || opcode == Opcode::Sqrt;
  if (rounded == approximate || (rounded && !mayRound))
    b.refuse(mayRound ? "expected '.approx' or a rounding"
                      : "expected '.approx'");
  if (type == Type::F64) {
    chooseFunction64(b, approximate);
  } else {
    if (opcode != Opcode::Tanh)
      takeFlush(b, type);
    chooseFunction32(b);
  }
  if (!b.op.run)
    b.refuse("type '.f64' is not covered");
}

} // namespace

void buildFloat(Builder &b) {
  Opcode opcode = b.in.opcode();
  if (opcode == Opcode::Testp)
    return buildTest(b);
  Type type = b.takeType();
  if (type != Type::F32 && type != Type::F64)
    b.refuse("type '." + std::string(spelling(type)) + "' is not covered");
  size_t sources = 1;
  switch (opcode) {
  case Opcode::Fma:
  case Opcode::Mad:
    sources = 3;
    buildArithmetic(b, type);
    break;
  case Opcode::Add:
  case Opcode::Sub:
  case Opcode::Mul:
  case Opcode::Div:
    sources = 2;
    buildArithmetic(b, type);
    break;
  case Opcode::Min:
  case Opcode::Max:
    sources = type == Type::F32 && b.operandCount() == 4 ? 3 : 2;
    buildExtremum(b, type);
    break;
  case Opcode::Abs:
  case Opcode::Neg:
  case Opcode::Copysign:
    sources = opcode == Opcode::Copysign ? 2 : 1;
    if (opcode != Opcode::Copysign)
      takeFlush(b, type);
    type == Type::F32 ? chooseSign<float>(b) : chooseSign<double>(b);
    break;
  default:
    buildFunction(b, type);
    break;
  }
  b.requireOperands(sources + 1, sources + 1);
  b.op.a = b.source(1, type);
  if (sources > 1)
    b.op.b = b.source(2, type);
  if (sources > 2)
    b.op.c = b.source(3, type);
  b.op.d = b.destination(0, type);
}

} // namespace heddle::ptx
