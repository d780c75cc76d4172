// Kernel.h - runs PTX text on host arrays, for the tests of the interpreter.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_KERNEL_H
#define HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_KERNEL_H

#include "codegen/nvidia/ptx/Interpreter.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace heddle::ptx::test {

/// Where HEDDLE_PTX_CORPUS names a folder, keeps `text` there for PtxFuzz to
/// start from if an opcode in it has a modifier that it had in no text before.
inline void keepForFuzzing(const Module &module, std::string_view text) {
  const char *folder = std::getenv("HEDDLE_PTX_CORPUS");
  if (!folder)
    return;
  static std::set<std::string> known;
  size_t before = known.size();
  for (const Function &function : module.functions)
    for (const Instruction &instruction : function.code) {
      std::string opcode(spelling(instruction.opcode()));
      known.insert(opcode);
      for (const std::string &modifier : instruction.mnemonic->modifiers)
        known.insert(opcode + "." + modifier);
    }
  if (known.size() == before)
    return;
  std::ofstream file(std::string(folder) + "/" + std::to_string(before) +
                     ".ptx");
  file << text;
}

/// One launch in the making: arguments in the order of the parameters.
class Kernel {
public:
  explicit Kernel(std::string_view text) {
    ParseResult parsed = parse(text, "test.ptx");
    for (const Diagnostic &diagnostic : parsed.diagnostics)
      ADD_FAILURE() << diagnostic.format("test.ptx");
    if (parsed.module)
      module = std::move(*parsed.module);
    launch.module = &module;
    keepForFuzzing(module, text);
  }
  Kernel(const Kernel &) = delete;

  template <class T>
  uint64_t buffer(std::vector<T> &values, const char *name,
                  bool initialised = true) {
    Buffer buffer;
    buffer.name = name;
    buffer.data = reinterpret_cast<std::byte *>(values.data());
    buffer.bytes = values.size() * sizeof(T);
    buffer.address = space.allocate(buffer.bytes);
    buffer.initialised = initialised;
    launch.buffers.push_back(buffer);
    return buffer.address;
  }

  /// Appends a parameter, aligned to its size (64 for tensor maps).
  template <class T>
  void add(const T &value) {
    size_t align = sizeof(T) > 8 ? 64 : sizeof(T);
    size_t offset = (launch.params.size() + align - 1) / align * align;
    launch.params.resize(offset + sizeof(T));
    std::memcpy(&launch.params[offset], &value, sizeof(T));
  }

  template <class T>
  void addBuffer(std::vector<T> &values, const char *name,
                 bool initialised = true) {
    add(buffer(values, name, initialised));
  }

  Report run() { return ptx::run(launch); }

  Module module;
  Launch launch;
  AddressSpace space;
};

/// Everything a report says, one fact a line.
inline std::string textOf(const Report &report) {
  std::string text = "status " + std::to_string(int(report.status)) + "\n";
  for (const Diagnostic &diagnostic : report.diagnostics)
    text += diagnostic.format("test.ptx") + "\n";
  for (const Finding &finding : report.findings)
    text += std::string(spelling(finding.kind)) + " line " +
            std::to_string(finding.where.line) + " thread " +
            std::to_string(finding.thread[0]) + ": " + finding.text + " (" +
            std::to_string(finding.count) + " times)\n";
  for (const std::string &note : report.notes)
    text += note + "\n";
  return text;
}

inline bool isClean(const Report &report) {
  return report.status == Status::Done && report.findings.empty();
}

inline bool has(const Report &report, FindingKind kind) {
  for (const Finding &finding : report.findings)
    if (finding.kind == kind)
      return true;
  return false;
}

inline float bf16ToFloat(uint16_t bits) {
  uint32_t word = uint32_t(bits) << 16;
  float value;
  std::memcpy(&value, &word, 4);
  return value;
}
inline uint16_t floatToBf16(float value) {
  uint32_t word;
  std::memcpy(&word, &value, 4);
  return uint16_t((word + 0x7FFF + (word >> 16 & 1)) >> 16);
}
inline float halfToFloat(uint16_t bits) {
  _Float16 value;
  std::memcpy(&value, &bits, 2);
  return float(value);
}
inline uint16_t floatToHalf(float value) {
  _Float16 half = _Float16(value);
  uint16_t bits;
  std::memcpy(&bits, &half, 2);
  return bits;
}

/// Normally distributed bf16 values, the same on every host for one seed.
inline std::vector<uint16_t> randomBf16(size_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<uint16_t> values(count);
  for (uint16_t &value : values) {
    float sum = 0;
    for (int i = 0; i < 4; ++i)
      sum += float(generator() >> 8) * 0x1p-24f - 0.5f;
    value = floatToBf16(sum * 1.7f);
  }
  return values;
}

/// A tensor map of a dense row-major matrix of 2-byte elements.
inline TensorMap matrixMap(uint64_t base, uint64_t rows, uint64_t columns,
                           uint32_t boxRows, uint32_t boxColumns,
                           TensorElement element = TensorElement::BF16,
                           TensorSwizzle swizzle = TensorSwizzle::Bytes128) {
  TensorMap map;
  map.element = element;
  map.swizzle = swizzle;
  map.rank = 2;
  map.base = base;
  map.dims = {columns, rows, 1, 1, 1};
  map.strides[0] = columns * elementBytes(element);
  map.box = {boxColumns, boxRows, 1, 1, 1};
  return map;
}

} // namespace heddle::ptx::test

#endif // HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_KERNEL_H
