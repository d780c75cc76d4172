// NpyTest.cpp - .npy files, good and hostile
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Npy.h"

#include <gtest/gtest.h>

#include <numeric>

using namespace heddle::ptx;

/// A .npy file with the given header text and data.
static Bytes makeFile(unsigned version, const std::string &header,
                      const Bytes &data) {
  Bytes file = {0x93, 'N', 'U', 'M', 'P', 'Y', uint8_t(version), 0};
  for (unsigned i = 0; i < (version == 1 ? 2 : 4); ++i)
    file.push_back(static_cast<uint8_t>(header.size() >> (8 * i)));
  file.insert(file.end(), header.begin(), header.end());
  file.insert(file.end(), data.begin(), data.end());
  return file;
}

static std::string failureOf(unsigned version, const std::string &header,
                             const Bytes &data) {
  Result<NpyArray> array = parseNpy(makeFile(version, header, data));
  return array ? "accepted" : array.failure().message;
}

// The header text is what numpy 2.4 writes for numpy.arange(6, dtype='<u2')
// .reshape(2, 3).
static const std::string numpyHeader =
    "{'descr': '<u2', 'fortran_order': False, 'shape': (2, 3), }\n";

TEST(Npy, ReadsEveryVersion) {
  Bytes data(12);
  std::iota(data.begin(), data.end(), uint8_t(0));
  for (unsigned version : {1, 2, 3}) {
    Result<NpyArray> array = parseNpy(makeFile(version, numpyHeader, data));
    ASSERT_TRUE(array) << array.failure().message;
    EXPECT_EQ(array->type, (NpyType{'u', 2}));
    EXPECT_EQ(array->shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(array->data, data);
  }
}

TEST(Npy, ReadsScalarsVectorsAndEmptyArrays) {
  auto shapeOf = [](const char *shape, size_t bytes) {
    std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': ";
    Result<NpyArray> array =
        parseNpy(makeFile(1, header + shape + ", }", Bytes(bytes)));
    return array ? formatShape(array->shape) : array.failure().message;
  };
  EXPECT_EQ(shapeOf("()", 1), "scalar");
  EXPECT_EQ(shapeOf("(5,)", 5), "5");
  EXPECT_EQ(shapeOf("(0, 4)", 0), "0x4");
  EXPECT_EQ(shapeOf("(9223372036854775807, 0)", 0), "9223372036854775807x0");
}

TEST(Npy, WritesWhatNumpyWrites) {
  NpyArray array{{'f', 4}, {3}, Bytes(12, 7)};
  Bytes file = formatNpy(array);
  // numpy.save pads the header with spaces to a multiple of 64 bytes.
  std::string header =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }";
  header.append(128 - 10 - 1 - header.size(), ' ');
  header += '\n';
  EXPECT_EQ(file, makeFile(1, header, array.data));
  EXPECT_EQ(file.size() - array.data.size(), 128u);
}

TEST(Npy, RefusesWhatItCannotMean) {
  Bytes data(12);
  auto withDescr = [&](const std::string &descr) {
    return failureOf(1,
                     "{'descr': " + descr +
                         ", 'fortran_order': False, 'shape': (2, 3), }",
                     data);
  };
  EXPECT_EQ(withDescr("'|O'"),
            "the array holds pickled Python objects, which are not read");
  EXPECT_EQ(withDescr("'>u2'"),
            "expected little-endian elements, got big-endian '>u2'");
  EXPECT_EQ(withDescr("[('x', '<f4')]"),
            "expected a simple element type, got a structured one");
  EXPECT_EQ(withDescr("'<V2'"),
            "unsupported element type '<V2'; store bf16 as uint16 and fp8 as "
            "uint8 bit patterns");
  EXPECT_EQ(withDescr("'<c8'"),
            "unsupported element type '<c8'; store bf16 as uint16 and fp8 as "
            "uint8 bit patterns");
  EXPECT_EQ(failureOf(1,
                      "{'descr': '<u2', 'fortran_order': True, 'shape': (2, "
                      "3), }",
                      data),
            "expected C order, got Fortran order; save it with "
            "numpy.ascontiguousarray");
}

TEST(Npy, RefusesSizesThatLie) {
  auto withShape = [&](const std::string &shape) {
    return failureOf(
        1, "{'descr': '<u2', 'fortran_order': False, 'shape': " + shape + ", }",
        Bytes(12));
  };
  EXPECT_EQ(withShape("(2, 4)"),
            "an array of uint16 2x4 has 16 bytes, the file has 12");
  EXPECT_EQ(withShape("(5,)"),
            "an array of uint16 5 has 10 bytes, the file has 12");
  EXPECT_EQ(withShape("(4611686018427387904, 4)"),
            "an array of uint16 4611686018427387904x4 has too many bytes, the "
            "file has 12");
  EXPECT_EQ(withShape("(-1,)"), "expected 'shape' to be a tuple of at most 64 "
                                "non-negative integers");
  EXPECT_EQ(withShape("(6)"), "expected 'shape' to be a tuple of at most 64 "
                              "non-negative integers");
  EXPECT_EQ(withShape("(99999999999999999999,)"),
            "expected 'shape' to be a tuple of at most 64 non-negative "
            "integers");
}

TEST(Npy, RefusesBrokenHeaders) {
  EXPECT_EQ(failureOf(4, numpyHeader, Bytes(12)),
            "unsupported .npy version 4, expected 1, 2 or 3");
  EXPECT_EQ(failureOf(1, "import os", {}), "the header is not a dict");
  EXPECT_EQ(failureOf(1, "{'descr': '<u2'", {}),
            "the header's dict is not closed");
  EXPECT_EQ(failureOf(1, "{'descr': '<u2', }", {}),
            "the header lacks one of 'descr', 'fortran_order', 'shape'");
  EXPECT_EQ(failureOf(1, "{'evil': 1}", {}),
            "unknown key 'evil' in the header");
  Bytes lying = makeFile(1, numpyHeader, {});
  lying[8] = 0xff;
  lying[9] = 0xff;
  Result<NpyArray> array = parseNpy(lying);
  ASSERT_FALSE(array);
  EXPECT_EQ(array.failure().message,
            "the .npy header states 65535 bytes, the file has 60 after it");
  EXPECT_EQ(failureOf(2, std::string(70000, ' '), {}),
            "the .npy header has 70000 bytes, expected at most 65536");
}

// Every truncation and every one-byte change gives an array or a sentence.
TEST(Npy, SurvivesDamage) {
  Bytes file = makeFile(1, numpyHeader, Bytes(12));
  for (size_t size = 0; size < file.size(); ++size)
    EXPECT_FALSE(parseNpy(std::span(file).first(size)));
  for (size_t i = 0; i < file.size(); ++i)
    for (unsigned value : {0u, 1u, 0x27u, 0x28u, 0x7fu, 0xffu}) {
      Bytes damaged = file;
      damaged[i] = static_cast<uint8_t>(value);
      Result<NpyArray> array = parseNpy(damaged);
      EXPECT_TRUE(array || !array.failure().message.empty());
    }
}
