//===- CpuTarget.h - code for x86-64 CPUs -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_CPU_CPUTARGET_H
#define HEDDLE_CODEGEN_CPU_CPUTARGET_H

#include "codegen/Target.h"

namespace heddle {

/// The target `cpu`: this machine, a tier by name (`cpu:x86-64-v3`), or
/// `cpu:reference`, which compiles everything by the reference lowering.
const Target &getCpuTarget();

} // namespace heddle

#endif // HEDDLE_CODEGEN_CPU_CPUTARGET_H
