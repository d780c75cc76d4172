//===- CpuFeaturesTest.cpp - LLVM's features as bits ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "TestFolder.h"

#include "gtest/gtest.h"

using namespace heddle;

static uint64_t bitsOf(llvm::StringRef processor, llvm::StringRef features) {
  llvm::Expected<uint64_t> bits = x86FeatureBits(processor, features);
  if (!bits) {
    ADD_FAILURE() << llvm::toString(bits.takeError());
    return 0;
  }
  return *bits;
}

static bool has(uint64_t bits, heddle_abi_x86_feature_t feature) {
  return bits >> feature & 1;
}

/// The levels as the x86-64 psABI defines them (section 3.1.1).
TEST(CpuFeatures, Levels) {
  EXPECT_EQ(bitsOf("x86-64", ""), 0u);
  uint64_t v3 = bitsOf("x86-64-v3", "");
  for (auto feature :
       {HEDDLE_X86_SSE4_2, HEDDLE_X86_POPCNT, HEDDLE_X86_AVX, HEDDLE_X86_AVX2,
        HEDDLE_X86_FMA, HEDDLE_X86_F16C, HEDDLE_X86_BMI, HEDDLE_X86_BMI2,
        HEDDLE_X86_LZCNT, HEDDLE_X86_MOVBE})
    EXPECT_TRUE(has(v3, feature)) << feature;
  EXPECT_FALSE(has(v3, HEDDLE_X86_AVX512F));
  uint64_t v4 = bitsOf("x86-64-v4", "");
  EXPECT_EQ(v4 & v3, v3);
  for (auto feature :
       {HEDDLE_X86_AVX512F, HEDDLE_X86_AVX512BW, HEDDLE_X86_AVX512CD,
        HEDDLE_X86_AVX512DQ, HEDDLE_X86_AVX512VL})
    EXPECT_TRUE(has(v4, feature)) << feature;
  EXPECT_FALSE(has(v4, HEDDLE_X86_AVX512BF16));
}

TEST(CpuFeatures, FeaturesBeyondTheLevel) {
  uint64_t bits = bitsOf("x86-64-v4", "+avx512bf16,+avx512vnni,+amx-tile");
  EXPECT_TRUE(has(bits, HEDDLE_X86_AVX512BF16));
  EXPECT_TRUE(has(bits, HEDDLE_X86_AVX512VNNI));
  EXPECT_TRUE(has(bits, HEDDLE_X86_AMX_TILE));
}

TEST(CpuFeatures, WhatTheRuntimeCannotCheckIsRefused) {
  EXPECT_EQ(textOf(x86FeatureBits("x86-64-v3", "+sse4a").takeError()),
            "the module ABI has no bit for the x86 feature 'sse4a' of "
            "'x86-64-v3'");
  EXPECT_EQ(textOf(x86FeatureBits("m68000", "").takeError()),
            "LLVM knows no 64-bit x86 processor 'm68000'");
}
