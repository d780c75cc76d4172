// DeviceCallTest.cpp - printf and assert in a kernel, and what a file may lie
// about them. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Kernel.h"

#include <bit>

namespace heddle::ptx::test {

namespace {

const std::string declarations =
    ".version 8.0\n.target sm_90\n.address_size 64\n"
    ".extern .func (.param .b32 r) vprintf(.param .b64 f, .param .b64 a);\n"
    ".extern .func __assertfail(.param .b64 m, .param .b64 f, .param .b32 l, "
    ".param .b64 n, .param .b64 s);\n";

/// A string of a module, as compilers write one.
std::string variable(const std::string &name, const std::string &text) {
  std::string list;
  for (char c : text)
    list += std::to_string(unsigned(uint8_t(c))) + ", ";
  return ".global .align 1 .b8 " + name + "[" +
         std::to_string(text.size() + 1) + "] = {" + list + "0};\n";
}

/// A kernel that prints `format`; `fill` writes the arguments to %a, 64 bytes
/// of local memory, and %t is the thread. The result is stored by thread 0.
std::string printing(const std::string &format, const std::string &fill) {
  return declarations + variable("format", format) + variable("word", "word") +
         ".visible .entry k(.param .u64 out)\n{\n"
         ".local .align 8 .b8 buffer[64];\n.reg .b64 %a, %f, %d<4>;\n"
         ".reg .b32 %t, %r<4>;\n.reg .pred %p;\nmov.u32 %t, %tid.x;\n"
         "mov.u64 %a, buffer;\nmov.u64 %f, format;\n" +
         fill +
         "{\n.param .b64 p0, p1;\n.param .b32 q;\nst.param.b64 [p0], %f;\n"
         "st.param.b64 [p1], %a;\ncall.uni (q), vprintf, (p0, p1);\n"
         "ld.param.b32 %r1, [q];\n}\nsetp.ne.u32 %p, %t, 0;\n@%p ret;\n"
         "ld.param.u64 %d1, [out];\nst.global.u32 [%d1], %r1;\nret;\n}\n";
}

struct Printed {
  Report report;
  uint32_t result = 0;
};

Printed print(const std::string &format, const std::string &fill,
              unsigned threads = 1) {
  Kernel kernel(printing(format, fill));
  std::vector<uint32_t> out(1);
  kernel.addBuffer(out, "out");
  kernel.launch.block[0] = threads;
  Report report = kernel.run();
  return {std::move(report), out[0]};
}

/// Stores of 4 or 8 bytes, each at the next multiple of its size.
class Arguments {
public:
  Arguments &word(uint32_t value) { return store("u32", 4, value); }
  Arguments &wide(uint64_t value) { return store("u64", 8, value); }
  Arguments &real(double value) { return wide(std::bit_cast<uint64_t>(value)); }
  std::string text;

private:
  Arguments &store(const char *type, unsigned bytes, uint64_t value) {
    at = (at + bytes - 1) / bytes * bytes;
    text += std::string("st.local.") + type + " [%a+" + std::to_string(at) +
            "], " + std::to_string(value) + ";\n";
    at += bytes;
    return *this;
  }
  unsigned at = 0;
};

} // namespace

/// What C says each conversion gives.
TEST(Printf, Conversions) {
  const struct {
    const char *format;
    Arguments arguments;
    const char *text;
    uint32_t count;
  } cases[] = {
      {"plain, 100%%\n", {}, "plain, 100%\n", 0},
      {"%d %i %u", Arguments().word(-5).word(7).word(-1), "-5 7 4294967295", 3},
      {"%x %X %o %#x", Arguments().word(255).word(255).word(8).word(16),
       "ff FF 10 0x10", 4},
      {"%lld|%ld|%llu|%lx",
       Arguments().wide(-1).wide(uint64_t(1) << 40).wide(-1).wide(255),
       "-1|1099511627776|18446744073709551615|ff", 4},
      {"%hd %hhu %hhd", Arguments().word(65537).word(511).word(255), "1 255 -1",
       3},
      {"%d:%f", Arguments().word(3).real(1.5), "3:1.500000", 2},
      {"%.2f|%8.3f|%-8.1f|%+g|%e",
       Arguments().real(3.14159).real(2.5).real(-1.25).real(0.5).real(1000),
       "3.14|   2.500|-1.2    |+0.5|1.000000e+03", 5},
      {"%a %G", Arguments().real(1).real(1e20), "0x1p+0 1E+20", 2},
      {"[%5d|%-5d|%05d|% d]", Arguments().word(42).word(42).word(42).word(42),
       "[   42|42   |00042| 42]", 4},
      {"[%*d|%.*f]", Arguments().word(6).word(1).word(1).real(2.25),
       "[     1|2.2]", 4},
      {"[%*d]", Arguments().word(-4).word(9), "[9   ]", 2},
      {"%c%c", Arguments().word('o').word('k'), "ok", 2},
      {"%p", Arguments().wide(0x1234), "0x1234", 1},
      {"%q %d", Arguments().word(1), "%q 1", 1},
      {"tail %", {}, "tail %", 0},
  };
  for (auto &c : cases) {
    Printed printed = print(c.format, c.arguments.text);
    ASSERT_TRUE(isClean(printed.report)) << c.format << textOf(printed.report);
    EXPECT_EQ(printed.report.output, c.text) << c.format;
    EXPECT_EQ(printed.result, c.count) << c.format;
  }
}

TEST(Printf, Strings) {
  std::string fill = "mov.u64 %d1, word;\nst.local.u64 [%a], %d1;\n"
                     "st.local.u64 [%a+8], %d1;\nst.local.u64 [%a+16], %d1;\n";
  Printed printed = print("%s|%6s|%.2s", fill);
  ASSERT_TRUE(isClean(printed.report)) << textOf(printed.report);
  EXPECT_EQ(printed.report.output, "word|  word|wo");
}

/// Lanes print one after another, as do those of a branch.
TEST(Printf, EveryThread) {
  Printed printed = print("%d ", "st.local.u32 [%a], %t;\n", 32);
  ASSERT_TRUE(isClean(printed.report)) << textOf(printed.report);
  std::string want;
  for (int i = 0; i < 32; ++i)
    want += std::to_string(i) + " ";
  EXPECT_EQ(printed.report.output, want);
}

/// A format asks for more than the buffer holds, points nowhere, or is none.
TEST(Printf, LiesAreFound) {
  const struct {
    const char *format, *fill;
    FindingKind kind;
  } faults[] = {
      {"%d", "", FindingKind::UninitialisedMemory},
      {"%d", "add.u64 %a, %a, 128;\n", FindingKind::OutOfBounds},
      {"%f", "st.local.u32 [%a], 1;\n", FindingKind::UninitialisedMemory},
      {"%s", "st.local.u64 [%a], 64;\n", FindingKind::OutOfBounds},
      {"x", "mov.u64 %f, 0;\n", FindingKind::OutOfBounds},
      {"x", "add.u64 %a, %a, 4;\nmov.u64 %f, 17592186044416;\n",
       FindingKind::OutOfBounds},
      {"%lld", "add.u64 %a, %a, 196;\n", FindingKind::OutOfBounds},
  };
  for (auto &fault : faults) {
    Printed printed = print(fault.format, fault.fill);
    EXPECT_TRUE(has(printed.report, fault.kind))
        << fault.format << fault.fill << textOf(printed.report);
  }
}

/// Widths are cut, and the output has a limit.
TEST(Printf, OutputIsBounded) {
  Printed printed = print("%999999999d", Arguments().word(1).text);
  ASSERT_TRUE(isClean(printed.report));
  EXPECT_EQ(printed.report.output.size(), 4096u);

  printed = print("%4096d%4096d", Arguments().word(1).word(2).text, 256);
  EXPECT_TRUE(isClean(printed.report));
  EXPECT_LE(printed.report.output.size(), size_t(1) << 20);
  ASSERT_EQ(printed.report.notes.size(), 1u);
  EXPECT_NE(printed.report.notes[0].find("printed more than 1048576 bytes"),
            std::string::npos);
}

/// A string of 64 KiB, asked for 4096 times by each lane.
TEST(Printf, LongStringsEndWithTheBudget) {
  std::string format;
  for (int i = 0; i < 4096; ++i)
    format += "%s";
  std::string fill = "mov.u64 %d1, big;\n";
  for (int i = 0; i < 8; ++i)
    fill += "st.local.u64 [%a+" + std::to_string(8 * i) + "], %d1;\n";
  std::string text = printing(format, fill + "AGAIN:\n");
  text.insert(
      text.find(".visible"), ".global .align 1 .b8 big[65537] = {" + [] {
        std::string list;
        for (int i = 0; i < 65536; ++i)
          list += "65, ";
        return list;
      }() + "0};\n");
  text.replace(text.find("setp.ne.u32 %p, %t, 0;"), 22, "bra AGAIN;");
  Kernel kernel(text);
  std::vector<uint32_t> out(1);
  kernel.addBuffer(out, "out");
  kernel.launch.block[0] = 32;
  kernel.launch.options.maxInstructions = 1'000'000;
  Report report = kernel.run();
  EXPECT_EQ(report.status, Status::OutOfBudget) << textOf(report);
  EXPECT_LE(report.output.size(), size_t(1) << 20);
}

namespace {

Report asserting(const std::string &message, const std::string &guard) {
  std::string calls;
  for (const char *line : {"[m], %m;\n", "[f], %f;\n", "[n], %n;\n"})
    calls += std::string("st.param.b64 ") + line;
  Kernel kernel(declarations + variable("message", message) +
                variable("file", "kernel.cu") + variable("name", "void k()") +
                ".visible .entry k()\n{\n.reg .b64 %m, %f, %n;\n"
                ".reg .b32 %t;\n.reg .pred %p;\n.param .b64 m, f, n, s;\n"
                ".param .b32 l;\nmov.u64 %m, message;\nmov.u64 %f, file;\n"
                "mov.u64 %n, name;\nmov.u32 %t, %tid.x;\n"
                "setp.lt.u32 %p, %t, 5;\n" +
                calls + "st.param.b32 [l], 42;\nst.param.b64 [s], 1;\n" +
                guard + " call.uni __assertfail, (m, f, l, n, s);\nret;\n}\n");
  kernel.launch.block[0] = 32;
  return kernel.run();
}

} // namespace

TEST(AssertFail, IsAFinding) {
  Report report = asserting("n > 3", "@%p");
  EXPECT_EQ(report.status, Status::Stopped);
  ASSERT_EQ(report.findings.size(), 1u) << textOf(report);
  const Finding &finding = report.findings[0];
  EXPECT_EQ(finding.kind, FindingKind::Trap);
  EXPECT_EQ(finding.count, 5u);
  EXPECT_NE(finding.where.line, 0u);
  EXPECT_NE(finding.text.find("fails the assertion 'n > 3' at kernel.cu:42 in "
                              "'void k()'"),
            std::string::npos)
      << finding.text;
}

TEST(AssertFail, TextOfTheKernelIsQuoted) {
  Report report = asserting("\x1b[2J" + std::string(1000, 'x'), "");
  ASSERT_EQ(report.findings.size(), 1u);
  const std::string &text = report.findings[0].text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("'?[2Jxxx"), std::string::npos) << text;
  EXPECT_LT(text.size(), 500u);
}

TEST(AssertFail, NotTaken) {
  Report report = asserting("never", "@!%p exit;\n@!%p");
  EXPECT_TRUE(isClean(report)) << textOf(report);
}

TEST(DeviceCalls, Refusals) {
  auto refusalOf = [](const std::string &body) {
    Kernel kernel(declarations +
                  ".extern .func (.param .b64 p) malloc(.param .b64 n);\n"
                  ".visible .entry k()\n{\n.param .b64 a, b;\n.param .b32 r;\n"
                  ".reg .b32 %r;\n.reg .b64 %d;\n" +
                  body + "ret;\n}\n");
    Report report = kernel.run();
    EXPECT_EQ(report.status, Status::Refused);
    return textOf(report);
  };
  EXPECT_NE(refusalOf("call (r), vprintf, (a);\n")
                .find("expected 2 arguments and 1 results of 'vprintf'"),
            std::string::npos);
  EXPECT_NE(refusalOf("call (%r), vprintf, (a, b);\n")
                .find("expected '.param' variables in a call"),
            std::string::npos);
  EXPECT_NE(refusalOf("call (a), malloc, (b);\n")
                .find("expected a function with a body in this file"),
            std::string::npos);
}

} // namespace heddle::ptx::test
