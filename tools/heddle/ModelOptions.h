//===- ModelOptions.h - options of commands that compile --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_TOOLS_HEDDLE_MODELOPTIONS_H
#define HEDDLE_TOOLS_HEDDLE_MODELOPTIONS_H

#include "tools/heddle/Compiler.h"

#include "llvm/Support/CommandLine.h"

namespace heddle::cli {

/// The options that `compile`, `run`, `verify` and `bench` share.
struct ModelOptions {
  explicit ModelOptions(llvm::cl::SubCommand &command)
      : target("target",
               llvm::cl::desc("what to compile for: see 'heddle targets' "
                              "(default: cpu, the processor of this machine)"),
               llvm::cl::value_desc("name"), llvm::cl::init("cpu"),
               llvm::cl::sub(command)),
        externalFolders(
            "allow-external",
            llvm::cl::desc("a folder that the model's external data may also "
                           "be in"),
            llvm::cl::value_desc("folder"), llvm::cl::sub(command)),
        jobs("j", llvm::cl::desc("compile threads (default: one per core)"),
             llvm::cl::value_desc("N"), llvm::cl::Prefix, llvm::cl::init(0),
             llvm::cl::sub(command)) {}

  /// What to compile, and for what.
  CompileRequest getRequest(llvm::StringRef model) const {
    CompileRequest request;
    request.model = model.str();
    request.target = target;
    request.externalFolders.assign(externalFolders.begin(),
                                   externalFolders.end());
    request.threads = jobs;
    return request;
  }

  llvm::cl::opt<std::string> target;
  llvm::cl::list<std::string> externalFolders;
  llvm::cl::opt<unsigned> jobs;
};

} // namespace heddle::cli

#endif // HEDDLE_TOOLS_HEDDLE_MODELOPTIONS_H
