//===- Facts.h - what code generation knows of a CPU ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_CPU_FACTS_H
#define HEDDLE_CODEGEN_CPU_FACTS_H

#include "dialects/heddle/HeddleDialect.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>

namespace heddle {

/// What schedules and kernels are chosen from. Equal facts give equal code on
/// whatever machine the compiler runs.
struct CpuFacts {
  /// The instruction-set tier: `x86-64-v3`, `x86-64-v4`, `x86-64-v4+bf16` (and
  /// VNNI) or `x86-64-v4+amx` (and both).
  std::string tier;
  /// LLVM's processor name, which carries the features of the base level.
  std::string processor;
  /// LLVM's features beyond those of `processor`: `+avx512bf16,+avx512vnni`.
  std::string features;
  /// Bits and number of the vector registers.
  int64_t vectorBits = 256;
  int64_t vectorRegisters = 16;
  /// Bytes of the first and second level data cache of one core.
  int64_t l1Bytes = 32 << 10;
  int64_t l2Bytes = 1 << 20;

  /// Elements of `bits` bits in a vector register.
  int64_t lanes(unsigned bits) const { return vectorBits / bits; }
};

/// The facts of this machine, as LLVM's host detection and the operating system
/// tell them. A host below x86-64-v3 is reported with a text for the user.
mlir::FailureOr<CpuFacts> hostCpuFacts(std::string &error);

/// The names of all tiers; each has the instructions of the ones before it.
llvm::SmallVector<llvm::StringRef> getCpuTiers();

/// The facts of a tier by name, with the cache sizes of a typical server core:
/// the same on every machine. `error` tells which tiers there are.
mlir::FailureOr<CpuFacts> cpuFactsOfTier(llvm::StringRef tier,
                                         std::string &error);

/// Whether code for `facts` runs on this machine.
bool hostRuns(const CpuFacts &facts);

/// LLVM's names of all features beyond baseline x86-64 that code for `facts`
/// may use.
llvm::SmallVector<llvm::StringRef> requiredFeatures(const CpuFacts &facts);

/// `facts` as the attribute that passes read.
TargetAttr makeTargetAttr(mlir::MLIRContext *context, llvm::StringRef name,
                          const CpuFacts &facts);

/// The reverse of makeTargetAttr. Fails if a fact is missing or of the wrong
/// kind, with a diagnostic at `loc`.
mlir::FailureOr<CpuFacts> readTargetAttr(TargetAttr target, mlir::Location loc);

} // namespace heddle

#endif // HEDDLE_CODEGEN_CPU_FACTS_H
