//===- Facts.cpp - what code generation knows of a CPU --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Facts.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/TargetParser/Host.h"

#include <unistd.h>

using namespace mlir;
using namespace heddle;

namespace {

/// One instruction-set tier. Each includes the ones before it in the table.
struct Tier {
  StringRef name;
  /// LLVM's processor that code is made for.
  StringRef processor;
  /// What the tier needs beyond the one before, in LLVM's names.
  ArrayRef<StringRef> features;
  int64_t vectorBits;
  int64_t vectorRegisters;
};

} // namespace

// The psABI's microarchitecture levels (x86-64 psABI, section 3.1.1), then the
// extensions that matter for low precision.
static constexpr StringRef v3Features[] = {"sse4.2", "popcnt", "avx", "avx2",
                                           "fma",    "f16c",   "bmi", "bmi2",
                                           "lzcnt",  "movbe"};
static constexpr StringRef v4Features[] = {"avx512f", "avx512bw", "avx512cd",
                                           "avx512dq", "avx512vl"};
static constexpr StringRef bf16Features[] = {"avx512bf16", "avx512vnni"};
static constexpr StringRef amxFeatures[] = {"amx-tile", "amx-bf16", "amx-int8"};

static const Tier tiers[] = {
    {"x86-64-v3", "x86-64-v3", v3Features, 256, 16},
    {"x86-64-v4", "x86-64-v4", v4Features, 512, 32},
    {"x86-64-v4+bf16", "x86-64-v4", bf16Features, 512, 32},
    {"x86-64-v4+amx", "x86-64-v4", amxFeatures, 512, 32},
};

static const Tier *findTier(StringRef name) {
  const Tier *tier =
      llvm::find_if(tiers, [&](const Tier &t) { return t.name == name; });
  return tier == std::end(tiers) ? nullptr : tier;
}

static CpuFacts factsOf(const Tier &tier) {
  CpuFacts facts;
  facts.tier = tier.name;
  facts.processor = tier.processor;
  SmallVector<std::string> features;
  // The first two tiers are processors of LLVM, the others are features.
  for (const Tier *t = &tiers[2]; t <= &tier; ++t)
    for (StringRef feature : t->features)
      features.push_back(("+" + feature).str());
  facts.features = llvm::join(features, ",");
  facts.vectorBits = tier.vectorBits;
  facts.vectorRegisters = tier.vectorRegisters;
  return facts;
}

SmallVector<StringRef> heddle::requiredFeatures(const CpuFacts &facts) {
  SmallVector<StringRef> features;
  const Tier *last = findTier(facts.tier);
  for (const Tier *tier = std::begin(tiers); last && tier <= last; ++tier)
    llvm::append_range(features, tier->features);
  return features;
}

/// The first feature of `tier` itself that this machine lacks, or nothing.
static StringRef missingFeature(const Tier &tier,
                                const llvm::StringMap<bool> &host) {
  for (StringRef feature : tier.features)
    if (!host.lookup(feature))
      return feature;
  return {};
}

/// Bytes of a cache as the operating system reports it, `fallback` where it
/// does not.
static int64_t cacheBytes(int name, int64_t fallback) {
  long bytes = sysconf(name);
  return bytes > 0 ? bytes : fallback;
}

FailureOr<CpuFacts> heddle::hostCpuFacts(std::string &error) {
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  const Tier *best = nullptr;
  for (const Tier &tier : tiers) {
    StringRef missing = missingFeature(tier, host);
    if (!missing.empty()) {
      error =
          ("expects a CPU of x86-64-v3 or better, this one lacks " + missing)
              .str();
      break;
    }
    best = &tier;
  }
  if (!best)
    return failure();
  CpuFacts facts = factsOf(*best);
  facts.l1Bytes = cacheBytes(_SC_LEVEL1_DCACHE_SIZE, facts.l1Bytes);
  facts.l2Bytes = cacheBytes(_SC_LEVEL2_CACHE_SIZE, facts.l2Bytes);
  return facts;
}

SmallVector<StringRef> heddle::getCpuTiers() {
  return llvm::map_to_vector(tiers, [](const Tier &tier) { return tier.name; });
}

FailureOr<CpuFacts> heddle::cpuFactsOfTier(StringRef name, std::string &error) {
  if (const Tier *tier = findTier(name))
    return factsOf(*tier);
  error = ("expects a CPU tier (" + llvm::join(getCpuTiers(), ", ") +
           "), got '" + name + "'")
              .str();
  return failure();
}

bool heddle::hostRuns(const CpuFacts &facts) {
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  return llvm::all_of(requiredFeatures(facts),
                      [&](StringRef feature) { return host.lookup(feature); });
}

//===----------------------------------------------------------------------===//
// Attribute
//===----------------------------------------------------------------------===//

TargetAttr heddle::makeTargetAttr(MLIRContext *context, StringRef name,
                                  const CpuFacts &facts) {
  Builder builder(context);
  SmallVector<NamedAttribute> entries = {
      builder.getNamedAttr("tier", builder.getStringAttr(facts.tier)),
      builder.getNamedAttr("features", builder.getStringAttr(facts.features)),
      builder.getNamedAttr("vector_bits",
                           builder.getI64IntegerAttr(facts.vectorBits)),
      builder.getNamedAttr("vector_registers",
                           builder.getI64IntegerAttr(facts.vectorRegisters)),
      builder.getNamedAttr("l1_bytes",
                           builder.getI64IntegerAttr(facts.l1Bytes)),
      builder.getNamedAttr("l2_bytes",
                           builder.getI64IntegerAttr(facts.l2Bytes))};
  return TargetAttr::get(context, name, builder.getDictionaryAttr(entries));
}

FailureOr<CpuFacts> heddle::readTargetAttr(TargetAttr target, Location loc) {
  auto name = target.getFacts().getAs<StringAttr>("tier");
  const Tier *tier = name ? findTier(name) : nullptr;
  if (!tier)
    return emitError(loc) << "expects the target to name a CPU tier, got "
                          << target;
  CpuFacts facts = factsOf(*tier);
  for (auto [key, value] : {std::pair("l1_bytes", &facts.l1Bytes),
                            std::pair("l2_bytes", &facts.l2Bytes)}) {
    auto bytes = target.getFacts().getAs<IntegerAttr>(key);
    if (!bytes || bytes.getInt() <= 0)
      return emitError(loc) << "expects the target to have a positive " << key
                            << ", got " << target;
    *value = bytes.getInt();
  }
  return facts;
}
