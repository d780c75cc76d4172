// Builder.cpp - operands and modifiers of one instruction.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Builder.h"

#include "codegen/nvidia/ptx/Machine.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace heddle::ptx {

/// Rows a kernel may have: enough for 2^20 registers, small enough that a
/// hostile file cannot ask for more memory than a host has.
static constexpr uint64_t maxRegisterBytes = uint64_t(1) << 28;

//===----------------------------------------------------------------------===//
// ProgramWriter
//===----------------------------------------------------------------------===//

Row ProgramWriter::constant(uint64_t value, unsigned bits) {
  auto [place, isNew] = constantRows.try_emplace({value, bits}, 0);
  if (!isNew)
    return place->second;
  std::vector<uint64_t> &bank = program.constants;
  Row row = constantRow | Row(bank.size() * 8);
  if (bits == 64) {
    bank.insert(bank.end(), warpSize, value);
  } else {
    uint64_t both = (value & 0xFFFFFFFF) << 32 | (value & 0xFFFFFFFF);
    bank.insert(bank.end(), warpSize / 2, both);
  }
  return place->second = row;
}

Row ProgramWriter::predicateConstant(bool value) {
  // The first word of a 32-bit row of ones serves as a mask.
  return constant(value ? 0xFFFFFFFF : 0, 32);
}

Row ProgramWriter::special(std::string_view name, bool wide) {
  auto [place, isNew] = specialRows.try_emplace({std::string(name), wide}, 0);
  if (!isNew)
    return place->second;
  Row row = addRow(warpSize * (wide ? 8 : 4));
  program.specials.push_back({std::string(name), row, wide});
  return place->second = row;
}

Row ProgramWriter::addRow(uint32_t bytes) {
  // Predicates, of four bytes, pack densely; rows of lanes start on a cache
  // line.
  if (bytes > 4)
    program.registerBytes = (program.registerBytes + 63) / 64 * 64;
  if (program.registerBytes + uint64_t(bytes) > maxRegisterBytes)
    throw Refusal{{{}, "more registers than 256 MiB for a warp"}};
  Row row = program.registerBytes;
  program.registerBytes += bytes;
  return row;
}

uint32_t ProgramWriter::addRegister(std::string name, Type type) {
  unsigned bits = bitWidth(type);
  uint32_t size = type == Type::Pred ? 4 : warpSize * std::max(bits, 32u) / 8;
  program.registerRows.push_back(addRow(size));
  program.registerNames.push_back(std::move(name));
  program.registerBits.push_back(
      uint8_t(type == Type::Pred ? 1 : std::max(bits, 32u)));
  return program.registerCount++;
}

template <class W>
static void sumOfAddress(Warp &warp, const Op &op, Lanes lanes) {
  W *d = warp.row<W>(op.d);
  const auto *base = warp.row<uint64_t>(op.a);
  forLanes(lanes, [&](unsigned i) { d[i] = W(base[i] + op.immediate); });
}

Op ProgramWriter::sumOf(Row base, uint64_t offset, uint32_t reg) {
  Op op;
  op.run = program.registerBits[reg] == 64 ? sumOfAddress<uint64_t>
                                           : sumOfAddress<uint32_t>;
  op.d = program.registerRows[reg];
  op.a = base;
  op.immediate = offset;
  op.firstDef = uint32_t(program.uses.size());
  op.defCount = 1;
  program.uses.push_back({reg, false});
  return op;
}

//===----------------------------------------------------------------------===//
// Modifiers
//===----------------------------------------------------------------------===//

Builder::Builder(ProgramWriter &writer, const Frame &frame,
                 const Instruction &in)
    : in(in), writer(writer), frame(frame),
      taken(in.mnemonic->modifiers.size()) {}

void Builder::refuse(std::string text) const {
  throw Refusal{{in.where, "'" + in.mnemonic->text + "': " + std::move(text)}};
}

bool Builder::take(std::string_view modifier) {
  for (size_t i = 0; i < taken.size(); ++i)
    if (!taken[i] && in.mnemonic->modifiers[i] == modifier)
      return taken[i] = true;
  return false;
}

int Builder::takeOneOf(std::initializer_list<std::string_view> modifiers) {
  int index = 0;
  for (std::string_view modifier : modifiers) {
    if (take(modifier))
      return index;
    ++index;
  }
  return -1;
}

void Builder::require(std::string_view modifier) {
  if (!take(modifier))
    refuse("expected modifier '." + std::string(modifier) + "'");
}

std::optional<Type> Builder::takeTypeIfAny() {
  size_t type = 0;
  for (size_t i = 0; i < taken.size(); ++i) {
    bool isType =
        type < in.mnemonic->types.size() &&
        in.mnemonic->modifiers[i] == spelling(in.mnemonic->types[type]);
    if (!isType)
      continue;
    if (!taken[i]) {
      taken[i] = true;
      return in.mnemonic->types[type];
    }
    ++type;
  }
  return std::nullopt;
}

Type Builder::takeType() {
  std::optional<Type> type = takeTypeIfAny();
  if (!type)
    refuse("expected a type");
  return *type;
}

std::optional<std::string_view> Builder::takePrefixed(std::string_view prefix) {
  for (size_t i = 0; i < taken.size(); ++i) {
    std::string_view modifier = in.mnemonic->modifiers[i];
    if (!taken[i] && modifier.starts_with(prefix)) {
      taken[i] = true;
      return modifier;
    }
  }
  return std::nullopt;
}

void Builder::takeCacheHints() {
  while (takeOneOf({"ca", "cg", "cs", "lu", "cv", "wb", "wt", "nc",
                    "level::cache_hint"}) >= 0 ||
         takePrefixed("L1::") || takePrefixed("L2::")) {
  }
}

Space Builder::takeSpace() {
  constexpr std::pair<std::string_view, Space> spaces[] = {
      {"global", Space::Global},      {"shared", Space::Shared},
      {"shared::cta", Space::Shared}, {"shared::cluster", Space::Shared},
      {"local", Space::Local},        {"param", Space::Param},
      {"param::entry", Space::Param}, {"param::func", Space::Param},
      {"const", Space::Const}};
  for (auto [word, space] : spaces)
    if (take(word))
      return space;
  return Space::Generic;
}

void Builder::finish() {
  for (size_t i = 0; i < taken.size(); ++i)
    if (!taken[i])
      refuse("modifier '." + in.mnemonic->modifiers[i] + "' is not covered");
  std::vector<Use> &all = writer.program.uses;
  if (in.guard) {
    uint32_t reg = frame.registers[*in.guard];
    op.guard = writer.program.registerRows[reg];
    op.guardNegated = in.guardNegated;
    uses.push_back({reg, true});
  }
  op.firstUse = uint32_t(all.size());
  op.useCount = uint16_t(uses.size());
  all.insert(all.end(), uses.begin(), uses.end());
  op.firstDef = uint32_t(all.size());
  op.defCount = uint16_t(defs.size());
  all.insert(all.end(), defs.begin(), defs.end());
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

void Builder::requireOperands(size_t least, size_t most) {
  if (operandCount() >= least && operandCount() <= most)
    return;
  std::string expected = std::to_string(least);
  if (most != least)
    expected += " to " + std::to_string(most);
  refuse("expected " + expected + " operands, got " +
         std::to_string(operandCount()));
}

const Operand &Builder::operand(size_t index) const {
  if (index >= operandCount())
    refuse("expected at least " + std::to_string(index + 1) +
           " operands, got " + std::to_string(operandCount()));
  return in.operands[index];
}

bool Builder::isKind(size_t index, Operand::Kind kind) const {
  return index < operandCount() && in.operands[index].kind == kind;
}

Type Builder::registerType(const Operand &operand) const {
  return frame.function->registers[operand.reg].type;
}

std::optional<uint32_t> Builder::registerIndex(const Operand &operand) const {
  if (operand.kind != Operand::Kind::Register)
    return std::nullopt;
  return frame.registers[operand.reg];
}

std::optional<Frame::Place> Builder::symbolPlace(std::string_view name) const {
  if (auto local = frame.locals.find(name); local != frame.locals.end())
    return local->second;
  if (auto symbol = writer.symbols.find(name); symbol != writer.symbols.end())
    return Frame::Place{symbol->second, noRow};
  const auto &functions = writer.program.functionAddresses;
  if (auto function = functions.find(name); function != functions.end())
    return Frame::Place{function->second, noRow};
  return std::nullopt;
}

Row Builder::registerRow(const Operand &operand, bool isDestination,
                         bool strict) {
  uint32_t reg = frame.registers[operand.reg];
  if (isDestination)
    defs.push_back({reg, false});
  else
    uses.push_back({reg, strict});
  return writer.program.registerRows[reg];
}

static bool isFloat(Type type) {
  switch (type) {
  case Type::F16:
  case Type::BF16:
  case Type::F16x2:
  case Type::BF16x2:
  case Type::F32:
  case Type::F32x2:
  case Type::F64:
  case Type::TF32:
    return true;
  default:
    return false;
  }
}

static bool isInteger(Type type) {
  return (type >= Type::U8 && type <= Type::S64) || type == Type::U16x2 ||
         type == Type::S16x2;
}

bool isWord(Type type) {
  return (type >= Type::B8 && type <= Type::B128) ||
         (type >= Type::U8 && type <= Type::S64) || type == Type::F32 ||
         type == Type::F64;
}

void Builder::refuseType(const Operand &operand, Type type) const {
  if (operand.kind == Operand::Kind::Register)
    refuse("expected an operand of type '." + std::string(spelling(type)) +
           "', got '" + frame.function->registers[operand.reg].name +
           "' of type '." + std::string(spelling(registerType(operand))) + "'");
  refuse("expected an operand of type '." + std::string(spelling(type)) + "'");
}

/// Operand types must have equal size and not mix integer with floating point
/// (PTX ISA 9.2); untyped bits go with everything.
static bool typesAgree(Type declared, Type wanted) {
  if ((declared == Type::Pred) != (wanted == Type::Pred))
    return false;
  if (bitWidth(declared) != bitWidth(wanted))
    return false;
  return !(isFloat(declared) && isInteger(wanted)) &&
         !(isInteger(declared) && isFloat(wanted));
}

/// Registers may be wider than what cvt, ld and st name (PTX ISA 9.4.1); those
/// of floating point may not, and hold no integers.
static bool mayHold(Type declared, Type type) {
  if (declared == Type::Pred || bitWidth(declared) < bitWidth(type) ||
      bitWidth(declared) > 64)
    return false;
  if (isInteger(type)) // f16x2 counts as bits
    return !isFloat(declared) || declared == Type::F16x2;
  if (isFloat(type))
    return declared == type || (!isFloat(declared) && !isInteger(declared));
  return true;
}

uint64_t Builder::immediateBits(const Operand &operand, Type type) const {
  unsigned bits = bitWidth(type);
  uint64_t value = operand.value;
  if (operand.kind == Operand::Kind::FloatImmediate) {
    double real = std::bit_cast<double>(value);
    if (type == Type::F64 || type == Type::B64)
      return value;
    if (type == Type::F32 || type == Type::B32)
      return std::bit_cast<uint32_t>(float(real));
    refuse("decimal literal as operand of type '." +
           std::string(spelling(type)) + "'");
  }
  if (operand.literalBits == 32 && type == Type::F64)
    return std::bit_cast<uint64_t>(
        double(std::bit_cast<float>(uint32_t(value))));
  if (operand.literalBits == 64 && type == Type::F32)
    return std::bit_cast<uint32_t>(float(std::bit_cast<double>(value)));
  if (operand.literalBits == 0 && (type == Type::F32 || type == Type::F64))
    refuse("integer literal as operand of type '." +
           std::string(spelling(type)) + "'");
  return bits >= 64 ? value : value & ((uint64_t(1) << bits) - 1);
}

Row Builder::source(const Operand &operand, Type type, bool strict) {
  unsigned bits = bitWidth(type);
  unsigned word = bits > 32 ? 64 : 32;
  if (!operand.name.empty() && operand.kind == Operand::Kind::Register)
    refuse("selector '." + std::string(operand.name) + "' is not covered");
  if ((operand.negated && type != Type::Pred) ||
      (bits > 64 && operand.kind != Operand::Kind::Register))
    refuseType(operand, type);
  switch (operand.kind) {
  case Operand::Kind::Register:
    if (!typesAgree(registerType(operand), type))
      refuseType(operand, type);
    return registerRow(operand, false, strict);
  case Operand::Kind::Immediate:
  case Operand::Kind::FloatImmediate:
    return writer.constant(immediateBits(operand, type), word);
  case Operand::Kind::Special:
    if (isFloat(type))
      refuseType(operand, type);
    return writer.special(operand.name, word == 64);
  case Operand::Kind::Symbol:
    return symbolRow(operand, type);
  default:
    refuseType(operand, type);
  }
}

/// The address of a variable or of a function. Addresses of 32 bits are offsets
/// in the state space.
Row Builder::symbolRow(const Operand &operand, Type type) {
  std::optional<Frame::Place> place = symbolPlace(operand.name);
  if (!place)
    refuse("function '" + std::string(operand.name) +
           "' as a value is not covered");
  unsigned bits = bitWidth(type);
  bool isRow = place->row != noRow, isLocal = place->space == Space::Local;
  uint64_t address = place->address + operand.value;
  if (bits < 32 || isFloat(type) ||
      (bits == 32 && !isLocal && (isRow || address >> 32)))
    refuse("address of '" + std::string(operand.name) +
           "' as operand of type '." + std::string(spelling(type)) + "'");
  if (!isRow)
    return writer.constant(address, bits);
  if (operand.value == 0 && bits == 64)
    return place->row;
  uint32_t reg = writer.addRegister("address of " + std::string(operand.name),
                                    bits == 64 ? Type::U64 : Type::U32);
  before.push_back(writer.sumOf(place->row, operand.value, reg));
  return writer.program.registerRows[reg];
}

Row Builder::source(size_t index, Type type, bool strict) {
  return source(operand(index), type, strict);
}

Row Builder::wideSource(const Operand &operand, Type type, bool &wide) {
  if (operand.kind == Operand::Kind::Register && operand.name.empty()) {
    Type declared = registerType(operand);
    if (!mayHold(declared, type))
      refuseType(operand, type);
    wide = bitWidth(declared) == 64;
    return registerRow(operand, false, false);
  }
  wide = bitWidth(type) > 32;
  return source(operand, type);
}

Row Builder::scratch(Type type) {
  if (type == Type::Pred)
    return writer.special("sink predicate", false);
  if (bitWidth(type) > 64)
    return writer.program.registerRows[writer.addRegister("_", type)];
  return writer.special("sink", bitWidth(type) > 32);
}

Row Builder::destination(const Operand &operand, Type type) {
  if (operand.kind == Operand::Kind::Sink)
    return scratch(type);
  if (operand.kind != Operand::Kind::Register || !operand.name.empty() ||
      !typesAgree(registerType(operand), type))
    refuseType(operand, type);
  return registerRow(operand, true, false);
}

Row Builder::destination(size_t index, Type type) {
  return destination(operand(index), type);
}

Row Builder::partSource(const Operand &operand, Type type, Half half) {
  Row row = source(operand, type);
  if (operand.kind == Operand::Kind::Register)
    uses.back().half = half;
  return row;
}

Row Builder::partDestination(const Operand &operand, Type type, Half half) {
  Row row = destination(operand, type);
  if (operand.kind == Operand::Kind::Register)
    defs.back().half = half;
  return row;
}

Row Builder::wideDestination(const Operand &operand, Type type, bool &wide) {
  if (operand.kind == Operand::Kind::Sink) {
    wide = bitWidth(type) > 32;
    return scratch(type);
  }
  if (operand.kind != Operand::Kind::Register || !operand.name.empty())
    refuseType(operand, type);
  Type declared = registerType(operand);
  if (!mayHold(declared, type))
    refuseType(operand, type);
  wide = bitWidth(declared) == 64;
  return registerRow(operand, true, false);
}

Row Builder::exchangedSource(size_t index, Type type) {
  size_t before = uses.size();
  Row row = source(index, type);
  if (uses.size() != before)
    uses.back().exchanged = true;
  return row;
}

Row Builder::predicateSource(const Operand &operand, bool strict) {
  if (operand.kind == Operand::Kind::Immediate)
    return writer.predicateConstant(operand.value != 0);
  if (operand.kind == Operand::Kind::Special &&
      operand.name == "%is_explicit_cluster")
    return writer.special(explicitClusterPredicate, false);
  if (operand.kind != Operand::Kind::Register ||
      registerType(operand) != Type::Pred)
    refuseType(operand, Type::Pred);
  return registerRow(operand, false, strict);
}

Row Builder::predicateDestination(const Operand &operand) {
  if (operand.kind == Operand::Kind::Sink)
    return scratch(Type::Pred);
  if (operand.kind != Operand::Kind::Register ||
      registerType(operand) != Type::Pred || operand.negated)
    refuseType(operand, Type::Pred);
  return registerRow(operand, true, false);
}

void Builder::predicateDestinations(size_t index, Row &first, Row &second) {
  const Operand &whole = operand(index);
  second = noRow;
  if (whole.kind != Operand::Kind::Pair) {
    first = predicateDestination(whole);
    return;
  }
  first = predicateDestination(whole.elements[0]);
  second = predicateDestination(whole.elements[1]);
}

Row Builder::address(const Operand &operand, uint64_t &offset, bool &wide) {
  if (operand.kind != Operand::Kind::Address)
    refuse("expected an address in brackets");
  const Operand &base = operand.elements[0];
  offset = operand.value;
  if (base.kind == Operand::Kind::Register) {
    Type declared = registerType(base);
    unsigned bits = bitWidth(declared);
    if (declared == Type::Pred || isFloat(declared) || bits < 32 || bits > 64)
      refuseType(base, Type::B64);
    wide = bits == 64;
    return registerRow(base, false, true);
  }
  wide = true;
  if (base.kind == Operand::Kind::Symbol) {
    std::optional<Frame::Place> place = symbolPlace(base.name);
    if (!place)
      refuse("'" + std::string(base.name) + "' has no address");
    if (place->row != noRow)
      return place->row;
    offset += place->address;
  } else if (base.kind == Operand::Kind::Immediate) {
    offset += base.value;
  } else {
    refuse("expected a register, a variable or a number as address");
  }
  return writer.constant(0, 64);
}

uint64_t Builder::immediate(const Operand &operand) {
  if (operand.kind != Operand::Kind::Immediate)
    refuse("expected an immediate operand");
  return operand.value;
}

uint64_t Builder::immediate(size_t index) { return immediate(operand(index)); }

uint32_t Builder::addDetail() {
  writer.program.details.emplace_back();
  return op.detail = uint32_t(writer.program.details.size() - 1);
}

OpDetail &Builder::detail() { return writer.program.details[op.detail]; }

uint32_t Builder::addRows(const std::vector<Row> &rows) {
  std::vector<Row> &all = writer.program.rows;
  uint32_t first = uint32_t(all.size());
  all.insert(all.end(), rows.begin(), rows.end());
  return first;
}

} // namespace heddle::ptx
