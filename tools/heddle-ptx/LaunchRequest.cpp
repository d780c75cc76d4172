// LaunchRequest.cpp - what run and launch are asked to do
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/heddle-ptx/LaunchRequest.h"

#include "codegen/nvidia/ptx/Occupancy.h"

using namespace heddle::ptx;

const char *const heddle::ptx::launchHelp =
    R"(  --entry=NAME      the kernel (default: the only one)
  --grid=X,Y,Z      blocks; required
  --block=X,Y,Z     threads of a block (default: what .reqntid requires)
  --shared=BYTES    dynamic shared memory (0)
  --cluster=X,Y,Z   blocks of a cluster (default: what the PTX requires)
  --arg ARGUMENT    the kernel's arguments, in order
  --buffer NAME=in:FILE or NAME=out:FILE
                    a buffer that is not passed itself, for ptr: and map:

Arguments:
  in:FILE.npy            a buffer with these contents, passed by its address
  out:FILE.npy           the same, and the file is overwritten with the result
  NAME=in:FILE.npy       names the buffer
  128:i32  1e-5:f32      scalars of i8..i64, u8..u64, f16, bf16, f32, f64
  hex:00ff3c00           raw bytes in memory order, for structs
  ptr:NAME[+BYTES]       the address of a named buffer
  map:NAME,box=64x128[,type=bf16][,swizzle=none|32|64|128][,shape=AxB]
      [,stride=AxB][,oob=zero|nan]
                         a tensor map of a named buffer; lists outermost first,
                         in elements
bf16 is stored as uint16 and fp8 as uint8 bit patterns. A folder or .json file
of Triton takes the place of FILE: block, cluster, shared memory, scratch
pointers and tensor maps follow from it, and a tensor descriptor is one in: or
out: argument.
)";

std::vector<OptionSpec>
heddle::ptx::launchOptions(std::span<const OptionSpec> more) {
  std::vector<OptionSpec> options = {
      {"--entry"},       {"--grid"},        {"--block"},
      {"--shared"},      {"--cluster"},     {"--arg", true, true},
      {"--json", false}, {"--help", false}, {"--buffer", true, true},
  };
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

std::string heddle::ptx::formatExtents(const std::array<uint32_t, 3> &extents) {
  return std::to_string(extents[0]) + "," + std::to_string(extents[1]) + "," +
         std::to_string(extents[2]);
}

/// Parses the arguments and reads the files of their buffers.
static Result<KernelArguments> readArguments(const CommandLine &line) {
  std::vector<Argument> arguments;
  for (const std::string &text : line.values("--arg")) {
    Result<Argument> argument = parseArgument(text);
    if (!argument)
      return refuse("--arg: ", argument.failure().message);
    arguments.push_back(std::move(*argument));
  }
  std::vector<BufferArgument> buffers;
  for (const std::string &text : line.values("--buffer")) {
    Result<BufferArgument> buffer = parseBufferArgument(text);
    if (!buffer)
      return refuse("--buffer: ", buffer.failure().message);
    buffers.push_back(std::move(*buffer));
  }
  return loadArguments(arguments, buffers);
}

//===----------------------------------------------------------------------===//
// A .ptx or .cubin file
//===----------------------------------------------------------------------===//

/// A refusal of --entry, which may be missing, with the kernels that there are.
static Failure wrongEntry(const CommandLine &line, const std::string &path,
                          const std::string &known) {
  return refuse("'", path, "': expected --entry to be one of ",
                known.empty() ? "no kernels" : known, "; got ",
                line.has("--entry") ? "'" + line.value("--entry") + "'"
                                    : "none");
}

/// Finds the entry in PTX and takes parameters and block from it.
static Result<Done> choosePtxEntry(const CommandLine &line,
                                   LaunchRequest &request) {
  const Module &module = request.ptx->module;
  const Function *entry = module.findEntry(line.value("--entry"));
  if (!entry) {
    std::string known;
    for (const Function &function : module.functions)
      if (function.isEntry && function.hasBody)
        known += (known.empty() ? "" : ", ") + function.name;
    return wrongEntry(line, request.ptx->path, known);
  }
  request.entry = entry->name;
  request.slots = parameterSlots(*entry);
  request.block = entry->directives.reqntid;
  return Done{};
}

static Result<Done> chooseCubinEntry(const CommandLine &line,
                                     LaunchRequest &request) {
  std::string wanted = line.value("--entry"), known;
  const std::vector<CubinKernel> &kernels = request.cubin->cubin.kernels;
  for (const CubinKernel &kernel : kernels) {
    known += (known.empty() ? "" : ", ") + kernel.name;
    if (kernel.name != wanted && !(wanted.empty() && kernels.size() == 1))
      continue;
    request.entry = kernel.name;
    request.slots = parameterSlots(kernel);
    request.block = kernel.requiredBlock.value_or(request.block);
    return Done{};
  }
  return wrongEntry(line, request.cubin->path, known);
}

/// Takes block, cluster and shared memory from the options. `request.block` is
/// what the kernel requires, zeros for nothing.
static Result<Done> readShape(const CommandLine &line, LaunchRequest &request) {
  auto block = line.extents("--block");
  if (!block)
    return block.failure();
  if (*block && request.block[0] != 0 && **block != request.block)
    return refuse("--block: the kernel requires ", formatExtents(request.block),
                  ", got ", formatExtents(**block));
  if (!*block && request.block[0] == 0)
    return refuse("expected --block, since the kernel requires no block of ",
                  "its own");
  if (*block)
    request.block = **block;
  auto cluster = line.extents("--cluster");
  if (!cluster)
    return cluster.failure();
  if (*cluster)
    request.cluster = **cluster;
  auto shared = line.number("--shared", ~0u);
  if (!shared)
    return shared.failure();
  request.dynamicShared = shared->value_or(0);
  return Done{};
}

static Result<Done> readFileRequest(const CommandLine &line,
                                    const std::string &path,
                                    LaunchRequest &request) {
  Result<KernelSource> source = readKernelSource(path);
  if (!source)
    return source.failure();
  request.block = {0, 0, 0};
  if (auto *ptx = std::get_if<PtxSource>(&*source))
    request.ptx = std::move(*ptx);
  else
    request.cubin = std::move(std::get<CubinSource>(*source));
  if (auto chosen = request.ptx ? choosePtxEntry(line, request)
                                : chooseCubinEntry(line, request);
      !chosen)
    return chosen;
  return readShape(line, request);
}

//===----------------------------------------------------------------------===//
// Triton
//===----------------------------------------------------------------------===//

static Result<Done> readTritonRequest(const CommandLine &line,
                                      const std::string &path,
                                      LaunchRequest &request) {
  for (const char *option : {"--block", "--shared", "--cluster"})
    if (line.has(option))
      return refuse(option, ": follows from the .json of a Triton kernel");
  Result<TritonKernel> kernel = readTritonKernel(path, line.value("--entry"));
  if (!kernel)
    return kernel.failure();
  Result<TritonSource> source = readTritonSource(*kernel);
  if (!source)
    return source.failure();
  request.ptx = std::move(source->ptx);
  request.cubin = std::move(source->cubin);
  request.entry = kernel->name;
  request.block = {32 * kernel->numWarps, 1, 1};
  request.dynamicShared = kernel->shared;
  request.isCooperative = kernel->isCooperative;
  request.usesDependentLaunch = kernel->usesDependentLaunch;
  if (kernel->numCtas > 1)
    request.cluster = {kernel->numCtas, 1, 1};
  if (__builtin_mul_overflow(request.grid[0], kernel->numCtas,
                             &request.grid[0]))
    return refuse("--grid: too many blocks for clusters of ", kernel->numCtas);
  if (request.ptx) {
    request.slots = parameterSlots(*request.ptx->module.find(request.entry));
  } else {
    for (const CubinKernel &candidate : request.cubin->cubin.kernels)
      if (candidate.name == request.entry)
        request.slots = parameterSlots(candidate);
  }
  uint64_t blocks = uint64_t(request.grid[0]) * request.grid[1];
  if (__builtin_mul_overflow(blocks, request.grid[2], &blocks))
    return refuse("--grid: too many blocks");
  return bindTritonArguments(*kernel, source->signature, request.slots, blocks,
                             request.arguments);
}

Result<LaunchRequest> heddle::ptx::readLaunchRequest(const CommandLine &line) {
  Result<std::string> path =
      line.onlyPositional("one kernel file, or one folder of Triton");
  if (!path)
    return path.failure();
  LaunchRequest request;
  auto grid = line.extents("--grid");
  if (!grid)
    return grid.failure();
  if (!*grid)
    return refuse("expected --grid, got none");
  request.grid = **grid;
  Result<KernelArguments> arguments = readArguments(line);
  if (!arguments)
    return arguments.failure();
  request.arguments = std::move(*arguments);
  if (auto read = isTritonPath(*path) ? readTritonRequest(line, *path, request)
                                      : readFileRequest(line, *path, request);
      !read)
    return read.failure();
  if (auto checked = checkParameters(request.slots, request.arguments);
      !checked)
    return checked.failure();
  return request;
}
