// Findings.cpp - reports of faults, each with its place.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Machine.h"

namespace heddle::ptx {

/// Findings kept apart; a kernel with more distinct faults is broken enough.
static constexpr size_t maxFindings = 200;

std::string_view spelling(FindingKind kind) {
  switch (kind) {
  case FindingKind::OutOfBounds:
    return "out-of-bounds";
  case FindingKind::Misaligned:
    return "misaligned";
  case FindingKind::UninitialisedMemory:
    return "uninitialised-memory";
  case FindingKind::UninitialisedRegister:
    return "uninitialised-register";
  case FindingKind::Race:
    return "race";
  case FindingKind::ProxyFence:
    return "proxy-fence";
  case FindingKind::AccumulatorInFlight:
    return "accumulator-in-flight";
  case FindingKind::AsyncNotAwaited:
    return "async-not-awaited";
  case FindingKind::MbarrierBytes:
    return "mbarrier-bytes";
  case FindingKind::MbarrierMisuse:
    return "mbarrier-misuse";
  case FindingKind::Divergence:
    return "divergence";
  case FindingKind::Deadlock:
    return "deadlock";
  case FindingKind::Descriptor:
    return "descriptor";
  case FindingKind::RegisterCount:
    return "register-count";
  case FindingKind::Layout:
    return "layout";
  case FindingKind::TensorMapInvalid:
    return "tensor-map-invalid";
  case FindingKind::ReadOnlyWrite:
    return "read-only-write";
  case FindingKind::Trap:
    return "trap";
  }
  return "?";
}

const Location &Machine::locationOf(const Op &op) const {
  return program.sources[op.source]->where;
}

static void unflatten(uint32_t flat, const uint32_t (&extent)[3],
                      uint32_t (&out)[3]) {
  out[0] = flat % extent[0];
  out[1] = flat / extent[0] % extent[1];
  out[2] = flat / extent[0] / extent[1];
}

void Machine::find(FindingKind kind, const Warp &warp, const Op &op,
                   unsigned lane, uint64_t address, std::string text) {
  // Faults of one line by one warp index count as one, whatever the block.
  auto key = std::tuple(kind, op.source, warp.index);
  auto [place, isNew] = findingIndex.try_emplace(key, report.findings.size());
  if (!isNew) {
    if (place->second < report.findings.size())
      ++report.findings[place->second].count;
    return;
  }
  if (report.findings.size() >= maxFindings)
    return;
  Finding finding;
  finding.kind = kind;
  finding.where = locationOf(op);
  for (unsigned d = 0; d < 3; ++d)
    finding.block[d] = warp.block->id[d];
  unflatten(warp.threadOf(lane), launch.block, finding.thread);
  finding.address = address;
  finding.text = "'" + program.sources[op.source]->mnemonic->text + "' " + text;
  report.findings.push_back(std::move(finding));
}

std::string Machine::describe(const Access &access) const {
  const Op &op = program.code[access.op];
  uint32_t warps =
      (launch.block[0] * launch.block[1] * launch.block[2] + warpSize - 1) /
      warpSize;
  const Cluster *cluster = nullptr;
  for (const auto &candidate : resident)
    if (candidate && candidate->number == access.cluster)
      cluster = candidate.get();
  uint32_t perBlock = agentKinds * warps;
  std::string who = "another block";
  if (cluster && access.agent < perBlock * cluster->blocks.size()) {
    const Block &block = *cluster->blocks[access.agent / perBlock];
    uint32_t agent = access.agent % perBlock;
    constexpr const char *kinds[] = {
        "warp ", "cp.async of warp ", "bulk store of warp ",
        "wgmma of the warpgroup of warp ", "bulk store of warp "};
    who = kinds[agent / warps] + std::to_string(agent % warps);
    if (cluster->blocks.size() > 1)
      who += " of block rank " + std::to_string(block.rank);
  } else if (cluster) {
    who = "a bulk copy";
  }
  return "'" + program.sources[op.source]->mnemonic->text + "' at line " +
         std::to_string(locationOf(op).line) + " by " + who;
}

} // namespace heddle::ptx
