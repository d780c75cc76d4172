// KernelSource.cpp - files that hold kernels
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/KernelSource.h"

#include <algorithm>

using namespace heddle::ptx;

namespace {

constexpr uint64_t maxSourceSize = uint64_t(1) << 28;
/// What is printed of a text with many faults.
constexpr size_t maxDiagnostics = 20;

/// What a code file says of a kernel, to compare with Triton's metadata.
struct CodeFacts {
  const std::string &path;
  unsigned sm;
  std::optional<std::array<uint32_t, 3>> requiredBlock;
  std::vector<ParameterSlot> slots;
};

} // namespace

static Failure parseFailure(const std::vector<Diagnostic> &diagnostics,
                            const std::string &path) {
  Failure failure;
  failure.hasLocation = true;
  for (size_t i = 0; i < std::min(diagnostics.size(), maxDiagnostics); ++i)
    failure.message += (i ? "\n" : "") + diagnostics[i].format(path);
  return failure;
}

static Result<PtxSource> readPtx(const std::string &path, std::string text) {
  ParseResult parsed = parse(text, path);
  if (!parsed.module)
    return parseFailure(parsed.diagnostics, path);
  return PtxSource{path, std::move(text), std::move(*parsed.module)};
}

/// What kind of binary file that holds no kernel here `bytes` start like, with
/// what to do; null for text.
static const char *describeForeign(std::span<const uint8_t> bytes) {
  auto startsWith = [&](std::string_view magic) {
    return bytes.size() >= magic.size() &&
           std::equal(magic.begin(), magic.end(), bytes.begin(),
                      [](char a, uint8_t b) { return uint8_t(a) == b; });
  };
  if (startsWith("\x50\xed\x55\xba"))
    return "a fat binary; take its cubins out with 'cuobjdump -xelf all' or "
           "its PTX with 'cuobjdump -xptx all'";
  if (startsWith("\x7f"
                 "ELF"))
    return "an ELF file that is no cubin; take the cubins out of a host "
           "program with 'cuobjdump -xelf all'";
  if (startsWith("\x1f\x8b"))
    return "compressed with gzip";
  if (startsWith("!<arch>"))
    return "an archive of object files";
  return nullptr;
}

Result<KernelSource> heddle::ptx::readKernelSource(const std::string &path) {
  Result<Bytes> bytes = readFile(path, maxSourceSize);
  if (!bytes)
    return bytes.failure();
  if (isCubin(*bytes)) {
    Result<Cubin> cubin = parseCubin(*bytes);
    if (!cubin)
      return refuse("'", path, "': ", cubin.failure().message);
    return KernelSource(CubinSource{path, std::move(*bytes), *cubin});
  }
  if (const char *foreign = describeForeign(*bytes))
    return refuse("'", path, "': expected PTX text or a cubin, got ", foreign);
  Result<PtxSource> ptx =
      readPtx(path, std::string(bytes->begin(), bytes->end()));
  if (!ptx)
    return ptx.failure();
  return KernelSource(std::move(*ptx));
}

//===----------------------------------------------------------------------===//
// Triton
//===----------------------------------------------------------------------===//

static std::string formatBlock(const std::array<uint32_t, 3> &block) {
  return std::to_string(block[0]) + "," + std::to_string(block[1]) + "," +
         std::to_string(block[2]);
}

static Result<Done> checkCode(const TritonKernel &kernel,
                              const std::vector<TritonArgument> &signature,
                              const CodeFacts &code) {
  if (code.sm != kernel.sm)
    return refuse("'", kernel.jsonPath, "' is for sm_", kernel.sm, ", '",
                  code.path, "' for sm_", code.sm);
  std::array<uint32_t, 3> block = {32 * kernel.numWarps, 1, 1};
  if (code.requiredBlock && *code.requiredBlock != block)
    return refuse("'", kernel.jsonPath, "' says num_warps ", kernel.numWarps,
                  ", which is a block of ", formatBlock(block), "; '",
                  code.path, "' requires ", formatBlock(*code.requiredBlock));
  if (auto checked = checkTritonEntry(kernel, signature, code.slots); !checked)
    return refuse("'", code.path, "': ", checked.failure().message);
  return Done{};
}

static Failure missingSymbol(const TritonKernel &kernel,
                             const std::string &path,
                             const std::string &known) {
  return refuse("'", kernel.jsonPath, "' names the kernel '", kernel.name,
                "', '", path, "' has: ", known.empty() ? "none" : known);
}

/// The number in the `sm_90a` of a PTX module, or 0.
static unsigned smOfModule(const Module &module) {
  for (const std::string &target : module.targets)
    if (target.starts_with("sm_"))
      return static_cast<unsigned>(
          parseUnsigned(
              target.substr(3, target.find_first_not_of("0123456789", 3) - 3))
              .value_or(0));
  return 0;
}

static Result<Done> checkPtx(const TritonKernel &kernel,
                             const std::vector<TritonArgument> &signature,
                             const PtxSource &source) {
  const Function *entry = source.module.find(kernel.name);
  if (!entry || !entry->isEntry) {
    std::string known;
    for (const Function &function : source.module.functions)
      if (function.isEntry)
        known += (known.empty() ? "" : ", ") + function.name;
    return missingSymbol(kernel, source.path, known);
  }
  CodeFacts code{source.path, smOfModule(source.module), std::nullopt,
                 parameterSlots(*entry)};
  if (entry->directives.reqntid[0] != 0)
    code.requiredBlock = entry->directives.reqntid;
  return checkCode(kernel, signature, code);
}

static Result<Done> checkCubin(const TritonKernel &kernel,
                               const std::vector<TritonArgument> &signature,
                               const CubinSource &source) {
  std::string known;
  for (const CubinKernel &candidate : source.cubin.kernels) {
    known += (known.empty() ? "" : ", ") + candidate.name;
    if (candidate.name != kernel.name)
      continue;
    return checkCode(kernel, signature,
                     {source.path, source.cubin.sm, candidate.requiredBlock,
                      parameterSlots(candidate)});
  }
  return missingSymbol(kernel, source.path, known);
}

/// Reads one code file of the kernel into `source`.
static Result<Done> readCode(const std::string &path, TritonSource &source) {
  Result<KernelSource> code = readKernelSource(path);
  if (!code)
    return code.failure();
  if (auto *ptx = std::get_if<PtxSource>(&*code))
    source.ptx = std::move(*ptx);
  else
    source.cubin = std::move(std::get<CubinSource>(*code));
  return Done{};
}

Result<TritonSource> heddle::ptx::readTritonSource(const TritonKernel &kernel) {
  TritonSource source;
  if (kernel.ptxPath.empty() && kernel.cubinPath.empty())
    return refuse("expected a .ptx or a .cubin beside '", kernel.jsonPath,
                  "', got neither");
  for (const std::string &path : {kernel.ptxPath, kernel.cubinPath})
    if (!path.empty())
      if (auto read = readCode(path, source); !read)
        return read.failure();
  if (!kernel.ttirPath.empty()) {
    Result<std::string> ttir = readTextFile(kernel.ttirPath, maxSourceSize);
    if (!ttir)
      return ttir.failure();
    auto signature = parseTritonSignature(*ttir, kernel.name);
    if (!signature)
      return refuse("'", kernel.ttirPath, "': ", signature.failure().message);
    source.signature = std::move(*signature);
  }
  if (source.ptx)
    if (auto checked = checkPtx(kernel, source.signature, *source.ptx);
        !checked)
      return checked.failure();
  if (source.cubin)
    if (auto checked = checkCubin(kernel, source.signature, *source.cubin);
        !checked)
      return checked.failure();
  return source;
}
