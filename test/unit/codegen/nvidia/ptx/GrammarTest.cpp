// GrammarTest.cpp - what PTX may be written like: constant expressions,
// initialisers, vector registers, debug lines, directives, scopes.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Kernel.h"

namespace heddle::ptx::test {

static const std::string head = ".version 9.0\n.target sm_90a\n"
                                ".address_size 64\n";

/// The 64-bit words that thread 0 of `k` leaves in `count` of them.
static std::vector<uint64_t> run(const std::string &declarations,
                                 const std::string &body, size_t count) {
  Kernel kernel(head + declarations + R"(
.visible .entry k(.param .u64 .ptr .global .align 8 out)
{
  .reg .b16 %h<9>;
  .reg .b32 %r<20>;
  .reg .b64 %rd<20>;
  .reg .f32 %f<9>;
  .reg .pred %p<9>;
  ld.param.u64 %rd0, [out];
  )" + body + R"(
  ret;
}
)");
  std::vector<uint64_t> out(count);
  kernel.addBuffer(out, "out");
  Report report = kernel.run();
  EXPECT_TRUE(isClean(report)) << body << "\n" << textOf(report);
  return out;
}

TEST(Grammar, ConstantExpressions) {
  // Each is the same expression in C++.
  std::vector<std::pair<std::string, int64_t>> expressions = {
      {"4*8+1", 4 * 8 + 1},
      {"(1<<4)-1", (1 << 4) - 1},
      {"-(3+4)*2", -(3 + 4) * 2},
      {"1 ? 5 : 6", 5},
      {"0 ? 5 : 1 ? 7 : 8", 7},
      {"!0 + !7", 1},
      {"7&~3|8^1", (7 & ~3) | (8 ^ 1)},
      {"7/2 - 7 % 4", 7 / 2 - 7 % 4},
      {"3<4 && 4<=4 || 0", 1},
      {"(3>=4)+(5!=5)+(5==5)+(6>5)", 2},
      {"-8>>1", -8 >> 1},
      {"(.s64)-5/2", -5 / 2},
      {"(.u64)-1 > 0", 1},
      {"-1 > 0U", 1},
      {"0x1F + 017 + 0b101 + 0xFFU", 0x1F + 017 + 5 + 0xFF},
      {"-(-3)", 3},
  };
  std::string body;
  for (size_t i = 0; i < expressions.size(); ++i)
    body += "mov.u64 %rd1, " + expressions[i].first +
            ";\nst.global.u64 [%rd0+" + std::to_string(i) + "*8], %rd1;\n";
  auto got = run("", body, expressions.size());
  for (size_t i = 0; i < expressions.size(); ++i)
    EXPECT_EQ(int64_t(got[i]), expressions[i].second) << expressions[i].first;
}

TEST(Grammar, Initialisers) {
  auto got =
      run(".global .u32 a[4] = {1+2, (4<<2)|1, ~0, 0x10}, lone = 9, rest[2];\n"
          ".visible .const .f32 f[] = {1.5, 0f40000000, -2.5e3};\n"
          ".global .align 8 .u64 t[3] = {generic(a)+4, a, a+8};\n"
          ".global .align 8 .u8 bytes[8] = {0xff(a), 0xff00(a), 0xff0000(a), "
          "0xff000000(a), 0xff00000000(a), 0xff0000000000(a), "
          "0xff000000000000(a), 0xff00000000000000(a)};\n"
          ".global .v2 .u32 pairs[2] = {{1, 2}, {3, 4}};\n"
          ".common .global .u32 shared_by_files;\n"
          ".global .attribute(.managed) .s32 managed;\n",
          R"(
  ld.global.u64 %rd1, [t];
  ld.global.u32 %r1, [%rd1];      // a[1]
  ld.global.u64 %rd2, [t+16];
  ld.global.u32 %r2, [%rd2];      // a[2]
  ld.global.u64 %rd3, [bytes];    // the address of a
  ld.global.u32 %r3, [%rd3+12];   // a[3]
  ld.global.u32 %r4, a[0];
  mov.u64 %rd4, a+12;
  ld.global.u32 %r5, [%rd4];
  ld.const.f32 %f1, f[2];
  cvt.rzi.s32.f32 %r6, %f1;
  ld.global.u32 %r7, pairs[1];
  ld.global.u32 %r8, [lone];
  st.global.v2.u32 [%rd0], {%r1, %r2};
  st.global.v2.u32 [%rd0+8], {%r3, %r4};
  st.global.v2.u32 [%rd0+16], {%r5, %r6};
  st.global.v2.u32 [%rd0+24], {%r7, %r8};
)",
          4);
  auto word = [&](size_t i) { return uint32_t(got[i / 2] >> (32 * (i % 2))); };
  std::vector<uint32_t> want = {17, ~0u, 16, 3, 16, uint32_t(-2500), 3, 9};
  for (size_t i = 0; i < want.size(); ++i)
    EXPECT_EQ(word(i), want[i]) << i;
}

TEST(Grammar, VectorRegistersAndScopes) {
  auto got = run("", R"(
  .reg .v4 .b32 %v<2>;
  .reg .v2 .f32 pair;
  mov.u32 %v1.x, 5;
  mov.u32 %v1.g, 6;
  mov.u32 %v1.z, 7;
  mov.u32 %v1.a, 8;
  st.global.v4.b32 [%rd0], %v1;
  ld.global.v4.b32 %v0, [%rd0];
  add.u32 %r1, %v0.y, %v0.w;
  mov.f32 pair.x, 1.0;
  cvt.rzi.u32.f32 %r2, pair.x;
  {
    .reg .b32 %r1;
    .reg .b16 %r<2>; // beside the one above
    mov.b16 %r0, 7;
    bra L;
    mov.u32 %r2, 99;
  L:
    mov.u32 %r1, 1000;
  }
  { bra L; L: }
  st.global.v2.b32 [%rd0+16], {%r1, %r2};
)",
                 3);
  EXPECT_EQ(got, (std::vector<uint64_t>{5 | 6ull << 32, 7 | 8ull << 32,
                                        14 | 1ull << 32}));
}

/// What nvcc -lineinfo, Triton and hand-written headers put around a kernel.
TEST(Grammar, DirectivesThatChangeNothing) {
  Kernel kernel(".version 9.0\n.target sm_90a, debug\n.address_size 64\n" +
                std::string(R"(
.file 1 "a.py"
.pragma "nounroll";
.extern .func (.param .b32 r) vprintf(.param .b64 a, .param .b64 b);
.weak .func f() .noreturn .abi_preserve 8 .abi_preserve_control 1 { ret; }
.visible .entry k(.param .u64 .ptr .global .align 16 p, .param .b32 n)
  .maxntid 128, 1, 1 .minnctapersm 2 .maxnreg 64 .pragma "global knob";
{
$L__func_begin0:
  .loc 1 3 5
  .reg .b32 %r<3>;
  .pragma "used_bytes_mask 0xf";
$L__tmp1:
  add.u32 %r1, 1, 2;
  .loc 1 12 3, function_name $L__info_string1+12, inlined_at 1 3 4
  ;
  ret;
$L__func_end0:
}
.section .debug_abbrev
{
.b8 1
.b32 .debug_abbrev
.b64 $L__tmp1
}
.section .debug_macinfo { }
)"));
  ASSERT_TRUE(kernel.module.find("k"));
  kernel.add(uint64_t(0));
  kernel.add(uint32_t(0));
  EXPECT_TRUE(isClean(kernel.run()));
}

TEST(Grammar, Aliases) {
  Kernel kernel(head + R"(
.visible .func (.reg .b32 r) twice(.reg .b32 x) { add.u32 r, x, x; ret; }
.visible .func (.reg .b32 r) double(.reg .b32 x);
.alias double, twice;
.visible .entry k(.param .u64 out)
{
  .reg .b32 %r;
  .reg .b64 %rd;
  ld.param.u64 %rd, [out];
  call (%r), double, (21);
  st.global.u32 [%rd], %r;
  ret;
}
)");
  std::vector<uint32_t> out(1);
  kernel.addBuffer(out, "out");
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << textOf(report);
  EXPECT_EQ(out[0], 42u);
}

static void expectError(const std::string &text, const std::string &message,
                        uint32_t line) {
  ParseResult result = parse(head + text, "bad.ptx");
  ASSERT_FALSE(result.module.has_value()) << text;
  const Diagnostic &first = result.diagnostics.at(0);
  EXPECT_NE(first.text.find(message), std::string::npos) << first.text;
  EXPECT_EQ(first.where.line, line) << first.text;
}

TEST(Grammar, Refusals) {
  expectError(".global .u32 a[4] = {1/0};", "division by zero", 4);
  expectError(".global .u32 a = " + std::string(100, '(') + ";",
              "constant expression nested deeper", 4);
  expectError(".global .f32 a = 1;", "expected a floating-point constant", 4);
  expectError(".global .u32 a = 1.5;", "decimal constant in an initialiser", 4);
  expectError(".global .u8 a = 0xff1(b);", "expected the mask of one byte", 4);
  expectError(".global .u32 a, b;\n.global .u32 t = b;", "not 64 bits wide", 5);
  expectError(".global .texref t;", "'.texref' is not covered", 4);
  expectError(".global .u32 a[-1];", "expected an array size of at most", 4);
  expectError(".alias f, g;", "undefined function 'f'", 4);
  expectError(".func f();\n.func g();\n.alias f, g;",
              "expected a function with a body behind the alias", 6);
  std::string entry = ".entry k() {\n";
  expectError(entry + ".reg .v4 .pred p; }", "vector registers of type", 5);
  expectError(entry + ".reg .v2 .b32 v; mov.u32 v.q, 1; }",
              "undefined symbol 'v.q'", 5);
  expectError(entry + ".reg .v2 .b32 v; @v bra L; L: }",
              "expected a predicate as guard, got 'v'", 5);
  expectError(entry + "T: .calltargets f; }", "undefined function 'f'", 5);
  expectError(entry + ".reg .b32 r; ld.param.b32 r, k[0]; }",
              "expected a variable before '['", 5);
}

} // namespace heddle::ptx::test
