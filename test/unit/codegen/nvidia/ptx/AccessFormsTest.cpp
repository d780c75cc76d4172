// AccessFormsTest.cpp - ld, ldu and st in every spelling of the ISA.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// State spaces, types and vectors each with every semantics and cache operator;
// eviction priorities, prefetch sizes and policies one by one, and all together
// for some types. Every thread has 32 bytes of its own.

#include "test/unit/codegen/nvidia/ptx/Differential.h"

namespace heddle::ptx::test {

namespace {

constexpr unsigned cellBytes = 32, threads = 32;
constexpr uint32_t filler = 0xA5C3'96F0;

struct Element {
  std::string name;
  unsigned bits;
  bool isSigned = false;

  unsigned registerBits() const { return std::max(bits, 32u); }
};

std::vector<Element> elements() {
  std::vector<Element> all = {{"f32", 32}, {"f64", 64}, {"b128", 128}};
  for (unsigned bits : {8u, 16u, 32u, 64u})
    for (const char *kind : {"b", "u", "s"})
      all.push_back({kind + std::to_string(bits), bits, *kind == 's'});
  return all;
}

enum class Reach { Global, Shared, Own }; ///< who sees a space

struct Place {
  const char *space;
  Reach reach;
  const char *setup;   ///< brings the bytes at %i where %a or `address` points
  const char *address; ///< of the cell
};

constexpr const char *intoShared =
    "mov.u64 %a, box;\nmad.wide.u32 %a, %t, 32, %a;\n"
    "st.shared.v4.b32 [%a], {%w0, %w1, %w2, %w3};\n"
    "st.shared.v4.b32 [%a+16], {%w4, %w5, %w6, %w7};\n";
constexpr const char *intoLocal =
    "st.local.v4.b32 [own], {%w0, %w1, %w2, %w3};\n"
    "st.local.v4.b32 [own+16], {%w4, %w5, %w6, %w7};\n";

constexpr Place writable[] = {
    {"", Reach::Global, "mov.u64 %a, %i;\n", "%a"},
    {".global", Reach::Global, "mov.u64 %a, %i;\n", "%a"},
    {".shared", Reach::Shared, intoShared, "%a"},
    {".shared::cta", Reach::Shared, intoShared, "%a"},
    {".shared::cluster", Reach::Shared, intoShared, "%a"},
    {".local", Reach::Own, intoLocal, "own"}};
constexpr Place readOnly[] = {
    {".const", Reach::Own, "mov.u64 %a, table;\nmad.wide.u32 %a, %t, 32, %a;\n",
     "%a"},
    {".param", Reach::Own, "mov.u64 %a, block;\nmad.wide.u32 %a, %t, 32, %a;\n",
     "%a"},
    {".param::entry", Reach::Own,
     "mov.u64 %a, block;\nmad.wide.u32 %a, %t, 32, %a;\n", "%a"}};

//===----------------------------------------------------------------------===//
// Spellings
//===----------------------------------------------------------------------===//

/// What stands before and after the state space.
struct Words {
  std::string semantics, cache;
  bool hasPolicy = false;
};

struct Access {
  bool isLoad;
  const Place &place;
  unsigned count;
  Element element;

  unsigned bits() const { return count * element.bits; }
  bool exists() const {
    if (element.bits == 128)
      return count == 1;
    return bits() <= (place.reach == Reach::Global ? 256u : 128u) &&
           (count != 8 || element.bits == 32);
  }
};

void addSemantics(std::vector<Words> &all, const Access &access) {
  all.push_back({"", ""});
  all.push_back({".weak", ""});
  if (access.place.reach == Reach::Own)
    return;
  all.push_back({".volatile", ""});
  for (const char *order :
       {".relaxed", access.isLoad ? ".acquire" : ".release"})
    for (const char *scope : {".cta", ".cluster", ".gpu", ".sys"})
      all.push_back({std::string(order) + scope, ""});
  if (access.place.reach == Reach::Global && access.count == 1)
    all.push_back({".mmio.relaxed.sys", ""});
}

/// Combines hints of the caches of global memory; `all` of them, or each alone.
void addHints(std::vector<Words> &words, const Access &access, bool all,
              const std::string &semantics, const std::string &before,
              bool mayPrioritise) {
  std::vector<std::string> priorities = {""}, farPriorities = {""},
                           sizes = {""};
  if (mayPrioritise)
    priorities.insert(priorities.end(),
                      {".L1::evict_normal", ".L1::evict_unchanged",
                       ".L1::evict_first", ".L1::evict_last",
                       ".L1::no_allocate"});
  if (access.bits() == 256)
    farPriorities.insert(
        farPriorities.end(),
        {".L2::evict_last", ".L2::evict_normal", ".L2::evict_first"});
  if (access.isLoad)
    sizes.insert(sizes.end(), {".L2::64B", ".L2::128B", ".L2::256B"});
  for (const std::string &priority : priorities)
    for (const std::string &far : farPriorities)
      for (bool policy : {false, true})
        for (const std::string &size : sizes)
          if (all ||
              !priority.empty() + !far.empty() + policy + !size.empty() <= 1)
            words.push_back({semantics,
                             before + priority + far +
                                 (policy ? ".L2::cache_hint" : "") + size,
                             policy});
}

void addCaches(std::vector<Words> &all, const Access &access) {
  std::vector<std::string> operators =
      access.isLoad
          ? std::vector<std::string>{".ca", ".cg", ".cs", ".lu", ".cv"}
          : std::vector<std::string>{".wb", ".cg", ".cs", ".wt"};
  if (access.place.reach != Reach::Global) {
    for (const char *weak : {"", ".weak"})
      for (const std::string &cache : operators)
        all.push_back({weak, cache});
    return;
  }
  bool everything = access.element.name == "u32" ||
                    access.element.name == "f64" ||
                    (access.count >= 4 && access.element.name[0] == 'b');
  for (const char *semantics : {"", ".weak", ".relaxed.gpu"})
    addHints(all, access, everything, semantics, "", true);
  addHints(all, access, everything, ".volatile", "", false);
  for (const char *weak : {"", ".weak"})
    for (const std::string &cache : operators)
      addHints(all, access, everything, weak, cache, false);
  if (!access.isLoad || *access.place.space == 0)
    return;
  addHints(all, access, everything, "", ".nc", true);
  for (const char *cache : {".ca", ".cg", ".cs"})
    addHints(all, access, everything, "", std::string(".nc") + cache, false);
}

std::string registersOf(const Access &access) {
  if (access.count == 1)
    return "%x0";
  std::string text = "{";
  for (unsigned i = 0; i < access.count; ++i)
    text += (i ? ", %x" : "%x") + std::to_string(i);
  return text + "}";
}

std::string spelled(const Access &access, const char *opcode,
                    const Words &words) {
  std::string value = registersOf(access),
              cell = std::string("[") + access.place.address + "]";
  return opcode + words.semantics + access.place.space + words.cache +
         (access.count > 1 ? ".v" + std::to_string(access.count) : "") + "." +
         access.element.name + " " +
         (access.isLoad ? value + ", " + cell : cell + ", " + value) +
         (words.hasPolicy ? ", %policy;\n" : ";\n");
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

uint8_t patternAt(size_t i) { return uint8_t(i * 37 + i / 7 * 91 + 0x53); }

std::string registerDeclarations(const Element &element) {
  return ".reg .b" + std::to_string(element.registerBits()) +
         " %x<8>;\n.reg .b32 %t, %f, %w<8>;\n"
         ".reg .b64 %i, %o, %a, %policy;\n"
         "createpolicy.fractional.L2::evict_first.b64 %policy, 0.5;\n"
         "mov.b32 %f, " +
         std::to_string(filler) + ";\n";
}

std::string wordsFrom(const char *opcode, const char *address) {
  std::string at = address;
  return std::string(opcode) + ".v4.b32 {%w0, %w1, %w2, %w3}, [" + at + "];\n" +
         opcode + ".v4.b32 {%w4, %w5, %w6, %w7}, [" + at + "+16];\n";
}

/// A kernel around `body`, where %w holds the words at %i of the thread, which
/// writes `resultBytes` to %o.
std::string kernelText(const std::string &functions, const Element &element,
                       const std::string &body, size_t resultBytes) {
  std::string table = std::to_string(patternAt(0));
  for (size_t i = 1; i < cellBytes * threads; ++i)
    table += ", " + std::to_string(patternAt(i));
  return ".version 9.0\n.target sm_100a\n.address_size 64\n"
         ".const .align 32 .b8 table[1024] = {" +
         table + "};\n" + functions +
         ".visible .entry k(.param .align 64 .b8 block[1024], "
         ".param .u64 in, .param .u64 out)\n{\n"
         ".shared .align 32 .b8 box[1024];\n.local .align 32 .b8 own[32];\n" +
         registerDeclarations(element) +
         "mov.u32 %t, %tid.x;\nld.param.u64 %i, [in];\n"
         "mad.wide.u32 %i, %t, 32, %i;\nld.param.u64 %o, [out];\n"
         "mad.wide.u32 %o, %t, " +
         std::to_string(resultBytes) + ", %o;\n" +
         wordsFrom("ld.global", "%i") + body + "ret;\n}\n";
}

struct Pattern {
  uint8_t bytes[cellBytes * threads];
};

/// Runs the kernel; the results of all threads. Empty if a finding was made.
std::vector<uint8_t> resultsOf(Kernel &kernel, size_t resultBytes) {
  Pattern pattern;
  for (size_t i = 0; i < sizeof pattern.bytes; ++i)
    pattern.bytes[i] = patternAt(i);
  std::vector<uint8_t> in(pattern.bytes, std::end(pattern.bytes)),
      out(threads * resultBytes);
  kernel.add(pattern);
  kernel.addBuffer(in, "in");
  kernel.addBuffer(out, "out", false);
  kernel.launch.block[0] = threads;
  Report report = kernel.run();
  EXPECT_TRUE(isClean(report)) << textOf(report);
  return isClean(report) ? out : std::vector<uint8_t>();
}

/// Loads of the access in all `words`, each stored to a place of its own.
std::string loadBody(const Access &access, const char *opcode,
                     const std::vector<Words> &words) {
  unsigned bytes = access.element.registerBits() / 8;
  std::string body, type = std::to_string(bytes * 8);
  size_t at = 0;
  for (const Words &way : words) {
    body += spelled(access, opcode, way);
    for (unsigned e = 0; e < access.count; ++e, at += bytes)
      body += "st.global.b" + type + " [%o+" + std::to_string(at) + "], %x" +
              std::to_string(e) + ";\n";
  }
  return body;
}

/// The byte of a register that an element of a cell was loaded into: beyond the
/// element stand copies of its sign, or zeros.
uint8_t loadedByte(const Access &access, size_t cell, unsigned element,
                   unsigned byte) {
  unsigned bytes = access.element.bits / 8;
  size_t first = cell * cellBytes + element * bytes;
  if (byte < bytes)
    return patternAt(first + byte);
  bool isNegative = patternAt(first + bytes - 1) & 0x80;
  return access.element.isSigned && isNegative ? 0xFF : 0;
}

void compareLoads(Kernel &kernel, const Access &access, const char *opcode,
                  const std::vector<Words> &words) {
  unsigned bytes = access.element.registerBits() / 8;
  size_t each = bytes * access.count;
  std::vector<uint8_t> got = resultsOf(kernel, each * words.size());
  for (size_t i = 0; i < got.size(); ++i) {
    size_t cell = i / (each * words.size());
    ASSERT_EQ(got[i], loadedByte(access, cell, unsigned(i % each / bytes),
                                 unsigned(i % bytes)))
        << spelled(access, opcode, words[i / each % words.size()]);
  }
  if (!got.empty())
    recordCompared(kernel, {opcode});
}

void checkLoads(const Access &access, const char *opcode,
                const std::vector<Words> &words) {
  size_t bytes =
      access.element.registerBits() / 8 * access.count * words.size();
  Kernel kernel(kernelText("", access.element,
                           access.place.setup + loadBody(access, opcode, words),
                           bytes));
  compareLoads(kernel, access, opcode, words);
}

/// The registers that a store writes, with other bits above narrow elements.
std::string valuesOf(const Access &access) {
  std::string text;
  unsigned bits = access.element.bits;
  for (unsigned e = 0; e < access.count; ++e)
    text += "ld.global." + std::string(bits < 32 ? "s" : "b") +
            std::to_string(bits) + " %x" + std::to_string(e) + ", [%i+" +
            std::to_string(e * bits / 8) + "];\n";
  return text;
}

/// Bytes of the access come from the pattern, the others stay.
void compareStores(Kernel &kernel, const Access &access,
                   const std::vector<Words> &words) {
  std::vector<uint8_t> got = resultsOf(kernel, cellBytes * words.size());
  for (size_t i = 0; i < got.size(); ++i) {
    size_t thread = i / (cellBytes * words.size()), byte = i % cellBytes;
    uint8_t want = byte < access.bits() / 8
                       ? patternAt(thread * cellBytes + byte)
                       : uint8_t(filler >> 8 * (byte % 4));
    ASSERT_EQ(got[i], want)
        << spelled(access, "st", words[i / cellBytes % words.size()]);
  }
  if (!got.empty())
    recordCompared(kernel, {"st"});
}

std::string copyOut(size_t way) {
  std::string at = std::to_string(way * cellBytes),
              above = std::to_string(way * cellBytes + 16);
  return "st.global.v4.b32 [%o+" + at + "], {%w0, %w1, %w2, %w3};\n" +
         "st.global.v4.b32 [%o+" + above + "], {%w4, %w5, %w6, %w7};\n";
}

std::string fill(const std::string &space, const std::string &address) {
  return "st" + space + ".v4.b32 [" + address + "], {%f, %f, %f, %f};\nst" +
         space + ".v4.b32 [" + address + "+16], {%f, %f, %f, %f};\n";
}

void checkStores(const Access &access, const std::vector<Words> &words) {
  std::string space = access.place.space,
              body = valuesOf(access) + access.place.setup;
  // In global memory the cell is where the result goes.
  for (size_t way = 0; way < words.size(); ++way) {
    if (access.place.reach == Reach::Global)
      body += "add.u64 %a, %o, " + std::to_string(way * cellBytes) + ";\n";
    body +=
        fill(space, access.place.address) + spelled(access, "st", words[way]) +
        wordsFrom(("ld" + space).c_str(), access.place.address) + copyOut(way);
  }
  Kernel kernel(kernelText("", access.element, body, cellBytes * words.size()));
  compareStores(kernel, access, words);
}

std::vector<Words> everyWords(const Access &access) {
  std::vector<Words> all;
  addSemantics(all, access);
  addCaches(all, access);
  return all;
}

/// Calls `use` for each type and vector that the place has.
template <class Use>
void forAccesses(bool isLoad, const Place &place, Use use) {
  for (const Element &element : elements())
    for (unsigned count : {1u, 2u, 4u, 8u}) {
      Access access = {isLoad, place, count, element};
      if (access.exists())
        use(access);
    }
}

} // namespace

TEST(AccessForms, Loads) {
  auto check = [](const Access &access) {
    checkLoads(access, "ld", everyWords(access));
    if (access.place.reach == Reach::Global && access.bits() <= 128)
      checkLoads(access, "ldu", {{"", ""}});
  };
  for (const Place &place : writable)
    forAccesses(true, place, check);
  for (const Place &place : readOnly)
    forAccesses(true, place, check);
}

TEST(AccessForms, Stores) {
  for (const Place &place : writable)
    forAccesses(false, place, [](const Access &access) {
      checkStores(access, everyWords(access));
    });
}

/// Parameters of functions: the callee loads what the caller has stored.
TEST(AccessForms, ParametersOfFunctions) {
  constexpr const char *space[] = {".param", ".param::func"};
  for (const char *word : space) {
    Place argument = {word, Reach::Own, "", "p"};
    forAccesses(true, argument, [](const Access &access) {
      std::vector<Words> words = everyWords(access);
      size_t bytes =
          access.element.registerBits() / 8 * access.count * words.size();
      std::string callee =
          ".func f(.param .align 32 .b8 p[32], .param .b64 q)\n{\n" +
          registerDeclarations(access.element) + "ld.param.u64 %o, [q];\n" +
          loadBody(access, "ld", words) + "ret;\n}\n";
      Kernel kernel(
          kernelText(callee, access.element,
                     "{\n.param .align 32 .b8 p[32];\n.param .b64 q;\n"
                     "st.param.v4.b32 [p], {%w0, %w1, %w2, %w3};\n"
                     "st.param.v4.b32 [p+16], {%w4, %w5, %w6, %w7};\n"
                     "st.param.b64 [q], %o;\ncall f, (p, q);\n}\n",
                     bytes));
      compareLoads(kernel, access, "ld", words);
    });
    forAccesses(false, argument, [](const Access &access) {
      std::vector<Words> words = everyWords(access);
      std::string
          body = valuesOf(access),
          callee = ".func f(.param .align 32 .b8 p[32], .param .b64 q)\n{\n" +
                   registerDeclarations(access.element) +
                   "ld.param.u64 %o, [q];\n" + wordsFrom("ld.param", "p") +
                   copyOut(0) + "ret;\n}\n";
      for (size_t way = 0; way < words.size(); ++way)
        body += "{\n.param .align 32 .b8 p[32];\n.param .b64 q;\nadd.u64 %a, "
                "%o, " +
                std::to_string(way * cellBytes) + ";\n" + fill(".param", "p") +
                spelled(access, "st", words[way]) +
                "st.param.b64 [q], %a;\ncall f, (p, q);\n}\n";
      Kernel kernel(
          kernelText(callee, access.element, body, cellBytes * words.size()));
      compareStores(kernel, access, words);
    });
  }
}

} // namespace heddle::ptx::test
