// WgmmaTest.cpp - wgmma of every type, width and operand form.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The host lays out shared memory by the canonical layouts of the manual
// (9.7.15.5), the kernel copies it as it is.

#include "test/unit/codegen/nvidia/ptx/TensorCore.h"

namespace heddle::ptx::test {

namespace {

struct Wgmma {
  const Element *a, *b, *d;
  unsigned n;
  unsigned span = 128; ///< of the swizzle in bytes; 16: none
  bool fromRegisters = false;
  bool transA = false, transB = false;
  bool negateA = false, negateB = false;
  bool accumulates = true;
  bool saturate = false;
  Fill fill = Fill::Ordinary;
  /// Where the pattern of the swizzle starts, in units of 128 bytes behind a
  /// boundary that it repeats at.
  unsigned baseOffset = 0;

  unsigned k() const { return 256 / a->bits; }
  unsigned accumulators() const { return n / 2 * d->bits / 32; }
  std::string text() const {
    return "wgmma.mma_async.sync.aligned.m64n" + std::to_string(n) + "k" +
           std::to_string(k()) + (saturate ? ".satfinite." : ".") + d->type +
           "." + a->type + "." + b->type;
  }
};

constexpr unsigned startOfB = 10240, sharedBytes = 49152;

/// Where element (outer, inner along K) lies.
uint32_t placeOf(unsigned outer, unsigned inner, unsigned bytes, unsigned span,
                 bool transposed, unsigned outers) {
  uint32_t line = transposed ? inner : outer;
  uint32_t column = (transposed ? outer : inner) * bytes;
  // 16 rows along K of one span, or all rows of the matrix.
  uint32_t extent = (transposed ? 16 : outers) * span;
  uint32_t at = column / span * extent + line * span + column % span;
  uint32_t mask = span == 128 ? 7 : span == 64 ? 3 : span == 32 ? 1 : 0;
  return at ^ ((at >> 7 & mask) << 4);
}

uint64_t descriptor(unsigned start, unsigned span, bool transposed,
                    unsigned outers) {
  uint64_t swizzle = span == 128 ? 1 : span == 64 ? 2 : span == 32 ? 3 : 0;
  uint64_t leading = transposed ? 16 * span : 16, stride = 8 * span;
  if (span == 16) { // core matrices of 8 rows of 16 bytes
    leading = transposed ? 128 : outers * 16;
    stride = transposed ? 16 * 16 : 128;
  }
  return start / 16 | leading / 16 << 16 | stride / 16 << 32 | swizzle << 62;
}

/// Row and k of element `i` of a thread's A fragment, column of accumulators.
std::pair<unsigned, unsigned> placeInA(const Wgmma &w, unsigned thread,
                                       unsigned i) {
  unsigned per = 32 / w.a->bits, lane = thread % 32;
  return {thread / 32 * 16 + lane / 4 + (i / per % 2 ? 8 : 0),
          lane % 4 * per + i % per + i / (2 * per) * 4 * per};
}
std::pair<unsigned, unsigned> placeInD(unsigned thread, unsigned i) {
  unsigned lane = thread % 32;
  return {thread / 32 * 16 + lane / 4 + (i % 4 < 2 ? 0 : 8),
          i / 4 * 8 + lane % 4 * 2 + i % 2};
}

/// The kernel copies `used` bytes of the image, a multiple of 2048.
std::string kernelText(const Wgmma &w, unsigned used) {
  unsigned count = w.accumulators();
  std::string bytes = std::to_string(4 * count), loads, stores;
  std::string register32 = w.d->bits == 16 ? "b32" : w.d->type;
  for (unsigned i = 0; i < count; ++i) {
    std::string n = std::to_string(i), at = std::to_string(4 * i);
    loads += "ld.global." + register32 + " %d" + n + ", [%po+" + at + "];\n";
    stores += "st.global." + register32 + " [%po+" + at + "], %d" + n + ";\n";
  }
  bool isHalf = w.a->bits == 16, isInteger = !w.a->format;
  std::string tail;
  if (!isInteger)
    tail +=
        std::string(w.negateA ? ", -1" : ", 1") + (w.negateB ? ", -1" : ", 1");
  if (isHalf && !w.fromRegisters)
    tail += w.transA ? ", 1" : ", 0";
  if (isHalf)
    tail += w.transB ? ", 1" : ", 0";
  return ".version 8.0\n.target sm_90a\n.address_size 64\n"
         ".visible .entry k(.param .u64 image, .param .u64 acc, "
         ".param .u64 fragments, .param .u64 da, .param .u64 db, "
         ".param .u32 scale)\n{\n.reg .b32 %t, %s, %v, %i, %a<4>;\n"
         ".reg .pred %p, %q;\n.reg ." +
         register32 +
         " %d<128>;\n.reg .b64 %pi, %po, %pa, %da, %db;\n"
         ".shared .align 1024 .b8 tile[" +
         std::to_string(sharedBytes) +
         "];\nld.param.u64 %pi, [image];\nld.param.u64 %po, [acc];\n"
         "ld.param.u64 %pa, [fragments];\nld.param.u64 %da, [da];\n"
         "ld.param.u64 %db, [db];\nld.param.u32 %i, [scale];\n"
         "setp.ne.u32 %q, %i, 0;\nmov.u32 %t, %tid.x;\n"
         "mad.wide.u32 %po, %t, " +
         bytes +
         ", %po;\nmad.wide.u32 %pa, %t, 16, %pa;\n"
         "ld.global.v4.b32 {%a0, %a1, %a2, %a3}, [%pa];\n"
         "mad.wide.u32 %pi, %t, 16, %pi;\nmov.u32 %s, tile;\n"
         "mad.lo.u32 %s, %t, 16, %s;\nmov.u32 %i, 0;\n"
         ".reg .b32 %w<4>;\nCOPY:\n"
         "ld.global.v4.u32 {%w0, %w1, %w2, %w3}, [%pi];\n"
         "st.shared.v4.u32 [%s], {%w0, %w1, %w2, %w3};\n"
         "add.u64 %pi, %pi, 2048;\nadd.u32 %s, %s, 2048;\n"
         "add.u32 %i, %i, 2048;\nsetp.lt.u32 %p, %i, " +
         std::to_string(used) +
         ";\n@%p bra COPY;\nfence.proxy.async;\nbar.sync 0;\n" + loads +
         "wgmma.fence.sync.aligned;\n" + w.text() + " " +
         registerList("%d", count) + ", " +
         (w.fromRegisters ? registerList("%a", 4) : "%da") + ", %db, %q" +
         tail +
         ";\nwgmma.commit_group.sync.aligned;\n"
         "wgmma.wait_group.sync.aligned 0;\n" +
         stores + "ret;\n}\n";
}

void check(const Wgmma &w) {
  Matrix a(64, w.k(), *w.a, 5, w.fill), b(w.k(), w.n, *w.b, 6, w.fill),
      first(64, w.n, *w.d, 7, w.fill);
  unsigned bytes = w.a->bits / 8, start = w.baseOffset * 128;
  std::vector<uint8_t> image(sharedBytes);
  unsigned used = 0;
  auto put = [&](unsigned at, uint64_t value) {
    std::memcpy(&image[at], &value, bytes);
    used = std::max(used, at + bytes);
  };
  for (unsigned q = 0; q < w.k(); ++q) {
    for (unsigned i = 0; i < 64; ++i)
      put(start + placeOf(i, q, bytes, w.span, w.transA, 64), a.at(i, q));
    for (unsigned j = 0; j < w.n; ++j)
      put(start + startOfB + placeOf(j, q, bytes, w.span, w.transB, w.n),
          b.at(q, j));
  }
  std::vector<uint64_t> elementsA, elementsD;
  for (unsigned thread = 0; thread < 128; ++thread) {
    for (unsigned i = 0; i < 128 / w.a->bits; ++i) {
      auto [row, column] = placeInA(w, thread, i);
      elementsA.push_back(a.at(row, column));
    }
    for (unsigned i = 0; i < w.n / 2; ++i) {
      auto [row, column] = placeInD(thread, i);
      elementsD.push_back(first.at(row, column));
    }
  }
  std::vector<uint8_t> fragments = packed(elementsA, w.a->bits),
                       out = packed(elementsD, w.d->bits);
  Kernel kernel(kernelText(w, (used + 2047) / 2048 * 2048));
  kernel.addBuffer(image, "image");
  kernel.addBuffer(out, "acc");
  kernel.addBuffer(fragments, "fragments");
  uint64_t baseOffset = uint64_t(w.baseOffset) << 49;
  kernel.add(descriptor(start, w.span, w.transA, 64) | baseOffset);
  kernel.add(descriptor(start + startOfB, w.span, w.transB, w.n) | baseOffset);
  kernel.add(uint32_t(w.accumulates));
  kernel.launch.block[0] = 128;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << w.text() << "\n" << textOf(report);
  double sign = w.negateA != w.negateB ? -1 : 1;
  for (unsigned thread = 0; thread < 128; ++thread)
    for (unsigned i = 0; i < w.n / 2; ++i) {
      auto [row, column] = placeInD(thread, i);
      uint64_t got = patternAt(out, w.d->bits, thread * (w.n / 2) + i);
      double addend = w.accumulates ? first.value(row, column) : 0;
      ASSERT_TRUE(
          isProduct(a, b, row, column, addend, *w.d, got, sign, w.saturate))
          << w.text() << " span " << w.span << " row " << row << " column "
          << column << " gave " << w.d->value(got);
    }
  recordCompared(kernel, {"wgmma.mma_async", "wgmma.fence",
                          "wgmma.commit_group", "wgmma.wait_group"});
}

/// Element types of A, B and D that go together.
std::vector<Wgmma> combinations() {
  std::vector<Wgmma> all = {{&elementF16, &elementF16, &elementF16, 0},
                            {&elementF16, &elementF16, &elementF32, 0},
                            {&elementBF16, &elementBF16, &elementF32, 0},
                            {&elementTF32, &elementTF32, &elementF32, 0}};
  for (const Element *a : {&elementE4M3, &elementE5M2})
    for (const Element *b : {&elementE4M3, &elementE5M2})
      for (const Element *d : {&elementF16, &elementF32})
        all.push_back({a, b, d, 0});
  for (const Element *a : {&elementS8, &elementU8})
    for (const Element *b : {&elementS8, &elementU8})
      all.push_back({a, b, &elementS32, 0});
  return all;
}

/// Integers know fewer widths than floating-point types.
bool isWidth(const Wgmma &w, unsigned n) {
  return w.a->format || n <= 24 || n % 16 == 0;
}

constexpr unsigned spans[] = {16, 32, 64, 128};

} // namespace

/// Every width of all types, of integers with and without saturation. A is in
/// shared memory and in registers by turns; the other choices go round.
TEST(Wgmma, AllWidths) {
  unsigned turn = 0;
  for (Wgmma w : combinations())
    for (w.n = 8; w.n <= 256; w.n += 8) {
      if (!isWidth(w, w.n))
        continue;
      for (bool saturate : {false, true}) {
        if (saturate && w.a->format)
          continue;
        ++turn;
        w.saturate = saturate;
        w.fromRegisters = w.n / 8 % 2 != saturate;
        w.span = spans[turn % 4];
        w.accumulates = turn % 3 != 0;
        check(w);
      }
    }
}

TEST(Wgmma, BothFormsOfA) {
  for (Wgmma w : combinations())
    for (unsigned n : {8u, 64u, 256u})
      for (bool fromRegisters : {false, true})
        for (Fill fill : {Fill::Ordinary, Fill::Edges}) {
          w.n = n;
          w.fromRegisters = fromRegisters;
          w.fill = fill;
          check(w);
        }
}

TEST(Wgmma, ScalesAndSaturation) {
  for (Wgmma w : combinations())
    for (bool fromRegisters : {false, true})
      for (bool accumulates : {false, true})
        for (unsigned i = 0; i < 4; ++i) {
          w.n = 32;
          w.fromRegisters = fromRegisters;
          w.accumulates = accumulates;
          if (!w.a->format) { // signs belong to floating-point types
            w.saturate = i & 1;
            w.fill = i & 2 ? Fill::Edges : Fill::Ordinary;
          } else {
            w.negateA = i & 1;
            w.negateB = i & 2;
          }
          check(w);
        }
}

/// Patterns of the swizzle that start anywhere (matrix base offset).
TEST(Wgmma, BaseOffsets) {
  for (Wgmma w : combinations()) {
    w.n = 32;
    for (unsigned span : {32u, 64u, 128u})
      for (unsigned baseOffset = 1; baseOffset < 8; ++baseOffset) {
        w.span = span;
        w.baseOffset = baseOffset;
        w.transA = w.transB = w.a->bits == 16 && baseOffset % 2;
        check(w);
      }
  }
}

TEST(Wgmma, Transposes) {
  for (Wgmma w : combinations()) {
    if (w.a->bits != 16)
      continue;
    w.n = 64;
    for (unsigned span : spans)
      for (bool transB : {false, true}) {
        w.span = span;
        w.transB = transB;
        w.fromRegisters = false;
        for (bool transA : {false, true}) {
          w.transA = transA;
          check(w);
        }
        w.transA = false;
        w.fromRegisters = true;
        check(w);
      }
  }
}

/// What ptxas refuses as well, beside a form of each kind that is taken.
TEST(Wgmma, FormsThatAreNone) {
  auto isTaken = [](const std::string &types, unsigned n, const char *tail) {
    std::string text = "wgmma.mma_async.sync.aligned" + types + " " +
                       registerList("%w", n / 2) + ", %b, %b, %q" + tail + ";";
    return isCovered({text,
                      32,
                      {},
                      ".reg .b32 %w<128>; .reg .b64 %b; .reg .pred %q;",
                      "",
                      ".version 8.0\n.target sm_90a\n"});
  };
  EXPECT_TRUE(isTaken(".m64n48k32.s32.s8.u8", 48, ""));
  EXPECT_TRUE(isTaken(".m64n24k32.satfinite.s32.u8.u8", 24, ""));
  EXPECT_TRUE(isTaken(".m64n40k32.f32.e4m3.e5m2", 40, ", 1, -1"));
  for (unsigned n : {40u, 56u, 72u, 248u})
    EXPECT_FALSE(isTaken(".m64n" + std::to_string(n) + "k32.s32.s8.u8", n, ""))
        << n;
  for (const char *types :
       {".m64n08k32.f32.e4m3.e5m2", ".m64n8k032.f32.e4m3.e5m2",
        ".m64n8k16.f32.e4m3.e5m2", ".m64n8k32.satfinite.f32.e4m3.e5m2",
        ".m64n8k32.f32.e4m3.f16"})
    EXPECT_FALSE(isTaken(types, 8, ", 1, 1")) << types;
}

} // namespace heddle::ptx::test
