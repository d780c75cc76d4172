// KernelReport.h - facts of kernels as JSON
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `inspect` gathers everything into one JSON report and prints the text form
// from that, so the two cannot disagree. docs/ptx/inspect.md lists the keys. A
// fact that no tool here can state is the string "unknown", with the reason
// after a colon where there is more to say.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_TOOLS_HEDDLE_PTX_KERNELREPORT_H
#define HEDDLE_TOOLS_HEDDLE_PTX_KERNELREPORT_H

#include "codegen/nvidia/ptx/Cubin.h"
#include "codegen/nvidia/ptx/InstructionMix.h"
#include "codegen/nvidia/ptx/Module.h"
#include "codegen/nvidia/ptx/Ptxas.h"
#include "codegen/nvidia/ptx/TritonFolder.h"

#include <nlohmann/json.hpp>

namespace heddle::ptx {

using KernelFacts = nlohmann::ordered_json;

/// What the user asks about occupancy; absent means the kernel's own.
struct OccupancyQuestion {
  std::optional<unsigned> sm;
  std::optional<std::array<uint32_t, 3>> block;
  std::optional<uint64_t> dynamicShared;
};

/// Version, target, and what they need of toolkit and driver.
KernelFacts describeModule(const Module &module);
/// Target and assembler of a cubin.
KernelFacts describeCubin(const Cubin &cubin);

/// Parameters, directives, shared memory and instruction mix of a PTX entry.
KernelFacts describeEntry(const Module &module, const Function &entry);
/// Parameters and resources of a kernel in a cubin.
KernelFacts describeKernel(const CubinKernel &kernel);

/// Adds registers, stack and spills as ptxas reported them to the report of an
/// entry; "unknown" if `usage` is null.
void addUsage(KernelFacts &kernel, const PtxasUsage *usage);
/// The same from the kernel's machine code, which does not tell spills from
/// other local memory.
void addUsage(KernelFacts &kernel, const CubinKernel &code);
/// Adds the mix of the machine code; if `mix` is null, "unknown" with the
/// reason, if there is one.
void addMachineMix(KernelFacts &kernel, const InstructionMix *mix,
                   const std::string &reason);

/// Adds how many blocks fit on a multiprocessor of `sm`, or why that is not
/// known. The kernel's report must have its resources.
void addOccupancy(KernelFacts &kernel, unsigned sm,
                  const OccupancyQuestion &question);

/// What Triton's metadata says of a kernel.
KernelFacts describeTriton(const TritonKernel &kernel,
                           const std::vector<TritonArgument> &signature);

/// Writes a report as text for a reader.
std::string formatReport(const KernelFacts &report);

} // namespace heddle::ptx

#endif // HEDDLE_TOOLS_HEDDLE_PTX_KERNELREPORT_H
