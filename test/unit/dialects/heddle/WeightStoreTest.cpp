//===- WeightStoreTest.cpp - the files that hold the weights --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "dialects/heddle/WeightStore.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/raw_ostream.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace heddle;

namespace {

class WeightStoreTest : public testing::Test {
protected:
  WeightStoreTest() { context.loadDialect<HeddleDialect>(); }

  /// A file that is removed at the end of the test.
  std::string writeFile(StringRef contents) {
    llvm::SmallString<128> path;
    int descriptor = -1;
    EXPECT_FALSE(
        llvm::sys::fs::createTemporaryFile("weights", "bin", descriptor, path));
    llvm::raw_fd_ostream(descriptor, /*shouldClose=*/true) << contents;
    removers.push_back(std::make_unique<llvm::FileRemover>(path));
    return path.str().str();
  }

  WeightAttr weight(StringRef file, int64_t offset, int64_t elements) {
    Type i8 = Builder(&context).getI8Type();
    return WeightAttr::get(file, offset, elements,
                           RankedTensorType::get({elements}, i8));
  }

  /// The bytes of a weight as text, or the diagnostic in brackets.
  std::string read(WeightAttr attribute) {
    std::string message;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      message = "[" + diagnostic.str() + "]";
    });
    auto bytes = store.bytes(
        attribute, [&] { return emitError(UnknownLoc::get(&context)); });
    return succeeded(bytes) ? std::string(bytes->begin(), bytes->end())
                            : message;
  }

  /// Opens a file; the error's text, empty on success.
  std::string open(StringRef name, const Twine &path) {
    llvm::Error error = store.openFile(name, path);
    return error ? llvm::toString(std::move(error)) : "";
  }

  MLIRContext context;
  WeightStore store;
  std::vector<std::unique_ptr<llvm::FileRemover>> removers;
};

TEST_F(WeightStoreTest, ReadsFiles) {
  EXPECT_EQ(open("a", writeFile("0123456789")), "");
  EXPECT_TRUE(store.contains("a"));
  EXPECT_FALSE(store.contains("b"));
  EXPECT_EQ(read(weight("a", 0, 10)), "0123456789");
  EXPECT_EQ(read(weight("a", 3, 4)), "3456");
  EXPECT_EQ(read(weight("a", 10, 0)), "");
}

TEST_F(WeightStoreTest, ChecksBounds) {
  EXPECT_EQ(open("a", writeFile("0123456789")), "");
  EXPECT_EQ(read(weight("a", 3, 8)),
            "[expects 8 bytes at offset 3 of weight file 'a', got a file of 10 "
            "bytes]");
  EXPECT_EQ(read(weight("a", INT64_MAX, 1)),
            "[expects 1 bytes at offset 9223372036854775807 of weight file "
            "'a', got a file of 10 bytes]");
  EXPECT_EQ(read(weight("b", 0, 1)),
            "[expects the weight file 'b' to be open]");
}

TEST_F(WeightStoreTest, OpensRegularFilesOnly) {
  EXPECT_EQ(open("none", "no/such/file"), "No such file or directory");
  EXPECT_EQ(open("folder", "."), "not a regular file");
  EXPECT_EQ(open("device", "/dev/zero"), "not a regular file");
  EXPECT_TRUE(store.files().empty());
}

TEST_F(WeightStoreTest, KeepsTheFirstFileOfAName) {
  EXPECT_EQ(open("a", writeFile("first")), "");
  EXPECT_EQ(open("a", writeFile("other")), "");
  EXPECT_EQ(read(weight("a", 0, 5)), "first");
}

TEST_F(WeightStoreTest, EmptyFile) {
  EXPECT_EQ(open("a", writeFile("")), "");
  EXPECT_EQ(read(weight("a", 0, 0)), "");
  EXPECT_EQ(store.files().size(), 1u);
}

TEST_F(WeightStoreTest, BytesInMemoryAreNoFile) {
  store.addBytes("memory", {'x', 'y'});
  EXPECT_EQ(read(weight("memory", 1, 1)), "y");
  store.release(store.contents("memory"));
  EXPECT_EQ(read(weight("memory", 0, 2)), "xy");
  EXPECT_TRUE(store.files().empty());
}

TEST_F(WeightStoreTest, ReleasedPagesCanBeReadAgain) {
  std::string contents(1 << 20, 'w');
  EXPECT_EQ(open("a", writeFile(contents)), "");
  store.release(store.contents("a"));
  store.release(store.contents("a").slice(1, 5000));
  EXPECT_EQ(read(weight("a", 0, 1 << 20)), contents);
}

TEST_F(WeightStoreTest, DigestsOfFiles) {
  EXPECT_EQ(open("b", writeFile("abc")), "");
  EXPECT_EQ(open("a", writeFile("")), "");
  std::vector<WeightStore::FileRecord> files = store.files();
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].name, "a");
  EXPECT_EQ(files[1].name, "b");
  EXPECT_EQ(files[1].size, 3u);
  // FIPS 180-2, appendix B.1.
  EXPECT_EQ(llvm::toHex(files[1].sha256, /*LowerCase=*/true),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

} // namespace
