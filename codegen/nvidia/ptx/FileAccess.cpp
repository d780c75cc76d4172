// FileAccess.cpp - whole-file reading and atomic writing
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/FileAccess.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace heddle::ptx;

namespace {

/// Closes a file descriptor on scope exit.
struct Descriptor {
  int value;
  explicit Descriptor(int value) : value(value) {}
  Descriptor(const Descriptor &) = delete;
  ~Descriptor() {
    if (value >= 0)
      ::close(value);
  }
};

} // namespace

/// Fills `out` from `descriptor`; false on an error or a file that shrank.
static bool readFully(int descriptor, std::span<uint8_t> out) {
  size_t done = 0;
  while (done < out.size()) {
    ssize_t got = ::read(descriptor, out.data() + done, out.size() - done);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return false;
    done += static_cast<size_t>(got);
  }
  return true;
}

static bool writeFully(int descriptor, std::span<const uint8_t> bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    ssize_t put = ::write(descriptor, bytes.data() + done, bytes.size() - done);
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return false;
    done += static_cast<size_t>(put);
  }
  return true;
}

Result<Bytes> heddle::ptx::readFile(const std::string &path, uint64_t maxSize) {
  // O_NONBLOCK keeps the open of a pipe without a writer from waiting forever.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status = {};
  if (file.value < 0 || ::fstat(file.value, &status) != 0)
    return refuse("cannot read '", path, "': ", std::strerror(errno));
  if (!S_ISREG(status.st_mode))
    return refuse("cannot read '", path, "': expected a regular file, got ",
                  S_ISDIR(status.st_mode) ? "a folder" : "a special file");
  auto size = static_cast<uint64_t>(status.st_size);
  if (size > maxSize)
    return refuse("'", path, "' has ", size, " bytes, expected at most ",
                  maxSize);
  Bytes bytes(size);
  if (!readFully(file.value, bytes))
    return refuse("cannot read '", path, "': the file is shorter than its ",
                  "stated ", size, " bytes");
  return bytes;
}

Result<std::string> heddle::ptx::readTextFile(const std::string &path,
                                              uint64_t maxSize) {
  Result<Bytes> bytes = readFile(path, maxSize);
  if (!bytes)
    return bytes.failure();
  return std::string(bytes->begin(), bytes->end());
}

/// Where a write to `path` lands: the end of its symbolic links. Fails when a
/// rename would replace something that is no regular file, such as a device.
static Result<std::string> resolveTarget(const std::string &path) {
  std::error_code error;
  std::filesystem::path target(path);
  if (std::filesystem::is_symlink(target, error))
    target = std::filesystem::weakly_canonical(target, error);
  auto status = std::filesystem::status(target, error);
  if (std::filesystem::exists(status) &&
      !std::filesystem::is_regular_file(status))
    return refuse("cannot write '", path, "': it is not a regular file");
  // A rename does not ask whether the file that it replaces may be written.
  if (std::filesystem::exists(status) && ::access(target.c_str(), W_OK) != 0)
    return refuse("cannot write '", path, "': ", std::strerror(errno));
  return target.string();
}

Result<Done> heddle::ptx::checkWritable(const std::string &path) {
  Result<std::string> target = resolveTarget(path);
  if (!target)
    return target.failure();
  std::filesystem::path folder = std::filesystem::path(*target).parent_path();
  if (::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) != 0)
    return refuse("cannot write '", path, "': ", std::strerror(errno));
  return Done{};
}

/// The permissions of a file that is there, else those of a new one.
static mode_t modeFor(const std::string &path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) == 0)
    return status.st_mode & 07777;
  mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666 & ~mask;
}

Result<Done> heddle::ptx::writeFile(const std::string &path,
                                    std::span<const uint8_t> bytes) {
  Result<std::string> target = resolveTarget(path);
  if (!target)
    return target.failure();
  std::string temporary = *target + ".XXXXXX";
  Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.value < 0)
    return refuse("cannot write '", path, "': ", std::strerror(errno));
  if (!writeFully(file.value, bytes) ||
      ::fchmod(file.value, modeFor(*target)) != 0 ||
      ::rename(temporary.c_str(), target->c_str()) != 0) {
    Failure failure =
        refuse("cannot write '", path, "': ", std::strerror(errno));
    ::unlink(temporary.c_str());
    return failure;
  }
  return Done{};
}

Result<Done> heddle::ptx::writeTextFile(const std::string &path,
                                        const std::string &text) {
  return writeFile(
      path, {reinterpret_cast<const uint8_t *>(text.data()), text.size()});
}

bool heddle::ptx::isExecutable(const std::string &path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

Result<TemporaryFolder> TemporaryFolder::create() {
  std::error_code error;
  std::string path =
      (std::filesystem::temp_directory_path(error) / "heddle-ptx.XXXXXX")
          .string();
  if (error || !::mkdtemp(path.data()))
    return refuse("cannot create a temporary folder: ", std::strerror(errno));
  return TemporaryFolder(path);
}

TemporaryFolder::TemporaryFolder(TemporaryFolder &&other) noexcept
    : path(std::exchange(other.path, {})) {}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  if (!path.empty())
    std::filesystem::remove_all(path, error);
}
