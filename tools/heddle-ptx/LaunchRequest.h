// LaunchRequest.h - what run and launch are asked to do
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_TOOLS_HEDDLE_PTX_LAUNCHREQUEST_H
#define HEDDLE_TOOLS_HEDDLE_PTX_LAUNCHREQUEST_H

#include "codegen/nvidia/ptx/KernelSource.h"
#include "tools/heddle-ptx/CommandLine.h"

namespace heddle::ptx {

/// The part of the help text that both commands share.
extern const char *const launchHelp;

/// The options that both commands share; each adds its own.
std::vector<OptionSpec> launchOptions(std::span<const OptionSpec> more);

/// One launch, read and checked as far as this needs neither interpreter nor
/// GPU.
struct LaunchRequest {
  std::optional<PtxSource> ptx;
  std::optional<CubinSource> cubin;
  std::string entry;
  std::array<uint32_t, 3> grid = {1, 1, 1};
  std::array<uint32_t, 3> block = {1, 1, 1};
  /// Zeros: as the kernel says.
  std::array<uint32_t, 3> cluster = {0, 0, 0};
  uint64_t dynamicShared = 0;
  bool isCooperative = false;
  bool usesDependentLaunch = false;
  std::vector<ParameterSlot> slots;
  KernelArguments arguments;

  /// The file that the kernel's code is in, for messages.
  const std::string &path() const { return ptx ? ptx->path : cubin->path; }
};

/// Reads the kernel, the arguments and their files that `line` names.
Result<LaunchRequest> readLaunchRequest(const CommandLine &line);

/// `X,Y,Z`.
std::string formatExtents(const std::array<uint32_t, 3> &extents);

} // namespace heddle::ptx

#endif // HEDDLE_TOOLS_HEDDLE_PTX_LAUNCHREQUEST_H
