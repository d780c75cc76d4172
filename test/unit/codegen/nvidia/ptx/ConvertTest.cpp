// ConvertTest.cpp - every pair of types, rounding and saturation of cvt.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/HostConvert.h"

namespace heddle::ptx::test {

namespace {

bool isPacked(const std::string &type) {
  return type.find('x') != std::string::npos;
}

/// bf16 and tf32 want registers as wide as the types.
bool isLate(const Scalar &type) {
  return type.name == "bf16" || type.name == "tf32";
}

void compareScalar(const Conversion &how) {
  const Scalar &to = scalar(how.to), &from = scalar(how.from);
  bool late = isLate(to) || isLate(from);
  static std::map<std::string, Column> cache;
  Column &column = cache[from.name];
  if (column.empty())
    column = convertInputs(from);
  // The result in a register of its own width, and in wider ones, which an
  // integer fills by its sign; the source in wider ones as well.
  for (unsigned width : {8u, 16u, 32u, 64u}) {
    if (width < to.bits || (late && width != to.bits))
      continue;
    unsigned source = late ? from.bits : std::max(from.bits, width);
    compareBy({how.text() + " %d, %a;", width, {source}}, {column},
              [&](const uint64_t *row, uint64_t got) {
                uint64_t want = converted(row[0], from, to, how);
                if (!to.format)
                  want = wrapped(to.integer().value(want), width);
                bool isNan = to.name == "f64" && hostF64.isNan(want) &&
                             hostF64.isNan(got);
                EXPECT_TRUE(isNan || got == want)
                    << "in hexadecimal: expected 0x" << std::hex << want;
                return isNan || got == want;
              });
  }
}

/// Registers of a type: untyped, as wide as it.
unsigned registerBits(const std::string &type) {
  return type == "e2m1x2"                      ? 8
         : type == "f16x2" || type == "bf16x2" ? 32
         : isPacked(type)                      ? 16
                                               : scalar(type).bits;
}

bool isTaken(const std::string &text, const std::string &to,
             const std::string &from) {
  bool isPair = isPacked(to) && from == "f32";
  return isCovered({text + (isPair ? " %d, %a, %b;" : " %d, %a;"),
                    registerBits(to),
                    std::vector<unsigned>(isPair ? 2 : 1, registerBits(from))});
}

} // namespace

TEST(Convert, EveryScalarSpelling) {
  for (const Conversion &how : legalConversions())
    if (!isPacked(how.to))
      compareScalar(how);
}

/// Of all types, roundings and modifiers, in the order of the manual.
TEST(Convert, RefusesEveryOtherSpelling) {
  std::set<std::string> legal;
  std::set<std::string> types;
  for (const Conversion &how : legalConversions()) {
    legal.insert(how.text());
    types.insert({how.to, how.from});
  }
  size_t refused = 0;
  for (const std::string &to : types)
    for (const std::string &from : types)
      for (const char *rounding : {"", ".rn", ".rz", ".rm", ".rp", ".rna",
                                   ".rni", ".rzi", ".rmi", ".rpi"})
        for (unsigned mask = 0; mask < 16; ++mask) {
          // Their order makes no difference.
          std::string range =
              std::string(mask & 1 ? ".ftz" : "") + (mask & 2 ? ".sat" : "");
          std::string relu = mask & 4 ? ".relu" : "",
                      finite = mask & 8 ? ".satfinite" : "";
          std::string head = std::string("cvt") + rounding + range;
          std::string tail = "." + to + "." + from;
          if (legal.count(head + relu + finite + tail) ||
              legal.count(head + finite + relu + tail))
            continue;
          ++refused;
          ASSERT_FALSE(isTaken(head + relu + finite + tail, to, from))
              << head << relu << finite << tail;
        }
  EXPECT_GT(refused, 60000u);
}

TEST(Convert, RegistersThatFit) {
  EXPECT_TRUE(isCovered({"cvt.u32.u8 %d, %a;", 64, {32}}));
  EXPECT_FALSE(isCovered({"cvt.u32.u8 %d, %a;", 16, {32}}));
  EXPECT_FALSE(isCovered({"cvt.rn.bf16.f32 %d, %a;", 32, {32}}));
  EXPECT_FALSE(isCovered({"cvt.rna.tf32.f32 %d, %a;", 32, {64}}));
  EXPECT_FALSE(isCovered({"cvt.u32.u8 _, %a;", 32, {32}}));
  for (const char *text : {"cvt.rzi.s32.f32 %f, %a;", "cvt.f64.f32 %d, %f;",
                           "cvt.rn.f32.u32 %i, %a;", "cvt.rn.f16.f32 %f, %a;"})
    EXPECT_FALSE(isCovered({text, 64, {32}, ".reg .f64 %f;\n.reg .u32 %i;"}))
        << text;
}

TEST(Convert, RefusesScaleFactorsByName) {
  Kernel kernel(
      ".version 9.2\n.target sm_100a\n.address_size 64\n"
      ".visible .entry k()\n{\n.reg .b32 %d;\n.reg .b16 %a;\n"
      "cvt.rn.scaled::n2::ue8m0.bf16x2.e4m3x2 %d, %a, %a;\nret;\n}\n");
  std::vector<Diagnostic> found = checkCoverage(kernel.module);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NE(found[0].text.find("'.scaled::n2::ue8m0' is not covered"),
            std::string::npos)
      << found[0].text;
}

/// What a register of 8 bits holds, put beside another.
TEST(Convert, BytesStandAlone) {
  compare(
      {"cvt.s8.s32 %x, %a;\nmov.b16 %d, {%x, %x};", 16, {32}, ".reg .b8 %x;"},
      {integers(32, 0)},
      [](const uint64_t *row) { return (row[0] & 255) * 257; });
}

TEST(Convert, SaturatedPacks) {
  std::vector<Column> operands = {integers(32, 0), integers(32, 1),
                                  integers(32, 2)};
  IntegerType s32 = {"", 32, true};
  for (IntegerType to :
       {IntegerType{"u16", 16, false}, IntegerType{"s16", 16, true},
        IntegerType{"u8", 8, false}, IntegerType{"s8", 8, true},
        IntegerType{"u4", 4, false}, IntegerType{"s4", 4, true},
        IntegerType{"u2", 2, false}, IntegerType{"s2", 2, true}}) {
    bool joins = to.bits < 16;
    compare({std::string("cvt.pack.sat.") + to.name + ".s32" +
                 (joins ? ".b32 %d, %a, %b, %c;" : " %d, %a, %b;"),
             32,
             {32, 32, 32}},
            operands, [&](const uint64_t *row) {
              auto one = [&](uint64_t word) {
                return wrapped(
                    std::clamp(s32.value(word), to.least(), to.most()),
                    to.bits);
              };
              uint64_t pair = one(row[0]) << to.bits | one(row[1]);
              return joins ? wrapped(row[2] << (2 * to.bits) | pair, 32) : pair;
            });
  }
}

} // namespace heddle::ptx::test
