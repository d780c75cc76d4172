// Matrix.cpp - ldmatrix, stmatrix, movmatrix (PTX ISA 9.7.14.5).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Access.h"
#include "codegen/nvidia/ptx/LayoutChecks.h"

#include <cstring>

namespace heddle::ptx {

namespace {

enum MatrixMode : uint8_t { WideAddress = 1, Transposed = 2, Stores = 4 };

/// Which of the tables of 9.7.14.5.15 and .16 an instruction follows. Rows in
/// memory have 16 bytes in all of them.
enum MatrixShape : uint8_t {
  M8N8,   ///< 8 rows of 8 elements of 16 bits
  M8N16,  ///< 8 rows of 16 elements of 8 bits
  M16N16, ///< 16 rows of 16 elements of 8 bits, transposed, two registers
  M16N8,  ///< 8 rows of 16 elements of 8 bits, transposed
};

/// Where element `e` of a lane's register lies: a row of the matrix in memory,
/// and an element of that row.
struct MatrixPlace {
  unsigned row, column;
};

MatrixPlace placeOf(const Op &op, unsigned lane, unsigned reg, unsigned e) {
  unsigned group = lane / 4, member = lane % 4;
  switch (MatrixShape(op.mode2)) {
  case M8N16:
    return {group, 4 * member + e};
  case M16N16:
    return {4 * member + e, group + 8 * reg};
  case M16N8:
    return {2 * member + e % 2, group + 8 * (e / 2)};
  default:
    return op.mode & Transposed ? MatrixPlace{2 * member + e, group}
                                : MatrixPlace{group, 2 * member + e};
  }
}

/// Element `column` of a row whose elements have `bits` bits; 4 and 6 bits are
/// packed without gaps from the start of the row (`.b4x16_p64`,
/// `.b6x16_p32`).
uint32_t readElement(const std::byte *row, unsigned column, unsigned bits) {
  unsigned at = column * bits;
  uint32_t pair = uint32_t(row[at / 8]);
  if (at % 8 + bits > 8)
    pair |= uint32_t(row[at / 8 + 1]) << 8;
  return pair >> at % 8 & ((1u << bits) - 1);
}

/// An element in memory, and the bits of a register that hold it.
struct MatrixElement {
  std::byte *row;
  unsigned column, shift, width;
  std::byte *data() const { return row + column * width / 8; }
};

/// Calls `visit(word, element)` for each element whose row has an address.
template <class Visit>
void forElements(Warp &warp, const Op &op, const LaneTargets &targets,
                 unsigned rowCount, unsigned registers, Visit visit) {
  const Row *rows = warp.machine->program.rows.data() + op.detail;
  unsigned per = op.mode2 == M8N8 ? 2 : 4, width = 32 / per;
  for (unsigned r = 0; r < registers * op.count; ++r) {
    auto *reg = warp.row<uint32_t>(rows[r]);
    for (unsigned lane = 0; lane < warpSize; ++lane)
      for (unsigned e = 0; e < per; ++e) {
        MatrixPlace at = placeOf(op, lane, r % registers, e);
        unsigned source = rowCount * (r / registers) + at.row;
        if (targets.valid >> source & 1)
          visit(reg[lane],
                {targets.target[source].data(), at.column, width * e, width});
      }
  }
}

bool storeChanges(Warp &warp, const Op &op, const LaneTargets &targets,
                  unsigned rowCount, unsigned registers) {
  bool changes = false;
  forElements(warp, op, targets, rowCount, registers,
              [&](uint32_t word, const MatrixElement &element) {
                uint32_t value = word >> element.shift;
                changes |=
                    std::memcmp(element.data(), &value, element.width / 8) != 0;
              });
  return changes;
}

/// `op.bytes` the bits of an element in memory, `op.count` the matrices. The
/// first lanes hold the addresses of the rows, matrix after matrix.
void moveMatrices(Warp &warp, const Op &op, Lanes) {
  Machine &machine = *warp.machine;
  unsigned rowCount = op.mode2 == M16N16 ? 16 : 8;
  unsigned registers = op.mode2 == M16N16 ? 2 : 1;
  unsigned rowBytes = op.mode2 == M8N8 ? 16 : 16 * op.bytes / 8;
  unsigned addresses = rowCount * op.count;
  Lanes addressing =
      addresses == warpSize ? allLanes : (Lanes(1) << addresses) - 1;
  LaneTargets targets;
  laneAddresses(warp, op.a, op.mode & WideAddress, op.immediate, addressing,
                targets);
  bool stores = op.mode & Stores;
  AccessRequest request{Space(op.target), 16, 16, stores};
  resolveLanes(warp, op, addressing, request, targets);
  ++(stores ? machine.statistics.sharedStores : machine.statistics.sharedLoads);
  bool changes = stores && storeChanges(warp, op, targets, rowCount, registers);
  if (machine.checks) {
    countBanks(machine, targets, 16);
    noteAccesses(warp, op, targets, rowBytes, stores, 0,
                 stores && undefinedLanes(warp, op) ? allLanes : 0,
                 stores && !changes);
    if (!stores)
      checkMatrixRows(warp, op, targets, addresses);
  }
  if (stores) {
    forElements(warp, op, targets, rowCount, registers,
                [&](uint32_t word, const MatrixElement &element) {
                  uint32_t value = word >> element.shift;
                  std::memcpy(element.data(), &value, element.width / 8);
                });
  } else {
    const Row *rows = machine.program.rows.data() + op.detail;
    for (unsigned r = 0; r < registers * op.count; ++r)
      std::fill_n(warp.row<uint32_t>(rows[r]), warpSize, 0);
    forElements(warp, op, targets, rowCount, registers,
                [&](uint32_t &word, const MatrixElement &element) {
                  word |= readElement(element.row, element.column, op.bytes)
                          << element.shift;
                });
  }
  machine.epoch += changes;
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

/// Takes shape, `.trans` and element format into `op.mode2`, `op.mode` and
/// `op.bytes`.
void takeMatrixFormat(Builder &b, bool stores) {
  int shape = b.takeOneOf({"m8n8", "m8n16", "m16n16", "m16n8"});
  if (shape < 0 || (stores && (shape == M8N16 || shape == M16N16)) ||
      (!stores && shape == M16N8))
    b.refuse(stores ? "expected shape '.m8n8' or '.m16n8'"
                    : "expected shape '.m8n8', '.m8n16' or '.m16n16'");
  b.op.mode2 = uint8_t(shape);
  bool transposes = b.take("trans");
  b.op.mode |= transposes ? Transposed : 0;
  if ((shape == M16N16 || shape == M16N8) && !transposes)
    b.refuse("expected modifier '.trans'");
  if (shape == M8N16 && transposes)
    b.refuse("'.trans' does not go with '.m8n16'");
  if (shape == M8N8) {
    b.require("b16");
    b.op.bytes = 16;
    return;
  }
  b.op.bytes = 8;
  if (shape == M16N8)
    return b.require("b8");
  if (shape == M16N16 && b.take("b8"))
    return;
  b.require("b8x16");
  int packed = b.takeOneOf({"b4x16_p64", "b6x16_p32"});
  if (packed < 0)
    b.refuse("expected '.b4x16_p64' or '.b6x16_p32'");
  b.op.bytes = packed == 0 ? 4 : 6;
}

} // namespace

void buildMatrix(Builder &b) {
  b.require("sync");
  b.require("aligned");
  b.op.convergence = Convergence::AlignedAll;
  if (b.in.opcode() == Opcode::Movmatrix) {
    b.require("m8n8");
    b.require("trans");
    b.require("b16");
    b.requireOperands(2, 2);
    b.op.a = b.source(1, Type::B32);
    b.op.d = b.destination(0, Type::B32);
    b.op.run = transpose;
    return;
  }
  bool stores = b.in.opcode() == Opcode::Stmatrix;
  takeMatrixFormat(b, stores);
  bool isSquare = b.op.mode2 == M16N16; // two registers for each matrix
  int size = b.takeOneOf({"x1", "x2", "x4"});
  if (size < 0 || (isSquare && size == 2))
    b.refuse(isSquare ? "expected '.x1' or '.x2'"
                      : "expected '.x1', '.x2' or '.x4'");
  b.op.count = uint8_t(1 << size);
  b.op.mode |= stores ? Stores : 0;
  b.op.target = uint32_t(b.takeSpace());
  b.requireOperands(2, 2);
  bool wide = false;
  b.op.a = b.address(b.operand(stores ? 0 : 1), b.op.immediate, wide);
  b.op.mode |= wide ? WideAddress : 0;
  const Operand &vector = b.operand(stores ? 1 : 0);
  bool isVector = vector.kind == Operand::Kind::Vector;
  unsigned registers = b.op.count * (isSquare ? 2 : 1);
  if ((isVector ? vector.elements.size() : 1) != registers)
    b.refuse("expected " + std::to_string(registers) + " registers");
  std::vector<Row> rows;
  for (unsigned i = 0; i < registers; ++i) {
    const Operand &element = isVector ? vector.elements[i] : vector;
    rows.push_back(stores ? b.source(element, Type::B32)
                          : b.destination(element, Type::B32));
  }
  b.op.detail = b.addRows(rows);
  b.op.run = moveMatrices;
}

} // namespace heddle::ptx
