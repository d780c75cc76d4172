// BulkMove.cpp - the bytes of bulk copies: boxes of tensors, swizzles.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/BulkMove.h"

#include "codegen/nvidia/ptx/Atomic.h"
#include "codegen/nvidia/ptx/Formats.h"
#include "codegen/nvidia/ptx/LayoutChecks.h"

#include <algorithm>
#include <cstring>

namespace heddle::ptx {

BoxShape::BoxShape(const TensorMap &map) : element(elementBytes(map.element)) {
  for (unsigned d = 0; d < 5; ++d) {
    uint32_t step = map.elementStrides[d];
    count[d] = d < map.rank ? (map.box[d] + step - 1) / step : 1;
  }
  rowBytes = count[0] * element;
  rows = count[1] * count[2] * count[3] * count[4];
}

BoxRow boxRow(const TensorMap &map, const BoxShape &shape,
              const int64_t *coordinates, uint32_t row) {
  BoxRow result;
  result.address = map.base;
  for (unsigned d = 1; d < map.rank; ++d) {
    int64_t at =
        coordinates[d] + int64_t(row % shape.count[d]) * map.elementStrides[d];
    row /= shape.count[d];
    if (at < 0 || uint64_t(at) >= map.dims[d]) {
      result.last = 0;
      return result;
    }
    result.address += uint64_t(at) * map.strides[d - 1];
  }
  // Elements of the row from `first` to before `last` lie in the tensor.
  int64_t step = map.elementStrides[0], start = coordinates[0];
  int64_t extent = int64_t(map.dims[0]);
  int64_t first = start >= 0 ? 0 : (-start + step - 1) / step;
  int64_t last = start >= extent ? 0 : (extent - start + step - 1) / step;
  result.first = uint32_t(std::min<int64_t>(first, shape.count[0]));
  result.last =
      uint32_t(std::clamp<int64_t>(last, result.first, shape.count[0]));
  result.address +=
      uint64_t(start + int64_t(result.first) * step) * shape.element;
  return result;
}

/// The pattern of an out-of-bounds element, repeated.
static uint64_t fillPattern(const TensorMap &map) {
  if (!map.fillNan)
    return 0;
  switch (map.element) {
  case TensorElement::F16:
  case TensorElement::BF16:
  case TensorElement::F64:
  case TensorElement::F32:
  case TensorElement::F32Ftz:
  case TensorElement::TF32:
  case TensorElement::TF32Ftz:
    return 0x0001'0001'0001'0001 * uint64_t(outOfBoundsNan);
  default:
    return 0;
  }
}

/// Copies a row between plain bytes and shared memory, 16 bytes at a time.
static void copyRow(std::byte *shared, uint32_t offset, std::byte *plain,
                    uint32_t bytes, TensorSwizzle swizzle, bool toShared) {
  for (uint32_t at = 0; at < bytes; at += 16) {
    std::byte *place = shared + swizzled(offset + at, swizzle);
    uint32_t size = std::min(bytes - at, 16u);
    if (toShared)
      std::memcpy(place, plain + at, size);
    else
      std::memcpy(plain + at, place, size);
  }
}

static void loadBox(Machine &machine, const BulkCopy &copy) {
  BoxShape shape(copy.map);
  std::vector<std::byte> row(shape.rowBytes);
  uint64_t fill = fillPattern(copy.map);
  uint32_t step = copy.map.elementStrides[0] * shape.element;
  for (uint32_t r = 0; r < shape.rows; ++r) {
    BoxRow source = boxRow(copy.map, shape, copy.coordinates, r);
    uint32_t inside = source.last - std::min(source.first, source.last);
    if (inside < shape.count[0])
      for (uint32_t e = 0; e < shape.count[0]; ++e)
        std::memcpy(&row[e * shape.element], &fill, shape.element);
    Memory *memory = inside ? machine.globalAt(source.address) : nullptr;
    if (memory) {
      const std::byte *from = memory->data + (source.address - memory->address);
      std::byte *to = &row[source.first * shape.element];
      if (step == shape.element)
        std::memcpy(to, from, inside * shape.element);
      else
        for (uint32_t e = 0; e < inside; ++e)
          std::memcpy(to + e * shape.element, from + e * step, shape.element);
    }
    copyRow(copy.block->shared.data, copy.shared + r * shape.rowBytes,
            row.data(), shape.rowBytes, copy.map.swizzle, true);
  }
}

void Machine::readSource(BulkCopy &copy) {
  if (copy.wasRead)
    return;
  copy.wasRead = true;
  copy.snapshot.resize(copy.bytes);
  const Op &op = program.code[copy.op];
  bool fromShared = copy.kind != BulkCopy::Kind::Load;
  Target source =
      fromShared ? Target{&copy.block->shared, copy.shared} : copy.other;
  if (checks)
    noteRead(*copy.warp, op, copy.lane, source, copy.bytes);
  bool isBox = copy.kind == BulkCopy::Kind::TensorStore ||
               copy.kind == BulkCopy::Kind::TensorReduce;
  if (!isBox) {
    std::memcpy(copy.snapshot.data(), source.data(), copy.bytes);
    return;
  }
  if (checks)
    checkStoredBox(*copy.warp, op, copy);
  BoxShape shape(copy.map);
  for (uint32_t r = 0; r < shape.rows; ++r)
    copyRow(copy.block->shared.data, copy.shared + r * shape.rowBytes,
            &copy.snapshot[r * shape.rowBytes], shape.rowBytes,
            copy.map.swizzle, false);
}

static BoxLayout layoutOf(const BulkCopy &copy) {
  BoxShape shape(copy.map);
  return {copy.op,    copy.shared,    shape.rowBytes,
          shape.rows, shape.count[1], copy.map.swizzle};
}

/// Adds, or whatever the reduction is, `bytes` bytes of elements.
static void reduceBytes(const BulkCopy &copy, std::byte *to,
                        const std::byte *from, uint64_t bytes) {
  unsigned size = bitWidth(copy.type) / 8;
  for (uint64_t at = 0; at + size <= bytes; at += size) {
    uint64_t old = 0, operand = 0;
    std::memcpy(&old, to + at, size);
    std::memcpy(&operand, from + at, size);
    uint64_t value =
        applyAtomic(AtomicKind(copy.reduction), copy.type, old, operand);
    std::memcpy(to + at, &value, size);
  }
}

static void storeBox(Machine &machine, const BulkCopy &copy) {
  BoxShape shape(copy.map);
  uint32_t step = copy.map.elementStrides[0] * shape.element;
  bool reduces = copy.kind == BulkCopy::Kind::TensorReduce;
  for (uint32_t r = 0; r < shape.rows; ++r) {
    BoxRow row = boxRow(copy.map, shape, copy.coordinates, r);
    if (row.last <= row.first)
      continue;
    Memory *memory = machine.globalAt(row.address);
    if (!memory)
      continue; // reported at the issue
    std::byte *to = memory->data + (row.address - memory->address);
    const std::byte *from =
        &copy.snapshot[r * shape.rowBytes + row.first * shape.element];
    for (uint32_t e = 0; e < row.last - row.first; ++e) {
      std::byte *place = to + uint64_t(e) * step;
      if (reduces)
        reduceBytes(copy, place, from + e * shape.element, shape.element);
      else
        std::memcpy(place, from + e * shape.element, shape.element);
    }
    if (machine.checks) {
      Target target{memory, row.address - memory->address};
      uint64_t bytes =
          uint64_t(row.last - row.first - 1) * step + shape.element;
      machine.noteWrite(*copy.warp, machine.program.code[copy.op], copy.lane,
                        target, bytes);
    }
  }
}

void Machine::writeTarget(BulkCopy &copy) {
  const Op &op = program.code[copy.op];
  ++epoch;
  switch (copy.kind) {
  case BulkCopy::Kind::TensorLoad: {
    loadBox(*this, copy);
    if (!checks)
      return;
    Memory &shared = copy.block->shared;
    noteWrite(*copy.warp, op, copy.lane, {&shared, copy.shared}, copy.bytes);
    if (BoxLayout box = layoutOf(copy); box.rowBytes % 16 == 0)
      shared.boxes.place(box, shared.bytes);
    return;
  }
  case BulkCopy::Kind::TensorStore:
  case BulkCopy::Kind::TensorReduce:
    return storeBox(*this, copy);
  case BulkCopy::Kind::Load: {
    Target target{&copy.block->shared, copy.shared};
    if (checks)
      noteWrite(*copy.warp, op, copy.lane, target, copy.bytes);
    std::memcpy(target.data(), copy.snapshot.data(), copy.bytes);
    return;
  }
  case BulkCopy::Kind::Store:
    copy.forWrittenRuns([&](uint64_t offset, uint64_t bytes) {
      Target target{copy.other.memory, copy.other.offset + offset};
      if (checks)
        noteWrite(*copy.warp, op, copy.lane, target, bytes);
      std::memcpy(target.data(), copy.snapshot.data() + offset, bytes);
    });
    return;
  case BulkCopy::Kind::Value:
  case BulkCopy::Kind::ReduceValue: {
    Target target{&copy.block->shared, copy.shared};
    if (checks)
      noteWrite(*copy.warp, op, copy.lane, target, copy.bytes, copy.defined);
    if (copy.kind == BulkCopy::Kind::ReduceValue)
      reduceBytes(copy, target.data(), copy.snapshot.data(), copy.bytes);
    else
      std::memcpy(target.data(), copy.snapshot.data(), copy.bytes);
    return;
  }
  case BulkCopy::Kind::Reduce:
  case BulkCopy::Kind::ReduceShared:
    return reduceBytes(copy, copy.other.data(), copy.snapshot.data(),
                       copy.bytes);
  }
}

void Machine::performBulk(BulkCopy &copy) {
  // A tensor load reads and writes row by row.
  if (copy.kind != BulkCopy::Kind::TensorLoad)
    readSource(copy);
  writeTarget(copy);
}

} // namespace heddle::ptx
