//===- Artefact.cpp - writes what a compile leaves behind -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/artefact/Artefact.h"

#include "codegen/artefact/OutputFile.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SHA256.h"

#include <cstring>

using namespace llvm;
using namespace heddle;

static void append(std::vector<char> &bytes, ArrayRef<char> more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

template <typename Record>
static ArrayRef<char> bytesOf(const Record &record) {
  return ArrayRef(reinterpret_cast<const char *>(&record), sizeof record);
}

/// Appends manifest and trailer to the shared object in `module`.
static Error seal(std::vector<char> &module, const Manifest &manifest) {
  Expected<std::vector<char>> records = writeManifest(manifest);
  if (!records)
    return records.takeError();
  module.resize(alignTo(module.size(), 8));

  heddle_abi_trailer_t trailer = {};
  std::memcpy(trailer.magic, HEDDLE_ABI_TRAILER_MAGIC, sizeof trailer.magic);
  trailer.major = HEDDLE_ABI_MAJOR;
  trailer.minor = HEDDLE_ABI_MINOR;
  trailer.manifest_offset = module.size();
  trailer.manifest_size = records->size();
  trailer.module_size = module.size() + records->size() + sizeof trailer;
  append(module, *records);
  append(module, bytesOf(trailer).drop_back(sizeof trailer.sha256));

  StringRef sealed(module.data(), module.size());
  std::array<uint8_t, 32> digest = SHA256::hash(arrayRefFromStringRef(sealed));
  append(module, ArrayRef(reinterpret_cast<const char *>(digest.data()),
                          digest.size()));
  return Error::success();
}

static Expected<std::vector<char>> linkModule(const Artefact &artefact,
                                              const Manifest &manifest) {
  std::vector<std::string> exports;
  for (const ModuleEntry &entry : manifest.entries)
    exports.insert(exports.end(), {entry.planSymbol, entry.runSymbol});
  Expected<std::vector<char>> module = linkShared(artefact.objects, exports);
  if (!module)
    return module.takeError();
  if (Error error = seal(*module, manifest))
    return std::move(error);
  return module;
}

std::string heddle::weightsPath(StringRef path) {
  SmallString<128> result(path);
  sys::path::replace_extension(result, "weights");
  return std::string(result);
}

/// Writes `prefix` and the module behind it to `path`, and the weights beside.
static Error writeModule(const Artefact &artefact, std::vector<char> prefix,
                         StringRef path, OutputFile::Kind kind) {
  std::string weightsName = weightsPath(path);
  if (weightsName == path)
    return createStringError("cannot write '%s': the weights file of the "
                             "module would have the same name",
                             path.str().c_str());
  OutputFile weightsFile;
  OutputFile moduleFile;
  if (Error error = moduleFile.create(path, kind))
    return error;

  Manifest manifest = artefact.manifest;
  if (!artefact.weights.empty()) {
    if (Error error = weightsFile.create(weightsName, OutputFile::Data))
      return error;
    Expected<ModuleWeights> written =
        writeWeights(weightsFile.temporary(), artefact.weights,
                     artefact.threads, artefact.releaseSource);
    if (!written)
      return written.takeError();
    manifest.weights = std::move(*written);
    manifest.weights.fileName = sys::path::filename(weightsName).str();
  }

  Expected<std::vector<char>> module = linkModule(artefact, manifest);
  if (!module)
    return module.takeError();
  prefix.resize(alignTo(prefix.size(), 8));
  if (Error error = moduleFile.write(prefix))
    return error;
  if (Error error = moduleFile.write(*module))
    return error;

  // The module last: who sees the new one finds its weights there.
  if (!artefact.weights.empty())
    if (Error error = weightsFile.commit())
      return error;
  return moduleFile.commit();
}

Error heddle::writeSharedModule(const Artefact &artefact, StringRef path) {
  return writeModule(artefact, {}, path, OutputFile::Data);
}

Error heddle::writeExecutable(const Artefact &artefact, StringRef runner,
                              StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> program = MemoryBuffer::getFile(
      runner, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!program)
    return createStringError(
        program.getError(), "cannot read the runner program '%s': %s",
        runner.str().c_str(), program.getError().message().c_str());
  StringRef bytes = (*program)->getBuffer();
  return writeModule(artefact, std::vector<char>(bytes.begin(), bytes.end()),
                     path, OutputFile::Program);
}

Error heddle::writeObject(ArrayRef<ObjectBytes> objects, StringRef path) {
  OutputFile file;
  if (Error error = file.create(path, OutputFile::Data))
    return error;
  Expected<std::vector<char>> object = linkRelocatable(objects);
  if (!object)
    return object.takeError();
  if (Error error = file.write(*object))
    return error;
  return file.commit();
}

/// `text` with its local labels (.L...) made those of module `number`: each
/// module numbers its own from 0, and in one file they would clash.
static std::string renameLocalLabels(ArrayRef<char> text, size_t number) {
  StringRef rest(text.data(), text.size());
  std::string prefix = ".L" + std::to_string(number) + "_";
  std::string renamed;
  for (size_t at; (at = rest.find(".L")) != StringRef::npos;
       rest = rest.drop_front(at + 2)) {
    // Within a name (foo.Lbar) it is no label.
    bool isLabel = at == 0 || (!isAlnum(rest[at - 1]) && rest[at - 1] != '_');
    renamed += rest.take_front(at);
    renamed += isLabel ? prefix : ".L";
  }
  renamed += rest;
  return renamed;
}

Error heddle::writeAssembly(ArrayRef<ArrayRef<char>> texts, StringRef path) {
  OutputFile file;
  if (Error error = file.create(path, OutputFile::Data))
    return error;
  for (auto [number, text] : enumerate(texts)) {
    std::string renamed = renameLocalLabels(text, number);
    if (Error error = file.write({renamed.data(), renamed.size()}))
      return error;
  }
  return file.commit();
}
