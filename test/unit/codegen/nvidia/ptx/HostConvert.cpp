// HostConvert.cpp - conversions between the types of cvt, for tests.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/HostConvert.h"

#include <algorithm>
#include <sstream>

namespace heddle::ptx::test {

const std::vector<Scalar> &scalars() {
  static const std::vector<Scalar> all = [] {
    std::vector<Scalar> types;
    for (unsigned bits : {8u, 16u, 32u, 64u})
      for (bool isSigned : {false, true})
        types.push_back({(isSigned ? "s" : "u") + std::to_string(bits), bits,
                         nullptr, isSigned});
    for (const HostFormat *format :
         {&hostF16, &hostBF16, &hostF32, &hostF64, &hostTF32})
      types.push_back({format->name, format->bits(), format, true});
    return types;
  }();
  return all;
}

const Scalar &scalar(const std::string &name) {
  return *std::find_if(scalars().begin(), scalars().end(),
                       [&](const Scalar &type) { return type.name == name; });
}

//===----------------------------------------------------------------------===//
// Spellings
//===----------------------------------------------------------------------===//

static std::vector<std::string> words(const std::string &text) {
  std::istringstream stream(text);
  std::vector<std::string> all;
  for (std::string word; stream >> word;)
    all.push_back(word == "-" ? "" : word);
  return all;
}

static Conversion conversion(const std::string &to, const std::string &from,
                             const std::string &rounding,
                             const std::string &range) {
  Conversion how;
  how.to = to;
  how.from = from;
  how.modifiers = rounding + range;
  how.integral = rounding.ends_with("i");
  how.direction = rounding == ".rna"            ? Direction::Away
                  : rounding.starts_with(".rz") ? Direction::Zero
                  : rounding.starts_with(".rm") ? Direction::Down
                  : rounding.starts_with(".rp") ? Direction::Up
                                                : Direction::Even;
  auto has = [&](const char *word) {
    return (range + ".").find(word) != std::string::npos;
  };
  how.flush = has(".ftz.");
  how.saturate = has(".sat.");
  how.satfinite = has(".satfinite.");
  how.relu = has(".relu.");
  return how;
}

/// Types, roundings and ranges that go with each other, all with all; `-` is
/// the empty modifier.
struct Group {
  const char *to, *from, *roundings, *ranges;
};

#define INTEGERS "u8 s8 u16 s16 u32 s32 u64 s64 "
#define SMALL "e4m3x2 e5m2x2 e2m3x2 e3m2x2 e2m1x2"
constexpr const char *places = ".rn .rz .rm .rp";
constexpr const char *placesOrNone = "- .rn .rz .rm .rp";
constexpr const char *integrals = ".rni .rzi .rmi .rpi";
constexpr const char *integralsOrNone = "- .rni .rzi .rmi .rpi";
constexpr const char *cuts = ".rn .rz";
constexpr const char *all = "- .ftz .sat .ftz.sat";
constexpr const char *finite = ".relu .satfinite .relu.satfinite";

constexpr Group groups[] = {
    {INTEGERS, "f16 f64", integrals, "- .sat"},
    {INTEGERS, "f32", integrals, all},
    {INTEGERS, "bf16", integrals, "-"},
    {"f16 f64", INTEGERS, places, "- .sat"},
    {"f32", INTEGERS "f64", places, all},
    {"bf16", INTEGERS "f64", places, "-"},
    {"f16", "f64", places, "- .sat"},
    {"f16", "f32", places, all},
    {"bf16", "f32", places, "- .ftz"},
    {"f16 bf16 tf32", "f32", cuts, finite},
    {"tf32", "f32", cuts, "-"},
    {"tf32", "f32", ".rna", "- .satfinite"},
    {"bf16", "f16", placesOrNone, "-"},
    {"f16 f64", "bf16", placesOrNone, "-"},
    {"f32", "bf16", placesOrNone, "- .ftz"},
    {"f16", "f16", integralsOrNone, "- .sat"},
    {"f64", "f64", integralsOrNone, "- .sat"},
    {"f32", "f32", integralsOrNone, all},
    {"bf16", "bf16", integralsOrNone, "-"},
    {"f64", "f16", "-", "- .sat"},
    {"f32", "f16", "-", all},
    {"f64", "f32", "-", all},
    {"f16x2 bf16x2", "f32", cuts, "-"},
    {"f16x2 bf16x2", "f32", cuts, finite},
    {SMALL, "f32 f16x2 bf16x2", ".rn", ".satfinite .satfinite.relu"},
    {"f16x2 bf16x2", SMALL, ".rn", "- .relu"},
    {"ue8m0x2", "f32 bf16x2", ".rz .rp", "- .satfinite"},
    {"bf16x2", "ue8m0x2", ".rn", "-"}};
#undef INTEGERS
#undef SMALL

std::vector<Conversion> legalConversions() {
  std::vector<Conversion> result;
  for (const Group &group : groups)
    for (const std::string &to : words(group.to))
      for (const std::string &from : words(group.from))
        for (const std::string &rounding : words(group.roundings))
          for (const std::string &range : words(group.ranges))
            result.push_back(conversion(to, from, rounding, range));
  // Integers saturate where the result does not hold them all.
  for (const Scalar &to : scalars())
    for (const Scalar &from : scalars()) {
      if (to.format || from.format)
        continue;
      result.push_back(conversion(to.name, from.name, "", ""));
      if (from.integer().least() < to.integer().least() ||
          from.integer().most() > to.integer().most())
        result.push_back(conversion(to.name, from.name, "", ".sat"));
    }
  return result;
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

/// Rounds to an integral value, keeping the sign of zero.
static __float128 integral(__float128 value, Direction direction) {
  // From 2^64 on every value of these formats is integral.
  __float128 magnitude = value < 0 ? -value : value;
  if (isNan(value) || magnitude >= 0x1p64)
    return value;
  uint64_t whole = uint64_t(magnitude);
  __float128 rest = magnitude - __float128(whole);
  bool negative = isNegative(value);
  if ((direction == Direction::Even &&
       (rest > 0.5 || (rest == 0.5 && whole % 2))) ||
      (direction == Direction::Up && !negative && rest > 0) ||
      (direction == Direction::Down && negative && rest > 0))
    ++whole;
  __float128 result = __float128(whole);
  return negative ? -result : result;
}

/// NaN is zero, unless 64 bits are involved; all else saturates.
static uint64_t asInteger(__float128 value, const Scalar &to,
                          const Scalar &from) {
  unsigned bits = to.bits;
  if (isNan(value))
    return from.bits == 64 || bits == 64 ? uint64_t(1) << (bits - 1) : 0;
  __float128 least = __float128(to.integer().least());
  __float128 most = __float128(to.integer().most());
  if (value <= least)
    return wrapped(to.integer().least(), bits);
  if (value >= most)
    return wrapped(to.integer().most(), bits);
  uint64_t magnitude = uint64_t(value < 0 ? -value : value);
  return wrapped(value < 0 ? -__int128(magnitude) : __int128(magnitude), bits);
}

static uint64_t asFloat(__float128 value, bool negative,
                        const HostFormat &format, Direction direction,
                        const Conversion &how) {
  if (how.saturate) {
    if (isNan(value) || negative)
      return 0;
    value = value > 1 ? __float128(1) : value;
  }
  if (isNan(value) && !format.hasNan)
    return format.largest();
  if (how.relu && !isNan(value) && negative) {
    value = 0;
    negative = false;
  }
  uint64_t word = format.round({value, 0}, direction, negative,
                               how.satfinite && !isNan(value));
  if (how.flush && how.to == "f32" && format.isSubnormal(word))
    word &= format.signBit();
  return word;
}

uint64_t converted(uint64_t raw, const Scalar &from, const Scalar &to,
                   const Conversion &how) {
  raw = wrapped(raw, from.bits);
  if (!from.format) {
    __int128 value = from.integer().value(raw);
    if (to.format)
      return asFloat(__float128(value), value < 0, *to.format, how.direction,
                     how);
    if (how.saturate)
      value = std::clamp(value, to.integer().least(), to.integer().most());
    return wrapped(value, to.bits);
  }
  if (how.flush && from.name == "f32" && hostF32.isSubnormal(raw))
    raw &= hostF32.signBit();
  __float128 value = from.format->value(raw);
  bool negative = from.format->isNegative(raw);
  if (how.integral)
    value = integral(value, how.direction);
  if (!to.format)
    return asInteger(value, to, from);
  return asFloat(value, negative, *to.format,
                 how.integral ? Direction::Even : how.direction, how);
}

Column convertInputs(const Scalar &type) {
  if (!type.format)
    return integers(std::max(type.bits, 16u), 0, 600);
  const HostFormat &format = *type.format;
  Column result =
      type.name == "bf16" ? bfloats(0, 1500) : floats(type.bits, 0, 1500);
  auto add = [&](__float128 value) {
    result.push_back(format.round({value, 0}, Direction::Zero));
  };
  std::vector<__float128> limits;
  for (const Scalar &other : scalars())
    if (!other.format) {
      limits.push_back(__float128(other.integer().most()));
      limits.push_back(__float128(other.integer().least()));
    }
  for (const HostFormat *other : {&hostF16, &hostBF16, &hostF32, &hostE4M3,
                                  &hostE5M2, &hostE2M3, &hostE3M2, &hostE2M1}) {
    limits.push_back(other->value(other->largest() << other->shift));
    limits.push_back(other->value(uint64_t(1) << other->mantissaBits));
    limits.push_back(other->value(1));
  }
  for (__float128 limit : limits)
    for (__float128 value :
         {limit, limit + 1, limit - 1, limit + __float128(0.5), limit * 2,
          limit / 2, limit * __float128(1.5), limit * (1 + __float128(0x1p-12)),
          limit * (1 - __float128(0x1p-12)), limit * (1 + __float128(0x1p-9)),
          limit * (1 + __float128(0x1p-5)), limit * (1 + __float128(0x1p-3)),
          -limit, -limit - 1, -limit - __float128(0.5)})
      add(value);
  for (int i = 0; i < 64; ++i)
    add(__float128(i) / 4 - 8);
  return result;
}

} // namespace heddle::ptx::test
