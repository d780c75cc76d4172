//===- WeightStore.h - the files that hold the weights ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// Weights stay in the files they came in: the program refers to them by
// `#heddle.weight`, and the store that the compiler opened beside the program
// turns such a reference into the bytes of a mapped file.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_DIALECTS_HEDDLE_WEIGHTSTORE_H
#define HEDDLE_DIALECTS_HEDDLE_WEIGHTSTORE_H

#include "dialects/heddle/HeddleDialect.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace heddle {

/// Named files, mapped read-only. Files are opened before a program that refers
/// to them is compiled; from then on every member but `openFile` and `addBytes`
/// may be called from several threads at once.
///
/// A mapping shows a file as it is on disk: whoever truncates a file while it
/// is mapped ends the process (SIGBUS), as with every mapped file.
class WeightStore {
public:
  /// A file that was read, for the provenance record of an artefact.
  struct FileRecord {
    std::string name;
    uint64_t size; ///< in bytes
    std::array<uint8_t, 32> sha256;
  };

  /// Maps the file at `path` and calls it `name`, the `file` of the
  /// `#heddle.weight`s that refer to it. Fails, with the system's reason, where
  /// the file cannot be read or is no regular file. A name that the store
  /// already has keeps its file.
  llvm::Error openFile(llvm::StringRef name, const llvm::Twine &path);

  /// Keeps `bytes` under `name`: weights that no file holds as plain bytes.
  void addBytes(llvm::StringRef name, std::vector<char> bytes);

  bool contains(llvm::StringRef name) const { return entries.contains(name); }

  /// Everything under `name`, which the store contains.
  llvm::ArrayRef<char> contents(llvm::StringRef name) const;

  /// The bytes of `weight`; fails, after a diagnostic, where the store does not
  /// have its file or the file ends too early. They have no alignment.
  mlir::FailureOr<llvm::ArrayRef<char>>
  bytes(WeightAttr weight,
        llvm::function_ref<mlir::InFlightDiagnostic()> emitError) const;

  /// Tells the system that the pages wholly inside `bytes`, which the store
  /// gave out, are not needed for now; reading them again is allowed, but slow.
  /// Does nothing to bytes that no file backs.
  void release(llvm::ArrayRef<char> bytes) const;

  /// The files in the order of their names, with digests; reads all of them.
  std::vector<FileRecord> files() const;

private:
  struct Entry {
    llvm::sys::fs::mapped_file_region mapping; ///< of a file that is not empty
    std::vector<char> owned;                   ///< of `addBytes`
    bool isFile = false;

    llvm::ArrayRef<char> contents() const;
  };

  llvm::StringMap<std::unique_ptr<Entry>> entries;
};

} // namespace heddle

#endif // HEDDLE_DIALECTS_HEDDLE_WEIGHTSTORE_H
