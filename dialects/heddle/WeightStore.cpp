//===- WeightStore.cpp - the files that hold the weights ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/WeightStore.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Errc.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/SHA256.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace mlir;
using namespace heddle;
namespace fs = llvm::sys::fs;

namespace {
/// Closes a file when it goes out of scope; a mapping outlives it.
struct FileDescriptor {
  int value;
  ~FileDescriptor() {
    if (value >= 0)
      ::close(value);
  }
};
} // namespace

static llvm::Error failure(std::error_code code) {
  return llvm::createStringError(code, code.message());
}

ArrayRef<char> WeightStore::Entry::contents() const {
  if (mapping)
    return ArrayRef<char>(mapping.const_data(), mapping.size());
  return owned;
}

llvm::Error WeightStore::openFile(StringRef name, const Twine &path) {
  if (contains(name))
    return llvm::Error::success();
  // Without O_NONBLOCK, opening a pipe waits for its writer.
  SmallString<128> storage;
  FileDescriptor file{::open(path.toNullTerminatedStringRef(storage).data(),
                             O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat status;
  if (file.value < 0 || ::fstat(file.value, &status) != 0)
    return failure(std::error_code(errno, std::generic_category()));
  if (!S_ISREG(status.st_mode))
    return llvm::createStringError(llvm::errc::invalid_argument,
                                   "not a regular file");

  auto entry = std::make_unique<Entry>();
  entry->isFile = true;
  if (status.st_size > 0) {
    std::error_code code;
    entry->mapping = fs::mapped_file_region(
        fs::convertFDToNativeFile(file.value), fs::mapped_file_region::readonly,
        status.st_size, /*offset=*/0, code);
    if (code)
      return failure(code);
  }
  entries[name] = std::move(entry);
  return llvm::Error::success();
}

void WeightStore::addBytes(StringRef name, std::vector<char> bytes) {
  auto entry = std::make_unique<Entry>();
  entry->owned = std::move(bytes);
  entries[name] = std::move(entry);
}

ArrayRef<char> WeightStore::contents(StringRef name) const {
  return entries.at(name)->contents();
}

FailureOr<ArrayRef<char>>
WeightStore::bytes(WeightAttr weight,
                   llvm::function_ref<InFlightDiagnostic()> emitError) const {
  auto entry = entries.find(weight.getFile());
  if (entry == entries.end())
    return emitError() << "expects the weight file '" << weight.getFile()
                       << "' to be open";
  ArrayRef<char> all = entry->second->contents();
  auto offset = static_cast<uint64_t>(weight.getOffset());
  auto length = static_cast<uint64_t>(weight.getLength());
  if (offset > all.size() || length > all.size() - offset)
    return emitError() << "expects " << length << " bytes at offset " << offset
                       << " of weight file '" << weight.getFile()
                       << "', got a file of " << all.size() << " bytes";
  return all.slice(offset, length);
}

void WeightStore::release(ArrayRef<char> bytes) const {
  for (const auto &entry : entries) {
    const fs::mapped_file_region &mapping = entry.second->mapping;
    if (!mapping || bytes.begin() < mapping.const_data() ||
        bytes.end() > mapping.const_data() + mapping.size())
      continue;
    // Only whole pages: a neighbour may be in use.
    uint64_t page = llvm::sys::Process::getPageSizeEstimate();
    auto begin =
        llvm::alignTo(reinterpret_cast<uintptr_t>(bytes.begin()), page);
    auto end = llvm::alignDown(reinterpret_cast<uintptr_t>(bytes.end()), page);
    // A hint: where the system does not take it, the pages stay.
    if (begin < end)
      ::madvise(reinterpret_cast<void *>(begin), end - begin, MADV_DONTNEED);
    return;
  }
}

std::vector<WeightStore::FileRecord> WeightStore::files() const {
  // Large enough for the hash to run at full speed, small beside the weights.
  constexpr size_t chunk = size_t(16) << 20;
  std::vector<FileRecord> records;
  for (const auto &entry : entries) {
    if (!entry.second->isFile)
      continue;
    ArrayRef<char> rest = entry.second->contents();
    llvm::SHA256 hash;
    uint64_t size = rest.size();
    while (!rest.empty()) {
      ArrayRef<char> part = rest.take_front(chunk);
      hash.update(StringRef(part.data(), part.size()));
      release(part);
      rest = rest.drop_front(part.size());
    }
    records.push_back({entry.first().str(), size, hash.final()});
  }
  llvm::sort(records, [](const FileRecord &lhs, const FileRecord &rhs) {
    return lhs.name < rhs.name;
  });
  return records;
}
