// ParseDeclaration.cpp - types, parameters and variables with initialisers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Parser.h"

#include <bit>
#include <cstring>

namespace heddle::ptx {

/// Largest variable or parameter taken: far above any real kernel, low enough
/// that a hostile file cannot exhaust the host.
static constexpr uint64_t maxVariableBytes = uint64_t(256) << 20;

std::optional<Type> typeOf(std::string_view word) {
  static const std::unordered_map<std::string_view, Type> types = {
#define HEDDLE_PTX_TYPE(name, text, bits) {text, Type::name},
#include "codegen/nvidia/ptx/Types.def"
  };
  auto found = types.find(word);
  if (found == types.end())
    return std::nullopt;
  return found->second;
}

void ParserBase::fail(Location where, std::string text) {
  diagnostics.push_back({where, std::move(text)});
  throw Failure{};
}

std::string ParserBase::describe() const {
  switch (token.kind) {
  case Token::Kind::End:
    return "the end of the file";
  case Token::Kind::Bad:
    return std::string(token.text);
  default:
    return "'" + std::string(token.text.substr(0, 60)) + "'";
  }
}

void ParserBase::failExpected(std::string_view what) {
  fail(token.where, "expected " + std::string(what) + ", got " + describe());
}

void ParserBase::expect(char symbol) {
  if (!accept(symbol))
    failExpected(std::string("'") + symbol + "'");
}

bool ParserBase::accept(char symbol) {
  if (!token.is(symbol))
    return false;
  advance();
  return true;
}

bool ParserBase::accept(std::string_view word) {
  if (!token.is(word))
    return false;
  advance();
  return true;
}

uint64_t ParserBase::expectInteger(std::string_view what, uint64_t most) {
  if (token.kind != Token::Kind::Integer)
    failExpected(what);
  if (token.value > most)
    fail(token.where, "expected " + std::string(what) + " of at most " +
                          std::to_string(most) + ", got " +
                          std::to_string(token.value));
  uint64_t value = token.value;
  advance();
  return value;
}

std::string_view ParserBase::expectWord(std::string_view what) {
  if (token.kind != Token::Kind::Word)
    failExpected(what);
  std::string_view word = token.text;
  advance();
  return word;
}

void ParserBase::skipToSemicolon() {
  while (!token.is(';')) {
    if (token.kind == Token::Kind::End)
      failExpected("';'");
    advance();
  }
  advance();
}

void ParserBase::skipBraces() {
  expect('{');
  for (unsigned open = 1; open != 0; advance()) {
    if (token.kind == Token::Kind::End)
      failExpected("'}'");
    if (token.is('{'))
      ++open;
    else if (token.is('}') && --open == 0)
      break;
  }
  advance();
}

void ParserBase::skipParentheses() {
  expect('(');
  for (unsigned open = 1; open != 0; advance()) {
    if (token.kind == Token::Kind::End)
      failExpected("')'");
    open += token.is('(');
    open -= token.is(')');
  }
}

static std::optional<Space> spaceOf(std::string_view word) {
  if (word == ".global")
    return Space::Global;
  if (word == ".shared")
    return Space::Shared;
  if (word == ".const")
    return Space::Const;
  if (word == ".local")
    return Space::Local;
  if (word == ".param")
    return Space::Param;
  return std::nullopt;
}

ParserBase::DeclaredType ParserBase::parseDeclaredType() {
  DeclaredType declared;
  while (token.kind == Token::Kind::Directive) {
    std::string_view word = token.text;
    Location where = token.where;
    advance();
    if (word == ".align") {
      uint64_t align = expectInteger("an alignment", 1 << 20);
      if (!std::has_single_bit(align))
        fail(where, "expected an alignment that is a power of two, got " +
                        std::to_string(align));
      (declared.isPointer ? declared.pointeeAlign : declared.align) =
          uint32_t(align);
    } else if (word == ".ptr") {
      declared.isPointer = true;
    } else if (word == ".attribute") {
      skipParentheses(); // where managed and unified memory lies
    } else if (word == ".texref" || word == ".samplerref" ||
               word == ".surfref") {
      fail(where, "'" + std::string(word) + "' is not covered");
    } else if (word == ".v2" || word == ".v4" || word == ".v8") {
      declared.vectorWidth = uint32_t(word[2] - '0');
    } else if (std::optional<Space> space = spaceOf(word);
               space && declared.isPointer) {
      declared.pointee = *space;
    } else if (std::optional<Type> type = typeOf(word.substr(1))) {
      declared.type = *type;
      declared.hasType = true;
    } else {
      fail(where,
           "unknown attribute '" + std::string(word) + "' in a declaration");
    }
  }
  return declared;
}

int64_t ParserBase::parseArray(bool &isArray) {
  uint64_t count = 1;
  isArray = token.is('[');
  bool open = false;
  while (accept('[')) {
    if (accept(']')) {
      open = true;
      continue;
    }
    Location where = token.where;
    uint64_t extent = parseConstant().value;
    if (extent > maxVariableBytes)
      fail(where, "expected an array size of at most " +
                      std::to_string(maxVariableBytes) + ", got " +
                      std::to_string(extent));
    expect(']');
    if (extent != 0 && count > maxVariableBytes / extent)
      fail(where, "array of more than " + std::to_string(maxVariableBytes) +
                      " elements");
    count *= extent;
  }
  return open ? -1 : int64_t(count);
}

Param ParserBase::parseParam() {
  Param param;
  Location where = token.where;
  if (accept(".reg"))
    param.inRegister = true;
  else if (!accept(".param"))
    failExpected("'.param' or '.reg'");
  DeclaredType declared = parseDeclaredType();
  if (!declared.hasType)
    fail(where, "parameter without a type");
  param.name = expectWord("a parameter name");
  int64_t count = parseArray(param.isArray);
  if (count < 0)
    fail(where, "parameter '" + param.name + "' has no size");
  uint64_t element = (bitWidth(declared.type) + 7) / 8 * declared.vectorWidth;
  param.type = declared.type;
  param.bytes = uint64_t(count) * element;
  if (param.bytes > maxVariableBytes)
    fail(where, "parameter '" + param.name + "' is larger than " +
                    std::to_string(maxVariableBytes) + " bytes");
  param.align = declared.align ? declared.align : uint32_t(element);
  param.isPointer = declared.isPointer;
  param.pointee = declared.pointee;
  param.pointeeAlign = declared.pointeeAlign;
  return param;
}

std::vector<Param> ParserBase::parseParams() {
  std::vector<Param> params;
  expect('(');
  uint64_t offset = 0;
  while (!accept(')')) {
    if (!params.empty())
      expect(',');
    params.push_back(parseParam());
    Param &param = params.back();
    if (!param.inRegister) {
      offset = (offset + param.align - 1) / param.align * param.align;
      param.offset = offset;
      offset += param.bytes;
    }
  }
  return params;
}

std::vector<Variable> ParserBase::parseVariables(Space space, bool isExtern) {
  Location where = token.where;
  DeclaredType declared = parseDeclaredType();
  if (!declared.hasType)
    fail(where, "variable without a type");
  std::vector<Variable> variables;
  do
    variables.push_back(
        parseDeclarator(declared, space, isExtern, token.where));
  while (accept(','));
  expect(';');
  return variables;
}

Variable ParserBase::parseDeclarator(const DeclaredType &declared, Space space,
                                     bool isExtern, Location where) {
  Variable variable;
  variable.space = space;
  variable.isExtern = isExtern;
  variable.where = where;
  variable.type = declared.type;
  variable.vectorWidth = declared.vectorWidth;
  variable.name = expectWord("a variable name");
  bool isArray = false;
  int64_t count = parseArray(isArray);
  uint64_t element = (bitWidth(declared.type) + 7) / 8 * declared.vectorWidth;
  variable.align = declared.align ? declared.align : uint32_t(element);
  if (count >= 0 && uint64_t(count) > maxVariableBytes / element)
    fail(variable.where, "variable '" + variable.name + "' is larger than " +
                             std::to_string(maxVariableBytes) + " bytes");
  variable.bytes = count < 0 ? 0 : uint64_t(count) * element;
  if (accept('=')) {
    if (space != Space::Global && space != Space::Const)
      fail(variable.where, "initialiser on a variable that is neither global "
                           "nor const");
    parseInitialiser(variable);
    if (count < 0)
      variable.bytes = variable.initial.size();
    if (variable.initial.size() > variable.bytes)
      fail(variable.where, "initialiser of '" + variable.name +
                               "' is longer than the variable");
    variable.initial.resize(variable.bytes);
  } else if (count < 0 && !isExtern) {
    fail(variable.where,
         "array '" + variable.name + "' has neither a size nor an initialiser");
  }
  return variable;
}

static bool isFloat(Type type) {
  return type == Type::F16 || type == Type::BF16 || type == Type::F32 ||
         type == Type::F64;
}

/// A number as the bits of an element.
uint64_t ParserBase::parseInitialNumber(const Variable &variable) {
  Location where = token.where;
  bool negative = token.is('-') && lexer.peek() != '(' && accept('-');
  uint64_t bits = token.value;
  if (token.kind == Token::Kind::Bits) {
    bits ^= uint64_t(negative) << (token.bits - 1);
    advance();
    return bits;
  }
  if (token.kind == Token::Kind::Float) {
    double real = std::bit_cast<double>(bits) * (negative ? -1 : 1);
    advance();
    if (variable.type == Type::F64)
      return std::bit_cast<uint64_t>(real);
    if (variable.type != Type::F32)
      fail(where, "decimal constant in an initialiser of type '." +
                      std::string(spelling(variable.type)) + "'");
    return std::bit_cast<uint32_t>(float(real));
  }
  if (isFloat(variable.type))
    fail(where, "expected a floating-point constant in an initialiser of type "
                "'." +
                    std::string(spelling(variable.type)) + "', got " +
                    describe());
  Constant left = parseConstantPrimary(0);
  left.value = negative ? 0 - left.value : left.value;
  return parseConstantFrom(left, 0, 0).value;
}

/// `symbol + offset` or `generic(symbol) + offset`, whose bits in `mask` are
/// kept.
void ParserBase::parseRelocation(Variable &variable, uint64_t offset,
                                 uint64_t mask) {
  Location where = token.where;
  Variable::Relocation relocation;
  relocation.offset = offset;
  relocation.mask = mask;
  relocation.bytes = uint8_t((bitWidth(variable.type) + 7) / 8);
  if (accept("generic")) {
    expect('(');
    relocation.generic = true;
    relocation.symbol = expectWord("a variable");
    relocation.addend = int64_t(parseOffsets());
    expect(')');
  } else {
    relocation.symbol = expectWord("a variable");
  }
  relocation.addend += int64_t(parseOffsets());
  if (relocation.bytes * 8 < std::popcount(mask))
    fail(where, "address of '" + relocation.symbol +
                    "' in an initialiser that is not 64 bits wide");
  variable.relocations.push_back(relocation);
}

void ParserBase::parseInitialElement(Variable &variable, uint64_t &offset) {
  unsigned bytes = (bitWidth(variable.type) + 7) / 8;
  uint64_t value = 0;
  Location where = token.where;
  if (token.kind == Token::Kind::Word) {
    parseRelocation(variable, offset, ~uint64_t(0));
  } else {
    value = parseInitialNumber(variable);
    if (accept('(')) {
      // `mask(symbol)` keeps one byte of the address.
      if (value == 0 || value >> std::countr_zero(value) != 0xFF ||
          std::countr_zero(value) % 8 != 0)
        fail(where, "expected the mask of one byte before '('");
      parseRelocation(variable, offset, value);
      expect(')');
      value = 0;
    }
  }
  offset += bytes;
  if (offset > maxVariableBytes)
    fail(where, "initialiser is too long");
  variable.initial.resize(offset);
  std::memcpy(&variable.initial[offset - bytes], &value, bytes < 8 ? bytes : 8);
}

/// Braces of nested initialisers only group: compilers write every row in full,
/// so the flat order of the elements is their order in memory.
void ParserBase::parseInitialiser(Variable &variable) {
  uint64_t offset = 0;
  if (!token.is('{')) {
    parseInitialElement(variable, offset);
    return;
  }
  unsigned open = 0;
  do {
    if (accept('{')) {
      if (++open > 8)
        fail(token.where, "initialiser nested deeper than 8");
    } else if (accept('}')) {
      --open;
    } else if (!accept(',')) {
      parseInitialElement(variable, offset);
    }
  } while (open != 0);
}

} // namespace heddle::ptx
