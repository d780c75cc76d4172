// WmmaTest.cpp - wmma of every shape, type and layout against exact products.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fragments are opaque, so each case loads, multiplies and stores.

#include "test/unit/codegen/nvidia/ptx/TensorCore.h"

namespace heddle::ptx::test {

namespace {

struct Wmma {
  unsigned m, n, k;
  const Element *a, *c, *d;
  bool saturate = false;
  /// Column-major: A, B, C, D.
  bool columns[4] = {false, true, false, false};
  const char *space = ".global";
  Fill fill = Fill::Ordinary;
  const char *logic = nullptr; ///< of single bits: `and` or `xor`
  bool byMma = false;          ///< the product is mma.sync's

  std::string shape() const {
    return "m" + std::to_string(m) + "n" + std::to_string(n) + "k" +
           std::to_string(k);
  }
  /// Elements between one line and the next in memory: a word of 16 bytes, or
  /// of 8 elements.
  static unsigned padding(const Element &element) {
    return element.bits < 8 ? 128 / element.bits : 8;
  }
  /// Registers of a fragment: f16 multiplicands always take eight.
  unsigned registers(const Element &element, unsigned elements,
                     bool isAccumulator) const {
    if (&element == &elementF16 && !isAccumulator)
      return 8;
    return elements * element.bits / 32 / (element.bits == 64 ? 64 : 32);
  }
};

const char *layout(bool isColumnMajor) { return isColumnMajor ? "col" : "row"; }

/// The matrix in memory with rows, or columns, `stride` elements apart.
std::vector<uint8_t> laidOut(const Matrix &matrix, bool isColumnMajor,
                             unsigned stride) {
  unsigned lines = isColumnMajor ? matrix.columns : matrix.rows;
  std::vector<uint64_t> patterns(size_t(lines) * stride);
  for (unsigned r = 0; r < matrix.rows; ++r)
    for (unsigned c = 0; c < matrix.columns; ++c)
      patterns[isColumnMajor ? c * stride + r : r * stride + c] =
          matrix.at(r, c);
  return packed(patterns, matrix.element->bits);
}

std::string fragment(const char *prefix, unsigned count) {
  return registerList(std::string("%") + prefix, count);
}

std::string declaration(const char *prefix, const Element &element) {
  const char *type = element.bits == 64        ? ".f64"
                     : &element == &elementF32 ? ".f32"
                     : &element == &elementS32 ? ".s32"
                                               : ".b32";
  return std::string(".reg ") + type + " %" + prefix + "<8>;\n";
}

/// `wmma.mma` up to its operands; mma.sync has the same shapes of elements of
/// less than a byte.
std::string productText(const Wmma &w) {
  std::string types = "." + std::string(w.d->type);
  if (w.a != &elementF16) // f16 multiplicands are not named
    types += std::string(".") + w.a->type + "." + w.a->type;
  types += std::string(".") + w.c->type;
  std::string logic = w.logic ? std::string(".") + w.logic + ".popc" : "";
  std::string layouts =
      std::string(".") + layout(w.columns[0]) + "." + layout(w.columns[1]);
  if (w.byMma)
    return "mma.sync.aligned." + w.shape() + layouts +
           (w.saturate ? ".satfinite" : "") + types + logic;
  return "wmma.mma" + logic + ".sync.aligned" + layouts + "." + w.shape() +
         types + (w.saturate ? ".satfinite" : "");
}

/// Parameters: one buffer each for A, B, C, D. The strides are longer than the
/// lines.
std::string kernelText(const Wmma &w) {
  struct Load {
    const char *name;
    const Element *element;
    unsigned rows, columns;
    bool isColumnMajor, isAccumulator;
  } loads[] = {{"a", w.a, w.m, w.k, w.columns[0], false},
               {"b", w.a, w.k, w.n, w.columns[1], false},
               {"c", w.c, w.m, w.n, w.columns[2], true}};
  std::string text =
      ".version 8.0\n.target sm_90\n.address_size 64\n"
      ".visible .entry k(.param .u64 a, .param .u64 b, "
      ".param .u64 c, .param .u64 d)\n{\n"
      ".shared .align 32 .b8 box[32768];\n"
      ".reg .b64 %p, %q;\n.reg .b32 %t, %s, %i;\n.reg .pred %l;\n" +
      declaration("a", *w.a) + declaration("b", *w.a) + declaration("c", *w.c) +
      declaration("d", *w.d);
  bool isShared = std::string_view(w.space) == ".shared";
  unsigned box = 0;
  for (const Load &load : loads) {
    unsigned stride = (load.isColumnMajor ? load.rows : load.columns) +
                      Wmma::padding(*load.element);
    unsigned lines = load.isColumnMajor ? load.columns : load.rows;
    unsigned bytes = stride * lines * load.element->bits / 8;
    text += std::string("ld.param.u64 %p, [") + load.name + "];\n";
    if (isShared) {
      // Every lane copies words 32 apart.
      std::string label = std::string("COPY_") + load.name;
      text += "mov.u32 %t, %tid.x;\nshl.b32 %i, %t, 2;\n" + label +
              ":\ncvt.u64.u32 %q, %i;\nadd.u64 %q, %p, %q;\n"
              "ld.global.b32 %s, [%q];\nmov.u32 %t, box;\n"
              "add.u32 %t, %t, %i;\nst.shared.b32 [%t+" +
              std::to_string(box) +
              "], %s;\nadd.u32 %i, %i, 128;\nsetp.lt.u32 %l, %i, " +
              std::to_string(bytes) + ";\n@%l bra " + label +
              ";\nbar.warp.sync -1;\nmov.u64 %p, box;\nadd.u64 %p, %p, " +
              std::to_string(box) + ";\n";
      box += (bytes + 127) / 128 * 128;
    }
    text +=
        std::string("wmma.load.") + load.name + ".sync.aligned." +
        layout(load.isColumnMajor) + "." + w.shape() + w.space + "." +
        load.element->type + " " +
        fragment(load.name, w.registers(*load.element, load.rows * load.columns,
                                        load.isAccumulator)) +
        ", [%p], " + std::to_string(stride) + ";\n";
  }
  unsigned stride = (w.columns[3] ? w.m : w.n) + 8;
  unsigned results = w.m * w.n;
  std::string d = fragment("d", w.registers(*w.d, results, true));
  text += productText(w) + " " + d + ", " +
          fragment("a", w.registers(*w.a, w.m * w.k, false)) + ", " +
          fragment("b", w.registers(*w.a, w.k * w.n, false)) + ", " +
          fragment("c", w.registers(*w.c, results, true)) +
          ";\nld.param.u64 %p, [d];\nwmma.store.d.sync.aligned." +
          layout(w.columns[3]) + "." + w.shape() + (isShared ? "" : w.space) +
          "." + w.d->type + " [%p], " + d + ", " + std::to_string(stride) +
          ";\nret;\n}\n";
  return text;
}

/// Whether element (i, j) is the number of ones of the row and the column.
bool isCount(const Wmma &w, const Matrix &a, const Matrix &b, unsigned i,
             unsigned j, uint64_t start, uint64_t got) {
  uint64_t count = start;
  for (unsigned k = 0; k < w.k; ++k)
    count +=
        w.logic[0] == 'a' ? a.at(i, k) & b.at(k, j) : a.at(i, k) ^ b.at(k, j);
  return got == wrapped(count, 32);
}

void check(const Wmma &w) {
  Matrix a(w.m, w.k, *w.a, 5, w.fill), b(w.k, w.n, *w.a, 6, w.fill),
      c(w.m, w.n, *w.c, 7, w.fill);
  auto stride = [](const Matrix &matrix, bool isColumnMajor) {
    return (isColumnMajor ? matrix.rows : matrix.columns) +
           Wmma::padding(*matrix.element);
  };
  std::vector<uint8_t> buffers[3] = {
      laidOut(a, w.columns[0], stride(a, w.columns[0])),
      laidOut(b, w.columns[1], stride(b, w.columns[1])),
      laidOut(c, w.columns[2], stride(c, w.columns[2]))};
  unsigned strideD = (w.columns[3] ? w.m : w.n) + 8;
  std::vector<uint8_t> out(
      size_t(w.columns[3] ? w.n : w.m) * strideD * w.d->bits / 8, 0xEE);
  std::string text = kernelText(w);
  Kernel kernel(text);
  for (std::vector<uint8_t> &buffer : buffers) {
    buffer.resize((buffer.size() + 127) / 128 * 128);
    kernel.addBuffer(buffer, "in");
  }
  kernel.addBuffer(out, "d");
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << text << textOf(report);
  for (unsigned i = 0; i < w.m; ++i)
    for (unsigned j = 0; j < w.n; ++j) {
      size_t at = w.columns[3] ? j * strideD + i : i * strideD + j;
      uint64_t got = patternAt(out, w.d->bits, at);
      bool fine = w.logic ? isCount(w, a, b, i, j, c.at(i, j), got)
                          : isProduct(a, b, i, j, c.value(i, j), *w.d, got, 1,
                                      w.saturate);
      ASSERT_TRUE(fine) << text << "row " << i << " column " << j << " gave "
                        << w.d->value(got);
    }
  recordCompared(kernel, {"wmma.load.a", "wmma.load.b", "wmma.load.c",
                          w.byMma ? "mma.sync" : "wmma.mma", "wmma.store.d"});
}

/// Both fills, all layouts, and the state spaces.
void checkForms(Wmma w) {
  for (unsigned layouts = 0; layouts < 16; ++layouts) {
    for (unsigned i = 0; i < 4; ++i)
      w.columns[i] = layouts >> i & 1;
    w.fill = layouts % 3 ? Fill::Ordinary : Fill::Edges;
    w.space = layouts % 5 == 1 ? ".shared" : layouts % 5 == 2 ? "" : ".global";
    check(w);
  }
}

/// Elements of less than a byte: rows of A by columns of B, C and D either way.
void checkSubByteForms(Wmma w) {
  for (unsigned form = 0; form < 16; ++form) {
    w.columns[2] = form & 1;
    w.columns[3] = form & 2;
    w.byMma = form & 4;
    w.fill = form & 8 ? Fill::Edges : Fill::Ordinary;
    w.space = form % 3 == 1 ? ".shared" : form % 3 == 2 ? "" : ".global";
    check(w);
  }
}

constexpr unsigned shapes[][3] = {{16, 16, 16}, {8, 32, 16}, {32, 8, 16}};

} // namespace

TEST(Wmma, Halves) {
  for (auto [m, n, k] : shapes) {
    for (const Element *c : {&elementF16, &elementF32})
      for (const Element *d : {&elementF16, &elementF32})
        checkForms({m, n, k, &elementF16, c, d});
    checkForms({m, n, k, &elementBF16, &elementF32, &elementF32});
  }
}

TEST(Wmma, SinglesAndDoubles) {
  checkForms({16, 16, 8, &elementTF32, &elementF32, &elementF32});
  checkForms({8, 8, 4, &elementF64, &elementF64, &elementF64});
}

TEST(Wmma, Integers) {
  for (auto [m, n, k] : shapes)
    for (const Element *a : {&elementS8, &elementU8})
      for (bool saturate : {false, true})
        checkForms({m, n, k, a, &elementS32, &elementS32, saturate});
}

TEST(Wmma, Nibbles) {
  for (const Element *a : {&elementS4, &elementU4})
    for (bool saturate : {false, true})
      checkSubByteForms({8, 8, 32, a, &elementS32, &elementS32, saturate});
}

TEST(Wmma, SingleBits) {
  Wmma w{8, 8, 128, &elementB1, &elementS32, &elementS32};
  for (const char *logic : {"xor", "and"}) {
    w.logic = logic;
    checkSubByteForms(w);
  }
}

/// What ptxas refuses as well.
TEST(Wmma, SubByteFormsThatAreNone) {
  for (const char *form :
       {"wmma.load.a.sync.aligned.row.m8n8k32.global.s4 {%d}, [%p];",
        "wmma.mma.sync.aligned.row.col.m8n8k32.s32.s4.s4.s32 {%d, %x}, {%x}, "
        "{%x}, {%x, %x};"})
    EXPECT_TRUE(isCovered({form, 32, {}, ".reg .b32 %x; .reg .b64 %p;"}))
        << form;
  for (const char *form :
       {"wmma.load.a.sync.aligned.col.m8n8k32.global.s4 {%d}, [%p];",
        "wmma.load.b.sync.aligned.row.m8n8k128.global.b1 {%d}, [%p];",
        "wmma.load.a.sync.aligned.row.m8n8k32.global.s8 {%d}, [%p];",
        "wmma.load.c.sync.aligned.row.m8n8k32.global.f32 {%d, %d}, [%p];",
        "wmma.mma.sync.aligned.row.col.m8n8k128.s32.b1.b1.s32 {%d, %x}, {%x}, "
        "{%x}, {%x, %x};",
        "wmma.mma.xor.popc.sync.aligned.row.col.m8n8k128.s32.b1.b1.s32."
        "satfinite {%d, %x}, {%x}, {%x}, {%x, %x};",
        "wmma.mma.sync.aligned.col.row.m8n8k32.s32.s4.s4.s32 {%d, %x}, {%x}, "
        "{%x}, {%x, %x};",
        "wmma.mma.sync.aligned.row.col.m8n8k32.s32.s4.u4.s32 {%d, %x}, {%x}, "
        "{%x}, {%x, %x};"})
    EXPECT_FALSE(isCovered({form, 32, {}, ".reg .b32 %x; .reg .b64 %p;"}))
        << form;
}

TEST(Wmma, SubByteStrideIsWholeWords) {
  Kernel kernel(".version 8.0\n.target sm_90\n.address_size 64\n"
                ".visible .entry k(.param .u64 p)\n{\n.reg .b64 %p;\n"
                ".reg .b32 %a;\nld.param.u64 %p, [p];\n"
                "wmma.load.a.sync.aligned.row.m8n8k32.global.s4 {%a}, [%p], "
                "36;\nret;\n}\n");
  std::vector<uint8_t> bytes(1024);
  kernel.addBuffer(bytes, "p");
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  ASSERT_TRUE(has(report, FindingKind::Misaligned)) << textOf(report);
  EXPECT_NE(report.findings[0].text.find(
                "stride of 36 elements, which is not a multiple of 8"),
            std::string::npos);
}

} // namespace heddle::ptx::test
