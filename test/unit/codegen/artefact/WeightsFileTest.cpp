//===- WeightsFileTest.cpp - layouts, digests, threads --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//

#include "TestFolder.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/SHA256.h"

#include "gtest/gtest.h"

#include <cstring>
#include <mutex>

using namespace llvm;
using namespace heddle;

static std::vector<char> randomBytes(size_t size, uint32_t seed) {
  std::vector<char> bytes(size);
  for (char &byte : bytes) {
    seed = seed * 1664525u + 1013904223u;
    byte = static_cast<char>(seed >> 24);
  }
  return bytes;
}

/// Writes `weights` to a new file and returns its bytes.
static std::vector<char> write(ArrayRef<WeightToStore> weights,
                               unsigned threads, ModuleWeights &written,
                               const ReleaseSource &release = nullptr) {
  TestFolder folder;
  auto file = cantFail(sys::fs::TempFile::create(folder.file("w-%%%%")));
  written = cantFail(writeWeights(file, weights, threads, release));
  std::vector<char> bytes = readFile(file.TmpName);
  cantFail(file.discard());
  return bytes;
}

/// What PanelLayout's formula says, element by element.
static std::vector<char> panelsOf(ArrayRef<char> source, PanelLayout layout,
                                  int64_t element) {
  int64_t panels = divideCeil(layout.columns, layout.width);
  std::vector<char> result(panels * layout.rows * layout.width * element);
  for (int64_t r = 0; r < layout.rows; ++r)
    for (int64_t c = 0; c < layout.columns; ++c) {
      int64_t from =
          layout.transposed ? c * layout.rows + r : r * layout.columns + c;
      int64_t to = (c / layout.width * layout.rows + r) * layout.width +
                   c % layout.width;
      std::memcpy(&result[to * element], &source[from * element], element);
    }
  return result;
}

TEST(WeightsFile, Panels) {
  const std::pair<heddle_dtype_t, int64_t> dtypes[] = {
      {HEDDLE_I8, 1}, {HEDDLE_BF16, 2}, {HEDDLE_F32, 4}, {HEDDLE_I64, 8}};
  const PanelLayout layouts[] = {
      {1, 1, 1},     {5, 7, 3},   {64, 48, 16},
      {33, 100, 48}, {70, 5, 16}, {3000, 100, 48} /* more than one chunk */};
  for (auto [dtype, element] : dtypes)
    for (PanelLayout layout : layouts)
      for (bool transposed : {false, true}) {
        layout.transposed = transposed;
        std::vector<char> source =
            randomBytes(layout.rows * layout.columns * element + 1, 3);
        // One byte off: sources have no alignment.
        ArrayRef<char> values = ArrayRef(source).drop_front();
        ModuleWeights written;
        std::vector<char> bytes =
            write({{"w", dtype, values, layout}}, 2, written);
        std::vector<char> expected = panelsOf(values, layout, element);
        ASSERT_EQ(written.weights.size(), 1u);
        const ModuleWeight &weight = written.weights[0];
        ASSERT_EQ(weight.size, expected.size());
        EXPECT_EQ(ArrayRef(bytes).slice(weight.offset, weight.size),
                  ArrayRef(expected))
            << layout.rows << " x " << layout.columns << " by " << layout.width;
      }
}

TEST(WeightsFile, OffsetsDigestsAndHeader) {
  std::vector<char> first = randomBytes(100, 1);
  std::vector<char> second = randomBytes(3 << 20, 2);
  std::vector<WeightToStore> weights = {
      {"first", HEDDLE_U8, first, std::nullopt},
      {"empty", HEDDLE_F32, {}, std::nullopt},
      {"second", HEDDLE_F32, second, std::nullopt}};
  ModuleWeights written;
  std::vector<char> bytes = write(weights, 2, written);
  std::vector<uint64_t> offsets = cantFail(layOutWeights(weights));
  EXPECT_EQ(offsets, (std::vector<uint64_t>{64, 192, 192, 192 + (3 << 20)}));
  EXPECT_EQ(written.fileSize, bytes.size());
  for (auto [weight, source, offset] : zip(written.weights, weights, offsets)) {
    EXPECT_EQ(weight.offset, offset);
    EXPECT_EQ(ArrayRef(bytes).slice(offset, weight.size), source.source);
    StringRef text(source.source.data(), source.source.size());
    EXPECT_EQ(weight.sha256, SHA256::hash(arrayRefFromStringRef(text)));
  }
  heddle_abi_weights_header_t header;
  std::memcpy(&header, bytes.data(), sizeof header);
  EXPECT_EQ(std::memcmp(header.magic, HEDDLE_ABI_WEIGHTS_MAGIC, 8), 0);
  EXPECT_EQ(header.file_size, bytes.size());
  EXPECT_EQ(std::memcmp(header.id.bytes, written.id.data(), 32), 0);
}

TEST(WeightsFile, ThreadsLeaveNoTrace) {
  std::vector<std::vector<char>> sources;
  std::vector<WeightToStore> weights;
  for (uint32_t i = 0; i < 20; ++i)
    sources.push_back(randomBytes(4 * 40 * (10 + i), i));
  for (uint32_t i = 0; i < 20; ++i)
    weights.push_back({"w" + std::to_string(i), HEDDLE_F32, sources[i],
                       PanelLayout{40, 10 + i, 16, i % 2 == 0}});
  ModuleWeights one, four;
  EXPECT_EQ(write(weights, 1, one), write(weights, 4, four));
  EXPECT_EQ(one.id, four.id);
}

TEST(WeightsFile, EveryByteIsReleasedOnce) {
  std::vector<char> source = randomBytes(4 * 300 * 1000, 1);
  for (int kind = 0; kind < 3; ++kind) {
    std::optional<PanelLayout> layout;
    if (kind > 0)
      layout = PanelLayout{300, 1000, 48, kind == 2};
    std::vector<int> released(source.size());
    std::mutex mutex;
    ModuleWeights written;
    write({{"w", HEDDLE_F32, source, layout}}, 2, written,
          [&](ArrayRef<char> piece) {
            std::scoped_lock lock(mutex);
            for (size_t i = 0; i < piece.size(); ++i)
              ++released[piece.data() - source.data() + i];
          });
    EXPECT_EQ(llvm::count(released, 1), static_cast<long>(source.size()));
  }
}
