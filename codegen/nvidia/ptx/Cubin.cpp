// Cubin.cpp - kernels and their resources in a cubin
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Cubin.h"

#include "codegen/nvidia/ptx/Elf64.h"

#include <algorithm>
#include <unordered_set>

using namespace heddle::ptx;

namespace {

constexpr uint16_t machineIsCuda = 190;
/// Set in a symbol's st_other for a kernel, as opposed to a device function.
constexpr uint8_t symbolIsEntry = 0x10;
/// From sm_90 on, the first bytes of a block's shared memory belong to the
/// system, and .nv.shared.* counts them.
constexpr uint64_t reservedSharedBytes = 1024;
constexpr const char *reservedSharedSymbol = ".nv.reservedSmem.offset0";
/// Where the flags of a kernel's section count its named barriers.
constexpr unsigned barrierShift = 20;

/// How the value of an attribute is stored.
enum AttributeFormat : uint8_t {
  formatNone = 1,
  formatByte = 2,
  formatHalf = 3,
  formatSized = 4,
};

/// EIATTR_* numbers.
enum AttributeKind : uint8_t {
  attributeMaxThreads = 0x05,
  attributeRequiredThreads = 0x10,
  attributeFrameSize = 0x11,
  attributeMinStackSize = 0x12,
  attributeParameter = 0x17,
  attributeRegisterCount = 0x2f,
  attributeBarrierCount = 0x4c,
};

/// One entry of a .nv.info section. `data` is the value's bytes.
struct Attribute {
  uint8_t kind = 0;
  ByteView data;
};

} // namespace

static Result<std::vector<Attribute>> parseAttributes(const ElfSection &info) {
  std::vector<Attribute> attributes;
  uint64_t at = 0;
  while (at < info.data.size()) {
    auto format = info.data.read(at, 1), kind = info.data.read(at + 1, 1);
    auto word = info.data.read(at + 2, 2);
    if (!word)
      return refuse("section ", info.name, " ends within an attribute");
    Attribute attribute;
    attribute.kind = static_cast<uint8_t>(*kind);
    if (*format == formatSized) {
      auto data = info.data.slice(at + 4, *word);
      if (!data)
        return refuse("section ", info.name, " ends within an attribute");
      attribute.data = *data;
      at += 4 + *word;
    } else if (*format >= formatNone && *format <= formatHalf) {
      attribute.data = *info.data.slice(at + 2, 2);
      at += 4;
    } else {
      return refuse("section ", info.name, " has an attribute of the unknown ",
                    "format ", *format);
    }
    attributes.push_back(attribute);
  }
  return attributes;
}

static std::optional<std::array<uint32_t, 3>> readDimensions(ByteView data) {
  std::array<uint32_t, 3> dimensions;
  for (unsigned i = 0; i < 3; ++i) {
    auto value = data.read(4 * i, 4);
    if (!value)
      return std::nullopt;
    dimensions[i] = static_cast<uint32_t>(*value);
  }
  return dimensions;
}

/// Reads the attributes of one kernel from its own .nv.info section.
static Result<Done> readKernelInfo(const ElfSection &info,
                                   CubinKernel &kernel) {
  auto attributes = parseAttributes(info);
  if (!attributes)
    return attributes.failure();
  // Parameters are listed last to first, each with its ordinal.
  std::vector<std::pair<uint64_t, CubinParameter>> parameters;
  for (const Attribute &attribute : *attributes) {
    const ByteView &data = attribute.data;
    if (attribute.kind == attributeMaxThreads) {
      kernel.maxBlock = readDimensions(data);
    } else if (attribute.kind == attributeRequiredThreads) {
      kernel.requiredBlock = readDimensions(data);
    } else if (attribute.kind == attributeBarrierCount) {
      kernel.barriers = static_cast<unsigned>(*data.read(0, 1));
    } else if (attribute.kind == attributeParameter) {
      auto ordinal = data.read(4, 2), offset = data.read(6, 2);
      auto packed = data.read(8, 4);
      if (!packed)
        return refuse("section ", info.name, " has a truncated parameter");
      parameters.emplace_back(
          *ordinal, CubinParameter{static_cast<unsigned>(*offset),
                                   static_cast<unsigned>(*packed >> 18)});
    }
  }
  std::sort(parameters.begin(), parameters.end(),
            [](auto &a, auto &b) { return a.first < b.first; });
  for (auto &[ordinal, parameter] : parameters)
    kernel.parameters.push_back(parameter);
  return Done{};
}

/// Reads what the file-wide .nv.info states per function symbol.
static Result<Done> readFileInfo(const Elf64 &elf, Cubin &cubin) {
  const ElfSection *info = elf.find(".nv.info");
  if (!info)
    return Done{};
  auto attributes = parseAttributes(*info);
  if (!attributes)
    return attributes.failure();
  std::unordered_map<std::string_view, CubinKernel *> kernels;
  for (CubinKernel &kernel : cubin.kernels)
    kernels.try_emplace(kernel.name, &kernel);
  for (const Attribute &attribute : *attributes) {
    auto symbol = attribute.data.read(0, 4), value = attribute.data.read(4, 4);
    if (!value || *symbol >= elf.symbols.size())
      continue;
    auto found = kernels.find(elf.symbols[*symbol].name);
    if (found == kernels.end())
      continue;
    CubinKernel *kernel = found->second;
    auto number = static_cast<unsigned>(*value);
    if (attribute.kind == attributeRegisterCount)
      kernel->registers = number;
    else if (attribute.kind == attributeFrameSize)
      kernel->frameBytes = number;
    else if (attribute.kind == attributeMinStackSize)
      kernel->stackBytes = number;
  }
  return Done{};
}

/// Reads the assembler's name and command line from the tool-kit note: three
/// words of note header, the owner's name, then a record whose strings follow a
/// table of 24 bytes.
static void readToolNote(const Elf64 &elf, Cubin &cubin) {
  const ElfSection *note = elf.find(".note.nv.tkinfo");
  if (!note)
    return;
  auto nameSize = note->data.read(0, 4);
  if (!nameSize)
    return;
  uint64_t record = 12 + ((*nameSize + 3) & ~uint64_t(3));
  constexpr unsigned wordsBeforeStrings = 6;
  auto stringsAt = [&](unsigned word) -> std::string_view {
    auto offset = note->data.read(record + 4 * word, 4);
    uint64_t strings = record + 4 * wordsBeforeStrings;
    return offset ? note->data.text(strings + *offset) : std::string_view();
  };
  cubin.assembler = stringsAt(3);
  std::string_view command = stringsAt(5);
  size_t option = command.find("-arch");
  size_t start =
      option == std::string_view::npos ? option : command.find("sm_", option);
  if (start != std::string_view::npos)
    cubin.architecture =
        command.substr(start, command.find_first_of(" ,", start) - start);
}

/// The target is in the ELF flags, too: the sm number in bits 8 to 15 from ABI
/// version 8 on (CUDA 13), in bits 0 to 7 before. Before, one more bit says
/// that the code is for this architecture only, as that for sm_90a is; from
/// version 8 on the exact target is in the tool-kit note.
static void readTarget(const Elf64 &elf, Cubin &cubin) {
  constexpr uint32_t onlyThisArchitecture = 0x800;
  bool isNew = elf.abiVersion >= 8;
  cubin.sm = (isNew ? elf.flags >> 8 : elf.flags) & 0xff;
  if (!isNew && cubin.architecture.empty())
    cubin.architecture = "sm_" + std::to_string(cubin.sm) +
                         (elf.flags & onlyThisArchitecture ? "a" : "");
}

/// The code of the kernel that `symbol` names, or null if it names none: then
/// its section is called after it.
static const ElfSection *findCode(const Elf64 &elf, const ElfSymbol &symbol) {
  if (!symbol.isFunction() || !(symbol.other & symbolIsEntry) ||
      symbol.section >= elf.sections.size())
    return nullptr;
  const ElfSection *code = elf.find(".text." + std::string(symbol.name));
  return code == &elf.sections[symbol.section] ? code : nullptr;
}

static Result<CubinKernel> readKernel(const Elf64 &elf, const ElfSymbol &symbol,
                                      const ElfSection &code,
                                      bool countsReserved) {
  CubinKernel kernel;
  kernel.name = symbol.name;
  kernel.codeBytes = symbol.size;
  // CUDA 13 states the barriers as an attribute, too.
  kernel.barriers = static_cast<unsigned>(code.flags >> barrierShift & 0x7f);
  if (const auto *info = elf.find(".nv.info." + kernel.name))
    if (Result<Done> read = readKernelInfo(*info, kernel); !read)
      return read.failure();
  if (const auto *shared = elf.find(".nv.shared." + kernel.name)) {
    uint64_t reserved =
        countsReserved ? std::min(shared->size, reservedSharedBytes) : 0;
    kernel.staticSharedBytes = shared->size - reserved;
  }
  return kernel;
}

bool heddle::ptx::isCubin(std::span<const uint8_t> file) {
  ByteView view(file);
  return view.read(0, 4) == 0x464c457f && view.read(18, 2) == machineIsCuda;
}

Result<Cubin> heddle::ptx::parseCubin(std::span<const uint8_t> file) {
  Result<Elf64> elf = parseElf64(file);
  if (!elf)
    return elf.failure();
  if (elf->machine != machineIsCuda)
    return refuse("expected an ELF file for an NVIDIA GPU (machine 190), got ",
                  "machine ", elf->machine);
  Cubin cubin;
  readToolNote(*elf, cubin);
  readTarget(*elf, cubin);
  bool countsReserved =
      !elf->isRelocatable &&
      std::any_of(elf->symbols.begin(), elf->symbols.end(), [](auto &symbol) {
        return symbol.name == reservedSharedSymbol;
      });
  std::unordered_set<const ElfSection *> seen;
  for (const ElfSymbol &symbol : elf->symbols) {
    const ElfSection *code = findCode(*elf, symbol);
    if (!code || !seen.insert(code).second)
      continue;
    Result<CubinKernel> kernel =
        readKernel(*elf, symbol, *code, countsReserved);
    if (!kernel)
      return kernel.failure();
    cubin.kernels.push_back(std::move(*kernel));
  }
  if (cubin.kernels.empty())
    return refuse("the cubin holds no kernel");
  if (Result<Done> read = readFileInfo(*elf, cubin); !read)
    return read.failure();
  return cubin;
}
