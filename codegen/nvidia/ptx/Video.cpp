// Video.cpp - SIMD video instructions on two or four lanes of a word
// (PTX ISA 9.7.16). The scalar ones are not covered.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Elementwise.h"

#include <algorithm>

namespace heddle::ptx {

namespace {

enum VideoFlag : uint8_t {
  SignedA = 1,
  SignedB = 2,
  SignedD = 4,
  Saturates = 8,
  Accumulates = 16
};

/// Element `index` of the pair of words a, b, as a selector of the mask names
/// it: elements 0 to n-1 are of the own word.
int64_t element(uint32_t word, unsigned bits, unsigned index, bool isSigned) {
  uint32_t value = word >> (bits * index) & ((1u << bits) - 1);
  return isSigned ? int64_t(int32_t(value << (32 - bits)) >> (32 - bits))
                  : int64_t(value);
}

int64_t clampTo(int64_t value, unsigned bits, bool isSigned) {
  int64_t low = isSigned ? -(int64_t(1) << (bits - 1)) : 0;
  int64_t high =
      isSigned ? (int64_t(1) << (bits - 1)) - 1 : (int64_t(1) << bits) - 1;
  return std::clamp(value, low, high);
}

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
  default: {
    const bool results[] = {a == b, a != b, a<b, a <= b, a> b, a >= b};
    return results[comparison];
  }
  }
}

/// `op.count` lanes; `op.mode` VideoFlag, `op.mode2` the comparison of vset,
/// `op.bytes` the lanes of d that are written, the others coming from c.
void video(Warp &warp, const Op &op, Lanes lanes) {
  auto *d = warp.row<uint32_t>(op.d), *a = warp.row<uint32_t>(op.a),
       *b = warp.row<uint32_t>(op.b), *c = warp.row<uint32_t>(op.c);
  unsigned count = op.count, bits = 32 / count;
  Opcode opcode = Opcode(op.immediate);
  forLanes(lanes, [&](unsigned i) {
    uint32_t result = op.mode & Accumulates ? c[i] : 0;
    for (unsigned e = 0; e < count; ++e) {
      int64_t value =
          combine(opcode, op.mode2, element(a[i], bits, e, op.mode & SignedA),
                  element(b[i], bits, e, op.mode & SignedB));
      if (op.mode & Saturates)
        value = clampTo(value, bits, op.mode & SignedD);
      if (op.mode & Accumulates) {
        result += uint32_t(value);
        continue;
      }
      uint32_t mask = ((1u << bits) - 1) << (bits * e);
      result |= uint32_t(value) << (bits * e) & mask;
    }
    d[i] = result;
  });
}

} // namespace

void buildVideo(Builder &b) {
  Opcode opcode = b.in.opcode();
  std::string_view name = spelling(opcode);
  bool isSet = opcode == Opcode::Vset2 || opcode == Opcode::Vset4;
  auto signedType = [&](Type type) {
    if (type != Type::U32 && type != Type::S32)
      b.refuse("expected types '.u32' or '.s32'");
    return type == Type::S32;
  };
  Type typeD = isSet ? Type::U32 : b.takeType();
  b.op.mode |= signedType(typeD) ? SignedD : 0;
  b.op.mode |= signedType(b.takeType()) ? SignedA : 0;
  b.op.mode |= signedType(b.takeType()) ? SignedB : 0;
  if (isSet) {
    int comparison = b.takeOneOf({"eq", "ne", "lt", "le", "gt", "ge"});
    if (comparison < 0)
      b.refuse("expected a comparison");
    b.op.mode2 = uint8_t(comparison);
  }
  b.op.mode |= b.take("sat") ? Saturates : 0;
  b.op.mode |= b.take("add") ? Accumulates : 0;
  if ((b.op.mode & Saturates) && (b.op.mode & Accumulates))
    b.refuse("'.sat' does not go with '.add'");
  b.op.count = name.back() == '2' ? 2 : 4;
  b.op.immediate = uint64_t(opcode);
  b.requireOperands(4, 4);
  b.op.a = b.source(1, Type::B32);
  b.op.b = b.source(2, Type::B32);
  b.op.c = b.source(3, Type::B32);
  b.op.d = b.destination(0, Type::B32);
  b.op.run = video;
}

} // namespace heddle::ptx
