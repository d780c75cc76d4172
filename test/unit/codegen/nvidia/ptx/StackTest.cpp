// StackTest.cpp - alloca, stacksave, stackrestore.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"

namespace heddle::ptx::test {

namespace {

/// `functions`, and a kernel whose `body` makes the result %r2 of a thread from
/// its number in %r1.
std::string fileOf(const std::string &functions, const std::string &body) {
  return ".version 8.0\n.target sm_90\n.address_size 64\n" + functions +
         ".visible .entry k(.param .u64 out)\n{\n.reg .b32 %r<12>;\n"
         ".reg .b64 %d<12>;\n.reg .pred %p<4>;\n.local .align 4 .b8 own[4];\n"
         "mov.u32 %r1, %tid.x;\n" +
         body +
         "\nld.param.u64 %d1, [out];\nmad.wide.u32 %d2, %r1, 4, %d1;\n"
         "st.global.u32 [%d2], %r2;\nret;\n}\n";
}

Report reportOf(const std::string &text, std::vector<uint32_t> &out) {
  Kernel kernel(text);
  out.assign(64, 0);
  kernel.addBuffer(out, "out");
  kernel.launch.block[0] = 64;
  Report report = kernel.run();
  if (isClean(report))
    recordCompared(kernel, {"alloca", "stacksave", "stackrestore"});
  return report;
}

/// An array of as many words as its argument says, filled with 0, 1, 2, ... and
/// summed, the way LLVM compiles such a function.
const char *const sumOfArray = R"(
.func (.param .b32 result) sum(.param .b32 count)
{
  .reg .b32 %n, %i, %v, %s;
  .reg .b64 %old, %array, %size, %at;
  .reg .pred %more;
  ld.param.b32 %n, [count];
  stacksave.u64 %old;
  mul.wide.u32 %size, %n, 4;
  alloca.u64 %array, %size, 16;
  mov.u32 %i, 0;
FILL:
  mad.wide.u32 %at, %i, 4, %array;
  st.local.b32 [%at], %i;
  add.u32 %i, %i, 1;
  setp.lt.u32 %more, %i, %n;
  @%more bra FILL;
  cvta.local.u64 %array, %array;
  mov.u32 %s, 0;
ADD:
  sub.u32 %i, %i, 1;
  mad.wide.u32 %at, %i, 4, %array;
  ld.b32 %v, [%at];
  add.u32 %s, %s, %v;
  setp.ne.u32 %more, %i, 0;
  @%more bra ADD;
  stackrestore.u64 %old;
  st.param.b32 [result], %s;
  ret;
}
)";

const char *const callSum = R"(
  add.u32 %r3, %r1, 1;
  {
    .param .b32 n, r;
    st.param.b32 [n], %r3;
    call.uni (r), sum, (n);
    ld.param.b32 %r2, [r];
  }
)";

} // namespace

/// Each thread has an array of its own size.
TEST(Stack, ArraysOfDynamicSize) {
  std::vector<uint32_t> out;
  Report report = reportOf(fileOf(sumOfArray, callSum), out);
  ASSERT_TRUE(isClean(report)) << textOf(report);
  for (uint32_t i = 0; i < 64; ++i)
    ASSERT_EQ(out[i], i * (i + 1) / 2) << i;
}

/// Alignment, the distance between allocations, and that a restore gives the
/// same place again; pointers of 32 and of 64 bits.
TEST(Stack, AddressesAndRestores) {
  for (unsigned bits : {32u, 64u})
    for (uint32_t align : {1u, 8u, 64u, 4096u}) {
      std::string type = ".u" + std::to_string(bits);
      std::string reg = bits == 32 ? "%r" : "%d", a = reg + "3", b = reg + "4",
                  c = reg + "5", save = reg + "6", size = reg + "7";
      std::string mask = std::to_string(align - 1);
      std::vector<uint32_t> out;
      Report report = reportOf(
          fileOf("", "mov" + type + " " + size + ", 20;\nalloca" + type + " " +
                         a + ", " + size + ";\nstacksave" + type + " " + save +
                         ";\nalloca" + type + " " + b + ", 12, " +
                         std::to_string(align) + ";\nst.local.u32 [" + b +
                         "+8], 5;\nst.local.u32 [own], 7;\nst.local.u32 [" + a +
                         "+16], %r1;\nstackrestore" + type + " " + save +
                         ";\nalloca" + type + " " + c + ", 4, " +
                         std::to_string(align) +
                         ";\n"
                         // c is b, a whole number of alignments, behind a.
                         "setp.eq" +
                         type + " %p1, " + b + ", " + c + ";\nsub" + type +
                         " " + b + ", " + b + ", " + a + ";\nsetp.ge.and" +
                         type + " %p1, " + b + ", 20, %p1;\nand.b" +
                         std::to_string(bits) + " " + c + ", " + c + ", " +
                         mask + ";\nsetp.eq.and" + type + " %p1, " + c +
                         ", 0, %p1;\nld.local.u32 %r2, [" + a +
                         "+16];\nld.local.u32 %r8, [own];\n"
                         "add.u32 %r2, %r2, %r8;\n@!%p1 mov.u32 %r2, 0;"),
          out);
      ASSERT_TRUE(isClean(report)) << align << textOf(report);
      for (uint32_t i = 0; i < 64; ++i)
        ASSERT_EQ(out[i], i + 7) << type << align;
    }
}

/// Without a restore a function gives back what it took where it returns: 4096
/// times 256 bytes would not fit. Deeper calls keep what those above took.
TEST(Stack, ReturnGivesBack) {
  std::vector<uint32_t> out;
  Report report = reportOf(fileOf(R"(
.func (.reg .b32 y) keep(.param .b32 number)
{
  .reg .b64 %a;
  .reg .b32 x;
  ld.param.b32 x, [number];
  alloca.u64 %a, 256;
  st.local.u32 [%a+252], x;
  ld.local.u32 y, [%a+252];
  ret;
}
.func (.reg .b32 y) deep(.reg .b32 x)
{
  .reg .b64 %a, %s;
  .reg .b32 %n;
  .reg .pred %p;
  stacksave.u64 %s;
  alloca.u64 %a, 16;
  st.local.u32 [%a], x;
  mov.u32 %n, 0;
  setp.eq.u32 %p, x, 0;
  @%p bra END;
  sub.u32 %n, x, 1;
  call (%n), deep, (%n);
END:
  ld.local.u32 y, [%a];
  add.u32 y, y, %n;
  @%p stackrestore.u64 %s;
  ret;
}
)",
                                  R"(
  mov.u32 %r3, 0;
  mov.u32 %r2, 0;
L:
  {
    .param .b32 n;
    st.param.b32 [n], %r3;
    call (%r4), keep, (n);
  }
  add.u32 %r2, %r2, %r4;
  add.u32 %r3, %r3, 1;
  setp.lt.u32 %p1, %r3, 4096;
  @%p1 bra L;
  and.b32 %r5, %r1, 7;
  call (%r4), deep, (%r5);
  add.u32 %r2, %r2, %r4;
)"),
                           out);
  ASSERT_TRUE(isClean(report)) << textOf(report);
  for (uint32_t i = 0; i < 64; ++i) {
    uint32_t n = i & 7;
    ASSERT_EQ(out[i], 4096 * 4095 / 2 + n * (n + 1) / 2) << i;
  }
}

namespace {

/// The finding or diagnostic of a kernel of this body, with its line.
void expectFound(const std::string &body, FindingKind kind, const char *text) {
  std::vector<uint32_t> out;
  Report report = reportOf(fileOf("", body), out);
  ASSERT_TRUE(has(report, kind)) << body << textOf(report);
  EXPECT_NE(textOf(report).find(text), std::string::npos) << textOf(report);
}

void expectRefused(const std::string &body, const char *text, uint32_t line) {
  std::vector<uint32_t> out;
  Report report = reportOf(fileOf("", body), out);
  ASSERT_EQ(report.status, Status::Refused) << body;
  ASSERT_FALSE(report.diagnostics.empty());
  EXPECT_NE(report.diagnostics[0].text.find(text), std::string::npos)
      << report.diagnostics[0].text;
  EXPECT_EQ(report.diagnostics[0].where.line, line);
}

} // namespace

TEST(Stack, FaultsAreFound) {
  expectFound("alloca.u64 %d3, 16;\nst.local.u32 [%d3+16], 1;\nmov.u32 %r2, 0;",
              FindingKind::OutOfBounds, "past the end of local memory");
  expectFound("stacksave.u64 %d4;\nalloca.u64 %d3, 16;\n"
              "st.local.u32 [%d3], 1;\nstackrestore.u64 %d4;\n"
              "ld.local.u32 %r2, [%d3];",
              FindingKind::OutOfBounds, "past the end of local memory");
  expectFound("alloca.u64 %d3, 16;\nld.local.u32 %r2, [%d3+12];\n"
              "add.u32 %r2, %r2, 1;",
              FindingKind::UninitialisedMemory, "which nothing has written");
  expectFound("alloca.u64 %d3, 16;\nadd.u64 %d3, %d3, 64;\n"
              "stackrestore.u64 %d3;\nmov.u32 %r2, 0;",
              FindingKind::OutOfBounds, "restores a stack pointer");
  expectFound("mov.u32 %r4, 0;\nstackrestore.u32 %r4;\nmov.u32 %r2, 0;",
              FindingKind::OutOfBounds, "restores a stack pointer");
}

TEST(Stack, OverflowEndsTheRun) {
  expectRefused("alloca.u64 %d3, 524289;\nmov.u32 %r2, 0;",
                "a thread asks for 524289 bytes on top of the 4 bytes", 11);
  expectRefused("mov.u64 %d3, -1;\nalloca.u64 %d4, %d3, 8388608;\n"
                "mov.u32 %r2, 0;",
                "asks for 18446744073709551615 bytes", 12);
  expectRefused("L:\nalloca.u64 %d3, 4096;\nbra L;\nmov.u32 %r2, 0;",
                "more than are covered", 12);
}

TEST(Stack, Refusals) {
  expectRefused("alloca.u64 %d3, 16, 3;", "a power of two up to 8388608", 11);
  expectRefused("alloca.u64 %d3, 16, 16777216;", "got 16777216", 11);
  expectRefused("alloca.b64 %d3, 16;", "expected type '.u32' or '.u64'", 11);
  expectRefused("stackrestore.u64 64;", "a register that stacksave has set",
                11);
}

} // namespace heddle::ptx::test
