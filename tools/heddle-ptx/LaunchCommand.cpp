// LaunchCommand.cpp - heddle-ptx launch
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/CudaDriver.h"
#include "tools/heddle-ptx/LaunchRequest.h"

#include <cstdio>

#include <nlohmann/json.hpp>

using namespace heddle::ptx;
using Json = nlohmann::ordered_json;

static constexpr const char *usage =
    R"(usage: heddle-ptx launch FILE --grid=X,Y,Z [OPTION...] [--arg ARGUMENT]...

Runs a kernel on the first GPU of this machine, writes its outputs, and times
it. FILE is a .cubin, a .ptx (which the driver compiles), or a folder or .json
file of Triton. Needs NVIDIA's driver and nothing else.

)";

static constexpr const char *ownHelp =
    R"(
  --repeat=N        timed launches after the one that makes the outputs (20);
                    each is timed alone, and its contents of memory do not count
  --json            the result as JSON

  heddle-ptx launch add.cubin --grid 4 --block 256 \
      --arg in:a.npy --arg in:b.npy --arg out:c.npy --arg 1000:i32
  heddle-ptx launch ~/.triton/cache/ABC --grid 4 --repeat 100 --json \
      --arg in:x.npy --arg in:y.npy --arg out:o.npy --arg 1024:i32

Exit codes: 0 done, 1 refused, 77 no GPU on this machine.
)";

static constexpr OptionSpec ownOptions[] = {{"--repeat"}};

static CudaLaunch describeLaunch(const LaunchRequest &request) {
  CudaLaunch launch;
  launch.entry = request.entry;
  launch.grid = request.grid;
  launch.block = request.block;
  launch.cluster = request.cluster;
  launch.dynamicShared = request.dynamicShared;
  launch.isCooperative = request.isCooperative;
  launch.usesDependentLaunch = request.usesDependentLaunch;
  return launch;
}

/// Copies the results of output buffers back to the host.
static Result<Done> readBack(CudaDevice &device,
                             const std::vector<uint64_t> &addresses,
                             KernelArguments &arguments) {
  for (size_t i = 0; i < addresses.size(); ++i)
    if (arguments.buffers[i].isOutput)
      if (auto read =
              device.read(addresses[i], arguments.buffers[i].array.data);
          !read)
        return read;
  return Done{};
}

/// Runs the request once for its outputs, then `repeats` times for the time.
static Result<std::optional<CudaTiming>>
launchOn(CudaDevice &device, LaunchRequest &request, unsigned repeats) {
  std::vector<uint64_t> addresses;
  for (const HostBuffer &buffer : request.arguments.buffers) {
    Result<uint64_t> address = device.upload(buffer.array.data);
    if (!address)
      return address.failure();
    addresses.push_back(*address);
  }
  auto block =
      packParameters(request.slots, request.arguments, addresses,
                     [&](const TensorMap &map) { return device.encode(map); });
  if (!block)
    return block.failure();
  std::vector<uint64_t> offsets;
  for (const ParameterSlot &slot : request.slots)
    offsets.push_back(slot.offset);

  // The cubin is what was assembled and looked at; PTX is the second choice.
  std::string text = request.ptx ? request.ptx->text : std::string();
  std::span<const uint8_t> image =
      request.cubin ? std::span<const uint8_t>(request.cubin->bytes)
                    : std::span(reinterpret_cast<const uint8_t *>(text.data()),
                                text.size());
  if (auto loaded = device.load(image); !loaded)
    return refuse("'", request.cubin ? request.cubin->path : request.ptx->path,
                  "' on this GPU of sm_", device.sm(), " with CUDA ",
                  device.cuda().str(), ": ", loaded.failure().message);
  CudaLaunch launch = describeLaunch(request);
  if (auto launched = device.launch(launch, *block, offsets); !launched)
    return launched.failure();
  if (auto read = readBack(device, addresses, request.arguments); !read)
    return read.failure();
  if (repeats == 0)
    return std::optional<CudaTiming>();
  Result<CudaTiming> timing = device.time(launch, *block, offsets, repeats);
  if (!timing)
    return timing.failure();
  return std::optional(*timing);
}

static void print(const CommandLine &line, const CudaDevice &device,
                  const LaunchRequest &request, unsigned repeats,
                  const std::optional<CudaTiming> &timing) {
  if (line.has("--json")) {
    Json json;
    json["device"] = {{"name", device.name()},
                      {"sm", device.sm()},
                      {"cuda", device.cuda().str()}};
    json["entry"] = request.entry;
    json["grid"] = request.grid;
    json["block"] = request.block;
    json["repeats"] = repeats;
    if (timing)
      json["milliseconds"] = {{"median", timing->median},
                              {"least", timing->least},
                              {"most", timing->most}};
    std::printf("%s\n", json.dump(2).c_str());
    return;
  }
  std::printf("%s on %s (sm_%u, CUDA %s)", request.entry.c_str(),
              device.name().c_str(), device.sm(), device.cuda().str().c_str());
  if (timing)
    std::printf(": %.4f ms, median of %u (%.4f to %.4f)", timing->median,
                repeats, timing->least, timing->most);
  std::printf("\n");
}

int heddle::ptx::launchCommand(std::span<const std::string> words) {
  Result<CommandLine> line =
      CommandLine::parse(launchOptions(ownOptions), words);
  if (!line)
    return reportFailure("launch", line.failure());
  if (line->has("--help")) {
    std::printf("%s%s%s", usage, launchHelp, ownHelp);
    return exitClean;
  }
  auto repeat = line->number("--repeat", 1'000'000);
  if (!repeat)
    return reportFailure("launch", repeat.failure());
  auto repeats = static_cast<unsigned>(repeat->value_or(20));
  Result<LaunchRequest> request = readLaunchRequest(*line);
  if (!request)
    return reportFailure("launch", request.failure());
  Result<CudaDevice> device = CudaDevice::open();
  if (!device) {
    reportFailure("launch", device.failure());
    return exitNoDevice;
  }
  auto timing = launchOn(*device, *request, repeats);
  if (!timing)
    return reportFailure("launch", timing.failure());
  if (auto written = writeOutputs(request->arguments); !written)
    return reportFailure("launch", written.failure());
  print(*line, *device, *request, repeats, *timing);
  return exitClean;
}
