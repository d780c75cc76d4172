// TritonTest.cpp - Triton's metadata, signatures and launch ABI
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/KernelArguments.h"

#include <gtest/gtest.h>

using namespace heddle::ptx;

static const std::string target =
    R"("target": {"backend": "cuda", "arch": 90, "warp_size": 32})";

static std::string failureOf(const std::string &json) {
  Result<TritonKernel> kernel = parseTritonMetadata(json);
  return kernel ? "accepted" : kernel.failure().message;
}

TEST(Triton, ReadsMetadata) {
  Result<TritonKernel> kernel = parseTritonMetadata(
      R"({"name": "k", "shared": 1024, "num_warps": 8, "num_ctas": 2,
          "triton_version": "3.9.0", "global_scratch_size": 384,
          "unknown_key": [1, {"deep": null}], "launch_pdl": true,
          "tensordesc_meta": [{"swizzle": 3, "elem_size": 2, "elem_type": 10,
            "block_size": [128, 64], "fp4_padded": false}], )" +
      target + "}");
  ASSERT_TRUE(kernel) << kernel.failure().message;
  EXPECT_EQ(kernel->name, "k");
  EXPECT_EQ(kernel->shared, 1024u);
  EXPECT_EQ(kernel->numWarps, 8u);
  EXPECT_EQ(kernel->numCtas, 2u);
  EXPECT_EQ(kernel->sm, 90u);
  EXPECT_EQ(kernel->globalScratchSize, 384u);
  EXPECT_EQ(kernel->profileScratchSize, 0u);
  EXPECT_TRUE(kernel->usesDependentLaunch);
  ASSERT_EQ(kernel->descriptors.size(), 1u);
  // 10 is bf16 among the numbers of `tensormap.replace`, 9 among the driver's.
  EXPECT_EQ(kernel->descriptors[0].element, TensorElement::BF16);
  EXPECT_EQ(kernel->descriptors[0].swizzle, TensorSwizzle::Bytes128);
  EXPECT_EQ(kernel->descriptors[0].blockSize, (std::vector<uint32_t>{128, 64}));
}

TEST(Triton, RefusesMetadataThatLies) {
  EXPECT_EQ(failureOf("{"),
            "expected a JSON object, got text that is not JSON");
  EXPECT_EQ(failureOf("[]"), "expected a JSON object, got array");
  EXPECT_EQ(failureOf("{" + target + "}"),
            "expected the key 'name' with a string, got no such key");
  EXPECT_EQ(failureOf(R"({"name": "k", "num_warps": 4, )" + target + "}"),
            "expected the key 'shared' with an integer from 0 to 1048576, got "
            "no such key");
  EXPECT_EQ(failureOf(R"({"name": "k", "shared": 0, "num_warps": "4", )" +
                      target + "}"),
            "expected the key 'num_warps' with an integer from 0 to 32, got "
            "\"4\"");
  EXPECT_EQ(failureOf(R"({"name": "k", "shared": -1, "num_warps": 4, )" +
                      target + "}"),
            "expected the key 'shared' with an integer from 0 to 1048576, got "
            "-1");
  EXPECT_EQ(failureOf(R"({"name": "k", "shared": 0, "num_warps": 4})"),
            "expected the key 'target' with an object, got no such key");
  EXPECT_EQ(failureOf(R"({"name": "k", "shared": 0, "num_warps": 4,
                          "target": {"backend": "hip", "arch": 90}})"),
            "target: expected the backend cuda, got hip");
  EXPECT_EQ(failureOf(R"({"name": "k", "shared": 0, "num_warps": 4,
                          "tensordesc_meta": [{"swizzle": 3, "elem_size": 4,
                          "elem_type": 10, "block_size": [8]}], )" +
                      target + "}"),
            "tensordesc_meta[0]: elem_size 4 contradicts elem_type, whose "
            "elements have 2 bytes");
  EXPECT_EQ(failureOf(R"({"name": "k", "shared": 0, "num_warps": 4,
                          "tensordesc_meta": [{"swizzle": 3, "elem_size": 2,
                          "elem_type": 10, "block_size": [8, 512]}], )" +
                      target + "}"),
            "tensordesc_meta[0]: expected block_size to hold integers from 1 "
            "to 256, got 512");
}

// 100,000 brackets must not overflow a stack.
TEST(Triton, SurvivesDeepNesting) {
  std::string deep(100000, '[');
  EXPECT_EQ(failureOf(deep),
            "expected a JSON object, got text that is not JSON");
  EXPECT_EQ(failureOf("{\"a\": " + deep + std::string(100000, ']') + "}"),
            "expected the key 'name' with a string, got no such key");
}

static const std::string ttir =
    R"(module {
  tt.func public @k(%x: !tt.ptr<f32> {tt.divisibility = 16 : i32} loc("x, (y"),
      %d: !tt.tensordesc<128x64xbf16> loc("d"), %d.shape.0: i32, %d.shape.1: i32,
      %d.stride.0: i64, %d.stride.1: i64, %n: i32) attributes {noinline} {
)";

TEST(Triton, ReadsSignature) {
  auto signature = parseTritonSignature(ttir, "k");
  ASSERT_TRUE(signature) << signature.failure().message;
  ASSERT_EQ(signature->size(), 3u);
  EXPECT_EQ((*signature)[0].name, "x");
  EXPECT_TRUE((*signature)[0].isPointer());
  EXPECT_EQ((*signature)[0].divisibility, 16u);
  EXPECT_TRUE((*signature)[1].isDescriptor());
  EXPECT_EQ((*signature)[2].name, "n");
  EXPECT_EQ((*signature)[2].size(), 4u);
  EXPECT_EQ((*signature)[2].divisibility, 0u);
}

TEST(Triton, RefusesBrokenSignatures) {
  auto failure = [](const std::string &text) {
    auto signature = parseTritonSignature(text, "k");
    return signature ? "accepted" : signature.failure().message;
  };
  EXPECT_EQ(failure("module {}"), "expected a public function @k, got none");
  EXPECT_EQ(failure("tt.func public @k(%x: i32"),
            "the argument list of @k is cut off");
  EXPECT_EQ(failure("tt.func public @k(%d: !tt.tensordesc<8x8xf32>, %a: i32)"),
            "the argument list of @k is cut off");
  EXPECT_EQ(failure("tt.func public @k(%x: tensor<4xf32>)"),
            "argument %x of @k has the type 'tensor<4xf32>', expected a "
            "pointer, a scalar or a tensor descriptor");
  EXPECT_EQ(failure("tt.func public @k(\"x\")"),
            "expected '%name: type' in the arguments of @k, got '\"x\"'");
}

/// A kernel like the one of `ttir`, with its entry's slots.
struct TritonBinding : ::testing::Test {
  TritonBinding() {
    kernel.name = "k";
    kernel.ttirPath = "k.ttir";
    kernel.globalScratchSize = 64;
    kernel.descriptors = {
        {TensorElement::BF16, TensorSwizzle::Bytes128, {128, 64}}};
    signature = *parseTritonSignature(ttir, "k");
    uint64_t offset = 0;
    for (uint64_t size : {8, 128, 4, 4, 8, 8, 4, 8, 8}) {
      slots.push_back({"p" + std::to_string(slots.size()),
                       ParameterSlot::Type::Any, size, offset});
      offset += size;
    }
    for (const char *name : {"x", "d"})
      arguments.buffers.push_back(
          {name, name, false, {{'u', 2}, {256, 128}, Bytes(2 * 256 * 128)}});
    arguments.buffers[0].array.type = {'f', 4};
    arguments.buffers[0].array.shape = {128, 128};
    for (size_t i = 0; i < 2; ++i) {
      ParameterValue value;
      value.kind = ParameterValue::Kind::Address;
      value.text = "in:" + arguments.buffers[i].path;
      value.buffer = i;
      arguments.values.push_back(value);
    }
    arguments.values.push_back({});
    arguments.values.back().text = "128:i32";
    arguments.values.back().scalar = *parseScalar("128:i32");
  }

  std::string bind() {
    auto bound = bindTritonArguments(kernel, signature, slots, 6, arguments);
    return bound ? "bound" : bound.failure().message;
  }

  TritonKernel kernel;
  std::vector<TritonArgument> signature;
  std::vector<ParameterSlot> slots;
  KernelArguments arguments;
};

TEST_F(TritonBinding, ExpandsDescriptorsAndScratch) {
  ASSERT_EQ(bind(), "bound");
  ASSERT_EQ(arguments.values.size(), slots.size());
  EXPECT_TRUE(checkParameters(slots, arguments));
  const TensorMap &map = arguments.values[1].map;
  EXPECT_EQ(map.rank, 2u);
  EXPECT_EQ(map.dims[0], 128u);
  EXPECT_EQ(map.dims[1], 256u);
  EXPECT_EQ(map.strides[0], 256u);
  EXPECT_EQ(map.box[0], 64u);
  EXPECT_EQ(map.box[1], 128u);
  EXPECT_EQ(arguments.values[2].scalar.bytes, (Bytes{0, 1, 0, 0}));
  EXPECT_EQ(arguments.values[3].scalar.bytes, (Bytes{128, 0, 0, 0}));
  EXPECT_EQ(arguments.values[4].scalar.bytes,
            (Bytes{128, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(arguments.values[5].scalar.bytes, (Bytes{1, 0, 0, 0, 0, 0, 0, 0}));
  // Global scratch of 64 bytes for 6 blocks, and no profile scratch.
  ASSERT_EQ(arguments.buffers.size(), 3u);
  EXPECT_TRUE(arguments.buffers[2].isScratch());
  EXPECT_EQ(arguments.buffers[2].array.data.size(), 384u);
  EXPECT_EQ(arguments.values[7].kind, ParameterValue::Kind::Address);
  EXPECT_EQ(arguments.values[8].scalar.bytes, Bytes(8));
}

/// A host descriptor of a target before sm_90: `between` are its flags.
static void checkFlatDescriptor(const std::string &between,
                                std::vector<uint64_t> flagSizes) {
  std::string text = "tt.func public @k(%d: !tt.ptr<bf16>, %d_0: i64, "
                     "%d_1: i64, %d_2: i64, %d_3: i64, " +
                     between +
                     "%d_5: i32, %d_6: i32, %d_7: i64, %d_8: i64, %n: i32)";
  auto signature = parseTritonSignature(text, "k");
  ASSERT_TRUE(signature) << signature.failure().message;
  ASSERT_EQ(signature->size(), 2u);
  std::vector<ParameterSlot> slots;
  std::vector<uint64_t> sizes = {8, 8, 8, 8, 8};
  sizes.insert(sizes.end(), flagSizes.begin(), flagSizes.end());
  sizes.insert(sizes.end(), {4, 4, 8, 8, 4, 8, 8});
  uint64_t offset = 0;
  for (uint64_t size : sizes) {
    offset = (offset + size - 1) / size * size;
    slots.push_back({"p", ParameterSlot::Type::Any, size, offset});
    offset += size;
  }
  TritonKernel kernel;
  kernel.name = "k";
  kernel.ttirPath = "k.ttir";
  KernelArguments arguments;
  arguments.buffers.push_back(
      {"d", "d", false, {{'u', 2}, {6, 5}, Bytes(2 * 6 * 5)}});
  arguments.values.resize(2);
  arguments.values[0].kind = ParameterValue::Kind::Address;
  arguments.values[1].scalar = *parseScalar("7:i32");
  auto bound = bindTritonArguments(kernel, *signature, slots, 1, arguments);
  ASSERT_TRUE(bound) << bound.failure().message;
  ASSERT_EQ(arguments.values.size(), slots.size());
  EXPECT_TRUE(checkParameters(slots, arguments));
  std::vector<uint64_t> numbers;
  for (size_t i = 1; i + 2 < slots.size(); ++i)
    numbers.push_back(arguments.values[i].scalar.bytes[0]);
  std::vector<uint64_t> expected = {6, 5, 5, 1};
  expected.resize(4 + flagSizes.size());
  expected.insert(expected.end(), {6, 5, 5, 1, 7});
  EXPECT_EQ(numbers, expected);
}

TEST(Triton, ExpandsDescriptorsThatWereTakenApart) {
  checkFlatDescriptor("%d_4: i1, ", {1});                    // as Triton 3.6
  checkFlatDescriptor("%d.padding: i1, %d.r: i1, ", {1, 1}); // as Triton 3.9
}

TEST_F(TritonBinding, RefusesWrongArguments) {
  arguments.values.pop_back();
  EXPECT_EQ(bind(), "the Triton kernel k takes 3 arguments, got 2: x "
                    "!tt.ptr<f32>, d !tt.tensordesc<128x64xbf16>, n i32");
}

TEST_F(TritonBinding, RefusesBrokenPromises) {
  arguments.values[0].offset = 8;
  EXPECT_EQ(bind(), "argument 'in:x' for x: the kernel was compiled for "
                    "multiples of 16");
}

TEST_F(TritonBinding, RefusesElementsOfAnotherSize) {
  arguments.buffers[0].array.type = {'f', 8};
  EXPECT_EQ(bind(), "argument 'in:x' for x: expected elements of 4 bytes for "
                    "!tt.ptr<f32>, got float64");
}

TEST_F(TritonBinding, RefusesArraysThatDoNotFitTheDescriptor) {
  arguments.buffers[1].array.shape = {256 * 128};
  EXPECT_EQ(bind(), "'in:d': expected an array of 2 dimensions with elements "
                    "of 2 bytes, got uint16 32768");
}

TEST_F(TritonBinding, RefusesMetadataThatContradictsTheEntry) {
  kernel.descriptors.push_back(kernel.descriptors[0]);
  EXPECT_EQ(bind(),
            "tensordesc_meta describes 2 tensor maps, the entry k has 1");
  kernel.descriptors.clear();
  EXPECT_EQ(bind(), "the entry k has more tensor maps than the 0 of "
                    "tensordesc_meta");
  kernel.descriptors = {{TensorElement::BF16, TensorSwizzle::None, {8}}};
  EXPECT_EQ(bind(), "expected 1 sizes and 1 strides after the tensor map p1 "
                    "of the entry k");
  slots.resize(1);
  EXPECT_EQ(bind(), "expected the entry k to end in two scratch pointers, as "
                    "kernels of Triton 3.6 to 3.9 do");
}
