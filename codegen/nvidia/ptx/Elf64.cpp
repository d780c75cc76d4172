// Elf64.cpp - checked view of a little-endian ELF64 file
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Elf64.h"

#include <algorithm>
#include <cstring>

using namespace heddle::ptx;

namespace {
constexpr uint64_t fileIsRelocatable = 1;
constexpr uint32_t sectionIsSymbolTable = 2;
constexpr uint32_t sectionHasNoBits = 8;
constexpr size_t headerSize = 64;
constexpr size_t sectionHeaderSize = 64;
constexpr size_t symbolSize = 24;
} // namespace

std::optional<ByteView> ByteView::slice(uint64_t offset, uint64_t count) const {
  if (offset > bytes.size() || count > bytes.size() - offset)
    return std::nullopt;
  return ByteView(bytes.subspan(offset, count));
}

std::optional<uint64_t> ByteView::read(uint64_t offset, unsigned width) const {
  std::optional<ByteView> field = slice(offset, width);
  if (!field)
    return std::nullopt;
  uint64_t value = 0;
  for (unsigned i = 0; i < width; ++i)
    value |= uint64_t(field->bytes[i]) << (8 * i);
  return value;
}

std::string_view ByteView::text(uint64_t offset) const {
  if (offset >= bytes.size())
    return {};
  constexpr size_t maxLength = 4096;
  auto rest = bytes.subspan(offset);
  rest = rest.first(std::min(rest.size(), maxLength));
  auto *start = reinterpret_cast<const char *>(rest.data());
  return {start, ::strnlen(start, rest.size())};
}

const ElfSection *Elf64::find(std::string_view name) const {
  auto found = sectionsByName.find(name);
  return found == sectionsByName.end() ? nullptr : &sections[found->second];
}

/// Reads section header `index`; its name is still an offset, which `nameAt`
/// receives.
static std::optional<ElfSection> readSection(ByteView file, uint64_t table,
                                             uint64_t index, uint64_t &nameAt) {
  auto header =
      file.slice(table + index * sectionHeaderSize, sectionHeaderSize);
  if (!header)
    return std::nullopt;
  ElfSection section;
  nameAt = *header->read(0, 4);
  section.type = static_cast<uint32_t>(*header->read(4, 4));
  section.flags = *header->read(8, 8);
  section.size = *header->read(32, 8);
  section.link = static_cast<uint32_t>(*header->read(40, 4));
  section.info = static_cast<uint32_t>(*header->read(44, 4));
  if (section.type != sectionHasNoBits) {
    auto data = file.slice(*header->read(24, 8), section.size);
    if (!data)
      return std::nullopt;
    section.data = *data;
  }
  return section;
}

static Result<Done> readSections(ByteView file, Elf64 &elf) {
  uint64_t table = *file.read(40, 8);
  uint64_t entrySize = *file.read(58, 2), count = *file.read(60, 2);
  uint64_t namesIndex = *file.read(62, 2);
  if (entrySize != sectionHeaderSize || table > file.size() ||
      namesIndex >= count)
    return refuse("the ELF section table is malformed");
  std::vector<uint64_t> nameOffsets(count);
  for (uint64_t i = 0; i < count; ++i) {
    auto section = readSection(file, table, i, nameOffsets[i]);
    if (!section)
      return refuse("ELF section ", i, " lies outside the file");
    elf.sections.push_back(*section);
  }
  for (uint64_t i = 0; i < count; ++i) {
    elf.sections[i].name = elf.sections[namesIndex].data.text(nameOffsets[i]);
    elf.sectionsByName.try_emplace(elf.sections[i].name, i);
  }
  return Done{};
}

static Result<Done> readSymbols(Elf64 &elf) {
  for (const ElfSection &table : elf.sections) {
    if (table.type != sectionIsSymbolTable)
      continue;
    if (table.link >= elf.sections.size())
      return refuse("the ELF symbol table names no string table");
    ByteView names = elf.sections[table.link].data;
    for (uint64_t at = 0; at + symbolSize <= table.size; at += symbolSize) {
      ElfSymbol symbol;
      symbol.name = names.text(*table.data.read(at, 4));
      symbol.info = static_cast<uint8_t>(*table.data.read(at + 4, 1));
      symbol.other = static_cast<uint8_t>(*table.data.read(at + 5, 1));
      symbol.section = static_cast<uint16_t>(*table.data.read(at + 6, 2));
      symbol.size = *table.data.read(at + 16, 8);
      elf.symbols.push_back(symbol);
    }
    return Done{};
  }
  return Done{};
}

Result<Elf64> heddle::ptx::parseElf64(std::span<const uint8_t> bytes) {
  ByteView file(bytes);
  constexpr uint8_t ident[] = {0x7f, 'E', 'L', 'F', /*64-bit*/ 2, /*little*/ 1};
  if (bytes.size() < headerSize ||
      !std::equal(std::begin(ident), std::end(ident), bytes.begin()))
    return refuse("not a little-endian ELF64 file");
  Elf64 elf;
  elf.isRelocatable = *file.read(16, 2) == fileIsRelocatable;
  elf.machine = static_cast<uint16_t>(*file.read(18, 2));
  elf.abiVersion = bytes[8];
  elf.flags = static_cast<uint32_t>(*file.read(48, 4));
  if (Result<Done> sections = readSections(file, elf); !sections)
    return sections.failure();
  if (Result<Done> symbols = readSymbols(elf); !symbols)
    return symbols.failure();
  return elf;
}
