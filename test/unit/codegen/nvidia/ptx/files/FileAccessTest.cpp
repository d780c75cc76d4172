// FileAccessTest.cpp - what can be written is known before the work is done.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/FileAccess.h"

#include <gtest/gtest.h>

using namespace heddle::ptx;

static std::string whyNotWritable(const std::string &path) {
  Result<Done> writable = checkWritable(path);
  return writable ? "" : writable.failure().message;
}

TEST(FileAccess, TellsWhatCanBeWritten) {
  Result<TemporaryFolder> folder = TemporaryFolder::create();
  ASSERT_TRUE(folder);
  std::string file = folder->file("c.npy"), missing = folder->file("no/c.npy");
  EXPECT_EQ(whyNotWritable(file), "");
  ASSERT_TRUE(writeTextFile(file, "old"));
  EXPECT_EQ(whyNotWritable(file), "");
  EXPECT_EQ(whyNotWritable(missing),
            "cannot write '" + missing + "': No such file or directory");
  EXPECT_FALSE(writeTextFile(missing, "new"));
  EXPECT_EQ(whyNotWritable("/dev/null"),
            "cannot write '/dev/null': it is not a regular file");
  Result<std::string> kept = readTextFile(file, 3);
  ASSERT_TRUE(kept);
  EXPECT_EQ(*kept, "old"); // asking changes nothing
}
