// WarpTest.cpp - instructions across lanes, for whole warps and parts of them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"
#include "test/unit/codegen/nvidia/ptx/HostFloat.h"

#include <algorithm>
#include <bit>

namespace heddle::ptx::test {

namespace {

/// What a lane that does not execute keeps.
constexpr uint64_t untouched = 0x5EED;

/// Member masks by lane: whole warps, parts of one, and warps that split into
/// two or three sets which meet at one instruction. 0: the lane stays away.
Column memberMasks() {
  Column masks;
  for (uint32_t mask : {0xFFFFFFFFu, 0x0000FFFFu, 0x80000001u, 0x00F0A00Fu})
    for (unsigned lane = 0; lane < 32; ++lane)
      masks.push_back(mask >> lane & 1 ? mask : 0);
  for (unsigned lane = 0; lane < 32; ++lane)
    masks.push_back(lane % 2 ? 0xAAAAAAAA : 0x55555555);
  uint32_t sets[3] = {};
  for (unsigned lane = 0; lane < 32; ++lane)
    sets[lane * 7 % 3] |= 1u << lane;
  for (unsigned lane = 0; lane < 32; ++lane)
    masks.push_back(sets[lane * 7 % 3]);
  return masks;
}

/// Repeats the masks `times` over and gives as many values.
Column repeated(const Column &column, unsigned times) {
  Column result;
  for (unsigned i = 0; i < times; ++i)
    result.insert(result.end(), column.begin(), column.end());
  return result;
}

/// Lanes of the warp that begins at `first` which take part with `lane`.
uint32_t setOf(const Column &masks, size_t first, unsigned lane) {
  uint32_t set = 0;
  for (unsigned other = 0; other < 32; ++other)
    if (masks[first + other] == masks[first + lane])
      set |= 1u << other;
  return masks[first + lane] ? set : 0;
}

/// The masks of warps in which one set takes part: what forms without `.sync`
/// see as the active lanes.
Column activeMasks() {
  Column masks = memberMasks();
  masks.resize(4 * 32);
  return masks;
}

/// Files whose PTX has the forms without `.sync`.
constexpr const char *oldHeads[] = {".version 6.3\n.target sm_70\n",
                                    ".version 8.0\n.target sm_61\n"};

/// Runs `instruction` for lanes whose mask, %b, is not zero. `expected` gives
/// the result of a lane from the rows of the lanes in its set.
void compareSets(const std::string &instruction, unsigned resultBits,
                 unsigned valueBits, const Column &values, const Column &masks,
                 const std::function<uint64_t(size_t first, unsigned lane,
                                              uint32_t set)> &expected,
                 const char *head = Form().head) {
  std::string before = ".reg .pred %in, %q;\n.reg .b32 %x;\n"
                       "setp.ne.u32 %in, %b, 0;\n";
  before += resultBits == 1 ? "mov.pred %d, 0;" : "mov.b32 %d, 0x5EED;";
  compareWarps(
      {"@%in " + instruction, resultBits, {valueBits, 32}, before, "", head},
      {values, masks}, [&](size_t first) {
        Column want(32);
        for (unsigned lane = 0; lane < 32; ++lane) {
          uint32_t set = setOf(masks, first, lane);
          want[lane] = set               ? expected(first, lane, set)
                       : resultBits == 1 ? 0
                                         : untouched;
        }
        return want;
      });
}

} // namespace

namespace {

/// A file, the masks of its lanes, and how its forms are written.
struct Convention {
  const char *head;
  Column masks;
  std::string sync, members;
};

std::vector<Convention> conventions() {
  std::vector<Convention> all = {
      {Form().head, memberMasks(), ".sync", ", %b;"}};
  for (const char *head : oldHeads)
    all.push_back({head, activeMasks(), "", ";"});
  return all;
}

/// The lane that a shuffle reads, by the segments of `width` lanes.
unsigned sourceOf(char mode, unsigned by, unsigned width, unsigned lane,
                  bool &valid) {
  int base = int(lane / width * width), at = int(lane);
  int distance = int(by % 32);
  int from = mode == 'u'   ? at - distance
             : mode == 'd' ? at + distance
             : mode == 'b' ? at ^ distance
                           : base + distance % int(width);
  // A butterfly may reach lanes below its segment, not above.
  valid = mode == 'b' ? from < base + int(width)
                      : from >= base && from < base + int(width);
  return valid ? unsigned(from) : lane;
}

void compareShuffles(const Convention &convention, const char *mode,
                     unsigned by, unsigned width) {
  const Column &masks = convention.masks;
  Column values = integers(32, 0);
  values.resize(masks.size());
  unsigned clamp = *mode == 'u' ? 0 : 31;
  auto form = [&](const char *results) {
    return "shfl" + convention.sync + "." + mode + ".b32 " + results +
           ", %a, " + std::to_string(by) + ", " +
           std::to_string((32 - width) << 8 | clamp) + convention.members;
  };
  compareSets(
      form("%d|%q"), 32, 32, values, masks,
      [&](size_t first, unsigned lane, uint32_t set) {
        bool valid;
        unsigned from = sourceOf(*mode, by, width, lane, valid);
        return set >> from & 1 ? values[first + from] : anyResult;
      },
      convention.head);
  compareSets(
      form("%x|%d"), 1, 32, values, masks,
      [&](size_t, unsigned lane, uint32_t) {
        bool valid;
        sourceOf(*mode, by, width, lane, valid);
        return uint64_t(valid);
      },
      convention.head);
}

/// Every answer of lanes, warp by warp: all no, all yes, any, few.
Column answers(size_t count) {
  Column bits(count);
  std::mt19937 generator(2);
  for (size_t i = 0; i < count; ++i) {
    unsigned kind = unsigned(i / (count / 8)) % 4;
    bits[i] = kind < 2    ? kind
              : kind == 2 ? generator() % 2
                          : generator() % 16 == 0;
  }
  return bits;
}

void compareVotes(const Convention &convention, bool negated) {
  Column masks = repeated(convention.masks, 8), bits = answers(masks.size());
  auto yes = [&](size_t first, uint32_t set) {
    uint32_t result = 0;
    for (unsigned lane = 0; lane < 32; ++lane)
      if (set >> lane & 1 && (bits[first + lane] != 0) != negated)
        result |= 1u << lane;
    return result;
  };
  auto run = [&](const char *form, unsigned resultBits, auto expected) {
    compareSets(
        "vote" + convention.sync + "." + form +
            (negated ? " %d, !%a" : " %d, %a") + convention.members,
        resultBits, 1, bits, masks,
        [&](size_t first, unsigned, uint32_t set) {
          return uint64_t(expected(yes(first, set), set));
        },
        convention.head);
  };
  run("all.pred", 1, [](uint32_t y, uint32_t set) { return y == set; });
  run("any.pred", 1, [](uint32_t y, uint32_t) { return y != 0; });
  run("uni.pred", 1,
      [](uint32_t y, uint32_t set) { return y == set || y == 0; });
  run("ballot.b32", 32, [](uint32_t y, uint32_t) { return y; });
}

} // namespace

/// The segments of `.c` and lanes out of range keep their own value.
TEST(Warp, Shuffles) {
  for (const Convention &convention : conventions())
    for (unsigned by : {0u, 1u, 5u, 16u, 31u, 33u})
      for (unsigned width : {32u, 16u, 8u, 1u})
        for (const char *mode : {"up", "down", "bfly", "idx"})
          compareShuffles(convention, mode, by, width);
}

TEST(Warp, Votes) {
  for (const Convention &convention : conventions())
    for (bool negated : {false, true})
      compareVotes(convention, negated);
}

/// As ptxas does: from PTX 6.4 on they are gone for sm_70 and later.
TEST(Warp, FormsWithoutSyncAreOfOldFiles) {
  for (const char *text :
       {"shfl.up.b32 %d, %a, 1, 0;", "@%q vote.ballot.b32 %d, %q;"}) {
    Form form{text, 32, {32}, ".reg .pred %q; setp.ne.u32 %q, %a, 0;", ""};
    for (const char *head : oldHeads) {
      form.head = head;
      EXPECT_TRUE(isCovered(form)) << head << text;
    }
    for (const char *head :
         {".version 6.4\n.target sm_70\n", ".version 8.0\n.target sm_90a\n"}) {
      form.head = head;
      EXPECT_FALSE(isCovered(form)) << head << text;
    }
  }
}

TEST(Warp, Matches) {
  Column masks = repeated(memberMasks(), 4);
  for (unsigned bits : {32u, 64u}) {
    Column values = integers(bits, 0);
    values.resize(masks.size());
    for (size_t i = 0; i < values.size(); ++i) // few values, and one for all
      values[i] = i >= values.size() / 2 ? values[3] : values[i % 3 + 9];
    auto equal = [&](size_t first, unsigned lane, uint32_t set) {
      uint32_t result = 0;
      for (unsigned other = 0; other < 32; ++other)
        if (set >> other & 1 && values[first + other] == values[first + lane])
          result |= 1u << other;
      return result;
    };
    std::string type = ".b" + std::to_string(bits);
    compareSets("match.any.sync" + type + " %d, %a, %b;", 32, bits, values,
                masks, [&](size_t first, unsigned lane, uint32_t set) {
                  return uint64_t(equal(first, lane, set));
                });
    for (const char *result : {" %d, %a, %b;", " %d|%q, %a, %b;"})
      compareSets("match.all.sync" + type + result, 32, bits, values, masks,
                  [&](size_t first, unsigned lane, uint32_t set) {
                    return uint64_t(equal(first, lane, set) == set ? set : 0);
                  });
    compareSets("match.all.sync" + type + " %x|%d, %a, %b;", 1, bits, values,
                masks, [&](size_t first, unsigned lane, uint32_t set) {
                  return uint64_t(equal(first, lane, set) == set);
                });
  }
}

TEST(Warp, IntegerReductions) {
  Column masks = repeated(memberMasks(), 4), values = integers(32, 0, 2048);
  values.erase(values.begin(), values.begin() + 500);
  values.resize(masks.size());
  struct {
    const char *form;
    bool isSigned;
    __int128 (*apply)(__int128 a, __int128 b);
  } operations[] = {
      {"add.u32", false, [](__int128 a, __int128 b) { return a + b; }},
      {"add.s32", true, [](__int128 a, __int128 b) { return a + b; }},
      {"min.u32", false, [](__int128 a, __int128 b) { return std::min(a, b); }},
      {"min.s32", true, [](__int128 a, __int128 b) { return std::min(a, b); }},
      {"max.u32", false, [](__int128 a, __int128 b) { return std::max(a, b); }},
      {"max.s32", true, [](__int128 a, __int128 b) { return std::max(a, b); }},
      {"and.b32", false, [](__int128 a, __int128 b) { return a & b; }},
      {"or.b32", false, [](__int128 a, __int128 b) { return a | b; }},
      {"xor.b32", false, [](__int128 a, __int128 b) { return a ^ b; }}};
  for (auto &operation : operations)
    compareSets(std::string("redux.sync.") + operation.form + " %d, %a, %b;",
                32, 32, values, masks,
                [&](size_t first, unsigned, uint32_t set) {
                  IntegerType type = {"", 32, operation.isSigned};
                  bool isFirst = true;
                  __int128 total = 0;
                  for (unsigned lane = 0; lane < 32; ++lane) {
                    if (!(set >> lane & 1))
                      continue;
                    __int128 value = type.value(values[first + lane]);
                    total = isFirst ? value : operation.apply(total, value);
                    isFirst = false;
                  }
                  return wrapped(total, 32);
                });
}

/// NaN counts only if asked for, unless there is nothing else; -0 < +0.
TEST(Warp, FloatReductions) {
  Column masks = repeated(memberMasks(), 12), values;
  Column all = floats(32, 0, 4096);
  std::mt19937 generator(8);
  for (size_t i = 0; i < masks.size(); ++i) {
    unsigned kind = unsigned(i / memberMasks().size()) % 3;
    values.push_back(kind == 0   ? all[900 + i]            // random
                     : kind == 1 ? all[generator() % 2]    // zeros
                                 : all[generator() % 30]); // specials
  }
  for (size_t i = 0; i < 32; ++i) // a warp of nothing but NaN
    values[i] = 0x7FC00000;
  for (bool largest : {false, true})
    for (bool abs : {false, true})
      for (bool nan : {false, true})
        compareSets(
            std::string("redux.sync.") + (largest ? "max" : "min") +
                (abs ? ".abs" : "") + (nan ? ".NaN" : "") + ".f32 %d, %a, %b;",
            32, 32, values, masks, [&](size_t first, unsigned, uint32_t set) {
              bool anyNan = false, found = false;
              int64_t best = 0;
              for (unsigned lane = 0; lane < 32; ++lane) {
                if (!(set >> lane & 1))
                  continue;
                uint64_t word = values[first + lane];
                if (abs)
                  word &= 0x7FFFFFFF;
                if (hostF32.isNan(word)) {
                  anyNan = true;
                  continue;
                }
                int64_t magnitude = int64_t(word & 0x7FFFFFFF);
                int64_t rank = word >> 31 ? -1 - magnitude : magnitude;
                if (!found || (rank > best) == largest)
                  best = rank == best ? best : rank;
                found = true;
              }
              if (!found || (nan && anyNan))
                return uint64_t(0x7FFFFFFF);
              return best < 0 ? uint64_t(-1 - best) | 0x80000000
                              : uint64_t(best);
            });
}

TEST(Warp, Elections) {
  Column masks = memberMasks(), values(masks.size());
  compareSets("elect.sync %d|%q, %b;", 32, 32, values, masks,
              [](size_t, unsigned, uint32_t set) {
                return uint64_t(std::countr_zero(set));
              });
  compareSets("elect.sync _|%d, %b;", 1, 32, values, masks,
              [](size_t, unsigned lane, uint32_t set) {
                return uint64_t(unsigned(std::countr_zero(set)) == lane);
              });
}

/// Lanes that a branch has parted see themselves alone.
TEST(Warp, ActiveLanes) {
  Column bits(256);
  std::mt19937 generator(2);
  for (size_t i = 0; i < bits.size(); ++i)
    bits[i] = i < 32 ? 1 : generator() % 3 != 0;
  compareWarps({"activemask.b32 %d;",
                32,
                {1},
                "mov.b32 %d, 0;\n@!%a bra PAST;",
                "PAST:"},
               {bits}, [&](size_t first) {
                 Column want(32);
                 uint64_t mask = 0;
                 for (unsigned lane = 0; lane < 32; ++lane)
                   mask |= bits[first + lane] << lane;
                 for (unsigned lane = 0; lane < 32; ++lane)
                   want[lane] = bits[first + lane] ? mask : 0;
                 return want;
               });
}

} // namespace heddle::ptx::test
