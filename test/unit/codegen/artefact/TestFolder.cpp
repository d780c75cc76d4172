//===- TestFolder.cpp - a folder and files for a test ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "TestFolder.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include "gtest/gtest.h"

using namespace llvm;
using namespace heddle;

TestFolder::TestFolder() {
  EXPECT_FALSE(sys::fs::createUniqueDirectory("heddle-artefact-test", path));
}

TestFolder::~TestFolder() { sys::fs::remove_directories(path); }

std::string TestFolder::file(StringRef name) const {
  return (path + "/" + name).str();
}

std::vector<std::string> TestFolder::names() const {
  std::vector<std::string> result;
  std::error_code error;
  for (sys::fs::directory_iterator it(path, error), end; it != end && !error;
       it.increment(error))
    result.push_back(sys::path::filename(it->path()).str());
  llvm::sort(result);
  return result;
}

std::vector<char> heddle::readFile(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer) {
    ADD_FAILURE() << "cannot read " << path.str();
    return {};
  }
  StringRef bytes = (*buffer)->getBuffer();
  return std::vector<char>(bytes.begin(), bytes.end());
}

std::vector<char> heddle::readTestCode() { return readFile(TEST_CODE_OBJECT); }

Artefact heddle::makeTestArtefact(ArrayRef<char> object,
                                  ArrayRef<char> weight) {
  ModuleDim n = {HEDDLE_DIM_SYMBOL, 0};
  ModuleEntry entry;
  entry.name = "main";
  entry.planSymbol = "test_plan";
  entry.runSymbol = "test_run";
  entry.symbols = {{"n", 0, 100, 1}};
  entry.inputs = {{"x", HEDDLE_F32, {n}}};
  entry.outputs = {{"y", HEDDLE_F32, {n}}};
  entry.buffers = {{0, 0, 0}};
  entry.resultCount = 1;
  entry.dispatchCount = 1;

  Artefact artefact;
  artefact.objects = {object};
  artefact.manifest.compiler = "heddle test";
  artefact.manifest.options = "--target=cpu";
  artefact.manifest.target = "cpu";
  artefact.manifest.sources = {{"model.onnx", 3, {}}};
  artefact.manifest.entries = {entry};
  artefact.manifest.kernels = {"test_kernel"};
  artefact.weights = {{"w", HEDDLE_F32, weight, std::nullopt}};
  return artefact;
}

std::string heddle::textOf(Error error) {
  return error ? toString(std::move(error)) : "";
}
