//===- LinkerTest.cpp - exports, dependencies, determinism ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "TestFolder.h"

#include "llvm/Object/ELFObjectFile.h"

#include "gtest/gtest.h"

using namespace llvm;
using namespace heddle;

using ElfFile = object::ELFFile<object::ELF64LE>;

/// The strings of a shared object's dynamic entries with this tag.
static std::vector<std::string> dynamicStrings(ArrayRef<char> bytes,
                                               int64_t tag) {
  ElfFile file =
      cantFail(ElfFile::create(StringRef(bytes.data(), bytes.size())));
  auto entries = cantFail(file.dynamicEntries());
  const char *strings = nullptr;
  for (auto &entry : entries)
    if (entry.d_tag == ELF::DT_STRTAB)
      strings = reinterpret_cast<const char *>(
          cantFail(file.toMappedAddr(entry.getPtr())));
  std::vector<std::string> result;
  for (auto &entry : entries)
    if (entry.d_tag == tag)
      result.push_back(strings + entry.getVal());
  return result;
}

/// The names that a shared object exports.
static std::vector<std::string> exportedNames(ArrayRef<char> bytes) {
  auto buffer =
      MemoryBufferRef(StringRef(bytes.data(), bytes.size()), "module");
  auto file = cantFail(object::ELFObjectFile<object::ELF64LE>::create(buffer));
  std::vector<std::string> result;
  for (const object::ELFSymbolRef &symbol : file.getDynamicSymbolIterators())
    if (!(cantFail(symbol.getFlags()) & object::SymbolRef::SF_Undefined))
      result.push_back(cantFail(symbol.getName()).str());
  llvm::sort(result);
  return result;
}

TEST(Linker, ExportsAndDependencies) {
  std::vector<char> object = readTestCode();
  std::vector<char> module =
      cantFail(linkShared({ObjectBytes(object)}, {"test_plan", "test_run"}));
  EXPECT_EQ(exportedNames(module),
            (std::vector<std::string>{"test_plan", "test_run"}));
  // It calls expf and nothing of libc.
  EXPECT_EQ(dynamicStrings(module, ELF::DT_NEEDED),
            std::vector<std::string>{"libm.so.6"});
  EXPECT_EQ(dynamicStrings(module, ELF::DT_RUNPATH),
            std::vector<std::string>{});
}

TEST(Linker, Deterministic) {
  std::vector<char> object = readTestCode();
  std::vector<std::string> exports = {"test_plan", "test_run"};
  std::vector<char> first =
      cantFail(linkShared({ObjectBytes(object)}, exports));
  std::vector<char> second =
      cantFail(linkShared({ObjectBytes(object)}, exports));
  EXPECT_EQ(first, second);
  EXPECT_EQ(cantFail(linkRelocatable({ObjectBytes(object)})),
            cantFail(linkRelocatable({ObjectBytes(object)})));
}

TEST(Linker, Failures) {
  std::vector<char> object = readTestCode();
  std::vector<std::string> exports = {"test_plan", "test_run"};
  std::string twice =
      textOf(linkShared({ObjectBytes(object), ObjectBytes(object)}, exports)
                 .takeError());
  EXPECT_NE(twice.find("cannot link the kernels: ld.lld: error: duplicate "
                       "symbol: test_"),
            std::string::npos)
      << twice;

  std::vector<char> stranger = readFile(TEST_STRANGER_OBJECT);
  std::string unknown = textOf(
      linkShared({ObjectBytes(stranger)}, {"test_stranger"}).takeError());
  EXPECT_NE(unknown.find("undefined symbol: not_in_any_library"),
            std::string::npos)
      << unknown;

  // A failed link does not spoil the next one.
  cantFail(linkShared({ObjectBytes(object)}, exports));
}
