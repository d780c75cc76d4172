// CoverageTest.cpp - no instruction without a comparison.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// After all tests every opcode of Opcodes.def must have been compared, unless
// the interpreter refuses it by name. Neither side is a list kept by hand.

#include "test/unit/codegen/nvidia/ptx/Differential.h"

#include <cstdio>

namespace heddle::ptx::test {

static bool isRefused(Opcode opcode) {
  std::string text = ".version 9.0\n.target sm_90a\n.address_size 64\n"
                     ".visible .entry k()\n{\n" +
                     std::string(spelling(opcode)) + ";\nret;\n}\n";
  ParseResult parsed = parse(text, "test.ptx");
  EXPECT_TRUE(parsed.module.has_value()) << spelling(opcode);
  if (!parsed.module)
    return false;
  for (const Diagnostic &diagnostic : checkCoverage(*parsed.module))
    if (diagnostic.text.find("instruction is not covered") != std::string::npos)
      return true;
  return false;
}

/// Opcodes the interpreter takes that are not in `compared`.
static std::vector<std::string>
missing(const std::map<Opcode, std::set<std::string>> &compared) {
  std::vector<std::string> names;
  for (int i = 0; i < int(Opcode::Unknown); ++i)
    if (!compared.count(Opcode(i)) && !isRefused(Opcode(i)))
      names.push_back(std::string(spelling(Opcode(i))));
  return names;
}

TEST(Coverage, NamesWhatIsMissing) {
  std::map<Opcode, std::set<std::string>> all;
  std::vector<std::string> names = missing(all);
  auto has = [&](const char *name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  EXPECT_TRUE(has("add"));
  EXPECT_TRUE(has("wgmma"));
  EXPECT_FALSE(has("tex")) << "is refused";
  for (int i = 0; i < int(Opcode::Unknown); ++i)
    if (Opcode(i) != Opcode::Wgmma)
      all[Opcode(i)];
  EXPECT_EQ(missing(all), std::vector<std::string>{"wgmma"});
}

/// A modifier that a type does not go with must not be passed over.
TEST(Coverage, RefusesModifiersThatDoNotFit) {
  EXPECT_TRUE(isCovered({"add.sat.s32 %d, %a, %b;", 32, {32, 32}}));
  for (const char *text :
       {"add.sat.u32", "add.sat.u16x2", "add.cc.s16x2", "addc.f32", "subc.b32",
        "add.cc.tf32", "min.relu.u32", "add.sat.bf16x2", "setp.lt.ftz.s32"})
    EXPECT_FALSE(isCovered({text + std::string(" %d, %a, %b;"),
                            text[0] == 's' && text[1] == 'e' ? 1u : 32u,
                            {32, 32}}))
        << text;
  for (const char *text : {"add.sat.f64", "mul.rn.ftz.f64", "fma.rn.sat.f64"})
    EXPECT_FALSE(
        isCovered({text + std::string(text[0] == 'f' ? " %d, %a, %b, %a;"
                                                     : " %d, %a, %b;"),
                   64,
                   {64, 64}}))
        << text;
}

/// Runs once all tests have; a part of them proves nothing.
class EveryOpcodeIsCompared : public testing::Environment {
public:
  void TearDown() override {
    const testing::UnitTest &unit = *testing::UnitTest::GetInstance();
    if (unit.test_to_run_count() != unit.total_test_count() || unit.Failed())
      return;
    size_t forms = 0;
    for (auto &[opcode, texts] : comparedForms())
      forms += texts.size();
    std::printf("compared %zu forms of %zu instructions\n", forms,
                comparedForms().size());
    for (const std::string &name : missing(comparedForms()))
      ADD_FAILURE() << "no differential test compares '" << name << "'";
  }
};

static testing::Environment *const environment =
    testing::AddGlobalTestEnvironment(new EveryOpcodeIsCompared);

} // namespace heddle::ptx::test
