//===- Occupancy.cpp - how many blocks of a kernel fit on a multiprocessor
//--===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/nvidia/ptx/Occupancy.h"

using namespace heddle::ptx;

namespace {

constexpr uint64_t kib = 1024;

constexpr MultiprocessorLimits table[] = {
    // sm, warps, blocks, registers, shared memory: multiprocessor and block
    {80, 64, 32, 65536, 164 * kib, 163 * kib},
    {86, 48, 16, 65536, 100 * kib, 99 * kib},
    {87, 48, 16, 65536, 164 * kib, 163 * kib},
    {89, 48, 24, 65536, 100 * kib, 99 * kib},
    {90, 64, 32, 65536, 228 * kib, 227 * kib},
    {100, 64, 32, 65536, 228 * kib, 227 * kib},
    {103, 64, 32, 65536, 228 * kib, 227 * kib},
    {110, 48, 24, 65536, 228 * kib, 227 * kib},
    {120, 48, 24, 65536, 100 * kib, 99 * kib},
    {121, 48, 24, 65536, 100 * kib, 99 * kib},
};

constexpr unsigned registerUnit = 256;
constexpr unsigned schedulers = 4;
constexpr uint64_t sharedUnit = 128;
/// Kept by the system in every block's shared memory since sm_80.
constexpr uint64_t sharedReserve = kib;

} // namespace

std::span<const MultiprocessorLimits> heddle::ptx::knownMultiprocessors() {
  return table;
}

const MultiprocessorLimits *heddle::ptx::findMultiprocessor(unsigned sm) {
  for (const MultiprocessorLimits &limits : table)
    if (limits.sm == sm)
      return &limits;
  return nullptr;
}

static uint64_t roundUp(uint64_t value, uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

/// Blocks that the register file holds.
static unsigned blocksByRegisters(const MultiprocessorLimits &limits,
                                  unsigned registers, unsigned warps) {
  auto perWarp =
      static_cast<unsigned>(roundUp(registers * warpSize, registerUnit));
  // Each scheduler has a quarter of the file, and a warp stays on one.
  unsigned residentWarps = limits.registers / schedulers / perWarp * schedulers;
  return residentWarps / warps;
}

Result<Occupancy>
heddle::ptx::computeOccupancy(const MultiprocessorLimits &limits,
                              const KernelDemand &demand) {
  if (demand.threads == 0 || demand.threads > maxBlockThreads)
    return refuse("expected a block of 1 to ", maxBlockThreads,
                  " threads, got ", demand.threads);
  if (demand.registers > maxThreadRegisters)
    return refuse("expected at most ", maxThreadRegisters,
                  " registers per thread, got ", demand.registers);
  if (demand.sharedBytes > limits.sharedBytesPerBlock)
    return refuse("expected at most ", limits.sharedBytesPerBlock,
                  " bytes of shared memory per block on sm_", limits.sm,
                  ", got ", demand.sharedBytes);

  unsigned warps = (demand.threads + warpSize - 1) / warpSize;
  Occupancy occupancy{limits.maxBlocks, 0, 0, "blocks"};
  auto lower = [&](uint64_t blocks, const char *limit) {
    if (blocks < occupancy.blocks) {
      occupancy.blocks = static_cast<unsigned>(blocks);
      occupancy.limit = limit;
    }
  };
  lower(limits.maxWarps / warps, "warps");
  if (demand.registers > 0)
    lower(blocksByRegisters(limits, demand.registers, warps), "registers");
  lower(limits.sharedBytes /
            roundUp(demand.sharedBytes + sharedReserve, sharedUnit),
        "shared memory");
  occupancy.warps = occupancy.blocks * warps;
  occupancy.share = double(occupancy.warps) / limits.maxWarps;
  return occupancy;
}
