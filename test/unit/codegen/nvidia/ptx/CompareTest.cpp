// CompareTest.cpp - set, setp, selp, slct against comparisons of the host.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"
#include "test/unit/codegen/nvidia/ptx/HostFloat.h"

namespace heddle::ptx::test {

namespace {

/// How two values stand to each other; one bit each.
enum Relation : unsigned { Less = 1, Equal = 2, Greater = 4, Unordered = 8 };

struct Comparison {
  const char *name;
  unsigned holds; ///< for which relations
};
constexpr Comparison both[] = {{"eq", Equal}, {"ne", Less | Greater}};
constexpr Comparison ordered[] = {{"lt", Less},
                                  {"le", Less | Equal},
                                  {"gt", Greater},
                                  {"ge", Greater | Equal}};
constexpr Comparison unsignedOnly[] = {{"lo", Less},
                                       {"ls", Less | Equal},
                                       {"hi", Greater},
                                       {"hs", Greater | Equal}};
constexpr Comparison floatOnly[] = {
    {"equ", Equal | Unordered},      {"neu", Less | Greater | Unordered},
    {"ltu", Less | Unordered},       {"leu", Less | Equal | Unordered},
    {"gtu", Greater | Unordered},    {"geu", Greater | Equal | Unordered},
    {"num", Less | Equal | Greater}, {"nan", Unordered}};

/// A type that can be compared.
struct Comparable {
  std::string name;
  unsigned bits;
  const HostFormat *format = nullptr; ///< of a floating-point type
  bool isSigned = false, isUntyped = false;

  std::vector<Comparison> comparisons() const {
    std::vector<Comparison> all(std::begin(both), std::end(both));
    auto add = [&](auto &more) {
      all.insert(all.end(), std::begin(more), std::end(more));
    };
    if (!isUntyped)
      add(ordered);
    if (format)
      add(floatOnly);
    else if (!isSigned && !isUntyped)
      add(unsignedOnly);
    return all;
  }
  Relation relation(uint64_t a, uint64_t b, bool flush) const {
    if (!format) {
      IntegerType type = {"", bits, isSigned};
      __int128 x = type.value(a), y = type.value(b);
      return x < y ? Less : x > y ? Greater : Equal;
    }
    auto value = [&](uint64_t word) {
      return flush && format->isSubnormal(word) ? 0 : format->value(word);
    };
    __float128 x = value(a), y = value(b);
    if (isNan(x) || isNan(y))
      return Unordered;
    return x < y ? Less : x > y ? Greater : Equal;
  }
  Column column(unsigned index) const {
    if (!format)
      return integers(bits, index);
    return format == &hostBF16 ? bfloats(index) : floats(bits, index);
  }
  bool flushes() const { return format == &hostF32 || format == &hostF16; }
};

std::vector<Comparable> comparables() {
  std::vector<Comparable> all;
  for (const IntegerType &type : integerTypes)
    all.push_back({type.name, type.bits, nullptr, type.isSigned, false});
  for (unsigned bits : {16u, 32u, 64u})
    all.push_back({"b" + std::to_string(bits), bits, nullptr, false, true});
  for (const HostFormat *format : {&hostF16, &hostBF16, &hostF32, &hostF64})
    all.push_back({format->name, format->bits(), format, true, false});
  return all;
}

struct Join {
  const char *name;
  bool (*apply)(bool t, bool c);
};
constexpr Join joins[] = {{"", [](bool t, bool) { return t; }},
                          {".and", [](bool t, bool c) { return t && c; }},
                          {".or", [](bool t, bool c) { return t || c; }},
                          {".xor", [](bool t, bool c) { return t != c; }}};

/// Calls `use(join, negated)` for each way to join another predicate.
template <class Use>
void forJoins(Use use) {
  for (const Join &join : joins)
    for (bool negated : {false, true})
      if (*join.name || !negated)
        use(join, negated);
}

/// Fewer rows, for the joined forms: the comparison itself has been seen.
std::vector<Column> thinned(const std::vector<Column> &columns) {
  std::vector<Column> result(columns.size());
  for (size_t c = 0; c < columns.size(); ++c)
    for (size_t i = 0; i < columns[c].size(); i += 7)
      result[c].push_back(columns[c][i]);
  return result;
}

Column alternating(size_t count) {
  Column bits(count);
  std::mt19937 generator(4);
  for (uint64_t &bit : bits)
    bit = generator() % 2;
  return bits;
}

} // namespace

TEST(Compare, Setp) {
  for (const Comparable &type : comparables())
    for (const Comparison &comparison : type.comparisons())
      forJoins([&](const Join &join, bool negated) {
        for (bool flush : {false, true}) {
          if (flush && !type.flushes())
            continue;
          std::string text = std::string("setp.") + comparison.name +
                             join.name + (flush ? ".ftz." : ".") + type.name;
          std::string tail = *join.name ? negated ? ", !%c;" : ", %c;" : ";";
          std::vector<Column> operands = {type.column(0), type.column(1)};
          operands.push_back(alternating(operands[0].size()));
          if (*join.name)
            operands = thinned(operands);
          std::vector<unsigned> widths = {type.bits, type.bits, 1};
          auto want = [&](const uint64_t *x, bool isSecond) {
            bool t = comparison.holds & type.relation(x[0], x[1], flush);
            return uint64_t(join.apply(t != isSecond, (x[2] != 0) != negated));
          };
          compare({text + " %d, %a, %b" + tail, 1, widths}, operands,
                  [&](const uint64_t *x) { return want(x, false); });
          // The second result is the comparison's complement, joined; single
          // halves have none.
          if (type.format && type.bits == 16)
            continue;
          compare({text + " _|%d, %a, %b" + tail, 1, widths}, operands,
                  [&](const uint64_t *x) { return want(x, true); });
        }
      });
}

TEST(Compare, SetpOfPackedHalves) {
  for (const HostFormat *format : {&hostF16, &hostBF16}) {
    Comparable type = {format->name, 16, format, true, false};
    std::vector<Column> operands = {type.column(0), type.column(1)};
    for (Column &column : operands)
      for (size_t i = 0; i < column.size(); ++i)
        column[i] |= column[(i + 11) % column.size()] << 16;
    operands.push_back(alternating(operands[0].size()));
    for (const Comparison &comparison : type.comparisons())
      forJoins([&](const Join &join, bool negated) {
        for (bool flush : {false, true})
          for (unsigned up : {0u, 16u}) {
            if (flush && !type.flushes())
              continue;
            std::string text = std::string("setp.") + comparison.name +
                               join.name + (flush ? ".ftz." : ".") + type.name +
                               "x2" + (up ? " _|%d, %a, %b" : " %d|_, %a, %b");
            text += *join.name ? negated ? ", !%c;" : ", %c;" : ";";
            compare({text, 1, {32, 32, 1}},
                    *join.name ? thinned(operands) : operands,
                    [&](const uint64_t *x) {
                      bool t = comparison.holds &
                               type.relation(x[0] >> up & 0xFFFF,
                                             x[1] >> up & 0xFFFF, flush);
                      return uint64_t(join.apply(t, (x[2] != 0) != negated));
                    });
          }
      });
  }
}

namespace {

/// What set writes, and for operands of which types (PTX ISA 9.7.6.1, 9.7.7.1).
struct SetResult {
  const char *name;
  unsigned bits;
  uint64_t whenTrue;
  bool ofHalves, ofF16, ofOthers; ///< bf16 and f16, f16, what is no half
  bool flushes = true;
};
constexpr SetResult setResults[] = {
    {"u16", 16, 0xFFFF, true, true, false},
    {"s16", 16, 0xFFFF, true, true, false},
    {"u32", 32, 0xFFFFFFFF, true, true, true},
    {"s32", 32, 0xFFFFFFFF, true, true, true},
    {"f32", 32, 0x3F800000, false, false, true},
    {"f16", 16, 0x3C00, false, true, true},
    {"bf16", 16, 0x3F80, true, true, true, false}};

bool goesWith(const SetResult &result, const Comparable &type) {
  if (!type.format || type.bits != 16)
    return result.ofOthers;
  return type.format == &hostF16 ? result.ofF16 : result.ofHalves;
}

} // namespace

TEST(Compare, Set) {
  for (const Comparable &type : comparables()) {
    std::vector<Column> operands = {type.column(0), type.column(1)};
    operands.push_back(alternating(operands[0].size()));
    operands = thinned(operands);
    for (const SetResult &result : setResults)
      for (const Comparison &comparison : type.comparisons())
        forJoins([&](const Join &join, bool negated) {
          for (bool flush : {false, true}) {
            if (!goesWith(result, type) ||
                (flush && !(type.flushes() && result.flushes)))
              continue;
            std::string text = std::string("set.") + comparison.name +
                               join.name + (flush ? ".ftz." : ".") +
                               result.name + "." + type.name + " %d, %a, %b";
            text += *join.name ? negated ? ", !%c;" : ", %c;" : ";";
            compare({text, result.bits, {type.bits, type.bits, 1}}, operands,
                    [&](const uint64_t *x) {
                      bool t =
                          comparison.holds & type.relation(x[0], x[1], flush);
                      bool isTrue = join.apply(t, (x[2] != 0) != negated);
                      return isTrue ? result.whenTrue : 0;
                    });
          }
        });
  }
}

/// Each half of the result is of its own comparison: 1, or all ones where the
/// result is an integer.
TEST(Compare, SetOfPackedHalves) {
  for (const HostFormat *format : {&hostF16, &hostBF16}) {
    Comparable type = {format->name, 16, format, true, false};
    std::vector<Column> operands = {type.column(0), type.column(1)};
    for (Column &column : operands)
      for (size_t i = 0; i < column.size(); ++i)
        column[i] |= column[(i + 29) % column.size()] << 16;
    operands.push_back(alternating(operands[0].size()));
    operands = thinned(operands);
    uint64_t one = format == &hostF16 ? 0x3C00 : 0x3F80;
    std::string packed = type.name + "x2";
    for (const std::string &result :
         {packed, std::string("u32"), std::string("s32")})
      for (const Comparison &comparison : type.comparisons())
        forJoins([&](const Join &join, bool negated) {
          for (bool flush : {false, true}) {
            if (flush && !type.flushes())
              continue;
            std::string text = std::string("set.") + comparison.name +
                               join.name + (flush ? ".ftz." : ".") + result +
                               "." + packed + " %d, %a, %b";
            text += *join.name ? negated ? ", !%c;" : ", %c;" : ";";
            compare({text, 32, {32, 32, 1}}, operands, [&](const uint64_t *x) {
              uint64_t word = 0;
              for (unsigned up : {0u, 16u}) {
                bool t = comparison.holds & type.relation(x[0] >> up & 0xFFFF,
                                                          x[1] >> up & 0xFFFF,
                                                          flush);
                if (join.apply(t, (x[2] != 0) != negated))
                  word |= (result == packed ? one : 0xFFFF) << up;
              }
              return word;
            });
          }
        });
  }
}

TEST(Compare, Selections) {
  for (const char *name : {"b16", "b32", "b64", "u16", "u32", "u64", "s16",
                           "s32", "s64", "f32", "f64"}) {
    unsigned bits = unsigned(std::atoi(name + 1));
    std::vector<Column> operands = {integers(bits, 0), integers(bits, 1)};
    std::vector<Column> predicated = operands;
    predicated.push_back(alternating(operands[0].size()));
    compare({std::string("selp.") + name + " %d, %a, %b, %c;",
             bits,
             {bits, bits, 1}},
            predicated, [](const uint64_t *x) { return x[2] ? x[0] : x[1]; });
    std::vector<Column> byInteger = operands, byFloat = operands;
    byInteger.push_back(integers(32, 2));
    Column selector = floats(32, 2, operands[0].size());
    selector.resize(operands[0].size());
    byFloat.push_back(selector);
    compare({std::string("slct.") + name + ".s32 %d, %a, %b, %c;",
             bits,
             {bits, bits, 32}},
            byInteger,
            [](const uint64_t *x) { return int32_t(x[2]) >= 0 ? x[0] : x[1]; });
    // A subnormal that is flushed counts as zero, and -0 >= 0; NaN takes b.
    for (bool flush : {false, true})
      compare({std::string(flush ? "slct.ftz." : "slct.") + name +
                   ".f32 %d, %a, %b, %c;",
               bits,
               {bits, bits, 32}},
              byFloat, [&](const uint64_t *x) {
                bool zero = flush && hostF32.isSubnormal(x[2]);
                return zero || hostF32.value(x[2]) >= 0 ? x[0] : x[1];
              });
  }
}

} // namespace heddle::ptx::test
