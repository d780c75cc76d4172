//===- SystemLibraries.h - what generated code may call ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_ARTEFACT_SYSTEMLIBRARIES_H
#define HEDDLE_CODEGEN_ARTEFACT_SYSTEMLIBRARIES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace heddle {

/// A library of every Linux system, with the functions in it that generated
/// code may call.
struct SystemLibrary {
  llvm::StringRef name; ///< its soname
  llvm::ArrayRef<llvm::StringRef> functions;
};

/// libc and libm.
llvm::ArrayRef<SystemLibrary> getSystemLibraries();

/// Writes a shared object to `path` that has the library's soname and function
/// names and no code. A link against it needs no installed library and does not
/// record which version of one the compiler's machine has.
llvm::Error writeStub(const SystemLibrary &library, llvm::StringRef path);

} // namespace heddle

#endif // HEDDLE_CODEGEN_ARTEFACT_SYSTEMLIBRARIES_H
