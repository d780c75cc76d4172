//===- ModuleCache.cpp - models compiled once, run often ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "tools/heddle/ModuleCache.h"

#include "tools/heddle/Manifest.h"
#include "tools/heddle/Session.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/SHA256.h"

#include <cstring>

using namespace llvm;
using namespace heddle::cli;

bool heddle::cli::isModelFile(StringRef path) {
  return path.ends_with(".onnx") || path.ends_with(".onnxtxt");
}

/// The folder of all cached modules, or none if there is no home folder.
static std::optional<std::string> getCacheFolder() {
  SmallString<256> folder;
  if (std::optional<std::string> own = sys::Process::GetEnv("HEDDLE_CACHE"))
    folder = *own;
  else if (sys::path::cache_directory(folder))
    sys::path::append(folder, "heddle");
  else
    return std::nullopt;
  sys::path::append(folder, "modules");
  sys::fs::make_absolute(folder);
  return std::string(folder);
}

/// Size and time of this program: a rebuilt compiler trusts no older module.
static std::string getCompilerStamp() {
  static int anchor;
  sys::fs::file_status status;
  if (sys::fs::status(sys::fs::getMainExecutable("", &anchor), status))
    return "";
  return std::to_string(status.getSize()) + "." +
         std::to_string(
             status.getLastModificationTime().time_since_epoch().count());
}

/// The name of the cached module: what it depends on beside the files' content.
static std::string getKey(const CompileRequest &request) {
  SmallString<256> path(request.model);
  sys::fs::make_absolute(path);
  SHA256 hash;
  auto add = [&](StringRef part) {
    hash.update(part);
    hash.update(StringRef("\0", 1));
  };
  add(path);
  add(request.target);
  add(getCompilerStamp());
  for (StringRef dim : request.dims)
    add(dim);
  return toHex(ArrayRef(hash.final()).take_front(16), /*LowerCase=*/true);
}

/// True if every file the module was made from still has the same content.
static bool isCurrent(const std::string &module, StringRef model) {
  Expected<ModelPtr> loaded = loadModel(module, HEDDLE_LOAD_INFO_ONLY);
  if (!loaded) {
    consumeError(loaded.takeError());
    return false;
  }
  Manifest manifest(loaded->get());
  const heddle_abi_table_t &sources = manifest.getHeader().sources;
  for (uint32_t i = 0; i < sources.count; ++i) {
    const auto &source = manifest.getRecord<heddle_abi_source_t>(sources, i);
    SmallString<256> path(sys::path::parent_path(model));
    sys::path::append(path, manifest.getString(source.name));
    ErrorOr<std::unique_ptr<MemoryBuffer>> file =
        MemoryBuffer::getFile(path, /*IsText=*/false,
                              /*RequiresNullTerminator=*/false);
    if (!file || (*file)->getBufferSize() != source.size)
      return false;
    auto digest = SHA256::hash(arrayRefFromStringRef((*file)->getBuffer()));
    if (std::memcmp(digest.data(), source.sha256.bytes, digest.size()))
      return false;
  }
  return true;
}

std::optional<std::string> heddle::cli::getModule(const CompileRequest &request,
                                                  ExitCode &code) {
  if (!isModelFile(request.model))
    return request.model;
  std::optional<std::string> cache = getCacheFolder();
  if (!cache) {
    code = userError("no cache folder for the compiled model: set "
                     "HEDDLE_CACHE, or compile it first");
    return std::nullopt;
  }
  std::string folder = *cache + "/" + getKey(request);
  std::string module = folder + "/model.so";
  if (sys::fs::exists(module) && isCurrent(module, request.model))
    return module;

  // Made beside its place and moved there complete.
  SmallString<256> work;
  std::error_code error = sys::fs::create_directories(*cache);
  if (!error)
    error = sys::fs::createUniqueDirectory(*cache + "/new", work);
  if (error) {
    code = userError("cannot write to the cache folder '" + *cache +
                     "': " + error.message());
    return std::nullopt;
  }
  code = compileModel(request, {(work + "/model.so").str(), EmitKind::Shared,
                                /*stopAfter=*/"", /*remarks=*/""});
  if (code != ExitCode::Done) {
    sys::fs::remove_directories(work);
    return std::nullopt;
  }
  sys::fs::remove_directories(folder);
  if (sys::fs::rename(work, folder))
    sys::fs::remove_directories(work); // Another process was faster.
  return module;
}
