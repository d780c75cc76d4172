// BlockLifetime.cpp - other blocks of a cluster may reach the shared memory of
// a block only while it runs. SPDX-License-Identifier: Apache-2.0 WITH
// LLVM-exception
//
// Nothing but barriers orders the start and the exit of a block with what the
// others do, so both are checked by the clocks, whatever the timing of the run
// (CUDA C++ Programming Guide, distributed shared memory).

#include "codegen/nvidia/ptx/Machine.h"

#include <algorithm>

namespace heddle::ptx {

static std::string nameOf(const Block &block) {
  return "the shared memory of block rank " + std::to_string(block.rank);
}

void Machine::noteRemote(Warp &warp, const Op &op, unsigned lane, Block &block,
                         uint64_t offset, bool isDirect) {
  if (&block == warp.block)
    return;
  // The clock of a warp is 1 when it starts.
  bool hasStarted = std::any_of(
      block.warps.begin(), block.warps.end(), [&](const auto &member) {
        return warp.clock.knowsExecuted(member->agent, 1);
      });
  uint64_t address = block.shared.address + offset;
  if (!hasStarted)
    find(FindingKind::Race, warp, op, lane, address,
         "reaches " + nameOf(block) +
             ", which may not have started: no barrier of the cluster lies "
             "before");
  else if (block.liveWarps == 0)
    find(FindingKind::Race, warp, op, lane, address,
         "reaches " + nameOf(block) + ", which has exited");
  if (!isDirect)
    return;
  if (block.remoteUses.size() <= warp.agent)
    block.remoteUses.resize(warp.agent + 1);
  block.remoteUses[warp.agent] = {warp.clock.of(warp.agent), indexOf(op),
                                  address};
}

void Machine::checkRemoteUses(const Block &block) {
  for (uint32_t agent = 0; agent < block.remoteUses.size(); ++agent) {
    const LastUse &use = block.remoteUses[agent];
    bool isKnown = std::any_of(
        block.warps.begin(), block.warps.end(), [&](const auto &member) {
          return member->clock.knowsExecuted(agent, use.clock);
        });
    if (isKnown)
      continue;
    for (const auto &other : block.cluster->blocks)
      for (const auto &warp : other->warps)
        if (warp->agent == agent)
          find(FindingKind::Race, *warp, program.code[use.op], 0, use.address,
               "reaches " + nameOf(block) +
                   ", which may have exited: no barrier of the cluster lies "
                   "behind");
  }
}

} // namespace heddle::ptx
