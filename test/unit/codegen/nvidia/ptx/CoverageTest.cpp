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
