// Random.h - the random numbers of a run; private to the library.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_RANDOM_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_RANDOM_H

#include <cstdint>

namespace heddle::ptx {

/// xoshiro256** (Blackman and Vigna 2018): the same numbers on every host.
class Random {
public:
  explicit Random(uint64_t seed);
  uint64_t next();
  /// 0 to bound - 1.
  uint64_t below(uint64_t bound) { return bound < 2 ? 0 : next() % bound; }

private:
  uint64_t state[4];
};

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_RANDOM_H
