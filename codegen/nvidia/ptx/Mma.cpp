// Mma.cpp - mma.sync (PTX ISA 9.7.14.5).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Formats.h"
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

/// mma with elements of one bit: counts the ones of `a op b` (`.xor`, `.and`).
/// `op.mode` 1 is `.and`.
void mmaBits(Warp &warp, const Op &op, Lanes) {
  const OpDetail &shape = warp.machine->program.details[op.detail];
  ++warp.machine->statistics.tensorCore;
  uint32_t a[16][8], b[8][8]; // words along k
  int64_t c[16 * 8];
  for (unsigned lane = 0; lane < warpSize; ++lane) {
    for (unsigned r = 0; r < shape.a.size(); ++r) {
      Place at = placeA(lane, r, 0, shape.m, 32);
      a[at.row][at.column / 32] = warp.row<uint32_t>(shape.a[r])[lane];
    }
    for (unsigned r = 0; r < shape.b.size(); ++r) {
      Place at = placeB(lane, r, 0, 32);
      b[at.column][at.row / 32] = warp.row<uint32_t>(shape.b[r])[lane];
    }
  }
  gatherAccumulators(warp, shape.c, shape.m, shape.n, c);
  for (unsigned row = 0; row < shape.m; ++row)
    for (unsigned column = 0; column < shape.n; ++column)
      for (unsigned k = 0; k < shape.k / 32; ++k) {
        uint32_t x = a[row][k], y = b[column][k];
        c[row * shape.n + column] += std::popcount(op.mode ? x & y : x ^ y);
      }
  scatterAccumulators(warp, shape.d, shape.m, shape.n, c, false);
}

/// Rows and columns of element `i` of a lane in m8n8k4 of f16 (9.7.14.5.1):
/// lanes q to q+3 and q+16 to q+19 hold a product of their own.
struct QuadPairLane {
  unsigned member, upper; ///< `upper` 4 in lanes 16 to 31
  Place a(unsigned i, bool byColumn) const {
    return byColumn ? Place{i + upper, member} : Place{member + upper, i};
  }
  Place b(unsigned i, bool byRow) const {
    return byRow ? Place{member, i + upper} : Place{i, member + upper};
  }
  Place c(unsigned i, Type type) const {
    return type == Type::F16 ? Place{member + upper, i}
                             : Place{(member & 1) + (i & 2) + upper,
                                     (i & 4) + (member & 2) + (i & 1)};
  }
};

void mmaQuadPairs(Warp &warp, const Op &op, Lanes) {
  const OpDetail &shape = warp.machine->program.details[op.detail];
  ++warp.machine->statistics.tensorCore;
  auto half = [&](const std::vector<Row> &rows, unsigned lane, unsigned i) {
    return fromF16(
        uint16_t(warp.row<uint32_t>(rows[i / 2])[lane] >> (16 * (i % 2))));
  };
  for (unsigned quad = 0; quad < 16; quad += 4) {
    float a[8 * 4], b[4 * 8], c[8 * 8];
    for (unsigned l = 0; l < 8; ++l) {
      unsigned lane = quad + l % 4 + l / 4 * 16;
      QuadPairLane place{l % 4, l / 4 * 4};
      for (unsigned i = 0; i < 4; ++i) {
        Place atA = place.a(i, shape.transA), atB = place.b(i, shape.transB);
        a[atA.row * 4 + atA.column] = half(shape.a, lane, i);
        b[atB.row * 8 + atB.column] = half(shape.b, lane, i);
      }
      for (unsigned i = 0; i < 8; ++i) {
        Place at = place.c(i, shape.typeC);
        c[at.row * 8 + at.column] =
            shape.typeC == Type::F16
                ? half(shape.c, lane, i)
                : std::bit_cast<float>(warp.row<uint32_t>(shape.c[i])[lane]);
      }
    }
    multiplyAdd(c, a, b, 8, 8, 4);
    for (unsigned l = 0; l < 8; ++l) {
      unsigned lane = quad + l % 4 + l / 4 * 16;
      QuadPairLane place{l % 4, l / 4 * 4};
      auto result = [&](unsigned i) {
        Place at = place.c(i, shape.typeD);
        return c[at.row * 8 + at.column];
      };
      for (unsigned r = 0; r < shape.d.size(); ++r)
        warp.row<uint32_t>(shape.d[r])[lane] =
            shape.typeD == Type::F16
                ? toF16(result(2 * r)) | uint32_t(toF16(result(2 * r + 1)))
                                             << 16
            : result(r) != result(r) ? 0x7FFFFFFF
                                     : std::bit_cast<uint32_t>(result(r));
    }
  }
}

/// Shapes of dense mma that are covered, by the kind of element.
bool isShape(Type type, unsigned m, unsigned n, unsigned k) {
  if (n != 8 || (m != 8 && m != 16))
    return false;
  if (type == Type::F16 && m == 8)
    return k == 4;
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
  case Type::B1:
    return m == 16 ? oneOf({128, 256}) : k == 128;
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

/// Whether the four types of a dense mma go together.
static bool typesFit(const OpDetail &shape) {
  bool integer = isIntegerElement(shape.typeA), bits = shape.typeA == Type::B1;
  bool fp8 = shape.typeA == Type::E4M3 || shape.typeA == Type::E5M2;
  // Integers and fp8 may differ between A and B in sign or format.
  bool same = integer || fp8
                  ? elementBits(shape.typeA) == elementBits(shape.typeB) &&
                        integer == isIntegerElement(shape.typeB)
                  : shape.typeA == shape.typeB;
  auto isAccumulator = [&](Type type) {
    return integer || bits            ? type == Type::S32
           : shape.typeA == Type::F64 ? type == Type::F64
           : type == Type::F16        ? fp8 || shape.typeA == Type::F16
                                      : type == Type::F32;
  };
  return same && isAccumulator(shape.typeC) && isAccumulator(shape.typeD);
}

static Handler handlerOf(const OpDetail &shape) {
  if (shape.typeA == Type::F16 && shape.k == 4)
    return mmaQuadPairs;
  return shape.typeA == Type::B1         ? mmaBits
         : shape.typeA == Type::F64      ? mmaDouble
         : isIntegerElement(shape.typeA) ? mmaInteger
                                         : mmaFloat;
}

void buildMma(Builder &b) {
  b.require("sync");
  b.require("aligned");
  for (const std::string &word : b.in.mnemonic->modifiers)
    if (word.starts_with("kind::"))
      b.refuse("'." + word + "' is not covered");
  OpDetail shape;
  takeShape(b, shape);
  shape.transA = takeColumnMajor(b);
  shape.transB = !takeColumnMajor(b);
  shape.saturate = b.take("satfinite");
  shape.typeD = b.takeType();
  shape.typeA = b.takeType();
  shape.typeB = b.takeType();
  shape.typeC = b.takeType();
  if (!typesFit(shape) || !isShape(shape.typeA, shape.m, shape.n, shape.k) ||
      (shape.saturate && !isIntegerElement(shape.typeA)))
    b.refuse("this combination of shape and types is not covered");
  b.op.run = handlerOf(shape);
  bool quadPairs = b.op.run == mmaQuadPairs;
  if (!quadPairs && (shape.transA || shape.transB))
    b.refuse("expected '.row.col'");
  if (shape.typeC != shape.typeD &&
      !(quadPairs && shape.typeC == Type::F16)) // may widen
    b.refuse("expected accumulators of the type of the result");
  if (shape.typeA == Type::B1)
    b.op.mode = takeBitOperation(b);
  b.requireOperands(4, 4);
  bool isDouble = shape.typeA == Type::F64;
  unsigned bits = isDouble ? 32 : elementBits(shape.typeA);
  // m8n8k4 of f16 is four products side by side.
  size_t products = quadPairs ? 4 : 1;
  size_t countA = products * shape.m * shape.k * bits / 1024;
  size_t countB = products * shape.n * shape.k * bits / 1024;
  auto countC = [&](Type type) {
    return products * shape.m * shape.n / 32 / (type == Type::F16 ? 2 : 1);
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
}

} // namespace heddle::ptx
