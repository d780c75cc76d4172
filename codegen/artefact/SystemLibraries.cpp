//===- SystemLibraries.cpp - what generated code may call -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/artefact/SystemLibraries.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/InterfaceStub/ELFObjHandler.h"
#include "llvm/InterfaceStub/IFSStub.h"

using namespace llvm;

// What LLVM's code generator calls by itself, and what the reference lowering
// needs for temporary buffers.
static constexpr StringRef libcFunctions[] = {
    "memcpy", "memmove", "memset", "memcmp", "malloc", "free", "aligned_alloc",
};

// What LLVM's intrinsics and the math dialect are lowered to.
static constexpr StringRef libmFunctions[] = {
    "acos",   "acosf",   "acosh",     "acoshf",     "asin",   "asinf",
    "asinh",  "asinhf",  "atan",      "atanf",      "atan2",  "atan2f",
    "atanh",  "atanhf",  "cbrt",      "cbrtf",      "ceil",   "ceilf",
    "cos",    "cosf",    "cosh",      "coshf",      "erf",    "erff",
    "erfc",   "erfcf",   "exp",       "expf",       "exp2",   "exp2f",
    "expm1",  "expm1f",  "floor",     "floorf",     "fma",    "fmaf",
    "fmax",   "fmaxf",   "fmin",      "fminf",      "fmod",   "fmodf",
    "ldexp",  "ldexpf",  "log",       "logf",       "log10",  "log10f",
    "log1p",  "log1pf",  "log2",      "log2f",      "lround", "lroundf",
    "pow",    "powf",    "nearbyint", "nearbyintf", "rint",   "rintf",
    "round",  "roundf",  "roundeven", "roundevenf", "sin",    "sinf",
    "sincos", "sincosf", "sinh",      "sinhf",      "sqrt",   "sqrtf",
    "tan",    "tanf",    "tanh",      "tanhf",      "trunc",  "truncf",
};

ArrayRef<heddle::SystemLibrary> heddle::getSystemLibraries() {
  static constexpr SystemLibrary libraries[] = {
      {"libc.so.6", libcFunctions},
      {"libm.so.6", libmFunctions},
  };
  return libraries;
}

Error heddle::writeStub(const SystemLibrary &library, StringRef path) {
  ifs::IFSStub stub;
  stub.SoName = library.name.str();
  stub.Target.Arch = ELF::EM_X86_64;
  stub.Target.BitWidth = ifs::IFSBitWidthType::IFS64;
  stub.Target.Endianness = ifs::IFSEndiannessType::Little;
  for (StringRef function : library.functions) {
    ifs::IFSSymbol symbol(function.str());
    symbol.Type = ifs::IFSSymbolType::Func;
    stub.Symbols.push_back(std::move(symbol));
  }
  llvm::sort(stub.Symbols);
  return ifs::writeBinaryStub(path, stub);
}
