// WmmaTest.cpp - wmma of every shape, type and layout against exact products.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fragments are opaque, so each case loads, multiplies and stores.

#include "test/unit/codegen/nvidia/ptx/TensorCore.h"

#include <cfenv>

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
  const char *rounding = "";   ///< of f64

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
         w.rounding + types + (w.saturate ? ".satfinite" : "");
}

/// Every lane copies words 32 apart between global memory at %p and the box.
std::string copyText(const std::string &label, unsigned box, size_t bytes,
                     bool toShared) {
  std::string at = "[%t+" + std::to_string(box) + "]";
  return "mov.u32 %t, %tid.x;\nshl.b32 %i, %t, 2;\n" + label +
         ":\ncvt.u64.u32 %q, %i;\nadd.u64 %q, %p, %q;\nmov.u32 %t, box;\n"
         "add.u32 %t, %t, %i;\n" +
         (toShared
              ? "ld.global.b32 %s, [%q];\nst.shared.b32 " + at + ", %s;\n"
              : "ld.shared.b32 %s, " + at + ";\nst.global.b32 [%q], %s;\n") +
         "add.u32 %i, %i, 128;\nsetp.lt.u32 %l, %i, " + std::to_string(bytes) +
         ";\n@%l bra " + label + ";\nbar.warp.sync -1;\n";
}

/// Parameters: one buffer each for A, B, C, D. The strides are longer than the
/// lines. In shared memory D lies with its first contents, which the gaps
/// between its lines keep.
std::string kernelText(const Wmma &w) {
  struct Part {
    const char *name;
    const Element *element;
    unsigned rows, columns;
    bool isColumnMajor, isAccumulator;
  } parts[] = {{"a", w.a, w.m, w.k, w.columns[0], false},
               {"b", w.a, w.k, w.n, w.columns[1], false},
               {"c", w.c, w.m, w.n, w.columns[2], true},
               {"d", w.d, w.m, w.n, w.columns[3], true}};
  std::string text =
      ".version 8.0\n.target sm_90\n.address_size 64\n"
      ".visible .entry k(.param .u64 a, .param .u64 b, "
      ".param .u64 c, .param .u64 d)\n{\n"
      ".shared .align 32 .b8 box[32768];\n"
      ".reg .b64 %p, %q;\n.reg .b32 %t, %s, %i;\n.reg .pred %l;\n" +
      declaration("a", *w.a) + declaration("b", *w.a) + declaration("c", *w.c) +
      declaration("d", *w.d);
  bool isShared = std::string_view(w.space).starts_with(".shared");
  unsigned box = 0;
  for (const Part &part : parts) {
    unsigned stride = (part.isColumnMajor ? part.rows : part.columns) +
                      Wmma::padding(*part.element);
    unsigned lines = part.isColumnMajor ? part.columns : part.rows;
    unsigned bytes = stride * lines * part.element->bits / 8;
    bool isResult = part.name[0] == 'd';
    std::string base = std::string("ld.param.u64 %p, [") + part.name + "];\n",
                at = std::to_string(box);
    text += base;
    if (isShared)
      text += copyText(std::string("FILL_") + part.name, box, bytes, true) +
              "mov.u64 %p, box;\nadd.u64 %p, %p, " + at + ";\n";
    std::string registers =
        fragment(part.name, w.registers(*part.element, part.rows * part.columns,
                                        part.isAccumulator));
    if (isResult)
      text += productText(w) + " " + registers + ", " +
              fragment("a", w.registers(*w.a, w.m * w.k, false)) + ", " +
              fragment("b", w.registers(*w.a, w.k * w.n, false)) + ", " +
              fragment("c", w.registers(*w.c, w.m * w.n, true)) + ";\n";
    text += std::string(isResult ? "wmma.store." : "wmma.load.") + part.name +
            ".sync.aligned." + layout(part.isColumnMajor) + "." + w.shape() +
            w.space + "." + part.element->type + " " +
            (isResult ? "[%p], " + registers : registers + ", [%p]") + ", " +
            std::to_string(stride) + ";\n";
    if (isResult && isShared)
      text +=
          "bar.warp.sync -1;\n" + base + copyText("SHOW", box, bytes, false);
    box += (bytes + 127) / 128 * 128;
  }
  return text + "ret;\n}\n";
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

/// Whether element (i, j) of f64 is the sum in ascending order of k with every
/// product and sum rounded as asked (docs/ptx/run.md).
bool isRounded(const Wmma &w, const Matrix &a, const Matrix &b, unsigned i,
               unsigned j, double start, uint64_t got) {
  char letter = w.rounding[2];
  std::fesetround(letter == 'z'   ? FE_TOWARDZERO
                  : letter == 'm' ? FE_DOWNWARD
                  : letter == 'p' ? FE_UPWARD
                                  : FE_TONEAREST);
  volatile double sum = start; // volatile: not moved across fesetround
  for (unsigned k = 0; k < w.k; ++k) {
    volatile double product = a.value(i, k) * b.value(k, j);
    sum = sum + product;
  }
  std::fesetround(FE_TONEAREST);
  double want = sum, value = w.d->value(got);
  return want != want ? value != value : got == std::bit_cast<uint64_t>(want);
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
  size_t lines = w.columns[3] ? w.n : w.m;
  std::vector<uint8_t> out((lines * strideD * w.d->bits / 8 + 127) / 128 * 128,
                           0xEE);
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
      bool fine = w.logic       ? isCount(w, a, b, i, j, c.at(i, j), got)
                  : *w.rounding ? isRounded(w, a, b, i, j, c.value(i, j), got)
                                : isProduct(a, b, i, j, c.value(i, j), *w.d,
                                            got, 1, w.saturate);
      ASSERT_TRUE(fine) << text << "row " << i << " column " << j << " gave "
                        << w.d->value(got);
    }
  recordCompared(kernel, {"wmma.load.a", "wmma.load.b", "wmma.load.c",
                          w.byMma ? "mma.sync" : "wmma.mma", "wmma.store.d"});
}

/// Every state space comes with either layout of each matrix.
const char *spaceOf(unsigned form) {
  constexpr const char *spaces[] = {".global", ".shared", ".shared::cta", ""};
  return spaces[(form ^ form >> 2) & 3];
}

/// Both fills, all layouts, and the state spaces.
void checkForms(Wmma w) {
  for (unsigned layouts = 0; layouts < 16; ++layouts) {
    for (unsigned i = 0; i < 4; ++i)
      w.columns[i] = layouts >> i & 1;
    w.fill = layouts % 3 ? Fill::Ordinary : Fill::Edges;
    w.space = spaceOf(layouts);
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
    w.space = spaceOf(form);
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
  Wmma doubles{8, 8, 4, &elementF64, &elementF64, &elementF64};
  for (const char *rounding : {"", ".rn", ".rz", ".rm", ".rp"}) {
    doubles.rounding = rounding;
    checkForms(doubles);
  }
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

TEST(Wmma, FormsThatAreNone) {
  const std::string declared =
      ".reg .b32 %r<8>; .reg .f32 %f<8>; .reg .f64 %e<2>; .reg .b64 %p;";
  auto isTaken = [&](const std::string &text) {
    return isCovered({text, 32, {}, declared});
  };
  const std::string whole = registerList("%r", 8),
                    singles = registerList("%f", 8);
  const std::string load = "wmma.load.a.sync.aligned.row.m16n16k16",
                    store = "wmma.store.d.sync.aligned.row.m16n16k8",
                    halves = "wmma.mma.sync.aligned.row.col.m16n16k16",
                    doubles = "wmma.mma.sync.aligned.row.col.m8n8k4";
  for (const char *space : {".global", ".shared", ".shared::cta", ""})
    EXPECT_TRUE(isTaken(load + space + ".f16 " + whole + ", [%p];")) << space;
  for (const char *space : {".local", ".const", ".param", ".shared::cluster"})
    EXPECT_FALSE(isTaken(load + space + ".f16 " + whole + ", [%p];")) << space;
  EXPECT_TRUE(isTaken(store + ".f32 [%p], " + singles + ";"));
  EXPECT_FALSE(isTaken(store + ".s32 [%p], " + whole + ";"));
  EXPECT_FALSE(isTaken(store + ".f16 [%p], " + registerList("%r", 4) + ";"));
  auto product = [&](const std::string &types) {
    return halves + types + " " + singles + ", " + whole + ", " + whole + ", " +
           singles + ";";
  };
  EXPECT_TRUE(isTaken(product(".f32.f32")));
  EXPECT_FALSE(isTaken(product(".f32.f16.f16.f32")));
  EXPECT_FALSE(isTaken(product(".rn.f32.f32")));
  for (const char *rounding : {"", ".rn", ".rz", ".rm", ".rp", ".rna"})
    EXPECT_EQ(isTaken(doubles + rounding +
                      ".f64.f64.f64.f64 {%e0, %e1}, %e0, %e1, {%e0, %e1};"),
              std::string_view(rounding) != ".rna")
        << rounding;
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
