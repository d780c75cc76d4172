// Fragment.cpp - accumulators between registers and dense matrices, and the
// modifiers that mma and wmma share.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Fragment.h"

#include "codegen/nvidia/ptx/Formats.h"

#include <algorithm>

namespace heddle::ptx {

void gatherAccumulators(Warp &warp, const std::vector<Row> &rows, Type type,
                        unsigned m, unsigned n, float *into) {
  unsigned per = type == Type::F16 ? 2 : 1;
  for (unsigned r = 0; r < rows.size(); ++r) {
    const auto *words = warp.row<uint32_t>(rows[r]);
    for (unsigned e = 0; e < per; ++e)
      for (unsigned lane = 0; lane < warpSize; ++lane) {
        Place at = placeC(lane, r * per + e, m);
        into[at.row * n + at.column] =
            per == 2 ? fromF16(uint16_t(words[lane] >> (16 * e)))
                     : std::bit_cast<float>(words[lane]);
      }
  }
}

void scatterAccumulators(Warp &warp, const std::vector<Row> &rows, Type type,
                         unsigned m, unsigned n, const float *from) {
  bool half = type == Type::F16;
  for (unsigned r = 0; r < rows.size(); ++r) {
    auto *words = warp.row<uint32_t>(rows[r]);
    for (unsigned lane = 0; lane < warpSize; ++lane) {
      if (!half) {
        Place at = placeC(lane, r, m);
        float value = from[at.row * n + at.column];
        words[lane] =
            value != value ? 0x7FFFFFFF : std::bit_cast<uint32_t>(value);
        continue;
      }
      Place at = placeC(lane, 2 * r, m);
      const float *pair = from + at.row * n + at.column;
      words[lane] = toF16(pair[0]) | uint32_t(toF16(pair[1])) << 16;
    }
  }
}

void gatherAccumulators(Warp &warp, const std::vector<Row> &rows, unsigned m,
                        unsigned n, int64_t *into) {
  for (unsigned r = 0; r < rows.size(); ++r) {
    const auto *words = warp.row<uint32_t>(rows[r]);
    for (unsigned lane = 0; lane < warpSize; ++lane) {
      Place at = placeC(lane, r, m);
      into[at.row * n + at.column] = int32_t(words[lane]);
    }
  }
}

void scatterAccumulators(Warp &warp, const std::vector<Row> &rows, unsigned m,
                         unsigned n, const int64_t *from, bool saturate) {
  for (unsigned r = 0; r < rows.size(); ++r) {
    auto *words = warp.row<uint32_t>(rows[r]);
    for (unsigned lane = 0; lane < warpSize; ++lane) {
      Place at = placeC(lane, r, m);
      int64_t value = from[at.row * n + at.column];
      if (saturate)
        value = std::clamp<int64_t>(value, INT32_MIN, INT32_MAX);
      words[lane] = uint32_t(value);
    }
  }
}

bool takeColumnMajor(Builder &b) {
  for (const std::string &word : b.in.mnemonic->modifiers)
    if ((word == "row" || word == "col") && b.take(word))
      return word == "col";
  b.refuse("expected '.row' or '.col' for A and for B");
}

uint8_t takeBitOperation(Builder &b) {
  int operation = b.takeOneOf({"xor", "and"});
  if (operation < 0)
    b.refuse("expected '.xor' or '.and'");
  b.require("popc");
  return uint8_t(operation);
}

} // namespace heddle::ptx
