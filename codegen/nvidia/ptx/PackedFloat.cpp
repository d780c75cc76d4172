// PackedFloat.cpp - pairs of f32, and f32 sums of f16 and bf16 operands (PTX
// ISA 9.7.3 and 9.7.5). SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiled with -frounding-math: the directed roundings set the host's mode.

#include "codegen/nvidia/ptx/Elementwise.h"
#include "codegen/nvidia/ptx/FloatRounding.h"
#include "codegen/nvidia/ptx/Formats.h"

namespace heddle::ptx {

namespace {

float compute(Opcode opcode, float a, float b, float c) {
  switch (opcode) {
  case Opcode::Add:
    return a + b;
  case Opcode::Sub:
    return a - b;
  case Opcode::Mul:
    return a * b;
  default:
    return std::fma(a, b, c);
  }
}

/// Two f32 side by side in 64 bits: `op.mode` FloatFlag, `op.mode2` the
/// rounding, `op.immediate` the opcode.
void pairs(Warp &warp, const Op &op, Lanes lanes) {
  RoundingScope scope(op.mode2);
  auto *d = warp.row<uint64_t>(op.d);
  const auto *a = warp.row<uint64_t>(op.a), *b = warp.row<uint64_t>(op.b),
             *c = warp.row<uint64_t>(op.c);
  auto half = [&](uint64_t word, unsigned shift) {
    return input(std::bit_cast<float>(uint32_t(word >> shift)), op.mode);
  };
  forLanes(lanes, [&](unsigned i) {
    uint64_t result = 0;
    for (unsigned shift : {0u, 32u}) {
      float value = compute(Opcode(op.immediate), half(a[i], shift),
                            half(b[i], shift), half(c[i], shift));
      result |= uint64_t(std::bit_cast<uint32_t>(output(value, op.mode)))
                << shift;
    }
    d[i] = result;
  });
}

/// The narrow operands are exact in f32, so that the result rounds once.
template <bool IsBF16>
void mixed(Warp &warp, const Op &op, Lanes lanes) {
  RoundingScope scope(op.mode2);
  auto *d = warp.row<uint32_t>(op.d);
  const auto *a = warp.row<uint32_t>(op.a), *b = warp.row<uint32_t>(op.b),
             *c = warp.row<uint32_t>(op.c);
  bool fused = Opcode(op.immediate) == Opcode::Fma;
  auto narrow = [](uint32_t word) {
    return IsBF16 ? fromBF16(uint16_t(word)) : fromF16(uint16_t(word));
  };
  forLanes(lanes, [&](unsigned i) {
    float second = fused ? narrow(b[i]) : std::bit_cast<float>(b[i]);
    float value = compute(Opcode(op.immediate), narrow(a[i]), second,
                          std::bit_cast<float>(c[i]));
    d[i] = std::bit_cast<uint32_t>(output(value, op.mode));
  });
}

} // namespace

void buildPackedFloat(Builder &b) {
  Opcode opcode = b.in.opcode();
  bool fused = opcode == Opcode::Fma;
  int rounding = b.takeOneOf({"rn", "rz", "rm", "rp"});
  b.op.mode2 = uint8_t(rounding < 0 ? 0 : rounding);
  if (fused && rounding < 0)
    b.refuse("expected a rounding modifier");
  Type type = b.takeType();
  std::optional<Type> narrow = b.takeTypeIfAny();
  bool isPair = type == Type::F32x2 && !narrow;
  bool isMixed = type == Type::F32 &&
                 (narrow == Type::F16 || narrow == Type::BF16) &&
                 opcode != Opcode::Mul;
  if ((!isPair && !isMixed) ||
      (opcode != Opcode::Add && opcode != Opcode::Sub &&
       opcode != Opcode::Mul && !fused))
    b.refuse("this combination of types is not covered");
  if (isPair)
    b.op.mode = b.take("ftz") ? Flush : 0;
  else
    b.op.mode = b.take("sat") ? Saturate : 0;
  size_t operands = fused ? 4 : 3;
  b.requireOperands(operands, operands);
  Type first = isPair ? type : *narrow;
  b.op.a = b.source(1, first);
  b.op.b = b.source(2, isPair || !fused ? type : first);
  b.op.c = fused ? b.source(3, type) : b.op.b;
  b.op.d = b.destination(0, type);
  b.op.immediate = uint64_t(opcode);
  b.op.byHalves = isPair;
  b.op.run = isPair ? pairs : narrow == Type::BF16 ? mixed<true> : mixed<false>;
}

} // namespace heddle::ptx
