//===- Linker.cpp - objects to one shared or relocatable object -----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/artefact/Linker.h"

#include "codegen/artefact/SystemLibraries.h"

#include "lld/Common/Driver.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace llvm;
using namespace heddle;

/// lld keeps the state of a link in globals.
static std::mutex linkerMutex;

namespace {

/// A folder for the linker's inputs and its output, removed with the object.
class WorkFolder {
public:
  Error create() {
    if (std::error_code error =
            sys::fs::createUniqueDirectory("heddle-link", path))
      return createStringError(error, "cannot create a temporary folder: %s",
                               error.message().c_str());
    return Error::success();
  }
  ~WorkFolder() {
    if (!path.empty())
      sys::fs::remove_directories(path);
  }

  std::string file(const Twine &name) const {
    return (path + "/" + name).str();
  }

  /// Writes a file and returns its path.
  Expected<std::string> add(const Twine &name, ArrayRef<char> bytes) const {
    std::string target = file(name);
    std::error_code error;
    raw_fd_ostream stream(target, error);
    if (!error) {
      stream.write(bytes.data(), bytes.size());
      stream.close();
      error = stream.error();
      stream.clear_error();
    }
    if (error)
      return createStringError(error, "cannot write '%s': %s", target.c_str(),
                               error.message().c_str());
    return target;
  }

private:
  SmallString<64> path;
};

} // namespace

/// Runs lld on `objects` with further `arguments`.
static Expected<std::vector<char>>
runLinker(const WorkFolder &folder, ArrayRef<ObjectBytes> objects,
          std::vector<std::string> arguments) {
  std::string output = folder.file("output");
  arguments.insert(arguments.begin(), "ld.lld");
  arguments.insert(arguments.end(), {"-o", output, "--build-id=none"});
  for (auto [index, object] : enumerate(objects)) {
    Expected<std::string> path = folder.add(Twine(index) + ".o", object);
    if (!path)
      return path.takeError();
    arguments.push_back(*path);
  }
  std::vector<const char *> pointers;
  for (const std::string &argument : arguments)
    pointers.push_back(argument.c_str());

  std::string text;
  raw_string_ostream diagnostics(text);
  {
    std::scoped_lock lock(linkerMutex);
    lld::Result result = lld::lldMain(pointers, diagnostics, diagnostics,
                                      {{lld::Gnu, &lld::elf::link}});
    if (result.retCode != 0)
      return createStringError("cannot link the kernels: %s",
                               StringRef(text).rtrim().str().c_str());
  }
  ErrorOr<std::unique_ptr<MemoryBuffer>> linked = MemoryBuffer::getFile(
      output, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!linked)
    return createStringError(linked.getError(), "cannot read '%s'",
                             output.c_str());
  StringRef bytes = (*linked)->getBuffer();
  return std::vector<char>(bytes.begin(), bytes.end());
}

Expected<std::vector<char>> heddle::linkShared(ArrayRef<ObjectBytes> objects,
                                               ArrayRef<std::string> exports) {
  WorkFolder folder;
  if (Error error = folder.create())
    return std::move(error);
  std::vector<std::string> arguments = {
      "-shared",
      "--no-undefined",
      "--gc-sections",
      "--hash-style=gnu",
      "-z",
      "relro",
      "-z",
      "now",
      "--as-needed",
  };

  // Kernels call each other directly: only the entries are visible.
  std::string version = "{ global: " + join(exports, "; ") + "; local: *; };\n";
  if (exports.empty())
    version = "{ local: *; };\n";
  Expected<std::string> script = folder.add("exports", version);
  if (!script)
    return script.takeError();
  arguments.push_back("--version-script=" + *script);

  for (const SystemLibrary &library : getSystemLibraries()) {
    std::string path = folder.file(library.name);
    if (Error error = writeStub(library, path))
      return std::move(error);
    arguments.push_back(path);
  }
  return runLinker(folder, objects, std::move(arguments));
}

Expected<std::vector<char>>
heddle::linkRelocatable(ArrayRef<ObjectBytes> objects) {
  WorkFolder folder;
  if (Error error = folder.create())
    return std::move(error);
  return runLinker(folder, objects, {"-r"});
}
