// Elf64.h - checked view of a little-endian ELF64 file
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_ELF64_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_ELF64_H

#include "codegen/nvidia/ptx/FileAccess.h"

#include <optional>
#include <string_view>
#include <unordered_map>

namespace heddle::ptx {

/// Little-endian fields of a byte range; nothing past its end.
class ByteView {
public:
  ByteView() = default;
  explicit ByteView(std::span<const uint8_t> bytes) : bytes(bytes) {}

  size_t size() const { return bytes.size(); }
  /// The `count` bytes from `offset`, or nothing if they are not all there.
  std::optional<ByteView> slice(uint64_t offset, uint64_t count) const;
  /// The unsigned field of `width` bytes (at most 8) at `offset`.
  std::optional<uint64_t> read(uint64_t offset, unsigned width) const;
  /// The text from `offset` up to a zero byte or the end, at most 4096 bytes:
  /// a table without zero bytes must not cost its length for every name.
  std::string_view text(uint64_t offset) const;

private:
  std::span<const uint8_t> bytes;
};

struct ElfSection {
  std::string_view name;
  uint32_t type = 0;
  uint64_t flags = 0;
  uint32_t link = 0;
  uint32_t info = 0;
  /// Bytes in memory; a section without contents (SHT_NOBITS) has no `data`.
  uint64_t size = 0;
  ByteView data;
};

struct ElfSymbol {
  std::string_view name;
  uint8_t info = 0;
  uint8_t other = 0;
  uint16_t section = 0;
  uint64_t size = 0;

  bool isFunction() const { return (info & 0xf) == 2; }
};

/// The parts of an ELF64 file that describe code. Views point into the bytes
/// it was read from. See "ELF-64 Object File Format", version 1.5.
struct Elf64 {
  uint16_t machine = 0;
  /// Whether this is an object that a linker has yet to finish (ET_REL).
  bool isRelocatable = false;
  uint8_t abiVersion = 0;
  uint32_t flags = 0;
  std::vector<ElfSection> sections;
  std::vector<ElfSymbol> symbols;
  /// Index of the first section of each name.
  std::unordered_map<std::string_view, size_t> sectionsByName;

  /// The first section called `name`, or null.
  const ElfSection *find(std::string_view name) const;
};

Result<Elf64> parseElf64(std::span<const uint8_t> file);

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_ELF64_H
