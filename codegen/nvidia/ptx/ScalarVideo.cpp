// ScalarVideo.cpp - vadd, vsub, vabsdiff, vmin, vmax, vshl, vshr, vset, vmad
// (PTX ISA, scalar video instructions).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Video.h"

namespace heddle::ptx {

namespace {

/// Where a byte, a halfword or the word lies: `.b0` to `.b3`, `.h0`, `.h1`.
struct Part {
  uint8_t bits = 32, shift = 0;
};

/// What an op has beyond its rows, packed into `Op::immediate`.
struct ScalarVideo {
  Part a, b, d;
  uint8_t second = 0; ///< SecondaryOperation
  uint8_t detail = 0; ///< ShiftMode of vshl and vshr, shift of vmad
};
static_assert(sizeof(ScalarVideo) == 8);

enum SecondaryOperation : uint8_t { None, AddC, MinC, MaxC };
enum ShiftMode : uint8_t { Clamp, Wrap };
constexpr uint8_t plusOne = 0x80; ///< `.po`, beside the shift of vmad

/// Shifts to the left need up to 65 bits.
__int128 combine(Opcode opcode, uint8_t mode, int64_t a, int64_t b) {
  switch (opcode) {
  case Opcode::Vadd:
    return a + b;
  case Opcode::Vsub:
    return a - b;
  case Opcode::Vabsdiff:
    return a < b ? b - a : a - b;
  case Opcode::Vmin:
    return std::min(a, b);
  case Opcode::Vmax:
    return std::max(a, b);
  case Opcode::Vset:
    return compareBy(mode, a, b);
  default: { // vshl, vshr
    int64_t by = mode == Wrap ? b & 31 : std::min<int64_t>(b, 32);
    return opcode == Opcode::Vshl ? __int128(a) << by : a >> by;
  }
  }
}

/// The second operation on two words of the result's type.
uint32_t combineSecond(uint8_t second, uint32_t value, uint32_t c,
                       bool isSigned) {
  bool isLess = isSigned ? int32_t(value) < int32_t(c) : value < c;
  switch (second) {
  case AddC:
    return value + c;
  case MinC:
    return isLess ? value : c;
  case MaxC:
    return isLess ? c : value;
  default:
    return value;
  }
}

/// `op.mode` VideoFlag, `op.mode2` the comparison or ShiftMode, `op.count` the
/// opcode.
void scalarVideo(Warp &warp, const Op &op, Lanes lanes) {
  auto *d = warp.row<uint32_t>(op.d), *a = warp.row<uint32_t>(op.a),
       *b = warp.row<uint32_t>(op.b), *c = warp.row<uint32_t>(op.c);
  auto video = std::bit_cast<ScalarVideo>(op.immediate);
  bool isSigned = op.mode & SignedD;
  uint32_t mask = uint32_t((uint64_t(1) << video.d.bits) - 1) << video.d.shift;
  forLanes(lanes, [&](unsigned i) {
    __int128 value =
        combine(Opcode(op.count), op.mode2,
                partOf(a[i], video.a.bits, video.a.shift, op.mode & SignedA),
                partOf(b[i], video.b.bits, video.b.shift, op.mode & SignedB));
    if (op.mode & Saturates)
      value = clampTo(value, video.d.bits, isSigned);
    uint32_t result =
        combineSecond(video.second, uint32_t(value), c[i], isSigned);
    // A part of the result lies in c.
    d[i] = video.d.bits == 32
               ? result
               : (c[i] & ~mask) | (result << video.d.shift & mask);
  });
}

/// vmad: a * b + c in more bits than they can fill, then shifted.
void scalarMad(Warp &warp, const Op &op, Lanes lanes) {
  auto *d = warp.row<uint32_t>(op.d), *a = warp.row<uint32_t>(op.a),
       *b = warp.row<uint32_t>(op.b), *c = warp.row<uint32_t>(op.c);
  auto video = std::bit_cast<ScalarVideo>(op.immediate);
  // The sum, and c in it, is signed if a factor is.
  bool isSigned = op.mode & (SignedA | SignedB);
  forLanes(lanes, [&](unsigned i) {
    __int128 product =
        partOf(a[i], video.a.bits, video.a.shift, op.mode & SignedA);
    product *= partOf(b[i], video.b.bits, video.b.shift, op.mode & SignedB);
    product += isSigned ? int64_t(int32_t(c[i])) : int64_t(c[i]);
    product += (video.detail & plusOne) != 0;
    product >>= video.detail & ~plusOne;
    if (op.mode & Saturates)
      product = clampTo(product, 32, isSigned);
    d[i] = uint32_t(product);
  });
}

Part partFor(Builder &b, std::string_view selector) {
  static constexpr std::pair<std::string_view, Part> parts[] = {
      {"", {32, 0}},   {"b0", {8, 0}},  {"b1", {8, 8}},  {"b2", {8, 16}},
      {"b3", {8, 24}}, {"h0", {16, 0}}, {"h1", {16, 16}}};
  for (auto [name, part] : parts)
    if (name == selector)
      return part;
  b.refuse("expected selector '.b0' to '.b3', '.h0' or '.h1', got '." +
           std::string(selector) + "'");
}

Row takeSource(Builder &b, size_t index, Part &part) {
  std::string_view selector;
  Row row = b.source(takeSelector(b.operand(index), selector), Type::B32);
  part = partFor(b, selector);
  return row;
}

void takeSources(Builder &b, ScalarVideo &video) {
  b.op.a = takeSource(b, 1, video.a);
  b.op.b = takeSource(b, 2, video.b);
}

void takeTypes(Builder &b, bool hasResult) {
  if (hasResult)
    b.op.mode |= takeSignedType(b) ? SignedD : 0;
  b.op.mode |= takeSignedType(b) ? SignedA : 0;
  b.op.mode |= takeSignedType(b) ? SignedB : 0;
}

void buildMad(Builder &b) {
  ScalarVideo video;
  takeTypes(b, true);
  int scale = b.takeOneOf({"shr7", "shr15"});
  video.detail = uint8_t((b.take("po") ? plusOne : 0) | (scale == 0   ? 7
                                                         : scale == 1 ? 15
                                                                      : 0));
  b.op.mode |= b.take("sat") ? Saturates : 0;
  b.requireOperands(4, 4);
  takeSources(b, video);
  b.op.c = b.source(3, Type::B32);
  b.op.d = b.destination(0, Type::B32);
  b.op.immediate = std::bit_cast<uint64_t>(video);
  b.op.run = scalarMad;
}

uint8_t takeShiftMode(Builder &b) {
  int mode = b.takeOneOf({"clamp", "wrap"});
  if (mode < 0)
    b.refuse("expected '.clamp' or '.wrap'");
  if (b.op.mode & SignedB)
    b.refuse("expected type '.u32' of the distance");
  return uint8_t(mode);
}

} // namespace

void buildScalarVideo(Builder &b) {
  Opcode opcode = b.in.opcode();
  if (opcode == Opcode::Vmad)
    return buildMad(b);
  bool isSet = opcode == Opcode::Vset;
  ScalarVideo video;
  takeTypes(b, !isSet);
  if (isSet)
    b.op.mode2 = takeComparison(b);
  else if (opcode == Opcode::Vshl || opcode == Opcode::Vshr)
    b.op.mode2 = takeShiftMode(b);
  if (!isSet)
    b.op.mode |= b.take("sat") ? Saturates : 0;
  video.second = uint8_t(b.takeOneOf({"add", "min", "max"}) + 1);
  std::string_view selector;
  b.requireOperands(3, 4);
  Operand result = takeSelector(b.operand(0), selector);
  video.d = partFor(b, selector);
  bool merges = !selector.empty();
  if (merges && video.second != None)
    b.refuse("a part of the result does not go with a second operation");
  size_t operands = merges || video.second != None ? 4 : 3;
  b.requireOperands(operands, operands);
  takeSources(b, video);
  b.op.c = operands == 4 ? b.source(3, Type::B32) : b.writer.constant(0, 32);
  b.op.d = b.destination(result, Type::B32);
  b.op.count = uint8_t(opcode);
  b.op.immediate = std::bit_cast<uint64_t>(video);
  b.op.run = scalarVideo;
}

} // namespace heddle::ptx
