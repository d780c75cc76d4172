// runner_test.c - a program with a module behind it, as a user runs it.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// usage: runner_test RUNNER FIXTURE_CODE.so EMBED

#include <sys/stat.h>
#include <sys/wait.h>

#include "check.h"
#include "fixture.h"
#include "npy.h"

static const char *folder;
static char output[4096];

/// Runs a command in the folder of the test, keeps what it prints in `output`,
/// and returns its exit code.
static int run(const char *command) {
  char line[1024];
  snprintf(line, sizeof line, "cd %s && { %s; } 2>&1", folder, command);
  FILE *pipe = popen(line, "r");
  CHECK(pipe, "cannot run %s", line);
  size_t size = fread(output, 1, sizeof output - 1, pipe);
  output[size] = 0;
  int status = pclose(pipe);
  CHECK(WIFEXITED(status), "%s ended with status %d", line, status);
  return WEXITSTATUS(status);
}

static void expect(const char *command, int code, const char *text) {
  int actual = run(command);
  CHECK(actual == code, "%s: exit code %d, expected %d: %s", command, actual,
        code, output);
  CHECK(strstr(output, text), "%s: expected '%s' in '%s'", command, text,
        output);
}

/// The runner with the fixture's module behind it, as --emit=exe makes it.
static void install_program(const char *runner, const char *code) {
  fixture_bytes_t module = fixture_module(code);
  FILE *in = fopen(runner, "rb");
  const char *path = fixture_path(folder, "model");
  FILE *out = fopen(path, "wb");
  CHECK(in && out, "cannot copy %s", runner);
  char piece[4096];
  size_t count;
  while ((count = fread(piece, 1, sizeof piece, in)) > 0)
    CHECK(fwrite(piece, 1, count, out) == count, "cannot write %s", path);
  for (long end = ftell(out); end % 8; ++end)
    fputc(0, out);
  CHECK(fwrite(module.data, 1, module.size, out) == module.size,
        "cannot write %s", path);
  fclose(in);
  fclose(out);
  free(module.data);
  CHECK_INT(chmod(path, 0755), 0);
}

static void write_inputs(void) {
  float x[2][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}};
  int64_t picks[2] = {3, 0};
  int64_t bad_picks[2] = {3, 9};
  heddle_npy_error_t error;
  heddle_tensor_t tensor = {
      .data = x, .shape = {2, 4}, .rank = 2, .dtype = HEDDLE_F32};
  CHECK(heddle_npy_write(fixture_path(folder, "x.npy"), &tensor, &error), "%s",
        error.text);
  heddle_tensor_t indices = {
      .data = picks, .shape = {2}, .rank = 1, .dtype = HEDDLE_I64};
  CHECK(heddle_npy_write(fixture_path(folder, "picks.npy"), &indices, &error),
        "%s", error.text);
  indices.data = bad_picks;
  CHECK(heddle_npy_write(fixture_path(folder, "bad.npy"), &indices, &error),
        "%s", error.text);
}

static void test_outputs(void) {
  expect("./model --input x=x.npy --input=picks=picks.npy --output out "
         "--threads 2",
         0, "total float32 [8] -> out/total.npy");
  heddle_tensor_t picked;
  heddle_npy_error_t error;
  CHECK(
      heddle_npy_read(fixture_path(folder, "out/picked.npy"), &picked, &error),
      "%s", error.text);
  const float *values = picked.data;
  CHECK(values[0] == 4 * FIXTURE_SCALE && values[1] == 5 * FIXTURE_SCALE,
        "%f %f", (double)values[0], (double)values[1]);
  free(picked.data);
  expect("cd / && $OLDPWD/model --input x=$OLDPWD/x.npy --input "
         "picks=$OLDPWD/picks.npy",
         0, "picked float32 [2]");
}

static void test_mistakes(void) {
  expect("./model --help", 0, "usage: ./model --input NAME=FILE.npy");
  expect("./model", 1, "error: expects 2 inputs, got 0");
  expect("./model --input x", 1,
         "error: expects --input NAME=FILE.npy, got 'x'");
  expect("./model --input", 1, "expects --input NAME=FILE.npy, got ''");
  expect("./model --threads 0", 1, "expects --threads from 1 to 1024, got '0'");
  expect("./model --output", 1, "a value is missing after '--output'");
  expect("./model --speed", 1, "unknown argument '--speed'");
  expect("./model --entry train", 1, "error: there is no entry 'train'");
  expect("./model --input x=none.npy --input picks=picks.npy", 1,
         "error: 'none.npy' cannot be opened: No such file");
  expect("./model --input y=x.npy --input picks=picks.npy", 1,
         "error: there is no input 'y': expects 'x', 'picks'");
  expect("./model --input x=x.npy --input picks=bad.npy", 1,
         "node 'Gather_3' expects an index of a column, got 9");
  expect("./model --input x=x.npy --input picks=picks.npy --output no/such", 1,
         "error: cannot create the folder 'no/such'");
  expect("./model --weights none", 1, "cannot open the weights file 'none'");
}

int main(int argc, char **argv) {
  CHECK_INT(argc, 4);
  folder = fixture_folder();
  fixture_install(folder, argv[2]);
  install_program(argv[1], argv[2]);
  write_inputs();
  test_outputs();
  test_mistakes();

  char command[512];
  snprintf(command, sizeof command, "%s", argv[1]);
  expect(command, 1, "is not a heddle module, or its end is missing");
  snprintf(command, sizeof command, "%s fixture.so", argv[3]);
  expect(command, 0, "total: 1 dimensions");
  snprintf(command, sizeof command, "%s none.so", argv[3]);
  expect(command, 1, "error: cannot open 'none.so'");
  return 0;
}
