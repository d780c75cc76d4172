// BadInputTest.cpp - wrong PTX and wrong launches are refused with a place.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/FaultKernels.h"
#include "test/unit/codegen/nvidia/ptx/Kernel.h"

#include <ctime>

namespace heddle::ptx::test {

/// A kernel with `body` at line 5.
static std::string withBody(const std::string &body) {
  return ".version 8.0\n.target sm_90a\n.address_size 64\n"
         ".visible .entry k(.param .u64 p) { .reg .b32 %r<9>; .reg .b64 "
         "%rd<9>; .reg .f32 %f<9>; .reg .pred %p<9>;\n" +
         body + "\nret;\n}\n";
}

static Report runText(const std::string &text) {
  ParseResult parsed = parse(text, "bad.ptx");
  Report report;
  if (!parsed.module) {
    report.status = Status::Refused;
    report.diagnostics = parsed.diagnostics;
    return report;
  }
  Launch launch;
  launch.module = &*parsed.module;
  launch.params.resize(8);
  launch.block[0] = 32;
  launch.options.maxInstructions = 100000;
  return run(launch);
}

/// The text must be refused with `message`, at `line` if that is not zero.
static void expectRefused(const std::string &text, const std::string &message,
                          uint32_t line = 0) {
  Report report = runText(text);
  ASSERT_EQ(report.status, Status::Refused) << textOf(report);
  ASSERT_FALSE(report.diagnostics.empty());
  const Diagnostic &first = report.diagnostics[0];
  EXPECT_NE(first.text.find(message), std::string::npos)
      << first.format("bad.ptx");
  EXPECT_TRUE(line == 0 || first.where.line == line)
      << first.format("bad.ptx") << ", expected line " << line;
}

TEST(BadInput, Syntax) {
  expectRefused("", "expected '.version'");
  expectRefused(std::string("\x7f"
                            "ELF\0\0\1",
                            7),
                "not part of PTX", 1);
  expectRefused(".version 9.5\n", "expected a PTX version from 6.0 to 9.4", 1);
  expectRefused(".version 5.0\n", "expected a PTX version", 1);
  expectRefused(".version 8.0\n.target sm_90\n.address_size 32\n",
                "address size of 64", 3);
  expectRefused(withBody("add.u32 %r1, %r2"), "expected ',' or ';'", 6);
  expectRefused(withBody("add.u32 %r1, , %r2;"), "expected an operand", 5);
  expectRefused(withBody("bra nowhere;"), "undefined label 'nowhere'", 5);
  expectRefused(withBody("add.u32 %r1, %r9, 1;"), "undefined register '%r9'",
                5);
  expectRefused(withBody("mov.u64 %rd1, table;"), "undefined symbol 'table'",
                5);
  expectRefused(withBody("@%r1 bra L; L:"), "expected a predicate as guard", 5);
  expectRefused(withBody("L: L:"), "label 'L' is defined twice", 5);
  expectRefused(withBody(".reg .b32 %r<4>;"), "declared twice", 5);
  expectRefused(withBody("mov.u32 %r1, 99999999999999999999;"),
                "does not fit in 64 bits", 5);
  expectRefused(withBody("mov.f32 %f1, 0f3F8;"), "malformed floating-point", 5);
  expectRefused(withBody(std::string(1000, '{')), "nested deeper", 5);
  expectRefused(withBody("ld.global.b32 %r1, [[[[[[[[%rd1]]]]]]]];"),
                "nested too deeply", 5);
}

TEST(BadInput, EveryPrefixOfAKernelIsAnAnswer) {
  std::string text = tensorGemmKernel();
  for (size_t length = 0; length < text.size(); length += 13) {
    ParseResult parsed = parse(text.substr(0, length), "prefix.ptx");
    EXPECT_NE(parsed.module.has_value(), !parsed.diagnostics.empty());
  }
}

TEST(BadInput, Instructions) {
  expectRefused(withBody("frobnicate.u32 %r1, %r2;"),
                "'frobnicate.u32': instruction is not covered", 5);
  expectRefused(withBody("add.u32 %r1, %r2;"), "expected 3 operands, got 2", 5);
  expectRefused(withBody("add.u32 %r1, %r2, %rd1;"),
                "expected an operand of type '.u32', got '%rd1'", 5);
  expectRefused(withBody("add.f32 %f1, %f2, %p1;"), "got '%p1'", 5);
  expectRefused(withBody("add.u32.sparkling %r1, %r2, %r3;"),
                "modifier '.sparkling' is not covered", 5);
  expectRefused(withBody("tcgen05.alloc.b32 [%r1], 32;"), "not covered", 5);
  expectRefused(withBody("mma.sync.aligned.m16n8k32.row.col.kind::mxf8f6f4."
                         "block_scale.scale_vec::1X.f32.e4m3.e4m3.f32.ue8m0 "
                         "{%f1, %f2}, {%r1}, {%r2}, {%f1, %f2}, %r1, {0, 0}, "
                         "%r2, {0, 0};"),
                "'.kind::mxf8f6f4' is not covered", 5);
  expectRefused(withBody("ld.global.v4.b32 {%r1, %r2}, [%rd1];"),
                "expected 4 elements, got 2", 5);
  expectRefused(withBody("wgmma.wait_group.sync.aligned 9;"),
                "groups from 0 to 7", 5);
  expectRefused(withBody("setp.lt.b32 %p1, %r1, %r2;"),
                "expected '.eq' or '.ne'", 5);
}

TEST(BadInput, Calls) {
  std::string head = ".version 8.0\n.target sm_90\n.address_size 64\n";
  expectRefused(head + ".func f() { call f; ret; }\n"
                       ".visible .entry k(.param .u64 p) { call f; ret; }\n",
                "a thread is in 1025 calls of 'f'", 4);
  // Each function calls the next twice: 2^30 instructions once put in place.
  std::string text = head + ".func f0() { ret; }\n";
  for (int i = 1; i < 30; ++i) {
    std::string before = "f" + std::to_string(i - 1);
    text += ".func f" + std::to_string(i) + "() { call " + before + "; call " +
            before + "; ret; }\n";
  }
  expectRefused(text + ".visible .entry k(.param .u64 p) { call f29; ret; }\n",
                "instructions once calls are put in place");
}

TEST(Calls, ArgumentsAndResults) {
  Kernel kernel(R"(.version 8.0
.target sm_90
.address_size 64
.func (.param .b32 result) twice(.param .b32 x)
{
  .reg .b32 %r<4>;
  .reg .pred %p;
  ld.param.u32 %r1, [x];
  setp.gt.u32 %p, %r1, 20;
  @%p bra BIG;
  add.u32 %r2, %r1, %r1;
  st.param.b32 [result], %r2;
  ret;
BIG:
  mov.u32 %r3, 99;
  st.param.b32 [result], %r3;
  ret;
}
.func (.reg .u32 out) plus(.reg .u32 a, .reg .u32 b)
{
  add.u32 out, a, b;
  ret;
}
.visible .entry k(.param .u64 p)
{
  .reg .b32 %r<6>;
  .reg .b64 %rd<4>;
  ld.param.u64 %rd1, [p];
  mov.u32 %r1, %tid.x;
  {
    .param .b32 argument;
    .param .b32 value;
    st.param.b32 [argument], %r1;
    call.uni (value), twice, (argument);
    ld.param.b32 %r2, [value];
  }
  call (%r3), plus, (%r2, 1000);
  mul.wide.u32 %rd2, %r1, 4;
  add.u64 %rd3, %rd1, %rd2;
  st.global.u32 [%rd3], %r3;
  ret;
}
)");
  std::vector<uint32_t> out(32);
  kernel.addBuffer(out, "out", false);
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << textOf(report);
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(out[i], (i > 20 ? 99 : 2 * i) + 1000);
}

TEST(BadInput, Launches) {
  std::string text = withBody("mov.u32 %r1, 0;");
  ParseResult parsed = parse(text, "launch.ptx");
  ASSERT_TRUE(parsed.module);
  auto refused = [&](auto change, const char *message) {
    Launch launch;
    launch.module = &*parsed.module;
    launch.params.resize(8);
    change(launch);
    Report report = run(launch);
    EXPECT_EQ(report.status, Status::Refused) << message;
    ASSERT_FALSE(report.diagnostics.empty());
    EXPECT_NE(report.diagnostics[0].text.find(message), std::string::npos)
        << report.diagnostics[0].text;
  };
  refused([](Launch &l) { l.grid[1] = 0; }, "expected a grid");
  refused([](Launch &l) { l.grid[2] = 65536; }, "expected a grid");
  refused([](Launch &l) { l.block[0] = 1025; }, "expected a block");
  refused([](Launch &l) { l.block[0] = l.block[1] = 64; },
          "at most 1024 threads");
  refused([](Launch &l) { l.dynamicShared = ~uint64_t(0); }, "shared memory");
  refused([](Launch &l) { l.params.resize(4); }, "8 bytes of parameters");
  refused([](Launch &l) { l.entry = "other"; }, "no entry 'other'");
  refused([](Launch &l) { l.cluster[0] = l.cluster[1] = l.cluster[2] = 2; },
          "multiple of the cluster");
}

TEST(BadInput, EndlessLoopEndsWithTheBudget) {
  Report report = runText(withBody("L: add.u32 %r1, %r1, 1; bra L;"));
  // The register is read undefined: that alone is no reason to stop.
  EXPECT_EQ(report.status, Status::OutOfBudget);
  // A loop that changes nothing is found to be stuck instead.
  report = runText(withBody("L: bra L;"));
  EXPECT_EQ(report.status, Status::Stopped);
  EXPECT_TRUE(has(report, FindingKind::Deadlock));
}

TEST(BadInput, MillionLines) {
  std::string body;
  for (int i = 0; i < 1'000'000; ++i)
    body += "add.u32 %r1, %r2, %r3;\n";
  ParseResult parsed = parse(withBody(body), "long.ptx");
  ASSERT_TRUE(parsed.module);
  EXPECT_EQ(parsed.module->functions[0].code.size(), 1'000'001u);
}

/// Text of `count` lines, each made from its number.
template <class Line>
static std::string lines(int count, Line line) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += line(std::to_string(i)) + "\n";
  return text;
}

/// Nothing that a file may hold many of takes time that grows with its square:
/// that would be minutes here.
TEST(BadInput, ManyDeclarations) {
  constexpr int many = 100'000;
  using Text = std::string;
  auto kernel = [](const Text &declarations, const Text &body) {
    return ".version 8.0\n.target sm_90a\n.address_size 64\n" + declarations +
           ".visible .entry k(.param .u64 p) {\n.reg .b32 %r;\n.reg .b64 "
           "%rd;\n" +
           body + "ret;\n}\n";
  };
  Text globals =
      lines(many, [](const Text &i) { return ".global .u32 g" + i + "[1];"; });
  Text functions = ".func f() { ret; }\n";
  std::vector<std::pair<Text, Status>> files = {
      {kernel(globals, lines(many,
                             [](const Text &i) {
                               return "ld.global.u32 %r, g" + i + "[0];";
                             })),
       Status::OutOfBudget},
      {kernel("", lines(many,
                        [](const Text &i) {
                          return ".global .b8 l" + i + "; mov.u64 %rd, l" + i +
                                 ";";
                        })),
       Status::OutOfBudget},
      {kernel(functions + lines(many,
                                [](const Text &i) {
                                  return ".func a" + i + "(); .alias a" + i +
                                         ", f;";
                                }),
              ""),
       Status::Done},
      {kernel(
           lines(many / 10,
                 [](const Text &i) { return ".func f" + i + "() { ret; }"; }),
           lines(many / 10,
                 [](const Text &i) {
                   return "mov.u64 %rd, f" + i + "; P" + i +
                          ": .callprototype _ (); call %rd, P" + i + ";";
                 })),
       Status::Refused},
  };
  for (const auto &[text, status] : files) {
    std::clock_t start = std::clock();
    Report report = runText(text);
    EXPECT_EQ(report.status, status) << textOf(report);
    EXPECT_LT(double(std::clock() - start) / CLOCKS_PER_SEC, 20.0)
        << text.substr(0, 300);
  }
}

/// Kernels with bytes exchanged at random: any answer but a crash is right.
TEST(BadInput, MutatedKernels) {
  std::mt19937 generator(11);
  std::string sources[] = {reduceKernel(),     asyncGemmKernel(),
                           tensorGemmKernel(), attentionKernel(),
                           clusterKernel(),    messageKernel()};
  for (int round = 0; round < 1500; ++round) {
    std::string text = sources[generator() % std::size(sources)];
    for (unsigned change = generator() % 6 + 1; change != 0; --change) {
      size_t at = generator() % text.size();
      switch (generator() % 3) {
      case 0:
        text[at] = char(generator() % 128);
        break;
      case 1:
        text.erase(at, generator() % 20);
        break;
      default: // a piece of the kernel somewhere else
        text.insert(at,
                    text.substr(generator() % text.size(), generator() % 40));
      }
      if (text.empty())
        break;
    }
    ParseResult parsed = parse(text, "mutated.ptx");
    if (!parsed.module)
      continue;
    const Function *entry = parsed.module->findEntry("");
    if (!entry)
      continue;
    Launch launch;
    launch.module = &*parsed.module;
    launch.params.resize(std::min<uint64_t>(entry->paramBytes(), 4096));
    launch.block[0] = 160;
    launch.dynamicShared = 49184;
    launch.options.maxInstructions = 20000;
    run(launch);
  }
}

} // namespace heddle::ptx::test
