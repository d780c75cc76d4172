// SubprocessTest.cpp - programs that fail, hang or print without end.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Subprocess.h"

#include <gtest/gtest.h>

using namespace heddle::ptx;
using std::chrono::seconds;

static Result<ProcessOutput> shell(const std::string &script,
                                   seconds limit = seconds(30)) {
  return runProgram("/bin/sh", {"-c", script}, limit);
}

TEST(Subprocess, KeepsBothOutputsAndTheStatus) {
  Result<ProcessOutput> output = shell("echo one; echo two >&2; exit 3");
  ASSERT_TRUE(output) << output.failure().message;
  EXPECT_EQ(output->status, 3);
  EXPECT_EQ(output->text, "one\ntwo\n");
  EXPECT_EQ(output->describeEnd(), "ended with status 3: one");
}

TEST(Subprocess, NamesTheSignal) {
  Result<ProcessOutput> output = shell("kill -SEGV $$");
  ASSERT_TRUE(output) << output.failure().message;
  EXPECT_EQ(output->describeEnd(), "was ended by signal 11");
}

TEST(Subprocess, EndsAProgramThatHangs) {
  Result<ProcessOutput> output = shell("sleep 1000", seconds(1));
  ASSERT_FALSE(output);
  EXPECT_EQ(output.failure().message, "'/bin/sh' did not end within 1 s");
}

// A child that the program leaves behind keeps the pipe open.
TEST(Subprocess, EndsAProgramWhoseChildHangs) {
  Result<ProcessOutput> output = shell("sleep 5 & echo done", seconds(1));
  ASSERT_FALSE(output);
  EXPECT_EQ(output.failure().message, "'/bin/sh' did not end within 1 s");
}

TEST(Subprocess, EndsAProgramThatPrintsWithoutEnd) {
  Result<ProcessOutput> output = shell("yes");
  ASSERT_FALSE(output);
  EXPECT_EQ(output.failure().message,
            "'/bin/sh' printed more than 268435456 bytes");
}

TEST(Subprocess, RefusesWhatIsNoProgram) {
  Result<ProcessOutput> output = runProgram("/nowhere", {}, seconds(1));
  ASSERT_FALSE(output);
  EXPECT_EQ(output.failure().message,
            "cannot run '/nowhere': No such file or directory");
}
