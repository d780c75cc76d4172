//===- OutputFile.h - a file that is there whole or not at all --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_ARTEFACT_OUTPUTFILE_H
#define HEDDLE_CODEGEN_ARTEFACT_OUTPUTFILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"

#include <optional>
#include <string>

namespace heddle {

/// Writes a file under a temporary name in the same folder and gives it its
/// name when it is complete. What is not committed is removed, also when the
/// program ends by a signal.
class OutputFile {
public:
  enum Kind { Data, Program }; ///< a program may be executed

  OutputFile() = default;
  OutputFile(const OutputFile &) = delete;
  OutputFile &operator=(const OutputFile &) = delete;
  ~OutputFile();

  /// Starts the file that will be `path`. Fails when its folder cannot be
  /// written, and when `path` is there already as anything but a regular file.
  llvm::Error create(llvm::StringRef path, Kind kind);

  /// The file as long as it is not committed.
  llvm::sys::fs::TempFile &temporary() { return *file; }

  /// Appends to what has been written by this function.
  llvm::Error write(llvm::ArrayRef<char> bytes);

  /// Gives the file its name. A file of that name is replaced.
  llvm::Error commit();

private:
  std::string path;
  std::optional<llvm::sys::fs::TempFile> file;
};

} // namespace heddle

#endif // HEDDLE_CODEGEN_ARTEFACT_OUTPUTFILE_H
