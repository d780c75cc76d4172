// Lexer.h - tokens of PTX text (PTX ISA 4.1 to 4.5).
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef HEDDLE_CODEGEN_NVIDIA_PTX_LEXER_H
#define HEDDLE_CODEGEN_NVIDIA_PTX_LEXER_H

#include "codegen/nvidia/ptx/Module.h"

#include <string>
#include <string_view>

namespace heddle::ptx {

struct Token {
  enum class Kind : uint8_t {
    End,
    Word,      ///< identifier or mnemonic, dots and `::` included
    Directive, ///< `.name`, dot included in the text
    Integer,   ///< `value` holds it
    Float,     ///< decimal literal: `value` holds the bits of an f64
    Bits,      ///< 0f / 0d literal: `value`, `bits`
    String,    ///< text without the quotes
    Symbol,    ///< one punctuation character
    Bad,       ///< `text` says what is wrong
  };
  Kind kind = Kind::End;
  std::string_view text;
  uint64_t value = 0;
  uint8_t bits = 0;
  bool isUnsigned = false; ///< an Integer with suffix U or above 2^63 - 1
  Location where;

  bool is(char symbol) const {
    return kind == Kind::Symbol && text[0] == symbol;
  }
  bool is(std::string_view word) const {
    return (kind == Kind::Word || kind == Kind::Directive) && text == word;
  }
};

/// Splits the text into tokens, one at a time. Comments are skipped.
class Lexer {
public:
  explicit Lexer(std::string_view text) : text(text) {}

  Token next();
  /// Skips to the end of the line: `.loc` and `.file` end without a semicolon.
  void skipLine();
  /// The character after the token that `next` gave last.
  char peek() const { return at(position); }

private:
  void skipBlanks();
  Token word(Token token);
  Token number(Token token);
  Token decimal(Token token, size_t begin);
  char at(size_t index) const { return index < text.size() ? text[index] : 0; }
  void advanceTo(size_t end);

  std::string_view text;
  size_t position = 0;
  uint32_t line = 1;
  size_t lineStart = 0;
};

} // namespace heddle::ptx

#endif // HEDDLE_CODEGEN_NVIDIA_PTX_LEXER_H
