// MatrixProduct.h - the dense products behind mma, wmma and wgmma; private.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_MATRIXPRODUCT_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_MATRIXPRODUCT_H

#include "codegen/nvidia/ptx/Module.h"

#include <cstdint>
#include <vector>

namespace heddle::ptx {

/// d[m][n] += a[m][k] * b[k][n], rows dense. Sums run over k in ascending order
/// and every product and sum of floats is rounded, so results are the same on
/// every host.
void multiplyAdd(float *d, const float *a, const float *b, unsigned m,
                 unsigned n, unsigned k);
void multiplyAdd(double *d, const double *a, const double *b, unsigned m,
                 unsigned n, unsigned k);
/// Sums are exact in 64 bits; the caller wraps or saturates.
void multiplyAdd(int64_t *d, const int32_t *a, const int32_t *b, unsigned m,
                 unsigned n, unsigned k);

/// How the elements of a multiplicand are stored.
unsigned elementBits(Type type);
bool isIntegerElement(Type type);
/// One element from its bits; tf32 drops what the format does not hold.
float floatElement(Type type, uint32_t bits);
int32_t integerElement(Type type, uint32_t bits);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_MATRIXPRODUCT_H
