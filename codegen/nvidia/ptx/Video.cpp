// Video.cpp - SIMD video instructions on two or four lanes of a word
// (PTX ISA 9.7.16).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Video.h"

namespace heddle::ptx {

namespace {

int64_t combine(Opcode opcode, uint8_t comparison, int64_t a, int64_t b) {
  switch (opcode) {
  case Opcode::Vadd2:
  case Opcode::Vadd4:
    return a + b;
  case Opcode::Vsub2:
  case Opcode::Vsub4:
    return a - b;
  case Opcode::Vavrg2:
  case Opcode::Vavrg4:
    return (a + b + (a + b >= 0)) >> 1;
  case Opcode::Vabsdiff2:
  case Opcode::Vabsdiff4:
    return a < b ? b - a : a - b;
  case Opcode::Vmin2:
  case Opcode::Vmin4:
    return std::min(a, b);
  case Opcode::Vmax2:
  case Opcode::Vmax4:
    return std::max(a, b);
  default:
    return compareBy(comparison, a, b);
  }
}

/// Selectors as nibbles, element 0 lowest: elements 0 to n-1 are those of a, n
/// to 2n-1 those of b.
constexpr uint32_t ownElements = 0x3210;

/// `op.count` lanes; `op.mode` VideoFlag, `op.mode2` the comparison of vset,
/// `op.bytes` the lanes of d that are written, the others coming from c;
/// `op.target` the selectors, that of b in the upper half.
void video(Warp &warp, const Op &op, Lanes lanes) {
  auto *d = warp.row<uint32_t>(op.d), *a = warp.row<uint32_t>(op.a),
       *b = warp.row<uint32_t>(op.b), *c = warp.row<uint32_t>(op.c);
  unsigned count = op.count, bits = 32 / count;
  Opcode opcode = Opcode(op.immediate);
  forLanes(lanes, [&](unsigned i) {
    auto selected = [&](unsigned place, bool isSigned) {
      unsigned index = op.target >> (4 * place) & 15;
      return partOf(index < count ? a[i] : b[i], bits, index % count * bits,
                    isSigned);
    };
    uint32_t result = c[i];
    for (unsigned e = 0; e < count; ++e) {
      if (!(op.bytes >> e & 1))
        continue;
      int64_t value = combine(opcode, op.mode2, selected(e, op.mode & SignedA),
                              selected(e + 4, op.mode & SignedB));
      if (op.mode & Saturates)
        value = clampTo(value, bits, op.mode & SignedD);
      if (op.mode & Accumulates) {
        result += uint32_t(value);
        continue;
      }
      uint32_t mask = ((1u << bits) - 1) << (bits * e);
      result = (result & ~mask) | (uint32_t(value) << (bits * e) & mask);
    }
    d[i] = result;
  });
}

/// The digits of a selector such as `.h32` or `.b7654`, highest element first;
/// none where it is malformed.
std::optional<std::vector<unsigned>> digitsOf(std::string_view selector,
                                              unsigned count, unsigned most) {
  std::vector<unsigned> digits;
  if (selector.size() < 2 || selector[0] != (count == 2 ? 'h' : 'b'))
    return std::nullopt;
  for (char c : selector.substr(1)) {
    if (c < '0' || c > char('0' + most))
      return std::nullopt;
    digits.push_back(unsigned(c - '0'));
  }
  return digits;
}

/// A source and the elements of a and b that it stands for.
Row takeSource(Builder &b, size_t index, uint32_t &selection) {
  std::string_view selector;
  Row row = b.source(takeSelector(b.operand(index), selector), Type::B32);
  if (selector.empty())
    return row;
  unsigned count = b.op.count;
  auto digits = digitsOf(selector, count, 2 * count - 1);
  if (!digits || digits->size() != count)
    b.refuse("selector '." + std::string(selector) + "' is not covered");
  selection = 0;
  for (unsigned digit : *digits)
    selection = selection << 4 | digit;
  return row;
}

/// The result and the elements of it that are written.
void takeResult(Builder &b) {
  std::string_view selector;
  Operand plain = takeSelector(b.operand(0), selector);
  b.op.bytes = uint8_t((1u << b.op.count) - 1);
  if (!selector.empty()) {
    auto digits = digitsOf(selector, b.op.count, b.op.count - 1u);
    b.op.bytes = 0;
    if (!digits)
      b.refuse("mask '." + std::string(selector) + "' is not covered");
    for (unsigned digit : *digits)
      b.op.bytes |= uint8_t(1u << digit);
  }
  b.op.d = b.destination(plain, Type::B32);
}

} // namespace

Operand takeSelector(const Operand &operand, std::string_view &selector) {
  Operand plain = operand;
  if (operand.kind == Operand::Kind::Register)
    std::swap(plain.name, selector);
  return plain;
}

bool takeSignedType(Builder &b) {
  Type type = b.takeType();
  if (type != Type::U32 && type != Type::S32)
    b.refuse("expected types '.u32' or '.s32'");
  return type == Type::S32;
}

uint8_t takeComparison(Builder &b) {
  int comparison = b.takeOneOf({"eq", "ne", "lt", "le", "gt", "ge"});
  if (comparison < 0)
    b.refuse("expected a comparison");
  return uint8_t(comparison);
}

void buildVideo(Builder &b) {
  Opcode opcode = b.in.opcode();
  std::string_view name = spelling(opcode);
  if (name.back() != '2' && name.back() != '4')
    return buildScalarVideo(b);
  bool isSet = opcode == Opcode::Vset2 || opcode == Opcode::Vset4;
  if (!isSet)
    b.op.mode |= takeSignedType(b) ? SignedD : 0;
  b.op.mode |= takeSignedType(b) ? SignedA : 0;
  b.op.mode |= takeSignedType(b) ? SignedB : 0;
  if (isSet)
    b.op.mode2 = takeComparison(b);
  b.op.mode |= !isSet && b.take("sat") ? Saturates : 0;
  b.op.mode |= b.take("add") ? Accumulates : 0;
  if ((b.op.mode & Saturates) && (b.op.mode & Accumulates))
    b.refuse("'.sat' does not go with '.add'");
  b.op.count = name.back() == '2' ? 2 : 4;
  b.op.immediate = uint64_t(opcode);
  b.requireOperands(4, 4);
  uint32_t fromA = ownElements, fromB = ownElements + 0x1111 * b.op.count;
  b.op.a = takeSource(b, 1, fromA);
  b.op.b = takeSource(b, 2, fromB);
  b.op.target = (fromA & 0xFFFF) | fromB << 16;
  b.op.c = b.source(3, Type::B32);
  takeResult(b);
  b.op.run = video;
}

} // namespace heddle::ptx
