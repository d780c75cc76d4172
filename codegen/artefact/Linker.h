//===- Linker.h - objects to one shared or relocatable object ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_ARTEFACT_LINKER_H
#define HEDDLE_CODEGEN_ARTEFACT_LINKER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace heddle {

/// The bytes of an ELF object file.
using ObjectBytes = llvm::ArrayRef<char>;

/// Links `objects` into a shared object that exports the functions `exports`
/// and nothing else. It names libc and libm as dependencies if it calls into
/// them. Needs no compiler, C library or start-up files on this machine: lld
/// runs in this process, against stubs of the two libraries. Fails when an
/// object calls what neither has.
llvm::Expected<std::vector<char>>
linkShared(llvm::ArrayRef<ObjectBytes> objects,
           llvm::ArrayRef<std::string> exports);

/// Joins `objects` into one relocatable object.
llvm::Expected<std::vector<char>>
linkRelocatable(llvm::ArrayRef<ObjectBytes> objects);

} // namespace heddle

#endif // HEDDLE_CODEGEN_ARTEFACT_LINKER_H
