// npy_test.c - .npy files: what NumPy writes is read, the rest is refused.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "npy.h"

#include "check.h"
#include "fixture.h"

static const char *path;

/// Writes a .npy file of format `version` with this header text and
/// `data_size` bytes of data: 0, 1, 2, ...
static void write_file(uint8_t version, const char *header, size_t data_size) {
  uint8_t bytes[1024];
  size_t length = strlen(header);
  size_t used = 8;
  memcpy(bytes, "\x93NUMPY", 6);
  bytes[6] = version;
  bytes[7] = 0;
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
    bytes[used++] = (uint8_t)(length >> 8 * i);
  memcpy(bytes + used, header, length);
  used += length;
  for (size_t i = 0; i < data_size; ++i)
    bytes[used++] = (uint8_t)i;
  fixture_write(path, bytes, used);
}

static void expect_refused(const char *header, size_t data_size,
                           const char *text) {
  heddle_tensor_t tensor;
  heddle_npy_error_t error;
  write_file(1, header, data_size);
  CHECK(!heddle_npy_read(path, &tensor, &error), "read: %s", header);
  CHECK(strstr(error.text, text), "expected '%s' in '%s'", text, error.text);
}

/// The header that NumPy 2 writes for np.zeros((2, 3), np.float32), and a few
/// that other writers make.
static void test_read(void) {
  static const char *const headers[] = {
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }    \n",
      "{\"shape\":(2,3),\"fortran_order\":False,\"descr\":\"<f4\"}",
      " { 'shape' : ( 2 , 3 , ) , 'fortran_order' : False , 'descr' : '=f4' } ",
  };
  for (uint8_t version = 1; version <= 3; ++version)
    for (size_t i = 0; i < 3; ++i) {
      heddle_tensor_t tensor;
      heddle_npy_error_t error;
      write_file(version, headers[i], 24);
      CHECK(heddle_npy_read(path, &tensor, &error), "%s", error.text);
      CHECK_INT(tensor.rank, 2);
      CHECK_INT(tensor.shape[0], 2);
      CHECK_INT(tensor.shape[1], 3);
      CHECK_INT(tensor.dtype, HEDDLE_F32);
      CHECK_INT(((uint8_t *)tensor.data)[23], 23);
      free(tensor.data);
    }
}

static void test_bool_is_zero_or_one(void) {
  heddle_tensor_t tensor;
  heddle_npy_error_t error;
  write_file(1, "{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}", 3);
  CHECK(heddle_npy_read(path, &tensor, &error), "%s", error.text);
  CHECK(memcmp(tensor.data, "\0\1\1", 3) == 0, "not normalised");
  free(tensor.data);
}

static void test_refused(void) {
  expect_refused("{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", 4,
                 "is big-endian");
  expect_refused("{'descr': '<f4', 'fortran_order': True, 'shape': (1,)}", 4,
                 "is in column-major (Fortran) order, expects row-major");
  expect_refused("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", 8,
                 "has the type code '|O', expects a number or bool");
  expect_refused("{'descr': [('a', '<f4')], 'fortran_order': False, "
                 "'shape': (1,)}",
                 4, "holds records");
  expect_refused("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 7,
                 "has 7 bytes of data, its shape needs 8");
  expect_refused("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 9,
                 "has 9 bytes of data, its shape needs 8");
  expect_refused("{'descr': '<f4', 'fortran_order': False, 'shape': "
                 "(4611686018427387904, 4)}",
                 0, "has a shape of more bytes than can be counted");
  expect_refused("{'descr': '<f4', 'fortran_order': False, 'shape': "
                 "(99999999999999999999,)}",
                 0, "has a size that is no 64-bit number");
  expect_refused("{'descr': '<f4', 'fortran_order': False, 'shape': "
                 "(1, 1, 1, 1, 1, 1, 1, 1, 1)}",
                 4, "has more than 8 dimensions");
}

static void test_malformed_headers(void) {
  static const char *const headers[] = {
      "",
      "{",
      "{}",
      "[]",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
      "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
      "{'descr': '<f4', 'fortran_order': False}",
      "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': 1}",
      "{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}",
      "{'descr': '<f444444444444444444', 'fortran_order': False}",
  };
  for (size_t i = 0; i < sizeof headers / sizeof headers[0]; ++i)
    expect_refused(headers[i], 4, "has a header that is not NumPy's");
}

/// Every prefix of a good file, and every change of one byte, gets an answer.
static void test_damaged(void) {
  const char *header =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
  size_t size = 10 + strlen(header) + 24;
  uint8_t good[128];
  heddle_tensor_t tensor;
  heddle_npy_error_t error;
  write_file(1, header, 24);
  FILE *file = fopen(path, "rb");
  CHECK(file && fread(good, 1, size, file) == size, "cannot read %s", path);
  fclose(file);
  for (size_t i = 0; i < size; ++i) {
    fixture_write(path, good, i);
    CHECK(!heddle_npy_read(path, &tensor, &error), "read %zu bytes", i);
    for (int bit = 0; bit < 8; ++bit) {
      good[i] ^= (uint8_t)(1 << bit);
      fixture_write(path, good, size);
      if (heddle_npy_read(path, &tensor, &error))
        free(tensor.data);
      good[i] ^= (uint8_t)(1 << bit);
    }
  }
}

static void test_places(const char *folder) {
  heddle_tensor_t tensor;
  heddle_npy_error_t error;
  CHECK(!heddle_npy_read(fixture_path(folder, "none"), &tensor, &error),
        "read");
  CHECK(strstr(error.text, "No such file"), "%s", error.text);
  CHECK(!heddle_npy_read(folder, &tensor, &error), "read a folder");
  CHECK(strstr(error.text, "is not a regular file"), "%s", error.text);
  float value = 1;
  heddle_tensor_t scalar = {.data = &value, .dtype = HEDDLE_F32};
  CHECK(!heddle_npy_write(fixture_path(folder, "none/x.npy"), &scalar, &error),
        "written");
  CHECK(strstr(error.text, "cannot be written: No such file"), "%s",
        error.text);
}

/// What is written is read back, for every rank and dtype.
static void test_round_trip(void) {
  uint8_t data[256 * 8];
  for (size_t i = 0; i < sizeof data; ++i)
    data[i] = (uint8_t)(i & 1);
  for (int32_t rank = 0; rank <= HEDDLE_MAX_RANK; ++rank)
    for (int dtype = HEDDLE_F32; dtype <= HEDDLE_BOOL; ++dtype) {
      heddle_tensor_t tensor = {.data = data, .rank = rank, .dtype = dtype};
      size_t size = heddle_dtype_size(dtype);
      for (int32_t i = 0; i < rank; ++i) {
        tensor.shape[i] = 1 + i % 2;
        size *= (size_t)tensor.shape[i];
      }
      heddle_npy_error_t error;
      heddle_tensor_t back;
      CHECK(heddle_npy_write(path, &tensor, &error), "%s", error.text);
      CHECK(heddle_npy_read(path, &back, &error), "%s", error.text);
      CHECK_INT(back.rank, rank);
      CHECK_INT(back.dtype, dtype);
      CHECK(memcmp(back.shape, tensor.shape, sizeof back.shape) == 0, "shape");
      CHECK(memcmp(back.data, data, size) == 0, "data");
      free(back.data);
    }
}

/// numpy.save("x.npy", np.arange(6, dtype=np.float32).reshape(2, 3)), byte for
/// byte as NumPy 1.26 writes it.
static void test_bytes_of_numpy(void) {
  float values[6] = {0, 1, 2, 3, 4, 5};
  heddle_tensor_t tensor = {
      .data = values, .shape = {2, 3}, .rank = 2, .dtype = HEDDLE_F32};
  heddle_npy_error_t error;
  CHECK(heddle_npy_write(path, &tensor, &error), "%s", error.text);
  char expected[128];
  memset(expected, ' ', sizeof expected);
  memcpy(expected, "\x93NUMPY\x01\x00v\x00", 10);
  const char *text =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  memcpy(expected + 10, text, strlen(text));
  expected[127] = '\n';
  char actual[256];
  FILE *file = fopen(path, "rb");
  CHECK(file, "cannot open %s", path);
  CHECK_INT(fread(actual, 1, sizeof actual, file), 128 + sizeof values);
  fclose(file);
  CHECK(memcmp(actual, expected, 128) == 0, "the header differs");
  CHECK(memcmp(actual + 128, values, sizeof values) == 0, "the data differs");
}

int main(void) {
  const char *folder = fixture_folder();
  path = fixture_path(folder, "x.npy");
  test_read();
  test_bool_is_zero_or_one();
  test_refused();
  test_malformed_headers();
  test_damaged();
  test_places(folder);
  test_round_trip();
  test_bytes_of_numpy();
  return 0;
}
