//===- InstalledProgram.cpp - the programs beside heddle ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "tools/heddle/InstalledProgram.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

using namespace llvm;
using namespace heddle::cli;

std::string heddle::cli::getInstalledPath(StringRef name) {
  // An address in this program is what LLVM finds its path by.
  static int anchor;
  SmallString<256> path(
      sys::path::parent_path(sys::fs::getMainExecutable("heddle", &anchor)));
  sys::path::append(path, name);
  return std::string(path);
}

ExitCode heddle::cli::becomeProgram(StringRef name,
                                    const std::vector<std::string> &arguments) {
  std::string path = getInstalledPath(name);
  std::vector<char *> argv = {path.data()};
  for (const std::string &argument : arguments)
    argv.push_back(const_cast<char *>(argument.c_str()));
  argv.push_back(nullptr);
  execv(path.c_str(), argv.data());
  return userError("cannot run '" + path + "': " + std::strerror(errno));
}
