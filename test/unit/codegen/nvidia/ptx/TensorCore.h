// TensorCore.h - random matrices of every element type and their products.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_TENSOR_CORE_H
#define HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_TENSOR_CORE_H

#include "test/unit/codegen/nvidia/ptx/Differential.h"
#include "test/unit/codegen/nvidia/ptx/HostFloat.h"

#include <cmath>

namespace heddle::ptx::test {

/// An element type of a multiplicand or an accumulator.
struct Element {
  const char *type;
  unsigned bits;
  const HostFormat *format = nullptr; ///< null: an integer
  bool isSigned = true;

  double value(uint64_t word) const {
    return format ? double(format->value(word))
                  : double(IntegerType{"", bits, isSigned}.value(word));
  }
};

constexpr Element elementF16 = {"f16", 16, &hostF16};
constexpr Element elementBF16 = {"bf16", 16, &hostBF16};
constexpr Element elementTF32 = {"tf32", 32, &hostTF32};
constexpr Element elementE4M3 = {"e4m3", 8, &hostE4M3};
constexpr Element elementE5M2 = {"e5m2", 8, &hostE5M2};
constexpr Element elementF32 = {"f32", 32, &hostF32};
constexpr Element elementF64 = {"f64", 64, &hostF64};
constexpr Element elementS8 = {"s8", 8};
constexpr Element elementU8 = {"u8", 8, nullptr, false};
constexpr Element elementS4 = {"s4", 4};
constexpr Element elementU4 = {"u4", 4, nullptr, false};
constexpr Element elementB1 = {"b1", 1, nullptr, false};
constexpr Element elementS32 = {"s32", 32};

/// What a matrix is filled with.
enum class Fill {
  Ordinary, ///< magnitudes around one; integers of all sizes
  Edges,    ///< among them infinities, NaN, subnormals, signed zeros
};

/// A dense matrix of patterns.
struct Matrix {
  unsigned rows, columns;
  const Element *element;
  std::vector<uint64_t> bits;
  std::vector<double> values; ///< what the patterns stand for

  Matrix(unsigned rows, unsigned columns, const Element &element, uint32_t seed,
         Fill fill = Fill::Ordinary);
  uint64_t at(unsigned row, unsigned column) const {
    return bits[row * columns + column];
  }
  double value(unsigned row, unsigned column) const {
    return values[row * columns + column];
  }
};

/// Whether `got`, a pattern of the accumulator type `d`, is the element (i, j)
/// of sign * a * b + start: exactly for integers, which wrap or saturate, and
/// within K x 2^-23 x sum |a b| and the rounding of the result otherwise.
bool isProduct(const Matrix &a, const Matrix &b, unsigned i, unsigned j,
               double start, const Element &d, uint64_t got, double sign = 1,
               bool saturate = false);

/// `{%x0, %x1, ...}`.
std::string registerList(const std::string &prefix, unsigned count);

/// Patterns side by side from the lowest bits up.
std::vector<uint8_t> packed(const std::vector<uint64_t> &patterns,
                            unsigned bits);
/// Pattern `index` of such bytes.
uint64_t patternAt(const std::vector<uint8_t> &bytes, unsigned bits,
                   size_t index);

} // namespace heddle::ptx::test

#endif // HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_TENSOR_CORE_H
