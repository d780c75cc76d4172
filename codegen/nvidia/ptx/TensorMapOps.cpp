// TensorMapOps.cpp - tensormap.replace and cp_fenceproxy (PTX
// ISA 9.7.9.28, 9.7.13.18). SPDX-License-Identifier: Apache-2.0 WITH
// LLVM-exception

#include "codegen/nvidia/ptx/Access.h"
#include "codegen/nvidia/ptx/TensorMapLayout.h"

#include <cstddef>
#include <cstring>

namespace heddle::ptx {

namespace {

/// A field of the 128 bytes: where it is, how wide, how many there are.
struct Field {
  std::string_view name;
  uint32_t offset;
  uint8_t bytes;
  uint8_t count; ///< 0: no ordinal
  Type type;     ///< of the value as the instruction takes it
  /// How many values there are; 0: any, and a register may hold it.
  uint8_t choices = 0;
};

constexpr Field fields[] = {
    {"global_address", offsetof(TensorMapBytes, base), 8, 0, Type::B64},
    {"rank", offsetof(TensorMapBytes, rankMinusOne), 1, 0, Type::B32},
    {"box_dim", offsetof(TensorMapBytes, box), 2, 5, Type::B32},
    {"global_dim", offsetof(TensorMapBytes, dims), 8, 5, Type::B32},
    {"global_stride", offsetof(TensorMapBytes, strides), 8, 4, Type::B64},
    {"element_stride", offsetof(TensorMapBytes, elementStrides), 2, 5,
     Type::B32},
    {"elemtype", offsetof(TensorMapBytes, element), 1, 0, Type::B32, 13},
    {"interleave_layout", offsetof(TensorMapBytes, interleave), 1, 0, Type::B32,
     3},
    {"swizzle_mode", offsetof(TensorMapBytes, swizzle), 1, 0, Type::B32, 4},
    {"fill_mode", offsetof(TensorMapBytes, fillNan), 1, 0, Type::B32, 2},
};

/// `tensormap.replace` numbers element types in its own way (table
/// in 9.7.9.28).
uint8_t elementOf(uint64_t number) {
  constexpr TensorElement elements[] = {
      TensorElement::U8,     TensorElement::U16,  TensorElement::U32,
      TensorElement::S32,    TensorElement::U64,  TensorElement::S64,
      TensorElement::F16,    TensorElement::F32,  TensorElement::F32Ftz,
      TensorElement::F64,    TensorElement::BF16, TensorElement::TF32,
      TensorElement::TF32Ftz};
  return number < std::size(elements) ? uint8_t(elements[number]) : 255;
}

enum ReplaceMode : uint8_t { WideAddress = 1, WideValue = 2 };

/// `op.immediate` the offset of the address, `op.target` that of the field.
void replace(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  LaneTargets targets;
  laneAddresses(warp, op.a, op.mode & WideAddress, op.immediate, lanes,
                targets);
  resolveLanes(warp, op, lanes, {Space(op.mode2), 128, 64, true}, targets);
  for (Lanes left = targets.valid; left != 0; left &= left - 1) {
    unsigned lane = unsigned(std::countr_zero(left));
    uint64_t value = op.mode & WideValue ? warp.row<uint64_t>(op.b)[lane]
                                         : warp.row<uint32_t>(op.b)[lane];
    if (op.target == offsetof(TensorMapBytes, element))
      value = elementOf(value);
    Target target = targets.target[lane];
    target.offset += op.target;
    if (machine.checks) {
      uint32_t access =
          machine.accessOf(warp, op, warp.agent, warp.clock.of(warp.agent), 0);
      machine.noteWrite(warp, op, lane, target, op.bytes);
      machine.raceWrite(warp, op, lane, target, op.bytes, access);
    }
    std::memcpy(target.data(), &value, op.bytes);
  }
  ++machine.epoch;
}

/// Copies 128 bytes once for the warp and releases them.
void copyFence(Warp &warp, const Op &op, Lanes lanes) {
  Machine &machine = *warp.machine;
  LaneTargets to, from;
  Lanes first = lanes & -lanes;
  unsigned lane = unsigned(std::countr_zero(first));
  laneAddresses(warp, op.a, op.mode & WideAddress, op.immediate, first, to);
  laneAddresses(warp, op.b, op.mode & WideValue,
                uint64_t(op.detail) << 32 | op.target, first, from);
  resolveLanes(warp, op, first, {Space::Global, 128, 128, true}, to);
  resolveLanes(warp, op, first, {Space::Shared, 128, 128, false}, from);
  if (!to.valid || !from.valid)
    return;
  if (machine.checks) {
    noteAccesses(warp, op, from, 128, false, 0);
    noteAccesses(warp, op, to, 128, true, 0);
    machine.release(warp, to.target[lane].key(), false, false, Scope(op.mode2));
    machine.releaseMaps(warp);
  }
  std::memcpy(to.target[lane].data(), from.target[lane].data(), 128);
  ++machine.epoch;
}

void buildReplace(Builder &b) {
  b.require("tile");
  const Field *field = nullptr;
  for (const Field &candidate : fields)
    if (b.take(candidate.name))
      field = &candidate;
  if (!field)
    b.refuse("this field is not covered");
  Space space = b.take("global")        ? Space::Global
                : b.take("shared::cta") ? Space::Shared
                                        : Space::Generic;
  b.require("b1024");
  Type type = b.takeType();
  if (type != field->type)
    b.refuse("expected type '." + std::string(spelling(field->type)) + "'");
  size_t value = field->count ? 2 : 1;
  b.requireOperands(value + 1, value + 1);
  uint64_t ordinal = field->count ? b.immediate(1) : 0;
  if (field->count && ordinal >= field->count)
    b.refuse("expected an ordinal below " + std::to_string(field->count));
  if (field->choices && b.immediate(value) >= field->choices)
    b.refuse("expected a value below " + std::to_string(field->choices));
  bool wide = false;
  b.op.a = b.address(b.operand(0), b.op.immediate, wide);
  b.op.mode =
      uint8_t((wide ? WideAddress : 0) | (type == Type::B64 ? WideValue : 0));
  b.op.b = b.source(value, type, true);
  b.op.bytes = field->bytes;
  b.op.target = field->offset + uint32_t(ordinal) * field->bytes;
  b.op.mode2 = uint8_t(space);
  b.op.run = replace;
}

void buildCopyFence(Builder &b) {
  const std::vector<std::string> &words = b.in.mnemonic->modifiers;
  if (words.size() > 1 && words[1] == "shared::cta")
    b.refuse("expected a copy from '.shared::cta' to '.global'");
  b.require("global");
  b.require("shared::cta");
  b.require("tensormap::generic");
  b.require("release");
  std::optional<Scope> scope = takeScope(b);
  if (!scope)
    b.refuse("expected a scope");
  b.op.mode2 = uint8_t(*scope);
  b.require("sync");
  b.require("aligned");
  b.requireOperands(3, 3);
  if (b.immediate(2) != 128)
    b.refuse("expected a size of 128");
  bool wide = false;
  b.op.a = b.address(b.operand(0), b.op.immediate, wide);
  b.op.mode = wide ? WideAddress : 0;
  uint64_t offset = 0;
  b.op.b = b.address(b.operand(1), offset, wide);
  b.op.mode |= wide ? WideValue : 0;
  b.op.target = uint32_t(offset);
  b.op.detail = uint32_t(offset >> 32);
  b.op.convergence = Convergence::Aligned;
  b.op.run = copyFence;
}

} // namespace

void buildTensorMap(Builder &b) {
  if (b.take("replace"))
    return buildReplace(b);
  if (b.take("cp_fenceproxy"))
    return buildCopyFence(b);
  b.refuse("not covered");
}

} // namespace heddle::ptx
