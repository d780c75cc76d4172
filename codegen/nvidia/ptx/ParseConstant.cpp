// ParseConstant.cpp - constant expressions (PTX ISA 4.5).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Parser.h"

namespace heddle::ptx {

static constexpr unsigned maxConstantDepth = 64;

/// Operators bind as in C: a higher level binds tighter.
struct ParserBase::Operator {
  int level = 0; ///< 0: none
  char first = 0, second = 0;
};

static constexpr int ternaryLevel = 1, additiveLevel = 10;

ParserBase::Operator ParserBase::operatorHere() const {
  // Modulo reads as a word, since `%` begins the names of registers.
  if (token.kind == Token::Kind::Word && token.text == "%")
    return {11, '%', 0};
  if (token.kind != Token::Kind::Symbol)
    return {};
  char first = token.text[0], next = lexer.peek();
  switch (first) {
  case '?':
    return {ternaryLevel, '?', 0};
  case '|':
    return next == '|' ? Operator{2, '|', '|'} : Operator{4, '|', 0};
  case '&':
    return next == '&' ? Operator{3, '&', '&'} : Operator{6, '&', 0};
  case '^':
    return {5, '^', 0};
  case '=':
  case '!':
    return next == '=' ? Operator{7, first, '='} : Operator{};
  case '<':
  case '>':
    if (next == first)
      return {9, first, first};
    return next == '=' ? Operator{8, first, '='} : Operator{8, first, 0};
  case '+':
  case '-':
    return {additiveLevel, first, 0};
  case '*':
  case '/':
    return {11, first, 0};
  default:
    return {};
  }
}

ParserBase::Constant ParserBase::combine(Operator op, Constant a, Constant b,
                                         Location where) {
  bool isUnsigned = a.isUnsigned || b.isUnsigned;
  uint64_t x = a.value, y = b.value;
  bool less = isUnsigned ? x < y : int64_t(x) < int64_t(y);
  switch (op.first) {
  case '+':
    return {x + y, isUnsigned};
  case '-':
    return {x - y, isUnsigned};
  case '*':
    return {x * y, isUnsigned};
  case '/':
  case '%': {
    if (y == 0)
      fail(where, "division by zero in a constant expression");
    bool divides = op.first == '/';
    if (isUnsigned)
      return {divides ? x / y : x % y, true};
    if (y == ~uint64_t(0)) // the least value has no positive counterpart
      return {divides ? 0 - x : 0, false};
    return {
        uint64_t(divides ? int64_t(x) / int64_t(y) : int64_t(x) % int64_t(y)),
        false};
  }
  case '<':
    if (op.second == '<')
      return {y > 63 ? 0 : x << y, a.isUnsigned};
    return {less || (op.second == '=' && x == y), false};
  case '>':
    if (op.second == '>') {
      unsigned by = y > 63 ? 63 : unsigned(y);
      if (!a.isUnsigned)
        return {uint64_t(int64_t(x) >> by), false};
      return {y > 63 ? 0 : x >> by, true};
    }
    return {!less && (op.second == '=' || x != y), false};
  case '=':
    return {x == y, false};
  case '!':
    return {x != y, false};
  case '&':
    return op.second ? Constant{x && y, false} : Constant{x & y, isUnsigned};
  case '|':
    return op.second ? Constant{x || y, false} : Constant{x | y, isUnsigned};
  default:
    return {x ^ y, isUnsigned};
  }
}

ParserBase::Constant ParserBase::parseConstantPrimary(unsigned depth) {
  if (depth > maxConstantDepth)
    fail(token.where, "constant expression nested deeper than " +
                          std::to_string(maxConstantDepth));
  if (accept('-')) {
    Constant operand = parseConstantPrimary(depth + 1);
    return {0 - operand.value, operand.isUnsigned};
  }
  if (accept('+'))
    return parseConstantPrimary(depth + 1);
  if (accept('~')) {
    Constant operand = parseConstantPrimary(depth + 1);
    return {~operand.value, operand.isUnsigned};
  }
  if (accept('!'))
    return {parseConstantPrimary(depth + 1).value == 0, false};
  if (accept('(')) {
    for (std::string_view cast : {".s64", ".u64"})
      if (accept(cast)) {
        expect(')');
        return {parseConstantPrimary(depth + 1).value, cast == ".u64"};
      }
    Constant inner = parseConstantFrom(parseConstantPrimary(depth + 1),
                                       ternaryLevel, depth + 1);
    expect(')');
    return inner;
  }
  if (token.kind != Token::Kind::Integer)
    failExpected("a constant");
  Constant literal{token.value, token.isUnsigned};
  advance();
  return literal;
}

ParserBase::Constant ParserBase::parseConstantFrom(Constant left, int least,
                                                   unsigned depth) {
  for (;;) {
    Operator op = operatorHere();
    if (op.level == 0 || op.level < least)
      return left;
    Location where = token.where;
    advance();
    if (op.second)
      advance();
    if (op.level == ternaryLevel) {
      Constant first = parseConstantFrom(parseConstantPrimary(depth + 1),
                                         ternaryLevel, depth + 1);
      expect(':');
      Constant second = parseConstantFrom(parseConstantPrimary(depth + 1),
                                          ternaryLevel, depth + 1);
      left = {left.value ? first.value : second.value,
              first.isUnsigned || second.isUnsigned};
      continue;
    }
    Constant right = parseConstantFrom(parseConstantPrimary(depth + 1),
                                       op.level + 1, depth + 1);
    left = combine(op, left, right, where);
  }
}

ParserBase::Constant ParserBase::parseConstant() {
  return parseConstantFrom(parseConstantPrimary(0), ternaryLevel, 0);
}

uint64_t ParserBase::parseOffsets() {
  uint64_t offset = 0;
  while (token.is('+') || token.is('-')) {
    bool negative = token.is('-');
    advance();
    uint64_t term =
        parseConstantFrom(parseConstantPrimary(0), additiveLevel + 1, 0).value;
    offset += negative ? 0 - term : term;
  }
  return offset;
}

} // namespace heddle::ptx
