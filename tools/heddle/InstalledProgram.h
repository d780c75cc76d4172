//===- InstalledProgram.h - the programs beside heddle ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_TOOLS_HEDDLE_INSTALLEDPROGRAM_H
#define HEDDLE_TOOLS_HEDDLE_INSTALLEDPROGRAM_H

#include "tools/heddle/Command.h"

#include <string>
#include <vector>

namespace heddle::cli {

/// The path of `name` in the folder that this program is in.
std::string getInstalledPath(llvm::StringRef name);

/// Lets the program `name` beside this one take over the process. Returns only
/// if that fails, after a diagnostic.
ExitCode becomeProgram(llvm::StringRef name,
                       const std::vector<std::string> &arguments);

} // namespace heddle::cli

#endif // HEDDLE_TOOLS_HEDDLE_INSTALLEDPROGRAM_H
