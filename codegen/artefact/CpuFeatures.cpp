//===- CpuFeatures.cpp - LLVM's features as bits of the module ABI --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/artefact/Manifest.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/X86TargetParser.h"

#include <optional>

using namespace llvm;

/// The bit of a feature by LLVM's name.
static std::optional<heddle_abi_x86_feature_t> featureBit(StringRef name) {
  static constexpr std::pair<StringRef, heddle_abi_x86_feature_t> bits[] = {
      {"sse4.2", HEDDLE_X86_SSE4_2},
      {"popcnt", HEDDLE_X86_POPCNT},
      {"avx", HEDDLE_X86_AVX},
      {"avx2", HEDDLE_X86_AVX2},
      {"fma", HEDDLE_X86_FMA},
      {"f16c", HEDDLE_X86_F16C},
      {"bmi", HEDDLE_X86_BMI},
      {"bmi2", HEDDLE_X86_BMI2},
      {"lzcnt", HEDDLE_X86_LZCNT},
      {"movbe", HEDDLE_X86_MOVBE},
      {"avx512f", HEDDLE_X86_AVX512F},
      {"avx512bw", HEDDLE_X86_AVX512BW},
      {"avx512cd", HEDDLE_X86_AVX512CD},
      {"avx512dq", HEDDLE_X86_AVX512DQ},
      {"avx512vl", HEDDLE_X86_AVX512VL},
      {"avx512vbmi", HEDDLE_X86_AVX512VBMI},
      {"avx512vnni", HEDDLE_X86_AVX512VNNI},
      {"avx512bf16", HEDDLE_X86_AVX512BF16},
      {"avx512fp16", HEDDLE_X86_AVX512FP16},
      {"avxvnni", HEDDLE_X86_AVXVNNI},
      {"amx-tile", HEDDLE_X86_AMX_TILE},
      {"amx-bf16", HEDDLE_X86_AMX_BF16},
      {"amx-int8", HEDDLE_X86_AMX_INT8},
  };
  for (auto [known, bit] : bits)
    if (name == known)
      return bit;
  return std::nullopt;
}

/// Adds a feature and all that come with it.
static void enable(StringMap<bool> &features, StringRef name) {
  features[name] = true;
  X86::updateImpliedFeatures(name, /*Enabled=*/true, features);
}

/// All features of a processor that LLVM knows.
static StringMap<bool> featuresOf(StringRef processor) {
  SmallVector<StringRef> names;
  X86::getFeaturesForCPU(processor, names);
  StringMap<bool> features;
  for (StringRef name : names)
    enable(features, name);
  return features;
}

Expected<uint64_t> heddle::x86FeatureBits(StringRef processor,
                                          StringRef features) {
  if (X86::parseArchX86(processor, /*Only64Bit=*/true) == X86::CK_None)
    return createStringError("LLVM knows no 64-bit x86 processor '%s'",
                             processor.str().c_str());
  StringMap<bool> wanted = featuresOf(processor);
  for (StringRef feature : split(features, ','))
    if (feature.consume_front("+"))
      enable(wanted, feature);

  // What needs no bit: the rest of x86-64-v2 comes with SSE4.2, which has one,
  // and no AVX register is usable without XSAVE.
  StringMap<bool> baseline = featuresOf("x86-64-v2");
  enable(baseline, "xsave");

  uint64_t bits = 0;
  std::string unknown;
  for (const auto &feature : wanted) {
    StringRef name = feature.getKey();
    if (std::optional<heddle_abi_x86_feature_t> bit = featureBit(name))
      bits |= UINT64_C(1) << *bit;
    else if (!baseline.contains(name) && (unknown.empty() || name < unknown))
      unknown = name.str();
  }
  if (!unknown.empty())
    return createStringError("the module ABI has no bit for the x86 feature "
                             "'%s' of '%s'",
                             unknown.c_str(), processor.str().c_str());
  return bits;
}
