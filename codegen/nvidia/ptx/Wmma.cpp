// Wmma.cpp - wmma.load, wmma.mma, wmma.store (PTX ISA 9.7.14.4).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PTX leaves open which lane holds which element of a fragment. Here element s
// of the matrix, counted in rows of A and C and in columns of B, is slot s of
// the warp: lane by lane, register by register. Fragments with more slots than
// elements repeat the matrix. With elements of four bits and of one this is the
// layout of mma.sync, which has the same shapes.

#include "codegen/nvidia/ptx/Access.h"
#include "codegen/nvidia/ptx/FloatRounding.h"
#include "codegen/nvidia/ptx/Formats.h"
#include "codegen/nvidia/ptx/Fragment.h"

#include <algorithm>
#include <cstring>

namespace heddle::ptx {

namespace {

struct Shape {
  unsigned m, n, k;
};

/// Which matrix of the product a fragment holds.
enum class Part : uint8_t { A, B, C };

unsigned rowsOf(Part part, const Shape &s) {
  return part == Part::B ? s.k : s.m;
}
unsigned columnsOf(Part part, const Shape &s) {
  return part == Part::A ? s.k : s.n;
}

/// The element in slot `slot`.
Place placeOf(Part part, const Shape &shape, unsigned slot) {
  if (part == Part::B)
    return {slot % shape.k, slot / shape.k};
  unsigned columns = columnsOf(part, shape);
  return {slot / columns, slot % columns};
}

unsigned bitsOf(Type type) { return type == Type::TF32 ? 32 : bitWidth(type); }

/// Elements of less than a byte move as words of neighbours along k.
bool isSubByte(Type type) {
  return type == Type::S4 || type == Type::U4 || type == Type::B1;
}

/// Registers of a fragment; f16 multiplicands always take eight.
unsigned registersOf(Part part, const Shape &s, Type type) {
  if (type == Type::F16 && part != Part::C)
    return 8;
  unsigned bits = rowsOf(part, s) * columnsOf(part, s) * bitsOf(type);
  return bits / 32 / (type == Type::F64 ? 64 : 32);
}

unsigned perRegister(Type type) {
  return type == Type::F64 ? 1 : 32 / bitsOf(type);
}

uint64_t readSlot(Warp &warp, const std::vector<Row> &rows, Type type,
                  unsigned slot) {
  unsigned per = perRegister(type), bits = bitsOf(type);
  unsigned e = slot % per, r = slot / per % unsigned(rows.size());
  unsigned lane = slot / per / unsigned(rows.size());
  if (type == Type::F64)
    return warp.row<uint64_t>(rows[r])[lane];
  uint32_t word = warp.row<uint32_t>(rows[r])[lane];
  return bits == 32 ? word : word >> (bits * e) & ((1u << bits) - 1);
}

void writeSlot(Warp &warp, const std::vector<Row> &rows, Type type,
               unsigned slot, uint64_t value) {
  unsigned per = perRegister(type), bits = bitsOf(type);
  unsigned e = slot % per, r = slot / per % unsigned(rows.size());
  unsigned lane = slot / per / unsigned(rows.size());
  if (type == Type::F64) {
    warp.row<uint64_t>(rows[r])[lane] = value;
    return;
  }
  uint32_t &word = warp.row<uint32_t>(rows[r])[lane];
  uint32_t mask = bits == 32 ? ~0u : ((1u << bits) - 1) << (bits * e);
  word = (word & ~mask) | (uint32_t(value) << (bits * e) & mask);
}

unsigned slotsOf(const std::vector<Row> &rows, Type type) {
  return warpSize * unsigned(rows.size()) * perRegister(type);
}

enum MemoryMode : uint8_t { WideAddress = 1, ColumnMajor = 2, Stores = 4 };

/// Whether the lines of a matrix of elements of less than a byte begin at whole
/// words.
bool hasWholeLines(Warp &warp, const Op &op, unsigned perWord,
                   uint64_t stride) {
  if (stride % perWord == 0)
    return true;
  warp.machine->find(FindingKind::Misaligned, warp, op, 0, 0,
                     "has a stride of " + std::to_string(stride) +
                         " elements, which is not a multiple of " +
                         std::to_string(perWord));
  return false;
}

/// `op.mode2` the part; row `b` the stride in elements.
void moveFragment(Warp &warp, const Op &op, Lanes) {
  Machine &machine = *warp.machine;
  const OpDetail &detail = machine.program.details[op.detail];
  Shape shape{detail.m, detail.n, detail.k};
  Part part = Part(op.mode2);
  Type type = isSubByte(detail.typeA) ? Type::B32 : detail.typeA;
  unsigned bytes = bitsOf(type) / 8;
  unsigned elements = bitsOf(type) / bitsOf(detail.typeA); ///< of a slot
  unsigned count = rowsOf(part, shape) * columnsOf(part, shape) / elements;
  bool stores = op.mode & Stores;
  uint64_t base = op.mode & WideAddress ? warp.row<uint64_t>(op.a)[0]
                                        : warp.row<uint32_t>(op.a)[0];
  base += op.immediate;
  uint64_t stride = warp.row<uint32_t>(op.b)[0];
  if (!hasWholeLines(warp, op, elements, stride))
    return;
  AccessRequest request{Space(op.target), bytes, bytes, stores};
  uint32_t access = 0;
  if (machine.checks)
    access =
        machine.accessOf(warp, op, warp.agent, warp.clock.of(warp.agent), 0);
  for (unsigned slot = 0; slot < slotsOf(detail.d, type); ++slot) {
    if (stores && slot >= count)
      break;
    Place at = placeOf(part, shape, slot % count * elements);
    uint64_t index = op.mode & ColumnMajor ? at.column * stride + at.row
                                           : at.row * stride + at.column;
    uint64_t address = base + index / elements * bytes;
    Target target;
    unsigned lane = slot / perRegister(type) / unsigned(detail.d.size());
    if (!machine.resolve(warp, op, lane, address, request, target))
      return;
    if (machine.checks && stores) {
      machine.noteWrite(warp, op, lane, target, bytes);
      machine.raceWrite(warp, op, lane, target, bytes, access);
    } else if (machine.checks) {
      machine.noteRead(warp, op, lane, target, bytes);
      machine.raceRead(warp, op, lane, target, bytes, access);
    }
    uint64_t value = stores ? readSlot(warp, detail.d, type, slot) : 0;
    if (stores) {
      std::memcpy(target.data(), &value, bytes);
    } else {
      std::memcpy(&value, target.data(), bytes);
      writeSlot(warp, detail.d, type, slot, value);
    }
  }
  machine.epoch += stores;
}

/// Reads a matrix into dense rows of T.
template <class T, class Convert>
void gather(Warp &warp, const std::vector<Row> &rows, Type type, Part part,
            const Shape &shape, T *into, Convert convert) {
  unsigned columns = columnsOf(part, shape);
  for (unsigned slot = 0; slot < rowsOf(part, shape) * columns; ++slot) {
    Place at = placeOf(part, shape, slot);
    into[at.row * columns + at.column] =
        convert(readSlot(warp, rows, type, slot));
  }
}

/// Writes `convert(i)` of each element of the result.
template <class Convert>
void scatter(Warp &warp, const OpDetail &detail, Convert convert) {
  for (unsigned slot = 0; slot < detail.m * detail.n; ++slot)
    writeSlot(warp, detail.d, detail.typeD, slot, convert(slot));
}

/// Every product and sum is rounded as `rounding` says.
void productOfDoubles(Warp &warp, const OpDetail &detail, uint8_t rounding) {
  Shape shape{detail.m, detail.n, detail.k};
  double a[32], b[32], c[64];
  auto real = [](uint64_t bits) { return std::bit_cast<double>(bits); };
  gather(warp, detail.a, Type::F64, Part::A, shape, a, real);
  gather(warp, detail.b, Type::F64, Part::B, shape, b, real);
  gather(warp, detail.c, Type::F64, Part::C, shape, c, real);
  {
    RoundingScope scope(rounding);
    multiplyAdd(c, a, b, shape.m, shape.n, shape.k);
  }
  scatter(warp, detail,
          [&](unsigned i) { return std::bit_cast<uint64_t>(c[i]); });
}

void gatherSums(Warp &warp, const OpDetail &detail, int64_t *into) {
  gather(warp, detail.c, Type::S32, Part::C, {detail.m, detail.n, detail.k},
         into, [](uint64_t bits) { return int64_t(int32_t(bits)); });
}

void scatterSums(Warp &warp, const OpDetail &detail, const int64_t *from) {
  scatter(warp, detail, [&](unsigned i) {
    int64_t value = from[i];
    if (detail.saturate)
      value = std::clamp<int64_t>(value, INT32_MIN, INT32_MAX);
    return uint64_t(uint32_t(value));
  });
}

void productOfIntegers(Warp &warp, const OpDetail &detail) {
  Shape shape{detail.m, detail.n, detail.k};
  int32_t a[512], b[512];
  int64_t c[256];
  auto integer = [&](uint64_t bits) {
    return integerElement(detail.typeA, uint32_t(bits));
  };
  gather(warp, detail.a, detail.typeA, Part::A, shape, a, integer);
  gather(warp, detail.b, detail.typeB, Part::B, shape, b, integer);
  gatherSums(warp, detail, c);
  multiplyAdd(c, a, b, shape.m, shape.n, shape.k);
  scatterSums(warp, detail, c);
}

/// Counts the ones of `a op b`, word by word along k; `ands` chooses the op.
void productOfBits(Warp &warp, const OpDetail &detail, bool ands) {
  const auto *a = warp.row<uint32_t>(detail.a[0]);
  const auto *b = warp.row<uint32_t>(detail.b[0]);
  unsigned words = detail.k / 32;
  int64_t c[64];
  gatherSums(warp, detail, c);
  for (unsigned row = 0; row < detail.m; ++row)
    for (unsigned column = 0; column < detail.n; ++column)
      for (unsigned k = 0; k < words; ++k) {
        uint32_t x = a[row * words + k], y = b[column * words + k];
        c[row * detail.n + column] += std::popcount(ands ? x & y : x ^ y);
      }
  scatterSums(warp, detail, c);
}

void productOfFloats(Warp &warp, const OpDetail &detail) {
  Shape shape{detail.m, detail.n, detail.k};
  float a[512], b[512], c[256];
  auto real = [&](uint64_t bits) {
    return floatElement(detail.typeA, uint32_t(bits));
  };
  gather(warp, detail.a, detail.typeA, Part::A, shape, a, real);
  gather(warp, detail.b, detail.typeB, Part::B, shape, b, real);
  gather(warp, detail.c, detail.typeC, Part::C, shape, c, [&](uint64_t bits) {
    return detail.typeC == Type::F16 ? fromF16(uint16_t(bits))
                                     : std::bit_cast<float>(uint32_t(bits));
  });
  multiplyAdd(c, a, b, shape.m, shape.n, shape.k);
  scatter(warp, detail, [&](unsigned i) -> uint64_t {
    if (detail.typeD == Type::F16)
      return toF16(c[i]);
    return c[i] != c[i] ? 0x7FFFFFFF : std::bit_cast<uint32_t>(c[i]);
  });
}

/// `op.mode` is the rounding of f64; 1 is `.and` with elements of one bit.
void product(Warp &warp, const Op &op, Lanes) {
  const OpDetail &detail = warp.machine->program.details[op.detail];
  ++warp.machine->statistics.tensorCore;
  if (detail.typeA == Type::F64)
    productOfDoubles(warp, detail, op.mode);
  else if (detail.typeA == Type::B1)
    productOfBits(warp, detail, op.mode);
  else if (isIntegerElement(detail.typeA))
    productOfIntegers(warp, detail);
  else
    productOfFloats(warp, detail);
}

Shape takeShape(Builder &b) {
  constexpr std::pair<std::string_view, Shape> shapes[] = {
      {"m16n16k16", {16, 16, 16}}, {"m8n32k16", {8, 32, 16}},
      {"m32n8k16", {32, 8, 16}},   {"m16n16k8", {16, 16, 8}},
      {"m8n8k4", {8, 8, 4}},       {"m8n8k32", {8, 8, 32}},
      {"m8n8k128", {8, 8, 128}}};
  for (auto &[word, shape] : shapes)
    if (b.take(word))
      return shape;
  b.refuse("this shape is not covered");
}

bool isMultiplicand(Type type, const Shape &shape) {
  switch (shape.k) {
  case 16:
    return type == Type::F16 || type == Type::BF16 || type == Type::S8 ||
           type == Type::U8;
  case 8:
    return type == Type::TF32;
  case 4:
    return type == Type::F64;
  case 32:
    return type == Type::S4 || type == Type::U4;
  default:
    return type == Type::B1;
  }
}

bool isSum(Type type, const Shape &shape) {
  switch (shape.k) {
  case 16:
    return type == Type::F16 || type == Type::F32 || type == Type::S32;
  case 8:
    return type == Type::F32;
  case 4:
    return type == Type::F64;
  default:
    return type == Type::S32;
  }
}

void checkType(Builder &b, const Shape &shape, Part part, Type type) {
  bool fits =
      part == Part::C ? isSum(type, shape) : isMultiplicand(type, shape);
  if (!fits)
    b.refuse("type '." + std::string(spelling(type)) +
             "' does not go with this shape");
}

std::vector<Row> takeFragment(Builder &b, size_t index, Part part,
                              const Shape &shape, Type type, bool isResult) {
  const Operand &operand = b.operand(index);
  unsigned count = registersOf(part, shape, type);
  bool isVector = operand.kind == Operand::Kind::Vector;
  if ((isVector ? operand.elements.size() : 1) != count)
    b.refuse("expected " + std::to_string(count) + " registers in operand " +
             std::to_string(index + 1));
  bool whole = type == Type::F64 || type == Type::F32 || type == Type::S32;
  std::vector<Row> rows;
  for (unsigned i = 0; i < count; ++i) {
    const Operand &element = isVector ? operand.elements[i] : operand;
    Type word = whole ? type : Type::B32;
    rows.push_back(isResult ? b.destination(element, word)
                            : b.source(element, word));
  }
  return rows;
}

void buildMemoryForm(Builder &b, bool stores) {
  int part = b.takeOneOf({"a", "b", "c", "d"});
  b.require("sync");
  b.require("aligned");
  int layout = b.takeOneOf({"row", "col"});
  Shape shape = takeShape(b);
  bool isFar = b.in.has("shared::cluster");
  Space space = b.takeSpace();
  if (isFar || (space != Space::Global && space != Space::Shared &&
                space != Space::Generic))
    b.refuse("expected global, shared or generic addresses");
  b.op.target = uint32_t(space);
  Type type = b.takeType();
  if (part < 0 || layout < 0 || (part == 3) != stores)
    b.refuse("expected a matrix and a layout");
  Part which = part == 0 ? Part::A : part == 1 ? Part::B : Part::C;
  checkType(b, shape, which, type);
  if (isSubByte(type) && (layout == 1) != (which == Part::B))
    b.refuse("expected '.row' of A and '.col' of B with type '." +
             std::string(spelling(type)) + "'");
  b.requireOperands(2, 3);
  bool wide = false;
  b.op.a = b.address(b.operand(stores ? 0 : 1), b.op.immediate, wide);
  b.op.mode = uint8_t((wide ? WideAddress : 0) |
                      (layout == 1 ? ColumnMajor : 0) | (stores ? Stores : 0));
  unsigned along = layout == 1 ? rowsOf(which, shape) : columnsOf(which, shape);
  b.op.b = b.operandCount() == 3 ? b.source(2, Type::B32, true)
                                 : b.writer.constant(along, 32);
  OpDetail detail;
  detail.m = shape.m;
  detail.n = shape.n;
  detail.k = shape.k;
  detail.typeA = type;
  detail.d = takeFragment(b, stores ? 1 : 0, which, shape, type, !stores);
  b.addDetail();
  b.detail() = std::move(detail);
  b.op.mode2 = uint8_t(which);
  b.op.run = moveFragment;
}

void buildProduct(Builder &b) {
  b.require("sync");
  b.require("aligned");
  // The layouts matter to the loads alone: fragments have one order here.
  bool columnsA = takeColumnMajor(b), columnsB = takeColumnMajor(b);
  Shape shape = takeShape(b);
  OpDetail detail;
  detail.m = shape.m;
  detail.n = shape.n;
  detail.k = shape.k;
  int rounding = b.takeOneOf({"rn", "rz", "rm", "rp"});
  detail.saturate = b.take("satfinite");
  detail.typeD = b.takeType();
  Type second = b.takeType();
  // f16 multiplicands are not named: `.dtype.ctype`; the others are all named.
  std::optional<Type> third = b.takeTypeIfAny();
  if (third) {
    detail.typeA = second;
    detail.typeB = *third;
    detail.typeC = b.takeType();
  } else {
    detail.typeA = detail.typeB = Type::F16;
    detail.typeC = second;
  }
  checkType(b, shape, Part::A, detail.typeA);
  if (isSubByte(detail.typeA) && (columnsA || !columnsB))
    b.refuse("expected '.row.col'");
  bool isDouble = detail.typeA == Type::F64;
  if ((rounding >= 0 && !isDouble) || (third && detail.typeA == Type::F16))
    b.refuse("this combination of types is not covered");
  if (isDouble)
    b.op.mode = uint8_t(std::max(rounding, 0));
  if (detail.typeA == Type::B1)
    b.op.mode = takeBitOperation(b);
  bool saturates = isIntegerElement(detail.typeA);
  bool integer = saturates || detail.typeA == Type::B1;
  auto isAccumulator = [&](Type type) {
    if (integer)
      return type == Type::S32;
    if (isDouble)
      return type == Type::F64;
    return type == Type::F32 ||
           (detail.typeA == Type::F16 && type == Type::F16);
  };
  if (detail.typeA != detail.typeB || !isAccumulator(detail.typeC) ||
      !isAccumulator(detail.typeD) || (detail.saturate && !saturates))
    b.refuse("this combination of types is not covered");
  b.requireOperands(4, 4);
  detail.d = takeFragment(b, 0, Part::C, shape, detail.typeD, true);
  detail.a = takeFragment(b, 1, Part::A, shape, detail.typeA, false);
  detail.b = takeFragment(b, 2, Part::B, shape, detail.typeB, false);
  detail.c = takeFragment(b, 3, Part::C, shape, detail.typeC, false);
  b.addDetail();
  b.detail() = std::move(detail);
  b.op.run = product;
}

} // namespace

void buildWmma(Builder &b) {
  int kind = b.takeOneOf({"load", "store", "mma"});
  b.op.convergence = Convergence::AlignedAll;
  switch (kind) {
  case 0:
    return buildMemoryForm(b, false);
  case 1:
    return buildMemoryForm(b, true);
  case 2:
    return buildProduct(b);
  default:
    b.refuse("not covered");
  }
}

} // namespace heddle::ptx
