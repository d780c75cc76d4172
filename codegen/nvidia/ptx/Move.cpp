// Move.cpp - mov, address conversion, cluster addresses (PTX ISA 9.7.9).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Elementwise.h"

namespace heddle::ptx {

namespace {

template <class T>
void copy(Warp &warp, const Op &op, Lanes lanes) {
  unary<[](T x) { return x; }, T, T>(warp, op, lanes);
}

void copyPredicate(Warp &warp, const Op &op, Lanes lanes) {
  Lanes a = warp.predicate(op.a) ^ (op.mode ? allLanes : 0);
  Lanes &d = warp.predicate(op.d);
  d = (d & ~lanes) | (a & lanes);
}

/// Clocks count warp instructions: they rise, which is all a kernel may assume.
void readClock(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  uint64_t now = machine.statistics.warpInstructions;
  // A loop that watches a clock changes state each time round.
  ++machine.epoch;
  if (op.mode)
    now >>= 32;
  forLanes(lanes, [&](unsigned i) {
    if (op.bytes == 8)
      warp.row<uint64_t>(op.d)[i] = now;
    else
      warp.row<uint32_t>(op.d)[i] = uint32_t(now);
  });
}

/// mov.b64 d, {a, b, ...}: `op.count` parts of `op.bytes` bytes each.
void pack(Warp &warp, const Op &op, Lanes lanes) {
  const Row *parts = warp.machine->program.rows.data() + op.detail;
  unsigned bits = op.bytes * 8u;
  forLanes(lanes, [&](unsigned i) {
    uint64_t value = 0;
    for (unsigned p = 0; p < op.count; ++p)
      value |= uint64_t(warp.row<uint32_t>(parts[p])[i]) << (bits * p);
    if (op.mode)
      warp.row<uint64_t>(op.d)[i] = value;
    else
      warp.row<uint32_t>(op.d)[i] = uint32_t(value);
  });
}

void unpack(Warp &warp, const Op &op, Lanes lanes) {
  const Row *parts = warp.machine->program.rows.data() + op.detail;
  unsigned bits = op.bytes * 8u;
  uint64_t mask = (uint64_t(1) << bits) - 1;
  forLanes(lanes, [&](unsigned i) {
    uint64_t value =
        op.mode ? warp.row<uint64_t>(op.a)[i] : warp.row<uint32_t>(op.a)[i];
    for (unsigned p = 0; p < op.count; ++p)
      warp.row<uint32_t>(parts[p])[i] = uint32_t(value >> (bits * p) & mask);
  });
}

bool isClock(std::string_view name) {
  return name == "%clock" || name == "%clock64" || name == "%clock_hi" ||
         name == "%globaltimer" || name == "%globaltimer_lo" ||
         name == "%globaltimer_hi";
}

/// An element of a vector that is read. Special registers have 32 bits, of
/// which `least` must be taken.
Row takeElement(Builder &b, const Operand &element, Type type, unsigned least,
                Half half = Half::Both) {
  unsigned bits = bitWidth(type);
  if (element.kind == Operand::Kind::Special &&
      (bits < least || bits > 32 || isClock(element.name)))
    b.refuse("'" + std::string(element.name) + "' as an element of " +
             std::to_string(bits) + " bits is not covered");
  return b.partSource(element, type, half);
}

/// mov.v2 and mov.v4: `op.count` rows that are written, then those read.
template <class T>
void moveVector(Warp &warp, const Op &op, Lanes lanes) {
  const Row *rows = warp.machine->program.rows.data() + op.detail;
  forLanes(lanes, [&](unsigned i) {
    T values[4];
    for (unsigned e = 0; e < op.count; ++e)
      values[e] = T(warp.row<Word<T>>(rows[op.count + e])[i]);
    for (unsigned e = 0; e < op.count; ++e)
      warp.row<Word<T>>(rows[e])[i] = values[e];
  });
}

void buildWholeVectorMove(Builder &b, Type type) {
  unsigned count = b.in.mnemonic->vectorWidth, bits = bitWidth(type);
  b.take("v" + std::to_string(count));
  if (!isWord(type) || bits < 16 || count * bits > 128)
    b.refuse("expected elements of 16 to 64 bits, at most 128 in all");
  b.requireOperands(2, 2);
  std::vector<Row> rows;
  for (size_t index : {0, 1}) {
    const Operand &vector = b.operand(index);
    if (vector.kind != Operand::Kind::Vector || vector.elements.size() != count)
      b.refuse("expected a vector of " + std::to_string(count) +
               " elements as operand " + std::to_string(index + 1));
    for (const Operand &element : vector.elements)
      rows.push_back(index == 0 ? b.destination(element, type)
                                : takeElement(b, element, type, 16));
  }
  b.op.detail = b.addRows(rows);
  b.op.count = uint8_t(count);
  b.op.run = bits == 64   ? moveVector<uint64_t>
             : bits == 16 ? moveVector<uint16_t>
                          : moveVector<uint32_t>;
}

void buildVectorMove(Builder &b, Type type) {
  bool packs = b.isKind(1, Operand::Kind::Vector);
  if (type != Type::B16 && type != Type::B32 && type != Type::B64)
    b.refuse("expected type '.b16', '.b32' or '.b64' of a vector");
  const Operand &vector = b.operand(packs ? 1 : 0);
  unsigned total = bitWidth(type);
  size_t count = vector.elements.size();
  if ((count != 2 && count != 4) || total / count < 8 || total > 64)
    b.refuse("expected a vector of 2 or 4 elements that fill the type");
  unsigned bits = total / unsigned(count);
  Type element = bits == 8 ? Type::B8 : bits == 16 ? Type::B16 : Type::B32;
  std::vector<Row> rows;
  auto halfOf = [&](size_t part) {
    return part < count / 2 ? Half::Low : Half::High;
  };
  if (packs) {
    for (size_t p = 0; p < count; ++p)
      rows.push_back(
          takeElement(b, vector.elements[p], element, 32, halfOf(p)));
    b.op.d = b.destination(0, type);
  } else {
    b.op.a = b.source(1, type);
    for (size_t p = 0; p < count; ++p)
      rows.push_back(b.partDestination(vector.elements[p], element, halfOf(p)));
  }
  b.op.byHalves = true;
  b.op.detail = b.addRows(rows);
  b.op.count = uint8_t(count);
  b.op.bytes = uint8_t(bits / 8);
  b.op.mode = total == 64;
  b.op.run = packs ? pack : unpack;
}

/// mov.b128: the halves of `op.detail`, two written, then two read.
void moveHalves(Warp &warp, const Op &op, Lanes lanes) {
  const Row *rows = warp.machine->program.rows.data() + op.detail;
  for (unsigned half = 0; half < 2; ++half) {
    auto *to = warp.row<uint64_t>(rows[half]);
    const auto *from = warp.row<uint64_t>(rows[half + 2]);
    forLanes(lanes, [&](unsigned i) { to[i] = from[i]; });
  }
}

void buildHalvesMove(Builder &b) {
  auto halves = [&](size_t index, bool isResult) -> std::vector<Row> {
    const Operand &operand = b.operand(index);
    if (operand.kind != Operand::Kind::Vector) {
      Row row = isResult ? b.destination(operand, Type::B128)
                         : b.source(operand, Type::B128);
      return {row, row + upperHalf};
    }
    if (operand.elements.size() != 2)
      b.refuse("expected a vector of 2 elements that fill the type");
    std::vector<Row> rows;
    for (const Operand &part : operand.elements)
      rows.push_back(isResult ? b.destination(part, Type::B64)
                              : b.source(part, Type::B64));
    return rows;
  };
  std::vector<Row> rows = halves(0, true), sources = halves(1, false);
  rows.insert(rows.end(), sources.begin(), sources.end());
  b.op.detail = b.addRows(rows);
  b.op.run = moveHalves;
}

void buildMov(Builder &b) {
  Type type = b.takeType();
  if (b.in.mnemonic->vectorWidth > 1)
    return buildWholeVectorMove(b, type);
  b.requireOperands(2, 2);
  if (type == Type::Pred) {
    b.op.a = b.predicateSource(b.operand(1));
    b.op.mode = b.operand(1).negated;
    b.op.d = b.predicateDestination(b.operand(0));
    b.op.run = copyPredicate;
    return;
  }
  unsigned bits = bitWidth(type);
  if (type == Type::B128)
    return buildHalvesMove(b);
  if (!isWord(type) || bits < 16 || bits > 64)
    b.refuse("type '." + std::string(spelling(type)) + "' is not covered");
  if (b.isKind(0, Operand::Kind::Vector) || b.isKind(1, Operand::Kind::Vector))
    return buildVectorMove(b, type);
  b.op.d = b.destination(0, type);
  if (b.isKind(1, Operand::Kind::Special) && isClock(b.operand(1).name)) {
    b.op.mode = b.operand(1).name.ends_with("_hi");
    b.op.bytes = uint8_t(bits / 8);
    b.op.run = readClock;
    return;
  }
  b.op.a = b.source(1, type);
  b.op.byHalves = true;
  // A special register has 32 bits, of which `.u16` takes the lower.
  b.op.run = bits == 64   ? copy<uint64_t>
             : bits == 16 ? copy<uint16_t>
                          : copy<uint32_t>;
}

//===----------------------------------------------------------------------===//
// cvta, isspacep
//===----------------------------------------------------------------------===//

/// Shared and parameter addresses are offsets in their own space and windowed
/// when generic, and so are local ones from 32-bit registers; the other spaces
/// use the generic address everywhere.
void sharedToGeneric(Warp &warp, const Op &op, Lanes lanes) {
  unary<[](uint64_t x) { return sharedWindow | (x & 0xFFFFFFFF); }, uint64_t,
        uint64_t>(warp, op, lanes);
}
void genericToShared(Warp &warp, const Op &op, Lanes lanes) {
  unary<[](uint64_t x) { return x & 0xFFFFFFFF; }, uint64_t, uint64_t>(warp, op,
                                                                       lanes);
}

template <uint64_t Window>
void offsetToGeneric(Warp &warp, const Op &op, Lanes lanes) {
  unary<[](uint64_t x) { return x & windowMask ? x : x | Window; }, uint64_t,
        uint64_t>(warp, op, lanes);
}

void buildCvta(Builder &b) {
  bool to = b.take("to");
  if (b.in.has("param::func"))
    b.refuse("parameters of functions have no generic address");
  Space space = b.takeSpace();
  if (space == Space::Generic)
    b.refuse("expected a state space");
  Type type = b.takeType();
  if (type != Type::U64)
    b.refuse("expected type '.u64'");
  b.requireOperands(2, 2);
  b.op.a = b.source(1, Type::U64);
  b.op.d = b.destination(0, Type::U64);
  if (space == Space::Shared)
    b.op.run = to ? genericToShared : sharedToGeneric;
  else if (space == Space::Param && !to)
    b.op.run = offsetToGeneric<paramWindow>;
  else if (space == Space::Local && !to)
    b.op.run = offsetToGeneric<localWindow>;
  else
    b.op.run = copy<uint64_t>;
}

enum WindowMode : uint8_t {
  InGlobal,
  InShared,
  InSharedBlock,
  InLocal,
  InParam,
  InConst
};

void isspacep(Warp &warp, const Op &op, Lanes lanes) {
  const auto *a = warp.row<uint64_t>(op.a);
  Lanes result = 0;
  forLanes(lanes, [&](unsigned i) {
    uint64_t window = a[i] & windowMask;
    bool shared = window == sharedWindow;
    uint32_t rank = uint32_t(a[i]) >> sharedRankShift;
    bool own = rank == 0 || rank == warp.block->rank + 1;
    // Constant variables have read-only memory of their own.
    const Memory *memory = warp.machine->globalAt(a[i]);
    bool constant = memory && memory->readOnly && a[i] >= variableWindow;
    bool elsewhere =
        shared || constant || window == localWindow || window == paramWindow;
    bool results[] = {!elsewhere,
                      shared,
                      shared && own,
                      window == localWindow,
                      window == paramWindow,
                      constant};
    result |= Lanes(results[op.mode]) << i;
  });
  Lanes &d = warp.predicate(op.d);
  d = (d & ~lanes) | result;
}

void buildIsspacep(Builder &b) {
  int mode = b.takeOneOf({"global", "shared::cluster", "shared::cta", "local",
                          "param", "const", "param::entry"});
  if (b.take("shared"))
    mode = InSharedBlock;
  if (mode < 0)
    b.refuse("expected a state space that is covered");
  b.op.mode = uint8_t(mode == 6 ? InParam : mode);
  b.requireOperands(2, 2);
  b.op.a = b.source(1, Type::B64);
  b.op.d = b.predicateDestination(b.operand(0));
  b.op.run = isspacep;
}

//===----------------------------------------------------------------------===//
// mapa, getctarank
//===----------------------------------------------------------------------===//

/// `op.mode`: the address is generic. The rank comes from row `b`.
template <class W>
void mapa(Warp &warp, const Op &op, Lanes lanes) {
  W *d = warp.row<W>(op.d);
  const W *a = warp.row<W>(op.a);
  const auto *rank = warp.row<uint32_t>(op.b);
  forLanes(lanes, [&](unsigned i) {
    uint32_t offset = uint32_t(a[i]) & sharedOffsetMask;
    uint32_t address = offset | (rank[i] + 1) << sharedRankShift;
    d[i] = W(op.mode ? sharedWindow | address : address);
  });
}

template <class W>
void getctarank(Warp &warp, const Op &op, Lanes lanes) {
  auto *d = warp.row<uint32_t>(op.d);
  const W *a = warp.row<W>(op.a);
  forLanes(lanes, [&](unsigned i) {
    uint32_t rank = uint32_t(a[i]) >> sharedRankShift;
    d[i] = rank == 0 ? warp.block->rank : rank - 1;
  });
}

void buildClusterAddress(Builder &b) {
  bool shared = b.take("shared::cluster");
  Type type = b.takeType();
  if (type != Type::U32 && type != Type::U64)
    b.refuse("expected type '.u32' or '.u64'");
  bool wide = type == Type::U64;
  if (!shared && !wide)
    b.refuse("expected type '.u64' of a generic address");
  b.op.mode = !shared;
  b.op.a = b.source(1, type);
  if (b.in.opcode() == Opcode::Mapa) {
    b.requireOperands(3, 3);
    b.op.b = b.source(2, Type::U32, true);
    b.op.d = b.destination(0, type);
    b.op.run = wide ? mapa<uint64_t> : mapa<uint32_t>;
    return;
  }
  b.requireOperands(2, 2);
  b.op.d = b.destination(0, Type::U32);
  b.op.run = wide ? getctarank<uint64_t> : getctarank<uint32_t>;
}

} // namespace

void buildMove(Builder &b) {
  switch (b.in.opcode()) {
  case Opcode::Cvta:
    return buildCvta(b);
  case Opcode::Isspacep:
    return buildIsspacep(b);
  case Opcode::Mov:
    return buildMov(b);
  default:
    return buildClusterAddress(b);
  }
}

} // namespace heddle::ptx
