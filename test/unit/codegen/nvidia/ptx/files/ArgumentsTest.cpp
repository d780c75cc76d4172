// ArgumentsTest.cpp - the language of --arg and --buffer
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Arguments.h"
#include "codegen/nvidia/ptx/KernelArguments.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace heddle::ptx;

/// The bytes of a scalar as hexadecimal digits in memory order, or the failure.
static std::string scalar(const std::string &text) {
  Result<Argument> argument = parseArgument(text);
  if (!argument)
    return argument.failure().message;
  std::string digits;
  for (uint8_t byte : std::get<ScalarArgument>(argument->value).bytes) {
    digits += "0123456789abcdef"[byte >> 4];
    digits += "0123456789abcdef"[byte & 15];
  }
  return digits;
}

static std::string failureOf(const std::string &text) {
  Result<Argument> argument = parseArgument(text);
  return argument ? "accepted" : argument.failure().message;
}

// Bit patterns are what numpy's float16, float32 and float64, and ml_dtypes'
// bfloat16 hold for the same texts.
TEST(Arguments, EncodesScalars) {
  EXPECT_EQ(scalar("128:i32"), "80000000");
  EXPECT_EQ(scalar("-1:i32"), "ffffffff");
  EXPECT_EQ(scalar("-128:i8"), "80");
  EXPECT_EQ(scalar("0:u64"), "0000000000000000");
  EXPECT_EQ(scalar("0xffffffffffffffff:u64"), "ffffffffffffffff");
  EXPECT_EQ(scalar("1e-5:f32"), "acc52737");
  EXPECT_EQ(scalar("0.1:f64"), "9a9999999999b93f");
  EXPECT_EQ(scalar("65504:f16"), "ff7b");
  EXPECT_EQ(scalar("1e-7:f16"), "0200");
  EXPECT_EQ(scalar("3e-8:f16"), "0100");
  EXPECT_EQ(scalar("0.1:f16"), "662e");
  EXPECT_EQ(scalar("-0:f16"), "0080");
  EXPECT_EQ(scalar("inf:f16"), "007c");
  EXPECT_EQ(scalar("0.1:bf16"), "cd3d");
  EXPECT_EQ(scalar("1e-40:bf16"), "0100");
  EXPECT_EQ(scalar("-inf:bf16"), "80ff");
  EXPECT_EQ(scalar("hex:00ff3c"), "00ff3c");
}

TEST(Arguments, RefusesScalarsThatDoNotFit) {
  std::string range = ": the value does not fit its type";
  EXPECT_EQ(failureOf("128:i8"), "'128:i8'" + range);
  EXPECT_EQ(failureOf("-1:u32"), "'-1:u32'" + range);
  EXPECT_EQ(failureOf("18446744073709551615:i64"),
            "'18446744073709551615:i64'" + range);
  EXPECT_EQ(failureOf("65520:f16"), "'65520:f16'" + range);
  EXPECT_EQ(failureOf("18446744073709551616:u64"),
            "'18446744073709551616:u64'" + range);
  for (std::string text : {"1e39:f32", "1e400:f32", "-1e400:f64", "1e400:f16",
                           "1e400:bf16", "0x1p2000:f64"})
    EXPECT_EQ(failureOf(text), "'" + text + "'" + range);
  EXPECT_EQ(failureOf("1.5:i32"),
            "'1.5:i32': expected an integer before the colon, got '1.5'");
  EXPECT_EQ(failureOf("one:f32"),
            "'one:f32': expected a number before the colon, got 'one'");
  EXPECT_EQ(failureOf("1:i12"),
            "'1:i12': expected a type i8 to i64, u8 to u64, f16, bf16, f32 or "
            "f64 after the colon, got 'i12'");
  EXPECT_EQ(failureOf("1:i0x8"),
            "'1:i0x8': expected a type i8 to i64, u8 to u64, f16, bf16, f32 or "
            "f64 after the colon, got 'i0x8'");
  EXPECT_EQ(failureOf("hex:abc"),
            "'hex:abc': expected an even number of hexadecimal digits after "
            "'hex:'");
  EXPECT_EQ(failureOf("42"),
            "expected in:FILE, out:FILE, NAME=in:FILE, NAME=out:FILE, "
            "VALUE:TYPE, hex:BYTES, ptr:NAME or map:NAME,..., got '42'");
}

TEST(Arguments, ReadsBuffers) {
  auto read = [](const std::string &text) {
    Result<Argument> argument = parseArgument(text);
    auto &buffer = std::get<BufferArgument>(argument->value);
    return buffer.name + "|" + buffer.path + (buffer.isOutput ? "|out" : "|in");
  };
  EXPECT_EQ(read("in:a.npy"), "|a.npy|in");
  EXPECT_EQ(read("out:/x/c.npy"), "|/x/c.npy|out");
  EXPECT_EQ(read("A=in:a.npy"), "A|a.npy|in");
  EXPECT_EQ(read("in:k=1.npy"), "|k=1.npy|in");
  EXPECT_EQ(failureOf("1A=in:a.npy"),
            "'1A=in:a.npy': expected a name of letters, digits, dots and "
            "underscores before '=', got '1A'");
  EXPECT_EQ(failureOf("in:"), "'in:': expected a .npy file after 'in:'");
  Result<BufferArgument> buffer = parseBufferArgument("in:a.npy");
  ASSERT_FALSE(buffer);
  EXPECT_EQ(buffer.failure().message,
            "expected NAME=in:FILE or NAME=out:FILE, got 'in:a.npy'");
}

TEST(Arguments, ReadsPointers) {
  Result<Argument> argument = parseArgument("ptr:A+0x10");
  ASSERT_TRUE(argument);
  EXPECT_EQ(std::get<PointerArgument>(argument->value).name, "A");
  EXPECT_EQ(std::get<PointerArgument>(argument->value).offset, 16u);
  EXPECT_EQ(failureOf("ptr:A+x"),
            "'ptr:A+x': expected ptr:NAME or ptr:NAME+BYTES");
}

TEST(Arguments, ReadsMaps) {
  Result<Argument> argument = parseArgument(
      "map:A,type=bf16,box=64x128,swizzle=128,shape=100x200,stride=256x1,"
      "oob=nan");
  ASSERT_TRUE(argument);
  auto &map = std::get<MapArgument>(argument->value);
  EXPECT_EQ(map.name, "A");
  EXPECT_EQ(map.element, TensorElement::BF16);
  EXPECT_EQ(map.box, (std::vector<uint64_t>{64, 128}));
  EXPECT_EQ(map.shape, (std::vector<uint64_t>{100, 200}));
  EXPECT_EQ(map.strides, (std::vector<uint64_t>{256, 1}));
  EXPECT_EQ(map.swizzle, TensorSwizzle::Bytes128);
  EXPECT_TRUE(map.fillNan);
}

TEST(Arguments, RefusesMaps) {
  EXPECT_EQ(failureOf("map:A"), "'map:A': expected a box=, got none");
  EXPECT_EQ(failureOf("map:A,box=8,box=8"),
            "'map:A,box=8,box=8': the key 'box' is given twice");
  EXPECT_EQ(failureOf("map:A,box=8x"),
            "'map:A,box=8x': box=: expected positive numbers such as 64x128, "
            "got '8x'");
  EXPECT_EQ(failureOf("map:A,box=8,swizzle=256"),
            "'map:A,box=8,swizzle=256': expected swizzle= to be none, 32, 64 "
            "or 128, got '256'");
  EXPECT_EQ(failureOf("map:A,box=8,type=f8"),
            "'map:A,box=8,type=f8': expected type= to be one of u8, u16, u32, "
            "i32, u64, i64, f16, f32, f64, bf16, tf32, f32.ftz, tf32.ftz, got "
            "'f8'");
  EXPECT_EQ(failureOf("map:A,box=8,oob=one"),
            "'map:A,box=8,oob=one': expected oob= to be zero or nan, got "
            "'one'");
  EXPECT_EQ(failureOf("map:A,box=8,colour=red"),
            "'map:A,box=8,colour=red': unknown key 'colour'; expected type, "
            "box, swizzle, shape, stride or oob");
  EXPECT_EQ(failureOf("map:A,box=8,"),
            "'map:A,box=8,': expected KEY=VALUE after the last comma");
  EXPECT_EQ(failureOf("map:A,8"), "'map:A,8': expected KEY=VALUE, got '8'");
}

/// A value for `checkParameters`.
static ParameterValue value(const std::string &text) {
  ParameterValue result;
  result.text = text;
  result.scalar = *parseScalar(text);
  return result;
}

TEST(Arguments, ComparesValuesWithParameters) {
  using Type = ParameterSlot::Type;
  std::vector<ParameterSlot> slots = {{"n", Type::Integer, 4, 0},
                                      {"x", Type::Float, 4, 4}};
  auto check = [&](const std::vector<std::string> &texts) {
    KernelArguments arguments;
    for (const std::string &text : texts)
      arguments.values.push_back(value(text));
    Result<Done> checked = checkParameters(slots, arguments);
    return checked ? "fits" : checked.failure().message;
  };
  EXPECT_EQ(check({"1:i32", "1:f32"}), "fits");
  EXPECT_EQ(check({"1:i32"}), "the kernel has 2 parameters, got 1 arguments");
  EXPECT_EQ(check({"1:i64", "1:f32"}),
            "argument 1 '1:i64' for n: expected 4 bytes, got 8");
  EXPECT_EQ(check({"1:f32", "1:f32"}),
            "argument 1 '1:f32' for n: expected an integer, got a float");
  EXPECT_EQ(check({"1:i32", "1:i32"}),
            "argument 2 '1:i32' for x: expected a float, got an integer");
}
