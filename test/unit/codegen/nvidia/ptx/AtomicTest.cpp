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

enum class Place { Global, Shared, Generic, GenericShared };

std::string list(const char *prefix, unsigned count) {
  if (count == 1)
    return std::string(prefix) + "0";
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i)
    text += (i ? ", " : "") + std::string(prefix) + std::to_string(i);
  return text + "}";
}

/// Each thread updates a cell of its own, in global memory or in a copy of it
/// in shared memory, and stores what it got.
std::string atomicKernel(const Atomic &atomic, Place place, bool returns,
                         const std::string &semantics) {
  unsigned bytes = atomic.bits / 8, total = bytes * atomic.vector;
  std::string size = std::to_string(total),
              type = ".b" + std::to_string(atomic.bits);
  std::string registers = std::to_string(atomic.vector);
  bool isShared = place == Place::Shared || place == Place::GenericShared;
  std::string space = place == Place::Global   ? ".global"
                      : place == Place::Shared ? ".shared"
                                               : "";
  std::string vector =
      atomic.vector > 1 ? ".v" + std::to_string(atomic.vector) : "";
  std::string text =
      ".version 8.6\n.target sm_100\n.address_size 64\n"
      ".visible .entry k(.param .u64 cells, .param .u64 operands, "
      ".param .u64 swaps, .param .u64 olds)\n{\n"
      ".shared .align 16 .b8 box[2048];\n.reg .b32 %t;\n"
      ".reg .b64 %c, %b, %w, %o, %at;\n.reg " +
      type + " %x<" + registers + ">, %y<" + registers + ">, %z<" + registers +
      ">;\n";
  for (const char *pair :
       {"%c, [cells]", "%b, [operands]", "%w, [swaps]", "%o, [olds]"})
    text += std::string("ld.param.u64 ") + pair + ";\n";
  text += "mov.u32 %t, %ctaid.x;\nshl.b32 %t, %t, 6;\n"
          "mov.u32 %z32, %tid.x;\nadd.u32 %t, %t, %z32;\n";
  for (const char *name : {"%c", "%b", "%w", "%o"})
    text += std::string("mad.wide.u32 ") + name + ", %t, " + size + ", " +
            name + ";\n";
  for (unsigned i = 0; i < atomic.vector; ++i) {
    std::string n = std::to_string(i), at = std::to_string(i * bytes);
    text += "ld.global" + type + " %x" + n + ", [%b+" + at + "];\n";
    text += "ld.global" + type + " %y" + n + ", [%w+" + at + "];\n";
  }
  text += "mov.u64 %at, %c;\n";
  if (isShared) {
    text += "mov.u64 %at, box;\nmad.wide.u32 %at, %z32, " + size + ", %at;\n";
    text +=
        "ld.global" + type + " %z0, [%c];\nst.shared" + type + " [%at], %z0;\n";
    if (place == Place::GenericShared)
      text += "cvta.shared.u64 %at, %at;\n";
  }
  bool swaps = atomic.operation == "cas";
  text += (returns ? "atom" : "red") + semantics + space + "." +
          atomic.operation + vector + "." + atomic.type + " " +
          (returns ? list("%z", atomic.vector) + ", " : "") + "[%at], " +
          list("%x", atomic.vector) +
          (swaps ? ", " + list("%y", atomic.vector) : "") + ";\n";
  for (unsigned i = 0; returns && i < atomic.vector; ++i)
    text += "st.global" + type + " [%o+" + std::to_string(i * bytes) + "], %z" +
            std::to_string(i) + ";\n";
  if (isShared)
    text += std::string("ld") + (place == Place::Shared ? ".shared" : "") +
            type + " %x0, [%at];\nst.global" + type + " [%c], %x0;\n";
  size_t declared = text.find("%t;");
  text.replace(declared, 3, "%t, %z32;");
  return text + "ret;\n}\n";
}

std::vector<uint8_t> bytesOf(const Column &column, unsigned bits) {
  std::vector<uint8_t> bytes;
  for (uint64_t value : column)
    for (unsigned i = 0; i < bits / 8; ++i)
      bytes.push_back(uint8_t(value >> (8 * i)));
  return bytes;
}

Column operandsOf(const Atomic &atomic, unsigned index) {
  Column column;
  if (!atomic.isFloat) {
    column = integers(atomic.bits, index);
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

void check(const Atomic &atomic, Place place, bool returns,
           const std::string &semantics = "") {
  std::string text = atomicKernel(atomic, place, returns, semantics);
  Kernel kernel(text);
  Column old = operandsOf(atomic, 0), b = operandsOf(atomic, 1),
         swap = operandsOf(atomic, 2);
  for (size_t i = 0; atomic.operation == "cas" && i < old.size(); i += 3)
    b[i] = old[i];
  std::vector<uint8_t> cells = bytesOf(old, atomic.bits),
                       operands = bytesOf(b, atomic.bits),
                       swaps = bytesOf(swap, atomic.bits), olds(cells.size());
  for (auto *buffer : {&cells, &operands, &swaps})
    kernel.addBuffer(*buffer, "in");
  kernel.addBuffer(olds, "olds");
  kernel.launch.block[0] = 64;
  kernel.launch.grid[0] = uint32_t(old.size() / atomic.vector / 64);
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << text << textOf(report);
  for (size_t i = 0; i < old.size(); ++i) {
    uint64_t left = 0, got = 0;
    std::memcpy(&left, &cells[i * atomic.bits / 8], atomic.bits / 8);
    std::memcpy(&got, &olds[i * atomic.bits / 8], atomic.bits / 8);
    if (returns) {
      ASSERT_EQ(got, old[i]) << atomic.operation << "." << atomic.type;
    }
    ASSERT_EQ(left, atomic.update(old[i], b[i], swap[i]))
        << atomic.operation << "." << atomic.type << " of " << std::hex
        << old[i] << ", " << b[i];
  }
  recordCompared(kernel, {returns ? "atom" : "red"});
}

void checkEverywhere(const Atomic &atomic) {
  for (Place place :
       {Place::Global, Place::Shared, Place::Generic, Place::GenericShared})
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
    run("exch", [](uint64_t, uint64_t b, uint64_t) { return b; });
  }
  for (unsigned bits : {16u, 32u, 64u})
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
    check(exact, Place::Shared, returns);
    check(exact, Place::GenericShared, returns);
    for (unsigned count : {2u, 4u}) {
      flushing.vector = count;
      check(flushing, Place::Global, returns);
      check(flushing, Place::Generic, returns);
    }
    flushing.vector = 1;
  }
  checkEverywhere({"add", "f64", 64,
                   [](uint64_t a, uint64_t b, uint64_t) {
                     // The payload of a NaN is the host's.
                     double x, y;
                     std::memcpy(&x, &a, 8);
                     std::memcpy(&y, &b, 8);
                     double total = x + y;
                     uint64_t word;
                     std::memcpy(&word, &total, 8);
                     return total == total ? added(hostF64, a, b) : word;
                   },
                   1, true});
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
        for (bool returns : {true, false}) {
          check({operation, type, 16, update, count, true, isBrain},
                Place::Global, returns);
          if (count != 8)
            check({operation, type + "x2", 32, onHalves(update), count, true,
                   isBrain},
                  Place::Generic, returns);
        }
    }
  }
}

TEST(Atomics, SemanticsAndScopes) {
  Atomic add = {"add", "u32", 32, [](uint64_t a, uint64_t b, uint64_t) {
                  return wrapped(a + b, 32);
                }};
  for (const char *semantics : {".relaxed", ".acquire", ".release", ".acq_rel"})
    for (const char *scope : {".cta", ".cluster", ".gpu", ".sys"}) {
      check(add, Place::Global, true, std::string(semantics) + scope);
      if (semantics == std::string_view(".relaxed") ||
          semantics == std::string_view(".release"))
        check(add, Place::Global, false, std::string(semantics) + scope);
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
