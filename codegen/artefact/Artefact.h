//===- Artefact.h - writes what a compile leaves behind ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Every file is written under a temporary name in its folder and renamed when
// all of them are complete: what failed leaves nothing behind, and nobody ever
// sees half a file. The same input gives the same bytes, whatever the paths,
// the clock and the number of threads.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_ARTEFACT_ARTEFACT_H
#define HEDDLE_CODEGEN_ARTEFACT_ARTEFACT_H

#include "codegen/artefact/Linker.h"
#include "codegen/artefact/Manifest.h"
#include "codegen/artefact/WeightsFile.h"

namespace heddle {

/// A compiled model, ready to be written.
struct Artefact {
  std::vector<ObjectBytes> objects;
  /// Without `weights`, which are known when they have been written.
  Manifest manifest;
  std::vector<WeightToStore> weights;
  ReleaseSource releaseSource;
  unsigned threads = 0;
};

/// The name of the weights file of the artefact `path`: its name with
/// ".weights" in the place of the extension.
std::string weightsPath(llvm::StringRef path);

/// Writes the module `path` and, unless there are no weights, its weights file.
llvm::Error writeSharedModule(const Artefact &artefact, llvm::StringRef path);

/// Writes an executable: the program `runner` (the installed heddle-runner)
/// with the module behind it, and the weights file.
llvm::Error writeExecutable(const Artefact &artefact, llvm::StringRef runner,
                            llvm::StringRef path);

/// Writes one relocatable object with all functions, without manifest or
/// weights.
llvm::Error writeObject(llvm::ArrayRef<ObjectBytes> objects,
                        llvm::StringRef path);

/// Writes assembly texts one after the other.
llvm::Error writeAssembly(llvm::ArrayRef<llvm::ArrayRef<char>> texts,
                          llvm::StringRef path);

} // namespace heddle

#endif // HEDDLE_CODEGEN_ARTEFACT_ARTEFACT_H
