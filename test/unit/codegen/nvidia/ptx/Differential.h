// Differential.h - one instruction against host arithmetic on many operands.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every comparison is recorded by the mnemonic it was made for, so that
// CoverageTest.cpp can name the instructions that no test has compared.

#ifndef HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_DIFFERENTIAL_H
#define HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_DIFFERENTIAL_H

#include "test/unit/codegen/nvidia/ptx/Kernel.h"

#include <functional>
#include <map>
#include <set>

namespace heddle::ptx::test {

/// Raw bits of one operand, element by element.
using Column = std::vector<uint64_t>;

/// An instruction with `%d` as result and `%a`, `%b`, `%c` as operands. Widths
/// are in bits; 1 means a predicate.
struct Form {
  std::string instruction;
  unsigned result = 32;
  std::vector<unsigned> operands;
  /// What runs before and after it and is not itself under test.
  std::string before = {}, after = {};
  /// The version and the target of the file.
  const char *head = ".version 9.0\n.target sm_100a\n";
};

/// The results of the form, one thread for each row of operands.
Column evaluate(const Form &form, std::vector<Column> operands);

/// Whether the interpreter takes the form.
bool isCovered(const Form &form);

/// The expected bits of one row of operands.
using Expected = std::function<uint64_t(const uint64_t *row)>;

/// Compares every result with the host's, bit by bit.
void compare(const Form &form, const std::vector<Column> &operands,
             const Expected &expected);

/// Compares by a judgement of the test: `accept(row, result)`.
void compareBy(
    const Form &form, const std::vector<Column> &operands,
    const std::function<bool(const uint64_t *row, uint64_t result)> &accept);

/// A result that PTX leaves open.
constexpr uint64_t anyResult = 0xA57'0F0F'F0F0'A5A5;

/// Compares results of a whole warp at a time: `expected(first)` gives those of
/// rows `first` to `first + 31`, or `anyResult`.
void compareWarps(const Form &form, const std::vector<Column> &operands,
                  const std::function<Column(size_t first)> &expected);

/// Records that the results of a kernel, whose run was clean, were compared:
/// counts its instructions that begin with one of `mnemonics`. A mnemonic that
/// the kernel lacks is a failure.
void recordCompared(const Kernel &kernel,
                    std::initializer_list<const char *> mnemonics);

/// Every mnemonic compared so far, by its opcode.
const std::map<Opcode, std::set<std::string>> &comparedForms();

/// A PTX integer type.
struct IntegerType {
  const char *name;
  unsigned bits;
  bool isSigned;

  __int128 value(uint64_t raw) const;
  __int128 least() const;
  __int128 most() const;
};
/// Wraps to the type's width.
uint64_t wrapped(__int128 value, unsigned bits);

constexpr IntegerType integerTypes[] = {{"u16", 16, false}, {"s16", 16, true},
                                        {"u32", 32, false}, {"s32", 32, true},
                                        {"u64", 64, false}, {"s64", 64, true}};

/// Edge values of integers of a width, every one against every other of the
/// columns 0 and 1, then random ones.
Column integers(unsigned bits, unsigned column, size_t random = 512);
/// The same for patterns of binary16, bfloat16, binary32 or binary64: signed
/// zeros, subnormals, extremes, infinities, NaN.
Column floats(unsigned bits, unsigned column, size_t random = 512);
Column bfloats(unsigned column, size_t random = 512);

} // namespace heddle::ptx::test

#endif // HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_DIFFERENTIAL_H
