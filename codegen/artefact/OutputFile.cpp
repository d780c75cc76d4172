//===- OutputFile.cpp - a file that is there whole or not at all ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/artefact/OutputFile.h"

#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace heddle;

static Error cannotWrite(StringRef path, const Twine &reason) {
  return createStringError("cannot write '" + path + "': " + reason);
}

OutputFile::~OutputFile() {
  if (file)
    consumeError(file->discard());
}

Error OutputFile::create(StringRef target, Kind kind) {
  path = target.str();
  // A rename would put a regular file in the place of a device or a pipe.
  sys::fs::file_status status;
  if (!sys::fs::status(path, status) &&
      status.type() != sys::fs::file_type::regular_file)
    return cannotWrite(path, "it is not a regular file");

  unsigned mode = sys::fs::all_read | sys::fs::all_write;
  if (kind == Program)
    mode |= sys::fs::all_exe;
  Expected<sys::fs::TempFile> created =
      sys::fs::TempFile::create(path + ".tmp-%%%%%%%%", mode);
  if (!created)
    return cannotWrite(path, toString(created.takeError()));
  file.emplace(std::move(*created));
  return Error::success();
}

Error OutputFile::write(ArrayRef<char> bytes) {
  raw_fd_ostream stream(file->FD, /*shouldClose=*/false, /*unbuffered=*/true);
  stream.write(bytes.data(), bytes.size());
  if (!stream.has_error())
    return Error::success();
  std::string reason = stream.error().message();
  stream.clear_error();
  return cannotWrite(path, reason);
}

Error OutputFile::commit() {
  Error error = file->keep(path);
  file.reset();
  if (error)
    return cannotWrite(path, toString(std::move(error)));
  return Error::success();
}
