// Differential.cpp - one instruction against host arithmetic on many operands.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"

#include <algorithm>
#include <cmath>

namespace heddle::ptx::test {

//===----------------------------------------------------------------------===//
// Records
//===----------------------------------------------------------------------===//

static std::map<Opcode, std::set<std::string>> &records() {
  static std::map<Opcode, std::set<std::string>> forms;
  return forms;
}

const std::map<Opcode, std::set<std::string>> &comparedForms() {
  return records();
}

static void record(const Mnemonic &mnemonic) {
  records()[mnemonic.opcode].insert(mnemonic.text);
}

void recordCompared(const Kernel &kernel,
                    std::initializer_list<const char *> mnemonics) {
  for (std::string_view wanted : mnemonics) {
    bool isThere = false;
    for (const Function &function : kernel.module.functions)
      for (const Instruction &instruction : function.code)
        if (instruction.mnemonic->text.starts_with(wanted)) {
          record(*instruction.mnemonic);
          isThere = true;
        }
    EXPECT_TRUE(isThere) << "the kernel has no '" << wanted << "'";
  }
}

//===----------------------------------------------------------------------===//
// Running one form
//===----------------------------------------------------------------------===//

namespace {

constexpr const char *names[] = {"%a", "%b", "%c", "%e", "%f"};

std::string declaration(const char *name, unsigned bits) {
  return bits == 1 ? std::string(".reg .pred ") + name + ";\n"
                   : ".reg .b" + std::to_string(bits) + " " + name + ";\n";
}

/// The text of the kernel; `first` and `last` are the lines of the form.
std::string kernelText(const Form &form, uint32_t &first, uint32_t &last) {
  std::string text = form.head;
  text += ".address_size 64\n.visible .entry k(.param .u64 out";
  for (size_t i = 0; i < form.operands.size(); ++i)
    text += ", .param .u64 in" + std::to_string(i);
  text += ")\n{\n.reg .b64 %at, %base;\n.reg .b32 %t, %s;\n";
  text += declaration("%d", form.result);
  for (size_t i = 0; i < form.operands.size(); ++i)
    text += declaration(names[i], form.operands[i]);
  text += "mov.u32 %t, %ctaid.x;\nshl.b32 %t, %t, 5;\n"
          "mov.u32 %s, %tid.x;\nadd.u32 %t, %t, %s;\n";
  for (size_t i = 0; i < form.operands.size(); ++i) {
    unsigned bits = form.operands[i];
    text += "ld.param.u64 %base, [in" + std::to_string(i) +
            "];\nmad.wide.u32 %at, %t, 8, %base;\n";
    if (bits == 1)
      text += std::string("ld.global.b32 %s, [%at];\nsetp.ne.u32 ") + names[i] +
              ", %s, 0;\n";
    else
      text +=
          "ld.global.b" + std::to_string(bits) + " " + names[i] + ", [%at];\n";
  }
  text += form.before + "\n";
  auto lines = [&] {
    return uint32_t(std::count(text.begin(), text.end(), '\n'));
  };
  first = lines() + 1;
  text += form.instruction + "\n";
  last = lines();
  text += form.after + "\nld.param.u64 %base, [out];\n"
                       "mad.wide.u32 %at, %t, 8, %base;\n";
  if (form.result == 1)
    text += "selp.b32 %s, 1, 0, %d;\nst.global.b32 [%at], %s;\n";
  else
    text += "st.global.b" + std::to_string(form.result) + " [%at], %d;\n";
  return text + "ret;\n}\n";
}

/// A form that has run, and may be recorded once its results are compared.
struct Evaluated {
  Column results;
  std::vector<Mnemonic> mnemonics;
  bool clean = false;
};

Evaluated evaluated(const Form &form, std::vector<Column> operands) {
  uint32_t first = 0, last = 0;
  Kernel kernel(kernelText(form, first, last));
  Evaluated result;
  size_t count = operands[0].size(), padded = (count + 31) / 32 * 32;
  result.results.resize(padded);
  kernel.addBuffer(result.results, "out");
  for (Column &column : operands) {
    column.resize(padded, 1);
    kernel.addBuffer(column, "in");
  }
  kernel.launch.grid[0] = uint32_t(padded / 32);
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  result.clean = isClean(report);
  EXPECT_TRUE(result.clean) << form.instruction << "\n" << textOf(report);
  result.results.resize(count);
  for (const Function &function : kernel.module.functions)
    for (const Instruction &instruction : function.code)
      if (instruction.where.line >= first && instruction.where.line <= last)
        result.mnemonics.push_back(*instruction.mnemonic);
  return result;
}

std::string describe(const Form &form, const uint64_t *row) {
  std::string text = form.instruction;
  char buffer[32];
  for (size_t i = 0; i < form.operands.size(); ++i) {
    std::snprintf(buffer, sizeof buffer, "%s 0x%llx", i ? "," : " on",
                  static_cast<unsigned long long>(row[i]));
    text += buffer;
  }
  return text;
}

} // namespace

bool isCovered(const Form &form) {
  uint32_t first = 0, last = 0;
  ParseResult parsed = parse(kernelText(form, first, last), "test.ptx");
  EXPECT_TRUE(parsed.module.has_value()) << form.instruction;
  return parsed.module && checkCoverage(*parsed.module).empty();
}

Column evaluate(const Form &form, std::vector<Column> operands) {
  return evaluated(form, std::move(operands)).results;
}

void compareBy(
    const Form &form, const std::vector<Column> &operands,
    const std::function<bool(const uint64_t *row, uint64_t result)> &accept) {
  Evaluated got = evaluated(form, operands);
  ASSERT_TRUE(got.clean && !got.results.empty());
  for (size_t i = 0; i < got.results.size(); ++i) {
    uint64_t row[5] = {};
    for (size_t k = 0; k < operands.size(); ++k)
      row[k] = operands[k][i];
    ASSERT_TRUE(accept(row, got.results[i]))
        << describe(form, row) << " gave 0x" << std::hex << got.results[i];
  }
  for (const Mnemonic &mnemonic : got.mnemonics)
    record(mnemonic);
}

void compare(const Form &form, const std::vector<Column> &operands,
             const Expected &expected) {
  compareBy(form, operands, [&](const uint64_t *row, uint64_t result) {
    uint64_t want = expected(row);
    EXPECT_EQ(result, want)
        << "in hexadecimal: expected 0x" << std::hex << want;
    return result == want;
  });
}

void compareWarps(const Form &form, const std::vector<Column> &operands,
                  const std::function<Column(size_t first)> &expected) {
  Evaluated got = evaluated(form, operands);
  ASSERT_TRUE(got.clean && !got.results.empty());
  ASSERT_EQ(got.results.size() % 32, 0u);
  for (size_t first = 0; first < got.results.size(); first += 32) {
    Column want = expected(first);
    for (size_t lane = 0; lane < 32; ++lane)
      ASSERT_TRUE(want[lane] == anyResult ||
                  got.results[first + lane] == want[lane])
          << form.instruction << " in lane " << lane << " gave 0x" << std::hex
          << got.results[first + lane] << ", expected 0x" << want[lane];
  }
  for (const Mnemonic &mnemonic : got.mnemonics)
    record(mnemonic);
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

uint64_t wrapped(__int128 value, unsigned bits) {
  uint64_t low = uint64_t(value);
  return bits >= 64 ? low : low & ((uint64_t(1) << bits) - 1);
}

__int128 IntegerType::value(uint64_t raw) const {
  raw = wrapped(raw, bits);
  if (isSigned && raw >> (bits - 1))
    return __int128(raw) - (__int128(1) << bits);
  return raw;
}
__int128 IntegerType::least() const {
  return isSigned ? -(__int128(1) << (bits - 1)) : 0;
}
__int128 IntegerType::most() const {
  return (__int128(1) << (isSigned ? bits - 1 : bits)) - 1;
}

/// Special values so that those of columns 0 and 1 meet each other, then random
/// bits.
static Column mixed(const Column &special, unsigned bits, unsigned column,
                    size_t random) {
  Column result;
  size_t n = special.size();
  for (size_t i = 0; i < n * n; ++i)
    result.push_back(special[column == 0   ? i % n
                             : column == 1 ? i / n
                                           : (i * 7 + i / n * column) % n]);
  std::mt19937_64 generator(column + 1);
  for (size_t i = 0; i < random; ++i)
    result.push_back(wrapped(generator(), bits));
  return result;
}

Column integers(unsigned bits, unsigned column, size_t random) {
  uint64_t top = uint64_t(1) << (bits - 1);
  Column special = {0,      1,     2,     7,   8,       15,     16, 24,
                    31,     32,    33,    63,  64,      65,     85, 0xFF,
                    0x7FFF, ~0ull, ~1ull, top, top - 1, top + 1};
  for (uint64_t &value : special)
    value = wrapped(value, bits);
  Column result = mixed(special, bits, column, random);
  // Small magnitudes of either sign as well.
  std::mt19937_64 generator(column + 17);
  for (size_t i = special.size() * special.size(); i < result.size(); i += 2) {
    unsigned drop = unsigned(generator() % bits);
    uint64_t small = result[i] >> drop;
    result[i] = wrapped(generator() % 2 ? small : ~small, bits);
  }
  return result;
}

/// Patterns of an IEEE format around its edges.
static Column patterns(unsigned exponentBits, unsigned mantissaBits,
                       unsigned column, size_t random) {
  unsigned bits = 1 + exponentBits + mantissaBits;
  uint64_t one = uint64_t(1) << mantissaBits;
  uint64_t bias = (uint64_t(1) << (exponentBits - 1)) - 1;
  uint64_t infinity = ((uint64_t(1) << exponentBits) - 1) << mantissaBits;
  uint64_t unit = bias << mantissaBits; // the pattern of 1.0
  uint64_t sign = uint64_t(1) << (bits - 1);
  Column special;
  for (uint64_t magnitude :
       {uint64_t(0), uint64_t(1), one - 1, one, one + 1, unit - 1, unit,
        unit + 1, unit + one / 2, unit - one, unit + one + one / 4,
        unit + 3 * one + 1, infinity - 1, infinity, infinity + one / 2}) {
    special.push_back(magnitude);
    special.push_back(magnitude | sign);
  }
  Column result = mixed(special, bits, column, random);
  // Half of the random ones near 1, where sums cancel and round.
  for (size_t i = special.size() * special.size(); i < result.size(); i += 2) {
    uint64_t exponent = bias - 8 + (result[i] >> (mantissaBits + 1)) % 16;
    result[i] = (result[i] & (sign | (one - 1))) | exponent << mantissaBits;
  }
  return result;
}

Column floats(unsigned bits, unsigned column, size_t random) {
  return bits == 16   ? patterns(5, 10, column, random)
         : bits == 32 ? patterns(8, 23, column, random)
                      : patterns(11, 52, column, random);
}
Column bfloats(unsigned column, size_t random) {
  return patterns(8, 7, column, random);
}

} // namespace heddle::ptx::test
