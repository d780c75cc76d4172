// Occupancy.cpp - how many blocks of a kernel fit on a multiprocessor
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Occupancy.h"

using namespace heddle::ptx;

namespace {

constexpr uint64_t kib = 1024;

constexpr MultiprocessorLimits table[] = {
    // sm, warps, blocks, registers, shared memory: multiprocessor and block
    {70, 64, 32, 65536, 96 * kib, 96 * kib},
    {75, 32, 16, 65536, 64 * kib, 64 * kib},
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

/// What a block of `bytes` takes of the shared memory, with what the system
/// keeps there since sm_80.
static uint64_t sharedOfBlock(const MultiprocessorLimits &limits,
                              uint64_t bytes) {
  return limits.sm < 80 ? roundUp(bytes, 256) : roundUp(bytes + kib, 128);
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
    if (blocks == occupancy.blocks)
      occupancy.limit += std::string(", ") + limit;
    if (blocks >= occupancy.blocks)
      return;
    occupancy.blocks = static_cast<unsigned>(blocks);
    occupancy.limit = limit;
  };
  lower(limits.maxWarps / warps, "warps");
  if (demand.registers > 0)
    lower(blocksByRegisters(limits, demand.registers, warps), "registers");
  if (uint64_t shared = sharedOfBlock(limits, demand.sharedBytes))
    lower(limits.sharedBytes / shared, "shared memory");
  occupancy.warps = occupancy.blocks * warps;
  occupancy.share = double(occupancy.warps) / limits.maxWarps;
  return occupancy;
}
