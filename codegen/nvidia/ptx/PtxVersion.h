// PtxVersion.h - which toolkit and driver a PTX version needs
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_PTXVERSION_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_PTXVERSION_H

#include "codegen/nvidia/ptx/Result.h"

#include <compare>
#include <optional>
#include <string_view>

namespace heddle::ptx {

/// A `major.minor` number of PTX or of a CUDA toolkit.
struct VersionNumber {
  unsigned major = 0;
  unsigned minor = 0;

  std::string str() const {
    return std::to_string(major) + "." + std::to_string(minor);
  }
  auto operator<=>(const VersionNumber &) const = default;
};

/// The oldest and newest PTX versions that these tools know.
inline constexpr VersionNumber oldestPtx = {6, 0};
inline constexpr VersionNumber newestPtx = {9, 4};

/// The first CUDA toolkit that knows PTX `version`; a driver of at least that
/// CUDA version loads the PTX. From the release history of "PTX ISA", section
/// "PTX ISA Version Table".
std::optional<VersionNumber> toolkitForPtx(VersionNumber version);

/// The newest PTX that the assembler of CUDA `toolkit` accepts. For a toolkit
/// newer than the table, what the newest one in it accepts.
VersionNumber ptxOfToolkit(VersionNumber toolkit);

/// The Linux driver branch that CUDA `toolkit` shipped with, such as 580 for
/// 13.0; nothing where it is not known. From the "CUDA Toolkit and
/// Corresponding Driver Versions" tables of the release notes.
std::optional<unsigned> driverOfToolkit(VersionNumber toolkit);

/// Reads the first `.version M.N` directive of a PTX text, skipping comments.
std::optional<VersionNumber> findPtxVersion(std::string_view ptx);

/// Reads the first name after `.target`, such as `sm_90a`, skipping comments.
std::optional<std::string> findPtxTarget(std::string_view ptx);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_PTXVERSION_H
