// CudaDriver.cpp - kernels on a real GPU
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Types and numbers are those of the CUDA driver API reference, written down
// here because cuda.h comes only with a toolkit. Enumerations travel as int,
// handles as void *, and device addresses as uint64_t.
//
//===----------------------------------------------------------------------===//

#include "codegen/nvidia/ptx/CudaDriver.h"

#include <algorithm>
#include <cstring>

#include <dlfcn.h>

using namespace heddle::ptx;

namespace {

constexpr int attributeCapabilityMajor = 75;
constexpr int attributeCapabilityMinor = 76;
constexpr int functionMaxDynamicShared = 8;
constexpr int functionNonPortableCluster = 14;
constexpr int jitErrorLog = 5;
constexpr int jitErrorLogSize = 6;
constexpr int launchCooperative = 2;
constexpr int launchClusterDimension = 4;
constexpr int launchClusterPolicy = 5;
constexpr int launchDependent = 6;
constexpr int clusterPolicySpread = 1;
constexpr int promoteL2To128Bytes = 2;

/// CUlaunchAttribute.
struct LaunchAttribute {
  int id = 0;
  char pad[4] = {};
  union {
    char bytes[64];
    int number;
    uint32_t dimensions[3];
  } value = {};
};
static_assert(sizeof(LaunchAttribute) == 72);

/// CUlaunchConfig.
struct LaunchConfig {
  uint32_t grid[3];
  uint32_t block[3];
  uint32_t dynamicShared;
  void *stream;
  LaunchAttribute *attributes;
  uint32_t attributeCount;
};
static_assert(sizeof(LaunchConfig) == 56);

} // namespace

/// Every entry point with its symbol in libcuda. The `_v2` ones are what cuda.h
/// means by the name without it.
struct heddle::ptx::CudaApi {
  void *library = nullptr;
  int (*init)(unsigned) = nullptr;
  int (*driverGetVersion)(int *) = nullptr;
  int (*getErrorString)(int, const char **) = nullptr;
  int (*deviceGetCount)(int *) = nullptr;
  int (*deviceGet)(int *, int) = nullptr;
  int (*deviceGetName)(char *, int, int) = nullptr;
  int (*deviceGetAttribute)(int *, int, int) = nullptr;
  int (*primaryContextRetain)(void **, int) = nullptr;
  int (*primaryContextRelease)(int) = nullptr;
  int (*contextSetCurrent)(void *) = nullptr;
  int (*contextSynchronize)() = nullptr;
  int (*memoryAllocate)(uint64_t *, size_t) = nullptr;
  int (*memoryFree)(uint64_t) = nullptr;
  int (*copyToDevice)(uint64_t, const void *, size_t) = nullptr;
  int (*copyToHost)(void *, uint64_t, size_t) = nullptr;
  int (*moduleLoad)(void **, const void *, unsigned, int *, void **) = nullptr;
  int (*moduleUnload)(void *) = nullptr;
  int (*moduleGetFunction)(void **, void *, const char *) = nullptr;
  int (*functionSetAttribute)(void *, int, int) = nullptr;
  int (*launchKernel)(const LaunchConfig *, void *, void **, void **) = nullptr;
  int (*eventCreate)(void **, unsigned) = nullptr;
  int (*eventDestroy)(void *) = nullptr;
  int (*eventRecord)(void *, void *) = nullptr;
  int (*eventSynchronize)(void *) = nullptr;
  int (*eventElapsedTime)(float *, void *, void *) = nullptr;
  int (*tensorMapEncode)(void *, int, uint32_t, void *, const uint64_t *,
                         const uint64_t *, const uint32_t *, const uint32_t *,
                         int, int, int, int) = nullptr;

  Result<Done> open();

private:
  template <typename Function>
  void find(Function &function, const char *symbol) {
    function = reinterpret_cast<Function>(dlsym(library, symbol));
    if (!function && !missing)
      missing = symbol;
  }
  const char *missing = nullptr;
};

Result<Done> CudaApi::open() {
  library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return refuse("no CUDA driver on this machine: libcuda.so.1 cannot be ",
                  "loaded");
  find(init, "cuInit");
  find(driverGetVersion, "cuDriverGetVersion");
  find(getErrorString, "cuGetErrorString");
  find(deviceGetCount, "cuDeviceGetCount");
  find(deviceGet, "cuDeviceGet");
  find(deviceGetName, "cuDeviceGetName");
  find(deviceGetAttribute, "cuDeviceGetAttribute");
  find(primaryContextRetain, "cuDevicePrimaryCtxRetain");
  find(primaryContextRelease, "cuDevicePrimaryCtxRelease_v2");
  find(contextSetCurrent, "cuCtxSetCurrent");
  find(contextSynchronize, "cuCtxSynchronize");
  find(memoryAllocate, "cuMemAlloc_v2");
  find(memoryFree, "cuMemFree_v2");
  find(copyToDevice, "cuMemcpyHtoD_v2");
  find(copyToHost, "cuMemcpyDtoH_v2");
  find(moduleLoad, "cuModuleLoadDataEx");
  find(moduleUnload, "cuModuleUnload");
  find(moduleGetFunction, "cuModuleGetFunction");
  find(functionSetAttribute, "cuFuncSetAttribute");
  find(launchKernel, "cuLaunchKernelEx");
  find(eventCreate, "cuEventCreate");
  find(eventDestroy, "cuEventDestroy_v2");
  find(eventRecord, "cuEventRecord");
  find(eventSynchronize, "cuEventSynchronize");
  find(eventElapsedTime, "cuEventElapsedTime");
  // Since CUDA 12; only kernels with tensor maps need it.
  tensorMapEncode = reinterpret_cast<decltype(tensorMapEncode)>(
      dlsym(library, "cuTensorMapEncodeTiled"));
  if (missing)
    return refuse("the CUDA driver of this machine is too old: it has no ",
                  missing);
  return Done{};
}

CudaDevice::CudaDevice() : api(std::make_unique<CudaApi>()) {}
CudaDevice::CudaDevice(CudaDevice &&) noexcept = default;

CudaDevice::~CudaDevice() {
  if (!api)
    return;
  for (uint64_t address : allocations)
    api->memoryFree(address);
  if (module)
    api->moduleUnload(module);
  if (smNumber != 0)
    api->primaryContextRelease(0);
}

Result<Done> CudaDevice::check(int code, const char *what) const {
  if (code == 0)
    return Done{};
  const char *text = nullptr;
  api->getErrorString(code, &text);
  return refuse(what, " failed: ", text ? text : "unknown error", " (", code,
                ")");
}

Result<CudaDevice> CudaDevice::open() {
  CudaDevice device;
  CudaApi &api = *device.api;
  if (Result<Done> opened = api.open(); !opened)
    return opened.failure();
  int count = 0, handle = 0, version = 0, major = 0, minor = 0;
  if (auto done = device.check(api.init(0), "cuInit"); !done)
    return done.failure();
  if (api.deviceGetCount(&count) != 0 || count == 0 ||
      api.deviceGet(&handle, 0) != 0)
    return refuse("no NVIDIA GPU on this machine");
  char name[256] = {};
  void *context = nullptr;
  int code = api.driverGetVersion(&version);
  if (code == 0)
    code = api.deviceGetName(name, sizeof name - 1, handle);
  if (code == 0)
    code = api.deviceGetAttribute(&major, attributeCapabilityMajor, handle);
  if (code == 0)
    code = api.deviceGetAttribute(&minor, attributeCapabilityMinor, handle);
  if (code == 0)
    code = api.primaryContextRetain(&context, handle);
  if (auto done = device.check(code, "opening the GPU"); !done)
    return done.failure();
  device.deviceName = name;
  device.smNumber = static_cast<unsigned>(10 * major + minor);
  device.cudaVersion = {static_cast<unsigned>(version / 1000),
                        static_cast<unsigned>(version % 1000 / 10)};
  if (auto done =
          device.check(api.contextSetCurrent(context), "cuCtxSetCurrent");
      !done)
    return done.failure();
  return device;
}

Result<uint64_t> CudaDevice::upload(std::span<const uint8_t> bytes) {
  uint64_t address = 0;
  // The driver refuses to allocate nothing.
  size_t size = std::max<size_t>(bytes.size(), 1);
  if (auto done = check(api->memoryAllocate(&address, size), "cuMemAlloc");
      !done)
    return done.failure();
  allocations.push_back(address);
  if (auto done = write(address, bytes); !done)
    return done.failure();
  return address;
}

Result<Done> CudaDevice::write(uint64_t address,
                               std::span<const uint8_t> bytes) {
  if (bytes.empty())
    return Done{};
  return check(api->copyToDevice(address, bytes.data(), bytes.size()),
               "cuMemcpyHtoD");
}

Result<Done> CudaDevice::read(uint64_t address, std::span<uint8_t> bytes) {
  if (bytes.empty())
    return Done{};
  return check(api->copyToHost(bytes.data(), address, bytes.size()),
               "cuMemcpyDtoH");
}

Result<std::array<std::byte, 128>> CudaDevice::encode(const TensorMap &map) {
  if (!api->tensorMapEncode)
    return refuse("the CUDA driver of this machine is too old for tensor maps");
  alignas(64) std::array<std::byte, 128> bytes = {};
  int code = api->tensorMapEncode(
      bytes.data(), static_cast<int>(map.element), map.rank,
      reinterpret_cast<void *>(map.base), map.dims.data(), map.strides.data(),
      map.box.data(), map.elementStrides.data(), /*interleave=*/0,
      static_cast<int>(map.swizzle), promoteL2To128Bytes, map.fillNan);
  if (auto done = check(code, "cuTensorMapEncodeTiled"); !done)
    return done.failure();
  return bytes;
}

Result<Done> CudaDevice::load(std::span<const uint8_t> image) {
  // PTX must end in a zero byte; a cubin does not mind one more.
  std::vector<uint8_t> terminated(image.begin(), image.end());
  terminated.push_back(0);
  std::string log(4096, '\0');
  int options[] = {jitErrorLog, jitErrorLogSize};
  void *values[] = {log.data(), reinterpret_cast<void *>(log.size() - 1)};
  int code = api->moduleLoad(&module, terminated.data(), 2, options, values);
  auto done = check(code, "loading the kernel");
  log.resize(std::strlen(log.c_str()));
  if (!done && !log.empty())
    return refuse(done.failure().message, "; the driver's log: ", log);
  return done;
}

Result<void *> CudaDevice::prepare(const CudaLaunch &launch) {
  void *function = nullptr;
  int code = api->moduleGetFunction(&function, module, launch.entry.c_str());
  if (auto done = check(code, "finding the entry"); !done)
    return refuse("'", launch.entry, "': ", done.failure().message);
  code = api->functionSetAttribute(function, functionMaxDynamicShared,
                                   static_cast<int>(launch.dynamicShared));
  if (auto done = check(code, "asking for dynamic shared memory"); !done)
    return done.failure();
  // Clusters of more than eight blocks, which the kernel itself may require.
  if (smNumber >= 90) {
    code = api->functionSetAttribute(function, functionNonPortableCluster, 1);
    if (auto done = check(code, "asking for large clusters"); !done)
      return done.failure();
  }
  return function;
}

/// The attributes of `launch`, as the driver takes them.
static std::vector<LaunchAttribute> listAttributes(const CudaLaunch &launch) {
  std::vector<LaunchAttribute> attributes;
  auto add = [&](int id) -> LaunchAttribute & {
    LaunchAttribute &attribute = attributes.emplace_back();
    attribute.id = id;
    return attribute;
  };
  if (launch.isCooperative)
    add(launchCooperative).value.number = 1;
  if (launch.usesDependentLaunch)
    add(launchDependent).value.number = 1;
  if (launch.cluster[0] * launch.cluster[1] * launch.cluster[2] > 1) {
    LaunchAttribute &attribute = add(launchClusterDimension);
    std::copy(launch.cluster.begin(), launch.cluster.end(),
              attribute.value.dimensions);
    add(launchClusterPolicy).value.number = clusterPolicySpread;
  }
  return attributes;
}

int CudaDevice::enqueue(const CudaLaunch &launch, void *function,
                        std::span<std::byte> block,
                        std::span<const uint64_t> offsets) {
  std::vector<LaunchAttribute> attributes = listAttributes(launch);
  std::vector<void *> parameters;
  for (uint64_t offset : offsets)
    parameters.push_back(block.data() + offset);
  LaunchConfig config = {};
  std::copy(launch.grid.begin(), launch.grid.end(), config.grid);
  std::copy(launch.block.begin(), launch.block.end(), config.block);
  config.dynamicShared = static_cast<uint32_t>(launch.dynamicShared);
  config.attributes = attributes.data();
  config.attributeCount = static_cast<uint32_t>(attributes.size());
  return api->launchKernel(&config, function, parameters.data(), nullptr);
}

Result<Done> CudaDevice::launch(const CudaLaunch &launch,
                                std::span<std::byte> block,
                                std::span<const uint64_t> offsets) {
  Result<void *> function = prepare(launch);
  if (!function)
    return function.failure();
  if (auto done = check(enqueue(launch, *function, block, offsets),
                        "launching the kernel");
      !done)
    return done;
  return check(api->contextSynchronize(), "running the kernel");
}

Result<CudaTiming> CudaDevice::time(const CudaLaunch &launch,
                                    std::span<std::byte> block,
                                    std::span<const uint64_t> offsets,
                                    unsigned repeats) {
  Result<void *> function = prepare(launch);
  if (!function)
    return function.failure();
  void *start = nullptr, *end = nullptr;
  int code = api->eventCreate(&start, 0);
  if (code == 0)
    code = api->eventCreate(&end, 0);
  std::vector<double> times;
  while (code == 0 && times.size() < repeats) {
    float milliseconds = 0;
    code = api->eventRecord(start, nullptr);
    if (code == 0)
      code = enqueue(launch, *function, block, offsets);
    if (code == 0)
      code = api->eventRecord(end, nullptr);
    if (code == 0)
      code = api->eventSynchronize(end);
    if (code == 0)
      code = api->eventElapsedTime(&milliseconds, start, end);
    times.push_back(milliseconds);
  }
  for (void *event : {start, end})
    if (event)
      api->eventDestroy(event);
  if (auto done = check(code, "timing the kernel"); !done)
    return done.failure();
  std::sort(times.begin(), times.end());
  return CudaTiming{times[times.size() / 2], times.front(), times.back()};
}
