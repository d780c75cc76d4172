// DebugOption.h - --heddle-debug: the packaged LLVM has no --debug-only, but a
// build of ours with assertions prints LDBG() once the type is set.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_TOOLS_DEBUGOPTION_H
#define HEDDLE_TOOLS_DEBUGOPTION_H

#ifndef NDEBUG

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Debug.h"

namespace heddle {

/// Included by a program's main file: adds --heddle-debug=TYPE, where TYPE is a
/// source file's name without suffix or its DEBUG_TYPE.
static llvm::cl::opt<std::string>
    debugType("heddle-debug",
              llvm::cl::desc("print the debug output of this type"),
              llvm::cl::value_desc("type"),
              llvm::cl::callback([](const std::string &type) {
                llvm::DebugFlag = true;
                llvm::setCurrentDebugType(type.c_str());
              }));

} // namespace heddle

#endif // NDEBUG

#endif // HEDDLE_TOOLS_DEBUGOPTION_H
