// Subprocess.cpp - run a program and keep what it prints
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Subprocess.h"

#include "codegen/nvidia/ptx/FileAccess.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace heddle::ptx;

extern char **environ;

using Clock = std::chrono::steady_clock;

static constexpr size_t maxOutput = size_t(256) << 20;

/// Collects what can be read from `descriptor` until its end. Fails, with the
/// predicate of a sentence, where `limit` or `maxOutput` comes first.
static Result<std::string> drain(int descriptor, std::chrono::seconds limit) {
  std::string text;
  char buffer[4096];
  Clock::time_point end = Clock::now() + limit;
  for (;;) {
    auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    pollfd poll = {descriptor, POLLIN, 0};
    int ready =
        ::poll(&poll, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (ready == 0)
      return refuse("did not end within ", limit.count(), " s");
    ssize_t got = ready < 0 ? -1 : ::read(descriptor, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return text;
    text.append(buffer, static_cast<size_t>(got));
    if (text.size() > maxOutput)
      return refuse("printed more than ", maxOutput, " bytes");
  }
}

std::string ProcessOutput::describeEnd() const {
  std::string line = text.substr(0, std::min<size_t>(text.find('\n'), 200));
  return (status > 128 ? "was ended by signal " + std::to_string(status - 128)
                       : "ended with status " + std::to_string(status)) +
         (line.empty() ? "" : ": " + line);
}

Result<ProcessOutput>
heddle::ptx::runProgram(const std::string &program,
                        const std::vector<std::string> &arguments,
                        std::chrono::seconds limit) {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0)
    return refuse("cannot run '", program, "': ", std::strerror(errno));
  std::vector<char *> argv = {const_cast<char *>(program.c_str())};
  for (const std::string &argument : arguments)
    argv.push_back(const_cast<char *>(argument.c_str()));
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], 1);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], 2);
  pid_t child = 0;
  int error = ::posix_spawn(&child, program.c_str(), &actions, nullptr,
                            argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  if (error != 0) {
    ::close(pipe[0]);
    return refuse("cannot run '", program, "': ", std::strerror(error));
  }
  Result<std::string> text = drain(pipe[0], limit);
  ::close(pipe[0]);
  if (!text)
    ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR)
    continue;
  if (!text)
    return refuse("'", program, "' ", text.failure().message);
  ProcessOutput output;
  output.text = std::move(*text);
  output.status =
      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return output;
}

/// The folders that `findProgram` searches when no option is given.
static std::vector<std::string> searchFolders() {
  std::vector<std::string> folders;
  if (const char *path = std::getenv("PATH")) {
    std::istringstream list(path);
    for (std::string folder; std::getline(list, folder, ':');)
      if (!folder.empty())
        folders.push_back(folder);
  }
  for (const char *variable : {"CUDA_HOME", "CUDA_PATH", "CUDA_ROOT"})
    if (const char *root = std::getenv(variable); root && *root)
      folders.push_back(std::string(root) + "/bin");
  return folders;
}

Result<std::string> heddle::ptx::findProgram(const std::string &name,
                                             const std::string &option) {
  if (!option.empty()) {
    std::error_code error;
    std::string path = std::filesystem::is_directory(option, error)
                           ? option + "/" + name
                           : option;
    if (isExecutable(path))
      return path;
    return refuse("expected '", path, "' to be the program ", name,
                  ", got no executable file there");
  }
  for (const std::string &folder : searchFolders())
    if (isExecutable(folder + "/" + name))
      return folder + "/" + name;
  return refuse("cannot find the program ", name,
                " in PATH or in the bin folder of CUDA_HOME, CUDA_PATH or ",
                "CUDA_ROOT; name it with --", name);
}
