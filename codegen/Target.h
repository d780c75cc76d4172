//===- Target.h - what code can be made for ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_TARGET_H
#define HEDDLE_CODEGEN_TARGET_H

#include "codegen/FaultTable.h"
#include "dialects/heddle/HeddleDialect.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"

#include <string>
#include <vector>

namespace heddle {

/// What a code generator writes.
enum class CodeKind { Object, Assembly, LLVMDialect };

/// A module as code: an object file, assembly text or text in the LLVM dialect.
using Code = llvm::SmallVector<char, 0>;

/// A kernel as code.
struct CompiledKernel {
  std::string name;
  /// How the host program calls it (docs/architecture.md, "Kernel functions").
  mlir::FunctionType type;
  /// Bytes of scratch memory that each worker gives it.
  int64_t scratchBytes = 0;
  Code code;
};

/// A form of a target that can be asked for by name.
struct TargetVariant {
  std::string name;    ///< `cpu:x86-64-v4`
  std::string summary; ///< one line
  bool runsHere = false;
};

/// A kind of machine: its facts, and how kernels and the host program become
/// bytes for it. Stateless; every function may be called from several threads.
class Target {
public:
  virtual ~Target() = default;

  /// The name before the colon of `--target=NAME[:VARIANT]`.
  virtual llvm::StringRef getName() const = 0;

  /// What can be asked for, the default first.
  virtual std::vector<TargetVariant> getVariants() const = 0;

  /// The facts of a variant (empty: the default) that schedules are chosen
  /// from; makes `context` ready for the functions below. Fails with a text for
  /// the user in `error`.
  virtual mlir::FailureOr<TargetAttr> getFacts(mlir::MLIRContext *context,
                                               llvm::StringRef variant,
                                               std::string &error) const = 0;

  /// What a module for `facts` requires of the machine that runs it:
  /// heddle_abi_manifest_t::cpu_features. Fails with a text in `error`.
  virtual mlir::FailureOr<uint64_t>
  getRequirements(TargetAttr facts, std::string &error) const = 0;

  /// Compiles one kernel; `faults` numbers the faults of the program it is in.
  /// Fails with a diagnostic at the kernel.
  virtual mlir::FailureOr<CompiledKernel>
  compileKernel(KernelDefOp kernel, TargetAttr facts, const FaultTable &faults,
                CodeKind kind) const = 0;

  /// Compiles the host program, which runs on the CPU whatever the target.
  virtual mlir::FailureOr<Code>
  compileHost(mlir::ModuleOp host, TargetAttr facts, CodeKind kind) const = 0;
};

/// The targets that were built in.
llvm::ArrayRef<const Target *> getTargets();

/// The target and variant that `spec` (`cpu`, `cpu:x86-64-v3`) names; null,
/// with a text for the user that lists what there is, if none does.
const Target *findTarget(llvm::StringRef spec, llvm::StringRef &variant,
                         std::string &error);

} // namespace heddle

#endif // HEDDLE_CODEGEN_TARGET_H
