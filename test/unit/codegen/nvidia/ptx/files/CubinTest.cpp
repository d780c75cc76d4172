// CubinTest.cpp - resources from a cubin
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Cubin.h"
#include "codegen/nvidia/ptx/Elf64.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

using namespace heddle::ptx;

static Bytes sample() {
  Result<Bytes> file =
      readFile(HEDDLE_TEST_KERNELS "/resources.cubin", 1 << 20);
  return file ? *file : Bytes();
}

// The numbers are what `ptxas -v -arch=sm_90 resources.ptx` of CUDA 13.0
// printed when it made the file: 10 registers, 1 barrier, 64 bytes cumulative
// stack size, 368 bytes smem.
TEST(Cubin, ReadsResources) {
  Bytes file = sample();
  ASSERT_TRUE(isCubin(file));
  Result<Cubin> cubin = parseCubin(file);
  ASSERT_TRUE(cubin) << cubin.failure().message;
  EXPECT_EQ(cubin->sm, 90u);
  EXPECT_EQ(cubin->architecture, "sm_90");
  EXPECT_EQ(cubin->assembler, "Cuda compilation tools, release 13.0, V13.0.88");
  ASSERT_EQ(cubin->kernels.size(), 1u);
  const CubinKernel &kernel = cubin->kernels.front();
  EXPECT_EQ(kernel.name, "resources");
  EXPECT_EQ(kernel.registers, 10u);
  EXPECT_EQ(kernel.stackBytes, 64u);
  EXPECT_EQ(kernel.staticSharedBytes, 368u);
  EXPECT_EQ(kernel.barriers, 1u);
  EXPECT_EQ(kernel.maxBlock, (std::array<uint32_t, 3>{128, 1, 1}));
  EXPECT_FALSE(kernel.requiredBlock);
  ASSERT_EQ(kernel.parameters.size(), 3u);
  EXPECT_EQ(kernel.parameters[0].size, 8u);
  EXPECT_EQ(kernel.parameters[1].size, 12u);
  EXPECT_EQ(kernel.parameters[1].offset, 8u);
  EXPECT_EQ(kernel.parameters[2].size, 4u);
  EXPECT_EQ(kernel.parameters[2].offset, 20u);
}

/// Where the bytes of `text` are in `file`.
static size_t find(const Bytes &file, std::string_view text) {
  return size_t(
      std::search(file.begin(), file.end(), text.begin(), text.end()) -
      file.begin());
}

// The layout that ptxas 12.9 writes: the target in other bits of the flags, no
// note and no attribute with the barriers, which the section of the code
// counts.
TEST(Cubin, ReadsOlderLayout) {
  Bytes file = sample();
  file[8] = 7;
  file[48] = 90;
  file[49] = 0x0d; // 64-bit addresses, unified textures, this target only
  file[find(file, ".note.nv.tkinfo") + 1] = 'x';
  file[find(file, {"\x02\x4c", 2}) + 1] = 0x7f;
  Elf64 elf = *parseElf64(file);
  uint64_t table = *ByteView(file).read(40, 8);
  size_t index = size_t(elf.find(".text.resources") - elf.sections.data());
  file[table + 64 * index + 8 + 2] |= 3 << 4; // flags, from bit 20 on
  Result<Cubin> cubin = parseCubin(file);
  ASSERT_TRUE(cubin) << cubin.failure().message;
  EXPECT_EQ(cubin->sm, 90u);
  EXPECT_EQ(cubin->architecture, "sm_90a");
  EXPECT_EQ(cubin->assembler, "");
  EXPECT_EQ(cubin->kernels.front().barriers, 3u);
}

// Only the linker adds the first KiB of shared memory, the system's.
TEST(Cubin, ReadsRelocatableFiles) {
  Bytes file = sample();
  file[16] = 1;
  Result<Cubin> cubin = parseCubin(file);
  ASSERT_TRUE(cubin) << cubin.failure().message;
  EXPECT_EQ(cubin->kernels.front().staticSharedBytes, 368u + 1024u);
}

// Symbols without code of their own are no kernels, however many there are.
TEST(Cubin, CountsAKernelOnce) {
  Bytes file = sample();
  Elf64 elf = *parseElf64(file);
  size_t table = 0, entry = 0;
  while (elf.sections[table].type != 2)
    ++table;
  while (!elf.symbols[entry].isFunction() ||
         elf.symbols[entry].name != "resources")
    ++entry;
  // A table of a hundred thousand times the kernel's symbol, behind the rest.
  ByteView symbols = elf.sections[table].data;
  Bytes more;
  for (unsigned copy = 0; copy < 100000; ++copy)
    for (unsigned i = 0; i < 24; ++i)
      more.push_back(uint8_t(*symbols.read(24 * entry + i, 1)));
  auto write = [&](uint64_t at, uint64_t value) {
    for (unsigned i = 0; i < 8; ++i)
      file[at + i] = uint8_t(value >> 8 * i);
  };
  uint64_t header = *ByteView(file).read(40, 8) + 64 * table;
  write(header + 24, file.size());
  write(header + 32, more.size());
  file.insert(file.end(), more.begin(), more.end());
  Result<Cubin> cubin = parseCubin(file);
  ASSERT_TRUE(cubin) << cubin.failure().message;
  EXPECT_EQ(cubin->kernels.size(), 1u);
}

TEST(Cubin, RefusesOtherFiles) {
  Bytes text = {'.', 'v', 'e', 'r'};
  EXPECT_FALSE(isCubin(text));
  Result<Cubin> cubin = parseCubin(text);
  ASSERT_FALSE(cubin);
  EXPECT_EQ(cubin.failure().message, "not a little-endian ELF64 file");
  Bytes host = sample();
  host[18] = 62; // EM_X86_64
  EXPECT_FALSE(isCubin(host));
  cubin = parseCubin(host);
  ASSERT_FALSE(cubin);
  EXPECT_EQ(cubin.failure().message, "expected an ELF file for an NVIDIA GPU "
                                     "(machine 190), got machine 62");
}

// Damaged files give a cubin or a sentence, and never read outside the bytes;
// the sanitizer build checks the latter.
TEST(Cubin, SurvivesDamage) {
  const Bytes file = sample();
  for (size_t size = 0; size < file.size(); size += 7) {
    Result<Cubin> cubin = parseCubin(std::span(file).first(size));
    EXPECT_TRUE(cubin || !cubin.failure().message.empty());
  }
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    Bytes damaged = file;
    for (int change = 0; change < 4; ++change)
      damaged[random() % damaged.size()] = static_cast<uint8_t>(random());
    Result<Cubin> cubin = parseCubin(damaged);
    EXPECT_TRUE(cubin || !cubin.failure().message.empty());
  }
}
