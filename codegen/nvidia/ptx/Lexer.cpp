// Lexer.cpp - tokens of PTX text.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "codegen/nvidia/ptx/Lexer.h"

#include <bit>
#include <charconv>

namespace heddle::ptx {

static bool isDigit(char c) { return c >= '0' && c <= '9'; }

static bool isWordStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '$' || c == '%';
}

static bool isWordPart(char c) {
  return isDigit(c) || (isWordStart(c) && c != '%');
}

static bool isBlank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' ||
         c == '\f';
}

void Lexer::advanceTo(size_t end) {
  for (; position < end && position < text.size(); ++position) {
    if (text[position] == '\n') {
      ++line;
      lineStart = position + 1;
    }
  }
}

void Lexer::skipLine() {
  size_t end = text.find('\n', position);
  advanceTo(end == std::string_view::npos ? text.size() : end);
}

void Lexer::skipBlanks() {
  while (position < text.size()) {
    if (isBlank(text[position])) {
      advanceTo(position + 1);
    } else if (text[position] == '/' && at(position + 1) == '/') {
      skipLine();
    } else if (text[position] == '/' && at(position + 1) == '*') {
      size_t end = text.find("*/", position + 2);
      advanceTo(end == std::string_view::npos ? text.size() : end + 2);
    } else {
      return;
    }
  }
}

/// A word swallows dots and double colons, so that a mnemonic is one token; a
/// single colon ends it, so that `label:` is two.
Token Lexer::word(Token token) {
  size_t end = position + 1;
  while (end < text.size()) {
    if (isWordPart(text[end])) {
      ++end;
    } else if (text[end] == '.' && isWordPart(at(end + 1))) {
      end += 2;
    } else if (text[end] == ':' && at(end + 1) == ':' &&
               isWordPart(at(end + 2))) {
      end += 3;
    } else {
      break;
    }
  }
  token.text = text.substr(position, end - position);
  advanceTo(end);
  return token;
}

Token Lexer::decimal(Token token, size_t begin) {
  double value = 0;
  auto [rest, error] =
      std::from_chars(text.data() + begin, text.data() + text.size(), value);
  size_t end = size_t(rest - text.data());
  token.text = text.substr(begin, end - begin);
  if (error != std::errc() && error != std::errc::result_out_of_range) {
    token.kind = Token::Kind::Bad;
    token.text = "malformed number";
    end = begin + 1;
  } else {
    token.kind = Token::Kind::Float;
    token.value = std::bit_cast<uint64_t>(value);
  }
  advanceTo(end);
  return token;
}

Token Lexer::number(Token token) {
  size_t begin = position;
  int base = 10;
  size_t digits = begin;
  char second = at(begin + 1);
  bool zero = text[begin] == '0';
  if (zero &&
      (second == 'f' || second == 'F' || second == 'd' || second == 'D')) {
    token.kind = Token::Kind::Bits;
    token.bits = second == 'f' || second == 'F' ? 32 : 64;
    base = 16;
    digits = begin + 2;
  } else if (zero && (second == 'x' || second == 'X')) {
    base = 16;
    digits = begin + 2;
  } else if (zero && (second == 'b' || second == 'B')) {
    base = 2;
    digits = begin + 2;
  } else {
    size_t end = begin;
    while (isDigit(at(end)))
      ++end;
    if (at(end) == '.' || at(end) == 'e' || at(end) == 'E')
      return decimal(token, begin);
    if (zero && isDigit(second))
      base = 8;
  }
  auto [rest, error] = std::from_chars(
      text.data() + digits, text.data() + text.size(), token.value, base);
  size_t end = size_t(rest - text.data());
  bool wrongLength =
      token.kind == Token::Kind::Bits && end - digits != token.bits / 4u;
  if (error != std::errc() || wrongLength) {
    token.kind = Token::Kind::Bad;
    token.text = wrongLength ? "malformed floating-point bits"
                             : "integer that does not fit in 64 bits";
    advanceTo(end > begin ? end : begin + 1);
    return token;
  }
  if (token.kind != Token::Kind::Bits) {
    token.kind = Token::Kind::Integer;
    token.isUnsigned = token.value >> 63;
    if (at(end) == 'U' || at(end) == 'u') {
      token.isUnsigned = true;
      ++end;
    }
  }
  token.text = text.substr(begin, end - begin);
  advanceTo(end);
  return token;
}

Token Lexer::next() {
  skipBlanks();
  Token token;
  token.where = {line, uint32_t(position - lineStart + 1)};
  if (position >= text.size())
    return token;
  char c = text[position];
  if (isWordStart(c)) {
    token.kind = Token::Kind::Word;
    return word(token);
  }
  if (isDigit(c))
    return number(token);
  if (c == '.' && isDigit(at(position + 1)))
    return decimal(token, position);
  if (c == '.' && isWordStart(at(position + 1))) {
    token.kind = Token::Kind::Directive;
    size_t end = position + 2;
    while (isWordPart(at(end)) ||
           (at(end) == ':' && at(end + 1) == ':' && isWordPart(at(end + 2))))
      end += at(end) == ':' ? 3 : 1;
    token.text = text.substr(position, end - position);
    advanceTo(end);
    return token;
  }
  if (c == '"') {
    size_t end = text.find_first_of("\"\n", position + 1);
    bool closed = end != std::string_view::npos && text[end] == '"';
    token.kind = closed ? Token::Kind::String : Token::Kind::Bad;
    token.text = closed ? text.substr(position + 1, end - position - 1)
                        : std::string_view("string without closing quote");
    advanceTo(closed ? end + 1 : text.size());
    return token;
  }
  constexpr std::string_view punctuation = "{}[]()<>,;:@!|+-*/&^~=?";
  token.kind = Token::Kind::Symbol;
  token.text = text.substr(position, 1);
  if (punctuation.find(c) == std::string_view::npos) {
    token.kind = Token::Kind::Bad;
    token.text = "character that is not part of PTX";
  }
  advanceTo(position + 1);
  return token;
}

} // namespace heddle::ptx
