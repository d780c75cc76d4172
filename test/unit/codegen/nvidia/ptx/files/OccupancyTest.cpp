// OccupancyTest.cpp - blocks per multiprocessor
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Occupancy.h"

#include <gtest/gtest.h>

#include <random>

#ifdef HEDDLE_CUDA_OCCUPANCY
#include <cuda_occupancy.h>
#endif

using namespace heddle::ptx;

namespace {
struct Row {
  unsigned sm, threads, registers;
  uint64_t shared;
  unsigned blocks;
};
} // namespace

// Numbers of NVIDIA's cuda_occupancy.h (CUDA 13.0) for the same demands.
TEST(Occupancy, AgreesWithNvidiasTable) {
  constexpr Row rows[] = {
      {80, 38, 180, 0, 4},      {80, 768, 59, 13850, 1},
      {80, 848, 193, 1249, 0},  {80, 391, 7, 17716, 4},
      {86, 257, 77, 0, 2},      {86, 30, 92, 18031, 5},
      {86, 100, 130, 12304, 3}, {89, 202, 90, 22623, 2},
      {89, 871, 38, 5030, 1},   {90, 701, 11, 4104, 2},
      {90, 781, 138, 3857, 0},  {100, 320, 23, 8112, 6},
      {100, 52, 175, 6356, 4},  {120, 69, 172, 19025, 2},
      {120, 359, 165, 0, 1},    {120, 774, 98, 15436, 0},
  };
  for (const Row &row : rows) {
    Result<Occupancy> occupancy = computeOccupancy(
        *findMultiprocessor(row.sm), {row.threads, row.registers, row.shared});
    ASSERT_TRUE(occupancy);
    EXPECT_EQ(occupancy->blocks, row.blocks)
        << "sm_" << row.sm << " " << row.threads << " threads";
  }
}

TEST(Occupancy, NamesTheLimit) {
  auto limitOf = [](KernelDemand demand) {
    return computeOccupancy(*findMultiprocessor(90), demand)->limit;
  };
  EXPECT_EQ(limitOf({32, 16, 0}), "blocks");
  EXPECT_EQ(limitOf({1024, 32, 0}), "warps, registers");
  EXPECT_EQ(limitOf({1024, 16, 0}), "warps");
  EXPECT_EQ(limitOf({256, 255, 0}), "registers");
  EXPECT_EQ(limitOf({256, 202, 196608}), "registers, shared memory");
  EXPECT_EQ(limitOf({128, 32, 100000}), "shared memory");
}

TEST(Occupancy, RefusesWhatCannotRun) {
  auto failureOf = [](KernelDemand demand) {
    auto occupancy = computeOccupancy(*findMultiprocessor(86), demand);
    return occupancy ? "accepted" : occupancy.failure().message;
  };
  EXPECT_EQ(failureOf({0, 1, 0}),
            "expected a block of 1 to 1024 threads, got 0");
  EXPECT_EQ(failureOf({1025, 1, 0}),
            "expected a block of 1 to 1024 threads, got 1025");
  EXPECT_EQ(failureOf({32, 256, 0}),
            "expected at most 255 registers per thread, got 256");
  EXPECT_EQ(failureOf({32, 32, 101377}),
            "expected at most 101376 bytes of shared memory per block on "
            "sm_86, got 101377");
  EXPECT_EQ(findMultiprocessor(20), nullptr);
}

#ifdef HEDDLE_CUDA_OCCUPANCY
static int nvidiasAnswer(const MultiprocessorLimits &limits,
                         const KernelDemand &demand) {
  cudaOccDeviceProp device;
  device.computeMajor = static_cast<int>(limits.sm / 10);
  device.computeMinor = static_cast<int>(limits.sm % 10);
  device.maxThreadsPerBlock = 1024;
  device.maxThreadsPerMultiprocessor = static_cast<int>(32 * limits.maxWarps);
  device.regsPerBlock = device.regsPerMultiprocessor = 65536;
  device.warpSize = 32;
  device.sharedMemPerBlock = 48 * 1024;
  device.sharedMemPerMultiprocessor = limits.sharedBytes;
  device.sharedMemPerBlockOptin = limits.sharedBytesPerBlock;
  device.reservedSharedMemPerBlock = limits.sm < 80 ? 0 : 1024;
  device.numSms = 1;
  cudaOccFuncAttributes function;
  function.maxThreadsPerBlock = 1024;
  function.numRegs = static_cast<int>(demand.registers);
  function.sharedSizeBytes = 0;
  function.partitionedGCConfig = PARTITIONED_GC_OFF;
  function.shmemLimitConfig = FUNC_SHMEM_LIMIT_OPTIN;
  function.maxDynamicSharedSizeBytes = demand.sharedBytes;
  function.numBlockBarriers = 1;
  cudaOccDeviceState state;
  state.carveoutConfig = SHAREDMEM_CARVEOUT_MAX_SHARED;
  cudaOccResult result;
  auto code = cudaOccMaxActiveBlocksPerMultiprocessor(
      &result, &device, &function, &state, static_cast<int>(demand.threads),
      demand.sharedBytes);
  return code == CUDA_OCC_SUCCESS ? result.activeBlocksPerMultiprocessor : -1;
}
#endif

TEST(Occupancy, AgreesWithNvidiasCalculator) {
#ifdef HEDDLE_CUDA_OCCUPANCY
  std::mt19937 random(1);
  for (const MultiprocessorLimits &limits : knownMultiprocessors())
    for (int round = 0; round < 20000; ++round) {
      uint64_t most = random() % 2 ? limits.sharedBytesPerBlock : 20000;
      KernelDemand demand = {1 + static_cast<unsigned>(random() % 1024),
                             1 + static_cast<unsigned>(random() % 255),
                             random() % (most + 1)};
      auto ours = computeOccupancy(limits, demand);
      ASSERT_TRUE(ours);
      ASSERT_EQ(static_cast<int>(ours->blocks), nvidiasAnswer(limits, demand))
          << "sm_" << limits.sm << ", " << demand.threads << " threads, "
          << demand.registers << " registers, " << demand.sharedBytes
          << " bytes";
    }
#else
  GTEST_SKIP() << "no CUDA toolkit with cuda_occupancy.h";
#endif
}
