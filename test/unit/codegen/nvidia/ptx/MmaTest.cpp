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

  std::string text() const {
    std::string dType = d->type;
    return "mma.sync.aligned.m" + std::to_string(m) + "n8k" +
           std::to_string(k) + ".row.col" + (saturate ? ".satfinite." : ".") +
           dType + "." + a->type + "." + b->type + "." + dType;
  }
  /// Elements in one register; f64 takes whole ones of 64 bits.
  unsigned per() const { return a->bits == 64 ? 1 : 32 / a->bits; }
  unsigned registersA() const { return m * k / 32 / per(); }
  unsigned registersB() const { return 8 * k / 32 / per(); }
  unsigned elementsC() const { return m / 4; }
  unsigned registersC() const {
    return d->bits == 16 ? elementsC() / 2 : elementsC();
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
  unsigned c = mma.registersC();
  std::string text =
      ".version 8.7\n.target sm_100a\n.address_size 64\n"
      ".visible .entry k(.param .u64 a, .param .u64 b, .param .u64 c)\n{\n" +
      declare("a", wordA) + declare("b", wordA) + declare("c", wordC) +
      declare("d", wordC) +
      ".reg .b64 %p;\n.reg .b32 %t;\nmov.u32 %t, %tid.x;\n" +
      loads("a", mma.registersA(), wordA) +
      loads("b", mma.registersB(), wordA) + loads("c", c, wordC) + mma.text() +
      " " + registerList("%d", c) + ", " +
      registerList("%a", mma.registersA()) + ", " +
      registerList("%b", mma.registersB()) + ", " + registerList("%c", c) +
      ";\n";
  for (unsigned i = 0; i < c; ++i)
    text += "st.global.b" + std::to_string(8 * wordC) + " [%p+" +
            std::to_string(i * wordC) + "], %d" + std::to_string(i) + ";\n";
  return text + "ret;\n}\n";
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
                       out = packed(lanesC, mma.d->bits);
  Kernel kernel(kernelText(mma));
  kernel.addBuffer(bytesA, "a");
  kernel.addBuffer(bytesB, "b");
  kernel.addBuffer(out, "c");
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << mma.text() << "\n" << textOf(report);
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < mma.elementsC(); ++i) {
      auto [row, column] = placeC(lane, i);
      uint64_t got = patternAt(out, mma.d->bits, lane * mma.elementsC() + i);
      ASSERT_TRUE(isProduct(a, b, row, column, c.value(row, column), *mma.d,
                            got, 1, mma.saturate))
          << mma.text() << " row " << row << " column " << column << " gave "
          << mma.d->value(got);
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

} // namespace heddle::ptx::test
