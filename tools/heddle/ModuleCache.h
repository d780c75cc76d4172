//===- ModuleCache.h - models compiled once, run often ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_TOOLS_HEDDLE_MODULECACHE_H
#define HEDDLE_TOOLS_HEDDLE_MODULECACHE_H

#include "tools/heddle/Compiler.h"

#include "llvm/ADT/StringRef.h"

#include <optional>
#include <string>

namespace heddle::cli {

/// True for the name of a file that `compile` reads, by its suffix.
bool isModelFile(llvm::StringRef path);

/// The path of a module for `request`: `request.model` itself if it is one,
/// else one from the cache, which is compiled first if it is not there or if a
/// file it was made from has changed. The cache is the folder `modules` in
/// HEDDLE_CACHE, or in heddle/ of the user's cache folder. On failure, which
/// has been printed, the exit code is in `code`.
std::optional<std::string> getModule(const CompileRequest &request,
                                     ExitCode &code);

} // namespace heddle::cli

#endif // HEDDLE_TOOLS_HEDDLE_MODULECACHE_H
