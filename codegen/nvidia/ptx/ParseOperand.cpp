// ParseOperand.cpp - operands of instructions and what their names stand for.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Parser.h"

#include <algorithm>
#include <bit>
#include <charconv>

namespace heddle::ptx {

/// The deepest legal operand is `[map, {c0, c1}]` inside a list.
static constexpr unsigned maxOperandDepth = 4;

/// Special registers of four elements, the last of them zero (PTX ISA 10).
static bool isSpecialVector(std::string_view name) {
  static constexpr std::string_view vectors[] = {
      "%tid",       "%ntid",       "%ctaid",         "%nctaid",
      "%clusterid", "%nclusterid", "%cluster_ctaid", "%cluster_nctaid"};
  return std::find(std::begin(vectors), std::end(vectors), name) !=
         std::end(vectors);
}

static bool isSpecialScalar(std::string_view name) {
  static constexpr std::string_view scalars[] = {"%laneid",
                                                 "%warpid",
                                                 "%nwarpid",
                                                 "%smid",
                                                 "%nsmid",
                                                 "%gridid",
                                                 "%is_explicit_cluster",
                                                 "%cluster_ctarank",
                                                 "%cluster_nctarank",
                                                 "%lanemask_eq",
                                                 "%lanemask_le",
                                                 "%lanemask_lt",
                                                 "%lanemask_ge",
                                                 "%lanemask_gt",
                                                 "%clock",
                                                 "%clock_hi",
                                                 "%clock64",
                                                 "%globaltimer",
                                                 "%globaltimer_lo",
                                                 "%globaltimer_hi",
                                                 "%total_smem_size",
                                                 "%dynamic_smem_size",
                                                 "%aggr_smem_size",
                                                 "%current_graph_exec",
                                                 "%reserved_smem_offset_begin",
                                                 "%reserved_smem_offset_end",
                                                 "%reserved_smem_offset_cap",
                                                 "%reserved_smem_offset_0",
                                                 "%reserved_smem_offset_1"};
  for (std::string_view known : scalars)
    if (name == known)
      return true;
  return name.starts_with("%envreg") || name.starts_with("%pm");
}

/// The position of `x`, `y`, `z`, `w` or their like among the elements of a
/// vector; npos for another selector.
static size_t elementIndex(std::string_view selector) {
  for (std::string_view names : {"xyzw", "rgba"})
    if (size_t index = names.find(selector);
        selector.size() == 1 && index != std::string_view::npos)
      return index;
  return std::string_view::npos;
}

/// A special register; a vector of them is its elements, named `%tid.x` to
/// `%tid.w`.
std::optional<Operand>
FunctionParser::findSpecial(std::string_view name) const {
  Operand special;
  special.kind = Operand::Kind::Special;
  special.name = name;
  if (isSpecialScalar(name))
    return special;
  size_t dot = name.find('.');
  std::string base(name.substr(0, dot));
  if (!isSpecialVector(base))
    return std::nullopt;
  auto element = [&](size_t index) {
    special.name =
        parent.storage->names.emplace_back(base + "." + "xyzw"[index]);
    return special;
  };
  if (dot != std::string_view::npos) {
    size_t index = elementIndex(name.substr(dot + 1));
    return index < 4 ? std::optional(element(index)) : std::nullopt;
  }
  Operand vector;
  vector.kind = Operand::Kind::Vector;
  for (size_t index = 0; index < 4; ++index)
    vector.elements.push_back(element(index));
  return vector;
}

std::optional<Operand> FunctionParser::findRegister(std::string_view name) {
  // `%r12` belongs to the range `%r`: split off the number, if it is written
  // the one way the declaration allows.
  size_t digits = name.size();
  while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9')
    --digits;
  while (digits + 1 < name.size() && name[digits] == '0')
    ++digits;
  uint32_t number = UINT32_MAX;
  std::from_chars(name.data() + digits, name.data() + name.size(), number);
  for (int at = scope; at >= 0; at = scopes[at].parent) {
    const Scope &names = scopes[at];
    const RegisterRange *range = nullptr;
    if (auto single = names.registers.find(name);
        single != names.registers.end())
      range = &single->second;
    if (!range && digits < name.size())
      if (auto many = names.ranges.find(name.substr(0, digits));
          many != names.ranges.end() && number < many->second.count)
        range = &many->second;
    if (!range)
      continue;
    if (range->width == 1)
      return useRegister(at, name, *range);
    // A vector register is its elements, which have names of their own.
    Operand operand;
    operand.kind = Operand::Kind::Vector;
    for (char element : std::string_view("xyzw").substr(0, range->width))
      operand.elements.push_back(
          useRegister(at, std::string(name) + "." + element, *range));
    return operand;
  }
  return std::nullopt;
}

Operand FunctionParser::useRegister(int at, std::string_view name,
                                    const RegisterRange &range) {
  auto [used, isNew] = scopes[at].used.try_emplace(
      std::string(name), RegisterId(function.registers.size()));
  if (isNew)
    function.registers.push_back({std::string(name), range.type});
  Operand operand;
  operand.kind = Operand::Kind::Register;
  operand.reg = used->second;
  return operand;
}

/// `v.x` of a vector register, or a register with the selector of a video
/// instruction, which is kept as `name`.
std::optional<Operand> FunctionParser::findElement(std::string_view name) {
  size_t dot = name.rfind('.');
  if (dot == std::string_view::npos)
    return std::nullopt;
  std::optional<Operand> whole = findRegister(name.substr(0, dot));
  if (!whole)
    return std::nullopt;
  std::string_view selector = name.substr(dot + 1);
  if (whole->kind != Operand::Kind::Vector) {
    whole->name = selector;
    return whole;
  }
  if (size_t index = elementIndex(selector); index < whole->elements.size())
    return whole->elements[index];
  return std::nullopt;
}

std::optional<Operand> FunctionParser::findSymbol(std::string_view name) const {
  Operand operand;
  operand.kind = Operand::Kind::Symbol;
  operand.name = name;
  for (int at = scope; at >= 0; at = scopes[at].parent)
    if (auto found = scopes[at].variables.find(name);
        found != scopes[at].variables.end()) {
      operand.name = found->second;
      return operand;
    }
  if (parent.symbols.count(std::string(name)))
    return operand;
  return std::nullopt;
}

Operand FunctionParser::parseName(const Instruction &instruction) {
  Location where = token.where;
  std::string_view name = token.text;
  advance();
  Operand operand;
  if (name == "_") {
    operand.kind = Operand::Kind::Sink;
    return operand;
  }
  Opcode opcode = instruction.opcode();
  bool first = instruction.operands.empty();
  if ((opcode == Opcode::Bra && first) || (opcode == Opcode::Brx && !first)) {
    operand.kind = Operand::Kind::Label;
    operand.name = name;
    return operand;
  }
  if (std::optional<Operand> reg = findRegister(name))
    return *reg;
  if (std::optional<Operand> special = findSpecial(name))
    return *special;
  if (std::optional<Operand> element = findElement(name))
    return *element;
  if (std::optional<Operand> symbol = findSymbol(name)) {
    if (token.is('['))
      parseArrayIndex(*symbol);
    return *symbol;
  }
  if (name == "WARP_SZ") {
    operand.value = 32;
    return operand;
  }
  if (opcode == Opcode::Call) {
    operand.kind = Operand::Kind::Label;
    operand.name = name;
    return operand;
  }
  // `mov.u64 %rd, label;` has no meaning for a program without indirect jumps.
  fail(where, (name[0] == '%' ? "undefined register '" : "undefined symbol '") +
                  std::string(name) + "'");
}

/// `array[index]` is the address of an element (PTX ISA 6.4.2).
void FunctionParser::parseArrayIndex(Operand &symbol) {
  uint64_t bytes = 0;
  for (const auto *sizes : {&elementBytes, &parent.elementBytes})
    if (auto found = sizes->find(std::string(symbol.name));
        bytes == 0 && found != sizes->end())
      bytes = found->second;
  if (bytes == 0)
    fail(token.where, "expected a variable before '[', got '" +
                          std::string(symbol.name) + "'");
  expect('[');
  Operand address;
  address.kind = Operand::Kind::Address;
  address.value = parseConstant().value * bytes;
  address.elements.push_back(symbol);
  expect(']');
  symbol = std::move(address);
}

Operand FunctionParser::parseNumber(bool negative) {
  Operand operand;
  operand.value = token.value;
  if (token.kind == Token::Kind::Float) {
    operand.kind = Operand::Kind::FloatImmediate;
    if (negative)
      operand.value ^= uint64_t(1) << 63;
  } else if (token.kind == Token::Kind::Bits) {
    operand.literalBits = token.bits;
    if (negative)
      operand.value ^= uint64_t(1) << (token.bits - 1);
  }
  advance();
  return operand;
}

void FunctionParser::parseSequence(const Instruction &instruction,
                                   Operand &into, char close, unsigned depth) {
  if (accept(close))
    return;
  do {
    if (into.elements.size() == 512)
      fail(token.where, "more than 512 elements in an operand");
    into.elements.push_back(parseOperand(instruction, depth + 1));
  } while (accept(','));
  expect(close);
}

Operand FunctionParser::parseAddress(const Instruction &instruction,
                                     unsigned depth) {
  Operand operand;
  operand.kind = Operand::Kind::Address;
  operand.elements.push_back(parseOperand(instruction, depth + 1));
  operand.value = parseOffsets();
  while (accept(',')) {
    if (operand.elements.size() == 8)
      fail(token.where, "more than 8 elements in an address");
    operand.elements.push_back(parseOperand(instruction, depth + 1));
  }
  expect(']');
  return operand;
}

Operand FunctionParser::parseOperand(const Instruction &instruction,
                                     unsigned depth) {
  if (depth > maxOperandDepth)
    fail(token.where, "operand nested too deeply");
  Operand operand;
  if (accept('{')) {
    operand.kind = Operand::Kind::Vector;
    parseSequence(instruction, operand, '}', depth);
    return operand;
  }
  if (instruction.opcode() == Opcode::Call && accept('(')) {
    operand.kind = Operand::Kind::List;
    parseSequence(instruction, operand, ')', depth);
    return operand;
  }
  if (accept('['))
    return parseAddress(instruction, depth);
  bool inverted = accept('!');
  bool negative = !inverted && accept('-');
  bool complemented = !inverted && !negative && accept('~');
  Location where = token.where;
  if (token.kind == Token::Kind::Integer || token.is('(')) {
    Constant left = parseConstantPrimary(0);
    if (inverted)
      left = {left.value == 0, false};
    else if (negative || complemented)
      left.value = negative ? 0 - left.value : ~left.value;
    operand.value = parseConstantFrom(left, 0, 0).value;
    return operand;
  }
  if (!complemented &&
      (token.kind == Token::Kind::Float || token.kind == Token::Kind::Bits)) {
    operand = parseNumber(negative);
  } else if (token.kind == Token::Kind::Word && !negative && !complemented) {
    operand = parseName(instruction);
    // Inside brackets the sum belongs to the address.
    if (operand.kind == Operand::Kind::Symbol && depth == 0)
      operand.value = parseOffsets();
  } else {
    failExpected("an operand of '" + instruction.mnemonic->text + "'");
  }
  if (inverted && operand.kind != Operand::Kind::Register)
    fail(where, "expected a predicate after '!'");
  operand.negated = inverted;
  if (depth == 0 && accept('|')) {
    Operand pair;
    pair.kind = Operand::Kind::Pair;
    pair.elements.push_back(std::move(operand));
    pair.elements.push_back(parseOperand(instruction, 1));
    return pair;
  }
  return operand;
}

} // namespace heddle::ptx
