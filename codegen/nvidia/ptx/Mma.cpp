// Mma.cpp - mma.sync (PTX ISA 9.7.14.5).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Builder.h"
#include "codegen/nvidia/ptx/Fragment.h"

#include <algorithm>
#include <cstdio>

namespace heddle::ptx {

namespace {

constexpr unsigned maxElements = 16 * 64; ///< of A; B and C are smaller

/// Calls `take(place, bits)` for each element of A or B.
template <class Take>
void forElements(Warp &warp, const std::vector<Row> &rows, Type type, bool isA,
                 unsigned m, Take take) {
  unsigned bits = elementBits(type), per = 32 / bits;
  for (unsigned r = 0; r < rows.size(); ++r) {
    const auto *words = warp.row<uint32_t>(rows[r]);
    for (unsigned lane = 0; lane < warpSize; ++lane)
      for (unsigned e = 0; e < per; ++e)
        take(isA ? placeA(lane, r, e, m, per) : placeB(lane, r, e, per),
             elementOf(words[lane], bits, e));
  }
}

void mmaFloat(Warp &warp, const Op &op, Lanes) {
  const OpDetail &shape = warp.machine->program.details[op.detail];
  ++warp.machine->statistics.tensorCore;
  float a[maxElements], b[maxElements], c[maxElements];
  forElements(
      warp, shape.a, shape.typeA, true, shape.m, [&](Place at, uint32_t bits) {
        a[at.row * shape.k + at.column] = floatElement(shape.typeA, bits);
      });
  forElements(
      warp, shape.b, shape.typeB, false, shape.m, [&](Place at, uint32_t bits) {
        b[at.row * shape.n + at.column] = floatElement(shape.typeB, bits);
      });
  gatherAccumulators(warp, shape.c, shape.typeC, shape.m, shape.n, c);
  multiplyAdd(c, a, b, shape.m, shape.n, shape.k);
  scatterAccumulators(warp, shape.d, shape.typeD, shape.m, shape.n, c);
}

void mmaInteger(Warp &warp, const Op &op, Lanes) {
  const OpDetail &shape = warp.machine->program.details[op.detail];
  ++warp.machine->statistics.tensorCore;
  int32_t a[maxElements], b[maxElements];
  int64_t c[maxElements];
  forElements(
      warp, shape.a, shape.typeA, true, shape.m, [&](Place at, uint32_t bits) {
        a[at.row * shape.k + at.column] = integerElement(shape.typeA, bits);
      });
  forElements(
      warp, shape.b, shape.typeB, false, shape.m, [&](Place at, uint32_t bits) {
        b[at.row * shape.n + at.column] = integerElement(shape.typeB, bits);
      });
  gatherAccumulators(warp, shape.c, shape.m, shape.n, c);
  multiplyAdd(c, a, b, shape.m, shape.n, shape.k);
  scatterAccumulators(warp, shape.d, shape.m, shape.n, c, shape.saturate);
}

void mmaDouble(Warp &warp, const Op &op, Lanes) {
  const OpDetail &shape = warp.machine->program.details[op.detail];
  ++warp.machine->statistics.tensorCore;
  double a[16 * 16], b[16 * 8], c[16 * 8];
  auto value = [&](Row row, unsigned lane) {
    return std::bit_cast<double>(warp.row<uint64_t>(row)[lane]);
  };
  for (unsigned lane = 0; lane < warpSize; ++lane) {
    for (unsigned r = 0; r < shape.a.size(); ++r) {
      Place at = placeA(lane, r, 0, shape.m, 1);
      a[at.row * shape.k + at.column] = value(shape.a[r], lane);
    }
    for (unsigned r = 0; r < shape.b.size(); ++r) {
      Place at = placeB(lane, r, 0, 1);
      b[at.row * shape.n + at.column] = value(shape.b[r], lane);
    }
    for (unsigned r = 0; r < shape.c.size(); ++r) {
      Place at = placeC(lane, r, shape.m);
      c[at.row * shape.n + at.column] = value(shape.c[r], lane);
    }
  }
  multiplyAdd(c, a, b, shape.m, shape.n, shape.k);
  for (unsigned r = 0; r < shape.d.size(); ++r)
    for (unsigned lane = 0; lane < warpSize; ++lane) {
      Place at = placeC(lane, r, shape.m);
      warp.row<uint64_t>(shape.d[r])[lane] =
          std::bit_cast<uint64_t>(c[at.row * shape.n + at.column]);
    }
}

/// Shapes of dense mma that are covered, by the kind of element.
bool isShape(Type type, unsigned m, unsigned n, unsigned k) {
  if (n != 8 || (m != 8 && m != 16))
    return false;
  auto oneOf = [&](std::initializer_list<unsigned> ks) {
    return std::find(ks.begin(), ks.end(), k) != ks.end();
  };
  switch (type) {
  case Type::F16:
  case Type::BF16:
    return m == 16 && oneOf({8, 16});
  case Type::TF32:
    return m == 16 && oneOf({4, 8});
  case Type::E4M3:
  case Type::E5M2:
    return m == 16 && oneOf({16, 32});
  case Type::S8:
  case Type::U8:
    return m == 16 ? oneOf({16, 32}) : k == 16;
  case Type::S4:
  case Type::U4:
    return m == 16 ? oneOf({32, 64}) : k == 32;
  case Type::F64:
    return m == 16 ? oneOf({4, 8, 16}) : k == 4;
  default:
    return false;
  }
}

void takeShape(Builder &b, OpDetail &shape) {
  std::optional<std::string_view> word = b.takePrefixed("m");
  if (!word || std::sscanf(std::string(*word).c_str(), "m%un%uk%u", &shape.m,
                           &shape.n, &shape.k) != 3)
    b.refuse("expected a shape such as '.m16n8k16'");
}

std::vector<Row> takeRegisters(Builder &b, size_t index, size_t count,
                               Type type, bool isResult) {
  const Operand &operand = b.operand(index);
  bool isVector = operand.kind == Operand::Kind::Vector;
  size_t got = isVector ? operand.elements.size() : 1;
  if (got != count)
    b.refuse("expected " + std::to_string(count) + " registers in operand " +
             std::to_string(index + 1) + ", got " + std::to_string(got));
  std::vector<Row> rows;
  for (size_t i = 0; i < count; ++i) {
    const Operand &element = isVector ? operand.elements[i] : operand;
    rows.push_back(isResult ? b.destination(element, type)
                            : b.source(element, type));
  }
  return rows;
}

} // namespace

void buildMma(Builder &b) {
  b.require("sync");
  b.require("aligned");
  OpDetail shape;
  takeShape(b, shape);
  b.require("row");
  b.require("col");
  shape.saturate = b.take("satfinite");
  shape.typeD = b.takeType();
  shape.typeA = b.takeType();
  shape.typeB = b.takeType();
  shape.typeC = b.takeType();
  bool integer = isIntegerElement(shape.typeA);
  bool isDouble = shape.typeA == Type::F64;
  bool fp8 = shape.typeA == Type::E4M3 || shape.typeA == Type::E5M2;
  bool mixes = integer || fp8; // A and B may differ in sign or format
  bool typesFit = elementBits(shape.typeA) == elementBits(shape.typeB) &&
                  (mixes ? integer == isIntegerElement(shape.typeB)
                         : shape.typeA == shape.typeB);
  bool halves = (shape.typeA == Type::F16 || fp8);
  auto isAccumulator = [&](Type type) {
    return integer    ? type == Type::S32
           : isDouble ? type == Type::F64
                      : type == Type::F32 || (halves && type == Type::F16);
  };
  if (!typesFit || !isShape(shape.typeA, shape.m, shape.n, shape.k) ||
      !isAccumulator(shape.typeC) || !isAccumulator(shape.typeD))
    b.refuse("this combination of shape and types is not covered");
  b.requireOperands(4, 4);
  unsigned bits = isDouble ? 32 : elementBits(shape.typeA);
  size_t countA = shape.m * shape.k * bits / 1024;
  size_t countB = shape.n * shape.k * bits / 1024;
  auto countC = [&](Type type) {
    return size_t(shape.m * shape.n / 32 / (type == Type::F16 ? 2 : 1));
  };
  Type word = isDouble ? Type::F64 : Type::B32;
  auto accumulatorWord = [&](Type type) {
    return type == Type::F16 ? Type::B32 : type;
  };
  shape.a = takeRegisters(b, 1, countA, word, false);
  shape.b = takeRegisters(b, 2, countB, word, false);
  shape.c = takeRegisters(b, 3, countC(shape.typeC),
                          accumulatorWord(shape.typeC), false);
  shape.d = takeRegisters(b, 0, countC(shape.typeD),
                          accumulatorWord(shape.typeD), true);
  b.addDetail();
  b.detail() = std::move(shape);
  b.op.convergence = Convergence::AlignedAll;
  b.op.run = isDouble ? mmaDouble : integer ? mmaInteger : mmaFloat;
}

} // namespace heddle::ptx
