// FileAccess.h - whole-file reading and atomic writing
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_FILEACCESS_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_FILEACCESS_H

#include "codegen/nvidia/ptx/Result.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace heddle::ptx {

using Bytes = std::vector<uint8_t>;

/// Reads the regular file `path`. Refuses directories, devices, pipes, and
/// files of more than `maxSize` bytes.
Result<Bytes> readFile(const std::string &path, uint64_t maxSize);

/// As `readFile`, for text.
Result<std::string> readTextFile(const std::string &path, uint64_t maxSize);

/// Writes `bytes` to a new file beside `path` and renames it into place, so
/// that `path` is never seen half-written. Follows a symbolic link at `path`
/// and keeps the permissions of a file there; refuses a target that exists and
/// is no regular file, or one that may not be written.
Result<Done> writeFile(const std::string &path, std::span<const uint8_t> bytes);

/// Whether `writeFile` may succeed: for long work whose result goes to `path`.
Result<Done> checkWritable(const std::string &path);

/// As `writeFile`, for text.
Result<Done> writeTextFile(const std::string &path, const std::string &text);

/// Whether `path` names a file that this process may execute.
bool isExecutable(const std::string &path);

/// A private folder under the system's temporary folder, removed with all it
/// holds on destruction.
class TemporaryFolder {
public:
  static Result<TemporaryFolder> create();
  TemporaryFolder(TemporaryFolder &&other) noexcept;
  TemporaryFolder &operator=(TemporaryFolder &&) = delete;
  ~TemporaryFolder();

  /// The path of `name` inside the folder.
  std::string file(const std::string &name) const { return path + "/" + name; }

private:
  explicit TemporaryFolder(std::string path) : path(std::move(path)) {}
  std::string path;
};

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_FILEACCESS_H
