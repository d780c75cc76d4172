// TensorCoreTest.cpp - mma, wmma and wgmma against products in f64.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Kernel.h"

#include <cmath>
#include <functional>

namespace heddle::ptx::test {

/// An element type: random bits and what they stand for.
struct Element {
  const char *type;
  unsigned bits;
  std::function<double(uint32_t)> value;
  uint32_t mask, set; ///< keep random patterns finite and normal
};

static double small8(uint32_t pattern, int exponentBits, int mantissaBits) {
  int bias = (1 << (exponentBits - 1)) - 1;
  uint32_t exponent = pattern >> mantissaBits & ((1u << exponentBits) - 1);
  uint32_t mantissa = pattern & ((1u << mantissaBits) - 1);
  double value = exponent == 0
                     ? std::ldexp(mantissa, 1 - bias - mantissaBits)
                     : std::ldexp(mantissa + (1u << mantissaBits),
                                  int(exponent) - bias - mantissaBits);
  return pattern & 0x80 ? -value : value;
}

static const Element f16 = {
    "f16", 16, [](uint32_t b) { return halfToFloat(uint16_t(b)); }, 0xBFFF, 0};
static const Element bf16 = {
    "bf16", 16, [](uint32_t b) { return bf16ToFloat(uint16_t(b)); }, 0x87FF,
    0x3800};
static const Element tf32 = {"tf32", 32,
                             [](uint32_t b) {
                               // The format holds ten bits of mantissa.
                               b &= 0xFFFFE000;
                               float f;
                               std::memcpy(&f, &b, 4);
                               return double(f);
                             },
                             0x87FFFFFF, 0x38000000};
static const Element e4m3 = {
    "e4m3", 8, [](uint32_t b) { return small8(b, 4, 3); }, 0xBF, 0};
static const Element e5m2 = {
    "e5m2", 8, [](uint32_t b) { return small8(b, 5, 2); }, 0xBF, 0};
static const Element s8 = {"s8", 8, [](uint32_t b) { return int8_t(b); }, 255,
                           0};
static const Element u8 = {"u8", 8, [](uint32_t b) { return uint8_t(b); }, 255,
                           0};

/// A matrix of packed random elements, and its values.
struct Matrix {
  unsigned rows, columns;
  std::vector<uint32_t> bits;
  const Element *element;
  Matrix(unsigned rows, unsigned columns, const Element &element, uint32_t seed)
      : rows(rows), columns(columns), element(&element) {
    std::mt19937 generator(seed);
    for (unsigned i = 0; i < rows * columns; ++i)
      bits.push_back((generator() & element.mask) | element.set);
  }
  uint32_t at(unsigned r, unsigned c) const { return bits[r * columns + c]; }
  double value(unsigned r, unsigned c) const {
    return element->value(at(r, c));
  }
};

/// Exact product and the bound K 2^-23 sum |a b| of one element.
static std::pair<double, double> exact(const Matrix &a, const Matrix &b,
                                       unsigned i, unsigned j, double start) {
  double sum = start, magnitude = std::fabs(start);
  for (unsigned q = 0; q < a.columns; ++q) {
    sum += a.value(i, q) * b.value(q, j);
    magnitude += std::fabs(a.value(i, q) * b.value(q, j));
  }
  return {sum, a.columns * 0x1p-23 * magnitude};
}

//===----------------------------------------------------------------------===//
// mma.sync: places as the manual's figures give them
//===----------------------------------------------------------------------===//

struct MmaShape {
  const Element *a, *b;
  unsigned k;
  /// Row and column of element i of a lane's A, and k and n of its B.
  std::pair<unsigned, unsigned> (*placeA)(unsigned g, unsigned t, unsigned i);
  std::pair<unsigned, unsigned> (*placeB)(unsigned g, unsigned t, unsigned i);
};

static std::string list(const char *prefix, unsigned count) {
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i)
    text += (i ? ", %" : "%") + std::string(prefix) + std::to_string(i);
  return text + "}";
}

static void testMma(const MmaShape &shape) {
  bool integer = shape.a->type[0] == 's' || shape.a->type[0] == 'u';
  Matrix a(16, shape.k, *shape.a, 1), b(shape.k, 8, *shape.b, 2);
  unsigned per = 32 / shape.a->bits;
  unsigned regsA = 16 * shape.k / 32 / per, regsB = 8 * shape.k / 32 / per;
  std::string d = integer ? "s32" : "f32";
  std::string text =
      ".version 8.7\n.target sm_90\n.address_size 64\n"
      ".visible .entry k(.param .u64 a, .param .u64 b, .param .u64 c)\n{\n"
      ".reg .b32 %a<8>, %b<8>, %t;\n.reg ." +
      d +
      " %c<4>;\n"
      ".reg .b64 %pa, %pb, %pc;\nld.param.u64 %pa, [a];\n"
      "ld.param.u64 %pb, [b];\nld.param.u64 %pc, [c];\nmov.u32 %t, %tid.x;\n"
      "mad.wide.u32 %pa, %t, " +
      std::to_string(4 * regsA) +
      ", %pa;\n"
      "mad.wide.u32 %pb, %t, " +
      std::to_string(4 * regsB) +
      ", %pb;\n"
      "mad.wide.u32 %pc, %t, 16, %pc;\nld.global.v4." +
      d + " {%c0, %c1, %c2, %c3}, [%pc];\n";
  for (unsigned r = 0; r < regsA; ++r)
    text += "ld.global.b32 %a" + std::to_string(r) + ", [%pa+" +
            std::to_string(4 * r) + "];\n";
  for (unsigned r = 0; r < regsB; ++r)
    text += "ld.global.b32 %b" + std::to_string(r) + ", [%pb+" +
            std::to_string(4 * r) + "];\n";
  text += "mma.sync.aligned.m16n8k" + std::to_string(shape.k) + ".row.col." +
          d + "." + shape.a->type + "." + shape.b->type + "." + d +
          " {%c0, %c1, %c2, %c3}, " + list("a", regsA) + ", " +
          list("b", regsB) +
          ", {%c0, %c1, %c2, %c3};\n"
          "st.global.v4." +
          d + " [%pc], {%c0, %c1, %c2, %c3};\nret;\n}\n";
  std::vector<uint32_t> packedA(32 * regsA), packedB(32 * regsB), c(128);
  for (unsigned lane = 0; lane < 32; ++lane) {
    for (unsigned i = 0; i < regsA * per; ++i) {
      auto [row, column] = shape.placeA(lane / 4, lane % 4, i);
      packedA[lane * regsA + i / per] |= a.at(row, column)
                                         << (shape.a->bits * (i % per));
    }
    for (unsigned i = 0; i < regsB * per; ++i) {
      auto [row, column] = shape.placeB(lane / 4, lane % 4, i);
      packedB[lane * regsB + i / per] |= b.at(row, column)
                                         << (shape.b->bits * (i % per));
    }
    for (unsigned i = 0; i < 4; ++i) {
      float start = float(lane) - float(i) * 3;
      int32_t whole = int32_t(start);
      std::memcpy(&c[lane * 4 + i],
                  integer ? static_cast<void *>(&whole) : &start, 4);
    }
  }
  std::vector<uint32_t> before = c;
  Kernel kernel(text);
  kernel.addBuffer(packedA, "a");
  kernel.addBuffer(packedB, "b");
  kernel.addBuffer(c, "c");
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << textOf(report);
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < 4; ++i) {
      unsigned row = lane / 4 + (i < 2 ? 0 : 8), column = lane % 4 * 2 + i % 2;
      float start, got;
      std::memcpy(&start, &before[lane * 4 + i], 4);
      std::memcpy(&got, &c[lane * 4 + i], 4);
      if (integer) {
        auto [sum, bound] =
            exact(a, b, row, column, int32_t(before[lane * 4 + i]));
        ASSERT_EQ(int32_t(c[lane * 4 + i]), sum) << shape.a->type;
      } else {
        auto [sum, bound] = exact(a, b, row, column, start);
        ASSERT_NEAR(got, sum, bound) << shape.a->type << shape.k;
      }
    }
}

TEST(Mma, Shapes) {
  using P = std::pair<unsigned, unsigned>;
  auto a16 = [](unsigned g, unsigned t, unsigned i) {
    return P{(i < 2 || (i >= 4 && i < 6)) ? g : g + 8,
             t * 2 + (i & 1) + (i >= 4 ? 8 : 0)};
  };
  auto b16 = [](unsigned g, unsigned t, unsigned i) {
    return P{t * 2 + (i & 1) + (i >= 2 ? 8 : 0), g};
  };
  auto a32 = [](unsigned g, unsigned t, unsigned i) {
    return P{i % 2 ? g + 8 : g, i < 2 ? t : t + 4};
  };
  auto b32 = [](unsigned g, unsigned t, unsigned i) {
    return P{i == 0 ? t : t + 4, g};
  };
  auto a8 = [](unsigned g, unsigned t, unsigned i) {
    return P{(i < 4 || (i >= 8 && i < 12)) ? g : g + 8,
             t * 4 + (i & 3) + (i >= 8 ? 16 : 0)};
  };
  auto b8 = [](unsigned g, unsigned t, unsigned i) {
    return P{t * 4 + (i & 3) + (i >= 4 ? 16 : 0), g};
  };
  for (const Element *element : {&f16, &bf16})
    for (unsigned k : {8u, 16u})
      testMma({element, element, k, a16, b16});
  testMma({&tf32, &tf32, 4, a32, b32});
  testMma({&tf32, &tf32, 8, a32, b32});
  for (unsigned k : {16u, 32u}) {
    testMma({&s8, &s8, k, a8, b8});
    testMma({&u8, &s8, k, a8, b8});
    testMma({&e4m3, &e4m3, k, a8, b8});
    testMma({&e5m2, &e4m3, k, a8, b8});
  }
}

//===----------------------------------------------------------------------===//
// wmma: fragments are opaque, so load, multiply, store
//===----------------------------------------------------------------------===//

TEST(Wmma, LoadMultiplyStore) {
  for (bool columnMajorB : {false, true}) {
    Matrix a(16, 16, f16, 3), b(16, 16, f16, 4);
    std::vector<uint16_t> memoryA(256), memoryB(256);
    for (unsigned r = 0; r < 16; ++r)
      for (unsigned c = 0; c < 16; ++c) {
        memoryA[r * 16 + c] = uint16_t(a.at(r, c));
        memoryB[columnMajorB ? c * 16 + r : r * 16 + c] = uint16_t(b.at(r, c));
      }
    std::vector<float> out(256);
    std::string layout = columnMajorB ? "col" : "row";
    std::string zeros;
    for (int i = 0; i < 8; ++i)
      zeros += "mov.f32 %c" + std::to_string(i) + ", 0f00000000;\n";
    Kernel kernel(
        ".version 8.0\n.target sm_80\n.address_size 64\n"
        ".visible .entry k(.param .u64 a, .param .u64 b, .param .u64 c)\n{\n"
        ".reg .b32 %a<8>, %b<8>;\n.reg .f32 %c<8>;\n.reg .b64 %pa, %pb, %pc;\n"
        "ld.param.u64 %pa, [a];\nld.param.u64 %pb, [b];\n"
        "ld.param.u64 %pc, [c];\n" +
        zeros + "wmma.load.a.sync.aligned.row.m16n16k16.global.f16 " +
        list("a", 8) + ", [%pa], 16;\nwmma.load.b.sync.aligned." + layout +
        ".m16n16k16.global.f16 " + list("b", 8) +
        ", [%pb], 16;\nwmma.mma.sync.aligned.row." + layout +
        ".m16n16k16.f32.f32 " + list("c", 8) + ", " + list("a", 8) + ", " +
        list("b", 8) + ", " + list("c", 8) +
        ";\nwmma.store.d.sync.aligned.row.m16n16k16.global.f32 [%pc], " +
        list("c", 8) + ", 16;\nret;\n}\n");
    kernel.addBuffer(memoryA, "a");
    kernel.addBuffer(memoryB, "b");
    kernel.addBuffer(out, "c", false);
    kernel.launch.block[0] = 32;
    Report report = kernel.run();
    ASSERT_TRUE(isClean(report)) << textOf(report);
    for (unsigned i = 0; i < 16; ++i)
      for (unsigned j = 0; j < 16; ++j) {
        auto [sum, bound] = exact(a, b, i, j, 0);
        ASSERT_NEAR(out[i * 16 + j], sum, bound);
      }
  }
}

//===----------------------------------------------------------------------===//
// wgmma: the host lays out shared memory, the kernel copies it as it is
//===----------------------------------------------------------------------===//

/// Where element (outer, inner along K) lies, by the canonical layouts.
static uint32_t placeOf(unsigned outer, unsigned inner, unsigned bytes,
                        unsigned span, bool transposed, unsigned outers) {
  uint32_t line, column;
  uint32_t extent; // of the swizzled direction, in bytes
  if (transposed) {
    line = inner;
    column = outer * bytes;
    extent = 16 * span; // 16 rows along K of one span
  } else {
    line = outer;
    column = inner * bytes;
    extent = outers * span;
  }
  uint32_t at = column / span * extent + line * span + column % span;
  uint32_t mask = span == 128 ? 7 : span == 64 ? 3 : span == 32 ? 1 : 0;
  return at ^ ((at >> 7 & mask) << 4);
}

struct WgmmaCase {
  const Element *element;
  unsigned n, span;
  bool transA, transB, negate;
};

static uint64_t descriptorBits(const WgmmaCase &c, bool transposed,
                               unsigned outers) {
  uint64_t swizzle = c.span == 128  ? 1
                     : c.span == 64 ? 2
                     : c.span == 32 ? 3
                                    : 0;
  uint64_t leading, stride;
  if (c.span == 16) {
    // Core matrices of 8 rows of 16 bytes.
    leading = transposed ? 128 : outers * 16;
    stride = transposed ? 16 * 16 : 128;
  } else {
    leading = transposed ? 16 * c.span : 16;
    stride = 8 * c.span;
  }
  return leading / 16 << 16 | stride / 16 << 32 | swizzle << 62;
}

static void testWgmma(const WgmmaCase &c) {
  bool integer = c.element->type[0] == 's';
  unsigned bytes = c.element->bits / 8, k = 32 / bytes;
  Matrix a(64, k, *c.element, 5), b(k, c.n, *c.element, 6);
  std::vector<uint8_t> image(16384 + 32768);
  for (unsigned i = 0; i < 64; ++i)
    for (unsigned q = 0; q < k; ++q) {
      uint32_t value = a.at(i, q);
      std::memcpy(&image[placeOf(i, q, bytes, c.span, c.transA, 64)], &value,
                  bytes);
    }
  for (unsigned j = 0; j < c.n; ++j)
    for (unsigned q = 0; q < k; ++q) {
      uint32_t value = b.at(q, j);
      std::memcpy(&image[16384 + placeOf(j, q, bytes, c.span, c.transB, c.n)],
                  &value, bytes);
    }
  std::string d = integer ? "s32" : "f32", registers = "{", stores, zeros;
  for (unsigned i = 0; i < c.n / 2; ++i) {
    std::string name = "%d" + std::to_string(i);
    registers += (i ? ", " : "") + name;
    zeros += "mov.b32 " + name + ", 0;\n";
    stores += "st.global." + d + " [%po+" + std::to_string(4 * i) + "], " +
              name + ";\n";
  }
  bool half = c.element->bits == 16;
  std::string tail = integer ? "" : c.negate ? ", -1, 1" : ", 1, 1";
  if (half)
    tail += std::string(c.transA ? ", 1" : ", 0") + (c.transB ? ", 1" : ", 0");
  std::string type = c.element->type;
  Kernel kernel(
      ".version 8.0\n.target sm_90a\n.address_size 64\n"
      ".visible .entry k(.param .u64 image, .param .u64 out, .param .u64 da, "
      ".param .u64 db)\n{\n.reg .b32 %t, %s, %v, %i;\n.reg .pred %p, %q;\n"
      ".reg ." +
      d +
      " %d<128>;\n.reg .b64 %pi, %po, %da, %db;\n"
      ".shared .align 1024 .b8 tile[49152];\n"
      "ld.param.u64 %pi, [image];\nld.param.u64 %po, [out];\n"
      "ld.param.u64 %da, [da];\nld.param.u64 %db, [db];\n"
      "mov.u32 %t, %tid.x;\nmad.wide.u32 %po, %t, " +
      std::to_string(2 * c.n) +
      ", %po;\n"
      "mad.wide.u32 %pi, %t, 4, %pi;\nmov.u32 %s, tile;\n"
      "mad.lo.u32 %s, %t, 4, %s;\nmov.u32 %i, 0;\n"
      "COPY:\nld.global.u32 %v, [%pi];\nst.shared.u32 [%s], %v;\n"
      "add.u64 %pi, %pi, 512;\nadd.u32 %s, %s, 512;\nadd.u32 %i, %i, 1;\n"
      "setp.lt.u32 %p, %i, 96;\n@%p bra COPY;\n"
      "fence.proxy.async;\nbar.sync 0;\n" +
      zeros +
      "setp.ne.u32 %q, 0, 0;\nwgmma.fence.sync.aligned;\n"
      "wgmma.mma_async.sync.aligned.m64n" +
      std::to_string(c.n) + "k" + std::to_string(k) + "." + d + "." + type +
      "." + type + " " + registers + "}, %da, %db, %q" + tail +
      ";\nwgmma.commit_group.sync.aligned;\n"
      "wgmma.wait_group.sync.aligned 0;\n" +
      stores + "ret;\n}\n");
  std::vector<uint32_t> out(64 * c.n);
  kernel.addBuffer(image, "image");
  kernel.addBuffer(out, "out", false);
  kernel.add(descriptorBits(c, c.transA, 64));
  kernel.add(descriptorBits(c, c.transB, c.n) | 16384 / 16);
  kernel.launch.block[0] = 128;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << textOf(report);
  for (unsigned thread = 0; thread < 128; ++thread)
    for (unsigned i = 0; i < c.n / 2; ++i) {
      unsigned lane = thread % 32;
      unsigned row = thread / 32 * 16 + lane / 4 + (i % 4 < 2 ? 0 : 8);
      unsigned column = i / 4 * 8 + lane % 4 * 2 + i % 2;
      auto [sum, bound] = exact(a, b, row, column, 0);
      uint32_t word = out[thread * (c.n / 2) + i];
      float got;
      std::memcpy(&got, &word, 4);
      if (integer)
        ASSERT_EQ(int32_t(word), sum);
      else
        ASSERT_NEAR(got, c.negate ? -sum : sum, bound)
            << c.element->type << " n" << c.n << " span " << c.span;
    }
}

TEST(Wgmma, TypesAndWidths) {
  for (const Element *element : {&f16, &bf16, &tf32, &e4m3, &e5m2, &s8})
    for (unsigned n : {8u, 24u, 64u, 256u})
      for (unsigned span : {32u, 64u, 128u})
        testWgmma({element, n, span, false, false, false});
}

TEST(Wgmma, LayoutsWithoutSwizzleTransposesAndSigns) {
  for (bool transA : {false, true})
    for (bool transB : {false, true})
      for (unsigned span : {16u, 32u, 64u, 128u})
        testWgmma({&bf16, 64, span, transA, transB, transA});
}

} // namespace heddle::ptx::test
