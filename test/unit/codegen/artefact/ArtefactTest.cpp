//===- ArtefactTest.cpp - what is written is what the runtime runs --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "TestFolder.h"

#include "heddle/runtime.h"

#include "llvm/Support/FileSystem.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>

using namespace llvm;
using namespace heddle;

namespace {

class ArtefactTest : public ::testing::Test {
protected:
  static ArrayRef<char> weightBytes() {
    static const float weight[4] = {1, -2, 0.5, 0};
    return ArrayRef(reinterpret_cast<const char *>(weight), sizeof weight);
  }

  /// Loads the module `path`, checks its weights' digests, and runs it.
  static void loadAndRun(const std::string &path) {
    heddle_load_options_t options = {};
    options.flags = HEDDLE_LOAD_CHECK_WEIGHTS;
    heddle_model_t *model = nullptr;
    ASSERT_EQ(heddle_model_load(path.c_str(), &options, &model), HEDDLE_OK)
        << heddle_last_error();
    heddle_context_t *context = nullptr;
    ASSERT_EQ(heddle_context_create(model, nullptr, &context), HEDDLE_OK)
        << heddle_last_error();
    float x[5] = {0, 1, 2, 3, 4};
    float y[5] = {};
    heddle_tensor_t input = {"x", x, {5}, 1, HEDDLE_F32};
    heddle_tensor_t output = {"y", y, {5}, 1, HEDDLE_F32};
    EXPECT_EQ(heddle_model_run(context, 0, &input, 1, &output, 1), HEDDLE_OK)
        << heddle_last_error();
    float weight[4] = {1, -2, 0.5, 0};
    for (int i = 0; i < 5; ++i)
      EXPECT_FLOAT_EQ(y[i], std::exp(x[i] * weight[i % 4]));
    heddle_context_release(context);
    heddle_model_release(model);
  }

  TestFolder folder;
  std::vector<char> object = readTestCode();
  Artefact artefact = makeTestArtefact(object, weightBytes());
};

} // namespace

TEST_F(ArtefactTest, SharedModuleRuns) {
  std::string path = folder.file("model.so");
  ASSERT_EQ(textOf(writeSharedModule(artefact, path)), "");
  EXPECT_EQ(folder.names(),
            (std::vector<std::string>{"model.so", "model.weights"}));
  loadAndRun(path);
}

TEST_F(ArtefactTest, ManifestSaysWhatItWasTold) {
  std::string path = folder.file("model.so");
  ASSERT_EQ(textOf(writeSharedModule(artefact, path)), "");
  heddle_load_options_t options = {};
  options.flags = HEDDLE_LOAD_INFO_ONLY;
  heddle_model_t *model = nullptr;
  ASSERT_EQ(heddle_model_load(path.c_str(), &options, &model), HEDDLE_OK);
  size_t size;
  auto *bytes = static_cast<const char *>(heddle_model_manifest(model, &size));
  auto *root = reinterpret_cast<const heddle_abi_manifest_t *>(bytes);
  EXPECT_STREQ(bytes + root->compiler.offset, "heddle test");
  EXPECT_STREQ(bytes + root->options.offset, "--target=cpu");
  EXPECT_STREQ(bytes + root->weights_name.offset, "model.weights");
  EXPECT_EQ(root->sources.count, 1u);
  EXPECT_EQ(root->kernels.count, 1u);
  EXPECT_STREQ(heddle_model_entry_name(model, 0), "main");
  heddle_tensor_info_t info;
  ASSERT_EQ(heddle_model_input_info(model, 0, 0, &info), HEDDLE_OK);
  EXPECT_STREQ(info.name, "x");
  EXPECT_STREQ(info.dims[0].symbol, "n");
  EXPECT_EQ(info.dims[0].max, 100);
  heddle_model_release(model);
}

TEST_F(ArtefactTest, ExecutableCarriesTheModule) {
  std::string runner = folder.file("runner");
  std::error_code error;
  raw_fd_ostream(runner, error) << "#!/bin/sh\n";
  std::string path = folder.file("program");
  ASSERT_EQ(textOf(writeExecutable(artefact, runner, path)), "");
  EXPECT_TRUE(sys::fs::can_execute(path));
  EXPECT_TRUE(StringRef(readFile(path).data(), 10) == "#!/bin/sh\n");
  loadAndRun(path);
  EXPECT_NE(textOf(writeExecutable(artefact, folder.file("none"), path))
                .find("cannot read the runner program"),
            std::string::npos);
}

TEST_F(ArtefactTest, SameInputGivesSameBytes) {
  TestFolder other;
  artefact.threads = 1;
  ASSERT_EQ(textOf(writeSharedModule(artefact, folder.file("model.so"))), "");
  artefact.threads = 4;
  ASSERT_EQ(textOf(writeSharedModule(artefact, other.file("model.so"))), "");
  for (const char *name : {"model.so", "model.weights"})
    EXPECT_EQ(readFile(folder.file(name)), readFile(other.file(name))) << name;
}

TEST_F(ArtefactTest, NoWeightsNoFile) {
  artefact.weights.clear();
  ASSERT_EQ(textOf(writeSharedModule(artefact, folder.file("model.so"))), "");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"model.so"});
  heddle_model_t *model = nullptr;
  ASSERT_EQ(heddle_model_load(folder.file("model.so").c_str(), nullptr, &model),
            HEDDLE_OK)
      << heddle_last_error();
  heddle_model_release(model);
}

TEST_F(ArtefactTest, FailureLeavesNothing) {
  // 1. Code that cannot be linked.
  std::vector<char> noObject = {'n', 'o'};
  artefact.objects = {noObject};
  EXPECT_NE(textOf(writeSharedModule(artefact, folder.file("model.so")))
                .find("cannot link the kernels"),
            std::string::npos);
  EXPECT_EQ(folder.names(), std::vector<std::string>{});

  // 2. Weights that are too short for their panels.
  artefact.objects = {object};
  artefact.weights[0].panels = PanelLayout{2, 3, 2, false};
  EXPECT_EQ(textOf(writeSharedModule(artefact, folder.file("model.so"))),
            "weight 'w' expects 24 bytes to lay out in panels, got 16");
  EXPECT_EQ(folder.names(), std::vector<std::string>{});
}

TEST_F(ArtefactTest, PlacesThatCannotBeWritten) {
  EXPECT_EQ(textOf(writeSharedModule(artefact, folder.file("a.weights"))),
            "cannot write '" + folder.file("a.weights") +
                "': the weights file of the module would have the same name");
  EXPECT_EQ(textOf(writeSharedModule(artefact, "/dev/null")),
            "cannot write '/dev/null': it is not a regular file");
  EXPECT_NE(textOf(writeSharedModule(artefact, folder.file("none/model.so")))
                .find("No such file or directory"),
            std::string::npos);
  ASSERT_FALSE(sys::fs::create_directory(folder.file("model.so")));
  EXPECT_EQ(textOf(writeSharedModule(artefact, folder.file("model.so"))),
            "cannot write '" + folder.file("model.so") +
                "': it is not a regular file");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"model.so"});
}

TEST_F(ArtefactTest, ObjectAndAssembly) {
  ASSERT_EQ(textOf(writeObject(artefact.objects, folder.file("model.o"))), "");
  EXPECT_EQ(std::memcmp(readFile(folder.file("model.o")).data(), "\177ELF", 4),
            0);
  StringRef first = "one\n";
  StringRef second = "two\n";
  ASSERT_EQ(textOf(writeAssembly({ArrayRef(first.data(), first.size()),
                                  ArrayRef(second.data(), second.size())},
                                 folder.file("model.s"))),
            "");
  std::vector<char> text = readFile(folder.file("model.s"));
  EXPECT_EQ(StringRef(text.data(), text.size()), "one\ntwo\n");
}
