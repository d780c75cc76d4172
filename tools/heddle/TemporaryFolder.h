//===- TemporaryFolder.h - a folder that goes away again --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_TOOLS_HEDDLE_TEMPORARYFOLDER_H
#define HEDDLE_TOOLS_HEDDLE_TEMPORARYFOLDER_H

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <string>
#include <system_error>

namespace heddle::cli {

/// A new folder that is removed with all that is in it at the end of the scope.
class TemporaryFolder {
public:
  /// Throws std::system_error if it cannot be made.
  TemporaryFolder() {
    if (std::error_code error =
            llvm::sys::fs::createUniqueDirectory("heddle", path))
      throw std::system_error(error, "cannot make a temporary folder");
  }
  ~TemporaryFolder() { llvm::sys::fs::remove_directories(path); }
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;

  /// The path of `name` in the folder.
  std::string getPath(const llvm::Twine &name) const {
    llvm::SmallString<128> file(path);
    llvm::sys::path::append(file, name);
    return std::string(file);
  }

private:
  llvm::SmallString<128> path;
};

} // namespace heddle::cli

#endif // HEDDLE_TOOLS_HEDDLE_TEMPORARYFOLDER_H
