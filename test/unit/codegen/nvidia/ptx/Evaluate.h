// Evaluate.h - one instruction on many operands, for differential tests.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_EVALUATE_H
#define HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_EVALUATE_H

#include "test/unit/codegen/nvidia/ptx/Kernel.h"

#include <bit>
#include <limits>
#include <type_traits>

namespace heddle::ptx::test {

template <class T>
uint64_t bitsOf(T value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  return bits;
}
template <class T>
T valueOf(uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

/// Runs `instruction` once per element, with `%d` as result and `%a`, `%b`,
/// `%c` as operands of the given widths in bits (1: a predicate). All values
/// are passed as 64-bit words.
inline std::vector<uint64_t>
evaluate(const std::string &instruction, unsigned resultBits,
         const std::vector<unsigned> &operandBits,
         std::vector<std::vector<uint64_t>> operands) {
  const size_t count = operands[0].size();
  std::string text = ".version 9.0\n.target sm_90a\n.address_size 64\n"
                     ".visible .entry k(.param .u64 out";
  const char *names = "abc";
  for (size_t i = 0; i < operands.size(); ++i)
    text += std::string(", .param .u64 in") + names[i];
  text += ")\n{\n.reg .b64 %at, %base;\n.reg .b32 %t, %s;\n";
  auto declare = [&](char name, unsigned bits) {
    text += bits == 1 ? std::string(".reg .pred %") + name + ";\n"
                      : ".reg .b" + std::to_string(bits) + " %" + name + ";\n";
  };
  declare('d', resultBits);
  for (size_t i = 0; i < operands.size(); ++i)
    declare(names[i], operandBits[i]);
  text += "mov.u32 %t, %ctaid.x;\nshl.b32 %t, %t, 5;\n"
          "mov.u32 %s, %tid.x;\nadd.u32 %t, %t, %s;\n";
  for (size_t i = 0; i < operands.size(); ++i) {
    std::string name = std::string("%") + names[i];
    text += std::string("ld.param.u64 %base, [in") + names[i] +
            "];\nmad.wide.u32 %at, %t, 8, %base;\n";
    if (operandBits[i] == 1)
      text += "ld.global.b32 %s, [%at];\nsetp.ne.u32 " + name + ", %s, 0;\n";
    else
      text += "ld.global.b" + std::to_string(operandBits[i]) + " " + name +
              ", [%at];\n";
  }
  text += instruction + "\n";
  text += "ld.param.u64 %base, [out];\nmad.wide.u32 %at, %t, 8, %base;\n";
  if (resultBits == 1)
    text += "selp.b32 %s, 1, 0, %d;\nst.global.b32 [%at], %s;\n";
  else
    text += "st.global.b" + std::to_string(resultBits) + " [%at], %d;\n";
  text += "ret;\n}\n";

  Kernel kernel(text);
  size_t padded = (count + 31) / 32 * 32;
  std::vector<uint64_t> out(padded);
  kernel.addBuffer(out, "out");
  for (size_t i = 0; i < operands.size(); ++i) {
    operands[i].resize(padded, 1);
    kernel.addBuffer(operands[i], "in");
  }
  kernel.launch.grid[0] = uint32_t(padded / 32);
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  EXPECT_TRUE(isClean(report)) << instruction << "\n" << textOf(report);
  out.resize(count);
  return out;
}

/// Values that break things, then random ones.
template <class T>
std::vector<uint64_t> interesting(unsigned salt, size_t count = 1024) {
  std::vector<uint64_t> values;
  using L = std::numeric_limits<T>;
  if constexpr (std::is_floating_point_v<T>) {
    for (T v : {T(0),
                T(-0.0),
                T(1),
                T(-1),
                T(0.5),
                T(1.5),
                T(2.5),
                T(-2.5),
                T(3.4999),
                L::max(),
                L::lowest(),
                L::min(),
                -L::min(),
                L::denorm_min(),
                -L::denorm_min(),
                L::infinity(),
                -L::infinity(),
                L::quiet_NaN(),
                T(65504),
                T(65520),
                T(448),
                T(464),
                T(2147483648.0),
                T(-2147483649.0),
                T(4294967296.0),
                T(1e-8),
                T(0.99999994),
                T(126)})
      values.push_back(bitsOf(v));
  } else {
    for (T v : {T(0), T(1), T(2), T(-1), L::max(), L::min(), T(L::max() - 1),
                T(L::min() + 1), T(7), T(31), T(32), T(33), T(0x55)})
      values.push_back(bitsOf(v));
  }
  // Every special value meets every other: the second operand is rotated.
  std::vector<uint64_t> result;
  size_t n = values.size();
  for (size_t i = 0; i < n * n; ++i)
    result.push_back(values[salt == 0   ? i % n
                            : salt == 1 ? i / n
                                        : (i * 7) % n]);
  std::mt19937_64 generator(salt + 1);
  while (result.size() < count + n * n) {
    uint64_t bits = generator();
    if (!std::is_floating_point_v<T> && generator() % 2)
      bits >>= generator() % 64;
    if (sizeof(T) < 8)
      bits &= (uint64_t(1) << (sizeof(T) * 8)) - 1;
    result.push_back(bits);
  }
  return result;
}

} // namespace heddle::ptx::test

#endif // HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_EVALUATE_H
