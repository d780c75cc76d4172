// Interpreter.cpp - checks a launch, decodes its kernel, and runs it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Interpreter.h"

#include "codegen/nvidia/ptx/Layout.h"
#include "codegen/nvidia/ptx/Machine.h"

#include <algorithm>
#include <new>

namespace heddle::ptx {

uint64_t AddressSpace::allocate(uint64_t bytes) {
  // A quarter of the size, at least 16 MiB, keeps neighbours out of reach.
  uint64_t address = next;
  uint64_t room = bytes + std::max<uint64_t>(bytes / 4, uint64_t(16) << 20);
  next += (room + 0xFFFFF) / 0x100000 * 0x100000;
  return address;
}

static std::string triple(const uint32_t *v) {
  return std::to_string(v[0]) + "," + std::to_string(v[1]) + "," +
         std::to_string(v[2]);
}

namespace {

/// The limits of CUDA's launch (Programming Guide, compute capability 9.0).
class LaunchCheck {
public:
  LaunchCheck(Launch &launch, const Function &entry, Report &report)
      : launch(launch), entry(entry), report(report) {}

  bool isFine() {
    checkShape();
    if (report.diagnostics.empty())
      checkCluster();
    checkParams();
    checkBuffers();
    return report.diagnostics.empty();
  }

private:
  void refuse(std::string text) {
    report.diagnostics.push_back({entry.where, std::move(text)});
  }

  void checkShape() {
    const uint64_t gridLimits[] = {0x7FFFFFFF, 65535, 65535};
    const uint64_t blockLimits[] = {1024, 1024, 64};
    for (unsigned d = 0; d < 3; ++d) {
      if (launch.grid[d] == 0 || launch.grid[d] > gridLimits[d])
        return refuse("expected a grid from 1,1,1 to 2147483647,65535,65535, "
                      "got " +
                      triple(launch.grid));
      if (launch.block[d] == 0 || launch.block[d] > blockLimits[d])
        return refuse("expected a block from 1,1,1 to 1024,1024,64, got " +
                      triple(launch.block));
    }
    uint64_t threads =
        uint64_t(launch.block[0]) * launch.block[1] * launch.block[2];
    if (threads > 1024)
      return refuse("expected at most 1024 threads in a block, got " +
                    std::to_string(threads));
    if (uint64_t(launch.grid[0]) * launch.grid[1] * launch.grid[2] > uint64_t(1)
                                                                         << 32)
      return refuse("grid of more than 2^32 blocks");
    const EntryDirectives &directives = entry.directives;
    uint64_t most = 1;
    for (unsigned d = 0; d < 3; ++d)
      most *= directives.maxntid[d];
    if (directives.maxntid[0] != 0 && threads > most)
      refuse("expected at most " + std::to_string(most) +
             " threads in a block (.maxntid), got " + std::to_string(threads));
    if (directives.reqntid[0] != 0 &&
        !std::equal(launch.block, launch.block + 3, directives.reqntid.begin()))
      refuse("expected a block of " + triple(directives.reqntid.data()) +
             " (.reqntid), got " + triple(launch.block));
  }

  void checkCluster() {
    const auto &required = entry.directives.reqnctapercluster;
    for (unsigned d = 0; d < 3; ++d) {
      uint32_t &size = launch.cluster[d];
      if (required[0] != 0 && size != 0 && size != required[d])
        return refuse("expected a cluster of " + triple(required.data()) +
                      " (.reqnctapercluster), got " + triple(launch.cluster));
      if (size == 0)
        size = required[0] != 0 ? required[d] : 1;
    }
    for (unsigned d = 0; d < 3; ++d)
      if (launch.cluster[d] == 0 || launch.cluster[d] > 16 ||
          launch.grid[d] % launch.cluster[d] != 0)
        return refuse("expected a grid that is a multiple of the cluster " +
                      triple(launch.cluster) + ", got " + triple(launch.grid));
    uint32_t blocks = launch.cluster[0] * launch.cluster[1] * launch.cluster[2];
    if (blocks > 16)
      refuse("expected at most 16 blocks in a cluster, got " +
             std::to_string(blocks));
  }

  void checkParams() {
    if (launch.params.size() != entry.paramBytes())
      refuse("expected " + std::to_string(entry.paramBytes()) +
             " bytes of parameters, got " +
             std::to_string(launch.params.size()));
  }

  void checkBuffers() {
    std::vector<const Buffer *> sorted;
    for (const Buffer &buffer : launch.buffers)
      sorted.push_back(&buffer);
    std::sort(sorted.begin(), sorted.end(),
              [](auto *a, auto *b) { return a->address < b->address; });
    for (size_t i = 0; i < sorted.size(); ++i) {
      const Buffer &buffer = *sorted[i];
      uint64_t end = buffer.address + buffer.bytes;
      if (end < buffer.address || end > variableWindow)
        refuse("buffer '" + buffer.name + "' has no device address");
      else if (i + 1 < sorted.size() && end > sorted[i + 1]->address)
        refuse("buffers '" + buffer.name + "' and '" + sorted[i + 1]->name +
               "' overlap");
    }
  }

  Launch &launch;
  const Function &entry;
  Report &report;
};

} // namespace

Report run(const Launch &given) {
  Report report;
  report.status = Status::Refused;
  auto refuse = [&](Location where, std::string text) {
    report.diagnostics.push_back({where, std::move(text)});
  };
  const Function *entry =
      given.module ? given.module->findEntry(given.entry) : nullptr;
  if (!entry) {
    refuse({}, given.entry.empty()
                   ? "expected a file with one entry, or its name"
                   : "there is no entry '" + given.entry + "'");
    return report;
  }
  try {
    Launch launch = given;
    if (!LaunchCheck(launch, *entry, report).isFine())
      return report;
    std::unique_ptr<Program> program =
        decode(*given.module, *entry, report.diagnostics);
    if (!program)
      return report;
    uint64_t shared =
        std::max(program->staticShared,
                 program->dynamicSharedOffset + launch.dynamicShared);
    if (launch.dynamicShared > launch.options.maxSharedPerBlock ||
        shared > launch.options.maxSharedPerBlock) {
      refuse(entry->where,
             "expected at most " +
                 std::to_string(launch.options.maxSharedPerBlock) +
                 " bytes of shared memory, got " + std::to_string(shared));
      return report;
    }
    uint64_t registers =
        program->movesRegisters
            ? uint64_t(registersAtLaunch(*program, launch.options)) *
                  launch.block[0] * launch.block[1] * launch.block[2]
            : 0;
    if (registers > registersOfBlock) {
      refuse(entry->where,
             "expected at most " + std::to_string(registersOfBlock) +
                 " registers in a block, got " + std::to_string(registers));
      return report;
    }
    if (launch.options.multiprocessors == 0 ||
        launch.options.threadsPerMultiprocessor < 32) {
      refuse({}, "expected a device with at least one multiprocessor");
      return report;
    }
    report.status = Status::Done;
    Machine(*program, launch, report).run();
  } catch (const std::bad_alloc &) {
    report.status = Status::Refused;
    refuse(entry->where, "not enough host memory for this launch");
  }
  return report;
}

std::vector<Diagnostic> checkCoverage(const Module &module) {
  std::vector<Diagnostic> diagnostics;
  for (const Function &function : module.functions)
    if (function.hasBody && function.isEntry)
      decode(module, function, diagnostics);
  return diagnostics;
}

uint64_t staticSharedBytes(const Module &module, const Function &entry) {
  return layoutShared(module, reachable(FunctionIndex(module), entry))
      .staticBytes;
}

} // namespace heddle::ptx
