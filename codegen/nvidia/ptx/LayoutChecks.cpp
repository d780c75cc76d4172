// LayoutChecks.cpp - readers of shared memory against what tensor copies left.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/LayoutChecks.h"

#include "codegen/nvidia/ptx/BulkMove.h"

#include <numeric>

namespace heddle::ptx {

namespace {

std::string nameOf(TensorSwizzle swizzle) {
  static constexpr const char *names[] = {"no swizzle", "a 32-byte swizzle",
                                          "a 64-byte swizzle",
                                          "a 128-byte swizzle"};
  return names[uint8_t(swizzle)];
}

std::string nameOf(const MatrixDescriptor &descriptor) {
  std::string name = nameOf(descriptor.swizzle);
  if (descriptor.baseOffset != 0)
    name += " and a base offset of " + std::to_string(descriptor.baseOffset);
  return name;
}

std::string writerOf(const Machine &machine, const BoxLayout &box) {
  const Op &op = machine.program.code[box.op];
  return "'" + machine.program.sources[op.source]->mnemonic->text +
         "' at line " + std::to_string(machine.locationOf(op).line);
}

std::string nameOf(const BoxPlace &place) {
  return "row " + std::to_string(place.row) + ", byte " +
         std::to_string(place.column * 16);
}

void report(Warp &warp, const Op &op, unsigned lane, uint32_t offset,
            std::string text) {
  warp.machine->find(FindingKind::Layout, warp, op, lane,
                     warp.block->shared.address + offset, std::move(text));
}

/// Whether `next` follows `last` by `distance` rows: in the same box, or where
/// one box ends and another begins. A box of more than two dimensions may be
/// walked plane by plane.
bool followsInRows(const BoxPlace &last, const BoxPlace &next,
                   uint32_t distance) {
  if (last.column != next.column)
    return false;
  if (last.box != next.box)
    return last.row + distance == last.box->rows && next.row == 0;
  uint32_t step = next.row - last.row;
  return step == distance || (distance == 8 && next.row > last.row &&
                              step % last.box->planeRows == 0);
}

/// Whether `next` is what lies 16 bytes right of `last`. Behind a span of the
/// swizzle this is the first column of the same row, in another plane or box.
bool followsInColumns(const BoxPlace &last, const BoxPlace &next, bool nextSpan,
                      uint32_t spanUnits) {
  if (!nextSpan)
    return last.box == next.box && last.row == next.row &&
           next.column == last.column + 1;
  if (next.column != 0 || last.column + 1 != spanUnits)
    return false;
  if (last.box != next.box)
    return last.row == next.row;
  return last.row != next.row &&
         (next.row - last.row) % last.box->planeRows == 0;
}

} // namespace

void checkOperandLayout(Warp &warp, const Op &op, const char *what,
                        const MatrixDescriptor &descriptor,
                        const OperandUnits &units) {
  const BoxMap &boxes = warp.block->shared.boxes;
  if (boxes.empty())
    return;
  static thread_local std::vector<BoxPlace> places;
  places.clear();
  uint32_t width = units.lastUnit - units.firstUnit;
  auto mismatch = [&](uint32_t offset, const BoxPlace &last,
                      const BoxPlace &next) {
    report(warp, op, 0, offset,
           "takes " + nameOf(next) + " of the box of " +
               writerOf(*warp.machine, *next.box) + " for what follows its " +
               nameOf(last) + ": the descriptor of " + what +
               " has a leading offset of " +
               std::to_string(descriptor.leading) + " and a stride of " +
               std::to_string(descriptor.stride) + " bytes");
  };
  for (uint32_t line = units.firstLine; line < units.lastLine; ++line)
    for (uint32_t unit = units.firstUnit; unit < units.lastUnit; ++unit) {
      uint32_t offset = units.transposed
                            ? descriptor.addressAcrossK(unit * 16, line)
                            : descriptor.addressAlongK(line, unit * 16);
      BoxPlace place = boxes.at(offset);
      if (!place.box)
        return;
      if (descriptor.swizzledInPattern(offset) != place.plain)
        return report(warp, op, 0, offset,
                      std::string("reads ") + what + " with " +
                          nameOf(descriptor) + ", but " +
                          writerOf(*warp.machine, *place.box) +
                          " wrote it with " + nameOf(place.box->swizzle));
      size_t at = places.size();
      places.push_back(place);
      bool nextSpan = descriptor.swizzle == TensorSwizzle::None ||
                      (units.transposed && unit * 16 % descriptor.span == 0);
      if (unit != units.firstUnit &&
          !followsInColumns(places[at - 1], place, nextSpan,
                            descriptor.span / 16))
        return mismatch(offset, places[at - 1], place);
      // Lines of one pattern come one after the other, patterns by a stride.
      uint32_t distance = line % 8 == 0 ? 8 : 1;
      if (line < units.firstLine + distance)
        continue;
      const BoxPlace &above = places[at - distance * width];
      if (!followsInRows(above, place, distance))
        return mismatch(offset, above, place);
    }
}

OperandStart checkOperandStart(Warp &warp, const Op &op, const char *what,
                               const MatrixDescriptor &descriptor,
                               const OperandUnits &units, uint32_t outer,
                               uint32_t k, uint32_t bytes) {
  uint32_t line = units.firstLine, inner = units.firstUnit * 16;
  uint32_t offset = units.transposed ? descriptor.addressAcrossK(inner, line)
                                     : descriptor.addressAlongK(line, inner);
  BoxPlace place = warp.block->shared.boxes.at(offset);
  if (!place.box || swizzled(offset, descriptor.swizzle) != place.plain)
    return {};
  uint32_t rowElements = place.box->rowBytes / bytes;
  uint32_t row = place.row, column = place.column * 16 / bytes;
  // Along M or N the part lies a number of whole tiles behind the start.
  uint32_t tile, at, step, kExtent;
  if (units.transposed) {
    tile = std::gcd(outer, rowElements);
    at = (column + outer - inner / bytes) % tile;
    kExtent = place.box->planeRows;
    step = row % std::gcd(k, kExtent);
  } else {
    tile = std::gcd(outer, place.box->planeRows);
    at = (row + outer - line) % tile;
    kExtent = rowElements;
    step = column % std::gcd(k, kExtent);
  }
  if (at != 0 || step != 0) {
    report(warp, op, 0, offset,
           "has " + std::string(what) + " start " + std::to_string(at) +
               " elements behind a multiple of " + std::to_string(tile) +
               " along " + (*what == 'A' ? "M" : "N") + " and " +
               std::to_string(step) + " along K, in the box of " +
               writerOf(*warp.machine, *place.box));
    return {};
  }
  return {place.box, units.transposed ? row : column, kExtent};
}

void checkContraction(Warp &warp, const Op &op, const OperandStart &a,
                      const OperandStart &b) {
  if (!a.box || !b.box)
    return;
  uint32_t extent = std::gcd(a.extent, b.extent);
  if (a.k % extent == b.k % extent)
    return;
  report(warp, op, 0, b.box->start,
         "multiplies element " + std::to_string(a.k) +
             " along K of the box of A, of " + writerOf(*warp.machine, *a.box) +
             ", by element " + std::to_string(b.k) + " of that of B, of " +
             writerOf(*warp.machine, *b.box));
}

void checkMatrixRows(Warp &warp, const Op &op, const LaneTargets &targets,
                     unsigned rows) {
  const Memory &shared = warp.block->shared;
  if (shared.boxes.empty())
    return;
  for (unsigned first = 0; first < rows; first += 8) {
    BoxPlace top;
    bool isStraight = true, isOneBox = true;
    for (unsigned lane = first; lane < first + 8 && isOneBox; ++lane) {
      const Target &target = targets.target[lane];
      if (!(targets.valid >> lane & 1) || target.memory != &shared)
        return;
      BoxPlace place = shared.boxes.at(uint32_t(target.offset));
      if (lane == first)
        top = place;
      isOneBox = place.box && place.box == top.box &&
                 place.row == top.row + (lane - first);
      isStraight &= place.column == top.column;
    }
    if (isOneBox && !isStraight)
      report(warp, op, first, uint32_t(targets.target[first].offset),
             "reads 8 rows from different columns of the box of " +
                 writerOf(*warp.machine, *top.box) + ", which has " +
                 nameOf(top.box->swizzle));
  }
}

void checkStoredBox(Warp &warp, const Op &op, const BulkCopy &copy) {
  const BoxMap &boxes = copy.block->shared.boxes;
  if (boxes.empty())
    return;
  for (uint32_t at = copy.shared; at < copy.shared + copy.bytes; at += 16) {
    uint32_t offset = swizzled(at, copy.map.swizzle);
    BoxPlace place = boxes.at(offset);
    if (place.box && place.plain != at)
      return report(warp, op, copy.lane, offset,
                    "stores with " + nameOf(copy.map.swizzle) + " what " +
                        writerOf(*warp.machine, *place.box) + " wrote with " +
                        nameOf(place.box->swizzle));
  }
}

} // namespace heddle::ptx
