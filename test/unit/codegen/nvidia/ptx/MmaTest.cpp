// MmaTest.cpp - mma.sync of every shape and type against exact products.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/TensorCore.h"

namespace heddle::ptx::test {

namespace {

struct Mma {
  unsigned m, k;
  const Element *a, *b, *d;
  bool saturate = false;
  Fill fill = Fill::Ordinary;
  const char *logic = nullptr; ///< of single bits: `and` or `xor`

  std::string text() const {
    return "mma.sync.aligned.m" + std::to_string(m) + "n8k" +
           std::to_string(k) + ".row.col" + (saturate ? ".satfinite." : ".") +
           d->type + "." + a->type + "." + b->type + "." + d->type +
           (logic ? "." + std::string(logic) + ".popc" : "");
  }
  /// Elements in one register; f64 takes whole ones of 64 bits.
  unsigned per() const { return a->bits == 64 ? 1 : 32 / a->bits; }
  unsigned registersA() const { return m * k / 32 / per(); }
  unsigned registersB() const { return 8 * k / 32 / per(); }
  unsigned elementsC() const { return m / 4; }
  unsigned registersOf(const Element &accumulator) const {
    return accumulator.bits == 16 ? elementsC() / 2 : elementsC();
  }
};

/// Row and column, by the figures of the manual (9.7.14.5): `group` is the lane
/// over four, `member` the rest; element `i` counts through the registers.
std::pair<unsigned, unsigned> placeA(const Mma &mma, unsigned lane,
                                     unsigned i) {
  unsigned group = lane / 4, member = lane % 4, per = mma.per();
  if (mma.m == 8)
    return {group, member * per + i};
  bool lower = i / per % 2;
  return {group + (lower ? 8 : 0),
          member * per + i % per + i / (2 * per) * 4 * per};
}
std::pair<unsigned, unsigned> placeB(const Mma &mma, unsigned lane,
                                     unsigned i) {
  unsigned per = mma.per();
  return {lane % 4 * per + i % per + i / per * 4 * per, lane / 4};
}
std::pair<unsigned, unsigned> placeC(unsigned lane, unsigned i) {
  return {lane / 4 + (i >= 2 ? 8 : 0), lane % 4 * 2 + i % 2};
}

/// Loads `count` registers of each lane from a parameter.
std::string loads(const char *name, unsigned count, unsigned bytes) {
  std::string text = std::string("ld.param.u64 %p, [") + name +
                     "];\nmad.wide.u32 %p, %t, " +
                     std::to_string(count * bytes) + ", %p;\n";
  for (unsigned i = 0; i < count; ++i)
    text += "ld.global.b" + std::to_string(8 * bytes) + " %" + name +
            std::to_string(i) + ", [%p+" + std::to_string(i * bytes) + "];\n";
  return text;
}

std::string kernelText(const Mma &mma) {
  unsigned wordA = mma.a->bits == 64 ? 8 : 4, wordC = mma.d->bits == 64 ? 8 : 4;
  auto declare = [](const char *name, unsigned bytes) {
    return ".reg .b" + std::to_string(8 * bytes) + " %" + name + "<16>;\n";
  };
  unsigned c = mma.registersOf(*mma.d), d = mma.registersOf(*mma.d);
  std::string text =
      ".version 8.7\n.target sm_100a\n.address_size 64\n"
      ".visible .entry k(.param .u64 a, .param .u64 b, .param .u64 c, "
      ".param .u64 out)\n{\n" +
      declare("a", wordA) + declare("b", wordA) + declare("c", wordC) +
      declare("d", wordC) +
      ".reg .b64 %p;\n.reg .b32 %t;\nmov.u32 %t, %tid.x;\n" +
      loads("a", mma.registersA(), wordA) +
      loads("b", mma.registersB(), wordA) + loads("c", c, wordC) + mma.text() +
      " " + registerList("%d", d) + ", " +
      registerList("%a", mma.registersA()) + ", " +
      registerList("%b", mma.registersB()) + ", " + registerList("%c", c) +
      ";\nld.param.u64 %p, [out];\nmad.wide.u32 %p, %t, " +
      std::to_string(d * wordC) + ", %p;\n";
  for (unsigned i = 0; i < d; ++i)
    text += "st.global.b" + std::to_string(8 * wordC) + " [%p+" +
            std::to_string(i * wordC) + "], %d" + std::to_string(i) + ";\n";
  return text + "ret;\n}\n";
}

/// Whether bits of A and B that are both set, or differ, are counted right.
bool isCount(const Mma &mma, const Matrix &a, const Matrix &b, unsigned row,
             unsigned column, uint64_t start, uint64_t got) {
  uint64_t count = start;
  for (unsigned k = 0; k < mma.k; ++k) {
    uint64_t x = a.at(row, k), y = b.at(k, column);
    count += mma.logic[0] == 'a' ? x & y : x ^ y;
  }
  return got == wrapped(count, 32);
}

void check(const Mma &mma) {
  Matrix a(mma.m, mma.k, *mma.a, 1, mma.fill), b(mma.k, 8, *mma.b, 2, mma.fill),
      c(mma.m, 8, *mma.d, 3, mma.fill);
  std::vector<uint64_t> lanesA, lanesB, lanesC;
  for (unsigned lane = 0; lane < 32; ++lane) {
    for (unsigned i = 0; i < mma.m * mma.k / 32; ++i) {
      auto [row, column] = placeA(mma, lane, i);
      lanesA.push_back(a.at(row, column));
    }
    for (unsigned i = 0; i < 8 * mma.k / 32; ++i) {
      auto [row, column] = placeB(mma, lane, i);
      lanesB.push_back(b.at(row, column));
    }
    for (unsigned i = 0; i < mma.elementsC(); ++i) {
      auto [row, column] = placeC(lane, i);
      lanesC.push_back(c.at(row, column));
    }
  }
  std::vector<uint8_t> bytesA = packed(lanesA, mma.a->bits),
                       bytesB = packed(lanesB, mma.b->bits),
                       bytesC = packed(lanesC, mma.d->bits),
                       out(lanesC.size() * mma.d->bits / 8);
  Kernel kernel(kernelText(mma));
  kernel.addBuffer(bytesA, "a");
  kernel.addBuffer(bytesB, "b");
  kernel.addBuffer(bytesC, "c");
  kernel.addBuffer(out, "out", false);
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << mma.text() << "\n" << textOf(report);
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < mma.elementsC(); ++i) {
      auto [row, column] = placeC(lane, i);
      uint64_t got = patternAt(out, mma.d->bits, lane * mma.elementsC() + i);
      bool fine = mma.logic
                      ? isCount(mma, a, b, row, column, c.at(row, column), got)
                      : isProduct(a, b, row, column, c.value(row, column),
                                  *mma.d, got, 1, mma.saturate);
      ASSERT_TRUE(fine) << mma.text() << " row " << row << " column " << column
                        << " gave " << mma.d->value(got);
    }
  recordCompared(kernel, {"mma.sync"});
}

void checkFills(Mma mma) {
  for (Fill fill : {Fill::Ordinary, Fill::Edges}) {
    mma.fill = fill;
    check(mma);
  }
}

} // namespace

TEST(Mma, Halves) {
  for (unsigned k : {8u, 16u}) {
    for (const Element *d : {&elementF16, &elementF32})
      checkFills({16, k, &elementF16, &elementF16, d});
    checkFills({16, k, &elementBF16, &elementBF16, &elementF32});
  }
}

TEST(Mma, SinglesAndDoubles) {
  for (unsigned k : {4u, 8u})
    checkFills({16, k, &elementTF32, &elementTF32, &elementF32});
  checkFills({8, 4, &elementF64, &elementF64, &elementF64});
  for (unsigned k : {4u, 8u, 16u})
    checkFills({16, k, &elementF64, &elementF64, &elementF64});
}

TEST(Mma, Bytes) {
  for (unsigned k : {16u, 32u})
    for (const Element *a : {&elementE4M3, &elementE5M2})
      for (const Element *b : {&elementE4M3, &elementE5M2})
        for (const Element *d : {&elementF16, &elementF32})
          checkFills({16, k, a, b, d});
}

/// Accumulators of all sizes, so that sums wrap, or saturate.
TEST(Mma, Integers) {
  for (bool saturate : {false, true}) {
    for (const Element *a : {&elementS8, &elementU8})
      for (const Element *b : {&elementS8, &elementU8}) {
        checkFills({8, 16, a, b, &elementS32, saturate});
        for (unsigned k : {16u, 32u})
          checkFills({16, k, a, b, &elementS32, saturate});
      }
    for (const Element *a : {&elementS4, &elementU4})
      for (const Element *b : {&elementS4, &elementU4}) {
        checkFills({8, 32, a, b, &elementS32, saturate});
        for (unsigned k : {32u, 64u})
          checkFills({16, k, a, b, &elementS32, saturate});
      }
  }
}

TEST(Mma, SingleBits) {
  for (const char *logic : {"and", "xor"})
    for (auto [m, k] :
         {std::pair(8u, 128u), std::pair(16u, 128u), std::pair(16u, 256u)})
      check({m, k, &elementB1, &elementB1, &elementS32, false, Fill::Ordinary,
             logic});
}

//===----------------------------------------------------------------------===//
// m8n8k4 of f16: four products side by side, each by lanes l to l + 3 and l +
// 16 to l + 19 (9.7.14.5.1)
//===----------------------------------------------------------------------===//

namespace {

struct QuadPairs {
  bool columnA, columnB;
  const Element *c, *d;
  Fill fill;
};

/// Row and column of element `i` of a lane's accumulators.
std::pair<unsigned, unsigned> placeInQuad(const Element &accumulator,
                                          unsigned lane, unsigned i) {
  unsigned up = lane / 16 * 4;
  if (accumulator.bits == 16)
    return {lane % 4 + up, i};
  return {(lane & 1) + (i & 2) + up, (i & 4) + (lane & 2) + (i & 1)};
}

void check(const QuadPairs &q) {
  std::vector<Matrix> a, b, c;
  for (uint32_t quad = 0; quad < 4; ++quad) {
    a.emplace_back(8, 4, elementF16, 3 * quad + 1, q.fill);
    b.emplace_back(4, 8, elementF16, 3 * quad + 2, q.fill);
    c.emplace_back(8, 8, *q.c, 3 * quad + 3, q.fill);
  }
  std::vector<uint64_t> lanesA, lanesB, lanesC;
  for (unsigned lane = 0; lane < 32; ++lane) {
    unsigned quad = lane % 16 / 4, line = lane % 4, up = lane / 16 * 4;
    for (unsigned i = 0; i < 4; ++i) {
      lanesA.push_back(q.columnA ? a[quad].at(i + up, line)
                                 : a[quad].at(line + up, i));
      lanesB.push_back(q.columnB ? b[quad].at(i, line + up)
                                 : b[quad].at(line, i + up));
    }
    for (unsigned i = 0; i < 8; ++i) {
      auto [row, column] = placeInQuad(*q.c, lane, i);
      lanesC.push_back(c[quad].at(row, column));
    }
  }
  std::vector<uint8_t> bytesA = packed(lanesA, 16), bytesB = packed(lanesB, 16),
                       bytesC = packed(lanesC, q.c->bits), out(32 * q.d->bits);
  unsigned wordsC = q.c->bits / 4, wordsD = q.d->bits / 4;
  std::string text =
      std::string("mma.sync.aligned.m8n8k4.") + (q.columnA ? "col" : "row") +
      (q.columnB ? ".col." : ".row.") + q.d->type + ".f16.f16." + q.c->type;
  std::string body = ".version 8.0\n.target sm_70\n.address_size 64\n"
                     ".visible .entry k(.param .u64 a, .param .u64 b, "
                     ".param .u64 c, .param .u64 out)\n{\n"
                     ".reg .b32 %a<2>, %b<2>, %c<8>, %d<8>, %t;\n"
                     ".reg .b64 %p;\nmov.u32 %t, %tid.x;\n" +
                     loads("a", 2, 4) + loads("b", 2, 4) +
                     loads("c", wordsC, 4) + text + " " +
                     registerList("%d", wordsD) + ", {%a0, %a1}, {%b0, %b1}, " +
                     registerList("%c", wordsC) +
                     ";\nld.param.u64 %p, [out];\nmad.wide.u32 %p, %t, " +
                     std::to_string(4 * wordsD) + ", %p;\n";
  for (unsigned i = 0; i < wordsD; ++i)
    body += "st.global.b32 [%p+" + std::to_string(4 * i) + "], %d" +
            std::to_string(i) + ";\n";
  Kernel kernel(body + "ret;\n}\n");
  kernel.addBuffer(bytesA, "a");
  kernel.addBuffer(bytesB, "b");
  kernel.addBuffer(bytesC, "c");
  kernel.addBuffer(out, "out", false);
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << text << "\n" << textOf(report);
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < 8; ++i) {
      unsigned quad = lane % 16 / 4;
      auto [row, column] = placeInQuad(*q.d, lane, i);
      uint64_t got = patternAt(out, q.d->bits, lane * 8 + i);
      ASSERT_TRUE(isProduct(a[quad], b[quad], row, column,
                            c[quad].value(row, column), *q.d, got))
          << text << " row " << row << " column " << column << " gave "
          << q.d->value(got);
    }
  recordCompared(kernel, {"mma.sync"});
}

} // namespace

TEST(Mma, QuadPairs) {
  for (unsigned layout = 0; layout < 4; ++layout)
    for (Fill fill : {Fill::Ordinary, Fill::Edges}) {
      bool columnA = layout & 1, columnB = layout & 2;
      check(QuadPairs{columnA, columnB, &elementF32, &elementF32, fill});
      check(QuadPairs{columnA, columnB, &elementF16, &elementF32, fill});
      check(QuadPairs{columnA, columnB, &elementF16, &elementF16, fill});
    }
}

} // namespace heddle::ptx::test
