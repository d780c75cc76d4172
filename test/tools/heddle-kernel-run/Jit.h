//===- Jit.h - a kernel as callable machine code ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_TEST_TOOLS_HEDDLE_KERNEL_RUN_JIT_H
#define HEDDLE_TEST_TOOLS_HEDDLE_KERNEL_RUN_JIT_H

#include "codegen/cpu/Facts.h"
#include "dialects/heddle/HeddleDialect.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/Error.h"

#include <memory>

namespace heddle::kernelrun {

/// How far down a kernel is taken.
enum class Stage { Kernel, LLVM, Assembly };

/// The text of `def` at `stage`.
llvm::Expected<std::string> printStage(KernelDefOp def, const CpuFacts &facts,
                                       Stage stage);

/// Lowers `module`, compiles it and links it into this process. Its public
/// functions are called by their C interface, `_mlir_ciface_<name>`.
llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>>
loadModule(mlir::ModuleOp module, const CpuFacts &facts);

/// The C interface of function `name`.
llvm::Expected<void *> lookupFunction(llvm::orc::LLJIT &jit,
                                      llvm::StringRef name);

/// A compiled kernel.
class Kernel {
public:
  static llvm::Expected<Kernel> compile(KernelDefOp def, const CpuFacts &facts);

  int64_t getScratchBytes() const { return scratchBytes; }

  /// Calls the kernel. Each element of `arguments` is a pointer to a memref's
  /// descriptor or a number.
  void call(llvm::ArrayRef<uint64_t> arguments) const;

private:
  std::unique_ptr<llvm::orc::LLJIT> jit;
  void *function = nullptr;
  int64_t scratchBytes = 0;
};

/// The processor time of this thread in seconds. Unlike the time of day it
/// stands still while another process has the core.
double getThreadSeconds();

/// Fused multiply-adds that one core finishes in a second, in floating-point
/// operations: a loop without memory accesses on vectors of `facts`.
llvm::Expected<double> measurePeak(mlir::MLIRContext *context,
                                   const CpuFacts &facts);

} // namespace heddle::kernelrun

#endif // HEDDLE_TEST_TOOLS_HEDDLE_KERNEL_RUN_JIT_H
