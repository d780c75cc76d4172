// FaultKernels.h - kernels written for the tests, and places to plant faults
// in. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_FAULTKERNELS_H
#define HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_FAULTKERNELS_H

#include <string>

namespace heddle::ptx::test {

/// Sums of 256 floats per block: shared memory, barriers, shuffles.
/// Parameters: x, out, n.
std::string reduceKernel();

/// C[64][8] = A[64][k] B[8][k]^T in bf16 by 128 threads: two stages of
/// cp.async, ldmatrix, mma.sync. Parameters: a, b, c, k.
std::string asyncGemmKernel();

/// C = A B^T in bf16, 64x64 tiles of f32, by a producer warp (TMA, mbarriers)
/// and a warpgroup (wgmma), stored by TMA. 160 threads, 49184 bytes of dynamic
/// shared memory. Parameters: tensor maps of A, B, C; k / 64.
std::string tensorGemmKernel();

/// O = exp2(Q K^T / 8) V for 64 queries, keys and columns: the second product
/// takes A from registers. Parameters: maps of Q, K, V; o. 24608 bytes.
std::string attentionKernel();

/// Block 0 sends 32 words to block 1 by a flag. Parameters: data, flag, out.
std::string messageKernel();

/// Two blocks of a cluster exchange a word per thread through each other's
/// shared memory. Parameter: out.
std::string clusterKernel();

/// Warps 0 and 1 hand a tile over by named barriers. Parameters: x, out.
std::string namedBarrierKernel();

} // namespace heddle::ptx::test

#endif // HEDDLE_TEST_UNIT_CODEGEN_NVIDIA_PTX_FAULTKERNELS_H
