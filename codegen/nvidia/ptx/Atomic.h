// Atomic.h - read-modify-write operations on memory; private.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_ATOMIC_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_ATOMIC_H

#include "codegen/nvidia/ptx/Module.h"

#include <optional>

namespace heddle::ptx {

enum class AtomicKind : uint8_t {
  And,
  Or,
  Xor,
  Exchange,
  Add,
  Inc,
  Dec,
  Min,
  Max,
  CompareAndSwap,
};

/// The value that replaces `old`. `operand` is b, `swap` is c of `cas`.
uint64_t applyAtomic(AtomicKind kind, Type type, uint64_t old, uint64_t operand,
                     uint64_t swap = 0);

/// Whether PTX has the operation on the type.
bool isAtomic(AtomicKind kind, Type type);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_ATOMIC_H
