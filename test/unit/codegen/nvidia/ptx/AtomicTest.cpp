// AtomicTest.cpp - atom and red: operations, types, vectors, state spaces.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"
#include "test/unit/codegen/nvidia/ptx/HostFloat.h"

#include <algorithm>

namespace heddle::ptx::test {

namespace {

/// The value left in memory, of the old one and the operands.
using Update = std::function<uint64_t(uint64_t old, uint64_t b, uint64_t swap)>;

struct Atomic {
  std::string operation; ///< `add`, `cas`
  std::string type;      ///< `u32`, `noftz.f16x2`
  unsigned bits;
  Update update;
  unsigned vector = 1;
  bool isFloat = false;
  bool isBrain = false;
};

enum class Place {
  Global,
  Generic,
  Shared,
  SharedCta,
  SharedCluster,
  GenericShared
};
constexpr Place everyPlace[] = {Place::Global,        Place::Generic,
                                Place::Shared,        Place::SharedCta,
                                Place::SharedCluster, Place::GenericShared};

bool isShared(Place place) { return place >= Place::Shared; }

const char *spaceOf(Place place) {
  constexpr const char *spaces[] = {
      ".global", "", ".shared", ".shared::cta", ".shared::cluster", ""};
  return spaces[int(place)];
}

/// One way to write an instruction.
struct Words {
  std::string semantics; ///< `.acquire.gpu`
  bool hasPolicy = false;
};

/// Every way that a place allows. Semantics and scope may each be left out.
std::vector<Words> everyWords(const Atomic &atomic, Place place, bool returns) {
  std::vector<std::string> orders = {"", ".relaxed", ".release"};
  if (returns)
    orders.insert(orders.end(), {".acquire", ".acq_rel"});
  std::vector<Words> all;
  for (const std::string &order : orders)
    for (const char *scope : {"", ".cta", ".cluster", ".gpu", ".sys"})
      all.push_back({order + scope});
  if (!isShared(place) && atomic.operation != "cas")
    all.push_back({"", true});
  return all;
}

std::string list(const char *prefix, unsigned count) {
  if (count == 1)
    return std::string(prefix) + "0";
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i)
    text += (i ? ", " : "") + std::string(prefix) + std::to_string(i);
  return text + "}";
}

/// The instruction: `%at` holds the address, %x operands, %y swaps, %z results.
std::string instructionOf(const Atomic &atomic, Place place, bool returns,
                          const Words &words) {
  std::string vector =
      atomic.vector > 1 ? ".v" + std::to_string(atomic.vector) : "";
  // `.noftz` belongs to the operation.
  std::string type = atomic.type, operation = atomic.operation;
  if (type.starts_with("noftz.")) {
    type = type.substr(6);
    operation += ".noftz";
  }
  return (returns ? "atom" : "red") + words.semantics + spaceOf(place) + "." +
         operation + (words.hasPolicy ? ".L2::cache_hint" : "") + vector + "." +
         type + " " + (returns ? list("%z", atomic.vector) + ", " : "") +
         "[%at], " + list("%x", atomic.vector) +
         (atomic.operation == "cas" ? ", " + list("%y", atomic.vector) : "") +
         (words.hasPolicy ? ", %policy;\n" : ";\n");
}

/// Each thread updates cells of its own, one for each way to write it and
/// `columnBytes` apart, in global memory or in a copy in shared memory, and
/// stores what it got.
std::string atomicKernel(const Atomic &atomic, Place place, bool returns,
                         const std::vector<Words> &ways, size_t columnBytes) {
  unsigned bytes = atomic.bits / 8, total = bytes * atomic.vector;
  std::string size = std::to_string(total),
              type = ".b" + std::to_string(atomic.bits);
  std::string registers = std::to_string(atomic.vector);
  std::string text =
      ".version 9.0\n.target sm_100\n.address_size 64\n"
      ".visible .entry k(.param .u64 cells, .param .u64 operands, "
      ".param .u64 swaps, .param .u64 olds)\n{\n"
      ".shared .align 16 .b8 box[2048];\n.reg .b32 %t, %thread;\n"
      ".reg .b64 %c, %b, %w, %o, %at, %policy;\n.reg " +
      type + " %x<" + registers + ">, %y<" + registers + ">, %z<" + registers +
      ">;\ncreatepolicy.fractional.L2::evict_last.b64 %policy, 0.5;\n";
  for (const char *pair :
       {"%c, [cells]", "%b, [operands]", "%w, [swaps]", "%o, [olds]"})
    text += std::string("ld.param.u64 ") + pair + ";\n";
  text += "mov.u32 %t, %ctaid.x;\nshl.b32 %t, %t, 6;\n"
          "mov.u32 %thread, %tid.x;\nadd.u32 %t, %t, %thread;\n";
  for (const char *name : {"%c", "%b", "%w", "%o"})
    text += std::string("mad.wide.u32 ") + name + ", %t, " + size + ", " +
            name + ";\n";
  for (unsigned i = 0; i < atomic.vector; ++i) {
    std::string n = std::to_string(i), at = std::to_string(i * bytes);
    text += "ld.global" + type + " %x" + n + ", [%b+" + at + "];\n";
    text += "ld.global" + type + " %y" + n + ", [%w+" + at + "];\n";
  }
  for (size_t way = 0; way < ways.size(); ++way) {
    std::string cell = std::to_string(way * columnBytes);
    text += "add.u64 %at, %c, " + cell + ";\n";
    if (isShared(place)) {
      text += "ld.global" + type + " %z0, [%at];\nmov.u64 %at, box;\n" +
              "mad.wide.u32 %at, %thread, " + size + ", %at;\nst.shared" +
              type + " [%at], %z0;\n";
      if (place == Place::GenericShared)
        text += "cvta.shared.u64 %at, %at;\n";
    }
    text += instructionOf(atomic, place, returns, ways[way]);
    for (unsigned i = 0; returns && i < atomic.vector; ++i)
      text += "st.global" + type + " [%o+" +
              std::to_string(way * columnBytes + i * bytes) + "], %z" +
              std::to_string(i) + ";\n";
    if (isShared(place))
      text += std::string("ld") + spaceOf(place) + type +
              " %z0, [%at];\nst.global" + type + " [%c+" + cell + "], %z0;\n";
  }
  return text + "ret;\n}\n";
}

/// Values of 128 bits have halves that depend on one half of the word each.
std::vector<uint8_t> bytesOf(const Column &column, unsigned bits) {
  std::vector<uint8_t> bytes;
  auto add = [&](uint64_t value, unsigned count) {
    for (unsigned i = 0; i < count; ++i)
      bytes.push_back(uint8_t(value >> (8 * i)));
  };
  for (uint64_t value : column)
    if (bits == 128) {
      add((value & 0xFFFFFFFF) * 0x9E3779B97F4A7C15, 8);
      add((value >> 32) * 0x9E3779B97F4A7C15, 8);
    } else {
      add(value, bits / 8);
    }
  return bytes;
}

Column operandsOf(const Atomic &atomic, unsigned index) {
  Column column;
  if (!atomic.isFloat) {
    column = integers(std::min(atomic.bits, 64u), index);
  } else {
    unsigned bits = atomic.type.ends_with("x2") ? 16 : atomic.bits;
    column = atomic.isBrain ? bfloats(index) : floats(bits, index);
    if (bits != atomic.bits)
      for (size_t i = 0; i < column.size(); ++i)
        column[i] |= column[(i + 31) % column.size()] << 16;
  }
  column.resize(column.size() / 512 * 512);
  return column;
}

/// Runs every one of `ways` on the same operands and compares what each leaves
/// and returns.
void compareWays(const Atomic &atomic, Place place, bool returns,
                 const std::vector<Words> &ways, size_t rows) {
  Column old = operandsOf(atomic, 0), b = operandsOf(atomic, 1),
         swap = operandsOf(atomic, 2);
  for (size_t i = 0; atomic.operation == "cas" && i < old.size(); i += 3)
    b[i] = old[i];
  // Fewer rows spread over all: 5 has no divisor in common with their number.
  for (Column *column : {&old, &b, &swap}) {
    Column all = *column;
    column->resize(std::min(rows, all.size()));
    for (size_t i = 0; i < column->size(); ++i)
      (*column)[i] = all[i * 5 % all.size()];
  }
  std::vector<uint8_t> column = bytesOf(old, atomic.bits), cells,
                       operands = bytesOf(b, atomic.bits),
                       swaps = bytesOf(swap, atomic.bits);
  for (size_t way = 0; way < ways.size(); ++way)
    cells.insert(cells.end(), column.begin(), column.end());
  std::vector<uint8_t> olds(cells.size());
  std::string text = atomicKernel(atomic, place, returns, ways, column.size());
  Kernel kernel(text);
  for (auto *buffer : {&cells, &operands, &swaps})
    kernel.addBuffer(*buffer, "in");
  kernel.addBuffer(olds, "olds");
  kernel.launch.block[0] = 64;
  kernel.launch.grid[0] = uint32_t(old.size() / atomic.vector / 64);
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << text << textOf(report);
  unsigned bytes = atomic.bits / 8;
  for (size_t i = 0; i < old.size() * ways.size(); ++i) {
    size_t row = i % old.size();
    auto holds = [&](const std::vector<uint8_t> &buffer, uint64_t value) {
      std::vector<uint8_t> want = bytesOf({value}, atomic.bits);
      return std::equal(want.begin(), want.end(), &buffer[i * bytes]);
    };
    const Words &words = ways[i / old.size()];
    ASSERT_TRUE(!returns || holds(olds, old[row]))
        << "result of " << instructionOf(atomic, place, returns, words);
    auto expected = atomic.update(old[row], b[row], swap[row]);
    uint64_t left = 0;
    std::memcpy(&left, &cells[i * bytes], std::min(bytes, 8u));
    // The payload of a NaN in f64 is the host's.
    bool areNan = atomic.type == "f64" && hostF64.isNan(left) &&
                  hostF64.isNan(uint64_t(expected));
    ASSERT_TRUE(areNan || holds(cells, expected))
        << instructionOf(atomic, place, returns, words) << std::hex << old[row]
        << ", " << b[row];
  }
  recordCompared(kernel, {returns ? "atom" : "red"});
  if (ways.back().hasPolicy)
    recordCompared(kernel, {"createpolicy"});
}

/// The plain form on all operands, every other one on some of them.
void check(const Atomic &atomic, Place place, bool returns) {
  compareWays(atomic, place, returns, {Words{}}, ~size_t(0));
  compareWays(atomic, place, returns, everyWords(atomic, place, returns),
              64 * atomic.vector);
}

void checkEverywhere(const Atomic &atomic) {
  for (Place place : everyPlace)
    for (bool returns : {true, false})
      if (returns || (atomic.operation != "exch" && atomic.operation != "cas"))
        check(atomic, place, returns);
}

uint64_t flushed(uint64_t word) {
  return hostF32.isSubnormal(word) ? word & hostF32.signBit() : word;
}

/// Applies an update to both halves of a word.
Update onHalves(Update update) {
  return [=](uint64_t old, uint64_t b, uint64_t) {
    return update(old & 0xFFFF, b & 0xFFFF, 0) | update(old >> 16, b >> 16, 0)
                                                     << 16;
  };
}

} // namespace

TEST(Atomics, Bits) {
  for (unsigned bits : {32u, 64u}) {
    std::string type = "b" + std::to_string(bits);
    auto run = [&](const char *operation, const Update &update) {
      checkEverywhere({operation, type, bits, update});
    };
    run("and", [](uint64_t a, uint64_t b, uint64_t) { return a & b; });
    run("or", [](uint64_t a, uint64_t b, uint64_t) { return a | b; });
    run("xor", [](uint64_t a, uint64_t b, uint64_t) { return a ^ b; });
  }
  for (unsigned bits : {32u, 64u, 128u})
    checkEverywhere({"exch", "b" + std::to_string(bits), bits,
                     [](uint64_t, uint64_t b, uint64_t) { return b; }});
  for (unsigned bits : {16u, 32u, 64u, 128u})
    checkEverywhere({"cas", "b" + std::to_string(bits), bits,
                     [](uint64_t a, uint64_t b, uint64_t swap) {
                       return a == b ? swap : a;
                     }});
}

TEST(Atomics, Integers) {
  for (const IntegerType &type : integerTypes) {
    if (type.bits == 16)
      continue;
    auto run = [&](const char *operation, auto apply) {
      checkEverywhere({operation, type.name, type.bits,
                       [=](uint64_t a, uint64_t b, uint64_t) {
                         return wrapped(apply(type.value(a), type.value(b)),
                                        type.bits);
                       }});
    };
    using W = __int128;
    if (type.bits == 32 || !type.isSigned) // there is no add.s64
      run("add", [](W a, W b) { return a + b; });
    run("min", [](W a, W b) { return std::min(a, b); });
    run("max", [](W a, W b) { return std::max(a, b); });
    if (type.bits != 32 || type.isSigned)
      continue;
    run("inc", [](W a, W b) { return a >= b ? W(0) : a + 1; });
    run("dec", [](W a, W b) { return a == 0 || a > b ? b : a - 1; });
  }
}

/// Global memory flushes subnormal f32, shared memory does not.
TEST(Atomics, Floats) {
  Atomic flushing = {"add",
                     "f32",
                     32,
                     [](uint64_t a, uint64_t b, uint64_t) {
                       return flushed(added(hostF32, flushed(a), flushed(b)));
                     },
                     1,
                     true};
  Atomic exact = flushing;
  exact.update = [](uint64_t a, uint64_t b, uint64_t) {
    return added(hostF32, a, b);
  };
  for (bool returns : {true, false}) {
    check(flushing, Place::Global, returns);
    check(flushing, Place::Generic, returns);
    for (Place place : everyPlace)
      if (isShared(place))
        check(exact, place, returns);
    for (unsigned count : {2u, 4u}) {
      flushing.vector = count;
      check(flushing, Place::Global, returns);
      check(flushing, Place::Generic, returns);
    }
    flushing.vector = 1;
  }
  checkEverywhere(
      {"add", "f64", 64,
       [](uint64_t a, uint64_t b, uint64_t) { return added(hostF64, a, b); }, 1,
       true});
}

TEST(Atomics, Halves) {
  for (const HostFormat *format : {&hostF16, &hostBF16}) {
    bool isBrain = format == &hostBF16;
    std::string type = std::string("noftz.") + format->name;
    Update add = [=](uint64_t a, uint64_t b, uint64_t) {
      return added(*format, a, b);
    };
    checkEverywhere({"add", type, 16, add, 1, true, isBrain});
    checkEverywhere({"add", type + "x2", 32, onHalves(add), 1, true, isBrain});
    // Vectors live in global memory, and there are minima and maxima of them.
    for (const char *operation : {"add", "min", "max"}) {
      bool largest = operation == std::string_view("max");
      Update update = add;
      if (operation != std::string_view("add"))
        update = [=](uint64_t a, uint64_t b, uint64_t) {
          return extremum(*format, a, b, largest);
        };
      for (unsigned count : {2u, 4u, 8u})
        for (bool returns : {true, false})
          for (Place place : {Place::Global, Place::Generic}) {
            check({operation, type, 16, update, count, true, isBrain}, place,
                  returns);
            if (count != 8)
              check({operation, type + "x2", 32, onHalves(update), count, true,
                     isBrain},
                    place, returns);
          }
    }
  }
}

/// Many warps on one cell: nothing is lost, and every thread got another value.
TEST(Atomics, Contention) {
  Kernel kernel(R"(.version 8.0
.target sm_90
.address_size 64
.visible .entry k(.param .u64 cell, .param .u64 seen)
{
  .reg .b32 %r<4>;
  .reg .b64 %rd<4>;
  ld.param.u64 %rd1, [cell];
  ld.param.u64 %rd2, [seen];
  atom.global.inc.u32 %r1, [%rd1], 4294967295;
  mul.wide.u32 %rd3, %r1, 4;
  add.u64 %rd3, %rd2, %rd3;
  red.global.add.u32 [%rd3], 1;
  ret;
}
)");
  std::vector<uint32_t> cell(1), seen(8 * 128);
  kernel.addBuffer(cell, "cell");
  kernel.addBuffer(seen, "seen");
  kernel.launch.grid[0] = 8;
  kernel.launch.block[0] = 128;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << textOf(report);
  EXPECT_EQ(cell[0], 1024u);
  EXPECT_EQ(seen, std::vector<uint32_t>(1024, 1));
}

} // namespace heddle::ptx::test
