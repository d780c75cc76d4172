// ConvertTest.cpp - every pair of types, rounding and saturation of cvt.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"
#include "test/unit/codegen/nvidia/ptx/HostFloat.h"

namespace heddle::ptx::test {

namespace {

/// A scalar type of cvt: an integer, or a floating-point format.
struct Scalar {
  std::string name;
  unsigned bits;
  const HostFormat *format = nullptr;
  bool isSigned = false;

  IntegerType integer() const { return {"", bits, isSigned}; }
  /// Bytes travel in 16-bit registers.
  unsigned registerBits() const { return std::max(bits, 16u); }
};

std::vector<Scalar> scalars() {
  std::vector<Scalar> all;
  for (unsigned bits : {8u, 16u, 32u, 64u})
    for (bool isSigned : {false, true})
      all.push_back({(isSigned ? "s" : "u") + std::to_string(bits), bits,
                     nullptr, isSigned});
  for (const HostFormat *format : {&hostF16, &hostBF16, &hostF32, &hostF64})
    all.push_back({format->name, format->bits(), format, true});
  return all;
}

struct Mode {
  const char *text;
  Direction direction;
};
constexpr Mode toFloat[] = {{".rn", Direction::Even},
                            {".rz", Direction::Zero},
                            {".rm", Direction::Down},
                            {".rp", Direction::Up}};
constexpr Mode toIntegral[] = {{".rni", Direction::Even},
                               {".rzi", Direction::Zero},
                               {".rmi", Direction::Down},
                               {".rpi", Direction::Up}};

struct Modifiers {
  bool flush = false, saturate = false, satfinite = false, relu = false;
};

/// Rounds to an integral value, keeping the sign of zero.
__float128 integral(__float128 value, Direction direction) {
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
uint64_t asInteger(__float128 value, const Scalar &to, const Scalar &from) {
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

uint64_t asFloat(__float128 value, bool negative, const HostFormat &format,
                 Direction direction, const Modifiers &flags) {
  if (flags.saturate) {
    if (isNan(value) || negative)
      return 0;
    value = value > 1 ? __float128(1) : value;
  }
  if (flags.relu && !isNan(value) && negative) {
    value = 0;
    negative = false;
  }
  uint64_t word = format.round({value, 0}, direction, negative,
                               flags.satfinite && !isNan(value));
  if (flags.flush && &format == &hostF32 && format.isSubnormal(word))
    word &= format.signBit();
  return word;
}

uint64_t converted(uint64_t raw, const Scalar &from, const Scalar &to,
                   Direction direction, bool roundsToIntegral,
                   const Modifiers &flags) {
  raw = wrapped(raw, from.bits);
  if (!from.format) {
    __int128 value = from.integer().value(raw);
    if (to.format)
      return asFloat(__float128(value), value < 0, *to.format, direction,
                     flags);
    if (flags.saturate)
      value = std::clamp(value, to.integer().least(), to.integer().most());
    return wrapped(value, to.bits);
  }
  if (flags.flush && from.format == &hostF32 && hostF32.isSubnormal(raw))
    raw &= hostF32.signBit();
  __float128 value = from.format->value(raw);
  bool negative = from.format->isNegative(raw);
  if (roundsToIntegral || !to.format)
    value = integral(value, direction);
  if (!to.format)
    return asInteger(value, to, from);
  return asFloat(value, negative, *to.format,
                 roundsToIntegral ? Direction::Even : direction, flags);
}

Column inputs(const Scalar &type) {
  if (!type.format)
    return integers(type.registerBits(), 0, 600);
  Column result =
      type.format == &hostBF16 ? bfloats(0, 1500) : floats(type.bits, 0, 1500);
  // Values around the limits of every type that may be the target, and ties.
  for (const Scalar &other : scalars()) {
    __float128 limits[2] = {1, 1};
    if (other.format) {
      limits[0] = other.format->value(other.format->largest());
      limits[1] =
          other.format->value(uint64_t(1) << other.format->mantissaBits);
    } else {
      limits[0] = __float128(other.integer().most());
      limits[1] = __float128(other.integer().least());
    }
    for (__float128 limit : limits)
      for (__float128 value :
           {limit, limit + 1, limit - 1, limit + __float128(0.5), limit * 2,
            limit / 2, limit * (1 + __float128(0x1p-12)),
            limit * (1 - __float128(0x1p-12)), limit * (1 + __float128(0x1p-9)),
            -limit, -limit - 1, -limit - __float128(0.5)})
        result.push_back(type.format->round({value, 0}, Direction::Zero));
  }
  for (int i = 0; i < 64; ++i)
    result.push_back(
        type.format->round({__float128(i) / 4 - 8, 0}, Direction::Zero));
  return result;
}

void check(const std::string &modifiers, const Scalar &to, const Scalar &from,
           Direction direction, bool roundsToIntegral, const Modifiers &flags) {
  std::string text = "cvt" + modifiers + (flags.flush ? ".ftz" : "") +
                     (flags.relu ? ".relu" : "") +
                     (flags.satfinite ? ".satfinite" : "") +
                     (flags.saturate ? ".sat" : "") + "." + to.name + "." +
                     from.name + " %d, %a;";
  static std::map<std::string, Column> cache;
  Column &column = cache[from.name];
  if (column.empty())
    column = inputs(from);
  // The result in a register of its own width, and in wider ones, which an
  // integer fills by its sign.
  for (unsigned width : {16u, 32u, 64u}) {
    if (width < to.bits || (to.format && width != to.registerBits()))
      continue;
    compareBy({text, width, {from.registerBits()}}, {column},
              [&](const uint64_t *row, uint64_t got) {
                uint64_t want = converted(row[0], from, to, direction,
                                          roundsToIntegral, flags);
                if (!to.format)
                  want = wrapped(to.integer().value(want), width);
                bool isNan = to.format == &hostF64 && hostF64.isNan(want) &&
                             hostF64.isNan(got);
                EXPECT_TRUE(isNan || got == want)
                    << "in hexadecimal: expected 0x" << std::hex << want;
                return isNan || got == want;
              });
  }
}

} // namespace

TEST(Convert, IntegersToIntegers) {
  for (const Scalar &from : scalars())
    for (const Scalar &to : scalars())
      if (!from.format && !to.format)
        for (bool saturate : {false, true})
          check("", to, from, Direction::Even, false, {false, saturate});
}

TEST(Convert, IntegersToFloats) {
  for (const Scalar &from : scalars())
    for (const Scalar &to : scalars())
      if (!from.format && to.format)
        for (const Mode &mode : toFloat)
          for (bool saturate : {false, true})
            check(mode.text, to, from, mode.direction, false,
                  {false, saturate});
}

TEST(Convert, FloatsToIntegers) {
  for (const Scalar &from : scalars())
    for (const Scalar &to : scalars())
      if (from.format && !to.format)
        for (const Mode &mode : toIntegral)
          for (bool flush : {false, true})
            if (!flush || from.format == &hostF32)
              check(mode.text, to, from, mode.direction, true, {flush});
}

TEST(Convert, FloatsToFloats) {
  for (const Scalar &from : scalars())
    for (const Scalar &to : scalars()) {
      if (!from.format || !to.format)
        continue;
      bool isSame = from.format == to.format;
      bool mayFlush = from.format == &hostF32 || to.format == &hostF32;
      // Half formats hold values that the other cannot.
      bool narrows = to.bits < from.bits || (to.bits == from.bits && !isSame);
      for (bool flush : {false, true})
        for (bool saturate : {false, true}) {
          if (flush && !mayFlush)
            continue;
          Modifiers flags = {flush, saturate};
          if (!narrows)
            check("", to, from, Direction::Even, false, flags);
          if (narrows)
            for (const Mode &mode : toFloat)
              check(mode.text, to, from, mode.direction, false, flags);
          if (isSame)
            for (const Mode &mode : toIntegral)
              check(mode.text, to, from, mode.direction, true, flags);
        }
    }
}

TEST(Convert, HalvesWithReluAndFiniteSaturation) {
  Scalar single = {"f32", 32, &hostF32, true};
  for (const HostFormat *format : {&hostF16, &hostBF16, &hostTF32})
    for (const Mode &mode : {toFloat[0], toFloat[1]})
      for (bool relu : {false, true})
        for (bool satfinite : {false, true})
          check(mode.text, {format->name, format->bits(), format, true}, single,
                mode.direction, false, {false, false, satfinite, relu});
  for (bool satfinite : {false, true})
    check(".rna", {"tf32", 32, &hostTF32, true}, single, Direction::Away, false,
          {false, false, satfinite});
}

//===----------------------------------------------------------------------===//
// Pairs
//===----------------------------------------------------------------------===//

/// `cvt.x2.f32 d, a, b`: a goes to the upper half.
TEST(Convert, PairsOfSingles) {
  Scalar single = {"f32", 32, &hostF32, true};
  Column low = inputs(single), high = low;
  std::mt19937 generator(2);
  std::shuffle(high.begin(), high.end(), generator);
  for (const HostFormat *format : {&hostF16, &hostBF16, &hostE4M3, &hostE5M2})
    for (const Mode &mode : {toFloat[0], toFloat[1]})
      for (bool relu : {false, true})
        for (bool satfinite : {false, true}) {
          bool isSmall = format->bits() == 8;
          if (isSmall && (!satfinite || mode.direction != Direction::Even))
            continue;
          Modifiers flags = {false, false, satfinite, relu};
          compare({std::string("cvt") + mode.text +
                       (satfinite ? ".satfinite" : "") + (relu ? ".relu" : "") +
                       "." + format->name + "x2.f32 %d, %a, %b;",
                   2 * format->bits(),
                   {32, 32}},
                  {high, low}, [&](const uint64_t *row) {
                    Scalar to = {"", format->bits(), format, true};
                    auto one = [&](uint64_t word) {
                      return converted(word, single, to, mode.direction, false,
                                       flags);
                    };
                    return one(row[0]) << format->bits() | one(row[1]);
                  });
        }
}

/// Between pairs of bytes and pairs of halves; all 65536 pairs of bytes.
TEST(Convert, PairsOfBytes) {
  Column bytes;
  for (unsigned pattern = 0; pattern < 65536; pattern += 3)
    bytes.push_back(pattern);
  for (const HostFormat *small : {&hostE4M3, &hostE5M2})
    for (const HostFormat *half : {&hostF16, &hostBF16}) {
      Scalar byte = {"", 8, small, true}, wide = {"", 16, half, true};
      Column pairs = inputs(wide), others = pairs;
      std::mt19937 generator(6);
      std::shuffle(others.begin(), others.end(), generator);
      for (size_t i = 0; i < pairs.size(); ++i)
        pairs[i] |= others[i] << 16;
      std::string types[2] = {std::string(small->name) + "x2",
                              std::string(half->name) + "x2"};
      for (bool relu : {false, true}) {
        std::string tail = relu ? ".relu." : ".";
        Modifiers flags = {false, false, false, relu};
        compare({"cvt.rn" + tail + types[1] + "." + types[0] + " %d, %a;",
                 32,
                 {16}},
                {bytes}, [&](const uint64_t *row) {
                  auto one = [&](uint64_t word) {
                    return converted(word, byte, wide, Direction::Even, false,
                                     flags);
                  };
                  return one(row[0] >> 8) << 16 | one(row[0] & 255);
                });
        flags.satfinite = true;
        compare(
            {"cvt.rn.satfinite" + tail + types[0] + "." + types[1] + " %d, %a;",
             16,
             {32}},
            {pairs}, [&](const uint64_t *row) {
              auto one = [&](uint64_t word) {
                return converted(word, wide, byte, Direction::Even, false,
                                 flags);
              };
              return one(row[0] >> 16) << 8 | one(row[0] & 0xFFFF);
            });
      }
    }
}

TEST(Convert, SaturatedPacks) {
  std::vector<Column> operands = {integers(32, 0), integers(32, 1),
                                  integers(32, 2)};
  IntegerType s32 = {"", 32, true};
  for (IntegerType to :
       {IntegerType{"u16", 16, false}, IntegerType{"s16", 16, true},
        IntegerType{"u8", 8, false}, IntegerType{"s8", 8, true}}) {
    bool isByte = to.bits == 8;
    compare({std::string("cvt.pack.sat.") + to.name + ".s32" +
                 (isByte ? ".b32 %d, %a, %b, %c;" : " %d, %a, %b;"),
             32,
             {32, 32, 32}},
            operands, [&](const uint64_t *row) {
              auto one = [&](uint64_t word) {
                return wrapped(
                    std::clamp(s32.value(word), to.least(), to.most()),
                    to.bits);
              };
              uint64_t pair = one(row[0]) << to.bits | one(row[1]);
              return isByte ? wrapped(row[2] << 16 | pair, 32) : pair;
            });
  }
}

} // namespace heddle::ptx::test
