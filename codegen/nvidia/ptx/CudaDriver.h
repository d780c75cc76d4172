// CudaDriver.h - kernels on a real GPU
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The few calls of the CUDA driver API that a launch needs, found by dlopen, so
// that building and starting need neither CUDA nor a GPU.
//
//===----------------------------------------------------------------------===//

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_CUDADRIVER_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_CUDADRIVER_H

#include "codegen/nvidia/ptx/PtxVersion.h"
#include "codegen/nvidia/ptx/TensorMap.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace heddle::ptx {

/// The driver's entry points; defined in CudaDriver.cpp.
struct CudaApi;

/// What a launch needs besides the parameters.
struct CudaLaunch {
  std::string entry;
  std::array<uint32_t, 3> grid = {1, 1, 1};
  std::array<uint32_t, 3> block = {1, 1, 1};
  /// Zeros: what the kernel itself requires, or no cluster.
  std::array<uint32_t, 3> cluster = {0, 0, 0};
  uint64_t dynamicShared = 0;
  bool isCooperative = false;
  /// Programmatic dependent launch.
  bool usesDependentLaunch = false;
};

/// Times of repeated launches, in milliseconds.
struct CudaTiming {
  double median = 0;
  double least = 0;
  double most = 0;
};

/// The first GPU of this machine with its primary context.
class CudaDevice {
public:
  /// Fails, with a sentence, where there is no driver or no GPU.
  static Result<CudaDevice> open();
  CudaDevice(CudaDevice &&) noexcept;
  ~CudaDevice();

  /// The marketing name, such as `NVIDIA H100 80GB HBM3`.
  const std::string &name() const { return deviceName; }
  /// The number in sm_NN.
  unsigned sm() const { return smNumber; }
  /// The newest CUDA that the driver supports.
  VersionNumber cuda() const { return cudaVersion; }

  /// Allocates device memory and copies `bytes` there. Freed with the device.
  Result<uint64_t> upload(std::span<const uint8_t> bytes);
  /// Overwrites device memory.
  Result<Done> write(uint64_t address, std::span<const uint8_t> bytes);
  /// Copies device memory back.
  Result<Done> read(uint64_t address, std::span<uint8_t> bytes);

  /// Makes the hardware's form of a tensor map.
  Result<std::array<std::byte, 128>> encode(const TensorMap &map);

  /// Loads a cubin, or PTX text, which the driver compiles.
  Result<Done> load(std::span<const uint8_t> image);

  /// Launches once and waits. `block` holds the parameters at `offsets`.
  Result<Done> launch(const CudaLaunch &launch, std::span<std::byte> block,
                      std::span<const uint64_t> offsets);

  /// Launches `repeats` times, each timed by its own pair of events.
  Result<CudaTiming> time(const CudaLaunch &launch, std::span<std::byte> block,
                          std::span<const uint64_t> offsets, unsigned repeats);

private:
  CudaDevice();
  Result<Done> check(int code, const char *what) const;
  Result<void *> prepare(const CudaLaunch &launch);
  int enqueue(const CudaLaunch &launch, void *function,
              std::span<std::byte> block, std::span<const uint64_t> offsets);

  std::unique_ptr<CudaApi> api;
  std::string deviceName;
  unsigned smNumber = 0;
  VersionNumber cudaVersion;
  void *module = nullptr;
  std::vector<uint64_t> allocations;
};

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_CUDADRIVER_H
