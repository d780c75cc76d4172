//===- TestFolder.h - a folder and files for a test -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_TEST_UNIT_CODEGEN_ARTEFACT_TESTFOLDER_H
#define HEDDLE_TEST_UNIT_CODEGEN_ARTEFACT_TESTFOLDER_H

#include "codegen/artefact/Artefact.h"

#include "llvm/ADT/SmallString.h"

#include <string>
#include <vector>

namespace heddle {

/// A new folder, removed with the object.
class TestFolder {
public:
  TestFolder();
  ~TestFolder();

  std::string file(llvm::StringRef name) const;

  /// The names in the folder, sorted.
  std::vector<std::string> names() const;

private:
  llvm::SmallString<64> path;
};

/// All bytes of a file that exists.
std::vector<char> readFile(llvm::StringRef path);

/// The object file of TestCode.c.
std::vector<char> readTestCode();

/// A model with the entry of TestCode.c, input "x" and output "y" of [n]
/// floats, and one weight of four floats.
Artefact makeTestArtefact(llvm::ArrayRef<char> object,
                          llvm::ArrayRef<char> weight);

/// The text of a failure, empty for success.
std::string textOf(llvm::Error error);

} // namespace heddle

#endif // HEDDLE_TEST_UNIT_CODEGEN_ARTEFACT_TESTFOLDER_H
