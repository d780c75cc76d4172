// Matrix.cpp - ldmatrix, stmatrix, movmatrix (PTX ISA 9.7.14.5).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Access.h"

#include <cstring>

namespace heddle::ptx {

namespace {

enum MatrixMode : uint8_t { WideAddress = 1, Transposed = 2, Stores = 4 };

/// 8x8 matrices of 16-bit elements: lanes 8i to 8i+7 hold the row addresses of
/// matrix i; lane l holds elements (l/4, 2(l%4)) and the next of each.
void moveMatrices(Warp &warp, const Op &op, Lanes) {
  Machine &machine = *warp.machine;
  unsigned count = op.count;
  Lanes addressing = count == 4 ? allLanes : (Lanes(1) << (8 * count)) - 1;
  LaneTargets targets;
  laneAddresses(warp, op.a, op.mode & WideAddress, op.immediate, addressing,
                targets);
  bool stores = op.mode & Stores;
  AccessRequest request{Space(op.target), 16, 16, stores};
  resolveLanes(warp, op, addressing, request, targets);
  ++(stores ? machine.statistics.sharedStores : machine.statistics.sharedLoads);
  if (machine.checks) {
    countBanks(machine, targets, 16);
    noteAccesses(warp, op, targets, 16, stores, 0,
                 stores && undefinedLanes(warp, op) ? allLanes : 0);
  }
  const Row *rows = &machine.program.rows[op.detail];
  for (unsigned matrix = 0; matrix < count; ++matrix) {
    auto *reg = warp.row<uint32_t>(rows[matrix]);
    for (unsigned lane = 0; lane < warpSize; ++lane) {
      uint32_t value = stores ? reg[lane] : 0;
      for (unsigned e = 0; e < 2; ++e) {
        unsigned row = lane / 4, column = lane % 4 * 2 + e;
        if (op.mode & Transposed)
          std::swap(row, column);
        unsigned source = 8 * matrix + row;
        if (!(targets.valid >> source & 1))
          continue;
        std::byte *at = targets.target[source].data() + 2 * column;
        uint16_t half = uint16_t(value >> (16 * e));
        if (stores) {
          std::memcpy(at, &half, 2);
        } else {
          std::memcpy(&half, at, 2);
          value |= uint32_t(half) << (16 * e);
        }
      }
      if (!stores)
        reg[lane] = value;
    }
  }
  machine.epoch += stores;
}

/// movmatrix: the transpose of one matrix held in registers.
void transpose(Warp &warp, const Op &op, Lanes) {
  const auto *a = warp.row<uint32_t>(op.a);
  auto *d = warp.row<uint32_t>(op.d);
  uint16_t element[8][8];
  for (unsigned lane = 0; lane < warpSize; ++lane)
    for (unsigned e = 0; e < 2; ++e)
      element[lane / 4][lane % 4 * 2 + e] = uint16_t(a[lane] >> (16 * e));
  for (unsigned lane = 0; lane < warpSize; ++lane)
    d[lane] = element[lane % 4 * 2][lane / 4] |
              uint32_t(element[lane % 4 * 2 + 1][lane / 4]) << 16;
}

} // namespace

void buildMatrix(Builder &b) {
  b.require("sync");
  b.require("aligned");
  b.require("m8n8");
  b.op.convergence = Convergence::AlignedAll;
  if (b.in.opcode() == Opcode::Movmatrix) {
    b.require("trans");
    b.require("b16");
    b.requireOperands(2, 2);
    b.op.a = b.source(1, Type::B32);
    b.op.d = b.destination(0, Type::B32);
    b.op.run = transpose;
    return;
  }
  int size = b.takeOneOf({"x1", "x2", "x4"});
  if (size < 0)
    b.refuse("expected '.x1', '.x2' or '.x4'");
  b.op.count = uint8_t(1 << size);
  b.op.mode = b.take("trans") ? Transposed : 0;
  b.op.target = uint32_t(b.takeSpace());
  b.require("b16");
  b.requireOperands(2, 2);
  bool stores = b.in.opcode() == Opcode::Stmatrix;
  b.op.mode |= stores ? Stores : 0;
  bool wide = false;
  b.op.a = b.address(b.operand(stores ? 0 : 1), b.op.immediate, wide);
  b.op.mode |= wide ? WideAddress : 0;
  const Operand &vector = b.operand(stores ? 1 : 0);
  bool isVector = vector.kind == Operand::Kind::Vector;
  if ((isVector ? vector.elements.size() : 1) != b.op.count)
    b.refuse("expected " + std::to_string(b.op.count) + " registers");
  std::vector<Row> rows;
  for (unsigned i = 0; i < b.op.count; ++i) {
    const Operand &element = isVector ? vector.elements[i] : vector;
    rows.push_back(stores ? b.source(element, Type::B32)
                          : b.destination(element, Type::B32));
  }
  b.op.detail = b.addRows(rows);
  b.op.run = moveMatrices;
}

} // namespace heddle::ptx
