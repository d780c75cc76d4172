// heddle-ptx.cpp - see, check and run GPU kernels without a GPU
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/heddle-ptx/CommandLine.h"

#include <cstdio>
#include <cstring>
#include <exception>
#include <new>

using namespace heddle::ptx;

static constexpr const char *help =
    R"(usage: heddle-ptx COMMAND ...

  inspect    what a .ptx, a .cubin or a Triton folder holds and needs
  assemble   PTX to a cubin with NVIDIA's ptxas
  run        run a kernel in the interpreter, with checks; needs no GPU
  launch     run a kernel on the GPU of this machine, with timing

Each command explains itself with --help. Exit codes: 0 done, 1 the input is at
fault, 2 a fault of ours, 3 a check found something, 77 no GPU here.

  heddle-ptx inspect kernel.ptx
  heddle-ptx assemble kernel.ptx -o kernel.cubin
  heddle-ptx run kernel.ptx --grid 4 --block 256 \
      --arg in:a.npy --arg in:b.npy --arg out:c.npy --arg 1000:i32
)";

namespace {

struct Command {
  const char *name;
  int (*run)(std::span<const std::string>);
};

constexpr Command commands[] = {
    {"inspect", inspectCommand},
    {"assemble", assembleCommand},
    {"run", runCommand},
    {"launch", launchCommand},
};

} // namespace

static int dispatch(const std::vector<std::string> &words) {
  if (words.empty()) {
    std::fputs(help, stderr);
    return exitRefused;
  }
  if (words[0] == "--help" || words[0] == "-h") {
    std::fputs(help, stdout);
    return exitClean;
  }
  for (const Command &command : commands)
    if (words[0] == command.name)
      return command.run(std::span(words).subspan(1));
  std::fprintf(stderr,
               "heddle-ptx: error: unknown command '%s', expected inspect, "
               "assemble, run or launch\n",
               words[0].c_str());
  return exitRefused;
}

int main(int argc, char **argv) {
  try {
    return dispatch(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::bad_alloc &) {
    std::fputs("heddle-ptx: error: the input needs more memory than this "
               "machine has\n",
               stderr);
    return exitRefused;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "heddle-ptx: internal error: %s\n", error.what());
    return exitInternal;
  }
}
