// MemoryTest.cpp - ld, st and mov in all state spaces, bank conflicts.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/codegen/nvidia/ptx/Differential.h"

namespace heddle::ptx::test {

namespace {

struct Loadable {
  std::string name;
  unsigned bits;
  bool isSigned = false, isFloat = false;
};

std::vector<Loadable> loadables() {
  std::vector<Loadable> all = {{"f32", 32, false, true},
                               {"f64", 64, false, true}};
  for (unsigned bits : {8u, 16u, 32u, 64u})
    for (const char *kind : {"b", "u", "s"})
      all.push_back({kind + std::to_string(bits), bits, *kind == 's', false});
  return all;
}

/// A place of eight bytes of each thread's own.
struct Location {
  const char *space;
  const char *setup; ///< makes the address
  const char *address;
};
constexpr Location locations[] = {
    {".shared",
     ".shared .align 16 .b8 box[1024];\n.reg .b32 %sa;\nmov.u32 %s, %tid.x;\n"
     "mov.u32 %sa, box;\nmad.lo.u32 %sa, %s, 32, %sa;\n",
     "%sa+8"},
    {".local", ".local .align 16 .b8 box[32];\n", "box+8"},
    {".global",
     ".reg .b64 %ga;\nld.param.u64 %ga, [in1];\nmad.wide.u32 %ga, %t, 8, "
     "%ga;\n",
     "%ga"},
    {"",
     ".local .align 16 .b8 box[32];\n.reg .b64 %la;\nmov.u64 %la, box;\n"
     "cvta.local.u64 %la, %la;\n",
     "%la+16"}};

/// What a register of `width` bits holds after a load.
uint64_t extended(uint64_t raw, const Loadable &type, unsigned width) {
  return wrapped(IntegerType{"", type.bits, type.isSigned}.value(raw), width);
}

void checkLoad(const std::string &opcode, const Location &at,
               const Loadable &type, unsigned width) {
  std::string address = std::string("[") + at.address + "]";
  // The place holds operand b; operand a must not matter.
  compare(
      {opcode + at.space + "." + type.name + " %d, " + address + ";",
       width,
       {64, 64},
       at.setup + std::string("st") + at.space + ".b64 " + address + ", %b;"},
      {integers(64, 0), integers(64, 1)},
      [&](const uint64_t *x) { return extended(x[1], type, width); });
}

/// Bits of the type change in the place, the others stay.
void checkStore(const std::string &opcode, const Location &at,
                const Loadable &type, unsigned width) {
  std::string address = std::string("[") + at.address + "]";
  compare(
      {opcode + at.space + "." + type.name + " " + address + ", %a;",
       64,
       {width, 64},
       at.setup + std::string("st") + at.space + ".b64 " + address + ", %b;",
       std::string("ld") + at.space + ".b64 %d, " + address + ";"},
      {integers(width, 0), integers(64, 1)}, [&](const uint64_t *x) {
        uint64_t mask = wrapped(-1, type.bits);
        return (x[1] & ~mask) | (x[0] & mask);
      });
}

} // namespace

TEST(Memory, LoadsAndStores) {
  for (const Location &at : locations)
    for (const Loadable &type : loadables())
      for (unsigned width : {16u, 32u, 64u}) {
        if (width < type.bits || (type.isFloat && width != type.bits))
          continue;
        checkLoad("ld", at, type, width);
        checkStore("st", at, type, width);
        if (at.space == std::string_view(".global"))
          checkLoad("ldu", at, type, width);
      }
}

TEST(Memory, SemanticsAndCacheOperators) {
  Loadable type = {"u32", 32};
  for (const Location &at : locations) {
    bool isLocal = at.space == std::string_view(".local");
    for (const char *word : {".weak", ".volatile"}) {
      if (isLocal && word == std::string_view(".volatile"))
        continue;
      checkLoad(std::string("ld") + word, at, type, 32);
      checkStore(std::string("st") + word, at, type, 32);
    }
    for (const char *scope : {".cta", ".cluster", ".gpu", ".sys"}) {
      if (isLocal)
        continue;
      for (const char *order : {".relaxed", ".acquire"})
        checkLoad(std::string("ld") + order + scope, at, type, 32);
      for (const char *order : {".relaxed", ".release"})
        checkStore(std::string("st") + order + scope, at, type, 32);
    }
  }
  // The operator follows the state space.
  const Location &global = locations[2];
  for (const char *cache :
       {".ca", ".cg", ".cs", ".lu", ".cv", ".nc", ".L1::evict_last",
        ".L1::no_allocate", ".L2::128B", ".nc.L1::evict_first.L2::256B"}) {
    Location at = global;
    std::string space = std::string(".global") + cache;
    std::string address = std::string("[") + at.address + "]";
    compare(
        {"ld" + space + ".u32 %d, " + address + ";", 32, {64, 64}, at.setup},
        {integers(64, 0), integers(64, 1)},
        [&](const uint64_t *x) { return wrapped(x[1], 32); });
  }
  for (const char *cache : {".wb", ".cg", ".cs", ".wt", ".L1::evict_last"}) {
    std::string address = std::string("[") + global.address + "]";
    compare({std::string("st.global") + cache + ".u32 " + address + ", %a;",
             64,
             {32, 64},
             global.setup,
             "ld.global.b64 %d, " + address + ";"},
            {integers(32, 0), integers(64, 1)}, [&](const uint64_t *x) {
              return (x[1] & ~uint64_t(0xFFFFFFFF)) | x[0];
            });
  }
}

/// Every thread copies a vector, its elements in reverse, from global memory by
/// way of another space.
TEST(Memory, Vectors) {
  for (unsigned bits : {8u, 16u, 32u, 64u})
    for (unsigned count : {2u, 4u, 8u}) {
      unsigned total = bits / 8 * count;
      // 32 bytes go in global memory only; eight elements are of 32 bits.
      if (total > 32 || (count == 8 && bits != 32))
        continue;
      for (const char *space : {".shared", ".local", ".global"}) {
        if (total == 32 && space != std::string_view(".global"))
          continue;
        std::string type =
            ".v" + std::to_string(count) + ".b" + std::to_string(bits) + " ";
        std::string forward = "{", backward = "{";
        for (unsigned i = 0; i < count; ++i) {
          forward += (i ? ", %x" : "%x") + std::to_string(i);
          backward += (i ? ", %x" : "%x") + std::to_string(count - 1 - i);
        }
        std::string bytes = std::to_string(total);
        std::string through;
        if (space == std::string_view(".shared"))
          through = ".shared .align 16 .b8 box[512];\nmov.u64 %p, box;\n"
                    "mad.wide.u32 %p, %t, " +
                    bytes + ", %p;\n";
        else if (space == std::string_view(".local"))
          through = ".local .align 16 .b8 box[32];\nmov.u64 %p, box;\n";
        else
          through = "mov.u64 %p, %o;\n";
        Kernel kernel(".version 8.8\n.target sm_100\n.address_size 64\n"
                      ".visible .entry k(.param .u64 from, .param .u64 to)\n{\n"
                      ".reg .b" +
                      std::to_string(std::max(bits, 16u)) +
                      " %x<8>;\n.reg .b32 %t;\n.reg .b64 %i, %o, %p;\n"
                      "ld.param.u64 %i, [from];\nld.param.u64 %o, [to];\n"
                      "mov.u32 %t, %tid.x;\nmad.wide.u32 %i, %t, " +
                      bytes + ", %i;\nmad.wide.u32 %o, %t, " + bytes +
                      ", %o;\n" + through + "ld.global" + type + forward +
                      "}, [%i];\nst" + space + type + "[%p], " + forward +
                      "};\nld" + space + type + forward +
                      "}, [%p];\nst.global" + type + "[%o], " + backward +
                      "};\nret;\n}\n");
        std::vector<uint8_t> from(32 * total), to(32 * total), want(32 * total);
        for (size_t i = 0; i < from.size(); ++i)
          from[i] = uint8_t(i * 37 + i / 251);
        for (size_t i = 0; i < from.size(); ++i) {
          size_t element = i % total / (bits / 8), byte = i % (bits / 8);
          want[i] = from[i / total * total +
                         (count - 1 - element) * (bits / 8) + byte];
        }
        kernel.addBuffer(from, "from");
        kernel.addBuffer(to, "to", false);
        kernel.launch.block[0] = 32;
        Report report = kernel.run();
        ASSERT_TRUE(isClean(report)) << space << type << textOf(report);
        ASSERT_EQ(to, want) << space << type;
        recordCompared(kernel, {"ld.global.v", "st.global.v"});
      }
    }
}

/// Constants and parameters, by every type.
TEST(Memory, ReadOnlySpaces) {
  const uint64_t words[2] = {0x8070F0A1B2C3D4E5, 0xFEDCBA9876543210};
  for (const Loadable &type : loadables()) {
    unsigned width = std::max(type.bits, 16u);
    std::string bits = std::to_string(width);
    Kernel kernel(
        ".version 8.0\n.target sm_90\n.address_size 64\n"
        ".const .align 8 .u64 table[2] = {0x8070F0A1B2C3D4E5, "
        "0xFEDCBA9876543210};\n"
        ".visible .entry k(.param .align 8 .b8 p[16], .param .u64 out)\n{\n"
        ".reg .b" +
        bits + " %x, %y;\n.reg .b64 %o;\nld.param.u64 %o, [out];\nld.const." +
        type.name + " %x, [table+8];\nld.param." + type.name +
        " %y, [p+8];\nst.global.b" + bits + " [%o], %x;\nst.global.b" + bits +
        " [%o+8], %y;\nret;\n}\n");
    struct Block {
      uint64_t words[2];
    } block = {{words[0], words[1]}};
    kernel.launch.params.resize(16);
    std::memcpy(kernel.launch.params.data(), &block, 16);
    std::vector<uint64_t> out(2);
    kernel.addBuffer(out, "out");
    Report report = kernel.run();
    ASSERT_TRUE(isClean(report)) << textOf(report);
    EXPECT_EQ(out[0], extended(words[1], type, width)) << type.name;
    EXPECT_EQ(out[1], extended(words[1], type, width)) << type.name;
    recordCompared(kernel, {"ld.const", "ld.param"});
  }
}

TEST(Memory, Moves) {
  for (unsigned bits : {16u, 32u, 64u})
    for (const char *kind : {"b", "u", "s", "f"}) {
      if (*kind == 'f' && bits == 16)
        continue;
      compare({std::string("mov.") + kind + std::to_string(bits) + " %d, %a;",
               bits,
               {bits}},
              {integers(bits, 0)}, [](const uint64_t *x) { return x[0]; });
    }
  compare({"mov.pred %d, %a;", 1, {1}}, {{0, 1, 1, 0}},
          [](const uint64_t *x) { return x[0]; });
  auto half = [](uint64_t word, unsigned bits, unsigned index) {
    return wrapped(word >> (bits * index), bits);
  };
  // Packed in order, taken apart in order, and put together in reverse.
  compare({"mov.b64 %d, {%a, %b};", 64, {32, 32}},
          {integers(32, 0), integers(32, 1)},
          [](const uint64_t *x) { return x[1] << 32 | x[0]; });
  compare({"mov.b32 %d, {%a, %b};", 32, {16, 16}},
          {integers(16, 0), integers(16, 1)},
          [](const uint64_t *x) { return x[1] << 16 | x[0]; });
  for (bool high : {false, true})
    compare(
        {std::string("mov.b128 %q, {%a, %b};\nmov.b128 %w, %q;\nmov.b128 ") +
             (high ? "{%x, %d}, %w;" : "{%d, %x}, %w;"),
         64,
         {64, 64},
         ".reg .b128 %q, %w;\n.reg .b64 %x;"},
        {integers(64, 0), integers(64, 1)},
        [&](const uint64_t *x) { return x[high]; });
  struct Unpacking {
    unsigned whole, part, count;
  };
  for (Unpacking u :
       {Unpacking{64, 32, 2}, Unpacking{64, 16, 4}, Unpacking{32, 16, 2}}) {
    std::string type = "mov.b" + std::to_string(u.whole);
    std::string parts, reversed;
    for (unsigned i = 0; i < u.count; ++i) {
      parts += (i ? ", %x" : "%x") + std::to_string(i);
      reversed += (i ? ", %x" : "%x") + std::to_string(u.count - 1 - i);
    }
    compare(
        {type + " {" + parts + "}, %a;\n" + type + " %d, {" + reversed + "};",
         u.whole,
         {u.whole},
         ".reg .b" + std::to_string(u.part) + " %x<4>;"},
        {integers(u.whole, 0)}, [&](const uint64_t *x) {
          uint64_t result = 0;
          for (unsigned i = 0; i < u.count; ++i)
            result |= half(x[0], u.part, i) << u.part * (u.count - 1 - i);
          return result;
        });
  }
}

TEST(MemorySpaces, GenericLocalConstAndVariables) {
  Kernel kernel(R"(.version 8.0
.target sm_90
.address_size 64
.const .align 4 .u32 table[4] = {10, 20, 30, 40};
.global .align 8 .u64 pointer = generic(table);
.global .align 4 .u32 counter;
.visible .entry k(.param .u64 out)
{
  .local .align 16 .b8 stack[32];
  .shared .align 16 .b8 box[256];
  .reg .b32 %r<16>;
  .reg .b16 %h<4>;
  .reg .b64 %rd<16>;
  .reg .pred %p<4>;
  ld.param.u64 %rd1, [out];
  mov.u32 %r1, %tid.x;
  and.b32 %r2, %r1, 3;
  // const through a pointer that an initialiser holds
  ld.global.u64 %rd2, [pointer];
  mul.wide.u32 %rd3, %r2, 4;
  add.u64 %rd2, %rd2, %rd3;
  ld.u32 %r3, [%rd2];
  // local memory through a generic address, bytes out of a word
  mov.u64 %rd4, stack;
  cvta.local.u64 %rd5, %rd4;
  st.u32 [%rd5+4], 0x80FF7F01;
  ld.local.s8 %r4, [stack+7];
  ld.local.u8 %h1, [stack+6];
  cvt.u32.u16 %r5, %h1;
  // shared memory through a generic address
  mov.u32 %r6, box;
  shl.b32 %r7, %r1, 3;
  add.u32 %r6, %r6, %r7;
  cvt.u64.u32 %rd6, %r6;
  cvta.shared.u64 %rd7, %rd6;
  isspacep.shared %p1, %rd7;
  isspacep.global %p2, %rd7;
  st.v2.u32 [%rd7], {%r1, %r3};
  ld.shared.v2.u32 {%r8, %r9}, [%r6];
  atom.global.add.u32 %r10, [counter], 1;
  add.u32 %r9, %r9, %r4;
  add.u32 %r9, %r9, %r5;
  add.u32 %r9, %r9, %r8;
  @%p1 add.u32 %r9, %r9, 1000;
  @%p2 add.u32 %r9, %r9, 5000;
  mul.wide.u32 %rd8, %r1, 4;
  add.u64 %rd9, %rd1, %rd8;
  st.global.u32 [%rd9], %r9;
  ret;
}
)");
  std::vector<uint32_t> out(32);
  kernel.addBuffer(out, "out", false);
  kernel.launch.block[0] = 32;
  Report report = kernel.run();
  ASSERT_TRUE(isClean(report)) << textOf(report);
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(out[i], 10 * (i % 4 + 1) + i + 1000 + 255 - 128);
}

TEST(Statistics, BankConflicts) {
  // Lanes a stride of 32 words apart all meet in one bank.
  for (unsigned stride : {4u, 8u, 128u}) {
    Kernel kernel(".version 8.0\n.target sm_90\n.address_size 64\n"
                  ".visible .entry k()\n{\n.shared .align 16 .b8 box[4096];\n"
                  ".reg .b32 %r<4>;\nmov.u32 %r1, %tid.x;\n"
                  "mov.u32 %r2, box;\nmad.lo.u32 %r3, %r1, " +
                  std::to_string(stride) +
                  ", %r2;\nst.shared.u32 [%r3], %r1;\nret;\n}\n");
    kernel.launch.block[0] = 32;
    Report report = kernel.run();
    ASSERT_TRUE(isClean(report)) << textOf(report);
    EXPECT_EQ(report.statistics.sharedWavefronts, stride / 4);
    EXPECT_EQ(report.statistics.bankConflicts, stride / 4 - 1);
  }
}

} // namespace heddle::ptx::test
