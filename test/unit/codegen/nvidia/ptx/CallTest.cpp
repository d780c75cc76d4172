// CallTest.cpp - recursion, and calls through registers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Kernel.h"

namespace heddle::ptx::test {

static const std::string head = ".version 8.0\n.target sm_90a\n"
                                ".address_size 64\n";

/// `functions`, and a kernel that stores %r2, made by `body` from the number of
/// the thread in %r1.
static std::vector<uint32_t> run(const std::string &functions,
                                 const std::string &body) {
  Kernel kernel(head + functions + R"(
.visible .entry k(.param .u64 out)
{
  .reg .b32 %r<8>;
  .reg .b64 %rd<8>;
  .reg .pred %p<4>;
  mov.u32 %r1, %tid.x;
  )" + body + R"(
  ld.param.u64 %rd1, [out];
  mad.wide.u32 %rd2, %r1, 4, %rd1;
  st.global.u32 [%rd2], %r2;
  ret;
}
)");
  std::vector<uint32_t> out(64);
  kernel.addBuffer(out, "out");
  kernel.launch.block[0] = 64;
  Report report = kernel.run();
  EXPECT_TRUE(isClean(report)) << textOf(report);
  return out;
}

static uint32_t fibonacci(uint32_t n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

/// Two calls in one body: what lives across the first must survive it, in lanes
/// that are at different depths.
TEST(Recursion, RegistersSurvive) {
  auto out = run(R"(
.func (.reg .b32 result) fib(.reg .b32 n)
{
  .reg .b32 %a<4>;
  .reg .pred %small;
  setp.lt.u32 %small, n, 2;
  mov.u32 result, n;
  @%small ret;
  sub.u32 %a1, n, 1;
  call (%a2), fib, (%a1);
  sub.u32 %a1, n, 2;
  call.uni (%a3), fib, (%a1);
  add.u32 result, %a2, %a3;
  ret;
}
)",
                 "and.b32 %r3, %r1, 7;\ncall (%r2), fib, (%r3);");
  for (uint32_t i = 0; i < 64; ++i)
    ASSERT_EQ(out[i], fibonacci(i & 7)) << i;
}

/// Addresses of local arrays stay good while deeper calls have their own; the
/// arguments are `.param` variables; one function is put in place inside.
TEST(Recursion, LocalMemoryOfEachCall) {
  auto out = run(R"(
.func (.param .b32 r) plus(.param .b32 a, .param .b32 b)
{
  .reg .b32 %x, %y;
  ld.param.b32 %x, [a];
  ld.param.b32 %y, [b];
  add.u32 %x, %x, %y;
  st.param.b32 [r], %x;
  ret;
}
.func (.param .b32 result) chain(.param .b32 n, .param .b64 above)
{
  .local .align 8 .b8 slot[8];
  .reg .b32 %x<8>;
  .reg .b64 %p<4>;
  .reg .pred %last;
  ld.param.b32 %x1, [n];
  ld.param.b64 %p1, [above];
  mul.lo.u32 %x2, %x1, %x1;
  mov.u64 %p2, slot;
  cvta.local.u64 %p2, %p2;
  st.local.b32 [slot+4], %x2;
  ld.b32 %x3, [%p1+4];
  setp.eq.u32 %last, %x1, 0;
  @%last bra LAST;
  {
    .param .b32 n0;
    .param .b64 above0;
    .param .b32 result0;
    sub.u32 %x4, %x1, 1;
    st.param.b32 [n0], %x4;
    st.param.b64 [above0], %p2;
    call.uni (result0), chain, (n0, above0);
    ld.param.b32 %x5, [result0];
  }
  ld.local.b32 %x2, [slot+4];
  bra SUM;
LAST:
  mov.u32 %x5, 0;
SUM:
  {
    .param .b32 a0, b0, r0;
    st.param.b32 [a0], %x5;
    st.param.b32 [b0], %x3;
    call.uni (r0), plus, (a0, b0);
    ld.param.b32 %x5, [r0];
  }
  add.u32 %x5, %x5, %x2;
  st.param.b32 [result], %x5;
  ret;
}
)",
                 R"(
  .local .align 8 .b8 top[8];
  mov.u64 %rd3, top;
  cvta.local.u64 %rd3, %rd3;
  st.local.b32 [top+4], 1000;
  and.b32 %r3, %r1, 15;
  {
    .param .b32 n0;
    .param .b64 above0;
    .param .b32 result0;
    st.param.b32 [n0], %r3;
    st.param.b64 [above0], %rd3;
    call.uni (result0), chain, (n0, above0);
    ld.param.b32 %r2, [result0];
  }
)");
  for (uint32_t i = 0; i < 64; ++i) {
    // Every call adds its own square and what the one above it stored.
    uint32_t n = i & 15, want = 1000;
    for (uint32_t k = 0; k <= n; ++k)
      want += k * k + (k < n ? (k + 1) * (k + 1) : 0);
    ASSERT_EQ(out[i], want) << i;
  }
}

/// `variable + offset` in a function that calls itself, as a value of 64 and of
/// 32 bits: an address of the own call, not of another.
TEST(Recursion, OffsetsFromLocalVariables) {
  auto out = run(R"(
.func (.reg .b32 r) up(.reg .b32 n, .reg .b64 above)
{
  .local .align 8 .b8 before[8];
  .local .align 8 .b8 slots[16];
  .reg .b32 %x<8>;
  .reg .b64 %p<4>;
  .reg .pred %last;
  mov.u64 %p1, slots+12;
  st.local.u32 [%p1], n;
  mov.u32 %x1, slots+8;
  st.local.u32 [%x1], 100;
  ld.local.u32 %x2, [above];
  mov.u32 r, %x2;
  setp.eq.u32 %last, n, 0;
  @%last ret;
  sub.u32 %x3, n, 1;
  call (%x4), up, (%x3, %p1);
  ld.local.u32 %x5, [slots+8];
  ld.local.u32 %x6, [slots+12];
  mad.lo.u32 r, %x6, %x5, %x4;
  add.u32 r, r, %x2;
  ret;
}
)",
                 R"(
  .local .align 4 .b8 top[8];
  and.b32 %r3, %r1, 7;
  st.local.u32 [top+4], 1000;
  mov.u64 %rd3, top+4;
  call (%r2), up, (%r3, %rd3);
)");
  for (uint32_t i = 0; i < 64; ++i) {
    // Each call adds what the one above it stored: its number, or 1000.
    uint32_t n = i & 7, want = 1000;
    for (uint32_t k = 1; k <= n; ++k)
      want += k + 100 * k;
    ASSERT_EQ(out[i], want) << i;
  }
}

/// Two functions that call each other, the second through a guard.
TEST(Recursion, Mutual) {
  auto out = run(R"(
.func (.reg .b32 yes) odd(.reg .b32 n);
.func (.reg .b32 yes) even(.reg .b32 n)
{
  .reg .b32 %m;
  .reg .pred %more;
  mov.u32 yes, 1;
  setp.ne.u32 %more, n, 0;
  sub.u32 %m, n, 1;
  @%more call (yes), odd, (%m);
  ret;
}
.func (.reg .b32 yes) odd(.reg .b32 n)
{
  .reg .b32 %m;
  .reg .pred %zero;
  mov.u32 yes, 0;
  setp.eq.u32 %zero, n, 0;
  @%zero bra END;
  sub.u32 %m, n, 1;
  call (yes), even, (%m);
END:
}
)",
                 "call (%r2), even, (%r1);");
  for (uint32_t i = 0; i < 64; ++i)
    ASSERT_EQ(out[i], i % 2 == 0) << i;
}

/// A `.reg` argument and a `.reg` result are as defined as what they come from.
TEST(Calls, RegisterParametersKeepWhetherTheyAreDefined) {
  auto reportOf = [](const char *body) {
    Kernel kernel(head + R"(
.func (.reg .b32 y) same(.reg .b32 x) { mov.b32 y, x; ret; }
.visible .entry k()
{
  .reg .b32 %a, %b;
  .reg .pred %p;
)" + body + "setp.eq.u32 %p, %b, 3;\n@%p trap;\nret;\n}\n");
    return kernel.run();
  };
  Report defined = reportOf("mov.u32 %a, 4;\ncall (%b), same, (%a);\n");
  EXPECT_TRUE(isClean(defined)) << textOf(defined);
  Report undefined = reportOf("call (%b), same, (%a);\n");
  EXPECT_TRUE(has(undefined, FindingKind::UninitialisedRegister))
      << textOf(undefined);
}

static const char *const operations = R"(
.visible .func (.param .b32 r) add3(.param .b32 x)
{ .reg .b32 %v; ld.param.b32 %v, [x]; add.u32 %v, %v, 3; st.param.b32 [r], %v; ret; }
.visible .func (.param .b32 r) times5(.param .b32 x)
{ .reg .b32 %v; ld.param.b32 %v, [x]; mul.lo.u32 %v, %v, 5; st.param.b32 [r], %v; ret; }
.visible .func (.param .b32 r) same(.param .b32 x);
.alias same, add3;
.global .align 8 .u64 table[2] = {times5, same};
)";

static const char *const callTable = R"(
  and.b32 %r3, %r1, 1;
  mov.u64 %rd3, table;
  mad.wide.u32 %rd3, %r3, 8, %rd3;
  ld.global.u64 %rd4, [%rd3];
  {
    .param .b32 x0, r0;
    st.param.b32 [x0], %r1;
    P: .callprototype (.param .b32 _) _ (.param .b32 _);
    call (r0), %rd4, (x0), P;
    ld.param.b32 %r2, [r0];
  }
)";

TEST(CallThroughRegister, Table) {
  auto out = run(operations, callTable);
  for (uint32_t i = 0; i < 64; ++i)
    ASSERT_EQ(out[i], i & 1 ? i + 3 : i * 5) << i;
}

TEST(CallThroughRegister, TargetsAndRecursion) {
  auto out = run(R"(
.func (.reg .b32 r) down(.reg .b32 n, .reg .b64 f)
{
  .reg .b32 %m;
  .reg .pred %p;
  T: .calltargets down;
  mov.u32 r, 7;
  setp.eq.u32 %p, n, 0;
  @%p ret;
  sub.u32 %m, n, 1;
  call (%m), f, (%m, f), T;
  add.u32 r, %m, 1;
  ret;
}
)",
                 "mov.u64 %rd3, down;\ncall (%r2), down, (%r1, %rd3);");
  for (uint32_t i = 0; i < 64; ++i)
    ASSERT_EQ(out[i], 7 + i) << i;
}

TEST(CallThroughRegister, WrongAddressIsFound) {
  std::string body = callTable;
  size_t load = body.find("ld.global.u64 %rd4, [%rd3];");
  body.replace(load, 27, "mov.u64 %rd4, 64;");
  Kernel kernel(head + operations +
                ".visible .entry k()\n{\n.reg .b32 %r<8>;\n.reg .b64 "
                "%rd<8>;\nmov.u32 %r1, 0;\n" +
                body + "ret;\n}\n");
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  EXPECT_TRUE(has(report, FindingKind::OutOfBounds)) << textOf(report);
  EXPECT_EQ(report.status, Status::Stopped);
}

static std::string refusalOf(const std::string &text) {
  ParseResult parsed = parse(head + text, "bad.ptx");
  if (!parsed.module)
    return parsed.diagnostics.at(0).text;
  Launch launch;
  launch.module = &*parsed.module;
  launch.block[0] = 32;
  Report report = ptx::run(launch);
  EXPECT_EQ(report.status, Status::Refused);
  if (report.diagnostics.empty())
    return "";
  EXPECT_NE(report.diagnostics[0].where.line, 0u);
  return report.diagnostics[0].text;
}

TEST(CallThroughRegister, Refusals) {
  std::string f = ".func f(.reg .b32 x) { ret; }\n";
  auto kernel = [&](const std::string &body) {
    return f + ".entry k() { .reg .b32 %r; .reg .b64 %rd; mov.u32 %r, 0;\n" +
           body + " ret; }\n";
  };
  EXPECT_NE(refusalOf(kernel("mov.u64 %rd, f; call %rd, (%r);"))
                .find("expected a prototype"),
            std::string::npos);
  EXPECT_NE(refusalOf(kernel("P: .callprototype _ (.reg .b64 _); "
                             "mov.u64 %rd, f; call %rd, (%rd), P;"))
                .find("that a function with a body is like"),
            std::string::npos);
  EXPECT_NE(refusalOf(kernel("T: .calltargets f; mov.u64 %rd, f; "
                             "call %rd, (%r, %r), T;"))
                .find("expected 1 arguments of 'f', got 2"),
            std::string::npos);
  EXPECT_NE(refusalOf(kernel("call %rd, (%r), Q;"))
                .find("undefined function or prototype 'Q'"),
            std::string::npos);
}

} // namespace heddle::ptx::test
