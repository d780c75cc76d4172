// Fuzz.cpp - libFuzzer target: any bytes as a PTX file, decoded and run.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes exchanged at random reach the lexer and little else, so most mutations
// are of statements and words: what they make is still nearly PTX.

#include "codegen/nvidia/ptx/Interpreter.h"
#include "test/unit/codegen/nvidia/ptx/FaultKernels.h"

#include <algorithm>
#include <cstring>
#include <random>

using namespace heddle::ptx;

/// A matrix of 64 x 64 bf16 values, which every tensor map describes.
static TensorMap matrixAt(uint64_t base) {
  TensorMap map;
  map.element = TensorElement::BF16;
  map.swizzle = TensorSwizzle::Bytes128;
  map.rank = 2;
  map.base = base;
  map.dims = {64, 64, 1, 1, 1};
  map.strides[0] = 128;
  map.box = {64, 64, 1, 1, 1};
  return map;
}

/// Tensor maps, addresses of the one buffer, and small numbers: whichever fits.
static std::vector<std::byte> argumentsOf(const Function &entry,
                                          uint64_t base) {
  std::vector<std::byte> bytes(entry.paramBytes());
  const uint64_t small = 64;
  for (const Param &param : entry.params) {
    if (param.bytes == 128)
      std::memcpy(&bytes[param.offset], encode(matrixAt(base)).data(), 128);
    else if (param.bytes == 8)
      std::memcpy(&bytes[param.offset], &base, 8);
    else
      std::memcpy(&bytes[param.offset], &small,
                  std::min<uint64_t>(param.bytes, 8));
  }
  return bytes;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  ParseResult parsed =
      parse({reinterpret_cast<const char *>(data), size}, "fuzz.ptx");
  if (!parsed.module)
    return 0;
  checkCoverage(*parsed.module);
  const Function *entry = nullptr;
  for (const Function &function : parsed.module->functions)
    if (!entry && function.isEntry && function.hasBody)
      entry = &function;
  if (!entry || entry->paramBytes() > 4096)
    return 0;
  // A few warps and instructions, for thousands of runs a second.
  std::vector<std::byte> memory(64 * 128);
  Launch launch;
  launch.module = &*parsed.module;
  launch.entry = entry->name;
  AddressSpace space;
  launch.buffers.push_back(
      {"memory", memory.data(), memory.size(), space.allocate(memory.size())});
  launch.params = argumentsOf(*entry, launch.buffers[0].address);
  launch.grid[0] = 2;
  launch.block[0] = 64;
  const auto &required = entry->directives.reqntid;
  if (required[0] != 0 && required[0] <= 256 && required[1] <= 1 &&
      required[2] <= 1)
    launch.block[0] = required[0];
  launch.dynamicShared = 49184;
  launch.options.maxInstructions = 5000;
  launch.options.multiprocessors = 2;
  launch.options.async = AsyncMode(size % 3);
  run(launch);
  return 0;
}

//===----------------------------------------------------------------------===//
// Mutation
//===----------------------------------------------------------------------===//

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

using Pieces = std::vector<std::string_view>;

/// The text in lines, ends included.
static Pieces linesOf(std::string_view text) {
  Pieces lines;
  while (!text.empty()) {
    size_t length = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return lines;
}

static bool isWord(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}

/// Words with the `.`, `%` or `-` before them.
static Pieces wordsOf(std::string_view text) {
  Pieces words;
  for (size_t at = 0; at < text.size(); ++at) {
    size_t end = at + 1;
    if (!isWord(text[at]) && !strchr(".%-", text[at]))
      continue;
    while (end < text.size() && isWord(text[end]))
      ++end;
    words.push_back(text.substr(at, end - at));
    at = end - 1;
  }
  return words;
}

static const std::string_view rareWords[] = {
#define HEDDLE_PTX_OPCODE(name, text) text,
#include "codegen/nvidia/ptx/Opcodes.def"
#define HEDDLE_PTX_TYPE(name, text, bits) "." text,
#include "codegen/nvidia/ptx/Types.def"
    "0",
    "-1",
    "1",
    "31",
    "32",
    "255",
    "65536",
    "0x7fffffff",
    "0x80000000",
    "0xffffffff",
    "0x7fffffffffffffff",
    "0xffffffffffffffff",
    "0f7F800000",
    "0d7FF8000000000001",
    "1e400",
    "_",
    "%tid.x",
    "%clock64",
    "%laneid"};

template <class List>
static std::string_view pick(const List &list, std::mt19937 &generator) {
  return list[generator() % std::size(list)];
}

/// One change: a line of `other` in the place of a line, before it, or nothing
/// there; or one word of the text for another.
static std::string changed(std::string_view text, std::string_view other,
                           std::mt19937 &generator) {
  Pieces lines = linesOf(text), donors = linesOf(other);
  unsigned kind = generator() % 8;
  std::string_view place = pick(lines, generator), by;
  if (kind == 1) {
    by = pick(donors, generator);
  } else if (kind == 2) {
    by = pick(donors, generator);
    place = place.substr(0, 0);
  } else if (kind > 2) {
    Pieces words = wordsOf(place), source = wordsOf(pick(donors, generator));
    if (words.empty() || source.empty())
      return std::string(text);
    place = pick(words, generator);
    by = kind < 6 ? pick(source, generator) : pick(rareWords, generator);
  }
  size_t at = size_t(place.data() - text.data());
  std::string result(text.substr(0, at));
  return result.append(by).append(text.substr(at + place.size()));
}

static size_t mutate(std::string_view text, std::string_view other,
                     uint8_t *out, size_t maxSize, unsigned seed) {
  std::mt19937 generator(seed);
  std::string result(text);
  for (unsigned change = generator() % 4 + 1; change != 0; --change)
    if (!result.empty() && !other.empty())
      result = changed(result, other, generator);
  size_t size = std::min(result.size(), maxSize);
  std::memcpy(out, result.data(), size);
  return size;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t maxSize, unsigned seed) {
  static const std::string kernels[] = {
      test::reduceKernel(),      test::asyncGemmKernel(),
      test::tensorGemmKernel(),  test::attentionKernel(),
      test::messageKernel(),     test::clusterKernel(),
      test::namedBarrierKernel()};
  if (seed % 4 == 0)
    return LLVMFuzzerMutate(data, size, maxSize);
  std::string text(reinterpret_cast<const char *>(data), size);
  const std::string &kernel = kernels[seed / 16 % std::size(kernels)];
  if (text.empty())
    text = kernel;
  return mutate(text, seed / 4 % 4 == 0 ? kernel : text, data, maxSize, seed);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t *first,
                                            size_t firstSize,
                                            const uint8_t *second,
                                            size_t secondSize, uint8_t *out,
                                            size_t maxSize, unsigned seed) {
  return mutate({reinterpret_cast<const char *>(first), firstSize},
                {reinterpret_cast<const char *>(second), secondSize}, out,
                maxSize, seed);
}
